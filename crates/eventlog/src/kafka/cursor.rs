//! One reader of one partition, on a thread of its own.

use std::sync::Arc;
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use ledger::{Offset, Partition};
use rdkafka::Message;
use rdkafka::consumer::BaseConsumer;
use rdkafka::error::KafkaError;
use tokio::sync::oneshot;

use super::identity::{Look, Opened};
use super::keeper::{assign, consumer, failed, is_final, is_missing, is_outside, offset};
use super::news::News;
use crate::{LogError, POLL, Stretch};

/// How far a cursor reads ahead.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Reach {
    /// For a few records of history: what is fetched beyond them is wasted.
    Near,
    /// For whoever reads on: the next records are there before they are asked for.
    Far,
}

/// What a cursor is asked, with where the answer goes.
pub(super) enum Ask {
    Read { from: Offset, limit: usize, answer: oneshot::Sender<Result<Stretch, LogError>> },
    Wait { from: Offset, answer: oneshot::Sender<()> },
}

/// How long to wait for a record that is known to be there, before it is looked whether the log is the same.
const STEP: Duration = Duration::from_millis(20);
/// A stretch that was begun is handed out when nothing more came for so long.
const LULL: Duration = Duration::from_millis(200);

/// Starts a cursor, which ends when nobody can ask it any more.
pub(super) fn start(
    log: Arc<Opened>,
    partition: Partition,
    reach: Reach,
) -> Result<mpsc::Sender<Ask>, LogError> {
    let (asks, mailbox) = mpsc::channel();
    let run = move || {
        let mut cursor = None;
        for ask in mailbox {
            serve(&log, partition, reach, &mut cursor, ask);
        }
    };
    thread::Builder::new().name("log-cursor".into()).spawn(run)?;
    Ok(asks)
}

fn serve(log: &Arc<Opened>, partition: Partition, reach: Reach, cursor: &mut Option<Cursor>, ask: Ask) {
    let opened = match cursor.take() {
        Some(cursor) => Ok(cursor),
        None => Cursor::new(Arc::clone(log), partition, reach),
    };
    match (ask, opened) {
        (Ask::Read { answer, .. }, Err(error)) => {
            // Who no longer waits need not know.
            let _ = answer.send(Err(error));
        }
        (Ask::Wait { .. }, Err(_)) => {}
        (Ask::Read { from, limit, answer }, Ok(mut opened)) => {
            let read = opened.read(from, limit);
            // After a failure only a new position is sure.
            opened.is_placed &= read.is_ok();
            if let Err(Ok(unread)) = answer.send(read) {
                opened.put_back(unread);
            }
            *cursor = Some(opened);
        }
        (Ask::Wait { from, answer }, Ok(mut opened)) => {
            let waited = opened.wait(from);
            opened.is_placed &= waited.is_ok();
            let _ = answer.send(());
            *cursor = Some(opened);
        }
    }
}

struct Cursor {
    log: Arc<Opened>,
    partition: Partition,
    consumer: BaseConsumer<News>,
    /// Whether the consumer reads on behind `held`.
    is_placed: bool,
    /// What was read and not handed out yet.
    held: Stretch,
    /// The last record that was handed out.
    last: Option<(Offset, Vec<u8>)>,
    look: Look,
    /// Whether a gap was met, and the same place is read again to see whether it really is one.
    saw_a_gap: bool,
}

impl Cursor {
    fn new(log: Arc<Opened>, partition: Partition, reach: Reach) -> Result<Self, LogError> {
        let consumer = consumer(&log.config, log.news.clone(), |client| match reach {
            Reach::Near => {
                client
                    .set("fetch.wait.max.ms", "5")
                    .set("fetch.message.max.bytes", "65536")
                    .set("queued.max.messages.kbytes", "64");
            }
            Reach::Far => {
                // A request that waits at the end keeps the connection from being asked for another place.
                client.set("fetch.wait.max.ms", "100").set("queued.max.messages.kbytes", "16384");
            }
        })?;
        let look = log.look();
        let held = Stretch::new(Offset(0));
        Ok(Self { log, partition, consumer, is_placed: false, held, last: None, look, saw_a_gap: false })
    }

    fn read(&mut self, from: Offset, limit: usize) -> Result<Stretch, LogError> {
        self.log.goes_on()?;
        if limit == 0 {
            return Ok(Stretch::new(from));
        }
        self.place(from)?;
        self.collect(limit)?;
        if self.held.is_empty() {
            return Ok(Stretch::new(from));
        }
        if self.log.is_due(&self.look) {
            let look = self.log.look();
            let last = self.last.as_ref().map(|(offset, bytes)| (*offset, bytes.as_slice()));
            self.log.verify(self.partition, last)?;
            self.look = look;
        }
        let next = self.held.next();
        let read = std::mem::replace(&mut self.held, Stretch::new(next));
        let last = read.len() - 1;
        self.last = Some((read.first.plus(last), read.get(last).to_vec()));
        Ok(read)
    }

