//! All partitions of one process: folded side by side, with the catalogue copied from partition 0 to the others.

use std::num::NonZero;
use std::sync::Arc;

use eventlog::EventLog;
use ledger::{Event, Instant, Offset, Partition};
use store::Store;
use store::rows::{Counts, Head};
use tokio::sync::Semaphore;

use crate::copying::Copying;
use crate::error::ProjectorError;
use crate::loading::Room;
use crate::projector::{Projector, Step};

/// The projectors of every partition of a log.
pub struct Projectors<L, S> {
    log: Arc<L>,
    store: Arc<S>,
    projectors: Vec<Projector<L, S>>,
    copying: Copying,
}

/// What a round, or several, did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Round {
    /// How many records were folded.
    pub folded: usize,
    /// How many catalogue records were copied on.
    pub copied: usize,
    /// The time at which a record was recorded that waits, because it has not come yet.
    pub ahead: Option<Instant>,
}

/// The id of a log, from its first record.
///
/// # Errors
///
/// If partition 0 does not begin with a genesis record.
pub async fn log_id<L: EventLog>(log: &L) -> Result<String, ProjectorError> {
    let first = log.read(Partition(0), Offset(0), 1).await?;
    let bytes = if first.is_empty() { &[] } else { first.get(0) };
    let no_genesis =
        |found: String| ProjectorError::Genesis { partition: Partition(0), log: "?".into(), found };
    let record = ledger::decode(bytes).map_err(|e| no_genesis(e.to_string()))?;
    if let Event::Genesis(genesis) = &record.event {
        return Ok(genesis.log.clone());
    }
    Err(no_genesis(format!("a {} record", record.event.word())))
}

/// Whose turn it is to fold, of the partitions of one process: one processor is left to the commits.
pub(crate) fn turns() -> Arc<Semaphore> {
    let processors = std::thread::available_parallelism().map_or(1, NonZero::get);
    Arc::new(Semaphore::new(processors.saturating_sub(1).max(1)))
}

impl<L: EventLog, S: Store> Projectors<L, S> {
    /// Takes every partition over.
    ///
    /// # Errors
    ///
    /// As [`Projector::open`].
    pub async fn open(log: Arc<L>, store: Arc<S>) -> Result<Self, ProjectorError> {
        let id = log_id(&*log).await?;
        let mut heads = Vec::new();
        for partition in (0..log.partitions()).map(Partition) {
            heads.push(store.acquire(partition, &id).await?);
        }
        Self::at(log, store, heads).await
    }

    /// Goes on from where every partition stands, once all were taken over.
    ///
    /// # Errors
    ///
    /// As [`Projector::open`].
    pub async fn at(log: Arc<L>, store: Arc<S>, heads: Vec<Head>) -> Result<Self, ProjectorError> {
        let turns = turns();
        let copying = Copying::new(&*log).await?;
        let mut projectors = Vec::new();
        for head in heads {
            let projector = Projector::at(log.clone(), store.clone(), head, Room::default()).await?;
            projectors.push(projector.taking_turns(turns.clone()));
        }
        Ok(Self { log, store, projectors, copying })
    }

    /// One step of every partition, side by side; once none had anything to fold, what is new in the catalogue is copied on.
    ///
    /// # Errors
    ///
    /// Whatever stops a partition. All are to be opened again then.
    pub async fn round(&mut self, now: Instant) -> Result<Round, ProjectorError> {
        let mut tasks = Vec::new();
        for mut projector in self.projectors.drain(..) {
            tasks.push(tokio::spawn(async move {
                let step = projector.step(now).await;
                (projector, step)
            }));
        }
        let mut round = Round::default();
        let mut failed = None;
        for task in tasks {
            let (projector, step) = task.await.expect("a projector does not panic");
            self.projectors.push(projector);
            match step {
                Ok(Step { folded, ahead }) => {
                    round.folded += folded;
                    round.ahead = round.ahead.or(ahead);
                }
                Err(error) => failed = failed.or(Some(error)),
            }
        }
        if let Some(error) = failed {
            return Err(error);
        }
        if round.folded == 0 {
            self.committed().await?;
            let published = self.projectors[0].published();
            round.copied = self.copying.copy(&*self.log, &*self.store, published).await?;
        }
        Ok(round)
    }

    /// Rounds until everything that is in the log is folded and committed. `progress` hears how many records were.
    ///
    /// # Errors
    ///
    /// As [`Projectors::round`].
    pub async fn catch_up(
        &mut self,
        now: impl Fn() -> Instant,
        mut progress: impl FnMut(usize),
    ) -> Result<Round, ProjectorError> {
        let mut all = Round::default();
        loop {
            let round = self.round(now()).await?;
            all.folded += round.folded;
            all.copied += round.copied;
            all.ahead = round.ahead;
            progress(round.folded);
            if round.folded == 0 && round.copied == 0 {
                return Ok(all);
            }
        }
    }

    /// Waits until all that was folded is committed.
    ///
    /// # Errors
    ///
    /// As [`Projector::committed`].
    pub async fn committed(&mut self) -> Result<(), ProjectorError> {
        for projector in &mut self.projectors {
            projector.committed().await?;
        }
        Ok(())
    }

    /// What became of the records of all partitions since the beginning.
    pub fn counts(&self) -> Counts {
        self.projectors.iter().map(Projector::counts).fold(Counts::default(), Counts::plus)
    }

    /// Each partition's projector.
    pub fn each(&self) -> &[Projector<L, S>] {
        &self.projectors
    }
}
