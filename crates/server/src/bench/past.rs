//! Questions about the past of one wallet among many: its records are found, read and folded again each time.

use std::path::Path;
use std::sync::Arc;

use eventlog::{Appending, Durability, EventLog, SqliteLog};
use ledger::{Instant, Offset, Partition};
use projector::{History, Projectors, places, read_each};
use store::{SqliteStore, Store};

use super::events::{CATALOGUE, Series, Spread, early, grants};
use super::{Figures, percentile};

/// The wallet that is asked about.
const ASKED: &str = "wallet-000000";
/// How often each question is asked.
const TIMES: usize = 100;
/// Records that are appended at once.
const CHUNK: usize = 50_000;

/// `explain_p99_us`: which lots were considered for one of the wallet's usages, told by folding its records up to that one.
/// `at_p99_us`: the wallet as it was at some time, folded up to there. Each is asked of places spread over the wallet's whole
/// history; one in a hundred takes longer.
pub(crate) async fn past(
    figures: &mut Figures,
    directory: &Path,
    wallets: u64,
    records: usize,
) -> anyhow::Result<()> {
    let (log, store) = made(directory, wallets, records).await?;
    let (_, row) = store.wallet(ASKED).await?.expect("it was granted something");
    let mut explained = Vec::with_capacity(TIMES);
    let mut at = Vec::with_capacity(TIMES);
    for turn in 0..TIMES {
        // Spread over the whole history, the end included, in an order that favours no cache.
        let nth = records * (1 + turn * 37 % TIMES) / TIMES;
        explained.push(explain(&log, &store, row.no, nth).await?);
        at.push(as_of(&log, &store, row.no, nth).await?);
    }
    figures.note("explain_p50_us", percentile(&mut explained, 0.5));
    figures.note("explain_p99_us", percentile(&mut explained, 0.99));
    figures.note("at_p50_us", percentile(&mut at, 0.5));
    figures.note("at_p99_us", percentile(&mut at, 0.99));
    log.close().await?;
    Ok(())
}

/// A log of one partition in which the wallet's records lie among those of others, folded.
async fn made(
    directory: &Path,
    wallets: u64,
    records: usize,
) -> anyhow::Result<(Arc<SqliteLog>, Arc<SqliteStore>)> {
    let genesis = ingest::genesis("0123456789abcdef0123456789abcdef", 1, None, &early());
    let path = directory.join("past.db");
    let log = Arc::new(SqliteLog::create(&path, vec![genesis], Durability::Process).await?);
    let store = Arc::new(SqliteStore::open(directory.join("past-projections.db")).await?);
    let place = |bytes: Vec<u8>| Appending { partition: Partition(0), bytes };
    let mut catalogue = Vec::new();
    for (kind, name, body) in CATALOGUE {
        catalogue.push(place(ingest::published(kind, name, body, None, &early())?.bytes));
    }
    log.append(catalogue).await?;
    let mut projectors = Projectors::open(log.clone(), store.clone()).await?;
    // Each of the wallet's usages stands behind as many grants of others as there are for each.
    let (mut others, mut series) = (grants(wallets), Series::new(1, Spread::Even));
    let apart = (usize::try_from(wallets)? / records).max(1);
    let mut waiting = Vec::with_capacity(CHUNK);
    for _ in 0..records {
        waiting.extend(others.by_ref().take(apart).map(|(_, bytes)| place(bytes)));
        waiting.push(place(series.record()));
        if waiting.len() >= CHUNK {
            log.append(std::mem::take(&mut waiting)).await?;
            projectors.catch_up(|| Instant::MAX, |_| {}).await?;
        }
    }
    waiting.extend(others.map(|(_, bytes)| place(bytes)));
    log.append(waiting).await?;
    projectors.catch_up(|| Instant::MAX, |_| {}).await?;
    projectors.committed().await?;
    Ok((log, store))
}

/// The microseconds that it takes to say why the wallet's n-th usage was charged as it was.
async fn explain(log: &SqliteLog, store: &SqliteStore, wallet: i64, nth: usize) -> anyhow::Result<f64> {
    let watch = std::time::Instant::now();
    let (mut history, places) = begin(store, wallet).await?;
    let asked = place_of(&places, nth);
    let considered = read_each(log, Partition(0), &places, |offset, bytes| {
        if offset == asked {
            history.watch();
        }
        let did = match history.fold(offset, bytes) {
            Ok(did) => did,
            Err(what) => return Some(Err(anyhow::Error::msg(what))),
        };
        (offset == asked).then(|| Ok(did.changes.considered.unwrap_or_default().len()))
    });
    let considered = considered.await?.transpose()?;
    anyhow::ensure!(considered.is_some_and(|lots| lots > 0), "a usage has lots to be charged to");
    Ok(watch.elapsed().as_secs_f64() * 1e6)
}

/// The microseconds that it takes to have the wallet as it was after its n-th usage.
async fn as_of(log: &SqliteLog, store: &SqliteStore, wallet: i64, nth: usize) -> anyhow::Result<f64> {
    let watch = std::time::Instant::now();
    let (mut history, places) = begin(store, wallet).await?;
    let until = place_of(&places, nth);
    let failed = read_each(log, Partition(0), &places, |offset, bytes| {
        if offset > until {
            return Some(Ok(()));
        }
        history.fold(offset, bytes).err().map(|what| Err(anyhow::Error::msg(what)))
    });
    failed.await?.transpose()?;
    let wallet = history.wallet(ASKED).expect("it was granted something");
    let (wallet, _) = ledger::advanced(history.catalogue(), wallet, wallet.clock);
    anyhow::ensure!(!wallet.lots().is_empty(), "its plan goes on");
    Ok(watch.elapsed().as_secs_f64() * 1e6)
}

async fn begin(store: &SqliteStore, wallet: i64) -> anyhow::Result<(History, Vec<Offset>)> {
    let head = store.head(Partition(0)).await?.expect("it was folded");
    let places = places(store, Partition(0), wallet, head.next).await?;
    Ok((History::new(Partition(0), 1, &head.log), places))
}

/// Where the n-th usage stands: before it are genesis, catalogue and the grant.
fn place_of(places: &[Offset], nth: usize) -> Offset {
    let before = 1 + CATALOGUE.len() + 1;
    places[(before + nth - 1).min(places.len() - 1)]
}
