//! What a version of records cannot say is not read into it: an older build would disagree (design, section 1).

use ledger::{Undecodable, decode};

fn record(v: u32, kind: &str, wallet: bool, data: &str) -> String {
    let wallet = if wallet { r#""wallet":"w","# } else { "" };
    format!(
        r#"{{"v":{v},"id":"1","source":"s","type":"{kind}",{wallet}"recorded_at":"2026-01-01T00:00:00Z","by":"operator","data":{data}}}"#
    )
}

#[test]
fn what_is_newer_than_its_version_is_set_aside() {
    let genesis = r#"{"log":"l","partitions":1,"partitioner":"sha256-8-mod","fold":2}"#;
    let fold = r#"{"kind":"fold","name":"version","body":{"version":2}}"#;
    for (kind, wallet, data) in [
        ("grant.issued", true, r#"{"grant_id":"g","unit":"credits","amount":"1","reset":{"max":"2"}}"#),
        ("wallet.configured", true, r#"{"reset":{"interval":"P1D"}}"#),
        ("catalogue.published", false, fold),
        ("genesis", false, genesis),
    ] {
        let refused = decode(record(1, kind, wallet, data).as_bytes()).unwrap_err();
        let why = format!("a {kind} record of version 1 that says what only version 2 can");
        assert_eq!(refused, Undecodable::Quarantine(why));
        assert!(decode(record(2, kind, wallet, data).as_bytes()).is_ok(), "{kind}");
    }
}

#[test]
fn what_is_said_of_holds_needs_the_third_version() {
    let wallet = r#"{"holds":{"beyond":"soft_cap"}}"#;
    let policies = r#"{"kind":"policies","name":"default","body":{"holds":{}}}"#;
    for (kind, personal, data) in
        [("wallet.configured", true, wallet), ("catalogue.published", false, policies)]
    {
        for v in [1, 2] {
            let why = format!("a {kind} record of version {v} that says what only version 3 can");
            assert_eq!(
                decode(record(v, kind, personal, data).as_bytes()).unwrap_err(),
                Undecodable::Quarantine(why)
            );
        }
        assert!(decode(record(3, kind, personal, data).as_bytes()).is_ok());
    }
    let policies = r#"{"kind":"policies","name":"default","body":{"zone":"holds"}}"#;
    assert!(decode(record(1, "catalogue.published", false, policies).as_bytes()).is_ok());
}

#[test]
fn a_key_needs_the_fourth_version() {
    let key = r#"{"kind":"key","name":"k0123456789ab","body":{"hash":"00","scopes":["read"]}}"#;
    for v in [1, 2, 3] {
        let why = "a catalogue.published record of version V that says what only version 4 can";
        assert_eq!(
            decode(record(v, "catalogue.published", false, key).as_bytes()).unwrap_err(),
            Undecodable::Quarantine(why.replace('V', &v.to_string()))
        );
    }
    assert!(decode(record(4, "catalogue.published", false, key).as_bytes()).is_ok());
}

#[test]
fn what_is_older_than_its_version_is_read() {
    let grant = r#"{"grant_id":"g","unit":"credits","amount":"1"}"#;
    for v in [1, 2] {
        assert!(decode(record(v, "grant.issued", true, grant).as_bytes()).is_ok());
        assert!(decode(record(v, "wallet.suspended", true, "{}").as_bytes()).is_ok());
    }
}

#[test]
fn a_version_or_a_fold_of_a_later_build_stops() {
    let genesis = r#"{"log":"l","partitions":1,"partitioner":"sha256-8-mod","fold":3}"#;
    let fold = r#"{"kind":"fold","name":"version","body":{"version":3}}"#;
    for text in [
        record(5, "wallet.suspended", true, "{}"),
        record(0, "wallet.suspended", true, "{}"),
        record(5, "wallet.suspended", true, r#"{"new":1}"#),
        record(2, "genesis", false, genesis),
        record(2, "catalogue.published", false, fold),
    ] {
        assert!(matches!(decode(text.as_bytes()), Err(Undecodable::NewerBuild(_))), "{text}");
    }
}

#[test]
fn a_genesis_of_the_first_fold_needs_no_newer_version() {
    let genesis = r#"{"log":"l","partitions":1,"partitioner":"sha256-8-mod","fold":1}"#;
    assert!(decode(record(1, "genesis", false, genesis).as_bytes()).is_ok());
}

#[test]
fn an_envelope_that_is_not_known_stops_if_it_is_newer_and_is_set_aside_if_not() {
    let with_more = |v: u32| record(v, "wallet.suspended", true, "{}").replace(r#""by""#, r#""more":1,"by""#);
    for v in [0, 5] {
        let newer = Undecodable::NewerBuild(format!("envelope version {v}"));
        assert_eq!(decode(with_more(v).as_bytes()).unwrap_err(), newer);
    }
    for v in [1, 2, 3, 4] {
        let refused = decode(with_more(v).as_bytes()).unwrap_err();
        assert!(matches!(refused, Undecodable::Quarantine(_)), "{refused}");
    }
}

#[test]
fn a_number_is_no_text() {
    let text = record(1, "wallet.suspended", true, "{}").replace(r#""id":"1""#, r#""id":1"#);
    let why = decode(text.as_bytes()).unwrap_err().to_string();
    assert!(why.contains("invalid type: integer `1`, expected text"), "{why}");
}
