//! Events over HTTP: every mode, as clients of all kinds write them, and what becomes of bad ones.

use std::io::{Read, Write};
use std::net::TcpStream;

use serde_json::{Value, json};

use crate::drawdown::until;
use crate::server::{Answer, Server};

const DOCUMENTS: &str = r#"
kind: unit
name: credits
---
kind: price
name: call
match: {type: call}
feature: calls
charges: [{unit: credits, amount: "2.5"}]
---
kind: grant
wallet: acme
grant_id: welcome
reason: a test
unit: credits
amount: "100"
"#;

const ONE: &str = "application/cloudevents+json";
const BATCH: &str = "application/cloudevents-batch+json";

fn event(id: &str) -> Value {
    json!({"specversion": "1.0", "id": id, "source": "test", "type": "call", "subject": "acme"})
}

fn send(server: &Server, path: &str, media: &str, body: impl Into<Vec<u8>>) -> Answer {
    server.ask("POST", path, &[("authorization", &server.bearer()), ("content-type", media)], body)
}

fn batch(server: &Server, events: &[Value]) -> Answer {
    send(server, "/v1/events", BATCH, json!(events).to_string())
}

/// Head and body as they are, byte by byte: the first line of the answer, and its body.
fn raw(server: &Server, head: &[u8], body: &[u8]) -> (String, Value) {
    let mut stream = TcpStream::connect(server.url.strip_prefix("http://").unwrap()).unwrap();
    let first = "POST /v1/events HTTP/1.1\r\nHost: here\r\nConnection: close\r\n";
    write!(stream, "{first}Authorization: {}\r\n", server.bearer()).unwrap();
    stream.write_all(&[head, b"\r\n", body].concat()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head.lines().next().unwrap().to_owned(), serde_json::from_str(body).unwrap())
}

/// The wallet's usage, once there is so much of it.
fn usage(server: &Server, count: usize) -> Vec<Value> {
    let list = || server.drawdown.json(&["usage", "acme"])["usage"].as_array().unwrap().clone();
    until("all of it is committed", || list().len() >= count);
    list()
}

#[test]
fn each_mode_of_the_binding_is_taken_whoever_writes_its_headers() {
    let server = Server::start(DOCUMENTS);
    let check = |head: &[u8], body: &[u8], id: &str| {
        let length = if head.windows(7).any(|part| part == b"chunked") {
            Vec::new()
        } else {
            format!("Content-Length: {}\r\n", body.len()).into_bytes()
        };
        let (status, answer) = raw(&server, &[head, &length].concat(), body);
        assert_eq!(status, "HTTP/1.1 202 Accepted", "{answer}");
        assert_eq!((&answer["events"][0]["id"], &answer["accepted"]), (&json!(id), &json!(1)), "{answer}");
    };
    let binary = |id: &str, more: &str| {
        format!("CE-SpecVersion: 1.0\r\nCe-Id: {id}\r\nce-source: test\r\nCe-Type: call\r\n{more}")
            .into_bytes()
    };
    let timed = "Ce-Subject: acme\r\nCe-Time: 2025-01-02T03:04:05.123456789+02:00\r\n";
    check(&binary("canonical", timed), b"", "canonical");
    let json = "ce-wallet: acme\r\nCONTENT-TYPE: application/json; charset=utf-8\r\n";
    check(&binary("1", &format!("{json}ce-subject: Zo%C3%AB%20100%25\r\n")), b"{\"n\":1}", "1");
    check(&binary("2", &format!("{json}ce-subject: Zoë €\r\n")), b"{\"n\":2}", "2");
    let latin = [&binary("3", json)[..], b"ce-subject: Zo\xEB\r\n"].concat();
    check(&latin, b"{\"n\":3}", "3");
    check(&binary("4", "ce-wallet: acme\r\ncontent-type: text/plain\r\n"), b"seven", "4");
    check(&binary("5", "ce-wallet: acme\r\ncontent-type: image/png\r\n"), b"\x00\xff", "5");

    let structured = event("6").to_string();
    check(b"content-type: Application/CloudEvents+JSON; charset=UTF-8\r\n", structured.as_bytes(), "6");
    check(b"content-type: application/json\r\n", event("7").to_string().as_bytes(), "7");
    check(b"", event("8").to_string().as_bytes(), "8");
    let batched = json!([event("9")]).to_string();
    check(format!("content-type: {BATCH}; charset=utf-8\r\n").as_bytes(), batched.as_bytes(), "9");
    let tenth = event("10").to_string();
    let (first, second) = tenth.split_at(20);
    let chunks = format!("14\r\n{first}\r\n{:x}\r\n{second}\r\n0\r\n\r\n", second.len());
    let head = format!("content-type: {ONE}\r\nTransfer-Encoding: chunked\r\n");
    check(head.as_bytes(), chunks.as_bytes(), "10");
    let mut bytes = event("11");
    (bytes["data_base64"], bytes["time"]) = (json!("AP8="), json!("2025-01-02T03:04:05.5-08:00"));
    check(format!("content-type: {ONE}\r\n").as_bytes(), bytes.to_string().as_bytes(), "11");

    let usage = usage(&server, 12);
    let of = |id: &str| usage.iter().find(|line| line["id"] == id).unwrap();
    assert_eq!(of("canonical")["at"], "2025-01-02T01:04:05.123456789Z");
    assert_eq!(of("11")["at"], "2025-01-02T11:04:05.5Z");
    let subjects: Vec<&str> = ["1", "2", "3"].map(|id| of(id)["subject"].as_str().unwrap()).into();
    assert_eq!(subjects, ["Zoë 100%", "Zoë €", "Zoë"]);
    assert_eq!([&of("1")["data"], &of("2")["data"]], [&json!({"n": 1}), &json!({"n": 2})]);
    assert_eq!(usage.len(), 12);
}

