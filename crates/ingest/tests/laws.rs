//! What holds for any event that is accepted.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;

use ingest::{Stamp, usage};
use ledger::{Event, Instant, canonical, decode};
use proptest::prelude::*;
use serde_json::value::RawValue;

const NOW: Instant = Instant(1_769_817_600_000_000_000);

/// Any text, with what JSON escapes and what it does not.
fn text() -> impl Strategy<Value = String> {
    prop_oneof!["[a-z0-9-]{1,12}", "\\PC{1,12}", "[\\\\\"/\u{e4}\u{1f600} a]{1,12}"]
}

fn quoted(text: &str) -> String {
    serde_json::to_string(text).unwrap()
}

/// Any JSON as a sender may write it: white space, escapes, keys out of order (and at times twice), numbers of any form.
fn json() -> impl Strategy<Value = String> {
    let number = (any::<i32>(), proptest::option::of(0u32..999), proptest::option::of(-420i32..420))
        .prop_map(|(whole, fraction, exponent)| {
            let fraction = fraction.map_or(String::new(), |f| format!(".{f}"));
            format!("{whole}{fraction}{}", exponent.map_or(String::new(), |e| format!("e{e}")))
        });
    let scalar = prop_oneof![
        Just("null".to_owned()),
        Just(" true ".to_owned()),
        Just("\"\\u00e4\\ud83d\\ude00\\/\\n\"".to_owned()),
        Just("-0.0".to_owned()),
        prop_oneof![30 => number, 1 => Just("\"\\ud800\"".to_owned())],
        text().prop_map(|t| quoted(&t)),
    ];
    scalar.prop_recursive(4, 24, 5, |inner| {
        let members = proptest::collection::vec(("[a-e]{1,2}", inner.clone()), 0..5);
        prop_oneof![
            proptest::collection::vec(inner, 0..5).prop_map(|items| format!("[{}]", items.join(" ,\n"))),
            members.prop_map(|members| {
                let members: Vec<_> = members.into_iter().map(|(k, v)| format!("\"{k}\" : {v}")).collect();
                format!("{{{}}}", members.join(","))
            }),
        ]
    })
}

/// Any attributes in any order: mostly what must be there, some of what may be, some of what must not.
fn event() -> impl Strategy<Value = String> {
    let optional = |name: &'static str, value: BoxedStrategy<String>| {
        proptest::option::of(value).prop_map(move |v| v.map(|v| format!("\"{name}\":{v}")))
    };
    let string = || text().prop_map(|t| quoted(&t)).boxed();
    let media = proptest::sample::select(vec!["application/json", "text/plain", "a/b+json", "image/png", ""]);
    let time = prop_oneof![
        "\"20[0-2][0-6]-0[1-9]-[0-2][1-9]T[01][0-9]:00:00(\\.[0-9]{1,9})?(Z|z|[+-]0[0-9]:30)\"",
        "null"
    ];
    let value = prop_oneof![10 => string(), 10 => "-?[1-9][0-9]{0,17}|true|false|null", 1 => json()];
    let others = proptest::collection::vec((prop_oneof![20 => "[a-z0-9]{1,5}", 1 => "[A-Z_]"], value), 0..4);
    let must = (string(), string(), string(), string()).prop_map(|(id, source, kind, wallet)| {
        vec![
            r#""specversion":"1.0""#.to_owned(),
            format!("\"id\":{id}"),
            format!("\"source\":{source}"),
            format!("\"type\":{kind}"),
            format!("\"wallet\":{wallet}"),
        ]
    });
    let may = (
        optional("data", json().boxed()),
        optional(
            "data_base64",
            prop_oneof!["\"(eyJhIjoxfQ==|MQ==|/w==|w6Q=)\"", "null", "\"[a-z]{4}\""].boxed(),
        ),
        optional("datacontenttype", media.prop_map(quoted).boxed()),
        optional("time", time.boxed()),
        optional("subject", string()),
        optional("traceparent", string()),
        others.prop_map(|o| o.into_iter().map(|(k, v)| format!("\"{k}\":{v}")).collect::<Vec<_>>()),
    );
    let may = may.prop_map(|(a, b, c, d, e, f, others)| {
        [a, b, c, d, e, f].into_iter().flatten().chain(others).collect::<Vec<_>>()
    });
    (must, may)
        .prop_map(|(must, may)| [must, may].concat())
        .prop_shuffle()
        .prop_map(|members| format!("{{{}}}", members.join(" ,\r\n ")))
}

