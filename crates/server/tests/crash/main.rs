//! Nothing acknowledged is lost and nothing counts twice, whenever the processes are killed.
#![allow(clippy::unwrap_used)]

mod chance;
mod corrections;
#[path = "../process/drawdown.rs"]
mod drawdown;
#[path = "../process/place.rs"]
mod place;

use std::collections::BTreeMap;
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use eventlog::{Durability, SqliteLog};
use ledger::{Amount, Instant, Offset, Partition};
use projector::{Depth, verify};
use store::rows::{Counts, EntryKind, EntryRow};
use store::{SqliteStore, Store};

use chance::{Chance, since_1970};
use drawdown::{Drawdown, IMAGES, Started, event};

/// How often each of the two is killed at least, while it works.
const KILLS: u32 = 50;
const EVENTS_A_FILE: u64 = 10_000;
const WALLETS: u64 = 60;
const PARTITIONS: u32 = 4;

/// What was done to the processes.
#[derive(Debug, Default)]
struct Injected {
    killed_run: u32,
    killed_ingest: u32,
    /// Files whose last event was acknowledged.
    files: u64,
    /// How often a file was begun: each time but one it was broken off.
    attempts: u64,
}

#[test]
fn nothing_is_lost_and_nothing_counts_twice_when_processes_are_killed() {
    let mut chance = Chance::told();
    let drawdown = Drawdown::new();
    let catalogue = drawdown.file("catalogue.yaml", IMAGES);
    let grants = drawdown.file("grants.yaml", grants());
    drawdown.json(&["apply", "--backfill", &grants]);
    drawdown.json(&["apply", &catalogue]);

    let injected = kill_at_random(&drawdown, &mut chance);
    assert_eq!(drawdown.run(&["project"]).code, Some(0));
    let (counts, used) = tokio::runtime::Runtime::new().unwrap().block_on(proven(&drawdown));

    let expected: BTreeMap<String, u64> =
        (0..WALLETS).map(|n| (wallet(n), expected(n, injected.files))).collect();
    assert_eq!(used, expected, "credits that each wallet used: one for each event that was acknowledged");
    println!("{injected:?}, {} events, {counts:?}", injected.files * EVENTS_A_FILE);
    assert!(injected.killed_run >= KILLS && injected.killed_ingest >= KILLS, "{injected:?}");
    assert!(counts.timers >= WALLETS, "the scheduler had work: {counts:?}");
    assert!(counts.duplicate > 0, "what was broken off had been appended in part: {counts:?}");
    assert_eq!((counts.conflict, counts.rejected, counts.quarantined, counts.unpriced), (0, 0, 0, 0));
}

/// Keeps `run` and an `ingest` going, and kills the one or the other, until both were killed often enough.
fn kill_at_random(drawdown: &Drawdown, chance: &mut Chance) -> Injected {
    let mut injected = Injected::default();
    let mut running: Option<Started> = None;
    let mut ingesting: Option<Started> = None;
    let mut file = drawdown.file("usage.ndjson", events(0));
    while injected.killed_run < KILLS || injected.killed_ingest < KILLS {
        running.get_or_insert_with(|| {
            Started::new(drawdown.command(&["run"]).env("DRAWDOWN_LOG_LEVEL", "warn"))
        });
        ingesting.get_or_insert_with(|| {
            injected.attempts += 1;
            Started::new(drawdown.command(&["ingest", &file]).stdout(Stdio::null()))
        });
        std::thread::sleep(Duration::from_millis(chance.below(120)));
        let (kill_run, kill_ingest) = [(true, false), (false, true), (true, true)][chance.below(3) as usize];
        if kill_run {
            injected.killed_run += kill(running.take(), "run", &[0]);
        }
        let ended = ingesting.as_mut().and_then(|started| started.child().try_wait().unwrap());
        match ended {
            Some(status) => {
                assert!(status.success(), "ingest ended with {status}");
                ingesting = None;
                injected.files += 1;
                file = drawdown.file("usage.ndjson", events(injected.files));
            }
            None if kill_ingest => injected.killed_ingest += kill(ingesting.take(), "ingest", &[0]),
            None => {}
        }
    }
    drop((running, ingesting));
    // What was begun is done again, to its end: nobody waits for an answer that did not come.
    drawdown.json(&["ingest", &file]);
    injected.files += 1;
    injected
}

