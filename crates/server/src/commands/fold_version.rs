//! `drawdown fold-version`: which version of the fold is in force.

use std::fmt;
use std::path::PathBuf;

use anyhow::bail;
use eventlog::EventLog;
use ledger::{Event, FoldVersion, Offset, Partition};
use serde::Serialize;
use store::Store;

use crate::applying::{Became, apply};
use crate::context::Context;
use crate::documents::{Body, Document, explain_rejection};
use crate::exit::Exit;
use crate::view::Reading;

/// Show which version of the fold is in force, or raise it.
///
/// What is folded under an older version stays as it is: a new one counts from the record on that says so, in each partition. A build
/// that does not know it stops there, so bring every machine up to date first.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  drawdown --data ./data fold-version\n  drawdown --data ./data fold-version 2"
)]
pub(crate) struct Args {
    /// The version to bring into force
    version: Option<u32>,
}

#[derive(Serialize)]
struct Report {
    in_force: u32,
    newest: u32,
    /// Whether this command brought it into force.
    raised: bool,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{:<12} {:>12}\n{:<12} {:>12}", "in force", self.in_force, "newest", self.newest)?;
        if self.in_force < self.newest {
            writeln!(f, "bring it into force with `drawdown fold-version {}`", self.newest)?;
        }
        Ok(())
    }
}

pub(crate) async fn run(args: Args, context: &Context) -> anyhow::Result<Exit> {
    let newest = FoldVersion::NEWEST;
    let in_force = in_force(context).await?;
    let version = args.version.unwrap_or(in_force);
    if version == in_force {
        context.print(&Report { in_force, newest, raised: false })?;
        return Ok(Exit::Ok);
    }
    if version > newest {
        eprintln!(
            "this build knows versions up to {newest}: bring {version} into force with the build that knows it"
        );
        return Ok(Exit::Refused);
    }
    let body = serde_json::to_string(&FoldVersion { version })?;
    let body = Body::Catalogue { kind: "fold", name: "version".to_owned(), body, time: None };
    let Some(log) = context.open_log_if_any().await? else { bail!("the log is gone") };
    let document = Document { file: PathBuf::new(), line: 0, body };
    match apply(context, &log, &[document], false).await?.as_slice() {
        [Became::Rejected(reason)] => {
            eprintln!("{reason}: {}", explain_rejection(reason));
            Ok(Exit::Refused)
        }
        _ => {
            context.print(&Report { in_force: version, newest, raised: true })?;
            Ok(Exit::Ok)
        }
    }
}

/// The version in force where partition 0 is folded; before that, the one that genesis names.
async fn in_force(context: &Context) -> anyhow::Result<u32> {
    let reading = Reading::open(context).await?;
    if let Some(head) = reading.store.head(Partition(0)).await?.filter(|head| head.next > Offset(0)) {
        return Ok(head.fold);
    }
    let first = reading.log.read(Partition(0), Offset(0), 1).await?;
    let record = ledger::decode(first.get(0))?;
    let Event::Genesis(genesis) = record.event else {
        bail!("the log begins with a {} record, and not with genesis", record.event.word());
    };
    Ok(genesis.fold)
}
