//! Partitions spread over several stores.

use ledger::{Offset, Partition};

use crate::rows::{
    Batch, CounterRow, EntryRow, GrantRow, Head, IdRow, LeftRow, LotRow, Opening, QuarantineRow, RecordRow,
    WalletRow,
};
use crate::{
    CounterKey, EntryFilter, Fleet, IdProbe, LeftProbe, Store, StoreError, UsageFilter, WalletFilter,
};

/// Several stores, each with a stretch of a log's partitions: nothing spans partitions, so nothing spans stores.
#[derive(Debug)]
pub struct Spread<S> {
    /// Each with how many partitions of the log are in it and in those before it.
    stores: Vec<(u32, S)>,
}

impl<S> Spread<S> {
    /// All partitions in one store.
    pub fn one(store: S) -> Self {
        Self { stores: vec![(u32::MAX, store)] }
    }

    /// The stores in the order of their partitions, each with how many it has; together as many as the log.
    pub fn new(stores: impl IntoIterator<Item = (u32, S)>) -> Self {
        let mut end = 0;
        let reach = |(count, store)| {
            end += count;
            (end, store)
        };
        Self { stores: stores.into_iter().map(reach).collect() }
    }

    /// The stores, in the order of their partitions.
    pub fn into_stores(self) -> impl Iterator<Item = S> {
        self.stores.into_iter().map(|(_, store)| store)
    }

    fn stores(&self) -> impl Iterator<Item = &S> {
        self.stores.iter().map(|(_, store)| store)
    }

    fn at(&self, partition: Partition) -> Option<usize> {
        self.stores.iter().position(|(end, _)| partition.0 < *end)
    }

    pub(crate) fn of(&self, partition: Partition) -> Result<&S, StoreError> {
        let at = self.at(partition).ok_or(StoreError::NoStore { partition })?;
        Ok(&self.stores[at].1)
    }

    /// A wallet's number tells its partition, once it is known how many there are.
    fn partition_of(&self, wallet: i64) -> Partition {
        let partitions = i64::from(self.stores.last().map_or(1, |(end, _)| *end));
        Partition(u32::try_from(wallet.rem_euclid(partitions)).expect("below the number of partitions"))
    }

    fn of_wallet(&self, wallet: i64) -> Result<&S, StoreError> {
        match self.stores.as_slice() {
            [(_, only)] => Ok(only),
            _ => self.of(self.partition_of(wallet)),
        }
    }
}

/// A node lives while one store says so; each lease is in one of them.
fn join(fleet: &mut Fleet, other: Fleet) {
    fleet.nodes.extend(other.nodes);
    fleet.nodes.sort();
    fleet.nodes.dedup();
    fleet.leases.extend(other.leases);
    fleet.leases.sort_by_key(|lease| lease.partition.0);
}

impl<S: Store> Store for Spread<S> {
    async fn acquire(&self, partition: Partition, log: &str) -> Result<Head, StoreError> {
        self.of(partition)?.acquire(partition, log).await
    }

    async fn beat(&self, node: &str, ttl_ms: u32) -> Result<Fleet, StoreError> {
        let mut fleet = Fleet::default();
        for store in self.stores() {
            join(&mut fleet, store.beat(node, ttl_ms).await?);
        }
        Ok(fleet)
    }

    async fn fleet(&self) -> Result<Fleet, StoreError> {
        let mut fleet = Fleet::default();
        for store in self.stores() {
            join(&mut fleet, store.fleet().await?);
        }
        Ok(fleet)
    }

    async fn claim(
        &self,
        node: &str,
        partition: Partition,
        log: &str,
        ttl_ms: u32,
    ) -> Result<Option<Head>, StoreError> {
        self.of(partition)?.claim(node, partition, log, ttl_ms).await
    }

    async fn release(&self, node: &str, partition: Partition) -> Result<(), StoreError> {
        self.of(partition)?.release(node, partition).await
    }

    async fn leave(&self, node: &str) -> Result<(), StoreError> {
        for store in self.stores() {
            store.leave(node).await?;
        }
        Ok(())
    }

    async fn head(&self, partition: Partition) -> Result<Option<Head>, StoreError> {
        self.of(partition)?.head(partition).await
    }

    async fn commit(&self, batch: &Batch) -> Result<(), StoreError> {
        self.of(batch.partition)?.commit(batch).await
    }

    async fn wallets_by_id(
        &self,
        partition: Partition,
        ids: &[String],
    ) -> Result<Vec<WalletRow>, StoreError> {
        self.of(partition)?.wallets_by_id(partition, ids).await
    }

    async fn names(&self, partition: Partition, wallets: &[i64]) -> Result<Vec<(i64, String)>, StoreError> {
        self.of(partition)?.names(partition, wallets).await
    }

    async fn ids(&self, partition: Partition, probes: &[IdProbe]) -> Result<Vec<IdRow>, StoreError> {
        self.of(partition)?.ids(partition, probes).await
    }

    async fn segment(&self, partition: Partition, segment: u32) -> Result<Vec<IdRow>, StoreError> {
        self.of(partition)?.segment(partition, segment).await
    }

    async fn segments(&self, partition: Partition) -> Result<Vec<u32>, StoreError> {
        self.of(partition)?.segments(partition).await
    }

    async fn opening(&self, partition: Partition) -> Result<Option<Opening>, StoreError> {
        self.of(partition)?.opening(partition).await
    }

