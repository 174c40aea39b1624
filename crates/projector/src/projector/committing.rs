//! What was folded, on its way to the store; and wallets on their way from there.

use eventlog::EventLog;
use ledger::Offset;
use mutants::{Mutant, is_on};
use store::{Store, StoreError};
use tokio::time::Instant as Moment;

use super::{BATCH, Projector};
use crate::commit::UnderWay;
use crate::error::ProjectorError;
use crate::rows;
use crate::stored::write_catalogue;

/// A commit of fewer records than this has a [`Pace`](crate::commit::Pace), so that records which come one by one share commits.
const FEW: usize = 2_000;

impl<L: EventLog, S: Store> Projector<L, S> {
    /// How many folded records await their commit.
    pub(super) fn waiting(&self) -> usize {
        let waiting = self.pending.as_ref().map_or(0, |batch| self.folding.head.next.0 - batch.from.0);
        usize::try_from(waiting).expect("they are in memory")
    }

    /// Waits until all that was folded is committed.
    ///
    /// # Errors
    ///
    /// [`StoreError::Fenced`](store::StoreError::Fenced) if another projector has the partition now, and whatever else the store says.
    pub async fn committed(&mut self) -> Result<(), ProjectorError> {
        self.landed().await?;
        self.begin_commit();
        self.landed().await
    }

    /// Returns when a commit that was under way has come to an end, what waited for its commit is on its way, or wallets came that
    /// are read beside the folding; never, when there is nothing of these.
    pub(crate) async fn progressed(&mut self) -> Result<(), ProjectorError> {
        let Self { under_way, pending, pace, loading, .. } = self;
        let commit = async {
            match under_way {
                Some(commit) => Some(commit.end().await),
                None if pending.is_some() => {
                    tokio::time::sleep_until(pace.next()).await;
                    None
                }
                None => std::future::pending().await,
            }
        };
        let page = async {
            match loading {
                Some(loading) => loading.page().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            biased;
            ended = commit => if let Some(ended) = ended {
                let commit = self.under_way.take();
                ended?;
                commit.iter().for_each(|commit| self.has_landed(commit));
            },
            page = page => {
                self.loading = page?.take_in(&mut self.folding, &self.store)?;
                return Ok(());
            }
        }
        self.commit_next().await
    }

    /// Commits what was folded, once nothing else is under way and it is time: it waits for that only when much has been folded.
    pub(super) async fn commit_next(&mut self) -> Result<(), ProjectorError> {
        let waiting = self.waiting();
        if self.under_way.as_ref().is_some_and(UnderWay::has_ended) {
            self.landed().await?;
        }
        let is_busy = self.under_way.is_some();
        let is_early = waiting < FEW && Moment::now() < self.pace.next();
        if (is_busy || is_early) && waiting < BATCH {
            return Ok(());
        }
        self.landed().await?;
        self.begin_commit();
        Ok(())
    }

    /// Waits for the commit that is under way.
    async fn landed(&mut self) -> Result<(), ProjectorError> {
        if let Some(mut commit) = self.under_way.take() {
            commit.end().await?;
            self.has_landed(&commit);
        }
        Ok(())
    }

    fn has_landed(&mut self, commit: &UnderWay) {
        self.pace.ended(commit);
        self.folding.identities.stored_before(commit.growing);
        self.desk.reached().send_modify(|reached| reached.committed = commit.until);
    }

    /// Looks whether the store still has what was committed, when nothing is on its way there: it may have been restored from a
    /// dump, and without records to commit nothing else would tell.
    ///
    /// # Errors
    ///
    /// As [`Projector::committed`].
    pub(crate) async fn look(&self) -> Result<(), ProjectorError> {
        if self.pending.is_some() || self.under_way.is_some() || is_on(Mutant::StoreNotLookedAt) {
            return Ok(());
        }
        self.confirm(self.folding.head.next).await
    }

    /// Refuses to go on unless the partition is still this projector's, and committed up to `from` or on its way there.
    pub(super) async fn confirm(&self, from: Offset) -> Result<(), ProjectorError> {
        let head = self.store.head(self.partition).await?;
        let is_ours = head.is_some_and(|head| {
            let is_there = head.next == from || (head.next < from && self.under_way.is_some());
            is_there && head.epoch == self.folding.head.epoch
        });
        let fenced = StoreError::Fenced { partition: self.partition, from };
        if is_ours || is_on(Mutant::HeadNotConfirmed) { Ok(()) } else { Err(fenced.into()) }
    }

    fn begin_commit(&mut self) {
        let Some(mut batch) = self.pending.take() else { return };
        rows::finish(&mut batch, &mut self.folding);
        if self.folding.published.last().is_some_and(|at| *at >= batch.from) {
            batch.catalogue = Some(write_catalogue(&self.folding.catalogue, &self.folding.published));
        }
        self.pace.begin();
        self.under_way = Some(UnderWay::new(self.store.clone(), batch, self.folding.identities.growing()));
    }
}
