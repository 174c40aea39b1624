//! Projections: what the fold made of a log, in tables that the program reads back and that people can query.
//!
//! A projection can always be dropped and rebuilt from its log. What a stretch of records changed is written
//! as one [`Batch`]: all of it together with the partition's [`Head`], or nothing. A batch says where the
//! head must stand and under which epoch its writer acquired the partition, so a writer that lost the
//! partition is refused ([`StoreError::Fenced`]) and never merged with the one that has it.
//!
//! [`SqliteStore`] is one file beside the embedded log, [`PostgresStore`] a schema that any number of
//! processes share, each folding the partitions of which it holds the lease. [`Projections`] is either. This
//! crate books nothing and computes nothing: amounts pass through it as text.

mod codes;
mod error;
mod fence;
mod fleet;
pub mod postgres;
mod projections;
mod query;
pub mod rows;
mod spread;
pub mod sqlite;

use std::future::Future;

use ledger::{Offset, Partition};

pub use error::StoreError;
pub use fleet::{Fleet, Lease};
pub use postgres::{Bare, CostRow, Costs, PostgresStore};
pub use projections::Projections;
pub use query::{CounterKey, EntryFilter, IdProbe, LeftProbe, UsageFilter, WalletFilter};
pub use rows::{
    Batch, CounterRow, Counts, EntryKind, EntryRow, FilterRow, GrantRow, Head, IdRow, LeftRow, LotRow,
    NoSuchCode, Opening, OutcomeCode, QuarantineRow, RecordKind, RecordRow, WalletRow,
};
pub use spread::Spread;
pub use sqlite::SqliteStore;