    async fn catalogue(&self, partition: Partition) -> Result<Option<String>, StoreError> {
        self.of(partition)?.catalogue(partition).await
    }

    async fn counters(&self, keys: &[CounterKey]) -> Result<Vec<CounterRow>, StoreError> {
        let mut found = Vec::new();
        for (at, store) in self.stores().enumerate() {
            let here: Vec<CounterKey> =
                keys.iter().filter(|key| self.at(self.partition_of(key.0)) == Some(at)).cloned().collect();
            if !here.is_empty() {
                found.extend(store.counters(&here).await?);
            }
        }
        Ok(found)
    }

    async fn left(&self, wallet: i64, probe: &LeftProbe) -> Result<Vec<LeftRow>, StoreError> {
        self.of_wallet(wallet)?.left(wallet, probe).await
    }

    async fn paid(&self, wallet: i64, month: &str) -> Result<Vec<EntryRow>, StoreError> {
        self.of_wallet(wallet)?.paid(wallet, month).await
    }

    async fn corrections(&self, partition: Partition, usage: Offset) -> Result<Vec<RecordRow>, StoreError> {
        self.of(partition)?.corrections(partition, usage).await
    }

    async fn corrected(&self, partition: Partition) -> Result<Vec<i64>, StoreError> {
        self.of(partition)?.corrected(partition).await
    }

    async fn unpriced(
        &self,
        partition: Partition,
        after: Option<Offset>,
        limit: u32,
    ) -> Result<Vec<RecordRow>, StoreError> {
        self.of(partition)?.unpriced(partition, after, limit).await
    }

    async fn due(
        &self,
        partition: Partition,
        until: i64,
        limit: u32,
    ) -> Result<Vec<(String, i64)>, StoreError> {
        self.of(partition)?.due(partition, until, limit).await
    }

    async fn wallet(&self, id: &str) -> Result<Option<(Partition, WalletRow)>, StoreError> {
        for store in self.stores() {
            if let Some(found) = store.wallet(id).await? {
                return Ok(Some(found));
            }
        }
        Ok(None)
    }

    async fn wallets(&self, filter: &WalletFilter) -> Result<Vec<WalletRow>, StoreError> {
        let mut found = Vec::new();
        for store in self.stores() {
            found.extend(store.wallets(filter).await?);
        }
        found.sort_by(|a, b| a.id.cmp(&b.id));
        found.truncate(filter.limit as usize);
        Ok(found)
    }

    async fn entries(&self, filter: &EntryFilter) -> Result<Vec<EntryRow>, StoreError> {
        self.of_wallet(filter.wallet)?.entries(filter).await
    }

    async fn grants(
        &self,
        wallet: i64,
        after: Option<Offset>,
        limit: u32,
    ) -> Result<Vec<GrantRow>, StoreError> {
        self.of_wallet(wallet)?.grants(wallet, after, limit).await
    }

    async fn lots(&self, wallet: i64) -> Result<Vec<LotRow>, StoreError> {
        self.of_wallet(wallet)?.lots(wallet).await
    }

    async fn usage(&self, filter: &UsageFilter) -> Result<Vec<RecordRow>, StoreError> {
        self.of_wallet(filter.wallet)?.usage(filter).await
    }

    async fn offsets(
        &self,
        wallet: i64,
        after: Option<Offset>,
        limit: u32,
    ) -> Result<Vec<Offset>, StoreError> {
        self.of_wallet(wallet)?.offsets(wallet, after, limit).await
    }

    async fn record(&self, partition: Partition, offset: Offset) -> Result<Option<RecordRow>, StoreError> {
        self.of(partition)?.record(partition, offset).await
    }

    async fn entries_between(
        &self,
        partition: Partition,
        from: Offset,
        to: Offset,
    ) -> Result<Vec<EntryRow>, StoreError> {
        self.of(partition)?.entries_between(partition, from, to).await
    }

    async fn records_between(
        &self,
        partition: Partition,
        from: Offset,
        to: Offset,
    ) -> Result<Vec<RecordRow>, StoreError> {
        self.of(partition)?.records_between(partition, from, to).await
    }

    async fn quarantined(&self, partition: Partition) -> Result<Vec<QuarantineRow>, StoreError> {
        self.of(partition)?.quarantined(partition).await
    }

    async fn all_wallets(
        &self,
        partition: Partition,
        after: Option<i64>,
        limit: u32,
    ) -> Result<Vec<WalletRow>, StoreError> {
        self.of(partition)?.all_wallets(partition, after, limit).await
    }

    async fn all_lots(
        &self,
        partition: Partition,
        after: Option<(i64, String)>,
        limit: u32,
    ) -> Result<Vec<LotRow>, StoreError> {
        self.of(partition)?.all_lots(partition, after, limit).await
    }

    async fn all_grants(
        &self,
        partition: Partition,
        after: Option<(i64, Offset)>,
        limit: u32,
    ) -> Result<Vec<GrantRow>, StoreError> {
        self.of(partition)?.all_grants(partition, after, limit).await
    }

    async fn all_left(
        &self,
        partition: Partition,
        after: Option<(i64, u8, String)>,
        limit: u32,
    ) -> Result<Vec<LeftRow>, StoreError> {
        self.of(partition)?.all_left(partition, after, limit).await
    }

    async fn all_counters(
        &self,
        partition: Partition,
        after: Option<CounterKey>,
        limit: u32,
    ) -> Result<Vec<CounterRow>, StoreError> {
        self.of(partition)?.all_counters(partition, after, limit).await
    }
}
