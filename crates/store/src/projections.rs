//! Either store, for who decides at run time.

use ledger::{Offset, Partition};

use crate::rows::{
    Batch, CounterRow, EntryRow, GrantRow, Head, IdRow, LeftRow, LotRow, Opening, QuarantineRow, RecordRow,
    WalletRow,
};
use crate::{
    CounterKey, EntryFilter, Fleet, IdProbe, LeftProbe, PostgresStore, Spread, SqliteStore, Store,
    StoreError, UsageFilter, WalletFilter,
};

/// The projections of a deployment, wherever they are.
#[derive(Debug)]
pub enum Projections {
    /// In a file.
    Sqlite(SqliteStore),
    /// In a schema of a database, or of several.
    Postgres(Spread<PostgresStore>),
}

impl Projections {
    /// Waits for what is running, then closes the file or all connections.
    ///
    /// # Errors
    ///
    /// Whatever the database fails with.
    pub async fn close(self) -> Result<(), StoreError> {
        match self {
            Self::Sqlite(store) => store.close().await,
            Self::Postgres(spread) => {
                for store in spread.into_stores() {
                    store.close().await?;
                }
                Ok(())
            }
        }
    }
}

impl From<SqliteStore> for Projections {
    fn from(store: SqliteStore) -> Self {
        Self::Sqlite(store)
    }
}

impl From<PostgresStore> for Projections {
    fn from(store: PostgresStore) -> Self {
        Self::Postgres(Spread::one(store))
    }
}

impl Store for Projections {
    async fn acquire(&self, partition: Partition, log: &str) -> Result<Head, StoreError> {
        match self {
            Self::Sqlite(store) => store.acquire(partition, log).await,
            Self::Postgres(store) => store.acquire(partition, log).await,
        }
    }

    async fn beat(&self, node: &str, ttl_ms: u32) -> Result<Fleet, StoreError> {
        match self {
            Self::Sqlite(store) => store.beat(node, ttl_ms).await,
            Self::Postgres(store) => store.beat(node, ttl_ms).await,
        }
    }

    async fn fleet(&self) -> Result<Fleet, StoreError> {
        match self {
            Self::Sqlite(store) => store.fleet().await,
            Self::Postgres(store) => store.fleet().await,
        }
    }

    async fn claim(
        &self,
        node: &str,
        partition: Partition,
        log: &str,
        ttl_ms: u32,
    ) -> Result<Option<Head>, StoreError> {
        match self {
            Self::Sqlite(store) => store.claim(node, partition, log, ttl_ms).await,
            Self::Postgres(store) => store.claim(node, partition, log, ttl_ms).await,
        }
    }

    async fn release(&self, node: &str, partition: Partition) -> Result<(), StoreError> {
        match self {
            Self::Sqlite(store) => store.release(node, partition).await,
            Self::Postgres(store) => store.release(node, partition).await,
        }
    }

    async fn leave(&self, node: &str) -> Result<(), StoreError> {
        match self {
            Self::Sqlite(store) => store.leave(node).await,
            Self::Postgres(store) => store.leave(node).await,
        }
    }

    async fn head(&self, partition: Partition) -> Result<Option<Head>, StoreError> {
        match self {
            Self::Sqlite(store) => store.head(partition).await,
            Self::Postgres(store) => store.head(partition).await,
        }
    }

    async fn commit(&self, batch: &Batch) -> Result<(), StoreError> {
        match self {
            Self::Sqlite(store) => store.commit(batch).await,
            Self::Postgres(store) => store.commit(batch).await,
        }
    }

    async fn wallets_by_id(
        &self,
        partition: Partition,
        ids: &[String],
    ) -> Result<Vec<WalletRow>, StoreError> {
        match self {
            Self::Sqlite(store) => store.wallets_by_id(partition, ids).await,
            Self::Postgres(store) => store.wallets_by_id(partition, ids).await,
        }
    }

    async fn names(&self, partition: Partition, wallets: &[i64]) -> Result<Vec<(i64, String)>, StoreError> {
        match self {
            Self::Sqlite(store) => store.names(partition, wallets).await,
            Self::Postgres(store) => store.names(partition, wallets).await,
        }
    }

