//! What OpenMeter's SDKs ask for, with the statuses and the numbers that they want.

use serde_json::{Value, json};

use crate::server::{Answer, Server, now};

/// Two features and two units; a wallet that blocks, one that may go 5 beyond, one that is suspended.
const DOCUMENTS: &str = r#"
kind: unit
name: credits
---
kind: unit
name: seconds
---
kind: price
name: call
match: {type: call}
feature: calls
charges: [{unit: credits, amount: "2.5"}]
---
kind: price
name: video
match: {type: video}
feature: videos
charges: [{unit: credits, amount: "1"}, {unit: seconds, name: s, amount: "10"}]
---
kind: grant
wallet: acme/1
grant_id: welcome
reason: a test
unit: credits
amount: "10"
---
kind: grant
wallet: acme/1
grant_id: images
reason: a test
unit: credits
amount: "3"
applies_to: {feature: [images]}
---
kind: wallet
wallet: owing
holds: {beyond: {overdraft: {credits: "5"}}}
---
kind: grant
wallet: idle
grant_id: welcome
reason: a test
unit: credits
amount: "10"
"#;

fn send(server: &Server, media: &str, body: &Value) -> Answer {
    let headers = [("authorization", server.bearer()), ("content-type", media.to_owned())];
    let headers: Vec<_> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
    server.ask("POST", "/api/v1/events", &headers, body.to_string())
}

fn event(id: &str, kind: &str, customer: &str) -> Value {
    json!({"specversion": "1.0", "id": id, "source": "sdk", "type": kind, "subject": customer})
}

/// What was sent is folded and committed.
fn settled(server: &Server, customer: &str) {
    let waits = "/v1/events?wait=true";
    let answer = server.post(waits, &event("settled", "of.no.price", customer)).expect(200);
    assert_eq!(answer["accepted"], 1);
    server.get(&format!("/api/v1/customers/{}/access", customer.replace('/', "%2F"))).expect(200);
}

fn value(server: &Server, customer: &str, feature: &str) -> Answer {
    let customer = customer.replace('/', "%2F");
    server.get(&format!("/api/v2/customers/{customer}/entitlements/{feature}/value"))
}

#[test]
fn events_are_taken_with_the_status_that_the_sdks_want() {
    let server = Server::start(DOCUMENTS);
    let of = |id: &str| event(id, "call", "acme/1");
    for (media, body) in [
        ("application/cloudevents+json", of("1")),
        ("application/cloudevents-batch+json", json!([of("2"), of("1")])),
        ("application/json", of("3")),
        ("application/json; charset=utf-8", json!([of("3")])),
        ("application/json", json!([])),
    ] {
        let answer = send(&server, media, &body);
        assert_eq!((answer.status, &*answer.text), (204, ""), "{body}");
    }
    let bad = event("bad", "call", "acme/1").to_string().replace("1.0", "0.3");
    let bad: Value = serde_json::from_str(&bad).unwrap();
    let mixed = send(&server, "application/json", &json!([of("4"), bad]));
    assert_eq!(mixed.problem(400), "some_refused");
    assert_eq!(
        (&mixed.json()["refused"][0]["index"], &mixed.json()["refused"][0]["code"]),
        (&json!(1), &json!("specversion"))
    );
    assert_eq!(send(&server, "application/json", &bad).problem(400), "specversion");
    let all = send(&server, "application/json", &json!([bad, 1]));
    assert_eq!(
        (all.problem(400).as_str(), all.json()["refused"].as_array().unwrap().len()),
        ("all_refused", 2)
    );
    assert_eq!(send(&server, "application/cloudevents+xml", &bad).problem(415), "format");

    settled(&server, "acme/1");
    let found = value(&server, "acme/1", "calls").expect(200);
    assert_eq!(found["usage"], 10.0, "four events, each once");
}

#[test]
fn access_is_what_is_left_for_the_feature() {
    let server = Server::start(DOCUMENTS);
    let full = json!({"hasAccess": true, "balance": 10.0, "usage": 0.0, "overage": 0.0, "totalAvailableGrantAmount": 10.0});
    assert_eq!(value(&server, "acme/1", "calls").expect(200), full);
    let v1 = "/api/v1/customers/acme%2F1";
    assert_eq!(server.get(&format!("{v1}/entitlements/calls/value")).expect(200), full);
    let images = json!({"hasAccess": true, "balance": 13.0, "usage": 0.0, "overage": 0.0, "totalAvailableGrantAmount": 13.0});
    let access = server.get(&format!("{v1}/access")).expect(200);
    // Of the seconds that a video takes there are none.
    let videos = json!({"hasAccess": false, "balance": 0.0, "usage": 0.0, "overage": 0.0, "totalAvailableGrantAmount": 0.0});
    assert_eq!(access, json!({"entitlements": {"calls": full, "images": images, "videos": videos}}));

    for n in 0..5 {
        send(&server, "application/json", &event(&n.to_string(), "call", "acme/1"));
    }
    settled(&server, "acme/1");
    let over = json!({"hasAccess": false, "balance": 0.0, "usage": 12.5, "overage": 2.5, "totalAvailableGrantAmount": 10.0});
    assert_eq!(value(&server, "acme/1", "calls").expect(200), over);
    assert_eq!(value(&server, "acme/1", "images").expect(200)["hasAccess"], true);
}

