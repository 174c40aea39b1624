//! A node: one of those that share a log's partitions out among them, by leases in the store, and fold each its own.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use eventlog::EventLog;
use ledger::{Instant, Partition};
use mutants::{Mutant, is_on};
use store::rows::{Counts, Head};
use store::{Fleet, Store, StoreError};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinHandle;

use crate::asking::{Asking, Desk, Reached};
use crate::copying::Copying;
use crate::error::ProjectorError;
use crate::follow::{Following, follow};
use crate::loading::Room;
use crate::projector::Projector;
use crate::set::{log_id, turns};

/// How often in the life of a lease it is renewed.
const BEATS: u32 = 5;
/// How long after another's lease has run out it is surely found to have.
const SURELY: Duration = Duration::from_millis(10);

/// What happens to a node when one of its partitions halts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Halting {
    /// All of it ends, with what halted the partition, also when another projector took it: for a node that is alone.
    Everything,
    /// That partition stands still, and is kept from other nodes of the same build; the others go on.
    ThatPartition,
}

/// One of the nodes that share the partitions of a log out among them: as evenly as can be, and no more is moved than must be.
///
/// A lease decides who folds a partition, never who may commit: that is the fence's business. So a node that was frozen past its
/// leases does no harm, and no node asks a clock of its own.
pub struct Node<L, S> {
    log: Arc<L>,
    store: Arc<S>,
    log_id: String,
    name: String,
    /// How long a lease lives without a beat.
    lease: Duration,
    halting: Halting,
    turns: Arc<Semaphore>,
    room: Room,
    running: BTreeMap<Partition, Running>,
    /// Partitions that halted here.
    halted: BTreeSet<Partition>,
    owned: watch::Sender<Vec<Partition>>,
    /// When the first lease of another runs out, unless it is renewed.
    runs_out: Option<Duration>,
    /// Where each partition tells how far it has come, and what became of records.
    asking: Asking,
    /// What became of the records that were folded here, in partitions that are no longer.
    counts: Counts,
}

/// A partition that is folded here.
struct Running {
    epoch: i64,
    stop: watch::Sender<bool>,
    task: JoinHandle<(Counts, Result<(), ProjectorError>)>,
}

impl<L: EventLog, S: Store> Node<L, S> {
    /// A node of this name, which no other has. Without a beat, its leases end after `lease`.
    ///
    /// # Errors
    ///
    /// If the log does not begin with a genesis record, or cannot be read.
    pub async fn new(
        log: Arc<L>,
        store: Arc<S>,
        name: String,
        lease: Duration,
        halting: Halting,
    ) -> Result<Self, ProjectorError> {
        let log_id = log_id(&*log).await?;
        let asking = Asking::new(log.partitions());
        Ok(Self {
            log,
            store,
            log_id,
            name,
            lease,
            halting,
            turns: turns(),
            room: Room::default(),
            running: BTreeMap::new(),
            halted: BTreeSet::new(),
            owned: watch::Sender::new(Vec::new()),
            runs_out: None,
            asking,
            counts: Counts::default(),
        })
    }

    /// Folds in so many of its partitions at one time; left unsaid, in one fewer than there are processors.
    #[must_use]
    pub fn folding_at_once(mut self, partitions: usize) -> Self {
        self.turns = Arc::new(Semaphore::new(partitions.max(1)));
        self
    }

    /// Keeps so many wallets of each of its partitions in memory.
    #[must_use]
    pub fn with_room(mut self, room: Room) -> Self {
        self.room = room;
        self
    }

    /// The partitions that this node folds, as they come and go.
    pub fn owned(&self) -> watch::Receiver<Vec<Partition>> {
        self.owned.subscribe()
    }

    /// How far a partition has come, while it is folded here.
    ///
    /// # Panics
    ///
    /// If the log has no such partition.
    pub fn reached(&self, partition: Partition) -> watch::Receiver<Reached> {
        self.asking.reached(partition)
    }

    /// Where the rest of the process asks what becomes of records, and how wallets stand.
    pub fn asking(&self) -> Asking {
        self.asking.clone()
    }

