//! The whole way on the embedded default: a file of events to committed balances and ledger, and the proof of them.

use std::io::{BufReader, Write};
use std::path::Path;
use std::sync::Arc;

use eventlog::{Appending, Durability, EventLog, Log, SqliteLog};
use ledger::{Instant, Offset, Partition};
use projector::{Depth, Projectors, Replay, verify};
use store::{Projections, SqliteStore, Store};

use super::events::{CATALOGUE, START, Series, Spread, early, grants, stamp};
use super::{Figures, bytes_of};
use crate::commands::what_if::{Plan, compare};
use crate::context::Clock;
use crate::documents::{Body, Document};
use crate::intake::take_in;

const PARTITIONS: u32 = 4;
const WALLETS: u64 = 10_000;
/// Records that one batch of bare rows is made of.
const BATCH: usize = 32_768;

/// All figures of the embedded pipe, over so many events.
#[expect(clippy::cast_precision_loss)]
pub(crate) async fn embedded(figures: &mut Figures, directory: &Path, events: u64) -> anyhow::Result<()> {
    let file = directory.join("events.ndjson");
    write_events(&file, events)?;
    let log = Arc::new(new_log(&directory.join("log.db")).await?);
    let path = directory.join("projections.db");
    let store = Arc::new(Projections::from(SqliteStore::open(&path).await?));
    prepare(&log, &store).await?;
    let (log_before, store_before) = (bytes_of(&directory.join("log.db")), bytes_of(&path));

    let watch = std::time::Instant::now();
    pipe(&log, &store, &file, events).await?;
    figures.note("embedded_events_per_second", events as f64 / watch.elapsed().as_secs_f64());
    let logged = bytes_of(&directory.join("log.db")) - log_before;
    figures.note("log_bytes_per_event", logged as f64 / events as f64);
    let stored = bytes_of(&path) - store_before;
    figures.note("store_bytes_per_event", stored as f64 / events as f64);

    bare_insert(figures, &log, directory, events).await?;
    proof(figures, &log, &store).await?;
    bare_scan(figures, &store).await?;
    what_if(figures, &log, &store).await?;
    let ratio = |over: &str, under: &str| {
        let value = |name: &str| figures.0.get(name).and_then(serde_json::Value::as_f64).unwrap_or(0.0);
        value(over) / value(under)
    };
    let (embedded, scan) = (
        ratio("embedded_events_per_second", "bare_insert_events_per_second"),
        ratio("verify_rows_per_second", "bare_scan_rows_per_second"),
    );
    figures.note("embedded_of_bare_insert", embedded);
    figures.note("verify_of_bare_scan", scan);
    Ok(())
}

pub(super) fn write_events(file: &Path, events: u64) -> anyhow::Result<()> {
    let mut out = std::io::BufWriter::new(std::fs::File::create(file)?);
    let mut series = Series::new(WALLETS, Spread::Skewed);
    for _ in 0..events {
        writeln!(out, "{}", series.event())?;
    }
    Ok(out.flush()?)
}

async fn new_log(path: &Path) -> anyhow::Result<Log> {
    let genesis = ingest::genesis("0123456789abcdef0123456789abcdef", PARTITIONS, None, &early());
    let records = (0..PARTITIONS).map(|_| genesis.clone()).collect();
    Ok(SqliteLog::create(path, records, Durability::Power).await?.into())
}

/// Catalogue and grants, folded: what is there before the first event.
async fn prepare(log: &Arc<Log>, store: &Arc<Projections>) -> anyhow::Result<()> {
    let mut records = Vec::new();
    for (kind, name, body) in CATALOGUE {
        let bytes = ingest::published(kind, name, body, None, &early())?.bytes;
        records.push(Appending { partition: Partition(0), bytes });
    }
    log.append(records).await?;
    let mut projectors = Projectors::open(log.clone(), store.clone()).await?;
    projectors.catch_up(|| Instant::MAX, |_| {}).await?;
    let place = |(wallet, bytes): (String, Vec<u8>)| Appending {
        partition: Partition::of(&wallet, PARTITIONS),
        bytes,
    };
    log.append(grants(WALLETS).map(place).collect()).await?;
    projectors.catch_up(|| Instant::MAX, |_| {}).await?;
    Ok(())
}

/// Takes the file in while it is folded, until all of it is committed.
async fn pipe(log: &Arc<Log>, store: &Arc<Projections>, file: &Path, events: u64) -> anyhow::Result<()> {
    let input = BufReader::with_capacity(1 << 20, std::fs::File::open(file)?);
    let mut projectors = Projectors::open(log.clone(), store.clone()).await?;
    let appending = {
        let log = log.clone();
        tokio::spawn(async move { take_in(&*log, input, stamp, &Clock::default(), |_| Ok(())).await })
    };
    let mut folded = 0;
    while folded < events {
        let round = projectors.round(Instant::MAX).await?;
        folded += round.folded as u64;
        if round.folded == 0 {
            tokio::time::sleep(std::time::Duration::from_millis(1)).await;
        }
    }
    projectors.committed().await?;
    let (taken, done) = appending.await?;
    done?;
    anyhow::ensure!(taken.appended == events && taken.refused == 0, "every event is taken in");
    Ok(())
}