#[test]
fn a_bad_event_does_not_sink_its_batch() {
    let server = Server::start(DOCUMENTS);
    let mut nobodys = event("4");
    nobodys.as_object_mut().unwrap().remove("subject");
    let events = [event("1"), json!(7), event("2"), json!({"specversion": "0.3"}), nobodys, event("3")];
    let answer = batch(&server, &events).expect(202);
    assert_eq!((&answer["accepted"], &answer["refused"]), (&json!(3), &json!(3)));
    let told = |event: &Value| event["id"].as_str().or(event["code"].as_str()).unwrap().to_owned();
    let all: Vec<String> = answer["events"].as_array().unwrap().iter().map(told).collect();
    assert_eq!(all, ["1", "not_an_object", "2", "specversion", "no_wallet", "3"]);
    assert_eq!(answer["events"][3]["index"], 3);
    assert!(answer["events"][3]["detail"].as_str().unwrap().contains("1.0"));
    let of_one = &answer["events"][0];
    assert_eq!((&of_one["source"], &of_one["wallet"]), (&json!("test"), &json!("acme")));
    let positions: Vec<&str> = [0, 2, 5].map(|at| answer["events"][at]["position"].as_str().unwrap()).into();
    assert!(positions.is_sorted() && positions[0] != positions[1], "{positions:?}");
    assert_eq!(usage(&server, 3).len(), 3);

    let none = batch(&server, &[]).expect(202);
    assert_eq!(none, json!({"accepted": 0, "refused": 0, "events": []}));
}

#[test]
fn sent_twice_it_counts_once_and_whoever_waits_is_told_so() {
    let mut server = Server::start(DOCUMENTS);
    let waiting = |server: &Server, events: &[Value]| {
        send(server, "/v1/events?wait=true", BATCH, json!(events).to_string()).expect(200)["events"].clone()
    };
    let mut unpriced = event("3");
    unpriced["type"] = json!("of.no.price");
    let first = waiting(&server, &[event("1"), event("2"), unpriced, event("1")]);
    let at = first[0]["position"].clone();
    assert_eq!((&first[0]["outcome"], &first[0]["cost"]), (&json!("applied"), &json!({"credits": "2.5"})));
    assert_eq!((&first[2]["cost"], &first[2]["detail"]), (&json!({}), &json!("no_price")));
    assert_eq!((&first[3]["outcome"], &first[3]["first"]), (&json!("duplicate"), &at));

    server.kill_and_start();
    let mut other = event("2");
    other["data"] = json!({"more": true});
    let mut dear = event("4");
    (dear["type"], dear["subject"]) = (json!("call"), json!("poor"));
    let again = waiting(&server, &[event("1"), other, dear]);
    assert_eq!((&again[0]["outcome"], &again[0]["first"]), (&json!("duplicate"), &at));
    assert_eq!(again[0]["cost"], json!({"credits": "2.5"}));
    assert_eq!((&again[1]["outcome"], &again[1]["first"]), (&json!("conflict"), &first[1]["position"]));
    assert_eq!(
        (&again[2]["cost"], &again[2]["overage"]),
        (&json!({"credits": "2.5"}), &json!({"credits": "2.5"}))
    );

    let prefers = [("authorization", &*server.bearer()), ("prefer", "respond-async, wait=5")];
    let preferred = server.ask("POST", "/v1/events", &prefers, event("5").to_string()).expect(200);
    assert_eq!(preferred["events"][0]["outcome"], "applied");
    let not_waiting = batch(&server, &[event("6")]).expect(202);
    assert_eq!(not_waiting["events"][0].get("outcome"), None);
    let applied = usage(&server, 8).iter().filter(|line| line["outcome"] == "applied").count();
    assert_eq!(applied, 5);
}

