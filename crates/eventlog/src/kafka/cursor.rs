//! One reader of one partition, on a thread of its own.

use std::sync::Arc;
use std::sync::mpsc;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use ledger::{Offset, Partition};
use mutants::{Mutant, is_on};
use rdkafka::Message;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::KafkaError;
use tokio::sync::oneshot;

use super::identity::{Look, Opened};
use super::keeper::{assign, consumer, failed, is_final, is_missing, is_outside, offset, seek};
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
    Read {
        from: Offset,
        limit: usize,
        answer: oneshot::Sender<Result<Stretch, LogError>>,
    },
    /// Waits for records, and brings those that came.
    Wait {
        from: Offset,
        answer: oneshot::Sender<Result<Stretch, LogError>>,
    },
}

/// How long to wait for a record that is known to be there, before it is looked whether the log is the same.
const STEP: Duration = Duration::from_millis(20);
/// A client that brings nothing of what is there for so long is given up for a new one, which has twice as long, and so on.
const SILENT: Duration = Duration::from_millis(200);
/// How long a new client may take to know a broker before it is told to read all the same.
const KNOWS: Duration = Duration::from_secs(1);
/// A stretch that was begun is handed out when nothing more came for so long.
const LULL: Duration = Duration::from_millis(200);
/// How many records a wait brings at most.
const TOGETHER: usize = 1024;
/// Over so many records a cursor reads on sooner than it is placed anew: they were appended here, mostly, and whoever follows the log
/// has them from there.
pub(super) const NEAR: u64 = 2_048;

/// Starts a cursor, which ends when nobody can ask it any more.
pub(super) fn start(
    log: Arc<Opened>,
    partition: Partition,
    reach: Reach,
) -> Result<(mpsc::Sender<Ask>, JoinHandle<()>), LogError> {
    let (asks, mailbox) = mpsc::channel();
    let run = move || {
        let mut cursor = None;
        for ask in mailbox {
            serve(&log, partition, reach, &mut cursor, ask);
        }
    };
    let thread = thread::Builder::new().name("log-cursor".into()).spawn(run)?;
    Ok((asks, thread))
}

fn serve(log: &Arc<Opened>, partition: Partition, reach: Reach, cursor: &mut Option<Cursor>, ask: Ask) {
    let (Ask::Read { answer, .. } | Ask::Wait { answer, .. }) = &ask;
    if answer.is_closed() {
        return;
    }
    let opened = match cursor.take() {
        Some(cursor) => Ok(cursor),
        None => Cursor::new(Arc::clone(log), partition, reach),
    };
    let (answer, read) = match (ask, opened) {
        (Ask::Read { answer, .. } | Ask::Wait { answer, .. }, Err(error)) => (answer, Err(error)),
        (Ask::Read { from, limit, answer }, Ok(opened)) => {
            (answer, cursor.insert(opened).answer(|cursor| cursor.read(from, limit)))
        }
        (Ask::Wait { from, answer }, Ok(opened)) => {
            (answer, cursor.insert(opened).answer(|cursor| cursor.wait(from)))
        }
    };
    // Who no longer waits leaves what was read to whoever comes next.
    if let (Err(Ok(unread)), Some(cursor)) = (answer.send(read), cursor) {
        cursor.put_back(unread);
    }
}

struct Cursor {
    log: Arc<Opened>,
    partition: Partition,
    reach: Reach,
    consumer: BaseConsumer<News>,
    /// Whether the consumer was told to read anything yet.
    is_assigned: bool,
    /// Whether the consumer reads on behind `held`.
    is_placed: bool,
    /// What was read and not handed out yet.
    held: Stretch,
    /// The last record that was handed out.
    last: Option<(Offset, Vec<u8>)>,
    /// The last one that was handed out before the last look: what came after that look may be another log's.
    anchor: Option<(Offset, Vec<u8>)>,
    look: Look,
}

impl Cursor {
    fn new(log: Arc<Opened>, partition: Partition, reach: Reach) -> Result<Self, LogError> {
        let consumer = connect(&log, reach)?;
        let look = log.look();
        let held = Stretch::new(Offset(0));
        let (is_placed, is_assigned, last, anchor) = (false, false, None, None);
        Ok(Self { log, partition, reach, consumer, is_assigned, is_placed, held, last, anchor, look })
    }

    fn read(&mut self, from: Offset, limit: usize) -> Result<Stretch, LogError> {
        self.log.goes_on()?;
        if limit == 0 {
            return Ok(Stretch::new(from));
        }
        self.place(from)?;
        self.collect(limit)?;
        self.hand_out()
    }

    /// Brings what stands at `from`, as soon as something does, and nothing after [`POLL`] at the latest.
    fn wait(&mut self, from: Offset) -> Result<Stretch, LogError> {
        self.log.goes_on()?;
        self.place(from)?;
        let until = Instant::now() + POLL;
        while self.held.is_empty() {
            let left = until.saturating_duration_since(Instant::now());
            if !self.take(left)? && left.is_zero() {
                return self.hand_out();
            }
        }
        while !self.held.is_enough(TOGETHER) && self.take(Duration::ZERO)? {}
        self.hand_out()
    }

    fn answer(
        &mut self,
        work: impl FnOnce(&mut Self) -> Result<Stretch, LogError>,
    ) -> Result<Stretch, LogError> {
        let answer = work(self);
        // After a failure only a new position is sure.
        self.is_placed &= answer.is_ok();
        answer
    }

