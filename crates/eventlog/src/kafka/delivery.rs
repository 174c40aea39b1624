//! What became of each record that was sent.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use ledger::{Offset, Partition, Position};
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::DeliveryResult;
use rdkafka::producer::ProducerContext;
use rdkafka::{ClientContext, Message};
use tokio::sync::{OwnedSemaphorePermit, oneshot};

use super::identity::Opened;
use super::news::News;
use super::sending::Sending;
use crate::{Appending, LogError};

type Answer = oneshot::Sender<Result<Vec<Position>, LogError>>;
pub(super) type Answered = oneshot::Receiver<Result<Vec<Position>, LogError>>;

/// An append whose records are on their way.
pub(super) struct Append {
    state: Mutex<State>,
}

struct State {
    log: Arc<Opened>,
    positions: Vec<Position>,
    /// Records that are in the log, and are handed to whoever follows it here when the last one is.
    kept: Vec<(Position, Vec<u8>)>,
    /// How many records have not been answered yet, …
    left: usize,
    /// … and how many never will be, because they were not sent.
    refused: usize,
    failure: Option<LogError>,
    answer: Option<Answer>,
    /// Given back when the last record was answered.
    room: Option<OwnedSemaphorePermit>,
}

/// One record of an append.
pub(super) struct Delivery {
    pub(super) append: Arc<Append>,
    pub(super) index: usize,
    /// What whoever follows the log here is handed once it is in it.
    pub(super) kept: Option<Vec<u8>>,
    /// Whether others of its partition wait until it is answered.
    pub(super) in_turn: bool,
}

/// One record of an append that was not sent yet.
pub(super) struct Waiting {
    pub(super) append: Arc<Append>,
    pub(super) index: usize,
    pub(super) bytes: Vec<u8>,
    /// Whether whoever follows the log here is handed it.
    pub(super) is_kept: bool,
}

impl Append {
    pub(super) fn new(
        log: Arc<Opened>,
        records: &[Appending],
        room: OwnedSemaphorePermit,
    ) -> (Arc<Self>, Answered) {
        let (answer, answered) = oneshot::channel();
        let positions =
            records.iter().map(|r| Position { partition: r.partition, offset: Offset(0) }).collect();
        let (left, answer, room) = (records.len(), Some(answer), Some(room));
        let (kept, refused, failure) = (Vec::new(), 0, None);
        let state = State { log, positions, kept, left, refused, failure, answer, room };
        (Arc::new(Self { state: Mutex::new(state) }), answered)
    }

    /// Counts a record as one that is not sent.
    pub(super) fn refused(&self, error: LogError) {
        let mut state = self.state();
        state.failure.get_or_insert(error);
        state.refused += 1;
        state.answered();
    }

    fn delivered(&self, index: usize, kept: Option<Vec<u8>>, took: Result<Position, LogError>) {
        let mut state = self.state();
        match took {
            Ok(at) => {
                state.positions[index] = at;
                state.kept.extend(kept.map(|record| (at, record)));
            }
            Err(error) => {
                state.failure.get_or_insert(error);
            }
        }
        state.answered();
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn answered(&mut self) {
        self.left -= 1;
        if self.left > 0 {
            return;
        }
        self.room = None;
        self.log.tails.take_in(std::mem::take(&mut self.kept));
        let positions = std::mem::take(&mut self.positions);
        let answer = match self.failure.take() {
            None => Ok(positions),
            // Some of it was sent.
            Some(failure @ LogError::Unknown(_)) => Err(failure),
            Some(refusal) if (1..positions.len()).contains(&self.refused) => Err(LogError::unknown(refusal)),
            Some(failure) => Err(failure),
        };
        if let Some(waiting) = self.answer.take() {
            // Who no longer waits has the records in the log all the same.
            let _ = waiting.send(answer);
        }
    }
}

/// What is known of a producer.
#[derive(Default)]
pub(super) struct SenderState {
    /// It can send nothing more.
    pub(super) gave_up: AtomicBool,
    /// The broker has given it the number without which nothing is sent.
    pub(super) is_ready: AtomicBool,
}

/// Takes the broker's answers of one producer.
pub(super) struct Deliveries {
    log: Arc<Opened>,
    /// Gone once the log is dropped.
    sending: Weak<Sending>,
    news: News,
    state: Arc<SenderState>,
    /// The least offset that the next record of each partition can have.
    least: Vec<AtomicU64>,
}

impl Deliveries {
    pub(super) fn new(sending: &Arc<Sending>, state: Arc<SenderState>) -> Self {
        let log = Arc::clone(&sending.log);
        let known = (0..log.partitions).map(|partition| log.surely(Partition(partition)).0);
        let least = known.map(AtomicU64::new).collect();
        let news = log.news.of_another_client();
        Self { log, sending: Arc::downgrade(sending), news, state, least }
    }

    fn took(&self, partition: i32, offset: i64) -> Result<Position, LogError> {
        // A record that was sent again after its answer got lost is there, and the broker may not say where.
        let offset = u64::try_from(offset).map_err(|_| LogError::unknown(KafkaError::NoMessageReceived))?;
        let partition = Partition(u32::try_from(partition).unwrap_or(u32::MAX));
        let least = &self.least[partition.0 as usize];
        if offset < least.load(Ordering::Relaxed) {
            return Err(self.log.halt(LogError::Replaced { partition, at: Offset(offset) }));
        }
        least.store(offset + 1, Ordering::Relaxed);
        self.log.note_end(partition, Offset(offset + 1));
        Ok(Position { partition, offset: Offset(offset) })
    }
}

impl ClientContext for Deliveries {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        self.news.log(level, facility, message);
    }

    /// The statistics alone tell that a producer has its number, and that it knows no broker.
    fn stats_raw(&self, statistics: &[u8]) {
        self.news.stats_raw(statistics);
        if self.news.is_lost() {
            self.state.gave_up.store(true, Ordering::Release);
        }
        const NUMBERED: &[u8] = b"\"idemp_state\": \"Assigned\"";
        if !self.state.is_ready.load(Ordering::Relaxed) {
            let is_ready = statistics.windows(NUMBERED.len()).any(|part| part == NUMBERED);
            self.state.is_ready.store(is_ready, Ordering::Release);
        }
    }

    fn error(&self, error: KafkaError, reason: &str) {
        if error.rdkafka_error_code() == Some(RDKafkaErrorCode::Fatal) {
            self.state.gave_up.store(true, Ordering::Release);
        }
        self.news.error(error, reason);
    }
}

impl ProducerContext for Deliveries {
    type DeliveryOpaque = Box<Delivery>;

    fn delivery(&self, result: &DeliveryResult<'_>, delivery: Box<Delivery>) {
        let Delivery { append, index, kept, in_turn } = *delivery;
        let (Ok(message) | Err((_, message))) = result;
        let partition = message.partition();
        let took = match result {
            Ok(message) => self.took(message.partition(), message.offset()),
            Err((error, _)) => {
                if error.rdkafka_error_code() == Some(RDKafkaErrorCode::Fatal) {
                    self.state.gave_up.store(true, Ordering::Release);
                }
                Err(LogError::unknown(error.clone()))
            }
        };
        let is_there = took.is_ok();
        append.delivered(index, kept, took);
        if let Some(sending) = self.sending.upgrade().filter(|_| in_turn) {
            sending.answered(Partition(u32::try_from(partition).expect("it was sent to one")), is_there);
        }
    }
}
