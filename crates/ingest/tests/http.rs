//! What products send over HTTP, and the records that come of it.
#![allow(clippy::unwrap_used)]

use ingest::{MOST_BYTES, Refusal, Stamp, http_events, usage};
use ledger::Instant;
use proptest::prelude::*;

const NOW: Instant = Instant(1_769_817_600_000_000_000);
const STRUCTURED: (&str, &[u8]) = ("content-type", b"application/cloudevents+json");
const BATCHED: (&str, &[u8]) = ("Content-Type", b"application/cloudevents-batch+json");
const EVENT: &str = r#"{"specversion":"1.0","id":"1","source":"/s","type":"t","subject":"w","data":{"n":7}}"#;

type Headers<'a> = Vec<(&'a str, &'a [u8])>;

/// What becomes of each event: its record, or the word for why it was refused.
fn sent(headers: &[(&str, &[u8])], body: &[u8]) -> Result<Vec<Result<String, &'static str>>, &'static str> {
    let stamp = Stamp { now: NOW, by: "key:k1", backfill: false };
    let events = http_events(headers, body).map_err(|refusal| refusal.code())?;
    let record = |event: &[u8]| {
        usage(event, &stamp).map(|stamped| String::from_utf8(stamped.bytes).unwrap()).map_err(|r| r.code())
    };
    Ok(events.iter().map(|event| record(event)).collect())
}

/// The record of one event that stands in JSON.
fn record(event: &str) -> Result<String, &'static str> {
    sent(&[STRUCTURED], event.as_bytes()).unwrap().pop().unwrap()
}

/// What must be there, as headers.
fn attributes<'a>(others: &[(&'a str, &'a [u8])]) -> Headers<'a> {
    let must: Headers<'_> =
        vec![("ce-specversion", b"1.0"), ("ce-id", b"1"), ("ce-source", b"/s"), ("ce-type", b"t")];
    let kept = must.into_iter().filter(|(name, _)| others.iter().all(|(n, _)| !n.eq_ignore_ascii_case(name)));
    kept.chain(others.iter().copied()).collect()
}

