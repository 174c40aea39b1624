//! Timers that were appended and are not folded yet.

use std::collections::BTreeMap;

use ledger::{Instant, Partition};

/// Most timers that are in flight at one time: enough to keep the projector busy, few enough not to delay usage.
pub const MOST_IN_FLIGHT: usize = 1_000;

/// After how many nanoseconds a timer counts as lost.
const LOST: u64 = 30 * 1_000_000_000;

/// The timers that one scheduler appended and that are not folded yet, by wallet.
///
/// It saves appending a timer with every round while the projector is behind, no more: to begin with an empty one is
/// harmless.
#[derive(Debug, Default)]
pub struct InFlight(BTreeMap<String, Flight>);

#[derive(Debug)]
struct Flight {
    partition: Partition,
    due_at: i64,
    since: Instant,
}

impl InFlight {
    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn room(&self) -> usize {
        MOST_IN_FLIGHT.saturating_sub(self.0.len())
    }

    pub(crate) fn holds(&self, wallet: &str, due_at: i64) -> bool {
        self.0.get(wallet).is_some_and(|flight| flight.due_at == due_at)
    }

    pub(crate) fn add(&mut self, partition: Partition, wallet: &str, due_at: i64, since: Instant) {
        self.0.insert(wallet.to_owned(), Flight { partition, due_at, since });
    }

    /// Forgets timers so old that they may never have come, and all when the clock was set back so far.
    pub(crate) fn forget_lost(&mut self, now: Instant) {
        self.0.retain(|_, flight| flight.since.0.abs_diff(now.0) < LOST);
    }

    /// Forgets the timers of wallets that are no longer due when they were. `due` holds the first that are due in the
    /// partition, soonest first.
    pub(crate) fn forget_folded(&mut self, partition: Partition, due: &[(String, i64)]) {
        let still: BTreeMap<&str, i64> =
            due.iter().map(|(wallet, due_at)| (wallet.as_str(), *due_at)).collect();
        // Of wallets due at the end of a full list or later, the list says nothing.
        let unknown = due.last().filter(|_| due.len() >= MOST_IN_FLIGHT).map_or(i64::MAX, |(_, last)| *last);
        self.0.retain(|wallet, flight| match still.get(wallet.as_str()) {
            Some(due_at) => *due_at == flight.due_at,
            None => flight.partition != partition || flight.due_at >= unknown,
        });
    }
}
