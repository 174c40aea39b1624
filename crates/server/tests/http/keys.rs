//! Keys over HTTP: made once, rotated, revoked, and what tokens they give to customers.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::holds::DOCUMENTS;
use crate::server::Server;

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_else(|| panic!("{value}"))
}

fn hold() -> Value {
    json!({"amounts": [{"unit": "credits", "feature": "calls", "amount": "1"}]})
}

#[test]
fn a_key_is_in_force_when_it_is_shown_and_lets_do_what_it_says() {
    let server = Server::start(DOCUMENTS);
    let asked = json!({"scopes": ["authorize"], "description": "the image service"});
    let made = server.post("/v1/keys", &asked).expect(201);
    let key = text(&made["key"]);
    assert_eq!(server.call(key, "POST", "/v1/wallets/acme/holds", &hold()).status, 201);
    let refused = server.call(key, "GET", "/v1/keys", &Value::Null);
    assert_eq!((refused.problem(403), &refused.json()["scope"]), ("forbidden".into(), &json!("admin")));
    let keys = server.get("/v1/keys");
    let listed = keys.expect(200)["keys"].as_array().unwrap().clone();
    let own = listed.iter().find(|listed| listed["id"] == made["id"]).unwrap();
    assert_eq!(
        (&own["state"], &own["scopes"], &own["description"]),
        (&json!("live"), &json!(["authorize"]), &json!("the image service"))
    );
    assert!(!keys.text.contains(key) && !keys.text.contains("hash"), "{}", keys.text);

    let first = server.get("/v1/keys?limit=1").expect(200);
    let rest = server.get(&format!("/v1/keys?after={}", text(&first["next"]))).expect(200);
    assert_eq!((first["keys"].as_array().unwrap().len(), &rest["next"]), (1, &Value::Null));
    assert_eq!([&first["keys"][0], &rest["keys"][0]], [&listed[0], &listed[1]]);

    let admin = server.post("/v1/keys", &json!({"scopes": ["admin"]})).expect(201);
    let admin = text(&admin["key"]);
    assert_eq!(server.call(admin, "POST", "/v1/wallets/acme/holds", &hold()).status, 201, "admin may all");
}

#[test]
fn a_request_for_a_key_again_is_answered_with_the_same_key_also_after_a_crash() {
    let mut server = Server::start(DOCUMENTS);
    let asked = json!({"scopes": ["read"]});
    let made = server.post_once("/v1/keys", "one", &asked).expect(201);
    server.kill_and_start();
    let again = server.post_once("/v1/keys", "one", &asked).expect(201);
    assert_eq!((&again["id"], &again["key"]), (&made["id"], &made["key"]));
    let other = server.post_once("/v1/keys", "one", &json!({"scopes": ["ingest"]}));
    assert_eq!(other.problem(422), "conflict");
    let two = server.post_once("/v1/keys", "two", &asked).expect(201);
    assert_ne!(two["id"], made["id"]);
    assert_ne!(
        server.post("/v1/keys", &asked).expect(201)["id"],
        server.post("/v1/keys", &asked).expect(201)["id"]
    );
}

#[test]
fn a_rotated_key_goes_on_beside_the_new_one_until_the_overlap_is_over() {
    let server = Server::start(DOCUMENTS);
    let old = server.post("/v1/keys", &json!({"scopes": ["read", "authorize"]})).expect(201);
    let path = format!("/v1/keys/{}/rotate", text(&old["id"]));
    let rotated = server.post_once(&path, "r", &json!({"overlap": "PT2S"})).expect(201);
    let new = text(&rotated["new"]["key"]);
    assert_eq!(rotated["new"]["scopes"], old["scopes"]);
    let works = |key: &str| server.call(key, "POST", "/v1/wallets/acme/holds", &hold()).status;
    assert_eq!((works(new), works(text(&old["key"]))), (201, 201));
    let again = server.post_once(&path, "r", &json!({"overlap": "PT2S"})).expect(201);
    assert_eq!((&again["new"], &again["old"]), (&rotated["new"], &rotated["old"]));
    for other in [json!({"overlap": "PT1S"}), json!({"overlap": "P1D"}), json!({})] {
        assert_eq!(server.post_once(&path, "r", &other).problem(422), "conflict", "{other}");
    }
    let until = Instant::now() + Duration::from_secs(10);
    while works(text(&old["key"])) != 401 {
        assert!(Instant::now() < until, "the old key goes on");
        std::thread::sleep(Duration::from_millis(50));
    }
    assert_eq!(works(new), 201);
    let late = server.post(&path, &json!({}));
    assert_eq!(late.problem(409), "over");
    let other = server.post_once(&path, "r", &json!({"expires_at": "2100-01-01T00:00:00Z"}));
    assert_eq!(other.problem(422), "conflict");
}

