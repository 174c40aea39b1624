//! The one projector of a directory, in this process.

use std::sync::Arc;
use std::time::Duration;

use anyhow::anyhow;
use eventlog::{EventLog, Log};
use ledger::Instant;
use projector::{ProjectorError, Projectors};
use store::Projections;
use store::rows::Counts;

use crate::context::{Context, ProjectorLock};
use crate::holding::Holding;
use crate::progress::Progress;
use crate::stop::Stop;

/// How long to wait for records when none came …
const IDLE: Duration = Duration::from_millis(20);
/// … and when a few came: so that those that follow share a commit.
const LIVE: Duration = Duration::from_millis(3);
/// A round that folded more than so many records is behind, and goes on at once.
const BEHIND: usize = 500;

/// The projectors of all partitions, with the right to fold.
pub(crate) struct Projecting {
    pub(crate) log: Arc<Log>,
    pub(crate) store: Arc<Projections>,
    projectors: Projectors<Log, Projections>,
    /// What the partitions had counted when they were taken over.
    before: Counts,
    lock: ProjectorLock,
    /// Of a database.
    holding: Option<Holding>,
}

impl Projecting {
    /// Takes all partitions over, with a lock that was taken before.
    ///
    /// # Errors
    ///
    /// [`LockError::Leased`](crate::context::LockError::Leased) if a node has one of a database's.
    pub(crate) async fn open(context: &Context, log: Arc<Log>, lock: ProjectorLock) -> anyhow::Result<Self> {
        let store = context.open_store(log.partitions()).await?;
        let (projectors, holding) = match &*store {
            Projections::Sqlite(_) => (Projectors::open(log.clone(), store.clone()).await?, None),
            Projections::Postgres(_) => {
                let id = projector::log_id(&*log).await?;
                let (holding, heads) = Holding::all(&*log, &store, &id, context.fresh_id()).await?;
                (Projectors::at(log.clone(), store.clone(), heads).await?, Some(holding))
            }
        };
        let before = projectors.counts();
        Ok(Self { log, store, projectors, before, lock, holding })
    }

    /// Folds and commits all that is in the log. Answers until when the next record waits, if one was recorded ahead of
    /// this machine's clock.
    pub(crate) async fn catch_up(&mut self, context: &Context) -> anyhow::Result<Option<Instant>> {
        let mut waiting = 0;
        for projector in self.projectors.each() {
            waiting += self.log.end(projector.partition()).await?.0.saturating_sub(projector.next().0);
        }
        let progress = Progress::new("records", Some(waiting));
        let caught_up = self.projectors.catch_up(|| context.now(), |folded| progress.add(folded)).await;
        Ok(self.or_commit_rest(caught_up).await?.ahead)
    }

    /// Folds what comes until told to stop.
    pub(crate) async fn follow(&mut self, context: &Context, stop: &mut Stop) -> anyhow::Result<()> {
        let mut waits = None;
        while !stop.is_set() {
            let round = self.projectors.round(context.now()).await;
            let round = self.or_commit_rest(round).await?;
            if round.ahead != waits {
                waits = round.ahead;
                if let Some(until) = waits {
                    tracing::warn!(%until, "a record was recorded ahead of this machine's clock: its partition waits");
                }
            }
            match round.folded {
                0 if round.copied == 0 => stop.sleep(IDLE).await,
                0..=BEHIND => stop.sleep(LIVE).await,
                _ => {}
            }
            if round.folded > 0 {
                tracing::debug!(records = round.folded, "folded");
            }
        }
        Ok(self.projectors.committed().await?)
    }

    /// A partition that stops keeps nothing from the others: what they have folded is committed.
    async fn or_commit_rest<T>(&mut self, done: Result<T, ProjectorError>) -> Result<T, ProjectorError> {
        if done.is_err() {
            // What stopped the first is told; what is not committed is folded again.
            let _ = self.projectors.committed().await;
        }
        done
    }

    /// What became of the records that were folded since this was opened.
    pub(crate) fn counts(&self) -> Counts {
        self.projectors.counts().since(self.before)
    }

    /// The projectors, one for each partition.
    pub(crate) fn projectors(&self) -> &Projectors<Log, Projections> {
        &self.projectors
    }

    /// Gives the right to fold back, with nothing folded; the log stays open.
    pub(crate) async fn release(self) -> anyhow::Result<()> {
        drop(self.projectors);
        match self.holding {
            Some(holding) => holding.give_back().await,
            None => Ok(()),
        }
    }

    /// Commits, closes the files, and gives the right to fold back.
    pub(crate) async fn close(mut self) -> anyhow::Result<()> {
        self.projectors.committed().await?;
        drop(self.projectors);
        if let Some(holding) = self.holding {
            holding.give_back().await?;
        }
        let store =
            Arc::into_inner(self.store).ok_or_else(|| anyhow!("the projections are still being read"))?;
        store.close().await?;
        self.log.close().await?;
        drop(self.lock);
        Ok(())
    }
}
