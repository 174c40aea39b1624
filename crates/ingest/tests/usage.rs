//! What products send, and the records that come of it.
#![allow(clippy::unwrap_used)]

use eventlog::Appending;
use ingest::{Stamp, usage};
use ledger::{Instant, Partition, decode};

/// Sends an event at 2026-01-31T00:00:00Z and compares the record, from `wallet` on, without stamps.
fn check(event: &str, record: &str) {
    let now = Instant::parse("2026-01-31T00:00:00Z").unwrap();
    let stamped = usage(event.as_bytes(), &Stamp { now, by: "key:k1", backfill: false }).unwrap();
    let text = String::from_utf8(stamped.bytes).unwrap();
    decode(text.as_bytes()).unwrap().identify(&mut Vec::new()).unwrap();
    let stamps = ",\"recorded_at\":\"2026-01-31T00:00:00Z\",\"by\":\"key:k1\"";
    assert!(text.contains(stamps), "{text}");
    assert_eq!(text.replace(stamps, ""), record, "{event}");
}

#[test]
fn an_event_becomes_a_record() {
    check(
        r#"{"specversion":"1.0","id":"0-1","source":"/llm/chat","type":"llm.completion","subject":"wallet-000012",
            "time":"2023-11-16T18:15:46.680590Z","datacontenttype":"application/json",
            "data":{"model":"small","input_tokens":374,"output_tokens":44}}"#,
        concat!(
            r#"{"v":1,"id":"0-1","source":"/llm/chat","type":"usage","wallet":"wallet-000012","#,
            r#""subject":"wallet-000012","time":"2023-11-16T18:15:46.68059Z","data":{"#,
            r#""data":{"model":"small","input_tokens":374,"output_tokens":44},"#,
            r#""extensions":{"datacontenttype":"application/json"},"type":"llm.completion"}}"#,
        ),
    );
}

#[test]
fn attributes_come_in_any_order_and_null_is_absent() {
    check(
        r#"{"data":{"n":1},"traceparent":"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01","wallet":"acme",
            "type":"t","time":null,"dataschema":null,"sequence":7,"partitionkey":"k","source":"s","sampled":true,
            "subject":"seat-1","id":"1","hold":"h-1","data_base64":null,"offset":-3,"specversion":"1.0"}"#,
        concat!(
            r#"{"v":1,"id":"1","source":"s","type":"usage","wallet":"acme","subject":"seat-1","#,
            r#""trace":"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01","data":{"data":{"n":1},"#,
            r#""extensions":{"hold":"h-1","offset":-3,"partitionkey":"k","sampled":true,"sequence":7},"type":"t"}}"#,
        ),
    );
}