    /// Returns when a record stands at `from`, and after [`POLL`] at the latest.
    fn wait(&mut self, from: Offset) -> Result<(), LogError> {
        self.log.goes_on()?;
        self.place(from)?;
        let until = Instant::now() + POLL;
        while self.held.is_empty() {
            let left = until.saturating_duration_since(Instant::now());
            self.take(left)?;
            if left.is_zero() {
                break;
            }
        }
        Ok(())
    }

    /// Takes back what nobody waits for any more.
    fn put_back(&mut self, unread: Stretch) {
        if self.is_placed && self.held.is_empty() && unread.next() == self.held.first {
            self.held = unread;
        }
    }

    /// Sees to it that `from` is read next.
    fn place(&mut self, from: Offset) -> Result<(), LogError> {
        if self.is_placed && self.held.first == from {
            return Ok(());
        }
        let bounds = self.log.keeper.bounds(self.partition)?;
        let (partition, end) = (self.partition, bounds.end);
        if from > end {
            return Err(LogError::BeyondEnd { partition, from, end });
        }
        if from < bounds.first {
            return Err(self.log.halt(LogError::CutOff { partition, first: bounds.first }));
        }
        self.log.note_end(partition, end);
        self.held = Stretch::new(from);
        self.last = None;
        self.saw_a_gap = false;
        self.assign(from)
    }

    fn assign(&mut self, from: Offset) -> Result<(), LogError> {
        let topic = self.log.config.topic();
        assign(&self.consumer, topic, self.partition, from).map_err(|error| failed(topic, error))?;
        self.is_placed = true;
        Ok(())
    }

    /// Fills `held` up to the limit or the end; it stays empty only at the end.
    fn collect(&mut self, limit: usize) -> Result<(), LogError> {
        let mut since = Instant::now();
        while !self.held.is_enough(limit) {
            let is_more = self.held.next() < self.log.surely(self.partition);
            if self.take(if is_more { STEP } else { Duration::ZERO })? {
                since = Instant::now();
                continue;
            }
            if !self.held.is_empty() {
                if !is_more || since.elapsed() > LULL {
                    return Ok(());
                }
            } else if !is_more {
                let from = self.held.first;
                let end = self.log.end(self.partition)?;
                if end <= from {
                    let partition = self.partition;
                    return if end == from {
                        Ok(())
                    } else {
                        Err(LogError::BeyondEnd { partition, from, end })
                    };
                }
            } else if since.elapsed() > self.log.config.patience {
                return Err(LogError::Silent { waited: self.log.config.patience });
            } else if self.log.is_due(&self.look) {
                self.look = self.log.look();
                self.log.verify(self.partition, None)?;
            }
        }
        Ok(())
    }

    /// Takes the next record if it comes in time; answers whether one came.
    fn take(&mut self, time: Duration) -> Result<bool, LogError> {
        let expected = self.held.next();
        let found = match self.consumer.poll(time) {
            None | Some(Err(KafkaError::PartitionEOF(_))) => return Ok(false),
            Some(Err(error)) => return self.trouble(error).map(|()| false),
            Some(Ok(message)) => {
                let found = offset(message.offset());
                if found == expected {
                    self.held.push(message.payload().unwrap_or_default());
                    self.saw_a_gap = false;
                    return Ok(true);
                }
                found
            }
        };
        if found < expected {
            return Ok(false);
        }
        if self.saw_a_gap {
            return Err(LogError::Hole { partition: self.partition, at: expected });
        }
        self.saw_a_gap = true;
        self.assign(expected)?;
        Ok(false)
    }

    fn trouble(&mut self, error: KafkaError) -> Result<(), LogError> {
        if is_outside(&error) {
            let bounds = self.log.keeper.bounds(self.partition)?;
            let (partition, from, end) = (self.partition, self.held.next(), bounds.end);
            if from > end {
                return Err(self.log.halt(LogError::BeyondEnd { partition, from, end }));
            }
            if from < bounds.first {
                return Err(self.log.halt(LogError::CutOff { partition, first: bounds.first }));
            }
            // The consumer would stay silent from now on.
            self.log.news.note(&error);
            return self.assign(from);
        }
        if is_missing(&error) || is_final(&error) {
            return Err(failed(self.log.config.topic(), error));
        }
        self.log.news.note(&error);
        Ok(())
    }
}
