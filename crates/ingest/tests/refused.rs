//! What is refused, and what the sender is told.
#![allow(clippy::unwrap_used)]

use ingest::{MOST_BYTES, Refusal, Stamp, usage};
use ledger::Instant;

fn refusal(event: &[u8], backfill: bool) -> Refusal {
    let now = Instant::parse("2026-01-31T00:00:00Z").unwrap();
    let answer = usage(event, &Stamp { now, by: "key:k1", backfill });
    answer.expect_err(&String::from_utf8_lossy(event))
}

fn check(event: impl AsRef<[u8]>, code: &str, message: &str) {
    let refusal = refusal(event.as_ref(), false);
    assert_eq!((refusal.code(), &*refusal.to_string()), (code, message));
}

/// An event that is fine but for these attributes, which replace its own.
fn check_with(attributes: &str, code: &str, message: &str) {
    let own =
        [r#""specversion":"1.0""#, r#""id":"1""#, r#""source":"s""#, r#""type":"t""#, r#""wallet":"w""#];
    let key = |member: &str| member.split(':').next().unwrap_or("").to_owned();
    let kept: Vec<&str> = own.into_iter().filter(|m| !attributes.contains(&format!("{}:", key(m)))).collect();
    check(format!("{{{},{attributes}}}", kept.join(",")), code, message);
}

#[test]
fn bytes_that_are_no_event() {
    check(
        b"{\"id\":\"\xff\"}",
        "not_utf8",
        "the event is not UTF-8: send it as UTF-8, or binary data as `data_base64`",
    );
    check(
        "",
        "breaks_off",
        "the event breaks off: send it whole; in a file, write one event a line or all as one JSON array",
    );
    check(
        "{",
        "breaks_off",
        "the event breaks off: send it whole; in a file, write one event a line or all as one JSON array",
    );
    check("hello", "not_json", "the event is not JSON: expected value at column 1");
    check("{} {}", "not_json", "the event is not JSON: trailing characters at column 4");
    check("{'id':1}", "not_json", "the event is not JSON: key must be a string at column 2");
    let no_object =
        "the event is JSON but no object: send a CloudEvent such as {\"specversion\":\"1.0\",\"id\":…}";
    check("[1]", "not_an_object", no_object);
    check(" \"text\"", "not_an_object", no_object);
    check("null", "not_an_object", no_object);
    check(
        "[1",
        "breaks_off",
        "the event breaks off: send it whole; in a file, write one event a line or all as one JSON array",
    );
    check_with(
        r#""data":"\ud800""#,
        "escape",
        "a string in the data holds an escape that is no character (half a surrogate pair): send the character",
    );
}

#[test]
fn events_beyond_the_limits() {
    let large = format!(r#"{{"specversion":"1.0","data":"{}"}}"#, "x".repeat(200_000));
    let message = "the event has 200031 bytes, more than 131072: keep what is large elsewhere and send a reference to it";
    check(&large, "too_large", message);
    check("x".repeat(MOST_BYTES), "not_json", "the event is not JSON: expected value at column 1");
    let deep = |n: usize| format!(r#""data":{}{}"#, "[".repeat(n), "]".repeat(n));
    check_with(&deep(64), "too_deep", "the data is nested too deep: flatten it to at most 63 levels");
    let (exponent, message) = ("exponent", "a number's exponent is beyond 400: write it out, or as a string");
    check_with(r#""data":{"n":1e401}"#, exponent, message);
    check_with(r#""data":{"n":1e-99999999999999999999}"#, exponent, message);
}

#[test]
fn attributes_that_are_missing_or_wrong() {
    check("{}", "missing", "`specversion` is missing: every event must have one");
    check_with(
        r#""specversion":"0.3""#,
        "specversion",
        "specversion is \"0.3\": send CloudEvents version \"1.0\"",
    );
    check_with(r#""specversion":1.0"#, "not_text", "`specversion` is no string: write it in quotes");
    check_with(r#""id":null"#, "missing", "`id` is missing: every event must have one");
    check_with(r#""source":null"#, "missing", "`source` is missing: every event must have one");
    check_with(r#""type":null"#, "missing", "`type` is missing: every event must have one");
    check_with(r#""id":17"#, "not_text", "`id` is no string: write it in quotes");
    check_with(r#""type":["a"]"#, "not_text", "`type` is no string: write it in quotes");
    check_with(r#""datacontenttype":1"#, "not_text", "`datacontenttype` is no string: write it in quotes");
    check_with(r#""data_base64":1"#, "not_text", "`data_base64` is no string: write it in quotes");
    check_with(r#""id":"""#, "empty", "`id` is empty: fill it, or leave it out where it is optional");
    check_with(
        r#""subject":"""#,
        "empty",
        "`subject` is empty: fill it, or leave it out where it is optional",
    );
    check_with(
        &format!(r#""id":"{}""#, "x".repeat(257)),
        "too_long",
        "`id` has 257 bytes, more than 256: shorten it",
    );
    check_with(
        &format!(r#""source":"{}""#, "ü".repeat(513)),
        "too_long",
        "`source` has 1026 bytes, more than 1024: shorten it",
    );
    let message = "`wallet` holds a control character: take it out";
    check_with(r#""wallet":"a\u0000b""#, "control_character", message);
    check_with(r#""wallet":"a\u0085b""#, "control_character", message);
    check_with(r#""wallet":"a\u007fb""#, "control_character", message);
    let nobody = "the event names nobody who pays: set the extension `wallet`, or `subject`";
    check_with(r#""wallet":null"#, "no_wallet", nobody);
}

#[test]
fn times_that_cannot_be() {
    let grammar = "`time` cannot be read: a time is written as in 2026-01-31T00:00:00Z (RFC 3339, at most nine decimals)";
    check_with(r#""time":"2023-11-16T18:15:46""#, "bad_time", grammar);
    check_with(r#""time":"yesterday""#, "bad_time", grammar);
    check_with(r#""time":"2023-02-29T00:00:00Z""#, "bad_time", grammar);
    check_with(r#""time":1700158546"#, "not_text", "`time` is no string: write it in quotes");
    check_with(
        r#""time":"1969-12-31T23:59:59Z""#,
        "bad_time",
        "`time` cannot be read: a time lies between 1970 and 2261: leave it out for never",
    );
    check_with(
        r#""time":"2026-01-31T00:05:00.001Z""#,
        "future",
        "`time` lies 300001 ms ahead, more than 5 minutes: set the sender's clock, or leave `time` out",
    );
    let refusal = refusal(br#"{"specversion":"1.0","id":"1","source":"s","type":"t","wallet":"w"}"#, true);
    assert_eq!(
        (refusal.code(), &*refusal.to_string()),
        (
            "backfill_without_time",
            "the event has no `time`: --backfill needs one, for it records each event at its own time"
        )
    );
}

#[test]
fn extensions_that_cloudevents_does_not_know() {
    let name = |name: &str| {
        format!(
            "\"{name}\" is no attribute's name (1 to 64 lower-case letters and digits): rename it, or put it into `data`"
        )
    };
    check_with(r#""traceId":"x""#, "bad_extension", &name("traceId"));
    check_with(r#""trace_id":"x""#, "bad_extension", &name("trace_id"));
    check_with(r#""":"x""#, "bad_extension", &name(""));
    let long = "x".repeat(100);
    check_with(&format!(r#""{long}":1"#), "bad_extension", &name(&format!("{}…", &long[..80])));
    let value = "the attribute \"cost\" is no string, whole number or boolean: put it into `data`";
    check_with(r#""cost":1.5"#, "extension_value", value);
    check_with(r#""cost":{"usd":[1,{"a":2}]}"#, "extension_value", value);
    check_with(r#""cost":[]"#, "extension_value", value);
}

#[test]
fn a_key_twice_is_refused_wherever_it_stands() {
    let twice = |key: &str| format!("the key \"{key}\" stands twice in one object: leave one out");
    check_with(r#""time":null,"time":null"#, "duplicate_key", &twice("time"));
    check_with(r#""x":1,"note":null,"x":2"#, "duplicate_key", &twice("x"));
    check_with(r#""data":1,"data":1"#, "duplicate_key", &twice("data"));
    check_with(r#""data":{"a":1,"\u0061":2}"#, "duplicate_key", &twice("a"));
    check_with(r#""data":[{"b":{"c":1,"a":1,"c":1}}]"#, "duplicate_key", &twice("c"));
    // {"a":1,"a":2}
    check_with(r#""data_base64":"eyJhIjoxLCJhIjoyfQ==""#, "duplicate_key", &twice("a"));
}

#[test]
fn data_that_contradicts_itself() {
    check_with(
        r#""data":1,"data_base64":"MQ==""#,
        "data_twice",
        "`data` and `data_base64` are both there: send one of them",
    );
    let message = "`data_base64` is not base64: encode it with the standard alphabet and padding";
    check_with(r#""data_base64":"MQ""#, "not_base64", message);
    check_with(r#""data_base64":"_w==""#, "not_base64", message);
    check_with(
        r#""data_base64":"/w==","datacontenttype":"application/json""#,
        "data_not_json",
        "the data is no JSON although `datacontenttype` says so: mend either of them",
    );
}
