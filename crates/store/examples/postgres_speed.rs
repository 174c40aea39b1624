//! How fast the Postgres projection commits what catching up brings, beside the bare database doing no more
//! than it must: the same rows by binary COPY and the same wallets by UPDATE, each batch in a transaction.
//!
//!     cargo run --release -p store --example postgres_speed [BATCHES]
//!
//! It makes a schema `drawdown_speed` in the database of `DRAWDOWN_TEST_POSTGRES` (or of `scripts/services`),
//! and drops it.

use std::time::{Duration, Instant};

use ledger::{Offset, Partition};
use store::{Bare, Batch, EntryRow, Head, IdRow, LotRow, PostgresStore, RecordRow, Store, WalletRow};

const SCHEMA: &str = "drawdown_speed";
const EVENTS: u64 = 20_000;
const WALLETS: u64 = 2_000;
const NOON: i64 = 1_760_000_000_000_000_000;
const FIRST: Partition = Partition(0);

type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

#[tokio::main]
async fn main() -> Outcome<()> {
    let batches: u64 = std::env::args().nth(1).map_or(Ok(20), |count| count.parse())?;
    let url = services::postgres();
    PostgresStore::remove(url, SCHEMA).await?;
    PostgresStore::migrate(url, SCHEMA).await?;
    let store = PostgresStore::connect(url, SCHEMA).await?;
    let mut head = store.acquire(FIRST, "a log").await?;
    for lots in [0, WALLETS] {
        // The first makes the wallets; what is measured writes them over.
        let warm_up = batch(&head, WALLETS);
        store.commit(&warm_up).await?;
        head = warm_up.head;
        let mut took = Duration::ZERO;
        for _ in 0..batches {
            let next = batch(&head, lots);
            let start = Instant::now();
            store.commit(&next).await?;
            took += start.elapsed();
            head = next.head;
        }
        say(&format!("commit, {WALLETS} wallets and {lots} lots a batch"), batches, took);
    }
    let mut live = Duration::ZERO;
    for _ in 0..200 {
        let next = cut(batch(&head, 0), 100);
        let start = Instant::now();
        store.commit(&next).await?;
        live += start.elapsed();
        head = next.head;
    }
    println!(
        "{:<58} {:>7.2} ms",
        "commit of 100 events and 100 wallets",
        live.as_secs_f64() * 1000.0 / 200.0
    );
    store.close().await?;
    let mut bare = Bare::prepare(url, SCHEMA, FIRST.0).await?;
    let rows = head.next.0;
    let start = Instant::now();
    bare.run().await?;
    let rate = rows as f64 / start.elapsed().as_secs_f64() / 1000.0;
    println!("{:<58} {rate:>7.0} k events/s", "bare COPY of the same rows, and UPDATE of the same wallets");
    bare.drop().await?;
    Ok(PostgresStore::remove(url, SCHEMA).await?)
}

fn say(what: &str, batches: u64, took: Duration) {
    let rate = (batches * EVENTS) as f64 / took.as_secs_f64() / 1000.0;
    println!("{what:<58} {rate:>7.0} k events/s");
}

/// The first events of a batch, and as many of its wallets.
fn cut(mut batch: Batch, events: usize) -> Batch {
    batch.records.truncate(events);
    batch.entries.truncate(events);
    batch.ids.truncate(events);
    batch.wallets.truncate(events);
    batch.head.next = Offset(batch.from.0 + events as u64);
    batch
}

fn batch(head: &Head, lots: u64) -> Batch {
    let next = Offset(head.next.0 + EVENTS);
    let offsets = head.next.0..next.0;
    Batch {
        partition: FIRST,
        epoch: head.epoch,
        from: head.next,
        head: Head { next, wallets: WALLETS, ..head.clone() },
        entries: offsets.clone().map(entry).collect(),
        records: offsets.clone().map(record).collect(),
        ids: offsets.map(id).collect(),
        wallets: wallets(next),
        lots: (0..lots).map(|no| lot(no, next)).collect(),
        grants: Vec::new(),
        left: Vec::new(),
        counters: Vec::new(),
        quarantined: Vec::new(),
        filters: Vec::new(),
        catalogue: None,
    }
}

