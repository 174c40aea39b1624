//! Appending: acknowledged by all replicas, in order, each record once.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use ledger::Position;
use rdkafka::ClientConfig;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::producer::{BaseRecord, Producer as _, PurgeConfig, ThreadedProducer};
use tokio::sync::Semaphore;
use tokio::time::timeout;

use super::delivery::{Answered, Append, Deliveries, Delivery, LineState};
use super::identity::{Look, Opened};
use super::keeper::{failed, native};
use crate::{Appending, LogError, MAX_RECORD};

type Producer = ThreadedProducer<Deliveries>;

/// How many KiB may be on their way; a record takes one at least.
const ROOM: u32 = 64 << 10;
/// From so many callers on it pays to wait a millisecond, so that their records share a request.
const MANY: usize = 12;
/// Records of an append of at most so many need not be fetched by whoever follows the log here. Larger ones are of somebody who fills
/// the log; to fetch those costs less than to keep them.
const KEPT: usize = 256;
/// How often whoever waits for an answer looks whether any can come.
const TICK: Duration = Duration::from_millis(250);

pub(super) struct Appender {
    log: Arc<Opened>,
    /// Sends at once, for few callers.
    prompt: Line,
    /// Lets records gather, for many.
    gathering: Line,
    room: Arc<Semaphore>,
    callers: AtomicUsize,
    look: tokio::sync::Mutex<Look>,
}

/// A producer, made anew when it has given up, or knows no broker any more.
struct Line {
    linger_ms: &'static str,
    state: Arc<LineState>,
    producer: Mutex<Option<Arc<Producer>>>,
}

impl Appender {
    /// Connects both producers, so that the first record need not wait for it.
    pub(super) fn new(log: Arc<Opened>) -> Result<Self, LogError> {
        let (prompt, gathering) = (Line::new("0"), Line::new("1"));
        for line in [&prompt, &gathering] {
            let (topic, patience) = (log.config.topic(), log.config.patience);
            let metadata = line.usable(&log)?.client().fetch_metadata(Some(topic), patience);
            metadata.map_err(|error| failed(topic, error))?;
        }
        let look = tokio::sync::Mutex::new(log.look());
        let room = Arc::new(Semaphore::new(ROOM as usize));
        Ok(Self { log, prompt, gathering, room, callers: AtomicUsize::new(0), look })
    }

    /// Appends the records, in order.
    ///
    /// # Errors
    ///
    /// [`LogError::Unknown`] if one of them may be in the log and may not be; else nothing was appended.
    pub(super) async fn append(&self, records: Vec<Appending>) -> Result<Vec<Position>, LogError> {
        self.log.goes_on()?;
        self.look_again().await?;
        let kib: usize = records.iter().map(|record| record.bytes.len() / 1024 + 1).sum();
        let kib = u32::try_from(kib).unwrap_or(ROOM).min(ROOM);
        let room = Arc::clone(&self.room).try_acquire_many_owned(kib).map_err(|_| LogError::Shed)?;

        let _caller = Caller::among(&self.callers);
        let line = if self.callers.load(Ordering::Relaxed) < MANY { &self.prompt } else { &self.gathering };
        let producer = line.usable(&self.log)?;
        let (append, answered) = Append::new(&records, room);
        for (index, record) in records.iter().enumerate() {
            let kept = (records.len() <= KEPT).then(|| record.bytes.clone());
            let delivery = Box::new(Delivery { append: Arc::clone(&append), index, kept });
            let message = BaseRecord::<(), [u8], _>::with_opaque_to(self.log.config.topic(), delivery)
                .partition(native(record.partition))
                .payload(&record.bytes);
            if let Err((error, _)) = producer.send(message) {
                if index == 0 {
                    let is_full = error.rdkafka_error_code() == Some(RDKafkaErrorCode::QueueFull);
                    return Err(if is_full {
                        LogError::Shed
                    } else {
                        failed(self.log.config.topic(), error)
                    });
                }
                append.give_up(records.len() - index, LogError::unknown(error));
                break;
            }
        }
        line.answer(answered, &self.log).await
    }

