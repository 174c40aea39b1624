//! Records of our own: what they look like, and that they decode.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeSet;

use ingest::{
    Corrected, Correction, Grant, Refusal, Stamp, Usage, configured, corrected, genesis, grant, priced,
    published, rerating_id, timer,
};
use ledger::{Amount, Configured, Event, Instant, Offset, Part, TakenFrom, Terms, Voided, What, decode};
use serde_json::value::RawValue;

fn stamp() -> Stamp<'static> {
    Stamp { now: at("2026-01-31T00:00:00Z"), by: "operator", backfill: false }
}

fn at(text: &str) -> Instant {
    Instant::parse(text).unwrap()
}

fn check(bytes: &[u8], record: &str) {
    assert_eq!(std::str::from_utf8(bytes).unwrap(), record);
    decode(bytes).unwrap().identify(&mut Vec::new()).unwrap();
}

fn terms(more: &str) -> Terms {
    serde_json::from_str(&format!(r#"{{"grant_id":"welcome","unit":"credits","amount":"12.50"{more}}}"#))
        .unwrap()
}

fn of(terms: &Terms) -> Grant<'_> {
    Grant { wallet: "acme", source: None, id: None, time: None, terms, reason: None }
}

#[test]
fn a_grant() {
    let plain = terms("");
    let stamped = grant(&of(&plain), &stamp()).unwrap();
    check(
        &stamped.bytes,
        concat!(
            r#"{"v":1,"id":"grant:welcome","source":"operator","type":"grant.issued","wallet":"acme","#,
            r#""recorded_at":"2026-01-31T00:00:00Z","by":"operator","data":{"grant_id":"welcome","unit":"credits","#,
            r#""amount":"12.5","priority":50,"category":"paid"}}"#
        ),
    );
    let full = terms(
        r#","cost_basis":{"money":"10","currency":"USD"},"priority":1,"category":"included","effective_at":"2026-01-01T00:00:00Z",
          "applies_to":{"feature":["chat"]},"recurrence":{"interval":"P1M","first":"prorated"},
          "rollover":{"percent":"50","max_times":2},"allowed_lateness":"PT1H","metadata":{"a":"\"b\""}"#,
    );
    let named = Grant {
        source: Some("billing"),
        id: Some("17"),
        time: Some(at("2026-01-30T00:00:00.5Z")),
        reason: Some("a new\ncustomer"),
        ..of(&full)
    };
    let stamped = grant(&named, &stamp()).unwrap();
    let record = decode(&stamped.bytes).unwrap();
    let e = &record.envelope;
    assert_eq!((&*e.id, &*e.source, e.time), ("17", "billing", named.time));
    assert_eq!(e.reason.as_deref(), Some("a new\ncustomer"));
    assert!(matches!(&record.event, Event::GrantIssued(kept) if **kept == full));
    let backfill = Stamp { backfill: true, ..stamp() };
    let stamped = grant(&named, &backfill).unwrap();
    let e = decode(&stamped.bytes).unwrap().envelope;
    assert_eq!((e.recorded_at, &*e.by), (named.time.unwrap(), "operator:backfill"));
    assert_eq!(grant(&of(&plain), &backfill), Err(Refusal::BackfillWithoutTime));
}

#[test]
fn grants_that_cannot_be_recorded() {
    let refused = |grant_: Grant<'_>| grant(&grant_, &stamp()).unwrap_err().to_string();
    let plain = terms("");
    assert_eq!(
        refused(Grant { wallet: "", ..of(&plain) }),
        Refusal::Empty { attribute: "wallet" }.to_string()
    );
    let late = Grant { time: Some(at("2026-02-01T00:00:00Z")), ..of(&plain) };
    assert_eq!(refused(late), Refusal::Future { ahead_ms: 86_400_000 }.to_string());
    let control = Grant { id: Some("a\u{7}"), ..of(&plain) };
    assert_eq!(refused(control), Refusal::ControlCharacter { attribute: "id" }.to_string());
    let unnamed = Terms { grant_id: String::new(), ..terms("") };
    assert_eq!(refused(of(&unnamed)), Refusal::Empty { attribute: "grant_id" }.to_string());
    let long = Terms { grant_id: "x".repeat(251), ..terms("") };
    let refusal = Refusal::TooLong { attribute: "id", bytes: 257, most: 256 };
    assert_eq!(refused(of(&long)), refusal.to_string());
    let huge = terms(&format!(r#","metadata":{{"a":"{}"}}"#, "x".repeat(200_000)));
    assert!(matches!(grant(&of(&huge), &stamp()), Err(Refusal::TooLarge { .. })));
    let beyond = Terms { expires_at: Some(Instant(i64::MAX)), ..terms("") };
    assert!(matches!(grant(&of(&beyond), &stamp()), Err(Refusal::Undecodable(_))));
}

#[test]
fn a_configuration_is_named_by_what_it_says_and_replaces() {
    let zone = |replaces: Option<&str>| Configured {
        zone: Some("Europe/Berlin".into()),
        replaces: replaces.map(Into::into),
        ..Configured::default()
    };
    let first = configured("acme", &zone(None), None, &stamp()).unwrap();
    let record = format!(
        concat!(
            r#"{{"v":1,"id":"{}","source":"operator","type":"wallet.configured","wallet":"acme","#,
            r#""recorded_at":"2026-01-31T00:00:00Z","by":"operator","data":{{"zone":"Europe/Berlin"}}}}"#
        ),
        first.id
    );
    check(&first.bytes, &record);
    let again =
        configured("acme", &zone(None), None, &Stamp { now: at("2026-02-01T00:00:00Z"), ..stamp() }).unwrap();
    assert_eq!(again.id, first.id);
    let next = configured("acme", &zone(Some(&first.id)), None, &stamp()).unwrap();
    let other = configured("globex", &zone(None), None, &stamp()).unwrap();
    assert!(next.id != first.id && other.id != first.id && next.id != other.id);
    let record = decode(&next.bytes).unwrap();
    assert!(matches!(&record.event, Event::WalletConfigured(c) if c.replaces.as_deref() == Some(&*first.id)));
}

#[test]
fn a_catalogue_document_is_named_by_what_it_says_and_replaces() {
    let first = published("unit", "credits", " {\"description\":\n\"Credits\"} ", None, &stamp()).unwrap();
    let record = format!(
        concat!(
            r#"{{"v":1,"id":"{}","source":"catalogue","type":"catalogue.published","#,
            r#""recorded_at":"2026-01-31T00:00:00Z","by":"operator","data":{{"kind":"unit","name":"credits","#,
            "\"body\":{{\"description\":\n\"Credits\"}}}}}}"
        ),
        first.id
    );
    check(&first.bytes, &record);
    let same = published("unit", "credits", r#"{"description":"Credits"}"#, None, &stamp()).unwrap();
    assert_eq!(same.id, first.id);
    let next =
        published("unit", "credits", r#"{"description":"Credits"}"#, Some(&first.id), &stamp()).unwrap();
    assert_ne!(next.id, first.id);
    let record = decode(&next.bytes).unwrap();
    assert!(
        matches!(&record.event, Event::CataloguePublished(p) if p.replaces.as_deref() == Some(&*first.id))
    );
    let refused = |name, body| published("unit", name, body, None, &stamp()).unwrap_err().code();
    assert_eq!(refused("", "{}"), "empty");
    assert_eq!(refused("credits", "{"), "breaks_off");
    assert_eq!(refused("credits", "{} x"), "not_json");
    assert_eq!(refused("credits", r#"{"a":1,"a":1}"#), "duplicate_key");
    assert_eq!(refused("credits", &format!("{}{}", "[".repeat(64), "]".repeat(64))), "too_deep");
}

#[test]
fn a_timer() {
    let key = Stamp { by: "key:k1", backfill: true, ..stamp() };
    let stamped = timer("acme", at("2026-01-30T23:59:59.5Z"), &key);
    check(
        &stamped.bytes,
        concat!(
            r#"{"v":1,"id":"timer:2026-01-30T23:59:59.5Z","source":"scheduler","type":"timer.due","wallet":"acme","#,
            r#""recorded_at":"2026-01-31T00:00:00Z","by":"system","data":{"due_at":"2026-01-30T23:59:59.5Z"}}"#
        ),
    );
    assert_eq!((&*stamped.wallet, &*stamped.id), ("acme", "timer:2026-01-30T23:59:59.5Z"));
}

#[test]
fn a_genesis() {
    let id = "00112233445566778899aabbccddeeff";
    let of = TakenFrom { log: id.into(), partition: 2, wallet: "acme".into() };
    check(
        &genesis("ff112233445566778899aabbccddeeff", 4, Some((of, 1)), &stamp()),
        concat!(
            r#"{"v":1,"id":"genesis","source":"drawdown","type":"genesis","recorded_at":"2026-01-31T00:00:00Z","#,
            r#""by":"operator","data":{"log":"ff112233445566778899aabbccddeeff","partitions":4,"#,
            r#""partitioner":"sha256-8-mod","fold":1,"#,
            r#""of":{"log":"00112233445566778899aabbccddeeff","partition":2,"wallet":"acme"}}}"#
        ),
    );
    assert!(
        matches!(decode(&genesis(id, 1, None, &stamp())).unwrap().event, Event::Genesis(g) if g.of.is_none() && g.fold == 2)
    );
    assert!(genesis(id, 1, None, &stamp()).starts_with(br#"{"v":2,"#), "older builds stop at a newer fold");
}

fn says<'a>(id: &'a str, reason: Option<&'a str>, says: Correction<'a>) -> Corrected<'a> {
    Corrected { wallet: "acme", id, time: None, reason, says }
}

const USAGE: Usage<'static> = Usage { source: "/images", id: "req-17" };

#[test]
fn corrections() {
    let voided = Voided { grant_id: Some("plan".into()), purchase_id: None, what: What::Future };
    let part = Part { unit: "credits".into(), feature: None, amount: Amount::parse("2.50").unwrap() };
    let data = RawValue::from_string(r#"{"n": 1.50}"#.into()).unwrap();
    let steps = [("wallet.suspended", "{}".to_owned())];
    let usage = r#""usage":{"source":"/images","id":"req-17"}"#;
    for (correction, data) in [
        (Correction::Void(&voided), r#"{"grant_id":"plan","what":"future"}"#.to_owned()),
        (Correction::Reverse(USAGE, None), format!("{{{usage}}}")),
        (
            Correction::Reverse(USAGE, Some(std::slice::from_ref(&part))),
            format!(r#"{{{usage},"amounts":[{{"unit":"credits","amount":"2.5"}}]}}"#),
        ),
        (Correction::Rerate(USAGE, Some(&data)), format!(r#"{{{usage},"data":{{"n": 1.50}}}}"#)),
        (Correction::Change(&steps), r#"{"steps":[{"type":"wallet.suspended","data":{}}]}"#.to_owned()),
        (Correction::Resume, "{}".to_owned()),
    ] {
        let stamped = corrected(&says("1", Some("a\nmistake"), correction), &stamp()).unwrap();
        let record = format!(
            concat!(
                r#"{{"v":1,"id":"1","source":"operator","type":"{}","wallet":"acme","#,
                r#""recorded_at":"2026-01-31T00:00:00Z","by":"operator","reason":"a\nmistake","data":{}}}"#
            ),
            correction.kind(),
            data
        );
        check(&stamped.bytes, &record);
    }
}

#[test]
fn corrections_that_cannot_be_recorded() {
    let refused = |corrected_: Corrected<'_>| corrected(&corrected_, &stamp()).unwrap_err();
    assert_eq!(refused(says("1", Some(" "), Correction::Suspend)), Refusal::Empty { attribute: "reason" });
    assert_eq!(refused(says("", None, Correction::Suspend)), Refusal::Empty { attribute: "id" });
    let unnamed = Usage { source: "", id: "1" };
    assert_eq!(
        refused(says("1", Some("x"), Correction::Reverse(unnamed, None))),
        Refusal::Empty { attribute: "source" }
    );
    let no_step = [("usage", "{}".to_owned())];
    assert!(matches!(refused(says("1", None, Correction::Change(&no_step))), Refusal::Undecodable(_)));
}

#[test]
fn an_id_follows_from_what_is_said_why_and_how_often() {
    let reverse = Correction::Reverse(USAGE, None);
    let ids = [
        reverse.id("acme", Some("x"), 0),
        reverse.id("acme", Some("x"), 1),
        reverse.id("acme", Some("y"), 0),
        reverse.id("bea", Some("x"), 0),
        Correction::Rerate(USAGE, None).id("acme", Some("x"), 0),
        Ok(rerating_id(USAGE, None, "image@2")),
        Ok(rerating_id(USAGE, None, "image@3")),
        Ok(rerating_id(USAGE, Some(Offset(3)), "image@3")),
    ]
    .map(Result::unwrap);
    assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), ids.len());
    assert_eq!(reverse.id("acme", Some("x"), 0).unwrap(), ids[0]);
}

#[test]
fn usage_that_a_price_has_come_for() {
    let stamped = priced("acme", USAGE, "image@1", &stamp()).unwrap();
    let record = format!(
        concat!(
            r#"{{"v":1,"id":"{}","source":"scheduler","type":"usage.rerated","wallet":"acme","#,
            r#""recorded_at":"2026-01-31T00:00:00Z","by":"system","reason":"a price for it stands now","#,
            r#""data":{{"usage":{{"source":"/images","id":"req-17"}}}}}}"#
        ),
        stamped.id
    );
    check(&stamped.bytes, &record);
}
