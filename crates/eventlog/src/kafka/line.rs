//! One kind of producer, made anew when it has given up, or knows no broker any more.

use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use ledger::Partition;
use rdkafka::ClientConfig;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::producer::{BaseRecord, Producer as _, PurgeConfig, ThreadedProducer};

use super::delivery::{Deliveries, Delivery, SenderState, Waiting};
use super::identity::Opened;
use super::keeper::{failed, native};
use super::news::STATISTICS;
use super::sending::{Sending, refuse};
use crate::{LogError, MAX_RECORD};

/// How long a producer that has given up may take to tell what it does not send, and how often is looked.
const TELLING: Duration = Duration::from_secs(30);
const LOOK: Duration = Duration::from_millis(10);

/// The one of its kind that is in use.
pub(super) struct Line {
    linger_ms: &'static str,
    current: Mutex<Option<Arc<Sender>>>,
}

/// A producer, and what is known of it.
pub(super) struct Sender {
    pub(super) producer: ThreadedProducer<Deliveries>,
    state: Arc<SenderState>,
}

impl Line {
    /// Of producers that wait so long for more before they send.
    pub(super) fn new(linger_ms: &'static str) -> Self {
        Self { linger_ms, current: Mutex::default() }
    }

    fn current(&self) -> MutexGuard<'_, Option<Arc<Sender>>> {
        self.current.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether the next record is sent at once.
    pub(super) fn is_ready(&self) -> bool {
        self.current().as_ref().is_some_and(|sender| sender.state.is_ready.load(Ordering::Acquire))
    }

    /// Sends a partition's records in their turn; how many were. The appends of the others are told.
    ///
    /// No other producer takes the place of the one in use meanwhile, and nobody is left the last to have it: this is also called by its
    /// own thread, which would wait for itself.
    pub(super) fn send(
        &self,
        sending: &Arc<Sending>,
        partition: Partition,
        records: Vec<Waiting>,
        may_renew: bool,
    ) -> usize {
        let mut current = self.current();
        let is_usable = current.as_ref().is_some_and(|sender| !sender.has_given_up());
        let sender = match may_renew || is_usable {
            true => Self::renewed(&mut current, self.linger_ms, sending),
            false => Err(LogError::Shed),
        };
        match sender {
            Ok(sender) => sender.send((sending.log.config.topic(), partition), records, true),
            Err(error) => {
                refuse(records, &error);
                0
            }
        }
    }

    /// Whether nothing that was sent is unanswered.
    pub(super) fn is_idle(&self) -> bool {
        self.current().as_ref().is_none_or(|sender| sender.producer.in_flight_count() == 0)
    }

    /// The producer in use, for whoever is none of its own threads.
    pub(super) fn usable(&self, sending: &Arc<Sending>) -> Result<Arc<Sender>, LogError> {
        Self::renewed(&mut self.current(), self.linger_ms, sending).map(Arc::clone)
    }

    fn renewed<'a>(
        current: &'a mut Option<Arc<Sender>>,
        linger_ms: &str,
        sending: &Arc<Sending>,
    ) -> Result<&'a Arc<Sender>, LogError> {
        if let Some(stale) = current.take_if(|sender| sender.has_given_up()) {
            tracing::warn!("the log's producer does not get on: another one takes its place");
            retire(stale);
        }
        if current.is_none() {
            let state = Arc::<SenderState>::default();
            let deliveries = Deliveries::new(sending, Arc::clone(&state));
            let made = settings(&sending.log, linger_ms).create_with_context(deliveries);
            let producer = made.map_err(|error: KafkaError| LogError::Broker(error.into()))?;
            *current = Some(Arc::new(Sender { producer, state }));
        }
        Ok(current.as_ref().expect("there is one now"))
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        if let Some(sender) = self.current().take() {
            retire(sender);
        }
    }
}

impl Sender {
    pub(super) fn has_given_up(&self) -> bool {
        self.state.gave_up.load(Ordering::Acquire)
    }

    /// Sends a partition's records in order, until one is not taken; how many were. The appends of the others are told.
    pub(super) fn send(
        &self,
        (topic, partition): (&str, Partition),
        records: Vec<Waiting>,
        in_turn: bool,
    ) -> usize {
        let mut records = records.into_iter();
        let mut sent = 0;
        while let Some(Waiting { append, index, bytes, is_kept }) = records.next() {
            let kept = is_kept.then(|| bytes.clone());
            let delivery = Box::new(Delivery { append, index, kept, in_turn });
            let message = BaseRecord::<(), [u8], _>::with_opaque_to(topic, delivery)
                .partition(native(partition))
                .payload(&bytes);
            if let Err((error, refused)) = self.producer.send(message) {
                let is_full = error.rdkafka_error_code() == Some(RDKafkaErrorCode::QueueFull);
                let error = if is_full { LogError::Shed } else { failed(topic, error) };
                refused.delivery_opaque.append.refused(error.clone());
                refuse(records, &error);
                return sent;
            }
            sent += 1;
        }
        sent
    }
}

/// Tells those who wait for what a producer holds, and lets go of it, on a thread of its own: to end it takes time, and whoever drops the
/// log should not wait for that.
pub(super) fn retire(sender: Arc<Sender>) {
    thread::spawn(move || {
        let until = Instant::now() + TELLING;
        loop {
            let all = PurgeConfig::default().queue().inflight();
            sender.producer.purge(all);
            if sender.producer.in_flight_count() == 0 || Instant::now() > until {
                break;
            }
            thread::sleep(LOOK);
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
        .set(STATISTICS.0, STATISTICS.1)
        .set("message.timeout.ms", log.config.sending.as_millis().to_string())
        .set("message.max.bytes", (MAX_RECORD + (64 << 10)).to_string())
        // What may wait is bounded by the appender, before anything of an append is sent.
        .set("queue.buffering.max.messages", "0")
        .set("queue.buffering.max.kbytes", "2097151");
    client
}
