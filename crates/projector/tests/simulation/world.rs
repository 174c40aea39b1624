//! The world that the nodes live in: a log, a store and a clock, in memory, to which things happen by chance.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use ledger::{Instant, Partition};
use tokio::sync::Notify;
use tokio::time::Instant as Moment;

use crate::chance::Chance;
use crate::reference::Reference;
use crate::tables::{Now, Tables};

pub(crate) const LOG: &str = "00112233445566778899aabbccddeeff";
/// How many seconds the world's clock goes on in one: leases and retries are short, what falls due is minutes away.
const FASTER: i64 = 60;

/// All that a seed leads to.
pub(crate) struct World {
    pub(crate) partitions: u32,
    began: Moment,
    state: Mutex<State>,
}

pub(crate) struct State {
    pub(crate) chance: Chance,
    /// Whether anything may fail: phase one.
    pub(crate) may_fail: bool,
    pub(crate) records: Vec<Vec<Vec<u8>>>,
    /// Until when nothing can be read.
    pub(crate) dark_until: Moment,
    pub(crate) reference: Reference,
    pub(crate) tables: Tables,
    pub(crate) snapshots: Vec<Tables>,
    /// The microsecond at which the store's clock was last looked at.
    looked_us: i64,
    /// What happened, and how many times.
    pub(crate) happened: BTreeMap<&'static str, u64>,
    /// What must not have happened.
    pub(crate) wrong: Vec<String>,
    trace: Vec<String>,
}

impl World {
    pub(crate) fn new(seed: u64, partitions: u32) -> Arc<Self> {
        let state = State {
            chance: Chance::of(seed),
            may_fail: true,
            records: vec![Vec::new(); partitions as usize],
            dark_until: Moment::now(),
            reference: Reference::new(partitions),
            tables: Tables::new(partitions),
            snapshots: Vec::new(),
            looked_us: 0,
            happened: BTreeMap::new(),
            wrong: Vec::new(),
            trace: Vec::new(),
        };
        Arc::new(Self { partitions, began: Moment::now(), state: Mutex::new(state) })
    }

    /// Everything in it. It is held for no longer than a step takes: never across a wait.
    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Milliseconds since it began.
    pub(crate) fn ms(&self) -> u64 {
        u64::try_from(self.began.elapsed().as_millis()).expect("a run is short")
    }

    /// What the store's clock says to a statement.
    pub(crate) fn store_clock(&self) -> Now {
        let us = i64::try_from(self.began.elapsed().as_micros()).expect("a run is short");
        let mut state = self.state();
        state.looked_us = us.max(state.looked_us + 1);
        Now { ms: self.ms(), us: state.looked_us }
    }

    /// What time it is in it.
    pub(crate) fn now(&self) -> Instant {
        start().plus(i64::try_from(self.began.elapsed().as_nanos()).expect("a run is short") * FASTER)
    }

    pub(crate) fn partitions(&self) -> impl Iterator<Item = Partition> + use<> {
        (0..self.partitions).map(Partition)
    }

    pub(crate) fn throw(&self, sides: u64) -> u64 {
        self.state().chance.throw(sides)
    }

    /// Whether something fails that fails so many times in a thousand, as long as things may fail.
    pub(crate) fn fails(&self, of_a_thousand: u64) -> bool {
        let mut state = self.state();
        state.may_fail && state.chance.is(of_a_thousand)
    }

    /// Lets some time pass: mostly none to speak of, at times long.
    pub(crate) async fn delay(&self) {
        let ms = {
            let mut state = self.state();
            let kinds = if state.may_fail { 100 } else { 60 };
            match state.chance.throw(kinds) {
                0..50 => 0,
                50..85 => state.chance.between(1, 4),
                85..98 => state.chance.between(4, 60),
                _ => state.chance.between(60, 1_500),
            }
        };
        if ms == 0 {
            tokio::task::yield_now().await;
        } else {
            tokio::time::sleep(Duration::from_millis(ms)).await;
        }
    }

    /// Notes that something happened.
    pub(crate) fn happens(&self, what: &'static str, to: impl std::fmt::Display) {
        let ms = self.ms();
        let mut state = self.state();
        *state.happened.entry(what).or_default() += 1;
        state.trace.push(format!("{ms:>7} ms  {what}: {to}"));
    }

    /// Notes what must not happen.
    pub(crate) fn wrong(&self, what: String) {
        let ms = self.ms();
        let mut state = self.state();
        state.trace.push(format!("{ms:>7} ms  WRONG: {what}"));
        state.wrong.push(what);
    }

    pub(crate) fn trace(&self) -> String {
        self.state().trace.join("\n")
    }
}

/// How a process is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    Runs,
    /// Nothing it asked for is asked, nothing it was answered reaches it, until it is thawed.
    Frozen,
    Dead,
}

/// What time it is when it begins.
pub(crate) fn start() -> Instant {
    Instant::parse("2026-01-01T00:00:00Z").expect("a time")
}

/// A process: its own view of log and store ends with it.
pub(crate) struct Life {
    pub(crate) name: String,
    /// By how many seconds its clock is wrong.
    pub(crate) wrong_by: AtomicI64,
    is: Mutex<Being>,
    /// Wakes in the order of waiting, which a `watch` does not.
    changed: Notify,
}

struct Being {
    mode: Mode,
    was_frozen: bool,
    damaged: Option<Partition>,
}

impl Life {
    pub(crate) fn new(name: impl Into<String>) -> Arc<Self> {
        let is = Being { mode: Mode::Runs, was_frozen: false, damaged: None };
        Arc::new(Self {
            name: name.into(),
            wrong_by: AtomicI64::new(0),
            is: Mutex::new(is),
            changed: Notify::new(),
        })
    }

    /// By how many milliseconds its clock is wrong, counted as the store counts them.
    pub(crate) fn wrong_by_ms(&self) -> i64 {
        self.wrong_by.load(Ordering::Relaxed) * 1_000 / FASTER
    }

    fn is(&self) -> MutexGuard<'_, Being> {
        self.is.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn mode(&self) -> Mode {
        self.is().mode
    }

    /// Whether it was frozen at some time: what it then writes is a zombie's.
    pub(crate) fn was_frozen(&self) -> bool {
        self.is().was_frozen
    }

    /// A partition that it finds damaged.
    pub(crate) fn damaged(&self) -> Option<Partition> {
        self.is().damaged
    }

    pub(crate) fn finds_damaged(&self, partition: Partition) {
        self.is().damaged = Some(partition);
    }

    pub(crate) fn becomes(&self, mode: Mode) {
        {
            let mut is = self.is();
            is.was_frozen |= mode == Mode::Frozen;
            is.mode = mode;
        }
        self.changed.notify_waiters();
    }

    /// Goes on once the process runs: at once, after a thaw, or never.
    pub(crate) async fn lives(&self) {
        loop {
            let changed = self.changed.notified();
            if self.mode() == Mode::Runs {
                return;
            }
            changed.await;
        }
    }
}
