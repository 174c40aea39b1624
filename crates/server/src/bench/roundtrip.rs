//! From an append to the fold, in one process: what a decision by the log takes; beside the record only read back.

use std::sync::Arc;
use std::time::{Duration, Instant as Stopwatch};

use eventlog::{Appending, EventLog, Log};
use ledger::{Instant, Offset, Partition};
use projector::{Halting, Node, Reached};
use tokio::sync::watch;

use super::events::{Series, Spread};
use super::pipe::Trial;
use super::{Figures, percentile};
use crate::context::Context;

/// How many appends a caller makes that is alone; how many each of many.
const ALONE: usize = 2_000;
const CALLERS: usize = 64;
const EACH: usize = 200;
/// Appends a second, one after the other at their time, and for how long.
const PACED: u64 = 1_000;
const SECONDS: u64 = 8;
/// Of the live lag: events a second.
const LIVE: u64 = 10_000;
/// Appended together.
const GROUP: u64 = 50;
const LEASE: Duration = Duration::from_secs(5);

/// How far every partition has come, in one way or the other.
type Seen = Vec<watch::Receiver<Reached>>;

/// `roundtrip…` and `bare_roundtrip…`, and `live_lag_p99_ms`.
pub(crate) async fn roundtrip(figures: &mut Figures, context: &Context, name: &str) -> anyhow::Result<()> {
    let trial = Trial::new(context, name, 1).await?;
    let mut series = Series::new(10_000, Spread::Skewed);
    let (stop, stopped) = watch::channel(false);
    let bare = tokio::spawn({
        let (log, (sender, seen)) = (trial.log.clone(), watch::channel(Reached::default()));
        let from = log.end(Partition(0)).await?;
        let reading = tokio::spawn(read_back(log.clone(), from, sender));
        let mut given = series_of(&mut series, ALONE + CALLERS * EACH + (PACED * SECONDS) as usize);
        async move {
            let measured = measure(&log, vec![seen], &mut given).await;
            reading.abort();
            measured
        }
    });
    note(figures, "bare_roundtrip", bare.await??);

    let lease = LEASE;
    let node = Node::new(trial.log.clone(), trial.store.clone(), "bench".into(), lease, Halting::Everything);
    let node = node.await?;
    let seen = vec![node.reached(Partition(0))];
    let running = tokio::spawn(node.run(|| Instant::MAX, stopped));
    let end = trial.log.end(Partition(0)).await?;
    seen[0].clone().wait_for(|reached| reached.committed >= end).await?;
    let mut given = series_of(&mut series, ALONE + CALLERS * EACH + (PACED * SECONDS) as usize);
    note(figures, "roundtrip", measure(&trial.log, seen.clone(), &mut given).await?);
    figures.note("live_lag_p99_ms", live_lag(&trial.log, &seen[0], &mut series).await?);
    stop.send(true)?;
    running.await??;
    trial.end().await
}

fn series_of(series: &mut Series, count: usize) -> Vec<Vec<u8>> {
    (0..count).map(|_| series.record()).collect()
}

/// Reads what comes, and folds nothing.
async fn read_back(log: Arc<Log>, mut next: Offset, reached: watch::Sender<Reached>) {
    loop {
        match log.read(Partition(0), next, 4_096).await {
            Ok(stretch) if stretch.is_empty() => log.wait(Partition(0), next).await,
            Ok(stretch) => {
                next = stretch.next();
                reached.send_modify(|reached| reached.folded = next);
            }
            Err(_) => return,
        }
    }
}

/// Microseconds of callers that are alone, many, and paced.
struct Measured {
    alone: Vec<f64>,
    many: Vec<f64>,
    paced: Vec<f64>,
}

async fn measure(log: &Arc<Log>, seen: Seen, records: &mut Vec<Vec<u8>>) -> anyhow::Result<Measured> {
    let mut alone = Vec::new();
    for record in records.drain(..ALONE) {
        alone.push(trip(log.clone(), seen[0].clone(), record).await?);
    }
    let mut tasks = Vec::new();
    for _ in 0..CALLERS {
        let (log, seen) = (log.clone(), seen[0].clone());
        let mine: Vec<Vec<u8>> = records.drain(..EACH).collect();
        tasks.push(tokio::spawn(async move {
            let mut took = Vec::new();
            for record in mine {
                took.push(trip(log.clone(), seen.clone(), record).await?);
            }
            anyhow::Ok(took)
        }));
    }
    let mut many = Vec::new();
    for task in tasks {
        many.extend(task.await??);
    }
    let mut ticks = tokio::time::interval(Duration::from_micros(1_000_000 / PACED));
    let mut tasks = Vec::new();
    for record in records.drain(..) {
        ticks.tick().await;
        tasks.push(tokio::spawn(trip(log.clone(), seen[0].clone(), record)));
    }
    let mut paced = Vec::new();
    for task in tasks {
        paced.push(task.await??);
    }
    Ok(Measured { alone, many, paced })
}

/// The microseconds from an append until its record was seen.
async fn trip(log: Arc<Log>, mut seen: watch::Receiver<Reached>, record: Vec<u8>) -> anyhow::Result<f64> {
    let watch = Stopwatch::now();
    let at = log.append(vec![Appending { partition: Partition(0), bytes: record }]).await?[0].offset;
    seen.wait_for(|reached| reached.folded > at).await?;
    Ok(watch.elapsed().as_secs_f64() * 1e6)
}

fn note(figures: &mut Figures, what: &str, mut measured: Measured) {
    let kinds = [("", &mut measured.alone), ("64", &mut measured.many), ("1000s", &mut measured.paced)];
    for (kind, took) in kinds {
        for (name, share) in [("p50", 0.5), ("p99", 0.99), ("p999", 0.999)] {
            figures.note(&format!("{what}{kind}_{name}_us"), percentile(took, share));
        }
    }
}

/// Milliseconds from an append's begin until its record is committed, while so many events a second come.
async fn live_lag(
    log: &Arc<Log>,
    seen: &watch::Receiver<Reached>,
    series: &mut Series,
) -> anyhow::Result<f64> {
    let mut ticks = tokio::time::interval(Duration::from_micros(1_000_000 * GROUP / LIVE));
    let mut tasks = Vec::new();
    for _ in 0..LIVE * SECONDS / GROUP {
        ticks.tick().await;
        let record = |_| Appending { partition: Partition(0), bytes: series.record() };
        let group: Vec<Appending> = (0..GROUP).map(record).collect();
        let (log, mut seen) = (log.clone(), seen.clone());
        tasks.push(tokio::spawn(async move {
            let watch = Stopwatch::now();
            let last = log.append(group).await?.last().expect("a group has records").offset;
            seen.wait_for(|reached| reached.committed > last).await?;
            anyhow::Ok(watch.elapsed().as_secs_f64() * 1e3)
        }));
    }
    let mut took = Vec::new();
    for task in tasks {
        took.push(task.await??);
    }
    Ok(percentile(&mut took, 0.99))
}
