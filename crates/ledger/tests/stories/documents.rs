//! What a wallet's document holds: only what can still change, and of that only what is not at its default (rules, section 4).

use ledger::{Configured, Grant, Instant, Wallet, advanced};

use crate::book::Book;

/// A wallet after these records: each is its time, its type and its data.
fn wallet(records: &[(&str, &str, &str)]) -> Wallet {
    book(records).wallet("w").unwrap().clone()
}

fn book(records: &[(&str, &str, &str)]) -> Book {
    let mut book = Book::default();
    let unit = ("2026-01-01", "catalogue.published", r#"{"kind":"unit","name":"credits","body":{}}"#);
    for (offset, (at, kind, data)) in std::iter::once(&unit).chain(records).enumerate() {
        let wallet = if *kind == "catalogue.published" { "" } else { r#""wallet":"w","# };
        let text = format!(
            r#"{{"v":4,"id":"{offset}","source":"s","type":"{kind}",{wallet}"recorded_at":"{at}T00:00:00Z","by":"operator","reason":"so","data":{data}}}"#
        );
        let outcome = book.fold(offset as u64, text.as_bytes());
        assert_eq!(outcome.map(|o| o.to_string()).unwrap_or("applied".into()), "applied", "{text}");
    }
    book
}

const PRICE: &str = r#"{"kind":"price","name":"any","body":{"match":{"type":{"any":true}},
    "charges":[{"unit":"credits","quantity":{"field":"n"},"amount":"1"}]}}"#;
const TIERS: &str = r#"{"kind":"price","name":"any","body":{"match":{"type":{"any":true}},
    "charges":[{"unit":"credits","quantity":{"field":"n"},
    "tiers":{"mode":"graduated","period":"month","steps":[{"amount":"0"}]}}]}}"#;
const USE: &str = r#"{"type":"use","data":{"n":10}}"#;

