//! `drawdown apply`: catalogue, wallets and grants from files.

use std::fmt;
use std::path::PathBuf;

use serde::Serialize;

use crate::applying::{Became, Rejection, apply, mistake, rejection};
use crate::context::Context;
use crate::documents;
use crate::exit::Exit;

/// So many refusals are shown to people.
const MOST: usize = 50;

/// Append what is new in files of catalogue, wallets, grants and changes, YAML or JSON.
///
/// The same again changes nothing; an earlier version of a document does. If anything is wrong, nothing is appended.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  drawdown --data ./data apply examples/image-credits.yaml wallets/")]
pub(crate) struct Args {
    /// Files, or directories of *.yaml, *.yml and *.json
    #[arg(required = true)]
    files: Vec<PathBuf>,
    /// Record each document at its own `time`: for history from elsewhere
    #[arg(long)]
    backfill: bool,
}

#[derive(Default, Serialize)]
struct Report {
    appended: usize,
    unchanged: usize,
    rejected: usize,
    rejections: Vec<Rejection>,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (word, count) in
            [("appended", self.appended), ("unchanged", self.unchanged), ("rejected", self.rejected)]
        {
            writeln!(f, "{word:<12} {count:>12}")?;
        }
        Ok(())
    }
}

impl Report {
    /// Adds a refusal; those of one document that was written for several wallets are one.
    fn reject(&mut self, new: Rejection) {
        let is_same =
            |old: &&mut Rejection| (&old.file, old.line, &old.what) == (&new.file, new.line, &new.what);
        match self.rejections.last_mut().filter(is_same) {
            Some(old) => old.documents += 1,
            None => self.rejections.push(new),
        }
    }
}

pub(crate) async fn run(args: Args, context: &Context) -> anyhow::Result<Exit> {
    let mut report = Report::default();
    match documents::read(&args.files) {
        Err(errors) => report.rejections.extend(errors.into_iter().map(mistake)),
        Ok(documents) => {
            let log = context.open_log().await?;
            let became = apply(context, &log, &documents, args.backfill).await?;
            for (document, became) in documents.iter().zip(became) {
                match became {
                    Became::Appended => report.appended += 1,
                    Became::Unchanged => report.unchanged += 1,
                    Became::Rejected(why) => report.reject(rejection(document, &why)),
                    Became::LeftOut => {}
                }
            }
        }
    }
    report.rejected = report.rejections.iter().map(|rejection| rejection.documents).sum();
    context.print(&report)?;
    if report.rejections.is_empty() {
        return Ok(Exit::Ok);
    }
    if !context.json {
        report.rejections.iter().take(MOST).for_each(|rejection| eprintln!("{rejection}"));
        if let Some(more) = report.rejections.len().checked_sub(MOST).filter(|more| *more > 0) {
            eprintln!("and {more} more: --json shows all");
        }
        if report.appended == 0 {
            eprintln!("nothing was appended");
        }
    }
    Ok(Exit::Refused)
}