/// A wallet that neighbours do not share, as events come.
fn wallet_of(offset: u64) -> i64 {
    (offset.wrapping_mul(7919) % WALLETS) as i64
}

fn record(offset: u64) -> RecordRow {
    RecordRow {
        offset: Offset(offset),
        wallet: Some(wallet_of(offset)),
        kind: store::RecordKind::Usage.code(),
        outcome: store::OutcomeCode::Applied.code(),
        detail: None,
        earlier: None,
        id: format!("req_{offset:016x}"),
        source: "gateway/eu-1".into(),
        subject: Some(format!("seat-{}", offset % 50)),
        at: NOON + offset as i64 * 1000,
        recorded_at: NOON + offset as i64 * 1000 + 500,
        feature: Some("completion".into()),
        data: Some(format!(
            r#"{{"model":"large-2","input_tokens":{},"output_tokens":{}}}"#,
            offset % 9000,
            offset % 700
        )),
    }
}

fn entry(offset: u64) -> EntryRow {
    let record = record(offset);
    EntryRow {
        offset: record.offset,
        line: 0,
        wallet: wallet_of(offset),
        kind: store::EntryKind::Usage.code(),
        unit: "credits".into(),
        lot: Some("plan#3".into()),
        other_lot: None,
        amount: format!("{}.{:03}", offset % 40, offset % 1000),
        available_after: format!("{}.{:03}", 900_000 - offset % 500_000, offset % 1000),
        effective_at: record.at,
        booked_at: record.recorded_at,
        subject: record.subject,
        feature: Some("completion".into()),
        price: Some("completion@4".into()),
        month: None,
    }
}

fn id(offset: u64) -> IdRow {
    let half = offset.wrapping_mul(0x9E37_79B9_7F4A_7C15).to_be_bytes();
    let digest: [u8; 16] = std::array::from_fn(|at| half[at % 8] ^ (at as u8) << 2);
    IdRow { segment: (offset >> 15) as u32, key: digest, offset: Offset(offset), content: digest }
}

fn wallets(as_of: Offset) -> Vec<WalletRow> {
    let wallet = |no: u64| WalletRow {
        no: no as i64,
        id: format!("customer-{no:06}"),
        as_of,
        clock: NOON + as_of.0 as i64 * 1000,
        next_due_at: Some(NOON + 86_400_000_000_000),
        claimed: true,
        unpriced: 0,
        digest: [as_of.0 as u8; 32],
        doc: format!(
            r#"{{"clock":{},"card":"standard","lots":[{{"id":"plan#3","unit":"credits","issued":"1000000","remaining":"{}","starts_at":1759276800000000000,"ends_at":1761955200000000000,"priority":50,"category":"included","lateness":259200}}],"grants":{{"plan":{{"every":"P1M","anchor":1759276800000000000,"next":4}}}}}}"#,
            as_of.0,
            900_000 - as_of.0 % 500_000
        ),
    };
    (0..WALLETS).map(wallet).collect()
}

fn lot(no: u64, as_of: Offset) -> LotRow {
    LotRow {
        wallet: no as i64,
        lot: "plan#3".into(),
        grant: "plan".into(),
        unit: "credits".into(),
        origin: None,
        issued: "1000000".into(),
        remaining: format!("{}", 900_000 - as_of.0 % 500_000),
        held: "0".into(),
        consumed: format!("{}", 100_000 + as_of.0 % 500_000),
        expired: "0".into(),
        voided: "0".into(),
        rolled_over: "0".into(),
        returned: "0".into(),
        moved: "0".into(),
        starts_at: NOON,
        ends_at: Some(NOON + 86_400_000_000_000),
        priority: 50,
        category: "included".into(),
        cost: Some("19.99".into()),
        currency: Some("EUR".into()),
    }
}