#[test]
fn a_key_changes_no_wallet() {
    let grant = ("2026-01-02", "grant.issued", r#"{"grant_id":"plan","unit":"credits","amount":"10"}"#);
    let hash = "0".repeat(64);
    let key =
        format!(r#"{{"kind":"key","name":"k0123456789ab","body":{{"hash":"{hash}","scopes":["read"]}}}}"#);
    let with = book(&[("2026-01-02", "catalogue.published", &key), grant]);
    assert!(with.catalogue.current("key", "k0123456789ab").is_some());
    assert_eq!(with.digests(), book(&[grant]).digests());
}

#[test]
fn what_is_at_its_default_is_left_out() {
    let grant = r#"{"grant_id":"plan","unit":"credits","amount":"10"}"#;
    let document = wallet(&[("2026-01-02", "grant.issued", grant)]).write();
    assert_eq!(
        document,
        concat!(
            r#"{"clock":"2026-01-02T00:00:00Z","next_order":1,"next_grant":1,"#,
            r#""grants":[{"no":0,"terms":{"grant_id":"plan","unit":"credits","amount":"10","priority":50,"category":"paid"},"#,
            r#""zone":{"name":"UTC","revision":0},"effective_at":"2026-01-02T00:00:00Z","base":0}],"#,
            r#""lots":[{"id":"plan#1","grant":0,"unit":"credits","order":0,"starts_at":"2026-01-02T00:00:00Z","#,
            r#""issued":"10","remaining":"10"}]}"#,
        )
    );
    let empty = wallet(&[("2026-01-02", "timer.due", r#"{"due_at":"2026-01-02T00:00:00Z"}"#)]).write();
    assert_eq!(empty, r#"{"clock":"2026-01-02T00:00:00Z"}"#);
    assert_ne!(Wallet::digest(&document), Wallet::digest(&empty));
}

#[test]
fn what_a_correction_left_on_a_lot_says_no_more_than_that() {
    let grant = r#"{"grant_id":"plan","unit":"credits","amount":"10","reset":{"max":"20"}}"#;
    let wallet = wallet(&[("2026-01-02", "grant.issued", grant), ("2026-01-03", "wallet.reset", "{}")]);
    let marks = r#""marks":{"room":["2026-01-03T00:00:00Z","10"]}"#;
    assert!(wallet.write().contains(marks), "{}", wallet.write());
}

#[test]
fn a_lot_that_is_empty_leaves_with_its_grant() {
    let grant = r#"{"grant_id":"plan","unit":"credits","amount":"10","expires_at":"2026-03-01T00:00:00Z"}"#;
    let mut book = book(&[
        ("2026-01-02", "catalogue.published", PRICE),
        ("2026-01-02", "grant.issued", grant),
        ("2026-01-03", "usage", USE),
    ]);
    let wallet = book.wallets.remove("w").unwrap();
    assert_eq!(wallet.write(), r#"{"clock":"2026-01-03T00:00:00Z","next_order":1,"next_grant":1}"#);
    assert!(wallet.lots().is_empty() && wallet.grants().is_empty());
}

#[test]
fn a_lot_that_a_reset_fills_again_stays_until_its_end() {
    let grant = r#"{"grant_id":"plan","unit":"credits","amount":"10","reset":{"min":"5"},
        "expires_at":"2026-03-01T00:00:00Z","allowed_lateness":"P20D"}"#;
    let mut records = vec![
        ("2026-01-02", "catalogue.published", PRICE),
        ("2026-01-02", "grant.issued", grant),
        ("2026-01-03", "usage", USE),
    ];
    assert_eq!(wallet(&records).lots().len(), 1);
    records.push(("2026-03-02", "timer.due", r#"{"due_at":"2026-03-02T00:00:00Z"}"#));
    assert_eq!(wallet(&records).lots().len(), 0);
}

#[test]
fn a_counter_leaves_when_late_usage_of_its_period_is_over() {
    let mut records = vec![("2026-01-02", "catalogue.published", TIERS), ("2026-01-03", "usage", USE)];
    let timer = r#"{"due_at":"2026-02-04T00:00:00Z"}"#;
    records.push(("2026-02-03", "timer.due", timer));
    assert!(wallet(&records).write().contains("counters"));
    records.push(("2026-02-04", "timer.due", timer));
    assert!(!wallet(&records).write().contains("counters"));
}

#[test]
fn grants_stand_in_the_order_of_issue_also_one_that_comes_back() {
    let one_off = |id: &str| {
        format!(
            r#"{{"grant_id":"{id}","unit":"credits","amount":"10","expires_at":"2026-03-01T00:00:00Z",
            "rollover":{{"expires_after":"P1Y"}}}}"#
        )
    };
    let others = |id: &str| format!(r#"{{"grant_id":"{id}","unit":"credits","amount":"1","priority":90}}"#);
    let reverse = r#"{"usage":{"source":"s","id":"6"}}"#;
    let (a, b, c, d) = (others("a"), others("b"), one_off("c"), others("d"));
    let wallet = wallet(&[
        ("2026-01-02", "catalogue.published", PRICE),
        ("2026-01-02", "grant.issued", &a),
        ("2026-01-02", "grant.issued", &b),
        ("2026-01-02", "grant.issued", &c),
        ("2026-01-02", "grant.issued", &d),
        ("2026-01-03", "usage", USE),
        ("2026-03-02", "usage.reversed", reverse),
    ]);
    let grants: Vec<&str> = wallet.grants().iter().map(|g| g.terms().grant_id.as_str()).collect();
    assert_eq!(grants, ["a", "b", "c", "d"]);
}

#[test]
fn a_configuration_is_known_again_by_each_thing_that_it_says() {
    let zone = r#"{"kind":"zone","name":"Tokyo","body":{"before":32400}}"#;
    let card = r#"{"kind":"rate_card","name":"gold","body":{}}"#;
    let says = r#"{"rate_card":"gold","zone":"Tokyo","overage":{"repay":false},"reset":{"interval":"P1D"},"metadata":{"a":"b"}}"#;
    let records = [("2026-01-02", "catalogue.published", zone), ("2026-01-02", "catalogue.published", card)];
    let opened = [&records[..], &[("2026-01-03", "wallet.suspended", "{}")]].concat();
    let configured = [&records[..], &[("2026-01-03", "wallet.configured", says)]].concat();
    let wallet_of = |records: &[(&str, &str, &str)]| wallet(records);
    let (opened, configured) = (wallet_of(&opened), wallet_of(&configured));
    assert!(configured.is_configured_as(&read(says)));
    assert!(!opened.is_configured_as(&read("{}")), "nobody configured it");
    for other in [
        r#"{"rate_card":"silver","zone":"Tokyo","overage":{"repay":false},"reset":{"interval":"P1D"},"metadata":{"a":"b"}}"#,
        r#"{"rate_card":"gold","zone":"Berlin","overage":{"repay":false},"reset":{"interval":"P1D"},"metadata":{"a":"b"}}"#,
        r#"{"rate_card":"gold","zone":"Tokyo","overage":{"repay":true},"reset":{"interval":"P1D"},"metadata":{"a":"b"}}"#,
        r#"{"rate_card":"gold","zone":"Tokyo","overage":{"repay":false},"reset":{"interval":"P2D"},"metadata":{"a":"b"}}"#,
        r#"{"rate_card":"gold","zone":"Tokyo","overage":{"repay":false},"reset":{"interval":"P1D"},"metadata":{}}"#,
        "{}",
    ] {
        assert!(!configured.is_configured_as(&read(other)), "{other}");
    }
}

fn read(configured: &str) -> Configured {
    serde_json::from_str(configured).unwrap()
}

#[test]
fn a_read_advances_a_copy_as_a_timer_would() {
    let grant = r#"{"grant_id":"plan","unit":"credits","amount":"10","expires_at":"2026-02-01T00:00:00Z"}"#;
    let before = book(&[("2026-01-02", "grant.issued", grant)]);
    let wallet = before.wallet("w").unwrap();
    let at = Instant::parse("2026-02-02T00:00:00Z").unwrap();
    let (copy, changes) = advanced(&before.catalogue, wallet, at);
    let timer = ("2026-02-02", "timer.due", r#"{"due_at":"2026-02-01T00:00:00Z"}"#);
    let after = book(&[("2026-01-02", "grant.issued", grant), timer]);
    assert_eq!(copy.write(), after.wallet("w").unwrap().write());
    let booked: Vec<_> = after.entries[1..].iter().map(|(_, _, entry)| entry.clone()).collect();
    assert_eq!(changes.entries, booked);
    assert_eq!(booked.len(), 1);
    assert_eq!(wallet.clock, Instant::parse("2026-01-02T00:00:00Z").unwrap());
}

#[test]
fn what_a_reset_adds_names_the_lot_that_it_was_added_to() {
    let grant = r#"{"grant_id":"plan","unit":"credits","amount":"10","reset":{"min":"30"}}"#;
    let book = book(&[("2026-01-02", "grant.issued", grant), ("2026-01-03", "wallet.reset", "{}")]);
    let (_, _, added) = book.entries.last().unwrap();
    assert_eq!((added.lot.as_deref(), added.other_lot.as_deref()), (Some("plan#1+1"), Some("plan#1")));
}

#[test]
fn a_lot_says_whether_it_has_ended_and_until_when_it_pays() {
    let grant = r#"{"grant_id":"plan","unit":"credits","amount":"10","expires_at":"2026-02-01T00:00:00Z"}"#;
    let mut records = vec![("2026-01-02", "grant.issued", grant)];
    let told = |wallet: Wallet| (wallet.lots()[0].has_ended(), wallet.lots()[0].pays_until());
    let until = Instant::parse("2026-02-04T00:00:00Z").ok();
    assert_eq!(told(wallet(&records)), (false, until));
    records.push(("2026-02-02", "timer.due", r#"{"due_at":"2026-02-01T00:00:00Z"}"#));
    assert_eq!(told(wallet(&records)), (true, until));
    let endless = r#"{"grant_id":"plan","unit":"credits","amount":"10"}"#;
    assert_eq!(told(wallet(&[("2026-01-02", "grant.issued", endless)])), (false, None));
}

#[test]
fn a_grant_says_what_it_said_and_since_when_it_is_void() {
    let grant = r#"{"grant_id":"plan","unit":"credits","amount":"10","recurrence":{"interval":"P1M"},"reset":{"min":"5"}}"#;
    let opened = wallet(&[("2026-01-02", "grant.issued", grant)]);
    let kept = &opened.grants()[0];
    assert_eq!((kept.terms().grant_id.as_str(), kept.void_since()), ("plan", None));
    assert_eq!(Grant::read(&kept.write()).unwrap().terms(), kept.terms());
    let next = Instant::parse("2026-02-02T00:00:00Z").unwrap();
    let upcoming = opened.upcoming().map(|(terms, cycle, at)| (terms.grant_id.as_str(), cycle, at));
    assert_eq!(upcoming.collect::<Vec<_>>(), [("plan", 2, next)]);
    let void = kept.write().trim_end_matches('}').to_owned() + r#","void":"2026-01-03T00:00:00Z"}"#;
    let since = Grant::read(&void).unwrap().void_since();
    assert_eq!(since, Instant::parse("2026-01-03T00:00:00Z").ok());
}

#[test]
fn what_is_held_is_a_units_own() {
    let grant = r#"{"grant_id":"plan","unit":"credits","amount":"10"}"#;
    let document = wallet(&[("2026-01-02", "grant.issued", grant)]).write();
    let held =
        Wallet::read(&document.replace(r#""remaining":"10""#, r#""remaining":"8","held":"2""#)).unwrap();
    assert_eq!((held.held("credits").text(), held.held("usd").text()), ("2".into(), "0".into()));
}

#[test]
fn only_the_calendar_of_a_wallet_is_its_rate_cards_and_its_zones() {
    let zone = r#"{"kind":"zone","name":"Tokyo","body":{"before":32400}}"#;
    let card = r#"{"kind":"rate_card","name":"gold","body":{}}"#;
    let says = r#"{"rate_card":"gold","zone":"Tokyo","metadata":{"a":"b"}}"#;
    let wallet = wallet(&[
        ("2026-01-02", "catalogue.published", zone),
        ("2026-01-02", "catalogue.published", card),
        ("2026-01-03", "wallet.configured", says),
    ]);
    assert_eq!(
        wallet.only_calendar().write(),
        concat!(
            r#"{"clock":"1970-01-01T00:00:00Z","settings":{"#,
            r#""cards":[["2026-01-03T00:00:00Z","gold"]],"zones":[["2026-01-03T00:00:00Z","Tokyo"]]}}"#
        )
    );
}

#[test]
fn changes_are_forgotten_for_the_next_record() {
    let grant = r#"{"grant_id":"plan","unit":"credits","amount":"10","expires_at":"2026-02-01T00:00:00Z"}"#;
    let book = book(&[("2026-01-02", "grant.issued", grant)]);
    let at = Instant::parse("2026-03-01T00:00:00Z").unwrap();
    let (_, mut changes) = advanced(&book.catalogue, book.wallet("w").unwrap(), at);
    assert_eq!((changes.entries.len(), changes.left.len(), changes.left_grants.len()), (1, 1, 1));
    changes.clear();
    assert_eq!((changes.entries.len(), changes.left.len(), changes.left_grants.len()), (0, 0, 0));
}

#[test]
fn a_price_is_named_where_no_entry_names_it() {
    let free = r#"{"kind":"price","name":"free","body":{"match":{"type":{"exact":"use"},"data":{"of":{"exact":"us"}}},
        "charges":[{"unit":"credits","amount":"0"}]}}"#;
    let ours = r#"{"type":"use","data":{"n":10,"of":"us"}}"#;
    let rerated = |id: u64, data: &str| format!(r#"{{"usage":{{"source":"s","id":"{id}"}},"data":{data}}}"#);
    let book = book(&[
        ("2026-01-02", "catalogue.published", PRICE),
        ("2026-01-02", "catalogue.published", free),
        ("2026-01-03", "usage", USE),
        ("2026-01-03", "usage", ours),
        ("2026-01-04", "usage.rerated", &rerated(3, r#"{"n":10,"of":"us"}"#)),
        ("2026-01-04", "usage.rerated", &rerated(4, r#"{"n":10}"#)),
    ]);
    assert_eq!(book.priced, [(4, "free@1".into()), (5, "free@1".into())]);
}