#[test]
fn a_wallet_that_may_owe_has_access_up_to_its_bound_and_a_suspended_one_none() {
    let server = Server::start(DOCUMENTS);
    let calls = |customer: &str| value(&server, customer, "calls").expect(200)["hasAccess"].clone();
    assert_eq!(calls("owing"), true);
    for id in ["1", "2"] {
        assert_eq!(send(&server, "application/json", &event(id, "call", "owing")).status, 204);
    }
    settled(&server, "owing");
    assert_eq!(calls("owing"), false);
    assert_eq!(calls("idle"), true);
    let suspended = server.drawdown.run(&["suspend", "idle", "--reason", "a test"]);
    assert_eq!(suspended.code, Some(0), "{}", suspended.err);
    settled(&server, "idle");
    assert_eq!(calls("idle"), false);
}

#[test]
fn a_value_may_be_asked_for_at_another_time() {
    let server = Server::start(DOCUMENTS);
    let at = |time: &str| server.get(&format!("/api/v1/customers/idle/entitlements/calls/value?time={time}"));
    assert_eq!(at("2001-01-01T00:00:00Z").expect(200)["balance"], 0.0);
    let ahead = |days: i64| now().plus(days * 86_400 * 1_000_000_000).to_string().replace('Z', "%2B00:00");
    assert_eq!(at(&ahead(300)).expect(200)["balance"], 10.0);
    assert_eq!(at(&ahead(400)).problem(400), "too_far");
    assert_eq!(at("yesterday").problem(400), "bad_query");

    // What is used up is told then as it was told now.
    for id in ["1", "2", "3", "4"] {
        send(&server, "application/json", &event(id, "call", "idle"));
    }
    settled(&server, "idle");
    let used = value(&server, "idle", "calls").expect(200);
    assert_eq!((&used["usage"], &used["totalAvailableGrantAmount"]), (&json!(10.0), &json!(10.0)));
    let last = server.drawdown.json(&["usage", "idle"])["usage"][4]["recorded_at"].clone();
    send(&server, "application/json", &event("5", "call", "idle"));
    settled(&server, "idle");
    assert_eq!(at(last.as_str().unwrap()).expect(200), used);
}

#[test]
fn what_is_not_there_is_not_found() {
    let server = Server::start(DOCUMENTS);
    assert_eq!(value(&server, "acme/1", "no%20such").problem(404), "unknown_feature");
    assert_eq!(
        value(&server, "nobody/at all".replace(' ', "%20").as_str(), "calls").problem(404),
        "unknown_wallet"
    );
    assert_eq!(server.get("/api/v1/customers/nobody/access").problem(404), "unknown_wallet");
    let sender = format!("Bearer {}", server.key_with("ingest"));
    let headers = [("authorization", sender.as_str())];
    assert_eq!(server.ask("GET", "/api/v1/customers/idle/access", &headers, "").problem(403), "forbidden");
    let sent = server.ask("POST", "/api/v1/events", &headers, event("1", "call", "idle").to_string());
    assert_eq!(sent.status, 204);
}

#[test]
fn a_customers_token_is_for_its_own_wallet_alone() {
    let server = Server::start(DOCUMENTS);
    let mint = ["keys", "token", "--wallet", "idle", "--key", &server.key, "--scope", "read"];
    let token = server.drawdown.json(&mint)["token"].as_str().unwrap().to_owned();
    let bearer = format!("Bearer {token}");
    let ask = |method: &str, path: &str| server.ask(method, path, &[("authorization", &bearer)], "");
    ask("GET", "/api/v1/customers/idle/access").expect(200);
    for path in ["access", "entitlements/calls/value"] {
        let of = |customer: &str| ask("GET", &format!("/api/v1/customers/{customer}/{path}"));
        for customer in ["owing", "acme%2F1", "nobody"] {
            assert_eq!(of(customer).problem(404), "unknown_wallet", "{customer}");
        }
    }
    assert_eq!(ask("POST", "/api/v1/events").problem(403), "forbidden");
    assert_eq!(ask("POST", "/v1/events").problem(403), "forbidden");
}
