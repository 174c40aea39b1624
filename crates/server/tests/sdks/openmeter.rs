//! OpenMeter's own SDKs, unchanged: they send events and ask for access as they do there.

use serde_json::{Value, json};

use crate::drawdown::until;
use crate::installed::python;
use crate::story::{Story, has_access, ids, line, value};

#[test]
fn pythons_sdk_of_openmeter_sends_events_and_asks_for_access() {
    const WALLET: &str = "sdk-openmeter-python";
    let story = Story::of(python("openmeter-python"));
    for step in ["event", "again", "no time, no data", "batch", "json", "json batch", "event, async"] {
        assert_eq!(story.at(step)[0].get("answer"), Some(&Value::Null), "{step}");
    }
    let booked = story.booked(WALLET, 10);
    assert_eq!(ids(&booked), ["1", "1 duplicate", "2", "3", "4", "5", "6", "7", "8", "9"]);
    assert_eq!(line(&booked, "1")["at"], "2026-01-02T01:04:05.678901Z");
    assert_eq!(line(&booked, "1")["data"], json!({"tokens": 3, "note": "Zoë 😀"}));
    until("all of it is booked", || value(&story.server, WALLET)["usage"] == 9.0);

    for step in ["value", "value, version 2", "value, async"] {
        has_access(&story.at(step)[0]["answer"]);
    }
    has_access(&story.at("access")[0]["answer"]["entitlements"]["calls"]);
    assert_eq!(story.at("value at a time")[0]["answer"]["hasAccess"], false, "nothing was known then");
    for (step, status, code) in [
        ("bad", 400, "specversion"),
        ("one bad", 400, "some_refused"),
        ("value of no feature", 404, "unknown_feature"),
        ("value of nobody", 404, "unknown_wallet"),
        ("access of nobody", 404, "unknown_wallet"),
        ("access of nobody, async", 404, "unknown_wallet"),
        ("another key", 401, "unauthorized"),
        ("access with another key", 401, "unauthorized"),
    ] {
        let saw = story.at(step)[0];
        assert_eq!((&saw["status"], &saw["problem"]["code"]), (&json!(status), &json!(code)), "{saw}");
    }
}

/// What OpenMeter's SDK for JavaScript saw, and what was booked of it.
pub(crate) fn javascript(story: &Story) {
    const WALLET: &str = "sdk-openmeter-javascript";
    // Its first steps' names are those of the SDK alone.
    for step in ["event", "again", "with defaults", "nothing but null", "batch"] {
        assert_eq!(story.at(step)[0].get("answer"), Some(&Value::Null), "{step}");
    }
    let booked = story.booked(WALLET, 7);
    let named: Vec<String> = ids(&booked).into_iter().filter(|id| id.len() < 20).collect();
    assert_eq!(named, ["1", "1 duplicate", "2", "3", "4", "5"], "one has an id that the SDK made");
    assert_eq!(line(&booked, "1")["at"], "2026-01-02T01:04:05.678Z");
    until("all of it is booked", || value(&story.server, WALLET)["usage"] == 6.0);

    for step in ["value", "value, version 1"] {
        has_access(&story.at(step)[0]["answer"]);
    }
    has_access(&story.at("access")[0]["answer"]["entitlements"]["calls"]);
    for (step, status, code) in [
        ("bad", 400, "specversion"),
        ("one bad", 400, "some_refused"),
        ("value of no feature", 404, "unknown_feature"),
        ("value of nobody", 404, "unknown_wallet"),
        ("access of nobody", 404, "unknown_wallet"),
        ("another key", 401, "unauthorized"),
        ("access with another key", 401, "unauthorized"),
    ] {
        let error = &story.at(step)[0]["error"];
        let kind = json!(format!("urn:drawdown:problem:{code}"));
        assert_eq!((&error["status"], &error["type"]), (&json!(status), &kind), "{step}: {error}");
    }
}
