//! Holds over HTTP: what is approved, declined, settled, and asked again.

use serde_json::{Value, json};

use crate::server::Server;

/// A wallet with a hundred credits, and a price of an event.
pub(crate) const DOCUMENTS: &str = r#"
kind: unit
name: credits
---
kind: price
name: call
match: {type: llm.call}
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

fn credits(amount: &str) -> Value {
    json!({"amounts": [{"unit": "credits", "feature": "calls", "amount": amount}]})
}

#[test]
fn a_hold_sets_aside_and_its_settlement_takes_what_was_used() {
    let server = Server::start(DOCUMENTS);
    let held = server.post_once("/v1/wallets/acme/holds", "job", &credits("30")).expect(201);
    assert_eq!(
        held["held"],
        json!([{"unit": "credits", "feature": "calls", "lot": "welcome#1", "amount": "30"}])
    );
    assert_eq!(held["balance"]["credits"]["available"], "70");
    assert_eq!((&held["id"], &held["is_open"]), (&json!("job"), &json!(true)));

    let used = json!({"wallet": "acme", "event": {"type": "llm.call"}});
    let settled = server.post("/v1/holds/job/settle", &used).expect(200);
    assert_eq!((&settled["cost"], &settled["is_open"]), (&json!({"credits": "2.5"}), &json!(false)));
    assert_eq!(settled["balance"]["credits"]["available"], "97.5");
    let again = server.post("/v1/holds/job/settle", &used).expect(200);
    assert_eq!((&again["cost"], &again["balance"]), (&settled["cost"], &settled["balance"]));
}

#[test]
fn a_request_again_has_the_first_answer_also_after_a_crash() {
    let mut server = Server::start(DOCUMENTS);
    let first = server.post_once("/v1/wallets/acme/holds", "job", &credits("30")).expect(201);
    let mut timed = credits("30");
    timed["valid_for"] = json!("PT10S");
    let again = server.post_once("/v1/wallets/acme/holds", "job", &timed);
    // Another body: a bound for the answer alone would be none.
    assert_eq!(again.expect(201)["expires_at"], first["expires_at"]);
    let other = server.post_once("/v1/wallets/acme/holds", "job", &credits("31"));
    assert_eq!(other.problem(422), "conflict");

    server.kill_and_start();
    let after = server.post_once("/v1/wallets/acme/holds", "job", &credits("30")).expect(201);
    for field in ["id", "held", "expires_at", "is_open", "balance"] {
        assert_eq!(after[field], first[field], "{field}");
    }
    assert_ne!(after["position"], first["position"]);
}

#[test]
fn what_lots_do_not_cover_is_declined_and_the_answer_says_what_would_fit() {
    let server = Server::start(DOCUMENTS);
    let mut request = credits("100.5");
    request["alternatives"] = json!([{"type": "llm.call"}, {"type": "of.no.price"}]);
    let declined = server.post("/v1/wallets/acme/holds", &request);
    assert_eq!(declined.problem(402), "insufficient");
    let declined = declined.json();
    assert_eq!(declined["lacks"], json!({"credits": "0.5"}));
    assert_eq!(declined["fits"], json!([{"type": "llm.call", "actions": 40}]));
    assert_eq!(declined["balance"]["credits"]["available"], "100");

    let unpriced = server.post("/v1/wallets/acme/holds", &json!({"event": {"type": "of.no.price"}}));
    assert_eq!(unpriced.problem(402), "unpriced:no_price");
    let unknown = server.post("/v1/wallets/nobody/holds", &credits("1"));
    assert_eq!(unknown.problem(404), "unknown_wallet");
    let late = json!({"amounts": credits("1")["amounts"], "ttl": "PT0.000000001S"});
    assert_eq!(server.post("/v1/wallets/acme/holds", &late).status / 100, 2);
}

#[test]
fn a_charge_is_a_hold_and_its_settlement_and_counts_once() {
    let server = Server::start(DOCUMENTS);
    let charged = server.post_once("/v1/wallets/acme/charge", "one", &credits("40")).expect(201);
    let again = server.post_once("/v1/wallets/acme/charge", "one", &credits("40")).expect(201);
    for answer in [&charged, &again] {
        assert_eq!(answer["cost"], json!({"credits": "40"}));
        assert_eq!(answer["balance"]["credits"]["balance"], "60");
    }
    let too_much = server.post_once("/v1/wallets/acme/charge", "two", &credits("61"));
    assert_eq!(too_much.problem(402), "insufficient");
    assert_eq!(too_much.json()["balance"]["credits"]["balance"], "60");
}

