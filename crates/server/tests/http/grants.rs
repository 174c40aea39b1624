//! Grants over HTTP: issued once, read, voided.

use serde_json::{Value, json};

use crate::holds::DOCUMENTS;
use crate::server::Server;

fn grant(id: &str, amount: &str) -> Value {
    json!({"grant_id": id, "unit": "credits", "amount": amount})
}

#[test]
fn a_grant_is_issued_once_and_read() {
    let mut server = Server::start(DOCUMENTS);
    let path = "/v1/wallets/acme/grants";
    let issued = server.post_once(path, "one", &grant("bonus", "50")).expect(201);
    assert_eq!((&issued["grant"], &issued["entries"][0]["kind"]), (&json!("bonus"), &json!("issue")));
    assert_eq!(issued["balance"]["credits"]["available"], "150");
    server.kill_and_start();
    let again = server.post_once(path, "one", &grant("bonus", "50")).expect(201);
    assert_eq!((&again["entries"], &again["balance"]), (&issued["entries"], &issued["balance"]));
    let named = server.post(path, &grant("bonus", "50")).expect(201);
    assert_eq!(named["entries"], issued["entries"], "its own id is enough");
    assert_eq!(server.post_once(path, "one", &grant("bonus", "51")).problem(422), "conflict");
    assert_eq!(server.post(path, &grant("bonus", "51")).problem(422), "conflict");

    let read = server.get("/v1/wallets/acme/grants/bonus").expect(200);
    assert_eq!((&read["remaining"], &read["terms"]["amount"]), (&json!("50"), &json!("50")));
    assert_eq!(server.get("/v1/wallets/acme/grants/none").problem(404), "unknown_grant");
    assert_eq!(server.get("/v1/wallets/nobody/grants/none").problem(404), "unknown_wallet");

    let unnamed = json!({"unit": "credits", "amount": "1", "reason": "a gift"});
    let unnamed = server.post_once("/v1/wallets/new/grants", "gift", &unnamed).expect(201);
    assert_eq!((&unnamed["grant"], &unnamed["wallet"]), (&json!("gift"), &json!("new")));
}

#[test]
fn what_is_left_of_a_grant_is_voided() {
    let server = Server::start(DOCUMENTS);
    let used = json!({"amounts": [{"unit": "credits", "feature": "calls", "amount": "30"}]});
    server.post("/v1/wallets/acme/charge", &used).expect(201);
    let (path, why) = ("/v1/wallets/acme/grants/welcome/void", json!({"reason": "a mistake"}));
    let voided = server.post_once(path, "v", &why).expect(200);
    assert_eq!(
        (&voided["entries"][0]["kind"], &voided["entries"][0]["amount"]),
        (&json!("void"), &json!("70"))
    );
    assert_eq!(voided["balance"]["credits"]["available"], "0");
    let again = server.post_once(path, "v", &why).expect(200);
    assert_eq!(again["entries"], voided["entries"]);
    assert_eq!(server.post("/v1/wallets/acme/grants/none/void", &why).problem(404), "unknown_grant");
    assert_eq!(server.post("/v1/wallets/nobody/grants/welcome/void", &why).problem(404), "unknown_wallet");
    assert_eq!(server.post(path, &json!({})).problem(400), "bad_field");
    assert_eq!(server.post(path, &json!({"reason": "x", "what": "most"})).problem(400), "bad_field");
    let other = json!({"reason": "x", "what": "future"});
    assert_eq!(server.post_once(path, "v", &other).problem(422), "conflict");
}

#[test]
fn what_is_left_of_a_purchase_is_voided_together() {
    let server = Server::start(DOCUMENTS);
    for (id, purchase) in [("pack", "order-1"), ("bonus", "order-1"), ("other", "order-2")] {
        let bought = json!({"grant_id": id, "unit": "credits", "amount": "50", "purchase_id": purchase});
        server.post("/v1/wallets/acme/grants", &bought).expect(201);
    }
    let (path, why) = ("/v1/wallets/acme/purchases/order-1/void", json!({"reason": "refunded"}));
    let voided = server.post_once(path, "v", &why).expect(200);
    let amounts: Vec<_> =
        voided["entries"].as_array().unwrap().iter().map(|entry| &entry["amount"]).collect();
    assert_eq!(amounts, ["50", "50"]);
    assert_eq!(voided["balance"]["credits"]["available"], "150");
    assert_eq!(server.post_once(path, "v", &why).expect(200)["entries"], voided["entries"]);
    let unknown = server.post("/v1/wallets/acme/purchases/order-3/void", &why);
    assert_eq!(unknown.problem(404), "unknown_grant");
}

#[test]
fn a_grant_that_cannot_be_kept_is_refused_with_its_field() {
    let server = Server::start(DOCUMENTS);
    let path = "/v1/wallets/acme/grants";
    for (body, code, field) in [
        (json!({"grant_id": "g", "unit": "credits", "amount": 1}), "bad_document", "amount"),
        (json!({"grant_id": "g", "unit": "credits"}), "bad_document", "amount"),
        (json!({"grant_id": "", "unit": "credits", "amount": "1"}), "bad_document", "grant_id"),
        (json!({"grant_id": "g", "unit": "credits", "amount": "0"}), "bad_document", "amount"),
        (json!({"grant_id": "g", "unit": "gold", "amount": "1"}), "unknown_unit", "unit"),
        (json!({"wallet": "w", "grant_id": "g", "unit": "credits", "amount": "1"}), "bad_document", "wallet"),
        (json!([]), "bad_document", ""),
        (
            json!({"grant_id": "g", "unit": "credits", "amount": "1", "colour": "red"}),
            "bad_document",
            "colour",
        ),
    ] {
        let refused = server.post(path, &body);
        assert_eq!(refused.problem(422), code, "{body}: {}", refused.text);
        assert_eq!(refused.json()["field"], field, "{body}: {}", refused.text);
    }
    // Once the unit is there, the same is taken.
    server.post("/v1/catalogue", &json!({"kind": "unit", "name": "gold"})).expect(200);
    server.post(path, &json!({"grant_id": "g", "unit": "gold", "amount": "1"})).expect(201);
    let ahead = json!({"grant_id": "h", "unit": "gold", "amount": "1", "time": "2100-01-01T00:00:00Z"});
    assert_eq!(server.post(path, &ahead).problem(400), "future");
}

#[test]
fn a_customer_reads_his_own_grants_and_issues_none() {
    let server = Server::start(DOCUMENTS);
    let token = server.token("acme", &["read", "authorize"]);
    let ask = |method: &str, path: &str, body: &Value| server.call(&token, method, path, body);
    ask("GET", "/v1/wallets/acme/grants/welcome", &Value::Null).expect(200);
    assert_eq!(ask("GET", "/v1/wallets/other/grants/welcome", &Value::Null).problem(404), "unknown_wallet");
    assert_eq!(ask("POST", "/v1/wallets/acme/grants", &grant("g", "1")).problem(403), "forbidden");
    let void = json!({"reason": "x"});
    assert_eq!(ask("POST", "/v1/wallets/acme/grants/welcome/void", &void).problem(403), "forbidden");
}
