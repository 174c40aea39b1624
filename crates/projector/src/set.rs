//! All partitions of one process: folded side by side, with the catalogue copied from partition 0 to the others.

use std::num::NonZero;
use std::sync::Arc;

use eventlog::{Appending, EventLog};
use ledger::{Event, Instant, Offset, Partition};
use store::Store;
use store::rows::Counts;
use tokio::sync::Semaphore;

use crate::error::ProjectorError;
use crate::projector::{Projector, Step};

/// The projectors of every partition of a log.
pub struct Projectors<L, S> {
    log: Arc<L>,
    projectors: Vec<Projector<L, S>>,
    /// How many accepted catalogue records were copied to each partition, as far as is known.
    copied: Vec<usize>,
    /// Where each partition ended when it was taken over: copies made before lie below.
    ends: Vec<Offset>,
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

impl<L: EventLog, S: Store> Projectors<L, S> {
    /// Takes every partition over.
    ///
    /// # Errors
    ///
    /// As [`Projector::open`].
    pub async fn open(log: Arc<L>, store: Arc<S>) -> Result<Self, ProjectorError> {
        let id = log_id(&*log).await?;
        let (mut projectors, mut ends) = (Vec::new(), Vec::new());
        let processors = std::thread::available_parallelism().map_or(1, NonZero::get);
        let turns = Arc::new(Semaphore::new(processors.saturating_sub(1).max(1)));
        for partition in (0..log.partitions()).map(Partition) {
            ends.push(log.end(partition).await?);
            let projector = Projector::open(log.clone(), store.clone(), partition, &id).await?;
            projectors.push(projector.taking_turns(turns.clone()));
        }
        let copied = projectors.iter().map(|p| p.published().len()).collect();
        Ok(Self { log, projectors, copied, ends })
    }

    /// One step of every partition, side by side, and what is new in the catalogue copied on.
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
        match failed {
            Some(error) => Err(error),
            None => {
                round.copied = self.copy_catalogue().await?;
                Ok(round)
            }
        }
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
                self.committed().await?;
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
        self.projectors.iter().map(Projector::counts).fold(Counts::default(), |a, b| Counts {
            applied: a.applied + b.applied,
            duplicate: a.duplicate + b.duplicate,
            conflict: a.conflict + b.conflict,
            rejected: a.rejected + b.rejected,
            quarantined: a.quarantined + b.quarantined,
            timers: a.timers + b.timers,
            unpriced: a.unpriced + b.unpriced,
        })
    }

    /// Each partition's projector.
    pub fn each(&self) -> &[Projector<L, S>] {
        &self.projectors
    }

    /// Copies the accepted bytes of partition 0's catalogue records to the others, in order: to each once it has folded what was
    /// there when it was taken over, so that nothing is copied twice.
    async fn copy_catalogue(&mut self) -> Result<usize, ProjectorError> {
        let published = self.projectors[0].published().to_vec();
        let mut copied = 0;
        for at in 1..self.projectors.len() {
            if self.projectors[at].next() < self.ends[at] {
                continue;
            }
            let done = self.copied[at].max(self.projectors[at].published().len());
            let mut records = Vec::new();
            for offset in published.iter().skip(done) {
                let record = self.log.read(Partition(0), *offset, 1).await?;
                let partition = self.projectors[at].partition();
                records.push(Appending { partition, bytes: record.get(0).to_vec() });
            }
            if !records.is_empty() {
                copied += records.len();
                self.log.append(records).await?;
                self.copied[at] = published.len();
            }
        }
        Ok(copied)
    }
}
