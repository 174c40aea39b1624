//! Documents into the log: what is new in them, in an order in which the rules take it.
//!
//! All documents are held against the rules, on copies of the catalogue and of the wallets, before anything is appended: one that
//! would be refused stops all. Then the catalogue goes into partition 0; once every partition has it, wallets and grants go into
//! theirs. What the fold said to each is read back.

mod change;
mod outcomes;
mod plan;
mod publishing;
mod rejection;
mod seen;
mod stamps;

use std::collections::BTreeMap;
use std::sync::Arc;

use anyhow::Context as _;
use eventlog::{Appending, EventLog, Log};
use ledger::Position;

use crate::context::Context;
use crate::documents::Document;
use crate::folder::Folder;

use outcomes::outcomes;
use plan::{Planned, plan};
pub(crate) use publishing::publishing;
pub(crate) use rejection::{Rejection, mistake, rejection};
use seen::Seen;
use stamps::stamps;

/// So many records are appended at once.
const BATCH: usize = 4_000;

/// What became of a document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Became {
    /// It is in the log, and the rules took it.
    Appended,
    /// It said nothing new.
    Unchanged,
    /// It was refused, for this reason: the rules' word for it and what more they say, or a sentence.
    Rejected(String),
    /// Another one was refused, so nothing was appended.
    LeftOut,
}

/// Applies documents, which are in an order in which they can be applied; answers what became of each.
///
/// With `backfill` they are recorded at the time at which they say that they happened. Returns when all that was appended is
/// folded, by this process or by the one that has the right to.
///
/// # Errors
///
/// If log or projections fail, or whoever folds does not go on; the message says what was appended.
pub(crate) async fn apply(
    context: &Context,
    log: &Arc<Log>,
    documents: &[Document],
    backfill: bool,
) -> anyhow::Result<Vec<Became>> {
    let stamps = match stamps(documents, backfill, context.now()) {
        Ok(stamps) => stamps,
        Err(refused) => return Ok(left_out(documents.len(), refused)),
    };
    let mut folder = Folder::open(context, log.clone()).await?;
    folder.fold_all().await.context("nothing was applied")?;
    let seen = Seen::read(&mut folder, log, documents).await?;
    let planned = match plan(documents, &stamps, seen, log.partitions(), context.now()) {
        Ok(planned) => planned,
        Err(refused) => {
            folder.close().await?;
            return Ok(left_out(documents.len(), refused));
        }
    };

    let Planned { unchanged, catalogue, personal } = planned;
    let mut became = vec![Became::LeftOut; documents.len()];
    unchanged.into_iter().for_each(|at| became[at] = Became::Unchanged);
    let published = append(&**log, catalogue).await?;
    let appended = || format!("{} catalogue documents are appended, and nothing else", published.len());
    folder.fold_these(published.iter().map(|(_, at)| *at)).await.with_context(appended)?;
    folder.copy_catalogue().await.with_context(appended)?;
    let appended = append(&**log, personal).await?;
    let all = || [&published, &appended].into_iter().flatten();
    let folded = folder.fold_these(appended.iter().map(|(_, at)| *at)).await;
    folded
        .with_context(|| format!("all {} new documents are appended, and not all folded", all().count()))?;

    let store = folder.store().await?.context("the projections are gone: `project` makes them again")?;
    for (at, outcome) in outcomes(store, all().copied()).await? {
        became[at] = outcome;
    }
    folder.close().await?;
    Ok(became)
}

/// What became of all documents when some were refused.
fn left_out(count: usize, refused: BTreeMap<usize, String>) -> Vec<Became> {
    let mut became = vec![Became::LeftOut; count];
    refused.into_iter().for_each(|(at, why)| became[at] = Became::Rejected(why));
    became
}

/// Appends records, each with the index of its document; answers where they are.
async fn append<L: EventLog>(
    log: &L,
    records: Vec<(usize, Appending)>,
) -> anyhow::Result<Vec<(usize, Position)>> {
    let (indexes, mut records): (Vec<usize>, Vec<Appending>) = records.into_iter().unzip();
    let mut positions = Vec::with_capacity(records.len());
    while !records.is_empty() {
        let later = records.split_off(records.len().min(BATCH));
        let appended = log.append(records).await;
        let before = || format!("{} documents were appended; apply the same again", positions.len());
        let appended = appended.with_context(before)?;
        positions.extend(appended);
        records = later;
    }
    Ok(indexes.into_iter().zip(positions).collect())
}