    async fn ids(&self, partition: Partition, probes: &[IdProbe]) -> Result<Vec<IdRow>, StoreError> {
        match self {
            Self::Sqlite(store) => store.ids(partition, probes).await,
            Self::Postgres(store) => store.ids(partition, probes).await,
        }
    }

    async fn segment(&self, partition: Partition, segment: u32) -> Result<Vec<IdRow>, StoreError> {
        match self {
            Self::Sqlite(store) => store.segment(partition, segment).await,
            Self::Postgres(store) => store.segment(partition, segment).await,
        }
    }

    async fn segments(&self, partition: Partition) -> Result<Vec<u32>, StoreError> {
        match self {
            Self::Sqlite(store) => store.segments(partition).await,
            Self::Postgres(store) => store.segments(partition).await,
        }
    }

    async fn opening(&self, partition: Partition) -> Result<Option<Opening>, StoreError> {
        match self {
            Self::Sqlite(store) => store.opening(partition).await,
            Self::Postgres(store) => store.opening(partition).await,
        }
    }

    async fn catalogue(&self, partition: Partition) -> Result<Option<String>, StoreError> {
        match self {
            Self::Sqlite(store) => store.catalogue(partition).await,
            Self::Postgres(store) => store.catalogue(partition).await,
        }
    }

    async fn counters(&self, keys: &[CounterKey]) -> Result<Vec<CounterRow>, StoreError> {
        match self {
            Self::Sqlite(store) => store.counters(keys).await,
            Self::Postgres(store) => store.counters(keys).await,
        }
    }

    async fn left(&self, wallet: i64, probe: &LeftProbe) -> Result<Vec<LeftRow>, StoreError> {
        match self {
            Self::Sqlite(store) => store.left(wallet, probe).await,
            Self::Postgres(store) => store.left(wallet, probe).await,
        }
    }

    async fn paid(&self, wallet: i64, month: &str) -> Result<Vec<EntryRow>, StoreError> {
        match self {
            Self::Sqlite(store) => store.paid(wallet, month).await,
            Self::Postgres(store) => store.paid(wallet, month).await,
        }
    }

    async fn corrections(&self, partition: Partition, usage: Offset) -> Result<Vec<RecordRow>, StoreError> {
        match self {
            Self::Sqlite(store) => store.corrections(partition, usage).await,
            Self::Postgres(store) => store.corrections(partition, usage).await,
        }
    }

    async fn corrected(&self, partition: Partition) -> Result<Vec<i64>, StoreError> {
        match self {
            Self::Sqlite(store) => store.corrected(partition).await,
            Self::Postgres(store) => store.corrected(partition).await,
        }
    }

    async fn unpriced(
        &self,
        partition: Partition,
        after: Option<Offset>,
        limit: u32,
    ) -> Result<Vec<RecordRow>, StoreError> {
        match self {
            Self::Sqlite(store) => store.unpriced(partition, after, limit).await,
            Self::Postgres(store) => store.unpriced(partition, after, limit).await,
        }
    }

    async fn due(
        &self,
        partition: Partition,
        until: i64,
        limit: u32,
    ) -> Result<Vec<(String, i64)>, StoreError> {
        match self {
            Self::Sqlite(store) => store.due(partition, until, limit).await,
            Self::Postgres(store) => store.due(partition, until, limit).await,
        }
    }

    async fn wallet(&self, id: &str) -> Result<Option<(Partition, WalletRow)>, StoreError> {
        match self {
            Self::Sqlite(store) => store.wallet(id).await,
            Self::Postgres(store) => store.wallet(id).await,
        }
    }

    async fn wallets(&self, filter: &WalletFilter) -> Result<Vec<WalletRow>, StoreError> {
        match self {
            Self::Sqlite(store) => store.wallets(filter).await,
            Self::Postgres(store) => store.wallets(filter).await,
        }
    }

    async fn entries(&self, filter: &EntryFilter) -> Result<Vec<EntryRow>, StoreError> {
        match self {
            Self::Sqlite(store) => store.entries(filter).await,
            Self::Postgres(store) => store.entries(filter).await,
        }
    }

