//! Records and files that cannot be folded.

use std::path::Path;

use eventlog::{Appending, Durability, EventLog, SqliteLog};
use ledger::Partition;
use serde_json::json;

use crate::drawdown::{Drawdown, event};

/// Appends bytes to partition 1 as they are.
fn append(data: &Path, records: &[&[u8]]) {
    tokio::runtime::Runtime::new().unwrap().block_on(async {
        let log = SqliteLog::open(&data.join("log.db"), Durability::Process).await.unwrap().unwrap();
        let to = |bytes: &&[u8]| Appending { partition: Partition(1), bytes: bytes.to_vec() };
        log.append(records.iter().map(to).collect()).await.unwrap();
        log.close().await.unwrap();
    });
}

/// Events of wallets in all partitions.
fn events() -> String {
    (0..100).map(|id| event(id, &format!("team-{id}"))).collect()
}

#[test]
fn a_record_of_a_newer_build_halts_its_partition_and_is_named() {
    let unknown_type = br#"{"v":1,"id":"1","source":"s","type":"lot.moved","wallet":"w","recorded_at":"2026-01-01T00:00:00Z","by":"operator","data":{}}"#;
    let unknown_version = br#"{"v":5,"what":"nobody knows"}"#;
    for (record, what) in [(&unknown_type[..], "lot.moved"), (unknown_version, "version 5")] {
        let drawdown = Drawdown::new();
        drawdown.json(&["init"]);
        append(&drawdown.data(), &[record]);
        drawdown.run_with(&["ingest", "-"], events());
        for command in ["project", "run"] {
            drawdown.run(&[command]).failed(6, &["the record at 1:1 cannot be folded by this build", what]);
        }
        let status = drawdown.run(&["status"]);
        status.failed(6, &[]);
        assert!(status.out.contains("partition 1 stands still: the record at 1:1 cannot"), "{}", status.out);
        assert_eq!(status.out.matches("stands still").count(), 1, "{}", status.out);
        let file = drawdown.file("unit.yaml", "{kind: unit, name: credits}");
        drawdown.run(&["apply", &file]).failed(6, &["nothing was applied", "1:1"]);
    }
}

#[test]
fn a_corrupt_record_is_set_aside_and_the_rest_is_folded() {
    let drawdown = Drawdown::new();
    drawdown.json(&["init"]);
    append(&drawdown.data(), &[b"no envelope", b"\xff\xfe", br#"{"v":1,"id":"1"}"#]);
    drawdown.run_with(&["ingest", "-"], events());
    let folded = drawdown.json(&["project"]);
    assert_eq!((&folded["quarantined"], &folded["applied"]), (&json!(3), &json!(100)));
}

#[test]
fn a_projection_of_another_log_is_refused() {
    let (one, other) = (Drawdown::new(), Drawdown::new());
    for drawdown in [&one, &other] {
        drawdown.run_with(&["ingest", "-"], events());
        drawdown.json(&["project"]);
    }
    std::fs::copy(one.data().join("projections.db"), other.data().join("projections.db")).unwrap();
    let id = |drawdown: &Drawdown| {
        tokio::runtime::Runtime::new().unwrap().block_on(async {
            let path = drawdown.data().join("log.db");
            let log = SqliteLog::open(&path, Durability::Process).await.unwrap().unwrap();
            projector::log_id(&log).await.unwrap()
        })
    };
    for command in ["project", "run"] {
        other.run(&[command]).failed(6, &[&id(&one), &id(&other), "rebuild it"]);
    }
}

#[test]
fn a_log_that_is_shorter_than_what_was_folded_is_another_one() {
    let drawdown = Drawdown::new();
    drawdown.json(&["init"]);
    let (log, copy) = (drawdown.data().join("log.db"), drawdown.data().join("copy.db"));
    std::fs::copy(&log, &copy).unwrap();
    drawdown.run_with(&["ingest", "-"], events());
    drawdown.json(&["project"]);
    std::fs::rename(&copy, &log).unwrap();
    drawdown.run(&["project"]).failed(6, &["the log is not the one that was folded before"]);
    let status = drawdown.run(&["status", "--json"]);
    status.failed(6, &[]);
    let halted = status.json()["partitions"][1]["halted"].as_str().map(str::to_owned);
    assert!(halted.unwrap().contains("records of it were folded"), "{}", status.out);

    // As long as before, and with other records.
    let others: String = (100..300).map(|id| event(id, &format!("team-{id}"))).collect();
    drawdown.run_with(&["ingest", "-"], others);
    drawdown.run(&["project"]).failed(6, &["is not the one that was folded"]);
}

#[test]
fn a_log_that_is_no_database_is_named() {
    let drawdown = Drawdown::new();
    std::fs::create_dir(drawdown.data()).unwrap();
    std::fs::write(drawdown.data().join("log.db"), "this is a note of mine, and no database").unwrap();
    drawdown.run(&["project"]).failed(1, &["log.db cannot be opened"]);
}
