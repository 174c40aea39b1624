//! `drawdown tick`: one round of the scheduler.

use std::fmt;

use eventlog::EventLog;
use ledger::Partition;
use scheduler::InFlight;
use serde::Serialize;

use crate::context::Context;
use crate::exit::Exit;

/// Append a timer for each wallet that has something due; `project` then books it.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  drawdown --data ./data tick")]
pub(crate) struct Args {}

#[derive(Serialize)]
struct Report {
    due: usize,
    appended: usize,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:<12} {:>12}\n{:<12} {:>12}", "due", self.due, "appended", self.appended)
    }
}

pub(crate) async fn run(_: Args, context: &Context) -> anyhow::Result<Exit> {
    let log = context.open_log().await?;
    let mut round = scheduler::Round::default();
    if let Some(store) = context.open_store_read_only().await? {
        let partitions = (0..log.partitions()).map(Partition);
        round = scheduler::round(&*log, &store, partitions, context.now(), &mut InFlight::default()).await?;
        store.close().await?;
    }
    log.close().await?;
    context.print(&Report { due: round.due, appended: round.appended })?;
    Ok(Exit::Ok)
}