fn same(sent: &str, kept: &str) -> bool {
    let (mut a, mut b) = (Vec::new(), Vec::new());
    canonical(sent, &mut a).unwrap();
    canonical(kept, &mut b).unwrap();
    a == b
}

/// Whether nothing of an accepted event was lost on its way into the record.
fn keeps(sent: &str, record: &[u8]) -> Result<(), TestCaseError> {
    let record = decode(record).unwrap();
    record.identify(&mut Vec::new()).unwrap();
    let (e, Event::Usage(usage)) = (&record.envelope, &record.event) else { panic!("no usage") };
    let members = |json: &str| serde_json::from_str::<BTreeMap<String, Box<RawValue>>>(json).unwrap();
    let extensions = usage.extensions.map_or_else(Default::default, |e| members(e.get()));
    let string = |raw: &str| serde_json::from_str::<String>(raw).unwrap();
    let sent = members(sent);
    for (name, value) in sent.iter().filter(|(_, value)| value.get() != "null") {
        let (name, value) = (name.as_str(), value.get());
        let kept = match name {
            "specversion" => Some("1.0"),
            "id" => Some(&*e.id),
            "source" => Some(&*e.source),
            "type" => Some(&*usage.kind),
            "wallet" => e.wallet.as_deref(),
            "subject" => e.subject.as_deref(),
            "traceparent" => e.trace.as_deref(),
            "data" if usage.data_text.is_some() => usage.data_text.as_deref(),
            "data" => {
                prop_assert!(same(value, usage.data.unwrap().get()));
                continue;
            }
            "time" => {
                prop_assert_eq!(e.time, Instant::parse(&string(value)).ok());
                continue;
            }
            "data_base64" => {
                let all = [usage.data.is_some(), usage.data_text.is_some(), usage.data_base64.is_some()];
                prop_assert_eq!(all.into_iter().filter(|is| *is).count(), 1);
                continue;
            }
            other => {
                prop_assert!(same(value, extensions[other].get()));
                continue;
            }
        };
        prop_assert_eq!(kept, Some(&*string(value)));
    }
    let others = [
        "specversion",
        "id",
        "source",
        "type",
        "wallet",
        "subject",
        "traceparent",
        "data",
        "time",
        "data_base64",
    ];
    prop_assert!(extensions.keys().all(|name| sent.contains_key(name) && !others.contains(&name.as_str())));
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn what_is_accepted_decodes_and_keeps_everything(event in event()) {
        if let Ok(stamped) = usage(event.as_bytes(), &Stamp { now: NOW, by: "key:k1", backfill: false }) {
            keeps(&event, &stamped.bytes)?;
        }
    }

    #[test]
    fn any_data_alone_is_kept_by_value(data in json()) {
        let event = format!(r#"{{"specversion":"1.0","id":"1","source":"s","type":"t","subject":"w","data":{data}}}"#);
        let sound = canonical(&data, &mut Vec::new());
        match usage(event.as_bytes(), &Stamp { now: NOW, by: "key:k1", backfill: false }) {
            Ok(stamped) => keeps(&event, &stamped.bytes)?,
            Err(refusal) => prop_assert!(sound.is_err(), "{refusal}"),
        }
    }

    #[test]
    fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..64), event in event(), cut in 0usize..500) {
        let stamp = Stamp { now: NOW, by: "key:k1", backfill: true };
        let _ = usage(&bytes, &stamp);
        let cut = event.as_bytes().get(..cut).unwrap_or_default();
        prop_assert!(usage(cut, &stamp).is_err() || cut.len() == event.len());
    }
}

#[test]
fn most_of_the_events_that_the_laws_meet_are_accepted() {
    use proptest::strategy::ValueTree as _;
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let stamp = Stamp { now: NOW, by: "key:k1", backfill: false };
    let accepted = (0..1_000)
        .map(|_| event().new_tree(&mut runner).unwrap().current())
        .filter(|event| usage(event.as_bytes(), &stamp).is_ok())
        .count();
    assert!(accepted > 250, "{accepted} of 1000");
}
