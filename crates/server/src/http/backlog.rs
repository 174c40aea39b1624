//! Whether requests can be taken: they are refused before anything is appended when their answer would not come in time.

use std::sync::Arc;
use std::time::Duration;

use eventlog::{EventLog, Log};
use ledger::{Offset, Partition};
use projector::Asking;
use store::{Projections, Store};
use tokio::sync::watch;
use tokio::time::timeout;

use super::App;
use super::problem::Problem;

/// How often is looked.
const LOOK: Duration = Duration::from_millis(250);
/// How long to wait for log or store to tell.
const PATIENCE: Duration = Duration::from_secs(2);
/// Above so many records that are not folded yet, a partition takes no more requests.
const MOST_BEHIND: u64 = 20_000;

/// How far the partitions are behind, as it was found last.
#[derive(Clone, Debug, Default)]
pub(crate) struct Backlog {
    /// By partition, how many records are not folded; none as long as nobody could tell.
    pub(crate) behind: Vec<Option<u64>>,
    /// Why the log cannot be read, if it cannot.
    pub(crate) log: Option<String>,
}

impl App {
    /// Refuses what could not be answered in time.
    pub(crate) fn accepts(&self, partition: Partition) -> Result<(), Problem> {
        let backlog = self.backlog.borrow();
        if let Some(why) = &backlog.log {
            return Err(Problem::later("log_unavailable", format!("nothing was appended: {why}")));
        }
        let behind = backlog.behind.get(partition.0 as usize).copied().flatten();
        match behind.filter(|behind| *behind > MOST_BEHIND) {
            Some(behind) => Err(Problem::later(
                "behind",
                format!(
                    "nothing was appended: {behind} records of partition {partition} are to be folded first"
                ),
            )
            .with("behind", behind)),
            None => Ok(()),
        }
    }
}

/// Looks again and again.
pub(crate) async fn watch_backlog(
    log: Arc<Log>,
    store: Arc<Projections>,
    asking: Asking,
    found: watch::Sender<Backlog>,
) {
    let mut heads = vec![None; log.partitions() as usize];
    loop {
        let mut backlog = Backlog::default();
        for (place, partition) in (0..log.partitions()).map(Partition).enumerate() {
            let end = match timeout(PATIENCE, log.end(partition)).await {
                Ok(Ok(end)) => end,
                // The others would not answer either, and to ask each would take long.
                Ok(Err(error)) => {
                    backlog.log = Some(error.to_string());
                    break;
                }
                Err(_) => {
                    backlog.log = Some("the log does not answer".to_owned());
                    break;
                }
            };
            let folded = if asking.is_here(partition) {
                Some(asking.reached(partition).borrow().folded)
            } else {
                if let Ok(Ok(head)) = timeout(PATIENCE, store.head(partition)).await {
                    heads[place] = head.map(|head| head.next);
                }
                heads[place]
            };
            backlog.behind.push(Some(end.0.saturating_sub(folded.unwrap_or(Offset(0)).0)));
        }
        backlog.behind.resize(heads.len(), None);
        if backlog.log.is_some() && found.borrow().log.is_none() {
            tracing::warn!(why = backlog.log, "the log cannot be read: requests are refused");
        }
        found.send_replace(backlog);
        tokio::time::sleep(LOOK).await;
    }
}
