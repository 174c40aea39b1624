//! A stream of events into the log: one thread reads, checks and stamps, while what it read before is being appended.

use std::collections::BTreeMap;
use std::io::{self, BufRead};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::time::Duration;

use eventlog::{Appending, EventLog, LogError};
use ingest::{Events, Refusal, Stamp, usage};
use tokio::sync::Notify;
use tokio::time::{Instant, timeout_at};

use crate::context::{Apart, Clock};

/// So many events are appended together …
const BATCH: usize = 4_000;
/// … or what came within this time after the first of them.
const LINGER: Duration = Duration::from_millis(20);
/// Reading pauses when so many events wait to be appended …
const MOST: usize = 4 * BATCH;
/// … or so many bytes.
const MOST_BYTES: usize = 32 << 20;

/// What became of a stream of events.
#[derive(Clone, Debug, Default)]
pub(crate) struct Taken {
    /// How many are in the log, durable.
    pub(crate) appended: u64,
    /// How many were refused.
    pub(crate) refused: u64,
    /// Those by the code of the reason.
    pub(crate) reasons: BTreeMap<&'static str, Reason>,
}

/// Why some of the events were refused.
#[derive(Clone, Debug)]
pub(crate) struct Reason {
    /// How many.
    pub(crate) count: u64,
    /// The line of the first.
    pub(crate) line: u64,
    /// What was wrong with the first, and what to do.
    pub(crate) first: String,
}

/// An event that was refused.
pub(crate) struct Letter<'a> {
    /// The line on which it begins.
    pub(crate) line: u64,
    /// Why.
    pub(crate) refusal: &'a Refusal,
    /// Its bytes; none of one that was too large to be held.
    pub(crate) event: Option<&'a [u8]>,
}

/// Why a stream was not taken in to its end. What had been appended stays.
#[derive(Debug, thiserror::Error)]
pub(crate) enum IntakeError {
    #[error("the events cannot be read any further")]
    Read(#[source] io::Error),
    #[error("the refused events cannot be written")]
    DeadLetters(#[source] io::Error),
    #[error("the events cannot be appended")]
    Append(#[from] LogError),
    #[error(transparent)]
    Clock(#[from] Apart),
}

/// Appends all events of a stream that can be, each stamped as `stamp` says at its moment; `refused` gets the others. None is
/// appended whose stamp comes from a clock that `clock` finds wrong. Returns when all are durable.
pub(crate) async fn take_in<L: EventLog>(
    log: &L,
    events: impl BufRead + Send + 'static,
    stamp: impl Fn() -> Stamp<'static> + Send + 'static,
    clock: &Clock,
    refused: impl FnMut(&Letter<'_>) -> io::Result<()> + Send + 'static,
) -> (Taken, Result<(), IntakeError>) {
    let belt = Arc::new(Belt::default());
    let partitions = log.partitions();
    // No task of the runtime: it may wait for its input for ever, and nobody waits for it when appending has failed.
    let reader = Reader { belt: belt.clone(), partitions };
    std::thread::spawn(move || reader.read(events, stamp, refused));

    let mut appended = 0;
    let mut failed = Ok(());
    while let Some(batch) = belt.next().await {
        let count = batch.len() as u64;
        if let Err(apart) = clock.check() {
            failed = Err(apart.into());
            break;
        }
        if let Err(error) = log.append(batch).await {
            failed = Err(error.into());
            break;
        }
        appended += count;
    }
    let mut state = belt.state();
    state.records.clear();
    state.given_up = true;
    belt.room.notify_all();
    if let (Ok(()), Some(error)) = (&failed, state.failed.take()) {
        failed = Err(error);
    }
    (Taken { appended, ..std::mem::take(&mut state.taken) }, failed)
}

/// Between the thread that reads and the task that appends.
#[derive(Default)]
struct Belt {
    state: Mutex<State>,
    /// The reader waits for this.
    room: Condvar,
    /// The appender waits for this.
    came: Notify,
}

#[derive(Default)]
struct State {
    records: Vec<Appending>,
    bytes: usize,
    taken: Taken,
    failed: Option<IntakeError>,
    /// Whether no more will come.
    over: bool,
    /// Whether no more will be taken.
    given_up: bool,
}

impl Belt {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("nothing panics with the belt in hand")
    }

    /// What is to be appended next; none when all was.
    async fn next(&self) -> Option<Vec<Appending>> {
        let mut until = None;
        loop {
            {
                let mut state = self.state();
                let is_time = until.is_some_and(|until| Instant::now() >= until);
                if state.over || is_time || state.records.len() >= BATCH || state.bytes >= MOST_BYTES {
                    state.bytes = 0;
                    let batch = std::mem::replace(&mut state.records, Vec::with_capacity(BATCH));
                    self.room.notify_all();
                    return Some(batch).filter(|batch| !batch.is_empty());
                }
                if !state.records.is_empty() && until.is_none() {
                    until = Some(Instant::now() + LINGER);
                }
            }
            match until {
                None => self.came.notified().await,
                // It was time, or something came: the state tells.
                Some(until) => drop(timeout_at(until, self.came.notified()).await),
            }
        }
    }

    /// Waits for room and puts a record on. Answers whether the reader is to go on.
    fn push(&self, record: Appending) -> bool {
        let mut state = self.state();
        while !state.given_up && (state.records.len() >= MOST || state.bytes >= MOST_BYTES) {
            state = self.room.wait(state).expect("nothing panics with the belt in hand");
        }
        state.bytes += record.bytes.len();
        state.records.push(record);
        if matches!(state.records.len(), 1 | BATCH) || state.bytes >= MOST_BYTES {
            self.came.notify_one();
        }
        !state.given_up
    }
}

struct Reader {
    belt: Arc<Belt>,
    partitions: u32,
}

/// However reading ends, the appender is told.
impl Drop for Reader {
    fn drop(&mut self) {
        if let Ok(mut state) = self.belt.state.lock() {
            state.over = true;
        }
        self.belt.came.notify_one();
    }
}

impl Reader {
    fn read(
        self,
        events: impl BufRead,
        stamp: impl Fn() -> Stamp<'static>,
        mut refused: impl FnMut(&Letter<'_>) -> io::Result<()>,
    ) {
        for found in Events::new(events) {
            let found = match found {
                Ok(found) => found,
                Err(error) => return self.fail(IntakeError::Read(error)),
            };
            let event = found.event.as_deref().ok();
            let stamped = match &found.event {
                Ok(event) => usage(event, &stamp()),
                Err(refusal) => Err(refusal.clone()),
            };
            let refusal = match stamped {
                Ok(stamped) => {
                    if !self.belt.push(stamped.appending(self.partitions)) {
                        return;
                    }
                    continue;
                }
                Err(refusal) => refusal,
            };
            self.count(found.line, &refusal);
            if let Err(error) = refused(&Letter { line: found.line, refusal: &refusal, event }) {
                return self.fail(IntakeError::DeadLetters(error));
            }
        }
    }

    fn count(&self, line: u64, refusal: &Refusal) {
        let mut state = self.belt.state();
        state.taken.refused += 1;
        let first = || Reason { count: 0, line, first: refusal.to_string() };
        state.taken.reasons.entry(refusal.code()).or_insert_with(first).count += 1;
    }

    fn fail(&self, error: IntakeError) {
        self.belt.state().failed = Some(error);
    }
}
