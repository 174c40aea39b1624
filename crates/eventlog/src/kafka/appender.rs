//! Appending: acknowledged by all replicas, in order, each record once.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use ledger::Position;
use rdkafka::ClientConfig;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::producer::{BaseRecord, Producer as _, PurgeConfig, ThreadedProducer};
use tokio::sync::Semaphore;
use tokio::time::timeout;

use super::delivery::{Answered, Append, Deliveries, Delivery, SenderState};
use super::identity::{Look, Opened};
use super::keeper::{failed, native};
use super::news::STATISTICS;
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

/// One kind of producer, made anew when it has given up, or knows no broker any more.
struct Line {
    linger_ms: &'static str,
    current: Mutex<Option<Arc<Sender>>>,
}

/// A producer, and what is known of it.
struct Sender {
    producer: Producer,
    state: Arc<SenderState>,
}

impl Appender {
    /// Connects both producers, so that the first record need not wait for it.
    pub(super) fn new(log: Arc<Opened>) -> Result<Self, LogError> {
        let (prompt, gathering) = (Line::new("0"), Line::new("1"));
        for line in [&prompt, &gathering] {
            let (topic, patience) = (log.config.topic(), log.config.patience);
            let metadata = line.usable(&log)?.producer.client().fetch_metadata(Some(topic), patience);
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
        let sender = line.usable(&self.log)?;
        let (append, answered) = Append::new(self.log.clone(), &records, room);
        for (index, record) in records.iter().enumerate() {
            let kept = (records.len() <= KEPT).then(|| record.bytes.clone());
            let delivery = Box::new(Delivery { append: Arc::clone(&append), index, kept });
            let message = BaseRecord::<(), [u8], _>::with_opaque_to(self.log.config.topic(), delivery)
                .partition(native(record.partition))
                .payload(&record.bytes);
            if let Err((error, _)) = sender.producer.send(message) {
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
        line.answer(sender, answered, &self.log).await
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
        [&self.prompt, &self.gathering].iter().all(|line| line.is_ready())
    }

    /// Waits until what was sent has been answered.
    pub(super) fn flush(&self, time: Duration) -> Result<(), LogError> {
        for line in [&self.prompt, &self.gathering] {
            line.usable(&self.log)?.producer.flush(time).map_err(LogError::unknown)?;
        }
        Ok(())
    }
}

impl Line {
    fn new(linger_ms: &'static str) -> Self {
        Self { linger_ms, current: Mutex::default() }
    }

    fn current(&self) -> MutexGuard<'_, Option<Arc<Sender>>> {
        self.current.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_ready(&self) -> bool {
        self.current().as_ref().is_some_and(|sender| sender.state.is_ready.load(Ordering::Acquire))
    }

    fn usable(&self, log: &Arc<Opened>) -> Result<Arc<Sender>, LogError> {
        let mut current = self.current();
        if let Some(stale) = current.take_if(|sender| sender.has_given_up()) {
            tracing::warn!("the log's producer does not get on: another one takes its place");
            retire(stale);
        }
        if let Some(sender) = current.as_ref() {
            return Ok(Arc::clone(sender));
        }
        let state = Arc::<SenderState>::default();
        let deliveries = Deliveries::new(Arc::clone(log), Arc::clone(&state));
        let made = settings(log, self.linger_ms).create_with_context(deliveries);
        let producer = made.map_err(|error: KafkaError| LogError::Broker(error.into()))?;
        Ok(Arc::clone(current.insert(Arc::new(Sender { producer, state }))))
    }

    /// Waits for what became of an append. What a producer holds that has given up is sent no more: whoever waits for it sees to it
    /// that this is told, and that another one takes its place.
    async fn answer(
        &self,
        sender: Arc<Sender>,
        mut answered: Answered,
        log: &Arc<Opened>,
    ) -> Result<Vec<Position>, LogError> {
        let answer = loop {
            match timeout(TICK, &mut answered).await {
                Ok(answer) => break answer,
                Err(_) if sender.has_given_up() => {
                    retire(Arc::clone(&sender));
                    // Where there is none to take its place, the next append says so.
                    let _ = self.usable(log);
                }
                Err(_) => {}
            }
        };
        if sender.has_given_up() {
            retire(sender);
        }
        answer.unwrap_or_else(|_| Err(LogError::unknown(KafkaError::Canceled)))
    }
}

impl Sender {
    fn has_given_up(&self) -> bool {
        self.state.gave_up.load(Ordering::Acquire)
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        if let Some(sender) = self.current().take() {
            retire(sender);
        }
    }
}

/// Tells those who wait for what a producer holds, and lets go of it, on a thread of its own: to end it takes time, and whoever drops the
/// log should not wait for that.
fn retire(sender: Arc<Sender>) {
    thread::spawn(move || sender.producer.purge(PurgeConfig::default().queue().inflight()));
}

fn settings(log: &Opened, linger_ms: &str) -> ClientConfig {
    let mut client = log.config.client();
    client
        .set("enable.idempotence", "true")
        .set("acks", "all")
        .set("compression.type", "lz4")
        .set("linger.ms", linger_ms)
        .set(STATISTICS.0, STATISTICS.1)
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
