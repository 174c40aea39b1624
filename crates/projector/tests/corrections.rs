//! Corrections through a real store: what they need of the past is found there, in what is on its way, or in memory; and however
//! it is found, the same log gives the same projections.
#![allow(clippy::unwrap_used)]

use std::sync::Arc;

use eventlog::{Appending, EventLog, MemoryLog};
use ledger::{Instant, Offset, Partition};
use projector::{Depth, Projectors, Replay, verify};
use store::{SqliteStore, Store};

const LOG: &str = "00112233445566778899aabbccddeeff";
const WALLETS: u64 = 5;
const HOUR: u64 = 3_600;

fn time(seconds: u64) -> String {
    let start = Instant::parse("2026-01-01T00:00:00Z").unwrap();
    start.plus(i64::try_from(seconds).unwrap() * 1_000_000_000).to_string()
}

/// A small generator, so that a seed names a history.
struct Dice(u64);

impl Dice {
    fn throw(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides
    }
}

fn record(id: &str, kind: &str, wallet: u64, at: u64, own_time: u64, data: &str) -> Vec<u8> {
    let (at, own) = (time(at), time(own_time));
    format!(
        r#"{{"v":2,"id":"{id}","source":"s","type":"{kind}","wallet":"w{wallet}","time":"{own}","recorded_at":"{at}","by":"operator","reason":"because","data":{data}}}"#
    )
    .into_bytes()
}

fn catalogue() -> Vec<Vec<u8>> {
    let tiers = r#"{"match":{"type":{"exact":"tiered"}},"charges":[{"unit":"credits","quantity":{"field":"n"},"tiers":{"period":"day","mode":"graduated","steps":[{"up_to":"10","amount":"0"},{"amount":"2"}]}}]}"#;
    let plain = r#"{"match":{"type":{"exact":"use"}},"charges":[{"unit":"credits","quantity":{"field":"n"},"amount":"1.5"}]}"#;
    let policies = r#"{"lateness":"PT6H","overage":{"at_month_end":"bill"}}"#;
    let documents = [
        ("unit", "credits", "{}"),
        ("price", "use", plain),
        ("price", "tiered", tiers),
        ("policies", "default", policies),
    ];
    let publish = |(kind, name, body): (&str, &str, &str)| {
        let at = time(0);
        let id = ledger::content_id(&[kind, name], body, None).unwrap();
        format!(
            r#"{{"v":2,"id":"{id}","source":"catalogue","type":"catalogue.published","recorded_at":"{at}","by":"operator","data":{{"kind":"{kind}","name":"{name}","body":{body}}}}}"#
        )
        .into_bytes()
    };
    documents.into_iter().map(publish).collect()
}

