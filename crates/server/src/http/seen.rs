//! Wallets as they are now: from memory where their partition is folded in this process, else from the store.

use std::time::Duration;

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

/// How often is looked whether the store has what it is to have.
const AGAIN: Duration = Duration::from_millis(5);

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

    /// A wallet as all that is in the log now has it, also what another server, or this one before it was started again, has appended
    /// and answered. None if no record names it.
    ///
    /// # Errors
    ///
    /// 503 if the log does not answer, or what is in it is not folded in time.
    pub(super) async fn newest(&self, id: &str) -> Result<Option<WalletNow>, Problem> {
        let partition = Partition::of(id, self.asking.partitions());
        let looking = async {
            let end = self.folded_to_the_end(partition).await?;
            let mut is_unknown = false;
            loop {
                match self.wallet(id, &FromPosition::default()).await {
                    Ok(now) if now.as_of.offset >= end.0 => return Ok(Some(now)),
                    // The partition went elsewhere meanwhile, and is not yet as far there.
                    Ok(_) => is_unknown = false,
                    Err(problem) if problem.code != "unknown_wallet" => return Err(problem),
                    Err(_) if is_unknown => return Ok(None),
                    Err(_) => is_unknown = true,
                }
                sleep(AGAIN).await;
                self.folded(partition, end, || format!("partition {partition} up to {end}")).await?;
            }
        };
        timeout(self.limits.wait, looking).await.unwrap_or_else(|_| {
            Err(Problem::later(
                "not_yet",
                format!("partition {partition} is not folded to its end yet: ask again"),
            ))
        })
    }

    /// Waits until a partition is folded up to all that is in the log now; how far that is.
    pub(super) async fn folded_to_the_end(&self, partition: Partition) -> Result<Offset, Problem> {
        let end = self.end(partition).await?;
        self.folded(partition, end, || format!("partition {partition} up to {end}")).await?;
        Ok(end)
    }

    /// Waits until a partition is committed up to all that is in the log now.
    pub(super) async fn committed_to_the_end(&self, partition: Partition) -> Result<(), Problem> {
        let end = self.end(partition).await?;
        let late = || Problem::later("projections_unavailable", "the projections do not keep up: try again");
        timeout(self.limits.wait, self.stored_up_to(partition, end)).await.unwrap_or_else(|_| Err(late()))
    }

    async fn stored_up_to(&self, partition: Partition, next: Offset) -> Result<(), Problem> {
        while self.store.head(partition).await?.map_or(Offset(0), |head| head.next) < next {
            sleep(AGAIN).await;
        }
        Ok(())
    }

    async fn end(&self, partition: Partition) -> Result<Offset, Problem> {
        // While the log is away nobody waits for it.
        self.accepts(partition)?;
        let late = || Problem::later("log_unavailable", "the log does not answer: try again");
        Ok(timeout(self.limits.wait, self.log.end(partition)).await.map_err(|_| late())??)
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
            self.stored_up_to(partition, next).await
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
