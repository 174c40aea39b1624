//! `drawdown verify`: proves the projections.

use std::fmt;
use std::sync::Arc;

use anyhow::bail;
use eventlog::{EventLog, Log};
use ledger::{Offset, Partition, Position};
use projector::{Depth, Divergence, ProjectorError, Verified};
use serde::Serialize;
use store::Store;
use store::rows::{Counts, Head};
use tokio::sync::Semaphore;

use crate::context::Context;
use crate::exit::Exit;
use crate::progress::Progress;
use crate::view::divergence::Found;
use crate::view::{Align, Table, behind, number};

/// How many partitions are verified at once.
const AT_ONCE: usize = 2;

/// Fold the log again from its first record, and compare every row that is stored with it.
///
/// It works beside `run`: what is compared is what was committed when it began.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  drawdown --data ./data verify || echo diverged")]
pub(crate) struct Args {}

/// What the proof came to.
#[derive(Debug, Serialize)]
pub(crate) struct Report {
    verified: bool,
    log: String,
    records: u64,
    rows: u64,
    partitions: Vec<Part>,
    /// How many records are not folded yet, and so not compared.
    behind: u64,
    /// The first divergence: that of the lowest offset, when several partitions diverge.
    divergence: Option<Found>,
}

#[derive(Debug, Serialize)]
struct Part {
    partition: u32,
    /// The next record to fold.
    offset: u64,
    rows: u64,
    digest: String,
    chain: String,
    applied: u64,
    duplicate: u64,
    conflicting: u64,
    rejected: u64,
    quarantined: u64,
    timers: u64,
    unpriced: u64,
}

impl Report {
    pub(crate) fn exit(&self) -> Exit {
        if self.verified { Exit::Ok } else { Exit::Diverged }
    }
}

pub(crate) async fn run(_: Args, context: &Context) -> anyhow::Result<Exit> {
    let Some(log) = context.open_log_if_any().await? else {
        bail!("there is no log {}", context.log_place());
    };
    let report = verify(log, context).await?;
    context.print(&report)?;
    Ok(report.exit())
}

/// Verifies every partition of a log as its projections are committed now.
pub(crate) async fn verify(log: Arc<Log>, context: &Context) -> anyhow::Result<Report> {
    let id = projector::log_id(&*log).await?;
    let mut parts = Vec::new();
    for partition in (0..log.partitions()).map(Partition) {
        // One for each: a snapshot is one connection, and its reads wait for each other.
        let Some(store) = context.open_snapshot(log.partitions()).await? else {
            bail!("nothing has been folded {}: run `drawdown project`", context.store_place());
        };
        let head = store.head(partition).await?;
        if let Some(head) = head.as_ref().filter(|head| head.log != id) {
            let what =
                format!("partition {partition} was folded from log {}, and this is log {id}", head.log);
            return Err(ProjectorError::AnotherLog { what }.into());
        }
        parts.push((partition, Arc::new(store), head));
    }
    let waiting = |head: &Option<Head>| head.as_ref().map_or(0, |head| head.next.0);
    let progress =
        Arc::new(Progress::new("records", Some(parts.iter().map(|(_, _, head)| waiting(head)).sum())));
    let permits = Arc::new(Semaphore::new(AT_ONCE));
    let mut tasks = Vec::new();
    for (partition, store, head) in parts {
        let (log, permits, progress) = (log.clone(), permits.clone(), progress.clone());
        tasks.push(tokio::spawn(async move {
            let _permit = permits.acquire().await.expect("the semaphore is never closed");
            let done = move |records| progress.add(records);
            let verified = projector::verify(log, store, partition, Depth::Rows, done).await;
            verified.map(|verified| (partition, head, verified))
        }));
    }
    let mut verified = Vec::new();
    for task in tasks {
        verified.push(task.await.expect("verifying does not panic")?);
    }
    report(&log, id, verified).await
}

async fn report(
    log: &Log,
    id: String,
    verified: Vec<(Partition, Option<Head>, Verified)>,
) -> anyhow::Result<Report> {
    let mut report = Report {
        verified: true,
        log: id,
        records: 0,
        rows: 0,
        partitions: Vec::new(),
        behind: 0,
        divergence: None,
    };
    let mut first: Option<Divergence> = None;
    for (partition, head, verified) in verified {
        report.records += verified.records;
        report.rows += verified.rows;
        let next = head.as_ref().map_or(Offset(0), |head| head.next);
        report.behind += log.end(partition).await?.0.saturating_sub(next.0);
        report.partitions.push(Part::new(partition, head, &verified));
        let key = |d: &Divergence| (d.at.offset, d.at.partition);
        first = first.into_iter().chain(verified.divergence).min_by_key(key);
    }
    if let Some(divergence) = first {
        report.verified = false;
        report.divergence = Some(Found::new(&divergence, record(log, divergence.at).await.as_deref()));
    }
    Ok(report)
}

/// A record's bytes, if it can be read.
async fn record(log: &Log, at: Position) -> Option<Vec<u8>> {
    let stretch = log.read(at.partition, at.offset, 1).await.ok()?;
    (!stretch.is_empty()).then(|| stretch.get(0).to_vec())
}

impl Part {
    fn new(partition: Partition, head: Option<Head>, verified: &Verified) -> Self {
        let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        let Counts { applied, duplicate, conflict, rejected, quarantined, timers, unpriced } =
            head.as_ref().map(|head| head.counts).unwrap_or_default();
        Self {
            partition: partition.0,
            offset: head.map_or(0, |head| head.next.0),
            rows: verified.rows,
            digest: hex(&verified.digest),
            chain: hex(&verified.chain),
            applied,
            duplicate,
            conflicting: conflict,
            rejected,
            quarantined,
            timers,
            unpriced,
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(divergence) = &self.divergence {
            write!(f, "{divergence}")?;
            return writeln!(f, "`drawdown rebuild` makes the projections again from the log");
        }
        let mut table = Table::new([
            ("partition", Align::Right),
            ("records", Align::Right),
            ("rows", Align::Right),
            ("digest", Align::Left),
            ("chain", Align::Left),
        ]);
        for part in &self.partitions {
            let start = |digest: &str| digest.get(..16).unwrap_or(digest).to_owned();
            let (records, rows) = (number(part.offset), number(part.rows));
            table.add([part.partition.to_string(), records, rows, start(&part.digest), start(&part.chain)]);
        }
        write!(f, "{table}")?;
        let sum = |count: fn(&Part) -> u64| number(self.partitions.iter().map(count).sum());
        writeln!(
            f,
            "verified: {} records folded again, {} rows compared, nothing diverges",
            number(self.records),
            number(self.rows)
        )?;
        writeln!(
            f,
            "applied {} (unpriced {}), duplicate {}, conflicting {}, rejected {}, quarantined {}, timers {}",
            sum(|p| p.applied),
            sum(|p| p.unpriced),
            sum(|p| p.duplicate),
            sum(|p| p.conflicting),
            sum(|p| p.rejected),
            sum(|p| p.quarantined),
            sum(|p| p.timers)
        )?;
        f.write_str(&behind(self.behind))
    }
}
