//! One run: first anything may fail and nothing may be wrong; then nothing fails any more, and all must come right.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use ledger::{Offset, Partition};
use projector::{Depth, History, stored_catalogue, verify};
use store::rows::OutcomeCode;
use tokio::task::JoinHandle;

use crate::events::{self, Event};
use crate::fleet::Process;
use crate::log::SimLog;
use crate::store::SimStore;
use crate::world::{LOG, Life, Mode, World, start};

/// In how many seconds of the simulated time all must have come right.
const PATIENCE: Duration = Duration::from_secs(120);

type Sender = JoinHandle<BTreeMap<String, u64>>;

/// Lets everything happen in a world that its seed leads to.
pub(crate) async fn run(world: &Arc<World>) {
    let mut run = Run::begin(world).await;
    let deeds = run.world.state().chance.between(8, 25);
    for _ in 0..deeds {
        let pause = run.world.state().chance.between(10, 500);
        tokio::time::sleep(Duration::from_millis(pause)).await;
        run.happen().await;
        run.look().await;
    }
    run.calm().await;
    run.settle().await;
    run.prove().await;
}

struct Run {
    world: Arc<World>,
    processes: Vec<Process>,
    started: usize,
    events: Vec<Event>,
    senders: Vec<Sender>,
    publisher: JoinHandle<()>,
}

impl Run {
    async fn begin(world: &Arc<World>) -> Self {
        let world = world.clone();
        let log = SimLog { world: world.clone(), life: Life::new("maker") };
        events::begin(&log).await;
        let (events, sendings) = {
            let chance = &mut world.state().chance;
            let events = events::events(chance, start());
            (events.clone(), events::sendings(chance, &events))
        };
        let half = sendings.len() / 2;
        let mut senders = Vec::new();
        for (n, part) in [&sendings[..half], &sendings[half..]].into_iter().enumerate() {
            senders.push(tokio::spawn(events::send(world.clone(), format!("sender-{n}"), part.to_vec())));
        }
        let publisher = tokio::spawn(events::publish(world.clone()));
        let mut run = Self { world, processes: Vec::new(), started: 0, events, senders, publisher };
        for _ in 0..=run.world.throw(3) {
            run.start();
        }
        run
    }

    fn start(&mut self) {
        self.started += 1;
        self.processes.push(Process::start(&self.world, self.started));
    }

    /// One of the processes that run.
    fn one(&self) -> Option<usize> {
        let run: Vec<usize> = (0..self.processes.len()).filter(|at| self.processes[*at].runs()).collect();
        (!run.is_empty()).then(|| run[self.world.state().chance.place(run.len())])
    }

    async fn happen(&mut self) {
        let deed = self.world.throw(13);
        let one = self.one();
        match (deed, one) {
            (0 | 1, Some(at)) => self.crash(at),
            (2 | 3, Some(at)) => {
                self.processes[at].life.becomes(Mode::Frozen);
                self.world.happens("freeze", &self.processes[at].life.name);
            }
            (4, _) => self.thaw(),
            (5, Some(at)) => {
                let process = self.processes.remove(at);
                self.world.happens("stop", &process.life.name);
                let ended = process.end().await;
                ended.into_iter().for_each(|what| self.world.wrong(what));
            }
            (6, Some(at)) => {
                let by = [-75, -65, -10, 10, 62, 66][self.world.state().chance.place(6)];
                self.world.happens("wrong clock", format!("{} by {by} s", self.processes[at].life.name));
                self.processes[at].life.wrong_by.store(by, Ordering::Relaxed);
            }
            (7, _) => self.steal(),
            (8, _) => {
                let state = &mut *self.world.state();
                state.snapshots.push(state.tables.clone());
            }
            (9, _) => self.roll_back(),
            (10, Some(at)) if self.world.throw(3) == 0 => {
                let partition = Partition(
                    u32::try_from(self.world.throw(u64::from(self.world.partitions))).expect("small"),
                );
                self.processes[at].life.finds_damaged(partition);
            }
            _ if self.processes.len() < 4 => self.start(),
            _ => {}
        }
    }

    fn crash(&mut self, at: usize) {
        let process = self.processes.remove(at);
        process.life.becomes(Mode::Dead);
        self.world.happens("crash", &process.life.name);
    }

    fn thaw(&mut self) {
        for process in self.processes.iter().filter(|process| process.life.mode() == Mode::Frozen) {
            process.life.becomes(Mode::Runs);
            self.world.happens("thaw", &process.life.name);
        }
    }

    /// Somebody takes a partition, whoever has it, and leaves it.
    fn steal(&self) {
        let partition = self.world.throw(u64::from(self.world.partitions));
        let partition = Partition(u32::try_from(partition).expect("small"));
        let now = self.world.store_clock();
        let head = self.world.state().tables.acquire(partition, LOG, now);
        self.world.happens("lease theft", format!("of {partition}, epoch {}", head.epoch));
    }

    /// The store is what it was, as from a dump.
    fn roll_back(&self) {
        let restored = {
            let state = &mut *self.world.state();
            let place = (!state.snapshots.is_empty()).then(|| state.chance.place(state.snapshots.len()));
            place.map(|at| state.tables = state.snapshots[at].clone()).is_some()
        };
        if restored {
            self.world.happens("rollback", "");
        }
    }