/// Usage, grants, and corrections of some earlier usage, for a few wallets over two months.
fn history(seed: u64, count: u64) -> Vec<(u64, Vec<u8>)> {
    let mut dice = Dice(seed);
    let mut used: Vec<(u64, String)> = Vec::new();
    let mut records = Vec::new();
    for n in 0..count {
        let (at, wallet) = (1 + n * 3 * HOUR, dice.throw(WALLETS));
        let (id, late) = (format!("r{n}"), dice.throw(40) * HOUR);
        let own = at.saturating_sub(late);
        let earlier = (!used.is_empty()).then(|| used[dice.throw(used.len() as u64) as usize].clone());
        let (wallet, kind, data) = match (dice.throw(12), earlier) {
            (0, _) | (1..=6, None) => {
                let rollover = r#""rollover":{"max":"7","expires_after":"P3D"}"#;
                let purchase = dice.throw(3);
                let data = format!(
                    r#"{{"grant_id":"g{n}","unit":"credits","amount":"25","expires_after":"P2D","purchase_id":"p{purchase}","reset":{{"min":"5","max":"20"}},{rollover}}}"#
                );
                (wallet, "grant.issued", data)
            }
            (1 | 2, Some((of, usage))) => {
                let amounts = ["", r#","amounts":[{"unit":"credits","amount":"1"}]"#][dice.throw(2) as usize];
                (of, "usage.reversed", format!(r#"{{"usage":{{"source":"s","id":"{usage}"}}{amounts}}}"#))
            }
            (3 | 4, Some((of, usage))) => {
                let data = format!(r#","data":{{"n":{}}}"#, dice.throw(15));
                (of, "usage.rerated", format!(r#"{{"usage":{{"source":"s","id":"{usage}"}}{data}}}"#))
            }
            (5, _) if dice.throw(2) == 0 => {
                (wallet, "grant.voided", format!(r#"{{"purchase_id":"p{}"}}"#, dice.throw(3)))
            }
            (5, _) => (wallet, "wallet.reset", r#"{"preserve_overage":true}"#.into()),
            (6, _) => {
                let grant = format!(r#"{{"grant_id":"c{n}","unit":"credits","amount":"10"}}"#);
                let other = format!(r#"{{"grant_id":"d{n}","unit":"credits","amount":"3","priority":9}}"#);
                let steps = [grant, other].map(|data| format!(r#"{{"type":"grant.issued","data":{data}}}"#));
                (wallet, "wallet.changed", format!(r#"{{"steps":[{}]}}"#, steps.join(",")))
            }
            _ => {
                used.push((wallet, id.clone()));
                let kind = ["use", "tiered", "unpriced"][dice.throw(20).saturating_sub(9).min(2) as usize];
                (wallet, "usage", format!(r#"{{"type":"{kind}","data":{{"n":{}}}}}"#, 1 + dice.throw(12)))
            }
        };
        records.push((wallet, record(&id, kind, wallet, at, own, &data)));
    }
    records
}

async fn log(records: &[(u64, Vec<u8>)]) -> Arc<MemoryLog> {
    let log = MemoryLog::new(1);
    let stamp = ingest::Stamp { now: Instant::parse(&time(0)).unwrap(), by: "operator", backfill: false };
    let genesis = ingest::genesis(LOG, 1, None, &stamp);
    let bytes =
        std::iter::once(genesis).chain(catalogue()).chain(records.iter().map(|(_, bytes)| bytes.clone()));
    for bytes in bytes {
        log.append(vec![Appending { partition: Partition(0), bytes }]).await.unwrap();
    }
    Arc::new(log)
}

fn late() -> Instant {
    Instant::parse("2027-01-01T00:00:00Z").unwrap()
}

/// Folds all there is, proves every row, and answers with the partition's digest.
async fn project(log: &Arc<MemoryLog>, store: &Arc<SqliteStore>) -> [u8; 32] {
    let mut projectors = Projectors::open(log.clone(), store.clone()).await.unwrap();
    projectors.catch_up(late, |_| {}).await.unwrap();
    let proof = verify(log.clone(), store.clone(), Partition(0), Depth::Rows, |_| {}).await.unwrap();
    assert_eq!(proof.divergence, None);
    proof.digest
}

async fn store() -> Arc<SqliteStore> {
    Arc::new(SqliteStore::in_memory().await.unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_past_from_rows_is_the_past_from_memory() {
    let mut applied = 0;
    for seed in 0..30 {
        let records = history(seed, 240);
        let log = log(&records).await;
        let all = log.read(Partition(0), Offset(0), 1_000).await.unwrap();
        let mut replay = Replay::new(Partition(0), 1, LOG).remembering();
        for (_, bytes) in all.iter() {
            replay.fold(&[bytes]).unwrap();
        }
        let store = store().await;
        assert_eq!(project(&log, &store).await, replay.digest(), "seed {seed}: at once");
        applied += store.corrected(Partition(0)).await.unwrap().len();
    }
    assert!(applied > 100, "{applied} wallets were corrected");
}

#[tokio::test(flavor = "multi_thread")]
async fn corrections_in_pieces_and_after_restarts_change_no_wallet() {
    for seed in 100..106 {
        let records = history(seed, 240);
        let whole = project(&log(&records).await, &store().await).await;
        let (pieces, restarted) = (log(&records[..1]).await, store().await);
        project(&pieces, &restarted).await;
        for piece in records[1..].chunks(17) {
            for (_, bytes) in piece {
                let one = Appending { partition: Partition(0), bytes: bytes.clone() };
                pieces.append(vec![one]).await.unwrap();
            }
            let mut projectors = Projectors::open(pieces.clone(), restarted.clone()).await.unwrap();
            projectors.catch_up(late, |_| {}).await.unwrap();
        }
        assert_eq!(
            project(&pieces, &restarted).await,
            whole,
            "seed {seed}: a restart after every 17 records"
        );
    }
}