#[test]
fn a_hold_is_extended_voided_and_then_over() {
    let server = Server::start(DOCUMENTS);
    let held = server.post_once("/v1/wallets/acme/holds", "job", &credits("30")).expect(201);
    let mut more = credits("20");
    (more["wallet"], more["ttl"]) = (json!("acme"), json!("PT1H"));
    let extended = server.post("/v1/holds/job/extend", &more).expect(200);
    assert_eq!(extended["balance"]["credits"]["held"], "50");
    assert!(extended["expires_at"].as_str() > held["expires_at"].as_str());
    let whose = json!({"wallet": "acme"});
    let voided = server.post("/v1/holds/job/void", &whose).expect(200);
    assert_eq!(voided["balance"]["credits"]["available"], "100");
    assert_eq!(voided["freed"].as_array().unwrap().len(), 1, "{voided}");
    let late = server.post("/v1/holds/job/extend", &more);
    assert_eq!(late.problem(409), "not_open");
}

#[test]
fn what_is_said_badly_is_told_with_what_to_do() {
    let server = Server::start(DOCUMENTS);
    let holds = "/v1/wallets/acme/holds";
    let both = json!({"amounts": [], "event": {"type": "llm.call"}});
    for (body, status, code) in [
        (json!({}), 400, "no_measure"),
        (both, 400, "two_measures"),
        (json!({"amount": "1"}), 400, "bad_field"),
        (json!({"amounts": [{"unit": "credits", "feature": "calls", "amount": 1}]}), 400, "bad_field"),
        (json!([]), 400, "bad_field"),
        (json!({"amounts": [{"unit": "gold", "feature": "calls", "amount": "1"}]}), 422, "unknown_unit"),
        (json!({"amounts": []}), 422, "no_amounts"),
    ] {
        assert_eq!(server.post(holds, &body).problem(status), code, "{body}");
    }
    let bearer = server.bearer();
    let raw = |body: &[u8]| server.ask("POST", holds, &[("authorization", &bearer)], body);
    assert_eq!(raw(b"").problem(400), "empty_body");
    assert_eq!(raw(b"{\"amounts\"").problem(400), "not_json");
    assert_eq!(raw(b"{\"event\":{\"type\":\"\xff\"}}").problem(400), "not_json");
    assert_eq!(raw(&[b'['; 10_000]).problem(400), "bad_field");
    assert_eq!(raw(&vec![b' '; 9 << 20]).problem(413), "too_large");
    for key in ["", "é", &"x".repeat(300)] {
        let headers = [("authorization", bearer.as_str()), ("idempotency-key", key)];
        let answer = server.ask("POST", holds, &headers, credits("1").to_string());
        assert_eq!(answer.problem(400), "bad_idempotency_key", "{key:?}");
    }
    assert_eq!(server.post("/v1/holds/none/settle", &credits("1")).problem(400), "no_wallet");
    assert_eq!(server.get("/v1/nothing").problem(404), "no_such_route");
    assert_eq!(server.ask("DELETE", holds, &[("authorization", &bearer)], "").problem(405), "method");
}

#[test]
fn nobody_gets_in_without_a_key() {
    let server = Server::start(DOCUMENTS);
    let forged = format!("{}x", server.key);
    for authorization in ["Bearer", "Bearer dd_none", "Basic eDp5", &format!("Bearer {forged}")] {
        let headers = [("authorization", authorization)];
        let answer = server.ask("POST", "/v1/wallets/acme/holds", &headers, credits("1").to_string());
        assert_eq!(answer.problem(401), "unauthorized", "{authorization}");
        assert_eq!(answer.headers["www-authenticate"], "Bearer");
    }
    assert_eq!(server.ask("POST", "/v1/wallets/acme/holds", &[], "{}").problem(401), "unauthorized");
}

#[test]
fn told_to_stop_it_answers_what_is_in_flight_and_ends_well() {
    let mut server = Server::start(DOCUMENTS);
    server.post_once("/v1/wallets/acme/holds", "job", &credits("30")).expect(201);
    assert_eq!(server.stop(), Some(0));
    let balance = server.drawdown.json(&["balance", "acme"]);
    assert_eq!(balance["units"]["credits"]["held"], "30");
}
