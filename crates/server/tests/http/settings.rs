//! Wallets over HTTP: created, configured, suspended, resumed.

use serde_json::{Value, json};

use crate::holds::DOCUMENTS;
use crate::server::Server;

#[test]
fn a_wallet_is_created_and_configured_and_the_same_again_changes_nothing() {
    let mut server = Server::start(DOCUMENTS);
    let settings = json!({"holds": {"beyond": {"overdraft": {"credits": "20"}}}, "metadata": {"team": "a"}});
    let put = server.put("/v1/wallets/team", &settings).expect(200);
    assert_eq!((&put["changed"], &put["settings"]["metadata"]), (&json!(true), &settings["metadata"]));
    server.kill_and_start();
    let again = server.put("/v1/wallets/team", &settings).expect(200);
    assert_eq!((&again["changed"], &again["settings"]), (&json!(false), &put["settings"]));
    let hold = |amount: &str| {
        let amounts = json!({"amounts": [{"unit": "credits", "feature": "calls", "amount": amount}]});
        server.post("/v1/wallets/team/holds", &amounts)
    };
    assert_eq!(hold("15").expect(201)["held"][0]["lot"], Value::Null, "no lot covers it");
    assert_eq!(hold("6").problem(402), "insufficient");
    let blocked = server.put("/v1/wallets/team", &json!({})).expect(200);
    assert_eq!(blocked["changed"], true);
    assert_eq!(hold("1").problem(402), "insufficient");
    assert_eq!(server.put("/v1/wallets/team", &settings).expect(200)["changed"], true, "an earlier one");
}

#[test]
fn what_was_in_force_is_known_also_right_after_a_crash() {
    let mut server = Server::start(DOCUMENTS);
    let [a, b] = ["a", "b"].map(|team| json!({"metadata": {"team": team}}));
    server.put("/v1/wallets/team", &a).expect(200);
    for cycle in 0..12 {
        // Once the log has it, it counts, whether or not the projections have it by then.
        let (last, before) = if cycle % 2 == 0 { (&b, &a) } else { (&a, &b) };
        assert_eq!(server.put("/v1/wallets/team", last).expect(200)["changed"], true, "cycle {cycle}");
        server.kill_and_start();
        assert_eq!(server.put("/v1/wallets/team", last).expect(200)["changed"], false, "cycle {cycle}");
        assert_eq!(server.put("/v1/wallets/team", before).expect(200)["changed"], true, "cycle {cycle}");
        assert_eq!(server.put("/v1/wallets/team", last).expect(200)["changed"], true, "cycle {cycle}");
        server.kill_and_start();
        assert_eq!(server.put("/v1/wallets/team", before).expect(200)["changed"], true, "cycle {cycle}");
        assert_eq!(server.put("/v1/wallets/team", before).expect(200)["changed"], false, "cycle {cycle}");
        server.put("/v1/wallets/team", last).expect(200);
    }
}

#[test]
fn a_configuration_with_an_idempotency_key_is_said_once_whatever_is_said_since() {
    let mut server = Server::start(DOCUMENTS);
    let [a, b] = ["a", "b"].map(|team| json!({"metadata": {"team": team}}));
    let once = |server: &Server, id: &str, body: &Value| {
        let headers = [("authorization", &*server.bearer()), ("idempotency-key", id)];
        server.ask("PUT", "/v1/wallets/team", &headers, body.to_string())
    };
    let said = once(&server, "one", &a).expect(200);
    assert_eq!((&said["changed"], &said["settings"]["metadata"]), (&json!(true), &a["metadata"]));
    assert_eq!(once(&server, "one", &a).expect(200), said);
    assert_eq!(server.put("/v1/wallets/team", &b).expect(200)["changed"], true);
    assert_eq!(once(&server, "one", &a).expect(200), said, "it was said, and is not said again");
    assert_eq!(once(&server, "one", &b).problem(422), "conflict");
    server.kill_and_start();
    assert_eq!(once(&server, "one", &a).expect(200), said);
    assert_eq!(server.put("/v1/wallets/team", &b).expect(200)["changed"], false, "b is in force");

    // What is in force already is said under the key all the same: else it would come back later.
    let same = once(&server, "two", &b).expect(200);
    assert_eq!(same["changed"], true);
    assert_eq!(server.put("/v1/wallets/team", &a).expect(200)["changed"], true);
    assert_eq!(once(&server, "two", &b).expect(200), same);
    assert_eq!(server.put("/v1/wallets/team", &a).expect(200)["changed"], false, "a is in force");

    server.post_once("/v1/wallets/team/suspend", "three", &json!({})).expect(200);
    assert_eq!(once(&server, "three", &a).problem(422), "conflict");
    assert_eq!(once(&server, "\"\"", &a).problem(400), "bad_idempotency_key");
    let refused = once(&server, "four", &json!({"zone": "Europe/Berlin"}));
    assert_eq!(refused.problem(422), "unknown_zone");
    assert_eq!(once(&server, "four", &json!({"zone": "Europe/Berlin"})).problem(422), "unknown_zone");
}

