//! Log and projections in a directory, the topic on a broker.

use std::fmt::Write as _;

use ledger::Amount;
use serde_json::Value;
use services::Broker;
use store::SqliteStore;

use crate::drawdown::{Drawdown, IMAGES, Started, event, until};
use crate::messages::{Messages, Outbound, balances, ledger, shown};

const PARTITIONS: u32 = 4;
const WALLETS: u32 = 12;

/// A catalogue, and grants to most wallets: the others have overage.
fn world() -> Drawdown {
    let drawdown = Drawdown::new();
    drawdown.json(&["init"]);
    let mut documents = IMAGES.to_owned();
    for n in 0..WALLETS - 2 {
        write!(
            documents,
            "---\n{{kind: grant, wallet: team-{n}, grant_id: pack, unit: credits, amount: \"{}\"}}\n",
            n * 7 + 20
        )
        .unwrap();
    }
    let file = drawdown.file("world.yaml", documents);
    drawdown.json(&["apply", &file]);
    drawdown
}

fn ingest(drawdown: &Drawdown, ids: std::ops::Range<u32>) {
    let events: String = ids.map(|n| event(n, &format!("team-{}", n % WALLETS))).collect();
    let file = drawdown.file("usage.ndjson", events);
    drawdown.json(&["ingest", &file]);
}

fn start(drawdown: &Drawdown, topic: &Outbound) -> Started {
    drawdown.start_projector(&["run", "--roles", "projector,scheduler,outbound", "--to-topic", &topic.url])
}

fn settle(drawdown: &Drawdown, topic: &Outbound) -> (Vec<Messages>, usize) {
    until("all is folded", || {
        let status = drawdown.json(&["status"]);
        status["partitions"].as_array().unwrap().iter().all(|part| part["lag"] == 0)
    });
    let path = drawdown.data().join("projections.db");
    let store = topic.wait_for(SqliteStore::open_read_only(path)).unwrap().unwrap();
    topic.settle(&store, PARTITIONS)
}

/// Holds that the entries are those that `ledger` shows, and add up to what `balance` shows.
fn prove(drawdown: &Drawdown, read: &[Messages]) {
    let sums = balances(read);
    for n in 0..WALLETS {
        let wallet = format!("team-{n}");
        let said = drawdown.json(&["ledger", &wallet, "--limit", "100000"]);
        assert_eq!(ledger(read, &wallet), shown(&said), "{wallet}");
        let balance = drawdown.json(&["balance", &wallet]);
        // A wallet without a grant has no lots.
        let balance = balance["units"]["credits"]["balance"].as_str().unwrap_or("0").to_owned();
        let billionths = Amount::parse_sum(&balance).unwrap().billionths();
        assert_eq!(sums[&(wallet, "credits".to_owned())], billionths, "{balance}");
    }
}

#[test]
fn entries_and_outcomes_of_a_directory_are_in_the_topic_with_all_corrections() {
    let (drawdown, topic) = (world(), Outbound::on(services::kafka()));
    ingest(&drawdown, 0..400);
    let running = start(&drawdown, &topic);
    settle(&drawdown, &topic);
    ingest(&drawdown, 300..500);
    let large = event("large", "team-4").replace("}\n", &format!(",\"data\":\"{}\"}}\n", noise(120_000)));
    drawdown.json(&["ingest", &drawdown.file("large.ndjson", large)]);
    drawdown.json(&["reverse", "team-1", "1", "--reason", "cancelled"]);
    drawdown.json(&["rerate", "team-2", "14", "--reason", "another price"]);
    drawdown.json(&["void", "team-3", "--grant", "pack", "--reason", "given back"]);
    let (read, doubles) = settle(&drawdown, &topic);
    prove(&drawdown, &read);
    assert_eq!(doubles, 0, "nothing failed, so nothing was sent twice");
    let kinds = |kind: &str| read.iter().flatten().filter(|(_, value)| value["kind"] == kind).count();
    for kind in ["issue", "usage", "overage", "reversal", "void", "rerating", "catalogue"] {
        assert!(kinds(kind) > 0, "{kind}");
    }
    let outcomes = |word: &str| read.iter().flatten().filter(|(_, value)| value["outcome"] == word).count();
    assert_eq!(outcomes("duplicate"), 100);
    let charged = read.iter().flatten().find(|(_, value)| value["kind"] == "usage" && value["usage"] == "13");
    assert_eq!(charged.unwrap().1["source"], "test");
    let status = drawdown.json(&["status", "--to-topic", &topic.url]);
    let status = status["partitions"].as_array().unwrap();
    let sent: Vec<u64> = status.iter().map(|part| part["sent"].as_u64().unwrap()).collect();
    assert_eq!(sent, read.iter().map(|of| of.last().unwrap().0.0).collect::<Vec<_>>());
    let ran = running.stop("-TERM");
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    assert!(ran.err.contains("sent="), "{}", ran.err);
}

