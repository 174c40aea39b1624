//! What `project` folds and `tick` appends.

use serde_json::json;

use crate::drawdown::{Drawdown, IMAGES, event};

/// Two wallets whose grants of an hour ended in 2024; nothing has happened to them since.
pub(crate) const DUE: &str = r#"
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
    assert_eq!(drawdown.json(&["tick"]), json!({"due": 0, "appended": 0, "rerated": 0}));
    let due = drawdown.file("due.yaml", DUE);
    drawdown.json(&["apply", "--backfill", &due]);
    assert_eq!(drawdown.json(&["tick"]), json!({"due": 2, "appended": 2, "rerated": 0}));
    assert_eq!(drawdown.json(&["project"])["timers"], 2);
    assert_eq!(drawdown.json(&["tick"]), json!({"due": 0, "appended": 0, "rerated": 0}));
}