    /// Notes who ended without having been told to.
    async fn look(&mut self) {
        for at in (0..self.processes.len()).rev() {
            if let Some(what) = self.processes[at].ended().await {
                self.world.wrong(what);
                self.processes.remove(at);
            }
        }
    }

    /// Ends what fails. Nodes that found damage are started again, as their message says.
    async fn calm(&mut self) {
        self.world.happens("calm", "");
        self.world.state().may_fail = false;
        self.thaw();
        for at in (0..self.processes.len()).rev() {
            self.processes[at].life.wrong_by.store(0, Ordering::Relaxed);
            if self.processes[at].life.damaged().is_some() {
                self.crash(at);
            }
        }
        if self.processes.is_empty() {
            self.start();
        }
    }

    /// Waits until all was sent and all is folded.
    async fn settle(&mut self) {
        let mut acknowledged = BTreeMap::new();
        for sender in self.senders.drain(..) {
            acknowledged.extend(sender.await.expect("a sender does not panic"));
        }
        (&mut self.publisher).await.expect("the publisher does not panic");
        if self.events.iter().any(|event| !acknowledged.contains_key(&event.id)) {
            self.world.wrong("an event was never acknowledged".into());
        }
        // What is appended late has come, and what was due by then.
        tokio::time::sleep(Duration::from_secs(4)).await;
        self.processes.iter().for_each(Process::stop_scheduling);
        let settled = async {
            let mut calm = 0;
            while calm < 4 {
                tokio::time::sleep(Duration::from_millis(250)).await;
                calm = if self.is_settled() { calm + 1 } else { 0 };
            }
        };
        if tokio::time::timeout(PATIENCE, settled).await.is_err() {
            let heads: Vec<_> = self.world.partitions().map(|p| self.standing(p)).collect();
            let fleet = self.world.state().tables.fleet(self.world.ms());
            self.world.wrong(format!("not all is folded, (committed, ends): {heads:?}, {fleet:?}"));
        }
        self.look().await;
        for process in std::mem::take(&mut self.processes) {
            let ended = process.end().await;
            ended.into_iter().for_each(|what| self.world.wrong(what));
        }
    }

    /// How far a partition is committed, and where it ends.
    fn standing(&self, partition: Partition) -> (u64, u64) {
        let state = self.world.state();
        let next = state.tables.head(partition).map_or(0, |head| head.next.0);
        (next, state.records[partition.0 as usize].len() as u64)
    }

    fn is_settled(&self) -> bool {
        self.world.partitions().all(|partition| {
            let (next, end) = self.standing(partition);
            next == end
        })
    }

    /// All that is stored is what the log says, and each event took effect once.
    async fn prove(&self) {
        let life = Life::new("auditor");
        let log = Arc::new(SimLog { world: self.world.clone(), life: life.clone() });
        let store = Arc::new(SimStore { world: self.world.clone(), life });
        let mut catalogues = Vec::new();
        for partition in self.world.partitions() {
            let proof = verify(log.clone(), store.clone(), partition, Depth::Rows, |_| {}).await;
            match proof.map(|proof| proof.divergence) {
                Ok(None) => {}
                wrong => self.world.wrong(format!("proof of {partition}: {wrong:?}")),
            }
            let stored = self.world.state().tables.part(partition).catalogue.clone();
            let stored = stored.and_then(|text| stored_catalogue(&text).ok());
            let accepted = stored.as_ref().map(|c| format!("{:?}", c.accepted()));
            if stored.map(|catalogue| catalogue.write()) != Some(self.catalogue(partition)) {
                self.world.wrong(format!("the catalogue of {partition} is not the one of its records"));
            }
            catalogues.push(accepted);
        }
        if catalogues.iter().any(|catalogue| *catalogue != catalogues[0]) {
            self.world.wrong(format!("the catalogue is not the same everywhere: {catalogues:#?}"));
        }
        self.each_event_once();
    }

    /// The catalogue that a partition's records make.
    fn catalogue(&self, partition: Partition) -> String {
        let mut history = History::new(partition, self.world.partitions, LOG);
        let records = self.world.state().records[partition.0 as usize].clone();
        for (offset, bytes) in records.iter().enumerate() {
            history.fold(Offset(offset as u64), bytes).expect("this build knows its own records");
        }
        history.catalogue().write()
    }

    fn each_event_once(&self) {
        for event in &self.events {
            let partition = Partition::of(&event.wallet, self.world.partitions);
            let (mut there, mut first) = (0, 0);
            for row in self.world.state().tables.part(partition).records.values() {
                if row.source == "s" && row.id == event.id {
                    there += 1;
                    let repeats = [OutcomeCode::Duplicate.code(), OutcomeCode::Conflict.code()];
                    first += u32::from(!repeats.contains(&row.outcome));
                }
            }
            if there > 1 {
                self.world.happens("duplicate", &event.id);
            }
            if first != 1 {
                self.world
                    .wrong(format!("event {} stands in {there} records and counts {first} times", event.id));
            }
        }
    }
}
