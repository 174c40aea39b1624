//! One partition of the outbound topic: who writes it, and from where on.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, bail};
use eventlog::{GaplessWriter, Received, TopicEnds};
use ledger::{Offset, Partition};
use tokio::time::Instant as Moment;

use super::message::Place;
use super::page::{Next, Page, Pages};
use crate::stop::Stop;

/// How often is looked for rows that were committed since.
const POLL: Duration = Duration::from_millis(200);
/// How often whoever stands by looks whether another one writes.
const LOOK: Duration = Duration::from_millis(500);
/// How long nobody may have written although there is something to write before another one does. Each time it is up to
/// twice as long, by chance, so that of several who stand by one is the first.
const PATIENCE: Duration = Duration::from_secs(2);
/// How long after it wrote a writer looks, before it writes again, whether it still is the only one.
const FRESH: Duration = Duration::from_secs(1);
/// How long to wait before what failed is tried again.
const AGAIN: Duration = Duration::from_secs(5);
/// How long what is being written may take when the process is told to stop.
const GRACE: Duration = Duration::from_secs(5);
/// How often a writer says how far it is.
const TELL: Duration = Duration::from_secs(30);

/// Whether other processes may write the same topic.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Others {
    /// A lock keeps them away.
    None,
    /// Any number of them.
    MayBe,
}

/// Sends one partition.
pub(super) struct Sending {
    pub(super) partition: Partition,
    pub(super) log: String,
    pub(super) writer: Arc<GaplessWriter>,
    pub(super) pages: Pages,
    pub(super) others: Others,
    pub(super) stop: Stop,
    /// Where this process goes on, and the offset that the topic's next message then has.
    pub(super) next: Next,
    pub(super) end: Offset,
    pub(super) sent: u64,
}

impl Sending {
    /// Sends what is committed until told to stop; answers how many messages. What fails is tried again.
    pub(super) async fn run(mut self) -> u64 {
        while !self.stop.is_set() {
            if let Err(error) = self.take_part().await {
                let partition = self.partition;
                tracing::error!(%partition, "entries and outcomes are not sent, and tried again: {error:#}");
                self.stop.sleep(AGAIN).await;
            }
        }
        self.sent
    }

    /// Stands by, and writes when nobody else does, until told to stop.
    async fn take_part(&mut self) -> anyhow::Result<()> {
        let partition = self.partition;
        while let Some(page) = self.stand_by().await? {
            tracing::info!(%partition, offset = %self.next.offset, "entries and outcomes are sent from here");
            if self.write(page).await? {
                tracing::info!(%partition, "another process sends entries and outcomes: this one stands by");
            }
        }
        Ok(())
    }

    /// Waits until there is something to write and nobody writes it; none if told to stop.
    async fn stand_by(&mut self) -> anyhow::Result<Option<Page>> {
        self.read_back().await?;
        let patience = match self.others {
            Others::None => Duration::ZERO,
            Others::MayBe => PATIENCE.mul_f64(1.0 + chance()),
        };
        let mut waiting: Option<(Moment, Page)> = None;
        while !self.stop.is_set() {
            let (since, page) = match waiting.take() {
                Some(waiting) => waiting,
                None => (Moment::now(), self.pages.read(self.next).await?),
            };
            if !page.messages.is_empty() {
                if since.elapsed() >= patience {
                    return Ok(Some(page));
                }
                waiting = Some((since, page));
            } else {
                self.next = page.next;
            }
            self.stop.sleep(LOOK).await;
            let asked = Moment::now();
            let (_, end) = self.writer.ends().bounds(self.partition).await?;
            if end != self.end {
                waiting = None;
                self.read_back().await?;
            } else if asked.elapsed() > LOOK {
                // The broker was away: nobody could write.
                waiting = None;
            }
        }
        Ok(None)
    }

    /// Finds out what the topic has.
    async fn read_back(&mut self) -> anyhow::Result<()> {
        (self.next, self.end) = read_back(self.writer.ends(), self.partition, &self.log).await?;
        Ok(())
    }

