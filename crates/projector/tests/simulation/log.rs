//! The log as one process sees it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use eventlog::{Appending, EventLog, LogError, Stretch};
use ledger::{Offset, Partition, Position};
use tokio::time::Instant as Moment;

use crate::world::{Life, World};

pub(crate) struct SimLog {
    pub(crate) world: Arc<World>,
    pub(crate) life: Arc<Life>,
}

impl SimLog {
    fn silent() -> LogError {
        LogError::Silent { waited: Duration::from_millis(20) }
    }

    /// Writes records at the end of their partitions, and into the reference.
    pub(crate) fn write(world: &World, records: &[Appending]) -> Vec<Position> {
        let mut state = world.state();
        let state = &mut *state;
        let write = |Appending { partition, bytes }: &Appending| {
            let there = &mut state.records[partition.0 as usize];
            there.push(bytes.clone());
            state.reference.fold(*partition, bytes);
            Position { partition: *partition, offset: Offset(there.len() as u64 - 1) }
        };
        records.iter().map(write).collect()
    }

    /// Some of the records of each partition, those first that were given first, as a broker may have taken them.
    fn some(&self, records: &[Appending]) -> Vec<Appending> {
        let mut state = self.world.state();
        let mut takes: BTreeMap<Partition, bool> = BTreeMap::new();
        let mut some = Vec::new();
        for record in records {
            let takes = takes.entry(record.partition).or_insert(true);
            *takes &= !state.chance.is(400);
            if *takes {
                some.push(record.clone());
            }
        }
        some
    }

    /// An append of which nobody hears what became.
    fn lose(&self, records: Vec<Appending>) -> LogError {
        let (life, world) = (&self.life.name, &self.world);
        match world.throw(4) {
            0 => world.happens("append of unknown fate, not done", life),
            1 => {
                Self::write(world, &records);
                world.happens("append of unknown fate, done", life);
            }
            2 => {
                let some = self.some(&records);
                Self::write(world, &some);
                world.happens(
                    "append of unknown fate, some of it done",
                    format!("{life}, {} of {}", some.len(), records.len()),
                );
            }
            _ => {
                world.happens("append of unknown fate, done later", life);
                let (world, ms) = (world.clone(), world.throw(900));
                tokio::spawn(async move {
                    tokio::time::sleep(Duration::from_millis(ms)).await;
                    Self::write(&world, &records);
                });
            }
        }
        LogError::Unknown(Arc::new(std::io::Error::other("the connection was lost")))
    }

    /// Whether nothing can be read for the time being.
    fn is_dark(&self) -> bool {
        let mut state = self.world.state();
        if state.may_fail && state.chance.is(4) {
            let ms = state.chance.between(20, 800);
            state.dark_until = Moment::now() + Duration::from_millis(ms);
            drop(state);
            self.world.happens("nothing can be read", format!("for {ms} ms"));
            return true;
        }
        state.may_fail && Moment::now() < state.dark_until
    }
}

impl EventLog for SimLog {
    fn partitions(&self) -> u32 {
        self.world.partitions
    }

    async fn append(&self, records: Vec<Appending>) -> Result<Vec<Position>, LogError> {
        self.life.lives().await;
        self.world.delay().await;
        self.life.lives().await;
        if self.world.fails(30) {
            self.world.happens("append refused", &self.life.name);
            return Err(LogError::Shed);
        }
        if self.world.fails(80) {
            let lost = self.lose(records);
            self.world.delay().await;
            self.life.lives().await;
            return Err(lost);
        }
        let mut positions = Vec::new();
        if self.world.fails(300) {
            // As a broker does: others' records come between.
            for record in &records {
                positions.extend(Self::write(&self.world, std::slice::from_ref(record)));
                tokio::task::yield_now().await;
            }
        } else {
            positions = Self::write(&self.world, &records);
        }
        self.world.delay().await;
        self.life.lives().await;
        Ok(positions)
    }

    async fn read(&self, partition: Partition, from: Offset, limit: usize) -> Result<Stretch, LogError> {
        self.life.lives().await;
        self.world.delay().await;
        if self.life.damaged() == Some(partition) {
            self.world.happens("read of a damaged record", &self.life.name);
            return Err(LogError::Corrupt { partition, at: from });
        }
        if self.is_dark() {
            return Err(Self::silent());
        }
        let stretch = {
            let mut state = self.world.state();
            let state = &mut *state;
            let records = &state.records[partition.0 as usize];
            let end = Offset(records.len() as u64);
            if from > end {
                return Err(LogError::BeyondEnd { partition, from, end });
            }
            let rest = &records[usize::try_from(from.0).expect("it is below the end")..];
            let mut most = rest.len().min(limit);
            if most > 1 && state.chance.is(400) {
                most = 1 + state.chance.place(most);
                *state.happened.entry("short read").or_default() += 1;
            }
            let mut stretch = Stretch::new(from);
            rest[..most].iter().for_each(|record| stretch.push(record));
            stretch
        };
        self.life.lives().await;
        Ok(stretch)
    }

    async fn end(&self, partition: Partition) -> Result<Offset, LogError> {
        self.life.lives().await;
        self.world.delay().await;
        if self.is_dark() {
            return Err(Self::silent());
        }
        let end = Offset(self.world.state().records[partition.0 as usize].len() as u64);
        self.life.lives().await;
        Ok(end)
    }

    async fn wait(&self, partition: Partition, from: Offset) {
        self.life.lives().await;
        for _ in 0..self.world.throw(8) {
            if self.world.state().records[partition.0 as usize].len() as u64 > from.0 {
                return;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        self.world.delay().await;
        self.life.lives().await;
    }
}