#[test]
fn a_configuration_that_cannot_hold_is_refused_with_its_field() {
    let server = Server::start(DOCUMENTS);
    for (body, code, field) in [
        (json!({"zone": "Europe/Berlin"}), "unknown_zone", "zone"),
        (json!({"rate_card": "gold"}), "unknown_rate_card", "rate_card"),
        (json!({"colour": "red"}), "bad_document", "colour"),
        (json!({"replaces": "x"}), "bad_document", "replaces"),
        (json!({"wallet": "other"}), "bad_document", "wallet"),
        (json!({"reset": {"interval": "PT1M"}}), "bad_document", "reset.interval"),
        (json!({"holds": {"largest": {"gold": "1"}}}), "unknown_unit", "unit"),
    ] {
        let refused = server.put("/v1/wallets/acme", &body);
        assert_eq!(refused.problem(422), code, "{body}: {}", refused.text);
        assert_eq!(refused.json()["field"], field, "{body}: {}", refused.text);
    }
    let raw =
        |body: &str| server.ask("PUT", "/v1/wallets/acme", &[("authorization", &server.bearer())], body);
    assert_eq!(raw("").problem(400), "empty_body");
    assert_eq!(raw("{").problem(400), "not_json");
    let long = format!("/v1/wallets/{}", "x".repeat(257));
    assert_eq!(server.put(&long, &json!({})).problem(400), "too_long");
}

#[test]
fn a_suspended_wallet_approves_nothing_until_it_is_resumed() {
    let server = Server::start(DOCUMENTS);
    let hold = json!({"amounts": [{"unit": "credits", "feature": "calls", "amount": "1"}]});
    let (suspend, resume) = ("/v1/wallets/acme/suspend", "/v1/wallets/acme/resume");
    let why = json!({"reason": "unpaid"});
    server.post_once(suspend, "s", &why).expect(200);
    assert_eq!(server.post("/v1/wallets/acme/holds", &hold).problem(402), "suspended");
    server.post_once(suspend, "s", &why).expect(200);
    assert_eq!(server.post(suspend, &json!({})).problem(409), "already_suspended");
    assert_eq!(server.post_once(resume, "s", &json!({})).problem(422), "conflict");
    server.post(resume, &json!({})).expect(200);
    server.post("/v1/wallets/acme/holds", &hold).expect(201);
    assert_eq!(server.post(resume, &json!({})).problem(409), "not_suspended");
    for path in ["/v1/wallets/nobody/suspend", "/v1/wallets/nobody/resume"] {
        assert_eq!(server.post(path, &json!({})).problem(404), "unknown_wallet");
    }
}

#[test]
fn a_customer_configures_nothing() {
    let server = Server::start(DOCUMENTS);
    let token = server.token("acme", &["read", "authorize"]);
    for (method, path) in [
        ("PUT", "/v1/wallets/acme"),
        ("POST", "/v1/wallets/acme/suspend"),
        ("POST", "/v1/wallets/acme/resume"),
    ] {
        assert_eq!(server.call(&token, method, path, &json!({})).problem(403), "forbidden", "{path}");
    }
}