    /// Writes this page and what follows it, until told to stop; or until another one writes, which it answers.
    async fn write(&mut self, mut page: Page) -> anyhow::Result<bool> {
        let (mut wrote, mut told) = (Moment::now(), Moment::now());
        loop {
            if page.messages.is_empty() {
                self.next = page.next;
                self.stop.sleep(POLL).await;
            } else {
                // A process that was frozen does not know what others did meanwhile.
                let is_fresh = self.others == Others::None || wrote.elapsed() < FRESH;
                if !is_fresh && self.writer.ends().bounds(self.partition).await?.1 != self.end {
                    return Ok(true);
                }
                match self.write_out(&page).await? {
                    Wrote::Alone => {}
                    Wrote::BesideAnother => return Ok(true),
                    Wrote::Stopped => return Ok(false),
                }
                wrote = Moment::now();
                self.next = page.next;
                if told.elapsed() >= TELL {
                    told = wrote;
                    let (partition, behind) = (self.partition, self.pages.behind(self.next));
                    tracing::info!(%partition, offset = %self.next.offset, behind, sent = self.sent, "sends entries and outcomes");
                }
            }
            if self.stop.is_set() {
                return Ok(false);
            }
            page = self.pages.read(self.next).await?;
        }
    }

    async fn write_out(&mut self, page: &Page) -> anyhow::Result<Wrote> {
        let (partition, count) = (self.partition, page.messages.len());
        let first = {
            let mut stop = self.stop.clone();
            let stopped = async move {
                stop.set().await;
                tokio::time::sleep(GRACE).await;
            };
            tokio::select! {
                first = self.writer.write(partition, &page.messages) => first?,
                () = stopped => return Ok(Wrote::Stopped),
            }
        };
        self.sent += count as u64;
        let expected = self.end;
        self.end = self.end.plus(count);
        let is_alone = match first {
            Some(first) => first == expected,
            None => self.writer.ends().bounds(partition).await?.1 == self.end,
        };
        Ok(if is_alone { Wrote::Alone } else { Wrote::BesideAnother })
    }
}

/// How it went to write a page.
enum Wrote {
    /// It follows what this process knew to be the last message.
    Alone,
    /// Another process wrote to the partition too.
    BesideAnother,
    /// The process was told to stop, and the broker takes long.
    Stopped,
}

/// Where to go on in a partition of the log, and the offset that the topic's next message then has.
///
/// # Errors
///
/// If the topic has what is no message of this log, has forgotten all it had, or cannot be read.
pub(super) async fn read_back(
    ends: &TopicEnds,
    partition: Partition,
    log: &str,
) -> anyhow::Result<(Next, Offset)> {
    let (_, end) = ends.bounds(partition).await?;
    let Some(last) = ends.last(partition).await? else {
        if end > Offset(0) {
            bail!(
                "partition {partition} of the topic has forgotten what was sent, so it is not known where to go on: delete the \
                 topic, and all is sent again; one that keeps messages for a time alone needs retention.ms=-1"
            );
        }
        return Ok((Next::default(), end));
    };
    Ok((Next::from(&place(&last, log)?), end.max(last.at.offset.plus(1))))
}

/// Where a message belongs that this program sent.
fn place(last: &Received, log: &str) -> anyhow::Result<Place> {
    let value = last.message.value.as_deref().unwrap_or_default();
    let place: Place = serde_json::from_slice(value).with_context(|| {
        format!(
            "the topic's message at {} is not one that `run --roles outbound` sends: name another topic",
            last.at
        )
    })?;
    if place.log != log || place.partition != last.at.partition.0 {
        bail!(
            "the topic's message at {} is of log {} and its partition {}, not of log {log}: name another topic",
            last.at,
            place.log,
            place.partition
        );
    }
    Ok(place)
}

/// From 0 up to 1.
fn chance() -> f64 {
    use std::hash::{BuildHasher, RandomState};
    f64::from(RandomState::new().hash_one(0u8) as u32) / f64::from(u32::MAX)
}