/// Kills a process, which must still be at work, or have ended just now as it may; answers how many were killed at work.
fn kill(started: Option<Started>, name: &str, ends: &[i32]) -> u32 {
    let mut started = started.expect("it was started");
    started.child().kill().unwrap();
    let status = started.child().wait().unwrap();
    assert!(status.code().is_none_or(|code| ends.contains(&code)), "{name} had ended by itself: {status}");
    u32::from(status.code().is_none())
}

/// Compares everything that is stored with the log folded again, and adds up what each wallet used.
async fn proven(drawdown: &Drawdown) -> (Counts, BTreeMap<String, u64>) {
    let log = SqliteLog::open(&drawdown.data().join("log.db"), Durability::Power).await.unwrap().unwrap();
    let log = Arc::new(log);
    let store = SqliteStore::open_read_only(drawdown.data().join("projections.db")).await.unwrap().unwrap();
    let store = Arc::new(store);
    let mut counts = Counts::default();
    let mut used = BTreeMap::new();
    for partition in (0..PARTITIONS).map(Partition) {
        let verified = verify(log.clone(), store.clone(), partition, Depth::Rows, |_| {}).await.unwrap();
        assert_eq!(verified.divergence, None);
        assert!(verified.records > 0 && verified.rows > 0, "{verified:?}");

        let head = store.head(partition).await.unwrap().unwrap();
        counts.applied += head.counts.applied;
        counts.duplicate += head.counts.duplicate;
        counts.conflict += head.counts.conflict;
        counts.rejected += head.counts.rejected;
        counts.quarantined += head.counts.quarantined;
        counts.timers += head.counts.timers;
        counts.unpriced += head.counts.unpriced;
        let wallets = store.all_wallets(partition, None, 1_000).await.unwrap();
        let names: BTreeMap<i64, String> = wallets.into_iter().map(|row| (row.no, row.id)).collect();
        for entry in store.entries_between(partition, Offset(0), head.next).await.unwrap() {
            *used.entry(names[&entry.wallet].clone()).or_default() += credits_used(&entry);
        }
    }
    (counts, used)
}

fn credits_used(entry: &EntryRow) -> u64 {
    if !EntryKind::of_code(entry.kind).unwrap().is_draw() {
        return 0;
    }
    assert_eq!(Amount::parse(&entry.amount), Amount::parse("1"), "an image costs a credit");
    1
}

/// Each wallet gets a hundred credits an hour; the hours of one begin a second after those of the one before, so that all the
/// while the hours of some end.
fn grants() -> String {
    let now = i64::try_from(since_1970().as_nanos()).unwrap();
    let first = Instant(now).plus(-10 * 3_600_000_000_000);
    let mut documents = format!("{{kind: unit, name: credits, time: \"{first}\"}}\n");
    for n in 0..WALLETS {
        let begins = first.plus(n as i64 * 1_000_000_000);
        documents += &format!(
            "---\n{{kind: grant, wallet: {}, grant_id: hourly, unit: credits, amount: \"100\", effective_at: \"{begins}\", \
             recurrence: {{interval: PT1H}}}}\n",
            wallet(n)
        );
    }
    documents
}

fn wallet(n: u64) -> String {
    format!("team-{n}")
}

/// The events of a file; one in so many is of each wallet.
fn events(file: u64) -> String {
    (0..EVENTS_A_FILE).map(|n| event(format!("{file}-{n}"), &wallet(n % WALLETS))).collect()
}

/// How many events of so many files are a wallet's.
fn expected(wallet: u64, files: u64) -> u64 {
    files * (EVENTS_A_FILE / WALLETS + u64::from(wallet < EVENTS_A_FILE % WALLETS))
}
