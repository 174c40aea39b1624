//! What is handed to librdkafka, and when: of each partition only what it sends without turning in circles (decision 0041).

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use ledger::Partition;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::producer::Producer as _;

use super::delivery::Waiting;
use super::identity::Opened;
use super::line::Line;
use crate::LogError;

/// With more records of a partition than this on their way, librdkafka sends no more of it, and asks without a pause whether it may.
const UNASKED: usize = 4;
/// How often whoever waits until all is answered looks whether it is.
const LOOK: Duration = Duration::from_millis(1);

/// Two kinds of producers, and the records that wait for them.
pub(super) struct Sending {
    pub(super) log: Arc<Opened>,
    /// Sends at once, for few records.
    pub(super) prompt: Line,
    /// Waits a millisecond, so that more records share a request: else it would send the first of them before it has the last.
    pub(super) gathering: Line,
    /// By partition.
    turns: Vec<Mutex<Turn>>,
}

/// How many of a partition's records are on their way, and those that go when they are answered.
#[derive(Default)]
struct Turn {
    sent: usize,
    waiting: Vec<Waiting>,
}

impl Sending {
    pub(super) fn new(log: Arc<Opened>) -> Arc<Self> {
        let turns = (0..log.partitions).map(|_| Mutex::default()).collect();
        Arc::new(Self { log, prompt: Line::new("0"), gathering: Line::new("1"), turns })
    }

    pub(super) fn lines(&self) -> [&Line; 2] {
        [&self.prompt, &self.gathering]
    }

    fn turn(&self, partition: Partition) -> MutexGuard<'_, Turn> {
        self.turns[partition.0 as usize].lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sends a partition's records of one append, together and in order: now, or once those before them are answered.
    pub(super) fn take(self: &Arc<Self>, partition: Partition, records: Vec<Waiting>) {
        let mut turn = self.turn(partition);
        turn.waiting.extend(records);
        self.go_on(partition, &mut turn);
    }

    /// Counts a record as answered that was sent in its turn.
    pub(super) fn answered(self: &Arc<Self>, partition: Partition) {
        let mut turn = self.turn(partition);
        turn.sent -= 1;
        self.go_on(partition, &mut turn);
    }

    fn go_on(self: &Arc<Self>, partition: Partition, turn: &mut Turn) {
        if turn.waiting.is_empty() || turn.sent > UNASKED {
            return;
        }
        let records = std::mem::take(&mut turn.waiting);
        let line = if records.len() <= UNASKED { &self.prompt } else { &self.gathering };
        turn.sent += line.send(self, partition, records);
    }

    /// Puts another producer in the place of one that has given up, so that those who wait for that are told.
    pub(super) fn renew(self: &Arc<Self>) {
        for line in self.lines() {
            // Where there is none to take its place, the next append says so.
            let _ = line.usable(self);
        }
    }

    /// Waits until all that was taken has been answered.
    pub(super) fn flush(self: &Arc<Self>, time: Duration) -> Result<(), LogError> {
        let until = Instant::now() + time;
        loop {
            for line in self.lines() {
                let left = until.saturating_duration_since(Instant::now());
                line.usable(self)?.producer.flush(left).map_err(LogError::unknown)?;
            }
            let mut turns = (0..self.log.partitions).map(|partition| self.turn(Partition(partition)));
            if turns.all(|turn| turn.sent == 0 && turn.waiting.is_empty()) {
                return Ok(());
            }
            if Instant::now() > until {
                return Err(LogError::unknown(KafkaError::Flush(RDKafkaErrorCode::OperationTimedOut)));
            }
            thread::sleep(LOOK);
        }
    }
}