/// Letters that do not get many fewer when they are compressed.
fn noise(count: usize) -> String {
    let mut state = 1u64;
    let mut next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        char::from(b'0' + (state >> 58) as u8)
    };
    (0..count).map(|_| next()).filter(|letter| *letter != '\\').collect()
}

#[test]
fn what_was_sent_is_gone_on_with_whenever_the_process_is_killed() {
    const EVENTS: u32 = 8_000;
    let (drawdown, topic) = (world(), Outbound::on(services::kafka()));
    let mut at_work = 0;
    for round in 1..=8u32 {
        ingest(&drawdown, (round - 1) * EVENTS..round * EVENTS);
        let before = topic.count();
        let mut running = start(&drawdown, &topic);
        until("it sends", || running.is_over() || topic.count() > before);
        std::thread::sleep(std::time::Duration::from_millis(u64::from(round) * 3));
        assert_eq!(running.stop("-KILL").code, None);
        // Each event has an entry and an outcome.
        at_work += u32::from(topic.count() < u64::from(round * EVENTS * 2));
    }
    let running = start(&drawdown, &topic);
    let (read, doubles) = settle(&drawdown, &topic);
    prove(&drawdown, &read);
    println!("killed at work {at_work} times, {doubles} messages twice");
    assert!(at_work >= 2, "it was killed at work only {at_work} times");
    assert_eq!(running.stop("-TERM").code, Some(0));
}

#[test]
fn two_that_do_not_know_of_each_other_make_doubles_and_nothing_else() {
    let (drawdown, copy) = (world(), Drawdown::new());
    let topic = Outbound::on(services::kafka());
    ingest(&drawdown, 0..12_000);
    std::fs::create_dir(copy.data()).unwrap();
    std::fs::copy(drawdown.data().join("log.db"), copy.data().join("log.db")).unwrap();
    let running = [start(&drawdown, &topic), start(&copy, &topic)];
    let (read, doubles) = settle(&drawdown, &topic);
    prove(&drawdown, &read);
    println!("{doubles} messages twice");
    for running in running {
        assert_eq!(running.stop("-TERM").code, Some(0));
    }
}

#[test]
fn projections_that_are_older_or_made_anew_send_nothing_else() {
    let (drawdown, topic) = (world(), Outbound::on(services::kafka()));
    let projections = drawdown.data().join("projections.db");
    let run = |topic: &Outbound| {
        let running = start(&drawdown, topic);
        let found = settle(&drawdown, topic);
        assert_eq!(running.stop("-TERM").code, Some(0));
        found
    };
    ingest(&drawdown, 0..300);
    run(&topic);
    let older = std::fs::read(&projections).unwrap();
    ingest(&drawdown, 300..900);
    drawdown.json(&["reverse", "team-1", "1", "--reason", "cancelled"]);
    let (before, _) = run(&topic);

    std::fs::write(&projections, older).unwrap();
    let (behind, doubles) = run(&topic);
    assert!(behind.iter().flatten().count() >= before.iter().flatten().count());
    assert_eq!(doubles, 0, "an older projection sends nothing that is there");
    drawdown.json(&["rebuild"]);
    ingest(&drawdown, 900..1_000);
    let (after, doubles) = run(&topic);
    assert_eq!(doubles, 0);
    for (before, after) in before.iter().zip(&after) {
        assert_eq!(before[..], after[..before.len()], "what was sent stays");
    }
    let anew = Outbound::on(services::kafka());
    let (again, _) = run(&anew);
    let without_timers = |read: &[Messages]| -> Vec<Vec<Value>> {
        read.iter().map(|of| of.iter().map(|(_, value)| value.clone()).collect()).collect()
    };
    assert_eq!(without_timers(&again), without_timers(&after), "another topic gets the same");
}

#[test]
fn a_broker_that_is_killed_or_frozen_costs_nothing_but_time() {
    let broker = Broker::start();
    let (drawdown, topic) = (world(), Outbound::on(broker.address()));
    let running = start(&drawdown, &topic);
    ingest(&drawdown, 0..5_000);
    until("it sends", || topic.count() > 0);
    broker.kill();
    ingest(&drawdown, 5_000..9_000);
    broker.restart();
    until("it sends again", || topic.count() > 10_000);
    broker.freeze();
    ingest(&drawdown, 9_000..12_000);
    std::thread::sleep(std::time::Duration::from_secs(3));
    broker.thaw();
    let (read, doubles) = settle(&drawdown, &topic);
    prove(&drawdown, &read);
    println!("{doubles} messages twice");
    let ran = running.stop("-TERM");
    assert_eq!(ran.code, Some(0), "{}", ran.err);
}
