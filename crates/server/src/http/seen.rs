//! Wallets as they are now: from memory where their partition is folded in this process, else from the store.

use eventlog::EventLog;
use ledger::{Offset, Partition, Position, advanced};
use projector::{Seen, WalletSeen};
use schemars::JsonSchema;
use serde::Deserialize;
use store::Store;
use tokio::time::{Instant as Moment, sleep, timeout, timeout_at};

use super::App;
use super::problem::Problem;
use crate::view::{AsOf, Reading, WalletNow};

/// How far ahead may be asked, in nanoseconds: the time until then is gone through lot by lot.
pub(super) const MOST_AHEAD: i64 = 366 * 86_400 * 1_000_000_000;

/// From which record on an answer is to be true.
#[derive(Debug, Default, Deserialize, JsonSchema)]
pub(crate) struct FromPosition {
    /// The answer is true after this record (`partition:offset`), as a write answered it.
    pub(crate) min_position: Option<String>,
}

impl App {
    /// A wallet, advanced to now.
    ///
    /// # Errors
    ///
    /// 404 if no record names it, 503 if the record that the answer is to be true after is not folded in time.
    pub(crate) async fn wallet(&self, id: &str, from: &FromPosition) -> Result<WalletNow, Problem> {
        self.until(id, from).await?;
        let partition = Partition::of(id, self.asking.partitions());
        let seen = match self.asking.wallet(id).await {
            Seen::Here(seen) => *seen,
            Seen::Unknown(_) => return Err(Problem::unknown_wallet(id)),
            Seen::Stored | Seen::NotHere => self.stored_now(id, partition).await?,
        };
        Ok(self.advance(id, seen))
    }

    /// A wallet that was seen, advanced to now.
    pub(crate) fn advance(&self, id: &str, seen: WalletSeen) -> WalletNow {
        let WalletSeen { no, wallet, catalogue, next } = seen;
        let (wallet, due) = advanced(&catalogue, &wallet, self.context.now());
        let partition = Partition::of(id, self.asking.partitions());
        let as_of = AsOf { partition: partition.0, offset: next.0, time: wallet.clock };
        let behind = self.backlog.borrow().behind.get(partition.0 as usize).copied().flatten();
        WalletNow { id: id.to_owned(), no, as_of, behind: behind.unwrap_or(0), catalogue, wallet, due }
    }

    async fn stored_now(&self, id: &str, partition: Partition) -> Result<WalletSeen, Problem> {
        let reading = async {
            // The head first: a wallet read later is true there too.
            let head = self.store.head(partition).await?.map_or(Offset(0), |head| head.next);
            let seen = self.stored_wallet(id).await?.ok_or_else(|| Problem::unknown_wallet(id))?;
            Ok(WalletSeen { next: seen.next.max(head), ..seen })
        };
        let late = || Problem::later("projections_unavailable", "the projections do not answer: try again");
        timeout(self.limits.wait, reading).await.unwrap_or_else(|_| Err(late()))
    }

    /// Waits until a wallet's partition is folded so far that the answer may be given.
    pub(crate) async fn until(&self, wallet: &str, from: &FromPosition) -> Result<(), Problem> {
        let Some(text) = &from.min_position else { return Ok(()) };
        let bad = |detail: &str| Problem::bad("bad_position", detail);
        let position = position(text)
            .ok_or_else(|| bad("`min_position` is no position: send it as it was answered, 2:1041"))?;
        if position.partition != Partition::of(wallet, self.asking.partitions()) {
            return Err(bad(
                "`min_position` is of another partition than the wallet: send one that was answered for this wallet",
            ));
        }
        let next = Offset(position.offset.0.saturating_add(1));
        self.folded(position.partition, next, || format!("the record at {text}")).await
    }

    /// Waits until a partition is folded up to all that is in the log now, also what another server, or this one before it was started
    /// again, has appended and answered.
    pub(super) async fn folded_to_the_end(&self, partition: Partition) -> Result<(), Problem> {
        let late = || Problem::later("log_unavailable", "the log does not answer: try again");
        let end = timeout(self.limits.wait, self.log.end(partition)).await.map_err(|_| late())??;
        self.folded(partition, end, || format!("partition {partition} up to {end}")).await
    }

    async fn folded(
        &self,
        partition: Partition,
        next: Offset,
        what: impl Fn() -> String,
    ) -> Result<(), Problem> {
        let until = Moment::now() + self.limits.wait;
        let folded = async {
            if self.asking.is_here(partition) {
                let mut reached = self.asking.reached(partition);
                // Its other end lives as long as this process.
                let _ = reached.wait_for(|reached| reached.folded >= next).await;
                return Ok(());
            }
            while self.store.head(partition).await?.map_or(Offset(0), |head| head.next) < next {
                sleep(std::time::Duration::from_millis(5)).await;
            }
            Ok(())
        };
        timeout_at(until, folded).await.unwrap_or_else(|_| {
            Err(Problem::later("not_yet", format!("{} is not folded yet: ask again", what())))
        })
    }

    /// Waits until a partition is committed as far as it is folded, for whoever reads rows; then what rows are read from.
    pub(crate) async fn rows(&self, wallet: &str, from: &FromPosition) -> Result<Reading, Problem> {
        self.until(wallet, from).await?;
        self.committed(Partition::of(wallet, self.asking.partitions())).await?;
        Ok(self.reading())
    }

    /// Waits until a partition is committed as far as it is folded here.
    pub(crate) async fn committed(&self, partition: Partition) -> Result<(), Problem> {
        if self.asking.is_here(partition) {
            let mut reached = self.asking.reached(partition);
            let folded = reached.borrow().folded;
            let committed = reached.wait_for(|reached| reached.committed >= folded);
            if timeout(self.limits.wait, committed).await.is_err() {
                return Err(Problem::later(
                    "projections_unavailable",
                    "the projections do not keep up: try again",
                ));
            }
        }
        Ok(())
    }

    /// What rows are read from, as they are committed.
    pub(crate) fn reading(&self) -> Reading {
        Reading { log: self.log.clone(), store: self.store.clone(), now: self.context.now() }
    }
}

/// Reads a position as it was answered.
pub(super) fn position(text: &str) -> Option<Position> {
    let (partition, offset) = text.split_once(':')?;
    Some(Position { partition: Partition(partition.parse().ok()?), offset: Offset(offset.parse().ok()?) })
}