#[test]
fn a_usage_that_names_its_hold_settles_it() {
    let server = Server::start(DOCUMENTS);
    let amounts = json!({"amounts": [{"unit": "credits", "feature": "calls", "amount": "30"}]});
    server.post_once("/v1/wallets/acme/holds", "job", &amounts).expect(201);
    let mut used = event("1");
    used["hold"] = json!("job");
    let answer = send(&server, "/v1/events?wait=true", ONE, used.to_string()).expect(200);
    assert_eq!(answer["events"][0]["cost"], json!({"credits": "2.5"}));
    let held = server.post_once("/v1/wallets/acme/holds", "next", &amounts).expect(201);
    assert_eq!(held["balance"]["credits"]["available"], "67.5");
}

#[test]
fn what_cannot_be_taken_is_told_with_what_to_do() {
    let server = Server::start(DOCUMENTS);
    let told =
        |media: &str, body: &[u8], status: u16| send(&server, "/v1/events", media, body).problem(status);
    assert_eq!(told(ONE, b"", 400), "no_event");
    assert_eq!(told(BATCH, b"[{}", 400), "breaks_off");
    assert_eq!(told(ONE, b"{\"id\":\"\xff\"}", 400), "not_utf8");
    assert_eq!(told(ONE, &[b'['; 100_000], 400), "breaks_off");
    let mut deep = event("1").to_string();
    deep.insert_str(deep.len() - 1, &format!(",\"data\":{}{}", "[".repeat(200), "]".repeat(200)));
    assert_eq!(told(ONE, deep.as_bytes(), 400), "too_deep");
    assert_eq!(told("application/cloudevents+avro", b"x", 415), "format");
    assert_eq!(told(ONE, &vec![b' '; 9 << 20], 413), "too_large");
    let mut large = event("1");
    large["data"] = json!("x".repeat(200_000));
    assert_eq!(told(ONE, large.to_string().as_bytes(), 413), "too_large");
    let many = format!("[{}1]", "1,".repeat(10_000));
    assert_eq!(told(BATCH, many.as_bytes(), 413), "too_many");

    let all = batch(&server, &[json!(1), json!({"specversion": "1.0"})]);
    assert_eq!(all.problem(400), "all_refused");
    let codes: Vec<Value> =
        all.json()["events"].as_array().unwrap().iter().map(|e| e["code"].clone()).collect();
    assert_eq!(codes, ["not_an_object", "missing"]);

    let bearer = server.bearer();
    let zipped = [("authorization", bearer.as_str()), ("content-encoding", "gzip")];
    assert_eq!(server.ask("POST", "/v1/events", &zipped, "x").problem(415), "content_encoding");
    let asked = server.ask("POST", "/v1/events?wait=perhaps", &zipped[..1], event("1").to_string());
    assert_eq!(asked.problem(400), "bad_query");
    let readers = format!("Bearer {}", server.key_with("read"));
    let answer = server.ask("POST", "/v1/events", &[("authorization", &readers)], event("1").to_string());
    assert_eq!(answer.problem(403), "forbidden");
    assert_eq!(server.ask("POST", "/v1/events", &[], event("1").to_string()).problem(401), "unauthorized");
    assert_eq!(server.drawdown.json(&["usage", "acme"])["usage"], json!([]));
}

#[test]
fn a_full_batch_is_taken_in_one_request() {
    let server = Server::start(DOCUMENTS);
    let events: Vec<Value> = (0..10_000).map(|n| event(&n.to_string())).collect();
    let answer = batch(&server, &events).expect(202);
    assert_eq!(answer["accepted"], 10_000);
    let last = server.ask(
        "POST",
        "/v1/events?wait=true",
        &[("authorization", &server.bearer())],
        event("9999").to_string(),
    );
    assert_eq!(last.expect(200)["events"][0]["first"], answer["events"][9_999]["position"]);
}
