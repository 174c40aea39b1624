//! `project` and `run` where another process has the directory.

use ledger::Partition;
use serde_json::json;
use store::{SqliteStore, Store};

use crate::drawdown::{Drawdown, IMAGES, event, until};
use crate::folding::DUE;

/// How many wallets are due, as it is stored.
fn still_due(drawdown: &Drawdown) -> usize {
    tokio::runtime::Runtime::new().unwrap().block_on(async {
        let path = drawdown.data().join("projections.db");
        let store = SqliteStore::open_read_only(path).await.unwrap().unwrap();
        let mut due = 0;
        for partition in (0..4).map(Partition) {
            due += store.due(partition, i64::MAX, 10).await.unwrap().len();
        }
        // Whoever has a file open keeps its write-ahead log.
        store.close().await.unwrap();
        due
    })
}

#[test]
fn a_second_projector_is_refused_and_the_first_goes_on() {
    let drawdown = Drawdown::new();
    let mut running = drawdown.start_projector(&["run"]);
    let process = format!("another projector (process {}) runs on", running.child().id());
    drawdown.run(&["project"]).failed(5, &[&process, "stop it"]);
    drawdown.run(&["run"]).failed(5, &[&process]);
    let file = drawdown.file("usage.ndjson", event(1, "team"));
    assert_eq!(drawdown.json(&["ingest", &file])["appended"], 1);
    assert_eq!(drawdown.json(&["tick"])["due"], 0, "what only reads or appends works beside it");
    assert_eq!(running.stop("-TERM").code, Some(0));
    assert_eq!(drawdown.run(&["project"]).code, Some(0), "the right to fold is free again");
}

#[test]
fn a_projector_whose_partitions_another_one_took_stops() {
    let drawdown = Drawdown::new();
    let mut first = drawdown.start_projector(&["run"]);
    let images = drawdown.file("images.yaml", IMAGES);
    drawdown.json(&["apply", &images]);
    std::fs::remove_file(drawdown.data().join("projector.lock")).unwrap();
    let second = drawdown.start_projector(&["run"]);
    let mut events = 0;
    until("the first is fenced", || {
        let file = drawdown.file("usage.ndjson", event(events, "team"));
        drawdown.json(&["ingest", &file]);
        events += 1;
        first.is_over()
    });
    first.end().failed(5, &["the projections cannot be read or written", "another projector has it"]);

    assert_eq!(second.stop("-TERM").code, Some(0));
    drawdown.json(&["project"]);
    let all: String = (0..events).map(|id| event(id, "team")).collect();
    drawdown.run_with(&["ingest", "-"], all);
    let again = drawdown.json(&["project"]);
    assert_eq!(
        (&again["applied"], &again["duplicate"]),
        (&json!(0), &json!(events)),
        "each was folded, once"
    );
}

#[test]
fn run_folds_what_comes_sees_to_what_is_due_and_ends_gracefully() {
    for (name, word) in [("-TERM", "SIGTERM"), ("-INT", "Ctrl-C")] {
        let drawdown = Drawdown::new();
        let due = drawdown.file("due.yaml", DUE);
        drawdown.json(&["apply", "--backfill", &due]);
        let running = drawdown.start_projector(&["run"]);
        let lines: String = (0..1000).map(|id| event(id, "team")).collect();
        let file = drawdown.file("usage.ndjson", lines);
        drawdown.json(&["ingest", &file]);
        until("both timers are appended and folded", || still_due(&drawdown) == 0);
        let ran = running.stop(name);
        assert_eq!(ran.code, Some(0), "{word}: {}", ran.err);
        assert!(ran.err.contains("stopped") && ran.err.contains("timers=2"), "{}", ran.err);

        let left = |name: &str| drawdown.data().join(name).exists();
        assert!(!left("log.db-wal") && !left("projections.db-wal"), "the files are closed");
        let rest = drawdown.json(&["project"])["applied"].as_u64().unwrap();
        assert!(rest <= 1000, "what was not folded is folded now");
    }
}

#[test]
fn project_follows_until_stopped_and_then_counts() {
    let drawdown = Drawdown::new();
    let following = drawdown.start_projector(&["project", "--follow", "--json"]);
    let file = drawdown.file("usage.ndjson", event(1, "team"));
    drawdown.json(&["ingest", &file]);
    let apply = drawdown.file("catalogue.yaml", IMAGES);
    assert_eq!(drawdown.json(&["apply", &apply])["appended"], 2, "it waits for whoever folds");
    let ran = following.stop("-TERM");
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    assert_eq!(ran.json()["applied"], 1 + 2 * 4, "the event, and the catalogue in each of four partitions");
}
