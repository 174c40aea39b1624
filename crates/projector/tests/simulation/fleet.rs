//! Processes that come, go, freeze and die: each a node with its scheduler.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use ledger::{Instant, Partition};
use projector::{Halting, Node, ProjectorError, Room, stored_catalogue};
use scheduler::{InFlight, Looked, OVERDUE};
use store::rows::Counts;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::log::SimLog;
use crate::store::SimStore;
use crate::world::{Life, Mode, World};

/// How long a lease lives without a beat.
const LEASE: Duration = Duration::from_millis(800);

/// A process.
pub(crate) struct Process {
    pub(crate) life: Arc<Life>,
    stop: watch::Sender<bool>,
    stop_scheduling: watch::Sender<bool>,
    task: JoinHandle<Result<Counts, ProjectorError>>,
}

impl Process {
    /// Starts a process. It may have to wait until it can read the log.
    pub(crate) fn start(world: &Arc<World>, number: usize) -> Self {
        let name = format!("node-{number}");
        let life = Life::new(name.clone());
        world.happens("start", &name);
        let (stop, stopped) = watch::channel(false);
        let (stop_scheduling, scheduling_stopped) = watch::channel(false);
        let running = run(world.clone(), life.clone(), stopped, scheduling_stopped);
        Self { life, stop, stop_scheduling, task: tokio::spawn(running) }
    }

    pub(crate) fn runs(&self) -> bool {
        self.life.mode() == Mode::Runs
    }

    pub(crate) fn stop_scheduling(&self) {
        self.stop_scheduling.send_replace(true);
    }

    /// Whether it ended although nobody told it to; says how.
    pub(crate) async fn ended(&mut self) -> Option<String> {
        if !self.task.is_finished() {
            return None;
        }
        Some(match (&mut self.task).await {
            Ok(ended) => format!("{} ended: {ended:?}", self.life.name),
            Err(panicked) => format!("{} panicked: {panicked}", self.life.name),
        })
    }

    /// Tells it to stop, and waits until it has; says what was wrong about how it ended.
    pub(crate) async fn end(self) -> Option<String> {
        self.stop.send_replace(true);
        self.stop_scheduling.send_replace(true);
        match tokio::time::timeout(Duration::from_secs(120), self.task).await {
            Ok(Ok(Ok(_))) => None,
            Ok(Ok(Err(error))) => Some(format!("{} ended with {error:?}", self.life.name)),
            Ok(Err(panicked)) => Some(format!("{} panicked: {panicked}", self.life.name)),
            Err(_) => Some(format!("{} does not stop", self.life.name)),
        }
    }
}

async fn run(
    world: Arc<World>,
    life: Arc<Life>,
    stop: watch::Receiver<bool>,
    scheduling_stopped: watch::Receiver<bool>,
) -> Result<Counts, ProjectorError> {
    let log = || Arc::new(SimLog { world: world.clone(), life: life.clone() });
    let store = || Arc::new(SimStore { world: world.clone(), life: life.clone() });
    let at_once = 1 + usize::try_from(world.throw(u64::from(world.partitions))).expect("small");
    // Most have room for all wallets, some read them beside the folding, and some forget them all the time.
    let room = match world.throw(3) {
        0 => Room { at_once: 0, most: 2 + usize::try_from(world.throw(6)).expect("small") },
        1 => Room { at_once: 0, ..Room::default() },
        _ => Room::default(),
    };
    let node = loop {
        match Node::new(log(), store(), life.name.clone(), LEASE, Halting::ThatPartition).await {
            Ok(node) => break node.folding_at_once(at_once).with_room(room),
            Err(error) if error.halts() && life.damaged().is_none() => return Err(error),
            // Whoever finds damage at once is started again, as others who cannot read yet.
            Err(_) if *stop.borrow() => return Ok(Counts::default()),
            Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
        }
    };
    let now = {
        let (world, life) = (world.clone(), life.clone());
        move || world.now().plus(life.wrong_by.load(Ordering::Relaxed) * 1_000_000_000)
    };
    let scheduling = schedule(log(), store(), node.owned(), now.clone(), scheduling_stopped);
    tokio::spawn(scheduling);
    node.run(now, stop).await
}

/// Rounds of the scheduler, as a server has them.
async fn schedule(
    log: Arc<SimLog>,
    store: Arc<SimStore>,
    owned: watch::Receiver<Vec<Partition>>,
    now: impl Fn() -> Instant,
    mut stop: watch::Receiver<bool>,
) {
    let (mut in_flight, mut looked) = (InFlight::default(), Looked::default());
    while !*stop.borrow() {
        let own = owned.borrow().clone();
        let overdue = |partition: Partition| if own.contains(&partition) { 0 } else { OVERDUE };
        let due = log.world.partitions().map(|partition| (partition, overdue(partition)));
        let round = scheduler::round(&*log, &*store, due, now(), &mut in_flight).await;
        if let Ok(round) = round
            && round.appended > 0
        {
            log.world.happens("timers", format!("{}: {}", log.life.name, round.appended));
        }
        let read = |text: &str| stored_catalogue(text).map_err(|error| error.to_string());
        let rerated = scheduler::rerate(&*log, &*store, own.into_iter(), now(), read, &mut looked).await;
        if let Ok(1..) = rerated {
            log.world.happens("usage rerated", &log.life.name);
        }
        let _ = tokio::time::timeout(Duration::from_millis(300), stop.wait_for(|stop| *stop)).await;
    }
}