/// The same rows, made beforehand, and nothing but inserted through sqlx.
#[expect(clippy::cast_precision_loss)]
async fn bare_insert(
    figures: &mut Figures,
    log: &Arc<Log>,
    directory: &Path,
    events: u64,
) -> anyhow::Result<()> {
    let path = directory.join("bare.db");
    let store = SqliteStore::open(&path).await?;
    let (mut seconds, mut first) = (0.0, true);
    for partition in (0..PARTITIONS).map(Partition) {
        let epoch = store.acquire(partition, "bench").await?.epoch;
        let mut replay = Replay::new(partition, PARTITIONS, "bench");
        let mut next = Offset(0);
        loop {
            let stretch = log.read(partition, next, BATCH).await?;
            if stretch.is_empty() {
                break;
            }
            next = stretch.next();
            let mut batch = replay.batch(&stretch).map_err(anyhow::Error::msg)?;
            batch.epoch = epoch;
            batch.head.epoch = epoch;
            let watch = std::time::Instant::now();
            store.commit(&batch).await?;
            seconds += watch.elapsed().as_secs_f64();
            first = false;
        }
    }
    anyhow::ensure!(!first, "the log has records");
    figures.note("bare_insert_events_per_second", events as f64 / seconds);
    store.close().await?;
    SqliteStore::remove(&path).await?;
    Ok(())
}

/// The log refolded: first chain and digests alone, then every row.
#[expect(clippy::cast_precision_loss)]
async fn proof(figures: &mut Figures, log: &Arc<Log>, store: &Arc<Projections>) -> anyhow::Result<()> {
    for depth in [Depth::Digests, Depth::Rows] {
        let watch = std::time::Instant::now();
        let tasks: Vec<_> = (0..PARTITIONS)
            .map(|p| tokio::spawn(verify(log.clone(), store.clone(), Partition(p), depth, |_| {})))
            .collect();
        let (mut records, mut rows, mut rows_took) = (0, 0, 0.0);
        for task in tasks {
            let proof = task.await??;
            anyhow::ensure!(proof.divergence.is_none(), "what was folded is proved");
            records += proof.records;
            rows += proof.rows;
            rows_took += proof.rows_took.as_secs_f64();
        }
        match depth {
            Depth::Digests => {
                figures.note("verify_events_per_second", records as f64 / watch.elapsed().as_secs_f64());
            }
            Depth::Rows => figures.note("verify_rows_per_second", rows as f64 / rows_took),
        }
    }
    Ok(())
}

/// The log folded twice side by side, once with every price halved from the first event on.
#[expect(clippy::cast_precision_loss)]
async fn what_if(figures: &mut Figures, log: &Arc<Log>, store: &Arc<Projections>) -> anyhow::Result<()> {
    let halved = |body: &str| body.replace(r#""per":"1000""#, r#""per":"2000""#);
    let prices = CATALOGUE.into_iter().filter(|(kind, ..)| *kind == "price");
    let documents = prices.map(|(kind, name, body)| Document {
        file: "prices.yaml".into(),
        line: 1,
        body: Body::Catalogue { kind, name: name.to_owned(), body: halved(body), time: None },
    });
    let plan = Plan::new(START, documents.collect(), Vec::new());
    let watch = std::time::Instant::now();
    let (parts, _) = compare(log, store, plan, START).await?;
    let records: u64 = parts.iter().map(|part| part.records).sum();
    let halved = parts.iter().flat_map(|part| &part.wallets).any(|wallet| wallet.weight() > 0);
    anyhow::ensure!(halved, "half the price makes a difference");
    figures.note("what_if_events_per_second", records as f64 / watch.elapsed().as_secs_f64());
    Ok(())
}

/// The same rows, only read through sqlx.
#[expect(clippy::cast_precision_loss)]
async fn bare_scan(figures: &mut Figures, store: &Arc<Projections>) -> anyhow::Result<()> {
    let scan = |partition: Partition| {
        let store = store.clone();
        async move {
            let watch = std::time::Instant::now();
            let end = store.head(partition).await?.map_or(Offset(0), |head| head.next);
            let (mut rows, mut from) = (0, Offset(0));
            while from < end {
                let to = from.plus(BATCH / 2);
                rows += store.entries_between(partition, from, to).await?.len();
                rows += store.records_between(partition, from, to).await?.len();
                from = to;
            }
            anyhow::Ok((rows, watch.elapsed().as_secs_f64()))
        }
    };
    let tasks: Vec<_> = (0..PARTITIONS).map(|p| tokio::spawn(scan(Partition(p)))).collect();
    let (mut rows, mut seconds) = (0, 0.0);
    for task in tasks {
        let (some, took) = task.await??;
        rows += some;
        seconds += took;
    }
    figures.note("bare_scan_rows_per_second", rows as f64 / seconds);
    Ok(())
}