#[test]
fn a_revoked_key_lets_nothing_through_any_more_nor_do_its_tokens() {
    let server = Server::start(DOCUMENTS);
    let made = server.post("/v1/keys", &json!({"scopes": ["authorize"]})).expect(201);
    let (key, path) = (text(&made["key"]), format!("/v1/keys/{}", text(&made["id"])));
    let asked = json!({"wallet": "acme", "scopes": ["authorize"], "ttl": "PT1H"});
    let minted = server.call(key, "POST", "/v1/tokens", &asked).expect(201);
    let token = text(&minted["token"]);
    let works = |key: &str| server.call(key, "POST", "/v1/wallets/acme/holds", &hold()).status;
    assert_eq!((works(key), works(token)), (201, 201));
    let revoked = server.call(&server.key, "DELETE", &path, &Value::Null).expect(200);
    assert_eq!(revoked["revoked"], true);
    assert_eq!((works(key), works(token)), (401, 401), "at once, where it was revoked");
    let again = server.call(&server.key, "DELETE", &path, &Value::Null).expect(200);
    assert_eq!((&again["revoked"], &again["position"]), (&json!(false), &Value::Null));
    let rotated = server.post(&format!("{path}/rotate"), &json!({}));
    assert_eq!(rotated.problem(409), "over");
}

#[test]
fn a_token_lets_a_customer_do_what_its_key_may_and_in_one_wallet() {
    let server = Server::start(DOCUMENTS);
    let token = server.token("acme", &["authorize"]);
    assert_eq!(server.call(&token, "POST", "/v1/wallets/acme/holds", &hold()).status, 201);
    let other = server.call(&token, "POST", "/v1/wallets/other/holds", &hold());
    assert_eq!(other.problem(404), "unknown_wallet");
    assert_eq!(
        server.call(&token, "POST", "/v1/tokens", &json!({"wallet": "acme"})).problem(403),
        "forbidden"
    );

    let ingest = server.post("/v1/keys", &json!({"scopes": ["ingest"]})).expect(201);
    let ask = |body: Value| server.call(text(&ingest["key"]), "POST", "/v1/tokens", &body);
    assert_eq!(ask(json!({"wallet": "acme"})).problem(403), "forbidden");
    let ask = |body: Value| server.post("/v1/tokens", &body);
    assert_eq!(ask(json!({"wallet": "acme", "scopes": ["admin"]})).problem(403), "forbidden");
    for body in [
        json!({"wallet": ""}),
        json!({"wallet": "x".repeat(257)}),
        json!({"wallet": "acme", "ttl": "P2D"}),
        json!({"wallet": "acme", "scopes": ["write"]}),
        json!({}),
    ] {
        assert_eq!(ask(body.clone()).problem(400), "bad_field", "{body}");
    }
}

#[test]
fn what_is_no_key_is_told_with_what_to_do() {
    let server = Server::start(DOCUMENTS);
    for body in [
        json!({}),
        json!({"scopes": []}),
        json!({"scopes": ["all"]}),
        json!({"scopes": ["read"], "expires_at": "2020-01-01T00:00:00Z"}),
        json!({"scopes": ["read"], "expires_at": "tomorrow"}),
        json!({"scopes": ["read"], "description": "x".repeat(1025)}),
    ] {
        assert_eq!(server.post("/v1/keys", &body).problem(400), "bad_field", "{body}");
    }
    let unknown = "/v1/keys/knobody000000";
    assert_eq!(server.call(&server.key, "DELETE", unknown, &Value::Null).problem(404), "unknown_key");
    assert_eq!(server.post(&format!("{unknown}/rotate"), &json!({})).problem(404), "unknown_key");
    assert_eq!(server.get("/v1/keys?limit=many").problem(400), "bad_query");
}
