//! The store as one process sees it.

use std::sync::Arc;
use std::time::Duration;

use ledger::{Offset, Partition};
use mutants::{Mutant, is_on};
use store::rows::{
    Batch, CounterRow, EntryRow, GrantRow, Head, IdRow, LeftRow, LotRow, Opening, QuarantineRow, RecordRow,
    WalletRow,
};
use store::{
    CounterKey, EntryFilter, Fleet, IdProbe, LeftProbe, Store, StoreError, UsageFilter, WalletFilter,
};

use crate::queries::{beyond, limited};
use crate::tables::{Now, Part, Tables};
use crate::world::{Life, World};

pub(crate) struct SimStore {
    pub(crate) world: Arc<World>,
    pub(crate) life: Arc<Life>,
}

/// What is asked for by people alone.
const FOR_VIEWS: &str = "no node, scheduler or proof asks for it";

impl SimStore {
    fn database() -> StoreError {
        StoreError::Database(sqlx_error())
    }

    /// Reads what it is asked, or fails.
    async fn read<T>(&self, read: impl FnOnce(&Tables) -> T) -> Result<T, StoreError> {
        self.life.lives().await;
        self.world.delay().await;
        if self.world.fails(10) {
            self.world.happens("the store cannot be read", &self.life.name);
            return Err(Self::database());
        }
        let found = read(&self.world.state().tables);
        self.life.lives().await;
        Ok(found)
    }

    async fn of<T>(&self, partition: Partition, read: impl FnOnce(&Part) -> T) -> Result<T, StoreError> {
        self.read(|tables| read(tables.part(partition))).await
    }

    /// Changes who holds what, or fails: before it is done, or behind it.
    async fn change<T>(&self, change: impl FnOnce(&mut Tables, Now) -> T) -> Result<T, StoreError> {
        self.life.lives().await;
        self.world.delay().await;
        self.life.lives().await;
        if self.world.fails(20) {
            self.world.happens("lease not changed", &self.life.name);
            return Err(Self::database());
        }
        let now = self.world.store_clock();
        let changed = change(&mut self.world.state().tables, now);
        self.world.delay().await;
        self.life.lives().await;
        if self.world.fails(20) {
            self.world.happens("lease changed, but nobody is told", &self.life.name);
            return Err(StoreError::Unknown(sqlx_error()));
        }
        Ok(changed)
    }

    /// Commits a batch now. What is committed must be what the log says.
    fn write(world: &World, life: &Life, batch: &Batch) -> Result<(), StoreError> {
        let (committed, objection, epoch) = {
            let mut state = world.state();
            let epoch = state.tables.head(batch.partition).map_or(0, |head| head.epoch);
            let committed = state.tables.commit(batch);
            (committed, state.reference.objects(batch), epoch)
        };
        let what = format!(
            "{} {} to {} of {}, epoch {}",
            life.name, batch.from.0, batch.head.next.0, batch.partition, batch.epoch
        );
        match &committed {
            Ok(()) => {
                world.happens("commit", &what);
                if let Some(objection) = objection {
                    world.wrong(format!("commit of {what}: {objection}"));
                }
            }
            Err(_) if life.was_frozen() && epoch > batch.epoch => world.happens("zombie fenced", &what),
            Err(_) => world.happens("commit fenced", &what),
        }
        committed
    }
}

/// A failure that a database may have.
fn sqlx_error() -> sqlx::Error {
    sqlx::Error::PoolTimedOut
}

impl Store for SimStore {
    async fn acquire(&self, partition: Partition, log: &str) -> Result<Head, StoreError> {
        self.change(|tables, now| tables.acquire(partition, log, now)).await
    }

    async fn beat(&self, node: &str, ttl_ms: u32) -> Result<Fleet, StoreError> {
        self.change(|tables, now| tables.beat(node, now.ms, ttl_ms)).await
    }

    async fn fleet(&self) -> Result<Fleet, StoreError> {
        let now = self.world.ms();
        self.read(|tables| tables.fleet(now)).await
    }

    async fn claim(
        &self,
        node: &str,
        partition: Partition,
        log: &str,
        ttl_ms: u32,
    ) -> Result<Option<Head>, StoreError> {
        let claim = |tables: &mut Tables, now| {
            let was_taken = tables.head(partition).is_some();
            (was_taken, tables.claim(node, partition, log, now, ttl_ms))
        };
        let (was_taken, head) = self.change(claim).await?;
        if let Some(head) = &head {
            self.world.happens("claim", format!("{node} has {partition}, epoch {}", head.epoch));
            if was_taken {
                self.world.happens("handover", format!("of {partition} to {node}"));
            }
        }
        Ok(head)
    }

