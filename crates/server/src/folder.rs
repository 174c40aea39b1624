//! Whoever folds a directory: this process, or the one that holds the right to.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant as Stopwatch};

use anyhow::bail;
use eventlog::{EventLog, Log};
use ledger::{Catalogue, Offset, Partition, Position};
use projector::stored_catalogue;
use store::{Projections, Store, StoreError};

use crate::context::{Context, LockError};
use crate::progress::Progress;
use crate::projecting::Projecting;

/// How often the other process is looked at.
const LOOK: Duration = Duration::from_millis(10);
/// How often it is tried to take its place.
const ASK: Duration = Duration::from_millis(300);
/// After so long without any progress, the other process is no longer waited for.
const PATIENCE: Duration = Duration::from_secs(30);

/// Whoever folds: this process, where it could have the right to, else another whose projections it reads.
pub(crate) struct Folder {
    context: Context,
    log: Arc<Log>,
    here: Option<Projecting>,
    /// None until the other process has made them.
    elsewhere: Option<Projections>,
    /// When it was last tried to take the right to fold.
    asked: Option<Stopwatch>,
}

/// The offset that each partition is to reach.
type Ends = BTreeMap<Partition, Offset>;

impl Folder {
    /// Takes the right to fold if it is free, else watches whoever has it.
    pub(crate) async fn open(context: &Context, log: Arc<Log>) -> anyhow::Result<Self> {
        let mut folder = Self { context: context.clone(), log, here: None, elsewhere: None, asked: None };
        folder.take_over().await?;
        Ok(folder)
    }

    /// Returns when all that is in the log now is folded and committed.
    pub(crate) async fn fold_all(&mut self) -> anyhow::Result<()> {
        let mut ends = Ends::new();
        for partition in (0..self.log.partitions()).map(Partition) {
            ends.insert(partition, self.log.end(partition).await?);
        }
        self.fold(&ends).await
    }

    /// Returns when these records are folded and committed.
    pub(crate) async fn fold_these(&mut self, records: impl Iterator<Item = Position>) -> anyhow::Result<()> {
        let mut ends = Ends::new();
        for Position { partition, offset } in records {
            let end = ends.entry(partition).or_default();
            *end = offset.plus(1).max(*end);
        }
        self.fold(&ends).await
    }

    async fn fold(&mut self, ends: &Ends) -> anyhow::Result<()> {
        let mut missing = self.missing(ends).await?;
        let progress = Progress::new("records", Some(missing));
        let mut last_progress = Stopwatch::now();
        while missing > 0 {
            self.go_on().await?;
            let still = self.missing(ends).await?;
            if still < missing {
                progress.add(usize::try_from(missing - still).unwrap_or(usize::MAX));
                last_progress = Stopwatch::now();
            } else if last_progress.elapsed() > PATIENCE {
                bail!("{still} records are not folded yet: see what holds the other projector up");
            }
            missing = still;
        }
        Ok(())
    }

    /// Returns when every partition has all of partition 0's catalogue.
    pub(crate) async fn copy_catalogue(&mut self) -> anyhow::Result<()> {
        let count = self.catalogue(Partition(0)).await?.accepted().len();
        let began = Stopwatch::now();
        for partition in (1..self.log.partitions()).map(Partition) {
            while self.catalogue(partition).await?.accepted().len() < count {
                if began.elapsed() > PATIENCE {
                    bail!(
                        "partition {partition} has not all of it yet: see what holds the other projector up"
                    );
                }
                self.go_on().await?;
            }
        }
        Ok(())
    }

    /// Folds what there is, if that is for this process to do or has become so; else lets the other go on for a moment.
    async fn go_on(&mut self) -> anyhow::Result<()> {
        self.take_over().await?;
        let Some(projecting) = &mut self.here else {
            tokio::time::sleep(LOOK).await;
            return Ok(());
        };
        if let Some(until) = projecting.catch_up(&self.context).await? {
            bail!(
                "a record was recorded at {until}, ahead of this machine's clock: set the clock, or wait till then"
            );
        }
        Ok(())
    }

    async fn take_over(&mut self) -> anyhow::Result<()> {
        if self.here.is_some() || self.asked.is_some_and(|asked| asked.elapsed() < ASK) {
            return Ok(());
        }
        self.asked = Some(Stopwatch::now());
        let Some(lock) = free(self.context.lock_projector())? else { return Ok(()) };
        self.here = free(Projecting::open(&self.context, self.log.clone(), lock).await)?;
        if self.here.is_some() {
            self.elsewhere = None;
        }
        Ok(())
    }

    /// How many records lack.
    async fn missing(&mut self, ends: &Ends) -> anyhow::Result<u64> {
        let Some(store) = self.store().await? else { return Ok(ends.values().map(|end| end.0).sum()) };
        let mut missing = 0;
        for (partition, end) in ends {
            let next = store.head(*partition).await?.map_or(0, |head| head.next.0);
            missing += end.0.saturating_sub(next);
        }
        Ok(missing)
    }

    /// The catalogue as a partition has it.
    pub(crate) async fn catalogue(&mut self, partition: Partition) -> anyhow::Result<Catalogue> {
        let Some(store) = self.store().await? else { return Ok(Catalogue::default()) };
        let stored = store.catalogue(partition).await?;
        Ok(stored.as_deref().map(stored_catalogue).transpose()?.unwrap_or_default())
    }

    /// The projections; none while another process is still making them.
    pub(crate) async fn store(&mut self) -> anyhow::Result<Option<&Projections>> {
        if let Some(projecting) = &self.here {
            return Ok(Some(&projecting.store));
        }
        if self.elsewhere.is_none() {
            self.elsewhere = match self.context.open_store_read_only(self.log.partitions()).await {
                Err(error) if is_being_made(&error) => None,
                opened => opened?,
            };
        }
        Ok(self.elsewhere.as_ref())
    }

    /// Closes the files, and gives the right to fold back.
    pub(crate) async fn close(self) -> anyhow::Result<()> {
        match (self.here, self.elsewhere) {
            (Some(projecting), _) => projecting.close().await,
            (None, store) => {
                if let Some(store) = store {
                    store.close().await?;
                }
                Ok(self.log.close().await?)
            }
        }
    }
}

/// What was asked for, unless another process has the right to fold.
fn free<T>(asked: anyhow::Result<T>) -> anyhow::Result<Option<T>> {
    match asked {
        Err(error) if is_anothers(&error) => Ok(None),
        asked => asked.map(Some),
    }
}

fn is_anothers(error: &anyhow::Error) -> bool {
    matches!(error.downcast_ref(), Some(LockError::Held { .. } | LockError::Leased { .. }))
}

/// The other process has only just begun: its tables are not there yet.
fn is_being_made(error: &anyhow::Error) -> bool {
    matches!(error.downcast_ref(), Some(StoreError::Older { .. }))
}