/// Checks that headers and body are the event that has these members beside what it must have.
fn check_binary(headers: &[(&str, &[u8])], body: &[u8], members: &str) {
    let headers = attributes(headers);
    let event = format!(r#"{{"specversion":"1.0","id":"1","source":"/s","type":"t",{members}}}"#);
    assert!(record(&event).is_ok(), "{event}: {:?}", record(&event));
    assert_eq!(sent(&headers, body), Ok(vec![record(&event)]), "{event}");
}

/// Checks which text the header of a subject is.
fn check_value(value: &[u8], text: &str) {
    check_binary(
        &[("ce-subject", value)],
        b"",
        &format!("\"subject\":{}", serde_json::to_string(text).unwrap()),
    );
}

fn refused(headers: &[(&str, &[u8])], body: &[u8]) -> (&'static str, String) {
    let refusal = http_events(headers, body).unwrap_err();
    (refusal.code(), refusal.to_string())
}

#[test]
fn one_event_or_several_are_a_body_whatever_its_type_says() {
    let one = Ok(vec![record(EVENT)]);
    let batch = format!(" [{EVENT} ,\r\n{EVENT}]\n");
    let two = Ok(vec![record(EVENT), record(EVENT)]);
    for media in [
        "application/cloudevents+json",
        "application/cloudevents+json; charset=utf-8",
        "Application/CloudEvents+JSON;charset=UTF-8",
        "application/cloudevents-batch+json",
        "application/cloudevents-batch+json; charset=utf-8",
        "application/cloudevents",
        "application/json",
        "application/json; charset=utf-8",
        "application/x-www-form-urlencoded",
    ] {
        let headers = [("accept", b"*/*".as_slice()), ("CONTENT-TYPE", media.as_bytes())];
        assert_eq!(sent(&headers, EVENT.as_bytes()), one, "{media}");
        assert_eq!(sent(&headers, batch.as_bytes()), two, "{media}");
    }
    assert_eq!(sent(&[], EVENT.as_bytes()), one);
    assert_eq!(sent(&[], format!("\u{feff}{batch}").as_bytes()), two);
    assert_eq!(sent(&[BATCHED], b"[]"), Ok(vec![]));
    assert_eq!(sent(&[BATCHED], b" [ ] "), Ok(vec![]));
}

#[test]
fn headers_beside_a_structured_body_say_nothing() {
    let headers = [attributes(&[("ce-id", b"2"), ("ce-wallet", b"other")]), vec![STRUCTURED]].concat();
    assert_eq!(sent(&headers, EVENT.as_bytes()), Ok(vec![record(EVENT)]));
}

#[test]
fn a_bad_event_does_not_sink_its_batch() {
    let batch = |bad: &[u8]| {
        let event = EVENT.as_bytes();
        sent(&[BATCHED], &[b"[", event, b",", bad, b",", event, b"]"].concat())
    };
    let check = |bad: &[u8], code| {
        assert_eq!(batch(bad), Ok(vec![record(EVENT), Err(code), record(EVENT)]), "{code}");
    };
    check(b"7", "not_an_object");
    check(b"{}", "missing");
    check(b"{\"id\":\"\xff\"}", "not_utf8");
    check(b"{\"id\":'1'}", "not_json");
    check(b"{\"id\":\"1\"}}", "not_json");
    check(b"{\"id\":\"1\"} {}", "not_json");
    check(b"{\"a\":\"]\\\",[{\"}", "missing");
    check(EVENT.replace("\"/s\"", "\"/s\",\"time\":\"soon\"").as_bytes(), "bad_time");
    let deep = |n: usize| EVENT.replace('7', &format!("{}{}", "[".repeat(n), "]".repeat(n)));
    check(deep(63).as_bytes(), "too_deep");
    check(deep(60_000).as_bytes(), "too_deep");
    check(deep(100_000).as_bytes(), "too_large");
}

#[test]
fn an_array_whose_events_cannot_be_told_apart_is_refused() {
    for (array, code) in [
        ("[", "breaks_off"),
        ("[{}", "breaks_off"),
        ("[{},", "breaks_off"),
        ("[{\"id\":\"1]", "breaks_off"),
        ("[{]", "not_json"),
        ("[,]", "not_json"),
        ("[{},]", "not_json"),
        ("[{},,{}]", "not_json"),
        ("[{}] [{}]", "not_json"),
        ("[{}]]", "not_json"),
        ("[{}] {}", "not_json"),
    ] {
        assert_eq!(sent(&[BATCHED], array.as_bytes()), Err(code), "{array}");
    }
    let message = "the event is not JSON: expected value at column 5";
    assert_eq!(refused(&[BATCHED], b"[{},]").1, message);
}

#[test]
fn headers_and_body_are_one_event() {
    let json = ("content-type", b"application/json; charset=utf-8".as_slice());
    let of_json = r#""datacontenttype":"application/json; charset=utf-8""#;
    let wallet = ("ce-wallet", b"w".as_slice());
    let check = |headers: &[(&str, &[u8])], body: &[u8], members: &str| {
        check_binary(&[&[wallet], headers].concat(), body, &format!("\"wallet\":\"w\",{members}"));
    };
    check(&[json], b" {\"n\":1.50} ", &format!("{of_json},\"data\":{{\"n\":1.50}}"));
    check(&[json], b"", of_json);
    check(&[("content-type", b"text/plain")], b"7", r#""datacontenttype":"text/plain","data":"7""#);
    check(&[("content-type", b"image/png")], b"{}", r#""datacontenttype":"image/png","data_base64":"e30=""#);
    check(&[("ce-datacontenttype", b"text/plain")], b"7", r#""datacontenttype":"text/plain","data":"7""#);
    check(&[], b"{\"n\":1}", r#""data":{"n":1}"#);
    check(&[], b"seven", r#""data":"seven""#);
    check(&[], b"\xff", r#""data_base64":"/w==""#);
    check(&[("ce-hold", b"h-1"), ("ce-sequence", b"7")], b"", r#""hold":"h-1","sequence":"7""#);
    assert_eq!(
        sent(&[&attributes(&[wallet])[..], &[json]].concat(), b"seven"),
        Ok(vec![Err("data_not_json")])
    );
}

#[test]
fn names_of_headers_are_in_any_case() {
    check_binary(
        &[("Ce-Subject", b"w"), ("CE-ID", b"1"), ("cE-Hold", b"h"), ("Content-TYPE", b"application/json")],
        b"1",
        r#""subject":"w","hold":"h","datacontenttype":"application/json","data":1"#,
    );
    let twice = attributes(&[("ce-subject", b"w"), ("CE-SUBJECT", b"w")]);
    assert_eq!(sent(&twice, b""), Ok(vec![Err("duplicate_key")]));
}

#[test]
fn values_of_headers_are_encoded_or_not() {
    check_value(b"w-1", "w-1");
    check_value(b"Euro%20%E2%82%AC%20%f0%9f%98%80", "Euro € 😀");
    check_value("Euro € 😀".as_bytes(), "Euro € 😀");
    check_value(b"caf\xe9", "café");
    check_value(b"caf\xe9%20%E2%82%AC", "café €");
    check_value(b"%41%2541", "A%41");
    check_value(b"100%", "100%");
    check_value(b"5%x", "5%x");
    check_value(br#""a \"b\" \\ %41""#, r#"a "b" \ A"#);
    check_value(br#""a" and "b""#, r#""a" and "b""#);
    check_value(br#""a\""#, r#""a\""#);
    check_value(b"\"", "\"");
    check_value(b"a+b", "a+b");
    for (encoded, time) in [
        ("2026-01-30T23:59:59.123456789%2B01:00", "2026-01-30T22:59:59.123456789Z"),
        ("2026-01-30T23:59:59.123456789+01:00", "2026-01-30T22:59:59.123456789Z"),
        ("2026-01-30T23:59:59z", "2026-01-30T23:59:59Z"),
    ] {
        check_binary(
            &[("ce-time", encoded.as_bytes()), ("ce-subject", b"w")],
            b"",
            &format!(r#""subject":"w","time":"{time}""#),
        );
    }
}

#[test]
fn what_a_header_cannot_say_is_refused() {
    let event = |name, value| sent(&attributes(&[("ce-wallet", b"w"), (name, value)]), b"");
    assert_eq!(event("ce-subject", b""), Ok(vec![Err("empty")]));
    assert_eq!(event("ce-subject", b"a%00"), Ok(vec![Err("control_character")]));
    assert_eq!(event("ce-specversion", b"0.3"), Ok(vec![Err("specversion")]));
    assert_eq!(event("ce-trace_id", b"1"), Ok(vec![Err("bad_extension")]));
    assert_eq!(event("ce-", b"1"), Ok(vec![Err("bad_extension")]));
    assert_eq!(event("ce-data", b"1"), Err("bad_extension"));
    assert_eq!(event("ce-data_base64", b"MQ=="), Err("bad_extension"));
    assert_eq!(event("ce-hold", b"%C0%A0"), Err("header_not_utf8"));
    let message =
        "the header \"ce-hold\" percent-encodes bytes that are not UTF-8: encode its text as UTF-8 first";
    assert_eq!(refused(&[("CE-Hold", b"caf%E9")], b"").1, message);
    assert_eq!(sent(&[("ce-id", b"1")], b"{}"), Ok(vec![Err("missing")]));
}

#[test]
fn requests_without_an_event_are_refused() {
    let message = "no event was sent: send one as the body, or as headers (`ce-…` over HTTP, `ce_…` on Kafka) with its data as body";
    for body in ["", " \r\n", "\u{feff}"] {
        for headers in
            [vec![], vec![STRUCTURED], vec![BATCHED], vec![("content-type", b"application/json".as_slice())]]
        {
            assert_eq!(refused(&headers, body.as_bytes()), ("no_event", message.to_owned()), "{body:?}");
        }
    }
    assert_eq!(sent(&[STRUCTURED], b"\xff\xfe{"), Ok(vec![Err("not_utf8")]));
    assert_eq!(sent(&[("content-type", b"text/xml")], b"<event/>"), Ok(vec![Err("not_json")]));
    let message = "events are not read as \"application/cloudevents+avro\": send `application/cloudevents+json`, or a batch of them";
    let avro = refused(&[("content-type", b"application/cloudevents+avro; v=1")], EVENT.as_bytes());
    assert_eq!(avro, ("format", message.to_owned()));
    let large = vec![b' '; MOST_BYTES + 1];
    let refusal = Refusal::TooLarge { bytes: 131_073, most: 131_072 };
    assert_eq!(http_events(&attributes(&[]), &large), Err(refusal));
}

#[test]
fn what_sdks_were_seen_to_send_is_read() {
    let data = r#"{"tokens": 3, "note": "Zo\u00eb"}"#;
    let event = |rest: &str| {
        record(&format!(r#"{{"specversion":"1.0","id":"1","source":"/s d","type":"t","wallet":"w",{rest}}}"#))
    };
    let with_data = |rest: &str| Ok(vec![event(&format!("{rest},\"data\":{data}"))]);
    let at = r#""time":"2026-01-02T01:04:05.678901Z""#;
    let of_all: Headers<'_> = vec![("ce-id", b"1"), ("ce-type", b"t"), ("ce-wallet", b"w")];
    let send = |headers: &[(&str, &[u8])]| sent(&[headers, &of_all].concat(), data.as_bytes());

    let python_2: Headers<'_> = vec![
        ("ce-source", b"/s%20d"),
        ("ce-subject", b"Zo%C3%AB%20100%25"),
        ("ce-time", b"2026-01-02T03:04:05.678901+02:00"),
        ("ce-specversion", b"1.0"),
    ];
    assert_eq!(send(&python_2), with_data(&format!("\"subject\":\"Zoë 100%\",{at}")));
    let python_1: Headers<'_> = vec![
        ("ce-specversion", b"1.0"),
        ("ce-source", b"/s d"),
        ("ce-subject", b"Zo\xeb"),
        ("ce-time", b"2026-01-02T03:04:05.678901+02:00"),
        ("Transfer-Encoding", b"chunked"),
    ];
    assert_eq!(send(&python_1), with_data(&format!("\"subject\":\"Zoë\",{at}")));
    let javascript: Headers<'_> = vec![
        ("content-type", b"application/json; charset=utf-8"),
        ("ce-time", b"2026-01-02T01:04:05.678Z"),
        ("ce-source", b"/s d"),
        ("ce-specversion", b"1.0"),
        ("ce-subject", b"Zo\xeb"),
    ];
    let rest = r#""subject":"Zoë","time":"2026-01-02T01:04:05.678Z","datacontenttype":"application/json; charset=utf-8""#;
    assert_eq!(send(&javascript), with_data(rest));
    let openmeter = br#"[{"id":"2","type":"t","subject":"w","time":"2026-01-31T00:00:01.801Z","data":null,"dataschema":null,"source":"@openmeter/sdk","specversion":"1.0"}]"#;
    let same = r#"{"id":"2","type":"t","subject":"w","time":"2026-01-31T00:00:01.801Z","data":null,"source":"@openmeter/sdk","specversion":"1.0"}"#;
    assert_eq!(sent(&[BATCHED], openmeter), Ok(vec![record(same)]));
    assert!(record(same).is_ok() && send(&python_2).unwrap()[0].is_ok(), "{:?}", record(same));
}

/// Writes so as the binding asks: all but what is printable and ASCII, and of that what quotes or encodes.
fn percent_encoded(text: &str) -> String {
    let encoded = |byte: u8| match byte {
        b'!' | b'#' | b'$' | b'&'..=b'~' => char::from(byte).to_string(),
        _ => format!("%{byte:02X}"),
    };
    text.bytes().map(encoded).collect()
}

proptest! {
    #[test]
    fn how_an_event_is_sent_changes_nothing(
        text in prop_oneof!["\\PC{1,12}", "[%\"\\\\a4 é€]{1,8}", "[a-zà-ÿ]{1,8}"],
        data in prop_oneof!["\\PC{0,12}", "[%\"\\\\\\[\\]{},]{0,8}"],
    ) {
        let json = serde_json::json!({
            "specversion": "1.0", "id": text, "source": text, "type": "t", "wallet": text, "hold": text,
            "datacontenttype": "application/json", "data": {"text": data},
        });
        let event = json.to_string();
        let expected = record(&event);
        prop_assert_eq!(sent(&[BATCHED], format!("[{event},{event}]").as_bytes()), Ok(vec![expected.clone(); 2]));

        let body = json["data"].to_string();
        let binary = |value: &[u8]| {
            let of_text = ["ce-id", "ce-source", "ce-wallet", "ce-hold"].map(|name| (name, value));
            let media = [("content-type", b"application/json".as_slice())];
            sent(&[&attributes(&of_text)[..], &media].concat(), body.as_bytes())
        };
        prop_assert_eq!(binary(percent_encoded(&text).as_bytes()), Ok(vec![expected.clone()]));
        let quoted = text.replace('\\', "\\\\").replace('"', "\\\"").replace('%', "%25");
        prop_assert_eq!(binary(format!("\"{quoted}\"").as_bytes()), Ok(vec![expected.clone()]));
        if !text.contains(['%', '"']) {
            prop_assert_eq!(binary(text.as_bytes()), Ok(vec![expected.clone()]));
            let latin: Option<Vec<u8>> = text.chars().map(|c| u8::try_from(u32::from(c)).ok()).collect();
            if let Some(latin) = latin.filter(|latin| std::str::from_utf8(latin).is_err()) {
                prop_assert_eq!(binary(&latin), Ok(vec![expected]));
            }
        }
    }
}