    async fn release(&self, node: &str, partition: Partition) -> Result<(), StoreError> {
        self.world.happens("release", format!("{node} gives {partition} back"));
        self.change(|tables, _| tables.release(node, partition)).await
    }

    async fn leave(&self, node: &str) -> Result<(), StoreError> {
        self.change(|tables, _| tables.leave(node)).await
    }

    async fn head(&self, partition: Partition) -> Result<Option<Head>, StoreError> {
        self.of(partition, |part| part.head.clone()).await
    }

    async fn commit(&self, batch: &Batch) -> Result<(), StoreError> {
        self.life.lives().await;
        let own_clock = self.world.ms().saturating_add_signed(self.life.wrong_by_ms());
        let holds = self.world.state().tables.holds(&self.life.name, batch.partition, own_clock);
        if is_on(Mutant::LeaseByLocalClock) && !holds {
            return Err(StoreError::Fenced { partition: batch.partition, from: batch.from });
        }
        self.world.delay().await;
        self.life.lives().await;
        if !self.world.fails(120) {
            let committed = Self::write(&self.world, &self.life, batch);
            self.world.delay().await;
            self.life.lives().await;
            return committed;
        }
        let life = &self.life.name;
        let error = match self.world.throw(4) {
            0 => {
                self.world.happens("commit fails", life);
                return Err(Self::database());
            }
            1 => {
                self.world.happens("commit of unknown fate, not done", life);
                StoreError::Unknown(sqlx_error())
            }
            2 => {
                Self::write(&self.world, &self.life, batch)?;
                self.world.happens("commit of unknown fate, done", life);
                StoreError::Unknown(sqlx_error())
            }
            _ => {
                self.world.happens("commit of unknown fate, done later", life);
                let (world, life, batch) = (self.world.clone(), self.life.clone(), batch.clone());
                tokio::spawn(async move {
                    tokio::time::sleep(Duration::from_millis(world.throw(300))).await;
                    // Whoever asked for it is told nothing.
                    let _ = Self::write(&world, &life, &batch);
                });
                StoreError::Unknown(sqlx_error())
            }
        };
        self.world.delay().await;
        self.life.lives().await;
        Err(error)
    }

    async fn wallets_by_id(
        &self,
        partition: Partition,
        ids: &[String],
    ) -> Result<Vec<WalletRow>, StoreError> {
        self.of(partition, |part| {
            part.wallets.values().filter(|row| ids.contains(&row.id)).cloned().collect()
        })
        .await
    }

    async fn names(&self, partition: Partition, wallets: &[i64]) -> Result<Vec<(i64, String)>, StoreError> {
        let named = |row: &&WalletRow| wallets.contains(&row.no);
        self.of(partition, |part| {
            part.wallets.values().filter(named).map(|row| (row.no, row.id.clone())).collect()
        })
        .await
    }

    async fn ids(&self, partition: Partition, probes: &[IdProbe]) -> Result<Vec<IdRow>, StoreError> {
        let is_probed = |row: &&IdRow| probes.contains(&(row.segment, row.key));
        self.of(partition, |part| part.ids.iter().filter(is_probed).cloned().collect()).await
    }

    async fn segment(&self, partition: Partition, segment: u32) -> Result<Vec<IdRow>, StoreError> {
        let is_of = |row: &&IdRow| row.segment == segment;
        self.of(partition, |part| part.ids.iter().filter(is_of).cloned().collect()).await
    }

    async fn segments(&self, _: Partition) -> Result<Vec<u32>, StoreError> {
        unreachable!("{FOR_VIEWS}")
    }

    async fn opening(&self, partition: Partition) -> Result<Option<Opening>, StoreError> {
        self.of(partition, Part::opening).await
    }

    async fn catalogue(&self, partition: Partition) -> Result<Option<String>, StoreError> {
        self.of(partition, |part| part.catalogue.clone()).await
    }

    async fn counters(&self, keys: &[CounterKey]) -> Result<Vec<CounterRow>, StoreError> {
        self.read(|tables| {
            keys.iter().filter_map(|key| tables.part_of(key.0).counters.get(key).cloned()).collect()
        })
        .await
    }

    async fn left(&self, wallet: i64, probe: &LeftProbe) -> Result<Vec<LeftRow>, StoreError> {
        self.read(|tables| tables.part_of(wallet).left(wallet, probe)).await
    }

    async fn paid(&self, wallet: i64, month: &str) -> Result<Vec<EntryRow>, StoreError> {
        self.read(|tables| tables.part_of(wallet).paid(wallet, month)).await
    }

