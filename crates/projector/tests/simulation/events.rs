//! What is sent: usage, grants, holds and corrections of a few wallets, each up to three times, in any order.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use eventlog::{Appending, EventLog, LogError};
use ingest::Stamp;
use ledger::{Instant, Partition};

use crate::chance::Chance;
use crate::log::SimLog;
use crate::world::{LOG, Life, World};

/// Something that happened at a customer's.
#[derive(Clone)]
pub(crate) struct Event {
    pub(crate) id: String,
    pub(crate) wallet: String,
    kind: &'static str,
    data: String,
}

const PRICE: &str = r#"{"match":{"type":{"exact":"use"}},"charges":[{"unit":"credits","quantity":{"field":"n"},"amount":"1.5"}]}"#;
const TIERED: &str = r#"{"match":{"type":{"exact":"tiered"}},"charges":[{"unit":"credits","quantity":{"field":"n"},"tiers":{"period":"day","mode":"graduated","steps":[{"up_to":"10","amount":"0"},{"amount":"2"}]}}]}"#;
/// The catalogue; each document needs those before it.
const CATALOGUE: [(&str, &str, &str); 3] =
    [("unit", "credits", "{}"), ("price", "use", PRICE), ("price", "tiered", TIERED)];

/// What a customer's products send, once each.
pub(crate) fn events(chance: &mut Chance, start: Instant) -> Vec<Event> {
    let (count, wallets) = (chance.between(8, 20), chance.between(2, 7));
    let (mut used, mut held_by): (Vec<Event>, Vec<Event>) = (Vec::new(), Vec::new());
    let mut events = Vec::new();
    for n in 0..count {
        let wallet = format!("w{}", chance.throw(wallets));
        let of = (!used.is_empty()).then(|| used[chance.place(used.len())].clone());
        let held = (!held_by.is_empty()).then(|| held_by[chance.place(held_by.len())].clone());
        let (wallet, kind, data) = match (chance.throw(13), of) {
            (0 | 1, _) => {
                // It ends while all this happens, so that there is something to do for a timer.
                let ends = start.plus(i64::try_from(chance.between(20, 500)).expect("small") * 1_000_000_000);
                let purchase = chance.throw(3);
                let grant = format!(
                    r#"{{"grant_id":"g{n}","unit":"credits","amount":"25","expires_at":"{ends}","purchase_id":"p{purchase}"}}"#
                );
                (wallet, "grant.issued", grant)
            }
            (2, Some(of)) => {
                (of.wallet, "usage.reversed", format!(r#"{{"usage":{{"source":"s","id":"{}"}}}}"#, of.id))
            }
            (3, Some(of)) => {
                let again = chance.throw(9);
                let data = format!(r#"{{"usage":{{"source":"s","id":"{}"}},"data":{{"n":{again}}}}}"#, of.id);
                (of.wallet, "usage.rerated", data)
            }
            (10, _) => {
                let amount = 1 + chance.throw(12);
                let line = format!(r#"{{"unit":"credits","feature":"use","amount":"{amount}"}}"#);
                (wallet, "hold.requested", format!(r#"{{"estimate":{{"amounts":[{line}]}},"ttl":"PT2M"}}"#))
            }
            (11, _) if held.is_some() => {
                let hold = held.expect("it was just found");
                let used = format!(r#"{{"event":{{"type":"use","data":{{"n":{}}}}}}}"#, chance.throw(9));
                let usage = format!(r#"{{"source":"s","id":"e{n}"}}"#);
                let data = format!(r#"{{"hold":"{}","usage":{usage},"actual":{used}}}"#, hold.id);
                (hold.wallet, "hold.settled", data)
            }
            (12, _) if held.is_some() => {
                let hold = held.expect("it was just found");
                (hold.wallet, "hold.voided", format!(r#"{{"hold":"{}"}}"#, hold.id))
            }
            (4, _) if chance.is(300) => {
                (wallet, "grant.voided", format!(r#"{{"purchase_id":"p{}"}}"#, chance.throw(3)))
            }
            _ => {
                let kind = if chance.is(700) { "use" } else { "tiered" };
                (wallet, "usage", format!(r#"{{"type":"{kind}","data":{{"n":{}}}}}"#, 1 + chance.throw(12)))
            }
        };
        let event = Event { id: format!("e{n}"), wallet, kind, data };
        if kind == "usage" {
            used.push(event.clone());
        }
        if kind == "hold.requested" {
            held_by.push(event.clone());
        }
        events.push(event);
    }
    events
}

impl Event {
    fn record(&self, now: Instant) -> Vec<u8> {
        let Self { id, wallet, kind, data } = self;
        format!(
            r#"{{"v":2,"id":"{id}","source":"s","type":"{kind}","wallet":"{wallet}","recorded_at":"{now}","by":"operator","reason":"because","data":{data}}}"#
        )
        .into_bytes()
    }
}

/// Each event one to three times, in any order.
pub(crate) fn sendings(chance: &mut Chance, events: &[Event]) -> Vec<Event> {
    let times = events.iter().flat_map(|event| vec![event.clone(); 1 + chance.place(3)]);
    let mut all: Vec<Event> = times.collect();
    chance.shuffle(&mut all);
    all
}

/// Begins a log: a genesis in each partition.
pub(crate) async fn begin(log: &SimLog) {
    let stamp = Stamp { now: log.world.now(), by: "operator", backfill: false };
    let genesis = ingest::genesis(LOG, log.world.partitions, None, &stamp);
    for partition in log.world.partitions() {
        SimLog::write(&log.world, &[Appending { partition, bytes: genesis.clone() }]);
    }
}

/// Publishes the catalogue, one document after the other, each until it surely is in the log.
pub(crate) async fn publish(world: Arc<World>) {
    let log = SimLog { world: world.clone(), life: Life::new("publisher") };
    for (kind, name, body) in CATALOGUE {
        tokio::time::sleep(Duration::from_millis(world.throw(1_000))).await;
        let stamp = Stamp { now: world.now(), by: "operator", backfill: false };
        let record = ingest::published(kind, name, body, None, &stamp).expect("a document as it must be");
        surely(&log, vec![Appending { partition: Partition(0), bytes: record.bytes }]).await;
    }
}

/// Sends some of the events at a time, each until it surely is in the log; answers how often each was acknowledged.
pub(crate) async fn send(world: Arc<World>, name: String, mut events: Vec<Event>) -> BTreeMap<String, u64> {
    let log = SimLog { world: world.clone(), life: Life::new(name) };
    let mut acknowledged = BTreeMap::new();
    while !events.is_empty() {
        tokio::time::sleep(Duration::from_millis(world.throw(600))).await;
        let some: Vec<Event> = events.drain(..events.len().min(1 + world.state().chance.place(4))).collect();
        let now = world.now();
        let record = |event: &Event| Appending {
            partition: Partition::of(&event.wallet, world.partitions),
            bytes: event.record(now),
        };
        surely(&log, some.iter().map(record).collect()).await;
        some.into_iter().for_each(|event| *acknowledged.entry(event.id).or_default() += 1);
    }
    acknowledged
}

async fn surely(log: &SimLog, records: Vec<Appending>) {
    loop {
        match log.append(records.clone()).await {
            Ok(_) => return,
            Err(LogError::Unknown(_)) => log.world.happens("sent again", &log.life.name),
            Err(_) => {}
        }
        tokio::time::sleep(Duration::from_millis(30)).await;
    }
}
