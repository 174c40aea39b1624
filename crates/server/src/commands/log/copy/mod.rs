//! `drawdown log copy`: the log at another place, as it is or renumbered.

mod pages;
mod renumber;
mod sink;

use std::collections::BTreeSet;
use std::fmt;

use anyhow::{Context as _, bail, ensure};
use eventlog::{EventLog, Log};
use ledger::{CopiedFrom, Event, Genesis, Instant, LeftOut, Offset, Partition, Position};
use serde::Serialize;
use sha2::{Digest, Sha256};

use crate::context::Context;
use crate::exit::Exit;
use crate::progress::Progress;
use pages::Pages;
use renumber::renumber;
use sink::Sink;

/// So many records can be left out: the genesis names each.
const MOST_LEFT_OUT: usize = 10_000;

/// Copy the log to another place: a topic of Kafka, or a directory.
///
/// With the same number of partitions, and nothing left out, it is the same log: same genesis, offsets, chain and digests. Else it is
/// a new log, renumbered, whose genesis names the old one and what was left out; the wallets come out the same. What is appended to
/// the old one meanwhile is not copied. A copy to Kafka that broke off is finished by the same command.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  drawdown --data ./data log copy --to kafka://localhost:9092/drawdown
  drawdown --log kafka://localhost:9092/drawdown log copy --to kafka://localhost:9092/larger --partitions 64
  drawdown --data ./data log copy --to ./mended --without 2:1041")]
pub(crate) struct Args {
    /// Where to: kafka://host:port/topic, or a directory; no log may be there
    #[arg(long, value_name = "URL")]
    to: String,
    /// How many partitions the copy has [default: as many as the log]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1024))]
    partitions: Option<u32>,
    /// Leave this record out
    #[arg(long, value_name = "P:N", num_args = 1..)]
    without: Vec<Position>,
}

#[derive(Serialize)]
struct Report {
    log: String,
    partitions: u32,
    records: u64,
    /// What it was copied from, where it is another log.
    copied: Option<CopiedFrom>,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let partitions = if self.partitions == 1 { "partition" } else { "partitions" };
        write!(f, "log {}: {} records in {} {partitions}", self.log, self.records, self.partitions)?;
        let Some(of) = &self.copied else { return Ok(()) };
        write!(f, ", copied from log {} with {}", of.log, of.partitions)?;
        if of.without.is_empty() { Ok(()) } else { write!(f, ", {} left out", of.without.len()) }
    }
}

pub(crate) async fn run(args: Args, context: &Context) -> anyhow::Result<Exit> {
    let Some(log) = context.open_log_if_any().await? else {
        bail!("there is no log {}", context.log_place());
    };
    let without: BTreeSet<Position> = args.without.iter().copied().collect();
    let mut ends = Vec::new();
    for partition in (0..log.partitions()).map(Partition) {
        ends.push(log.end(partition).await?);
    }
    check(&without, &ends)?;
    let first = log.read(Partition(0), Offset(0), 1).await?;
    let (genesis, recorded_at) = read_genesis(first.get(0))?;
    let progress = Progress::new("records", Some(ends.iter().map(|end| end.0).sum()));
    let partitions = args.partitions.unwrap_or(genesis.partitions);
    let report = if partitions == genesis.partitions && without.is_empty() {
        let mut sink = Sink::begin(&args.to, context, first.get(0), partitions).await?;
        as_it_is(&log, &ends, &mut sink, &progress).await?;
        Report { log: genesis.log, partitions, records: sink.finish().await?, copied: None }
    } else {
        let (id, copied) = another(&genesis, partitions, &without);
        let stamp = ingest::Stamp { now: recorded_at, by: "operator", backfill: false };
        let first = ingest::copied_genesis(&id, partitions, &copied, genesis.fold, &stamp);
        let mut sink = Sink::begin(&args.to, context, &first, partitions).await?;
        for partition in (0..partitions).map(Partition) {
            sink.push(partition, &first).await?;
        }
        renumber(&log, &ends, (genesis.fold, &without), &mut sink, &progress).await?;
        Report { log: id, partitions, records: sink.finish().await?, copied: Some(copied) }
    };
    drop(progress);
    context.print(&report)?;
    Ok(Exit::Ok)
}

fn check(without: &BTreeSet<Position>, ends: &[Offset]) -> anyhow::Result<()> {
    ensure!(without.len() <= MOST_LEFT_OUT, "at most {MOST_LEFT_OUT} records can be left out");
    for at in without {
        let end = ends.get(at.partition.0 as usize);
        ensure!(end.is_some_and(|end| at.offset < *end), "there is no record at {at} to be left out");
        ensure!(at.offset > Offset(0), "the record at {at} is the genesis: it cannot be left out");
    }
    Ok(())
}

fn read_genesis(record: &[u8]) -> anyhow::Result<(Genesis, Instant)> {
    let record = ledger::decode(record).context("the log begins with no genesis")?;
    let Event::Genesis(genesis) = record.event else {
        bail!("the log begins with no genesis but a {} record", record.event.word());
    };
    Ok((genesis, record.envelope.recorded_at))
}

/// The id of the new log, which follows from what is copied, and what its genesis says of that.
fn another(genesis: &Genesis, partitions: u32, without: &BTreeSet<Position>) -> (String, CopiedFrom) {
    let mut hash = Sha256::new();
    for word in ["copy", &genesis.log, &partitions.to_string()] {
        hash.update((word.len() as u64).to_be_bytes());
        hash.update(word);
    }
    for at in without {
        hash.update(at.partition.0.to_be_bytes());
        hash.update(at.offset.0.to_be_bytes());
    }
    let id = hash.finalize()[..16].iter().map(|byte| format!("{byte:02x}")).collect();
    let left_out = |at: &Position| LeftOut { partition: at.partition.0, offset: at.offset.0 };
    let without = without.iter().map(left_out).collect();
    (id, CopiedFrom { log: genesis.log.clone(), partitions: genesis.partitions, without })
}

async fn as_it_is(log: &Log, ends: &[Offset], sink: &mut Sink, progress: &Progress) -> anyhow::Result<()> {
    for (partition, end) in (0..).map(Partition).zip(ends) {
        let mut pages = Pages::new(log, partition, *end);
        while let Some((_, record)) = pages.next().await? {
            sink.push(partition, record).await?;
            progress.add(1);
        }
    }
    Ok(())
}