/// A place for projections.
///
/// Every method fails with [`StoreError::Full`], [`StoreError::Corrupt`] or [`StoreError::Database`] when the
/// database does; what else can go wrong is said at the method.
pub trait Store: Send + Sync + 'static {
    /// Takes a partition, at any rate: from now on, only batches of the returned head's epoch are accepted,
    /// and nobody holds a lease of it.
    ///
    /// The first time, the head stands at offset 0 with everything else zero.
    ///
    /// # Errors
    ///
    /// [`StoreError::OtherLog`] if the partition was folded from another log.
    fn acquire(
        &self,
        partition: Partition,
        log: &str,
    ) -> impl Future<Output = Result<Head, StoreError>> + Send;

    /// Registers a node for `ttl_ms` from now, or renews that, together with all leases that it holds and
    /// nobody took since; says which nodes live and who holds which partition. All on the store's own clock.
    ///
    /// A lease is an agreement, not a fence: who commits is told by the epoch alone.
    fn beat(&self, node: &str, ttl_ms: u32) -> impl Future<Output = Result<Fleet, StoreError>> + Send;

    /// Which nodes live and who holds which partition, for whoever only looks.
    fn fleet(&self) -> impl Future<Output = Result<Fleet, StoreError>> + Send;

    /// Takes a partition for `ttl_ms` as [`Self::acquire`] does, if nobody holds it, the lease has run out, or `node` holds
    /// it itself; none if another's lease lives.
    ///
    /// # Errors
    ///
    /// [`StoreError::OtherLog`] if the partition was folded from another log.
    fn claim(
        &self,
        node: &str,
        partition: Partition,
        log: &str,
        ttl_ms: u32,
    ) -> impl Future<Output = Result<Option<Head>, StoreError>> + Send;

    /// Gives a partition back, if `node` holds it: it is free at once.
    fn release(
        &self,
        node: &str,
        partition: Partition,
    ) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// Takes a node out, with all its leases: what they were of is free at once.
    fn leave(&self, node: &str) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// Where a partition stands; none if it was never taken.
    fn head(&self, partition: Partition) -> impl Future<Output = Result<Option<Head>, StoreError>> + Send;

    /// Writes a batch, all or nothing.
    ///
    /// A commit may be lost when the power fails; the head then stands where it stood, and what followed is
    /// folded again.
    ///
    /// # Errors
    ///
    /// [`StoreError::Fenced`] if the head is not where the batch begins, if the partition was acquired again
    /// since, or if one of the records or entries is there already.
    fn commit(&self, batch: &Batch) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// Those of the named wallets that exist, in no particular order.
    fn wallets_by_id(
        &self,
        partition: Partition,
        ids: &[String],
    ) -> impl Future<Output = Result<Vec<WalletRow>, StoreError>> + Send;

    /// Number and id of those of the numbered wallets that exist, in no particular order. Neither ever changes.
    fn names(
        &self,
        partition: Partition,
        wallets: &[i64],
    ) -> impl Future<Output = Result<Vec<(i64, String)>, StoreError>> + Send;

    /// Those of the probed identities that exist, in no particular order. Meant for thousands at once.
    fn ids(
        &self,
        partition: Partition,
        probes: &[IdProbe],
    ) -> impl Future<Output = Result<Vec<IdRow>, StoreError>> + Send;

    /// All identities of a segment, by offset.
    fn segment(
        &self,
        partition: Partition,
        segment: u32,
    ) -> impl Future<Output = Result<Vec<IdRow>, StoreError>> + Send;

    /// The segments that have identities, in order.
    fn segments(&self, partition: Partition) -> impl Future<Output = Result<Vec<u32>, StoreError>> + Send;

    /// What whoever takes a partition over begins with, all of it as of one moment; none if nobody ever took it.
    fn opening(
        &self,
        partition: Partition,
    ) -> impl Future<Output = Result<Option<Opening>, StoreError>> + Send;

    /// The catalogue as a partition has it, JSON.
    fn catalogue(
        &self,
        partition: Partition,
    ) -> impl Future<Output = Result<Option<String>, StoreError>> + Send;

    /// Those of the named counters that exist, in no particular order.
    fn counters(
        &self,
        keys: &[CounterKey],
    ) -> impl Future<Output = Result<Vec<CounterRow>, StoreError>> + Send;

    /// What has left a wallet's document, by kind and key.
    fn left(
        &self,
        wallet: i64,
        probe: &LeftProbe,
    ) -> impl Future<Output = Result<Vec<LeftRow>, StoreError>> + Send;

    /// A wallet's entries that paid back, billed or forgave overage of a month, or undid that; by offset and line.
    fn paid(
        &self,
        wallet: i64,
        month: &str,
    ) -> impl Future<Output = Result<Vec<EntryRow>, StoreError>> + Send;

    /// The applied records that correct the usage at an offset, by offset.
    fn corrections(
        &self,
        partition: Partition,
        usage: Offset,
    ) -> impl Future<Output = Result<Vec<RecordRow>, StoreError>> + Send;

    /// The numbers of a partition's wallets of which a correction was applied or refused: their past is needed to fold them again, also
    /// to refuse for the same reason.
    fn corrected(&self, partition: Partition) -> impl Future<Output = Result<Vec<i64>, StoreError>> + Send;

    /// Applied usage without a price that no record has corrected, after an offset (none: from the first); by offset.
    fn unpriced(
        &self,
        partition: Partition,
        after: Option<Offset>,
        limit: u32,
    ) -> impl Future<Output = Result<Vec<RecordRow>, StoreError>> + Send;

    /// The ids of wallets that time alone changes at `until` or before, with when; soonest first.
    fn due(
        &self,
        partition: Partition,
        until: i64,
        limit: u32,
    ) -> impl Future<Output = Result<Vec<(String, i64)>, StoreError>> + Send;

    /// A wallet, with the partition its records are in.
    fn wallet(
        &self,
        id: &str,
    ) -> impl Future<Output = Result<Option<(Partition, WalletRow)>, StoreError>> + Send;

    /// Wallets of all partitions, by id.
    fn wallets(
        &self,
        filter: &WalletFilter,
    ) -> impl Future<Output = Result<Vec<WalletRow>, StoreError>> + Send;

    /// A wallet's entries, by offset and line.
    fn entries(&self, filter: &EntryFilter)
    -> impl Future<Output = Result<Vec<EntryRow>, StoreError>> + Send;

    /// A wallet's grants that come after an offset (none: from the first), by offset; of `limit` records at most, each with all
    /// of its grants.
    fn grants(
        &self,
        wallet: i64,
        after: Option<Offset>,
        limit: u32,
    ) -> impl Future<Output = Result<Vec<GrantRow>, StoreError>> + Send;

    /// A wallet's lots, by id.
    fn lots(&self, wallet: i64) -> impl Future<Output = Result<Vec<LotRow>, StoreError>> + Send;

    /// A wallet's usage, by offset.
    fn usage(&self, filter: &UsageFilter) -> impl Future<Output = Result<Vec<RecordRow>, StoreError>> + Send;

    /// The offsets of a wallet's records that come after an offset (none: from the first), in order.
    fn offsets(
        &self,
        wallet: i64,
        after: Option<Offset>,
        limit: u32,
    ) -> impl Future<Output = Result<Vec<Offset>, StoreError>> + Send;

    /// One record.
    fn record(
        &self,
        partition: Partition,
        offset: Offset,
    ) -> impl Future<Output = Result<Option<RecordRow>, StoreError>> + Send;

    /// The entries of the records from `from` up to, not including, `to`; by offset and line.
    fn entries_between(
        &self,
        partition: Partition,
        from: Offset,
        to: Offset,
    ) -> impl Future<Output = Result<Vec<EntryRow>, StoreError>> + Send;

    /// The records from `from` up to, not including, `to`; by offset.
    fn records_between(
        &self,
        partition: Partition,
        from: Offset,
        to: Offset,
    ) -> impl Future<Output = Result<Vec<RecordRow>, StoreError>> + Send;

    /// The records of a partition that could not be read, by offset.
    fn quarantined(
        &self,
        partition: Partition,
    ) -> impl Future<Output = Result<Vec<QuarantineRow>, StoreError>> + Send;

    /// A partition's wallets whose number is above `after` (none: from the first), by number.
    fn all_wallets(
        &self,
        partition: Partition,
        after: Option<i64>,
        limit: u32,
    ) -> impl Future<Output = Result<Vec<WalletRow>, StoreError>> + Send;

    /// A partition's lots that come after one (none: from the first), by wallet and id.
    fn all_lots(
        &self,
        partition: Partition,
        after: Option<(i64, String)>,
        limit: u32,
    ) -> impl Future<Output = Result<Vec<LotRow>, StoreError>> + Send;

    /// A partition's grants that come after one (none: from the first), by wallet and offset; of `limit` records at most.
    fn all_grants(
        &self,
        partition: Partition,
        after: Option<(i64, Offset)>,
        limit: u32,
    ) -> impl Future<Output = Result<Vec<GrantRow>, StoreError>> + Send;

    /// What has left the documents of a partition's wallets, after one (none: from the first), by wallet, kind and key.
    fn all_left(
        &self,
        partition: Partition,
        after: Option<(i64, u8, String)>,
        limit: u32,
    ) -> impl Future<Output = Result<Vec<LeftRow>, StoreError>> + Send;

    /// A partition's counters that come after one (none: from the first), by key.
    fn all_counters(
        &self,
        partition: Partition,
        after: Option<CounterKey>,
        limit: u32,
    ) -> impl Future<Output = Result<Vec<CounterRow>, StoreError>> + Send;
}
