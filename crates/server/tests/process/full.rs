//! A disk without room.

use std::process::Command;

use serde_json::{Value, json};

use crate::drawdown::{Drawdown, event};

const EVENTS: u64 = 20_000;

/// Ingests into a file system that is soon full, then again once it has room, and folds. Where no file system can be mounted, a
/// limit on the size of files stands in.
const SCRIPT: &str = r#"
data=$1 events=$2 results=$3
mkdir -p "$data"
if mount -t tmpfs -o size=3m tmpfs "$data" 2>/dev/null
then
    echo full >"$results/how"
    "$drawdown" --data "$data" --json ingest "$events" >"$results/first" 2>"$results/errors"
    echo $? >"$results/code"
    mount -o remount,size=200m "$data"
else
    echo limited >"$results/how"
    (trap '' XFSZ; ulimit -f 4000; exec "$drawdown" --data "$data" --json ingest "$events") \
        >"$results/first" 2>"$results/errors"
    echo $? >"$results/code"
fi
"$drawdown" --data "$data" --json ingest "$events" >"$results/second"
"$drawdown" --data "$data" --json project >"$results/folded"
"#;

#[test]
fn a_full_disk_is_told_and_nothing_is_lost() {
    let drawdown = Drawdown::new();
    let lines: String = (0..EVENTS).map(|id| event(id, &format!("team-{}", id % 50))).collect();
    let events = drawdown.file("usage.ndjson", lines);
    let script = drawdown.file("full.sh", SCRIPT);
    let results = drawdown.file("results/how", "");
    let results = results.strip_suffix("/how").unwrap();
    let run = |program: &str, args: &[&str]| {
        let mut command = Command::new(program);
        command.args(args).args(["sh", &script]).arg(drawdown.data()).args([&events, results]);
        command.env("drawdown", env!("CARGO_BIN_EXE_drawdown")).output()
    };
    // Mounts of its own, so that none is left behind; where that is not allowed, none at all.
    let own = run("unshare", &["--user", "--map-root-user", "--mount"]);
    if !own.is_ok_and(|ran| ran.status.success()) {
        assert!(run("env", &[]).unwrap().status.success());
    }

    let read = |name: &str| std::fs::read_to_string(format!("{results}/{name}")).unwrap();
    let (how, errors) = (read("how"), read("errors"));
    let value = |name: &str| serde_json::from_str::<Value>(&read(name)).unwrap();
    assert_eq!(read("code").trim(), "1", "{how}{errors}");
    let first = value("first")["appended"].as_u64().unwrap();
    assert!(first < EVENTS, "{how}");
    assert!(errors.contains(&format!("{first} events are in the log and durable")), "{errors}");
    assert!(errors.contains("ingest the same again"), "{errors}");
    if how.trim() == "full" {
        assert!(errors.contains("the log's disk is full"), "{errors}");
    }

    assert_eq!(value("second"), json!({"appended": EVENTS, "refused": 0}));
    let folded = value("folded");
    assert_eq!(folded["applied"], EVENTS, "{how}");
    let again = folded["duplicate"].as_u64().unwrap();
    assert!(again == first || (again > first && errors.contains("some more may be")), "{again}, {errors}");
    println!("the disk was {}: {first} of {EVENTS} events went in first", how.trim());
}