    /// Gives what is held, once it is sure that it is of the same log.
    fn hand_out(&mut self) -> Result<Stretch, LogError> {
        self.look_again()?;
        let next = self.held.next();
        if self.held.is_empty() {
            return Ok(Stretch::new(next));
        }
        let read = std::mem::replace(&mut self.held, Stretch::new(next));
        let last = read.len() - 1;
        self.last = Some((read.first.plus(last), read.get(last).to_vec()));
        if self.anchor.is_none() {
            self.anchor.clone_from(&self.last);
        }
        Ok(read)
    }

    /// After a trouble looks whether it still is the same log, and each second beside reading.
    fn look_again(&mut self) -> Result<(), LogError> {
        let now = self.log.look();
        if self.look.is_troubled(&now) {
            let anchor = self.anchor.as_ref().map(|(offset, bytes)| (*offset, bytes.as_slice()));
            self.log.verify(self.partition, anchor)?;
        } else if !self.log.is_due(&self.look)
            || !Opened::verify_beside(&self.log, self.partition, &self.anchor)
        {
            return Ok(());
        }
        self.look = now;
        self.anchor.clone_from(&self.last);
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
        if self.is_placed && (self.held.first == from || self.passes_to(from)) {
            return Ok(());
        }
        let bounds = self.log.keeper.bounds(self.partition)?;
        let (partition, end) = (self.partition, bounds.end);
        if from > end {
            self.log.verify(partition, None)?;
            return Err(LogError::BeyondEnd { partition, from, end });
        }
        if from < bounds.first {
            return Err(self.log.is_not(partition, LogError::CutOff { partition, first: bounds.first }));
        }
        self.log.note_end(partition, end);
        self.held = Stretch::new(from);
        self.last = None;
        self.anchor = None;
        self.assign(from)
    }

    /// Reads on to `from` where that is near, without what comes before: whoever asks has it already.
    fn passes_to(&mut self, from: Offset) -> bool {
        let first = self.held.first;
        let is_near = self.reach == Reach::Far && first < from && from.0 - first.0 <= NEAR;
        if is_near {
            self.held = self.held.from(from).unwrap_or_else(|| Stretch::new(from));
        }
        is_near
    }

    fn assign(&mut self, from: Offset) -> Result<(), LogError> {
        let topic = self.log.config.topic();
        // To seek is quicker than to assign, and fails where the consumer is not reading for now.
        if !self.is_assigned || seek(&self.consumer, topic, self.partition, from).is_err() {
            assign(&self.consumer, topic, self.partition, from).map_err(|error| failed(topic, error))?;
        }
        self.is_assigned = true;
        self.is_placed = true;
        Ok(())
    }

    /// Fills `held` up to the limit or the end; it stays empty only at the end.
    fn collect(&mut self, limit: usize) -> Result<(), LogError> {
        let mut since = Instant::now();
        let mut silent = (since, SILENT);
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
                        self.log.verify(partition, None)?;
                        Err(LogError::BeyondEnd { partition, from, end })
                    };
                }
            } else if since.elapsed() > self.log.config.patience {
                return Err(LogError::Silent { waited: self.log.config.patience });
            } else if silent.0.elapsed() > silent.1 || self.look.is_troubled(&self.log.look()) {
                self.look = self.log.look();
                self.log.verify(self.partition, None)?;
                self.look_for_the_next()?;
                silent = (Instant::now(), silent.1 * 2);
            }
        }
        Ok(())
    }

    /// The next record did not come: it is a hole, or the consumer fell silent and a new one begins.
    fn look_for_the_next(&mut self) -> Result<(), LogError> {
        let (partition, at) = (self.partition, self.held.next());
        let is_there = self.log.keeper.record(partition, at)?.is_some();
        if !is_there && at < self.log.keeper.bounds(partition)?.end && !is_on(Mutant::HoleIgnored) {
            return Err(LogError::Hole { partition, at });
        }
        tracing::debug!(partition = partition.0, offset = at.0, "a reader of the log begins anew");
        self.consumer = connect(&self.log, self.reach)?;
        self.is_assigned = false;
        self.assign(at)
    }

    /// Takes the next record if it comes in time; answers whether one came.
    fn take(&mut self, time: Duration) -> Result<bool, LogError> {
        let expected = self.held.next();
        loop {
            match self.consumer.poll(time) {
                None | Some(Err(KafkaError::PartitionEOF(_))) => return Ok(false),
                Some(Err(error)) => return self.trouble(error).map(|()| false),
                Some(Ok(message)) => {
                    let found = offset(message.offset());
                    if found == expected || (found > expected && is_on(Mutant::HoleIgnored)) {
                        self.held.push(message.payload().unwrap_or_default());
                        return Ok(true);
                    }
                    if found > expected {
                        break;
                    }
                }
            }
        }
        self.look_for_the_next()?;
        Ok(false)
    }

    fn trouble(&mut self, error: KafkaError) -> Result<(), LogError> {
        if is_outside(&error) {
            let bounds = self.log.keeper.bounds(self.partition)?;
            let (partition, from, end) = (self.partition, self.held.next(), bounds.end);
            if from > end {
                return Err(self.log.is_not(partition, LogError::BeyondEnd { partition, from, end }));
            }
            if from < bounds.first {
                return Err(self.log.is_not(partition, LogError::CutOff { partition, first: bounds.first }));
            }
            // The consumer would stay silent from now on.
            return self.assign(from);
        }
        if is_missing(&error) || is_final(&error) {
            return Err(failed(self.log.config.topic(), error));
        }
        // The client goes on by itself, and has counted it as a trouble.
        Ok(())
    }
}

fn connect(log: &Opened, reach: Reach) -> Result<BaseConsumer<News>, LogError> {
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
    // One that is assigned before it knows a broker asks for the partition's leader again only a second later. Where none answers,
    // it will tell so when it reads.
    let _ = consumer.fetch_metadata(Some(log.config.topic()), KNOWS);
    Ok(consumer)
}
