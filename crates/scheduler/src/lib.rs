//! The scheduler: wallets due by now -> `timer.due` (design, section 3); usage that a price has come for -> `usage.rerated`.
//!
//! It decides nothing: the fold books what is due at its due time whenever a record of the wallet comes, so a late, a
//! second or a lost timer changes no balance. It only makes sure that a record comes.

mod in_flight;
mod unpriced;

use eventlog::{EventLog, LogError};
use ingest::{Stamp, timer};
use ledger::{Instant, Partition};
use store::{Store, StoreError};

pub use in_flight::{InFlight, MOST_IN_FLIGHT};
pub use unpriced::{Looked, MOST_RERATED, rerate};

/// How many timers are appended at once.
const BATCH: usize = 250;

/// What one round found and did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Round {
    /// Wallets that are due, also those whose timer is in flight; at most [`MOST_IN_FLIGHT`] are counted of a partition.
    pub due: usize,
    /// Timers appended.
    pub appended: usize,
}

/// Why a round broke off. The next one begins anew; what was appended twice is harmless.
#[derive(Debug, thiserror::Error)]
pub enum SchedulerError {
    /// The store failed.
    #[error("what the scheduler looks for cannot be read")]
    Store(#[from] StoreError),
    /// The log failed.
    #[error("the scheduler's records cannot be appended")]
    Log(#[from] LogError),
    /// A stored catalogue or wallet is none.
    #[error("what is stored cannot be read, rebuild the projections: {0}")]
    Corrupt(String),
}

/// Of a partition that another process sees to, what is overdue for so many nanoseconds: half a minute.
pub const OVERDUE: i64 = 30_000_000_000;

/// Appends a timer for each wallet that is due, the longest overdue first, unless its timer is in flight or too many are. Of each
/// partition is said since how many nanoseconds before `now` a wallet must have been due: 0, or [`OVERDUE`] where another process
/// sees to what is due.
///
/// # Errors
///
/// If the store or the log fails. What was appended before that is in flight.
pub async fn round<L: EventLog, S: Store>(
    log: &L,
    store: &S,
    partitions: impl Iterator<Item = (Partition, i64)>,
    now: Instant,
    in_flight: &mut InFlight,
) -> Result<Round, SchedulerError> {
    in_flight.forget_lost(now);
    let mut round = Round::default();
    let mut missing = Vec::new();
    for (partition, overdue) in partitions {
        let limit = u32::try_from(MOST_IN_FLIGHT).expect("a thousand");
        let due = store.due(partition, now.0 - overdue, limit).await?;
        round.due += due.len();
        in_flight.forget_folded(partition, &due);
        let lacks = due.into_iter().filter(|(wallet, due_at)| !in_flight.holds(wallet, *due_at));
        missing.extend(lacks.map(|(wallet, due_at)| (due_at, partition, wallet)));
    }
    missing.sort_unstable();
    missing.truncate(in_flight.room());

    let stamp = Stamp { now, by: "system", backfill: false };
    for batch in missing.chunks(BATCH) {
        let timers = batch.iter().map(|(due_at, _, wallet)| timer(wallet, Instant(*due_at), &stamp));
        log.append(timers.map(|timer| timer.appending(log.partitions())).collect()).await?;
        round.appended += batch.len();
        for (due_at, partition, wallet) in batch {
            in_flight.add(*partition, wallet, *due_at, now);
        }
    }
    if round.appended > 0 {
        tracing::debug!(due = round.due, appended = round.appended, "timers appended");
    }
    Ok(round)
}
