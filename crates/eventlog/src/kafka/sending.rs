//! What is handed to librdkafka, and when: of each partition only what it sends without turning in circles (decision 0041).

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use ledger::Partition;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};

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

    /// Sends a partition's records of one append, together and in order: now, or once those before them are answered. The log was
    /// looked at before, so another producer may take the place of one that has given up.
    pub(super) fn take(self: &Arc<Self>, partition: Partition, records: Vec<Waiting>) {
        let mut turn = self.turn(partition);
        turn.waiting.extend(records);
        self.go_on(partition, &mut turn, true);
    }

    /// Counts a record as answered that was sent in its turn. If it may not be there, the log has to be looked at before anything else
    /// is sent: what waits is refused.
    pub(super) fn answered(self: &Arc<Self>, partition: Partition, is_there: bool) {
        let mut turn = self.turn(partition);
        turn.sent -= 1;
        if is_there {
            self.go_on(partition, &mut turn, false);
        } else {
            let error = self.log.goes_on().err().unwrap_or(LogError::Shed);
            refuse(std::mem::take(&mut turn.waiting), &error);
        }
    }

    fn go_on(self: &Arc<Self>, partition: Partition, turn: &mut Turn, may_renew: bool) {
        if turn.waiting.is_empty() || turn.sent > UNASKED {
            return;
        }
        let records = std::mem::take(&mut turn.waiting);
        if let Err(error) = self.log.goes_on() {
            return refuse(records, &error);
        }
        // Even if the first of them went alone, the others could go too.
        let are_few = turn.sent + records.len() <= UNASKED + 1;
        let line = if are_few { &self.prompt } else { &self.gathering };
        turn.sent += line.send(self, partition, records, may_renew);
    }

    /// Puts another producer in the place of one that has given up, so that those who wait for that are told.
    pub(super) fn renew(self: &Arc<Self>) {
        for line in self.lines() {
            // Where there is none to take its place, the next append says so.
            let _ = line.usable(self);
        }
    }

    /// Waits until all that was sent or waits has been answered. Only the producers' own threads take answers: two of them could take
    /// those of a partition in the wrong order.
    pub(super) fn flush(self: &Arc<Self>, time: Duration) -> Result<(), LogError> {
        let until = Instant::now() + time;
        loop {
            self.renew();
            let mut turns = (0..self.log.partitions).map(|partition| self.turn(Partition(partition)));
            let none_waits = turns.all(|turn| turn.sent == 0 && turn.waiting.is_empty());
            if none_waits && self.lines().iter().all(|line| line.is_idle()) {
                return Ok(());
            }
            if Instant::now() > until {
                return Err(LogError::unknown(KafkaError::Flush(RDKafkaErrorCode::OperationTimedOut)));
            }
            thread::sleep(LOOK);
        }
    }
}

/// Tells the appends of records that these are not sent.
pub(super) fn refuse(records: impl IntoIterator<Item = Waiting>, error: &LogError) {
    for record in records {
        record.append.refused(error.clone());
    }
}
