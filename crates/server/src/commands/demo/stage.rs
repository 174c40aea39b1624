//! What the story's commands do, at the story's moments.

use std::io::Cursor;
use std::sync::Arc;

use ::ingest::Stamp;
use anyhow::{Context as _, anyhow, ensure};
use ledger::Instant;

use super::told::Counted;
use crate::applying::{Became, apply};
use crate::context::Context;
use crate::documents;
use crate::intake::take_in;
use crate::projecting::Projecting;
use crate::view::Reading;

/// Applies documents from a file that is written beside the log. Answers how many were appended.
pub(super) async fn set_up(context: &Context, name: &str, text: &str) -> anyhow::Result<u64> {
    let path = context.data.join(name);
    std::fs::write(&path, text)?;
    let documents = documents::read(&[path]).map_err(|errors| {
        let errors: Vec<String> = errors.iter().map(ToString::to_string).collect();
        anyhow!(errors.join("\n"))
    })?;
    let log = context.open_log().await?;
    let became = apply(context, &log, &documents, true).await?;
    ensure!(became.iter().all(|b| *b == Became::Appended), "the story's documents are not taken: {became:?}");
    Ok(became.len() as u64)
}

/// Ingests events from a file that is written beside the log.
pub(super) async fn send(
    context: &Context,
    name: &str,
    events: String,
    now: Instant,
) -> anyhow::Result<Counted> {
    std::fs::write(context.data.join(name), &events)?;
    let log = context.open_log().await?;
    let stamp = move || Stamp { now, by: "operator", backfill: true };
    let (taken, ended) =
        take_in(&*log, Cursor::new(events.into_bytes()), stamp, &context.clock, |_| Ok(())).await;
    ended.context("the story's events are not taken")?;
    log.close().await?;
    Ok(Counted(vec![("appended", taken.appended), ("refused", taken.refused)]))
}

/// The story's directory, at a moment of the story.
pub(super) struct Story {
    projecting: Projecting,
    pub(super) reading: Reading,
}

impl Story {
    pub(super) async fn open(context: &Context, now: Instant) -> anyhow::Result<Self> {
        let projecting =
            Projecting::open(context, context.open_log().await?, context.lock_projector()?).await?;
        let reading = Reading { log: projecting.log.clone(), store: Arc::clone(&projecting.store), now };
        Ok(Self { projecting, reading })
    }

    pub(super) async fn project(&mut self, context: &Context) -> anyhow::Result<Counted> {
        self.projecting.catch_up(context).await?;
        let counts = self.projecting.counts();
        let counts =
            [("applied", counts.applied), ("duplicate", counts.duplicate), ("unpriced", counts.unpriced)];
        Ok(Counted(counts.to_vec()))
    }

    pub(super) async fn close(self) -> anyhow::Result<()> {
        drop(self.reading);
        self.projecting.close().await
    }
}