    /// Takes its share of the partitions and folds what comes, until told to stop; then everything is committed and given back.
    /// Answers what became of the records.
    ///
    /// # Errors
    ///
    /// What halts a partition, if that is to end the node.
    pub async fn run<N>(mut self, now: N, mut stop: watch::Receiver<bool>) -> Result<Counts, ProjectorError>
    where
        N: Fn() -> Instant + Clone + Send + Sync + 'static,
    {
        let mut ended = Ok(());
        while ended.is_ok() && !*stop.borrow() {
            ended = self.beat(&now).await;
            if ended.is_ok() {
                let pause = self.runs_out.take().map_or(Duration::MAX, |rest| rest + SURELY);
                // Whoever could tell is gone when this fails, and the next beat sees it.
                let _ =
                    tokio::time::timeout(pause.min(self.lease / BEATS), stop.wait_for(|stop| *stop)).await;
            }
        }
        for partition in self.running.keys().copied().collect::<Vec<_>>() {
            let stopped = self.stop(partition).await;
            ended = ended.and(stopped);
        }
        if let Err(error) = self.store.leave(&self.name).await {
            tracing::warn!(%error, "the leases could not be given back: they run out");
        }
        ended.map(|()| self.counts)
    }

    /// Renews its leases, and takes or gives back what makes its share.
    async fn beat<N>(&mut self, now: &N) -> Result<(), ProjectorError>
    where
        N: Fn() -> Instant + Clone + Send + Sync + 'static,
    {
        for partition in self.running.keys().copied().collect::<Vec<_>>() {
            if self.running[&partition].task.is_finished() {
                self.stop(partition).await?;
            }
        }
        let life = u32::try_from(self.lease.as_millis()).unwrap_or(u32::MAX);
        let done = match self.store.beat(&self.name, life).await {
            Ok(fleet) => self.share(&fleet, life, now).await,
            Err(error) => Err(error.into()),
        };
        self.owned.send_if_modified(|owned| {
            let before = std::mem::replace(owned, self.running.keys().copied().collect());
            before != *owned
        });
        match done {
            Err(error) if !error.halts() => {
                tracing::warn!(error = %chain(&error), "the partitions cannot be shared out now: tried again");
                Ok(())
            }
            done => done,
        }
    }

    async fn share<N>(&mut self, fleet: &Fleet, life: u32, now: &N) -> Result<(), ProjectorError>
    where
        N: Fn() -> Instant + Clone + Send + Sync + 'static,
    {
        let is_mine = |partition: &Partition, epoch: Option<i64>| {
            let lease = fleet.leases.iter().find(|lease| lease.partition == *partition);
            lease.is_some_and(|lease| {
                lease.owner == self.name
                    && lease.lives_ms > 0
                    && epoch.is_none_or(|epoch| epoch == lease.epoch)
            })
        };
        let lost: Vec<Partition> = (self.running.iter())
            .filter(|(partition, running)| !is_mine(partition, Some(running.epoch)))
            .map(|(partition, _)| *partition)
            .collect();
        self.halted.retain(|partition| is_mine(partition, None));
        for partition in lost {
            let from = self.asking.reached(partition).borrow().committed;
            self.stop(partition).await?;
            self.ended(partition, Err(StoreError::Fenced { partition, from }.into()))?;
        }

        let share = share_of(&self.name, &fleet.nodes, self.log.partitions() as usize);
        while self.running.len() + self.halted.len() > share
            && let Some(partition) = self.running.keys().next_back().copied()
        {
            self.stop(partition).await?;
            self.store.release(&self.name, partition).await?;
            tracing::info!(%partition, "given back: another node has too few");
        }
        for partition in (0..self.log.partitions()).map(Partition) {
            if self.running.len() + self.halted.len() >= share {
                break;
            }
            let lives = |lease: &&store::Lease| lease.partition == partition && lease.lives_ms > 0;
            let is_anothers = fleet.leases.iter().find(lives).is_some_and(|lease| lease.owner != self.name);
            if is_anothers || self.running.contains_key(&partition) || self.halted.contains(&partition) {
                continue;
            }
            if let Some(head) = self.store.claim(&self.name, partition, &self.log_id, life).await? {
                self.start(head, now.clone());
            }
        }
        let others = fleet.leases.iter().filter(|lease| lease.owner != self.name && lease.lives_ms > 0);
        self.runs_out = others.map(|lease| Duration::from_millis(lease.lives_ms)).min();
        self.give_back_what_is_idle(fleet).await
    }

    /// Gives back what it holds and does not fold: it was fenced there or failed, and has its share of others by now. Its beats would
    /// keep such a lease alive for ever.
    async fn give_back_what_is_idle(&self, fleet: &Fleet) -> Result<(), ProjectorError> {
        for lease in fleet.leases.iter().filter(|lease| lease.owner == self.name) {
            let partition = lease.partition;
            let is_idle = !self.running.contains_key(&partition) && !self.halted.contains(&partition);
            if is_idle && !is_on(Mutant::IdleLeaseKept) {
                self.store.release(&self.name, partition).await?;
                tracing::info!(%partition, "given back: it is not folded here");
            }
        }
        Ok(())
    }

