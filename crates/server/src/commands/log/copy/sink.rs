//! Where a copy goes.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail, ensure};
use eventlog::{Appending, EventLog, Importing, KafkaLog, Log, LogError, Stretch};
use ledger::{Offset, Partition};

use crate::context::Context;
use crate::places::LogPlace;

/// So many records are appended together …
const TOGETHER: usize = 4_000;
/// … or so many bytes.
const BYTES: usize = 4 << 20;

/// The new log. Records are given in the order in which they stand in each partition, the genesis first.
pub(super) struct Sink {
    kind: Kind,
    partitions: u32,
    pushed: u64,
}

enum Kind {
    /// Seen as a whole, or not at all.
    File(Importing),
    /// A topic, which a copy that broke off has filled in part.
    Topic(Topic),
}

struct Topic {
    log: Log,
    /// Where each partition ended before, and how many records of it were compared since.
    there: Vec<(Offset, Offset)>,
    /// What was read of each partition to be compared.
    pages: Vec<Stretch>,
    waiting: Vec<Appending>,
    bytes: usize,
    /// Where each partition ends, if nobody else writes into it.
    ends: Vec<Offset>,
}

impl Sink {
    /// Begins a log, or goes on with one on Kafka that begins with the same genesis.
    pub(super) async fn begin(
        to: &str,
        context: &Context,
        genesis: &[u8],
        partitions: u32,
    ) -> anyhow::Result<Self> {
        if !to.starts_with("kafka://") {
            let path = to.strip_prefix("file://").or_else(|| to.strip_prefix("file:")).unwrap_or(to);
            ensure!(
                !path.contains("://"),
                "--to {to} is no place for a log: name a directory or kafka://host:port/topic"
            );
            std::fs::create_dir_all(path).with_context(|| format!("the directory {path} cannot be made"))?;
            let path: PathBuf = Path::new(path).join("log.db");
            let importing = Importing::begin(&path, partitions).await?;
            return Ok(Self { kind: Kind::File(importing), partitions, pushed: 0 });
        }
        let LogPlace::Kafka(_, config) = LogPlace::parse(Some(to), context.kafka_properties.as_ref())? else {
            bail!("--to {to} is no topic");
        };
        let log = match KafkaLog::create(config.clone(), genesis.to_vec(), partitions).await {
            Err(LogError::Exists { .. }) => KafkaLog::open(config).await,
            made => made,
        };
        let log = Log::from(log.with_context(|| format!("no copy can be made at {to}"))?);
        let mut there = Vec::new();
        for partition in (0..log.partitions()).map(Partition) {
            there.push((log.end(partition).await?, Offset(0)));
        }
        let first = log.read(Partition(0), Offset(0), 1).await?;
        ensure!(
            first.get(0) == genesis && log.partitions() == partitions,
            "there is another log at {to}: copy to another topic"
        );
        let ends = there.iter().map(|(end, _)| *end).collect();
        let pages = there.iter().map(|_| Stretch::new(Offset(0))).collect();
        let topic = Topic { log, there, pages, waiting: Vec::new(), bytes: 0, ends };
        Ok(Self { kind: Kind::Topic(topic), partitions, pushed: 0 })
    }

    pub(super) fn partitions(&self) -> u32 {
        self.partitions
    }

    /// Adds a record at the end of a partition.
    pub(super) async fn push(&mut self, partition: Partition, record: &[u8]) -> anyhow::Result<()> {
        self.pushed += 1;
        match &mut self.kind {
            Kind::File(importing) => {
                importing.push(partition, record).await?;
            }
            Kind::Topic(topic) => topic.push(partition, record).await?,
        }
        Ok(())
    }

    /// Makes the copy durable and whole; answers how many records it has.
    pub(super) async fn finish(self) -> anyhow::Result<u64> {
        match self.kind {
            Kind::File(importing) => importing.finish().await?,
            Kind::Topic(mut topic) => topic.finish().await?,
        }
        Ok(self.pushed)
    }
}

impl Topic {
    async fn push(&mut self, partition: Partition, record: &[u8]) -> anyhow::Result<()> {
        let (end, compared) = &mut self.there[partition.0 as usize];
        if *compared < *end {
            let at = *compared;
            *compared = at.plus(1);
            let page = &mut self.pages[partition.0 as usize];
            if page.next() <= at {
                *page = self.log.read(partition, at, TOGETHER).await?;
            }
            let index = usize::try_from(at.0 - page.first.0).unwrap_or(usize::MAX);
            ensure!(
                index < page.len() && page.get(index) == record,
                "partition {partition} has another record at offset {at} than the copy would have: copy to another topic"
            );
            return Ok(());
        }
        self.bytes += record.len();
        self.waiting.push(Appending { partition, bytes: record.to_vec() });
        if self.waiting.len() >= TOGETHER || self.bytes >= BYTES { self.append().await } else { Ok(()) }
    }

    async fn append(&mut self) -> anyhow::Result<()> {
        self.bytes = 0;
        let waiting = std::mem::take(&mut self.waiting);
        if waiting.is_empty() {
            return Ok(());
        }
        let appended = self.log.append(waiting).await;
        let appended = appended.context("the copy broke off: run the same command again to finish it")?;
        for at in appended {
            let end = &mut self.ends[at.partition.0 as usize];
            ensure!(at.offset == *end, "somebody else writes into partition {} of the copy", at.partition);
            *end = end.plus(1);
        }
        Ok(())
    }

    async fn finish(&mut self) -> anyhow::Result<()> {
        self.append().await?;
        for (partition, (end, (there, compared))) in
            (0..).map(Partition).zip(self.ends.iter().zip(&self.there))
        {
            let found = self.log.end(partition).await?;
            ensure!(
                found == *end && compared == there,
                "partition {partition} of the copy has more records than the log: it was written into since"
            );
        }
        Ok(self.log.close().await?)
    }
}