/// The data of an event that says so much of itself beyond what it must.
fn check_data(rest: &str, data: &str) {
    check(
        &format!(r#"{{"specversion":"1.0","id":"1","source":"s","type":"t","wallet":"w"{rest}}}"#),
        &format!(
            r#"{{"v":1,"id":"1","source":"s","type":"usage","wallet":"w","data":{{{data}"type":"t"}}}}"#
        ),
    );
}

#[test]
fn data_stays_as_it_was_sent() {
    check_data("", "");
    check_data(r#","data":null"#, r#""data":null,"#);
    check_data(r#","data":"text""#, r#""data":"text","#);
    check_data(
        r#","data": [ 1.0, 1e-05, 0.30000000000000004 ]"#,
        r#""data":[ 1.0, 1e-05, 0.30000000000000004 ],"#,
    );
    check_data(
        r#","data":{"größe":"\u00fc \ud83d\ude00 \/","n":12345678901234567890123456789}"#,
        r#""data":{"größe":"\u00fc \ud83d\ude00 \/","n":12345678901234567890123456789},"#,
    );
}

#[test]
fn text_is_told_from_json_by_its_content_type() {
    check_data(
        r#","datacontenttype":"text/csv","data":"a,b\n1,2""#,
        r#""data_text":"a,b\n1,2","extensions":{"datacontenttype":"text/csv"},"#,
    );
    check_data(
        r#","datacontenttype":"application/xml; charset=utf-8","data":"<a/>""#,
        r#""data_text":"<a/>","extensions":{"datacontenttype":"application/xml; charset=utf-8"},"#,
    );
    check_data(
        r#","datacontenttype":"application/vnd.acme+json","data":"a JSON string""#,
        r#""data":"a JSON string","extensions":{"datacontenttype":"application/vnd.acme+json"},"#,
    );
    check_data(
        r#","datacontenttype":"application/protobuf","data":{"n":1}"#,
        r#""data":{"n":1},"extensions":{"datacontenttype":"application/protobuf"},"#,
    );
}

#[test]
fn base64_is_read_where_it_is_text() {
    // {"n": 1}
    check_data(r#","data_base64":"eyJuIjogMX0=""#, r#""data":{"n": 1},"#);
    check_data(
        r#","data":null,"data_base64":"eyJuIjogMX0=","datacontenttype":"Application/JSON; charset=utf-8""#,
        r#""data":{"n": 1},"extensions":{"datacontenttype":"Application/JSON; charset=utf-8"},"#,
    );
    // He said "hi" and a line's end; the slash of the next one is escaped as PHP does.
    check_data(
        r#","data_base64":"SGUgc2FpZCAiaGkiCg==","datacontenttype":"text/plain""#,
        r#""data_text":"He said \"hi\"\n","extensions":{"datacontenttype":"text/plain"},"#,
    );
    check_data(r#","data_base64":"\/w==""#, r#""data_base64":"/w==","#);
    check_data(
        r#","data_base64":"/w==","datacontenttype":"text/plain""#,
        r#""data_base64":"/w==","extensions":{"datacontenttype":"text/plain"},"#,
    );
    check_data(
        r#","data_base64":"eyJuIjogMX0=","datacontenttype":"application/octet-stream""#,
        r#""data_base64":"eyJuIjogMX0=","extensions":{"datacontenttype":"application/octet-stream"},"#,
    );
    check_data(r#","data_base64":"""#, r#""data_base64":"","#);
}

#[test]
fn times_are_normalised() {
    for (sent, recorded) in [
        ("2026-01-30T12:00:00Z", "2026-01-30T12:00:00Z"),
        ("2026-01-30t12:00:00.500z", "2026-01-30T12:00:00.5Z"),
        ("2026-01-30T12:00:00.123456789+02:00", "2026-01-30T10:00:00.123456789Z"),
        ("2026-01-30 12:00:00.680590-05:30", "2026-01-30T17:30:00.68059Z"),
        ("2026-01-31T00:05:00Z", "2026-01-31T00:05:00Z"),
    ] {
        check(
            &format!(
                r#"{{"specversion":"1.0","id":"1","source":"s","type":"t","wallet":"w","time":"{sent}"}}"#
            ),
            &format!(
                r#"{{"v":1,"id":"1","source":"s","type":"usage","wallet":"w","time":"{recorded}","data":{{"type":"t"}}}}"#
            ),
        );
    }
}

#[test]
fn escaped_and_foreign_text_is_kept() {
    check(
        r#"{"specversion":"1.0","id":"\u0061\"b\\","source":"/größe","type":"t","\u0077allet":"日本","note":"\n"}"#,
        concat!(
            r#"{"v":1,"id":"a\"b\\","source":"/größe","type":"usage","wallet":"日本","#,
            r#""data":{"extensions":{"note":"\n"},"type":"t"}}"#
        ),
    );
}

#[test]
fn history_is_stamped_with_its_own_time() {
    let now = Instant::parse("2026-01-31T00:00:00Z").unwrap();
    let event = br#"{"specversion":"1.0","id":"1","source":"s","type":"t","wallet":"w","time":"2024-02-29T00:00:00Z"}"#;
    let stamped = usage(event, &Stamp { now, by: "operator", backfill: true }).unwrap();
    assert_eq!(
        String::from_utf8(stamped.bytes).unwrap(),
        concat!(
            r#"{"v":1,"id":"1","source":"s","type":"usage","wallet":"w","time":"2024-02-29T00:00:00Z","#,
            r#""recorded_at":"2024-02-29T00:00:00Z","by":"operator:backfill","data":{"type":"t"}}"#
        )
    );
}

#[test]
fn a_record_goes_to_its_wallets_partition() {
    let now = Instant::parse("2026-01-31T00:00:00Z").unwrap();
    let event = br#"{"specversion":"1.0","id":"1","source":"s","type":"t","subject":"seat","wallet":"acme"}"#;
    let stamped = usage(event, &Stamp { now, by: "key:k1", backfill: false }).unwrap();
    assert_eq!((&*stamped.wallet, &*stamped.source, &*stamped.id), ("acme", "s", "1"));
    let bytes = stamped.bytes.clone();
    assert_eq!(stamped.appending(4), Appending { partition: Partition::of("acme", 4), bytes });
}
