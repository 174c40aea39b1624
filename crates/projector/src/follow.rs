//! One partition, folded as records come.

use std::sync::Arc;
use std::time::Duration;

use eventlog::EventLog;
use ledger::Instant;
use store::Store;
use store::rows::Counts;
use tokio::sync::{mpsc, watch};
use tokio::time::Instant as Moment;

use crate::asking::Question;
use crate::copying::Copying;
use crate::error::ProjectorError;
use crate::projector::Projector;

/// How often is looked whether the time of a record has come that was recorded ahead of this machine's clock.
const AHEAD: Duration = Duration::from_millis(100);

/// How often a projector that has nothing to do looks whether the store still has what it committed.
const LOOK: Duration = Duration::from_secs(5);

/// After so many records in one step there are probably more. After fewer, what a log costs to ask whether it has more is better spent
/// on waiting for them, which is as soon when they are there.
const MUCH: usize = 512;

/// How often is looked at most whether another partition lacks something of the catalogue, unless there is more of it: one that stands
/// still is asked for again and again.
const COPY: Duration = Duration::from_millis(10);

/// What it takes to follow a partition.
pub(crate) struct Following<L, S> {
    pub(crate) projector: Projector<L, S>,
    /// Of partition 0: its catalogue is copied to the others.
    pub(crate) copying: Option<Copying>,
    pub(crate) log: Arc<L>,
    pub(crate) store: Arc<S>,
    /// What others ask.
    pub(crate) asked: mpsc::Receiver<Question>,
}

/// Folds what comes until told to stop; then all that was folded is committed. Answers what became of the records, also when
/// something else ended it.
pub(crate) async fn follow<L: EventLog, S: Store>(
    mut following: Following<L, S>,
    now: impl Fn() -> Instant,
    mut stop: watch::Receiver<bool>,
) -> (Counts, Result<(), ProjectorError>) {
    let before = following.projector.counts();
    let done = following.until(now, &mut stop).await;
    (following.projector.counts().since(before), done)
}

impl<L: EventLog, S: Store> Following<L, S> {
    async fn until(
        &mut self,
        now: impl Fn() -> Instant,
        stop: &mut watch::Receiver<bool>,
    ) -> Result<(), ProjectorError> {
        self.projector.load_beside();
        let (mut waits, mut looked) = (None, Moment::now());
        let mut copied: Option<(usize, Moment)> = None;
        // Whoever may tell is there as long as this runs; if not, this is to end too.
        while !*stop.borrow() && stop.has_changed().is_ok() {
            while let Ok(question) = self.asked.try_recv() {
                self.projector.answer(question);
            }
            let step = self.projector.step(now()).await?;
            if step.ahead != waits {
                waits = step.ahead;
                if let Some(until) = waits {
                    let partition = self.projector.partition();
                    tracing::warn!(%partition, %until, "a record was recorded ahead of the clock: its partition waits");
                }
            }
            if step.folded > 0 {
                tracing::debug!(records = step.folded, "folded");
            }
            if step.folded >= MUCH {
                continue;
            }
            if looked.elapsed() >= LOOK {
                self.projector.look().await?;
                looked = Moment::now();
            }
            let published = self.projector.published().len();
            if let Some(copying) = &mut self.copying
                && copied.is_none_or(|(count, at)| count < published || at.elapsed() >= COPY)
            {
                copied = Some((published, Moment::now()));
                copying.copy(&*self.log, &*self.store, self.projector.published()).await?;
            }
            let (log, partition, next) = (&self.log, self.projector.partition(), self.projector.next());
            let comes = async {
                if waits.is_some() {
                    tokio::time::sleep(AHEAD).await;
                } else {
                    log.wait(partition, next).await;
                }
            };
            tokio::pin!(comes);
            loop {
                tokio::select! {
                    biased;
                    _ = stop.changed() => break,
                    progressed = self.projector.progressed() => progressed?,
                    Some(question) = self.asked.recv() => self.projector.answer(question),
                    () = &mut comes => break,
                }
            }
        }
        self.projector.committed().await
    }
}
