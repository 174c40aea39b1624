//! `drawdown tick`: one round of the scheduler.

use std::fmt;

use eventlog::EventLog;
use ledger::{Catalogue, Partition};
use scheduler::{InFlight, Looked, MOST_RERATED};
use serde::Serialize;

use crate::context::Context;
use crate::exit::Exit;

/// Append a timer for each wallet that has something due, and a re-rating for usage that had no price and has one now; `project` then
/// books them.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  drawdown --data ./data tick")]
pub(crate) struct Args {}

#[derive(Serialize)]
struct Report {
    due: usize,
    appended: usize,
    /// Usage that had no price and has one now, as far as one round takes it.
    rerated: usize,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (word, count) in [("due", self.due), ("appended", self.appended), ("rerated", self.rerated)] {
            writeln!(f, "{word:<12} {count:>12}")?;
        }
        Ok(())
    }
}

pub(crate) async fn run(_: Args, context: &Context) -> anyhow::Result<Exit> {
    let log = context.open_log().await?;
    let (mut round, mut rerated) = (scheduler::Round::default(), 0);
    if let Some(store) = context.open_store_read_only(log.partitions()).await? {
        let partitions = || (0..log.partitions()).map(Partition);
        round = scheduler::round(
            &*log,
            &store,
            partitions().map(|p| (p, 0)),
            context.now(),
            &mut InFlight::default(),
        )
        .await?;
        let mut looked = Looked::default();
        while rerated < MOST_RERATED {
            let now = context.now();
            rerated +=
                scheduler::rerate(&*log, &store, partitions(), now, read_catalogue, &mut looked).await?;
            if looked.is_over() {
                break;
            }
        }
        store.close().await?;
    }
    log.close().await?;
    context.print(&Report { due: round.due, appended: round.appended, rerated })?;
    Ok(Exit::Ok)
}

/// A catalogue as the store has it.
pub(crate) fn read_catalogue(text: &str) -> Result<Catalogue, String> {
    projector::stored_catalogue(text).map_err(|error| error.to_string())
}
