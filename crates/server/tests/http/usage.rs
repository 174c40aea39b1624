//! Usage over HTTP: read one by one, and reversed.

use serde_json::{Value, json};

use crate::holds::DOCUMENTS;
use crate::server::Server;

/// Uses two calls, of the ids a:used and b:used.
fn used() -> (Server, String) {
    let server = Server::start(DOCUMENTS);
    let call = json!({"event": {"type": "llm.call", "data": {"tokens": 7}}});
    let charged = server.post_once("/v1/wallets/acme/charge", "a", &call).expect(201);
    server.post_once("/v1/wallets/acme/charge", "b", &call).expect(201);
    (server, charged["position"].as_str().unwrap().to_owned())
}

#[test]
fn one_usage_is_read_by_its_position_or_its_id() {
    let (server, position) = used();
    let by_position = server.get(&format!("/v1/wallets/acme/usage/{position}")).expect(200);
    assert_eq!((&by_position["id"], &by_position["charged"]), (&json!("a:used"), &json!({"credits": "2.5"})));
    assert_eq!(by_position["data"], json!({"tokens": 7}));
    for path in ["/v1/wallets/acme/usage/a:used", "/v1/wallets/acme/usage/a%3Aused?source=api"] {
        assert_eq!(server.get(path).expect(200), by_position, "{path}");
    }
    let elsewhere = format!("/v1/wallets/acme/usage/{}:1", (position.as_bytes()[0] - b'0' + 1) % 4);
    for path in [
        "/v1/wallets/acme/usage/none",
        "/v1/wallets/acme/usage/a:used?source=other",
        "/v1/wallets/acme/usage/9:999",
        &elsewhere,
    ] {
        assert_eq!(server.get(path).problem(404), "unknown_usage", "{path}");
    }
    assert_eq!(server.get("/v1/wallets/nobody/usage/a:used").problem(404), "unknown_wallet");
    let token = server.token("other", &["read"]);
    let other = server.call(&token, "GET", &format!("/v1/wallets/acme/usage/{position}"), &Value::Null);
    assert_eq!(other.problem(404), "unknown_wallet");
    let own = server.token("acme", &["read"]);
    server.call(&own, "GET", &format!("/v1/wallets/acme/usage/{position}"), &Value::Null).expect(200);
}

#[test]
fn a_reversal_gives_back_what_was_taken_and_counts_once() {
    let (mut server, position) = used();
    let path = "/v1/wallets/acme/usage/reverse";
    let part = json!({"id": "a:used", "reason": "blank", "amounts": [{"unit": "credits", "amount": "1"}]});
    let reversed = server.post_once(path, "r", &part).expect(200);
    assert_eq!(reversed["balance"]["credits"]["available"], "96");
    server.kill_and_start();
    let again = server.post_once(path, "r", &part).expect(200);
    assert_eq!((&again["entries"], &again["balance"]), (&reversed["entries"], &reversed["balance"]));
    let other = json!({"id": "a:used", "reason": "blank", "amounts": [{"unit": "credits", "amount": "2"}]});
    assert_eq!(server.post_once(path, "r", &other).problem(422), "conflict");
    let whole = json!({"id": "a:used", "source": "api", "reason": "failed"});
    assert_eq!(server.post(path, &whole).expect(200)["balance"]["credits"]["available"], "97.5");
    assert_eq!(server.post(path, &whole).problem(409), "already_reversed");
    let read = server.get(&format!("/v1/wallets/acme/usage/{position}")).expect(200);
    assert_eq!(read["cancelled"], true);
    let too_much = json!({"id": "b:used", "reason": "x", "amounts": [{"unit": "credits", "amount": "3"}]});
    assert_eq!(server.post(path, &too_much).problem(422), "more_than_used");
    for (body, code) in [
        (json!({"id": "none", "reason": "x"}), "unknown_usage"),
        (json!({"id": "a:used", "source": "other", "reason": "x"}), "unknown_usage"),
    ] {
        assert_eq!(server.post(path, &body).problem(404), code, "{body}");
    }
    assert_eq!(server.post(path, &json!({"id": "a:used"})).problem(400), "bad_field");
    let nobody = server.post("/v1/wallets/nobody/usage/reverse", &whole);
    assert_eq!(nobody.problem(404), "unknown_wallet");
}

#[test]
fn what_was_answered_is_known_also_right_after_a_crash() {
    let mut server = Server::start(DOCUMENTS);
    let call = json!({"event": {"type": "llm.call", "data": {"tokens": 7}}});
    for cycle in 0..8 {
        server.post_once("/v1/wallets/acme/charge", &cycle.to_string(), &call).expect(201);
        server.kill_and_start();
        // Once it was answered it counts, whether or not the projections had it by then.
        let balance = &server.get("/v1/wallets/acme").expect(200)["units"]["credits"];
        assert_eq!(balance["available"], "97.5", "cycle {cycle}");
        let whole = json!({"id": format!("{cycle}:used"), "reason": "failed"});
        let reversed = server.post("/v1/wallets/acme/usage/reverse", &whole).expect(200);
        assert_eq!(reversed["balance"]["credits"]["available"], "100", "cycle {cycle}");

        let wallet = format!("/v1/wallets/team-{cycle}");
        server.put(&wallet, &json!({})).expect(200);
        server.kill_and_start();
        server.post(&format!("{wallet}/suspend"), &json!({})).expect(200);
    }
}
