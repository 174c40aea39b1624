//! `project`, `tick` and `run`.

use std::process::Child;

use serde_json::json;

use crate::drawdown::{Drawdown, IMAGES, Ran, event, signal, until};

/// Two wallets whose grants of an hour ended in 2024; nothing has happened to them since.
const DUE: &str = r#"
kind: unit
name: credits
time: 2024-01-01T00:00:00Z
---
kind: grant
wallet: "team-{1..2}"
time: 2024-01-01T00:00:00Z
grant_id: hour
unit: credits
amount: "10"
expires_after: PT1H
"#;

fn stopped(child: Child, name: &str) -> Ran {
    signal(&child, name);
    child.wait_with_output().unwrap().into()
}

#[test]
fn what_is_new_is_folded_and_counted() {
    let drawdown = Drawdown::new();
    let catalogue = drawdown.file("catalogue.yaml", IMAGES);
    drawdown.json(&["apply", &catalogue]);
    let other = event("1", "team").replace("\"type\":\"image\"", "\"type\":\"video\"");
    let input = [event("1", "team"), event("1", "team"), other].concat();
    drawdown.run_with(&["ingest", "-"], input);
    let folded = drawdown.json(&["project"]);
    let counts = ["applied", "duplicate", "conflicting", "rejected", "quarantined", "timers", "unpriced"];
    assert_eq!(counts.map(|count| &folded[count]), [1, 1, 1, 0, 0, 0, 0]);
    let again = drawdown.json(&["project"]);
    assert_eq!(counts.map(|count| &again[count]), [0; 7], "all was folded");
    assert_eq!(again["positions"], folded["positions"]);
}

#[test]
fn what_is_due_gets_a_timer() {
    let drawdown = Drawdown::new();
    assert_eq!(drawdown.json(&["tick"]), json!({"due": 0, "appended": 0}));
    let due = drawdown.file("due.yaml", DUE);
    drawdown.json(&["apply", "--backfill", &due]);
    assert_eq!(drawdown.json(&["tick"]), json!({"due": 2, "appended": 2}));
    assert_eq!(drawdown.json(&["project"])["timers"], 2);
    assert_eq!(drawdown.json(&["tick"]), json!({"due": 0, "appended": 0}));
}

#[test]
fn a_second_projector_is_refused_and_the_first_goes_on() {
    let drawdown = Drawdown::new();
    let running = drawdown.start_running();
    let process = format!("another projector (process {}) runs on", running.id());
    drawdown.run(&["project"]).failed(5, &[&process, "stop it"]);
    drawdown.run(&["run"]).failed(5, &[&process]);
    let file = drawdown.file("usage.ndjson", event(1, "team"));
    assert_eq!(drawdown.json(&["ingest", &file])["appended"], 1);
    assert_eq!(drawdown.json(&["tick"])["due"], 0, "what only reads or appends works beside it");
    assert_eq!(stopped(running, "-TERM").code, Some(0));
    assert_eq!(drawdown.run(&["project"]).code, Some(0), "the right to fold is free again");
}

#[test]
fn run_folds_what_comes_sees_to_what_is_due_and_ends_gracefully() {
    for (name, word) in [("-TERM", "SIGTERM"), ("-INT", "Ctrl-C")] {
        let drawdown = Drawdown::new();
        let due = drawdown.file("due.yaml", DUE);
        drawdown.json(&["apply", "--backfill", &due]);
        let running = drawdown.start_running();
        let lines: String = (0..1000).map(|id| event(id, "team")).collect();
        let file = drawdown.file("usage.ndjson", lines);
        drawdown.json(&["ingest", &file]);
        until("both timers are appended and folded", || drawdown.json(&["tick"])["due"] == 0);
        let ran = stopped(running, name);
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
    let following = drawdown.start(&["project", "--follow", "--json"]);
    drawdown.wait_for_lock(&following);
    let file = drawdown.file("usage.ndjson", event(1, "team"));
    drawdown.json(&["ingest", &file]);
    let apply = drawdown.file("catalogue.yaml", IMAGES);
    assert_eq!(drawdown.json(&["apply", &apply])["appended"], 2, "it waits for whoever folds");
    let ran = stopped(following, "-TERM");
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    assert_eq!(ran.json()["applied"], 1 + 2 * 4, "the event, and the catalogue in each of four partitions");
}
