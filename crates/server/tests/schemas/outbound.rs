//! Messages of the outbound topic.

use ledger::{Instant, Name};
use serde_json::value::RawValue;
use serde_json::{Value, json};

use crate::message::{EntryMessage, Message, OutcomeMessage, VERSION};
use crate::misfit::misfit;
use crate::{finished, generator, object};

pub(crate) fn schema() -> Value {
    let mut generator = generator();
    let root = object(generator.root_schema_for::<Message<'static>>());
    let mut schema = finished(root, generator, "A message of the outbound topic");
    for kind in schema["oneOf"].as_array_mut().unwrap() {
        kind["properties"]["v"] = json!({"const": VERSION});
    }
    schema
}

#[test]
fn a_message_is_written_as_those_who_read_it_know_it() {
    let at = |text: &str| Instant::parse(text).unwrap();
    let (unit, lot, feature) = (Name::from("credits"), Name::from("plan#1"), Name::from("chat"));
    let price = Name::from("chat@1");
    let entry = Message::Entry(EntryMessage {
        v: VERSION,
        log: "ab",
        partition: 1,
        offset: 12,
        line: 0,
        wallet: "bea",
        kind: "usage",
        unit: &unit,
        amount: "8.5",
        debit: "lot:plan#1".into(),
        credit: "usage".into(),
        available_after: "0",
        effective_at: at("2026-01-25T16:45:00Z"),
        booked_at: at("2026-01-25T16:45:00.25Z"),
        lot: Some(&lot),
        other_lot: None,
        subject: None,
        feature: Some(&feature),
        price: Some(&price),
        month: None,
        usage: Some("chat-25"),
        source: Some("/app"),
    });
    let data = RawValue::from_string(r#"{"tokens": 1e2}"#.into()).unwrap();
    let outcome = Message::Outcome(OutcomeMessage {
        v: VERSION,
        log: "ab",
        partition: 1,
        offset: 12,
        line: 1,
        wallet: Some("bea"),
        kind: "usage",
        id: "chat-25",
        source: "/app",
        subject: Some("seat"),
        at: at("2026-01-25T16:45:00Z"),
        recorded_at: at("2026-01-25T16:45:00.25Z"),
        outcome: "applied",
        detail: None,
        earlier: None,
        feature: Some("chat"),
        data: Some(&data),
    });
    let written = [
        r#"{"type":"entry","v":1,"log":"ab","partition":1,"offset":12,"line":0,"wallet":"bea","kind":"usage","unit":"credits","amount":"8.5","debit":"lot:plan#1","credit":"usage","available_after":"0","effective_at":"2026-01-25T16:45:00Z","booked_at":"2026-01-25T16:45:00.25Z","lot":"plan#1","feature":"chat","price":"chat@1","usage":"chat-25","source":"/app"}"#,
        r#"{"type":"outcome","v":1,"log":"ab","partition":1,"offset":12,"line":1,"wallet":"bea","kind":"usage","id":"chat-25","source":"/app","subject":"seat","at":"2026-01-25T16:45:00Z","recorded_at":"2026-01-25T16:45:00.25Z","outcome":"applied","feature":"chat","data":{"tokens": 1e2}}"#,
    ];
    let schema = schema();
    for (message, text) in [entry, outcome].iter().zip(written) {
        assert_eq!(serde_json::to_string(message).unwrap(), text);
        let right: Value = serde_json::from_str(text).unwrap();
        assert_eq!(misfit(&schema, &schema, &right), None);
        for (name, value) in
            [("v", json!(2)), ("more", json!(1)), ("type", json!("other")), ("log", json!(1))]
        {
            let mut wrong = right.clone();
            wrong[name] = value;
            assert!(misfit(&schema, &schema, &wrong).is_some(), "{name}");
        }
    }
}
