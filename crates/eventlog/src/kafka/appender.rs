//! Appending: acknowledged by all replicas, in order, each record once.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use ledger::{Partition, Position};
use rdkafka::error::KafkaError;
use rdkafka::producer::Producer as _;
use tokio::sync::Semaphore;
use tokio::time::timeout;

use super::delivery::{Answered, Append, Waiting};
use super::identity::{Look, Opened};
use super::keeper::failed;
use super::line::{Sender, retire};
use super::sending::Sending;
use crate::{Appending, LogError};

/// How many KiB may be on their way; a record takes one at least.
const ROOM: u32 = 64 << 10;
/// Appends of more records are of somebody who fills the log: they do not wait for their turn, and whoever follows the log here fetches
/// them, for that costs less than to keep them.
const MANY: usize = 256;
/// How often whoever waits for an answer looks whether any can come.
const TICK: Duration = Duration::from_millis(250);

pub(super) struct Appender {
    log: Arc<Opened>,
    sending: Arc<Sending>,
    room: Arc<Semaphore>,
    look: tokio::sync::Mutex<Look>,
}

impl Appender {
    /// Connects the producers, so that the first record need not wait for it.
    pub(super) fn new(log: Arc<Opened>) -> Result<Self, LogError> {
        let sending = Sending::new(Arc::clone(&log));
        for line in sending.lines() {
            let (topic, patience) = (log.config.topic(), log.config.patience);
            let metadata = line.usable(&sending)?.producer.client().fetch_metadata(Some(topic), patience);
            metadata.map_err(|error| failed(topic, error))?;
        }
        let look = tokio::sync::Mutex::new(log.look());
        let room = Arc::new(Semaphore::new(ROOM as usize));
        Ok(Self { log, sending, room, look })
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

        let is_kept = records.len() <= MANY;
        let (append, answered) = Append::new(self.log.clone(), &records, room);
        let mut groups: BTreeMap<Partition, Vec<Waiting>> = BTreeMap::new();
        for (index, Appending { partition, bytes }) in records.into_iter().enumerate() {
            let append = Arc::clone(&append);
            groups.entry(partition).or_default().push(Waiting { append, index, bytes, is_kept });
        }
        let mut filler = None;
        if is_kept {
            groups.into_iter().for_each(|(partition, records)| self.sending.take(partition, records));
        } else {
            let sender = filler.insert(self.sending.gathering.usable(&self.sending)?);
            for (partition, records) in groups {
                sender.send((self.log.config.topic(), partition), records, false);
            }
        }
        self.answer(answered, filler).await
    }

    /// Waits for what became of an append. What a producer holds that has given up is sent no more: whoever waits for it sees to it
    /// that this is told, and that another one takes its place.
    async fn answer(
        &self,
        mut answered: Answered,
        filler: Option<Arc<Sender>>,
    ) -> Result<Vec<Position>, LogError> {
        let stale = || filler.as_ref().filter(|sender| sender.has_given_up()).cloned();
        let answer = loop {
            match timeout(TICK, &mut answered).await {
                Ok(answer) => break answer,
                Err(_) => {
                    self.sending.renew();
                    stale().into_iter().for_each(retire);
                }
            }
        };
        stale().into_iter().for_each(retire);
        answer.unwrap_or_else(|_| Err(LogError::unknown(KafkaError::Canceled)))
    }

    /// After a trouble of any connection the broker may be another one: it is asked before anything is sent to it.
    async fn look_again(&self) -> Result<(), LogError> {
        let mut look = self.look.lock().await;
        let now = self.log.look();
        if !look.is_troubled(&now) {
            return Ok(());
        }
        let log = Arc::clone(&self.log);
        let verified = tokio::task::spawn_blocking(move || log.verify(Partition(0), None)).await;
        verified.unwrap_or(Err(LogError::Closed))?;
        *look = now;
        Ok(())
    }

    /// Whether the next record is sent at once.
    pub(super) fn is_ready(&self) -> bool {
        self.sending.lines().iter().all(|line| line.is_ready())
    }

    /// Waits until what was sent has been answered.
    pub(super) fn flush(&self, time: Duration) -> Result<(), LogError> {
        self.sending.flush(time)
    }
}