    /// After a trouble of any connection the broker may be another one: it is asked before anything is sent to it.
    async fn look_again(&self) -> Result<(), LogError> {
        let mut look = self.look.lock().await;
        let now = self.log.look();
        if !look.is_troubled(&now) {
            return Ok(());
        }
        let log = Arc::clone(&self.log);
        let verified = tokio::task::spawn_blocking(move || log.verify(ledger::Partition(0), None)).await;
        verified.unwrap_or(Err(LogError::Closed))?;
        *look = now;
        Ok(())
    }

    /// Whether the next record is sent at once.
    pub(super) fn is_ready(&self) -> bool {
        [&self.prompt, &self.gathering].iter().all(|line| line.state.is_ready.load(Ordering::Acquire))
    }

    /// Waits until what was sent has been answered.
    pub(super) fn flush(&self, time: Duration) -> Result<(), LogError> {
        for line in [&self.prompt, &self.gathering] {
            line.usable(&self.log)?.flush(time).map_err(LogError::unknown)?;
        }
        Ok(())
    }
}

impl Line {
    fn new(linger_ms: &'static str) -> Self {
        Self { linger_ms, state: Arc::default(), producer: Mutex::default() }
    }

    fn usable(&self, log: &Arc<Opened>) -> Result<Arc<Producer>, LogError> {
        let mut producer = self.producer.lock().unwrap_or_else(PoisonError::into_inner);
        if self.state.gave_up.swap(false, Ordering::AcqRel) {
            tracing::warn!("the log's producer does not get on: another one takes its place");
            retire(producer.take());
        }
        if let Some(producer) = producer.as_ref() {
            return Ok(Arc::clone(producer));
        }
        let deliveries = Deliveries::new(Arc::clone(log), Arc::clone(&self.state));
        let made = settings(log, self.linger_ms).create_with_context(deliveries);
        let made: Producer = made.map_err(|error: KafkaError| LogError::Broker(error.into()))?;
        Ok(Arc::clone(producer.insert(Arc::new(made))))
    }

    /// Waits for what became of an append. What a producer holds that has given up is sent no more: so whoever waits sees to it that it
    /// ends, and is told that this is unknown.
    async fn answer(&self, mut answered: Answered, log: &Arc<Opened>) -> Result<Vec<Position>, LogError> {
        loop {
            match timeout(TICK, &mut answered).await {
                Ok(answer) => {
                    return answer.unwrap_or_else(|_| Err(LogError::unknown(KafkaError::Canceled)));
                }
                Err(_) if self.state.gave_up.load(Ordering::Acquire) => {
                    // Where there is none to take its place, the next append says so.
                    let _ = self.usable(log);
                }
                Err(_) => {}
            }
        }
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        retire(self.producer.get_mut().unwrap_or_else(PoisonError::into_inner).take());
    }
}

/// Ends a producer on a thread of its own: it waits for what is under way, and whoever drops the log should not. Those who wait for
/// what it holds are told at once: they hold it too.
fn retire(producer: Option<Arc<Producer>>) {
    thread::spawn(move || {
        if let Some(producer) = producer {
            producer.purge(PurgeConfig::default().queue().inflight());
        }
    });
}

fn settings(log: &Opened, linger_ms: &str) -> ClientConfig {
    let mut client = log.config.client();
    client
        .set("enable.idempotence", "true")
        .set("acks", "all")
        .set("compression.type", "lz4")
        .set("linger.ms", linger_ms)
        .set("message.timeout.ms", log.config.sending.as_millis().to_string())
        .set("message.max.bytes", (MAX_RECORD + (64 << 10)).to_string())
        // What may wait is bounded by `ROOM`, before anything of an append is sent.
        .set("queue.buffering.max.messages", "0")
        .set("queue.buffering.max.kbytes", "2097151");
    client
}

/// Counts a caller for as long as it waits.
struct Caller<'a>(&'a AtomicUsize);

impl<'a> Caller<'a> {
    fn among(callers: &'a AtomicUsize) -> Self {
        callers.fetch_add(1, Ordering::Relaxed);
        Self(callers)
    }
}

impl Drop for Caller<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}
