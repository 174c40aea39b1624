//! What an SDK's script saw, and what was booked of it.

use std::process::Command;

use serde_json::Value;

use crate::drawdown::until;
use crate::server::Server;

/// What the scripts use: a price, and credits for those who ask for access.
const DOCUMENTS: &str = r#"
kind: unit
name: credits
---
kind: price
name: sdk
match: {type: sdk.call}
effective_from: 2025-01-01T00:00:00Z
feature: calls
charges: [{unit: credits, amount: "1"}]
---
kind: grant
wallet: sdk-openmeter-python
grant_id: welcome
reason: a test
unit: credits
amount: "100"
effective_at: 2025-01-01T00:00:00Z
---
kind: grant
wallet: sdk-openmeter-javascript
grant_id: welcome
reason: a test
unit: credits
amount: "100"
effective_at: 2025-01-01T00:00:00Z
"#;

/// A script's run against a server of its own.
pub(crate) struct Story {
    pub(crate) server: Server,
    saw: Vec<Value>,
}

impl Story {
    pub(crate) fn of(mut script: Command) -> Self {
        let server = Server::start(DOCUMENTS);
        let ran = script.args([&server.url, &server.key]).output().unwrap();
        let (out, err) = (String::from_utf8_lossy(&ran.stdout), String::from_utf8_lossy(&ran.stderr));
        assert!(ran.status.success(), "{script:?} failed: {out}{err}");
        let saw = serde_json::from_str(&out).unwrap_or_else(|error| panic!("{error}: {out}{err}"));
        Self { server, saw }
    }

    /// What was seen at the steps of this name, in order.
    pub(crate) fn at(&self, step: &str) -> Vec<&Value> {
        let found: Vec<&Value> = self.saw.iter().filter(|saw| saw["step"] == step).collect();
        assert!(!found.is_empty(), "no step {step:?}: {:#?}", self.saw);
        found
    }

    /// The steps that send one event, or several of which one is bad, to `/v1/events`: each was answered so.
    pub(crate) fn each_was_taken(&self) {
        let sent: Vec<&Value> = self.saw.iter().filter(|saw| saw.get("body").is_some()).collect();
        assert!(sent.len() > 8, "{:#?}", self.saw);
        for saw in sent {
            // Some SDKs do not say with what status they were answered.
            assert!(saw.get("status").is_none_or(|status| status == 202), "{saw}");
            let (good, bad) = if saw["step"] == "6, batched" { (2, 1) } else { (1, 0) };
            assert_eq!(
                (&saw["body"]["accepted"], &saw["body"]["refused"]),
                (&good.into(), &bad.into()),
                "{saw}"
            );
        }
        assert_eq!(self.at("6, batched")[0]["body"]["events"][1]["code"], "missing");
    }

    /// What was booked of a wallet's events: by the event's id and its outcome, in order of the log.
    pub(crate) fn booked(&self, wallet: &str, count: usize) -> Vec<Value> {
        let list = || self.server.drawdown.json(&["usage", wallet])["usage"].as_array().unwrap().clone();
        until("all of it is committed", || list().len() >= count);
        let list = list();
        assert_eq!(list.len(), count, "{list:#?}");
        list
    }
}

/// The ids of what was booked, with what became of a second sending.
pub(crate) fn ids(booked: &[Value]) -> Vec<String> {
    let id = |line: &Value| match (line["id"].as_str().unwrap(), line["outcome"].as_str().unwrap()) {
        (id, "applied") => id.to_owned(),
        (id, outcome) => format!("{id} {outcome}"),
    };
    booked.iter().map(id).collect()
}

/// One line of what was booked, by its id.
pub(crate) fn line<'a>(booked: &'a [Value], id: &str) -> &'a Value {
    booked.iter().find(|line| line["id"] == id).unwrap_or_else(|| panic!("no {id}: {booked:#?}"))
}

/// A value as it was seen: what was sent just before may be booked or not yet.
pub(crate) fn has_access(value: &Value) {
    assert_eq!(value["hasAccess"], true, "{value}");
    let number = |name: &str| value[name].as_f64().unwrap_or_else(|| panic!("{name} is no number: {value}"));
    assert_eq!([number("overage"), number("totalAvailableGrantAmount")], [0.0, 100.0], "{value}");
    assert_eq!(number("balance") + number("usage"), 100.0, "{value}");
}

/// The value now, asked for without an SDK.
pub(crate) fn value(server: &Server, wallet: &str) -> Value {
    server.get(&format!("/api/v1/customers/{wallet}/entitlements/calls/value")).expect(200)
}