    /// Folds a partition from where it stands. To open it may take longer than a lease lives, so the beats do not wait for that.
    fn start<N>(&mut self, head: Head, now: N)
    where
        N: Fn() -> Instant + Send + Sync + 'static,
    {
        let (partition, epoch) = (head.partition, head.epoch);
        tracing::info!(%partition, epoch, offset = %head.next, "taken over");
        let (stop, mut stopped) = watch::channel(false);
        let (turns, desk) = (self.turns.clone(), self.asking.desk(partition).clone());
        let opening = open((self.log.clone(), self.store.clone()), (head, self.room), turns, desk);
        let task = tokio::spawn(async move {
            let opened = tokio::select! {
                biased;
                _ = stopped.wait_for(|stop| *stop) => return (Counts::default(), Ok(())),
                opened = opening => opened,
            };
            match opened {
                Ok(following) => follow(following, now, stopped).await,
                Err(error) => (Counts::default(), Err(error)),
            }
        });
        self.running.insert(partition, Running { epoch, stop, task });
    }

    /// Ends the folding of a partition: what was folded is committed, unless it is another node's by now.
    async fn stop(&mut self, partition: Partition) -> Result<(), ProjectorError> {
        let Some(running) = self.running.remove(&partition) else { return Ok(()) };
        // It may have ended by itself.
        let _ = running.stop.send(true);
        let (counts, ended) = running.task.await.expect("a projector does not panic");
        self.counts = self.counts.plus(counts);
        self.ended(partition, ended)
    }

    /// What is to be done about how the folding of a partition ended.
    fn ended(
        &mut self,
        partition: Partition,
        ended: Result<(), ProjectorError>,
    ) -> Result<(), ProjectorError> {
        let Err(error) = ended else { return Ok(()) };
        let is_fenced = matches!(error, ProjectorError::Store(StoreError::Fenced { .. }));
        if (is_fenced || error.halts()) && self.halting == Halting::Everything {
            return Err(error);
        }
        if is_fenced {
            tracing::info!(%partition, error = %chain(&error), "the partition is let go of");
            return Ok(());
        }
        if error.halts() {
            tracing::error!(%partition, error = %chain(&error), "the partition stands still until this is mended and the node restarted");
            self.halted.insert(partition);
            return Ok(());
        }
        tracing::warn!(%partition, error = %chain(&error), "the partition is taken over again");
        Ok(())
    }
}

/// What it takes to fold a partition from where it stands.
async fn open<L: EventLog, S: Store>(
    (log, store): (Arc<L>, Arc<S>),
    (head, room): (Head, Room),
    turns: Arc<Semaphore>,
    desk: Arc<Desk>,
) -> Result<Following<L, S>, ProjectorError> {
    let copying = if head.partition == Partition(0) { Some(Copying::new(&*log).await?) } else { None };
    let projector = Projector::at(log.clone(), store.clone(), head, room).await?;
    let projector = projector.taking_turns(turns).answering_at(desk.clone());
    Ok(Following { projector, copying, log, store, asked: desk.open() })
}

/// An error with its causes, in one line.
fn chain(error: &ProjectorError) -> String {
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(because) = cause {
        text.push_str(": ");
        text.push_str(&because.to_string());
        cause = because.source();
    }
    text
}

/// How many of the partitions are this node's share: the first nodes by name take those that are left over.
fn share_of(name: &str, nodes: &[String], partitions: usize) -> usize {
    let Some(rank) = nodes.iter().position(|node| node == name) else { return 0 };
    partitions / nodes.len() + usize::from(rank < partitions % nodes.len())
}

#[cfg(test)]
mod tests {
    use super::share_of;

    #[test]
    fn shares_make_the_whole_and_differ_by_one_at_most() {
        for count in 1..9usize {
            let nodes: Vec<String> = (0..count).map(|n| format!("n{n}")).collect();
            for partitions in 0..20 {
                let shares: Vec<usize> = nodes.iter().map(|n| share_of(n, &nodes, partitions)).collect();
                assert_eq!(shares.iter().sum::<usize>(), partitions);
                assert!(shares.iter().max().unwrap_or(&0) - shares.iter().min().unwrap_or(&0) <= 1);
            }
        }
        assert_eq!(share_of("unknown", &["a".to_owned()], 4), 0);
    }
}