    async fn grants(
        &self,
        wallet: i64,
        after: Option<Offset>,
        limit: u32,
    ) -> Result<Vec<GrantRow>, StoreError> {
        match self {
            Self::Sqlite(store) => store.grants(wallet, after, limit).await,
            Self::Postgres(store) => store.grants(wallet, after, limit).await,
        }
    }

    async fn lots(&self, wallet: i64) -> Result<Vec<LotRow>, StoreError> {
        match self {
            Self::Sqlite(store) => store.lots(wallet).await,
            Self::Postgres(store) => store.lots(wallet).await,
        }
    }

    async fn usage(&self, filter: &UsageFilter) -> Result<Vec<RecordRow>, StoreError> {
        match self {
            Self::Sqlite(store) => store.usage(filter).await,
            Self::Postgres(store) => store.usage(filter).await,
        }
    }

    async fn offsets(
        &self,
        wallet: i64,
        after: Option<Offset>,
        limit: u32,
    ) -> Result<Vec<Offset>, StoreError> {
        match self {
            Self::Sqlite(store) => store.offsets(wallet, after, limit).await,
            Self::Postgres(store) => store.offsets(wallet, after, limit).await,
        }
    }

    async fn record(&self, partition: Partition, offset: Offset) -> Result<Option<RecordRow>, StoreError> {
        match self {
            Self::Sqlite(store) => store.record(partition, offset).await,
            Self::Postgres(store) => store.record(partition, offset).await,
        }
    }

    async fn entries_between(
        &self,
        partition: Partition,
        from: Offset,
        to: Offset,
    ) -> Result<Vec<EntryRow>, StoreError> {
        match self {
            Self::Sqlite(store) => store.entries_between(partition, from, to).await,
            Self::Postgres(store) => store.entries_between(partition, from, to).await,
        }
    }

    async fn records_between(
        &self,
        partition: Partition,
        from: Offset,
        to: Offset,
    ) -> Result<Vec<RecordRow>, StoreError> {
        match self {
            Self::Sqlite(store) => store.records_between(partition, from, to).await,
            Self::Postgres(store) => store.records_between(partition, from, to).await,
        }
    }

    async fn quarantined(&self, partition: Partition) -> Result<Vec<QuarantineRow>, StoreError> {
        match self {
            Self::Sqlite(store) => store.quarantined(partition).await,
            Self::Postgres(store) => store.quarantined(partition).await,
        }
    }

    async fn all_wallets(
        &self,
        partition: Partition,
        after: Option<i64>,
        limit: u32,
    ) -> Result<Vec<WalletRow>, StoreError> {
        match self {
            Self::Sqlite(store) => store.all_wallets(partition, after, limit).await,
            Self::Postgres(store) => store.all_wallets(partition, after, limit).await,
        }
    }

    async fn all_lots(
        &self,
        partition: Partition,
        after: Option<(i64, String)>,
        limit: u32,
    ) -> Result<Vec<LotRow>, StoreError> {
        match self {
            Self::Sqlite(store) => store.all_lots(partition, after, limit).await,
            Self::Postgres(store) => store.all_lots(partition, after, limit).await,
        }
    }

    async fn all_grants(
        &self,
        partition: Partition,
        after: Option<(i64, Offset)>,
        limit: u32,
    ) -> Result<Vec<GrantRow>, StoreError> {
        match self {
            Self::Sqlite(store) => store.all_grants(partition, after, limit).await,
            Self::Postgres(store) => store.all_grants(partition, after, limit).await,
        }
    }

    async fn all_left(
        &self,
        partition: Partition,
        after: Option<(i64, u8, String)>,
        limit: u32,
    ) -> Result<Vec<LeftRow>, StoreError> {
        match self {
            Self::Sqlite(store) => store.all_left(partition, after, limit).await,
            Self::Postgres(store) => store.all_left(partition, after, limit).await,
        }
    }

    async fn all_counters(
        &self,
        partition: Partition,
        after: Option<CounterKey>,
        limit: u32,
    ) -> Result<Vec<CounterRow>, StoreError> {
        match self {
            Self::Sqlite(store) => store.all_counters(partition, after, limit).await,
            Self::Postgres(store) => store.all_counters(partition, after, limit).await,
        }
    }
}