    async fn corrections(&self, partition: Partition, usage: Offset) -> Result<Vec<RecordRow>, StoreError> {
        self.of(partition, |part| part.corrections(usage)).await
    }

    async fn corrected(&self, partition: Partition) -> Result<Vec<i64>, StoreError> {
        self.of(partition, Part::corrected).await
    }

    async fn unpriced(
        &self,
        partition: Partition,
        after: Option<Offset>,
        limit: u32,
    ) -> Result<Vec<RecordRow>, StoreError> {
        self.of(partition, |part| part.unpriced(after, limit)).await
    }

    async fn due(
        &self,
        partition: Partition,
        until: i64,
        limit: u32,
    ) -> Result<Vec<(String, i64)>, StoreError> {
        self.of(partition, |part| part.due(until, limit)).await
    }

    async fn wallet(&self, _: &str) -> Result<Option<(Partition, WalletRow)>, StoreError> {
        unreachable!("{FOR_VIEWS}")
    }

    async fn wallets(&self, _: &WalletFilter) -> Result<Vec<WalletRow>, StoreError> {
        unreachable!("{FOR_VIEWS}")
    }

    async fn entries(&self, _: &EntryFilter) -> Result<Vec<EntryRow>, StoreError> {
        unreachable!("{FOR_VIEWS}")
    }

    async fn grants(&self, _: i64, _: Option<Offset>, _: u32) -> Result<Vec<GrantRow>, StoreError> {
        unreachable!("{FOR_VIEWS}")
    }

    async fn lots(&self, _: i64) -> Result<Vec<LotRow>, StoreError> {
        unreachable!("{FOR_VIEWS}")
    }

    async fn usage(&self, _: &UsageFilter) -> Result<Vec<RecordRow>, StoreError> {
        unreachable!("{FOR_VIEWS}")
    }

    async fn offsets(&self, _: i64, _: Option<Offset>, _: u32) -> Result<Vec<Offset>, StoreError> {
        unreachable!("{FOR_VIEWS}")
    }

    async fn record(&self, partition: Partition, offset: Offset) -> Result<Option<RecordRow>, StoreError> {
        self.of(partition, |part| part.records.get(&offset).cloned()).await
    }

    async fn entries_between(
        &self,
        partition: Partition,
        from: Offset,
        to: Offset,
    ) -> Result<Vec<EntryRow>, StoreError> {
        self.of(partition, |part| {
            part.entries.range((from, 0)..(to, 0)).map(|(_, row)| row.clone()).collect()
        })
        .await
    }

    async fn records_between(
        &self,
        partition: Partition,
        from: Offset,
        to: Offset,
    ) -> Result<Vec<RecordRow>, StoreError> {
        self.of(partition, |part| part.records.range(from..to).map(|(_, row)| row.clone()).collect()).await
    }

    async fn quarantined(&self, partition: Partition) -> Result<Vec<QuarantineRow>, StoreError> {
        self.of(partition, |part| part.quarantined.clone()).await
    }

    async fn all_wallets(
        &self,
        partition: Partition,
        after: Option<i64>,
        limit: u32,
    ) -> Result<Vec<WalletRow>, StoreError> {
        let from = after.map_or(0, |after| after + 1);
        if from > 0 {
            self.world.happens("wallets read beside the folding, or to compare", &self.life.name);
        }
        self.of(partition, |part| limited(part.wallets.range(from..).map(|(_, row)| row.clone()), limit))
            .await
    }

    async fn all_lots(
        &self,
        partition: Partition,
        after: Option<(i64, String)>,
        limit: u32,
    ) -> Result<Vec<LotRow>, StoreError> {
        self.of(partition, |part| limited(beyond(&part.lots, after.as_ref()), limit)).await
    }

    async fn all_grants(
        &self,
        partition: Partition,
        after: Option<(i64, Offset)>,
        limit: u32,
    ) -> Result<Vec<GrantRow>, StoreError> {
        let is_after = |row: &&GrantRow| after.is_none_or(|after| (row.wallet, row.offset) > after);
        self.of(partition, |part| limited(part.grants.values().filter(is_after).cloned(), limit)).await
    }

    async fn all_left(
        &self,
        partition: Partition,
        after: Option<(i64, u8, String)>,
        limit: u32,
    ) -> Result<Vec<LeftRow>, StoreError> {
        self.of(partition, |part| limited(beyond(&part.left, after.as_ref()), limit)).await
    }

    async fn all_counters(
        &self,
        partition: Partition,
        after: Option<CounterKey>,
        limit: u32,
    ) -> Result<Vec<CounterRow>, StoreError> {
        self.of(partition, |part| limited(beyond(&part.counters, after.as_ref()), limit)).await
    }
}
