//! The catalogue over HTTP: published, read, and tried out before.

use serde_json::{Value, json};

use crate::holds::DOCUMENTS;
use crate::server::Server;

fn price(amount: &str) -> Value {
    json!({
        "kind": "price", "name": "call", "match": {"type": "llm.call"}, "feature": "calls",
        "charges": [{"unit": "credits", "amount": amount}],
    })
}

fn cost(server: &Server) -> Value {
    let charged = server.post("/v1/wallets/acme/charge", &json!({"event": {"type": "llm.call"}}));
    charged.expect(201)["cost"]["credits"].clone()
}

#[test]
fn what_is_published_holds_for_every_wallet_when_it_is_answered() {
    let server = Server::start(DOCUMENTS);
    assert_eq!(cost(&server), "2.5");
    let published = server.post("/v1/catalogue", &price("4")).expect(200);
    assert_eq!(published["documents"][0]["published"], true);
    assert_eq!(published["documents"][0]["position"], published["position"]);
    assert!(published["position"].as_str().unwrap().starts_with("0:"), "{published}");
    assert_eq!(cost(&server), "4");

    let again = server.post("/v1/catalogue", &price("4")).expect(200);
    assert_eq!(
        (&again["documents"][0]["published"], &again["documents"][0]["position"]),
        (&json!(false), &Value::Null)
    );
    let revisions = server.get("/v1/catalogue/price/call").expect(200);
    let amounts: Vec<&Value> = revisions["revisions"]
        .as_array()
        .unwrap()
        .iter()
        .map(|r| &r["body"]["charges"][0]["amount"])
        .collect();
    assert_eq!(amounts, [&json!("2.5"), &json!("4")]);

    let several =
        json!([price("5"), {"kind": "unit", "name": "gold"}, {"kind": "zone", "name": "Europe/Berlin"}]);
    let published = server.post("/v1/catalogue", &several).expect(200);
    assert_eq!(published["documents"].as_array().unwrap().len(), 3);
    let all = server.get("/v1/catalogue").expect(200);
    assert_eq!(all["documents"]["price"][0]["body"]["charges"][0]["amount"], "5");
    assert_eq!(all["documents"]["unit"].as_array().unwrap().len(), 2);
    assert_eq!(all["documents"]["key"], Value::Null, "keys have a place of their own");
    let units = server.get("/v1/catalogue?kind=unit").expect(200);
    assert_eq!(units["documents"].as_object().unwrap().len(), 1);
}

#[test]
fn documents_with_an_idempotency_key_are_published_once_whatever_is_published_since() {
    let mut server = Server::start(DOCUMENTS);
    let gold = json!({"kind": "unit", "name": "gold"});
    let silver = json!({"kind": "unit", "name": "silver"});
    let several = json!([price("4"), gold, silver]);
    let said = server.post_once("/v1/catalogue", "one", &several).expect(200);
    let published = |said: &Value| -> Vec<bool> {
        let documents = said["documents"].as_array().unwrap();
        documents.iter().map(|document| document["published"].as_bool().unwrap()).collect()
    };
    assert_eq!((published(&said), cost(&server)), (vec![true; 3], json!("4")));
    assert_eq!(said["documents"][2]["position"], said["position"]);
    assert_eq!(server.post_once("/v1/catalogue", "one", &several).expect(200), said);

    server.post("/v1/catalogue", &price("6")).expect(200);
    assert_eq!(server.post_once("/v1/catalogue", "one", &several).expect(200), said);
    server.kill_and_start();
    assert_eq!(server.post_once("/v1/catalogue", "one", &several).expect(200), said);
    let more = json!([price("4"), gold, silver, {"kind": "unit", "name": "bronze"}]);
    for other in [price("4"), json!([price("4"), gold]), more] {
        assert_eq!(server.post_once("/v1/catalogue", "one", &other).problem(422), "conflict", "{other}");
    }
    let part = json!([gold, price("7")]);
    let said = server.post_once("/v1/catalogue", "two", &part).expect(200);
    assert_eq!((published(&said), &said["documents"][0]["position"]), (vec![false, true], &Value::Null));
    server.post("/v1/catalogue", &price("8")).expect(200);
    assert_eq!(server.post_once("/v1/catalogue", "two", &part).expect(200), said);
    assert_eq!(cost(&server), "8");
    let revisions = server.get("/v1/catalogue/price/call").expect(200)["revisions"].clone();
    let amounts = revisions.as_array().unwrap().iter().map(|r| r["body"]["charges"][0]["amount"].clone());
    assert_eq!(amounts.collect::<Vec<_>>(), ["2.5", "4", "6", "7", "8"].map(|amount| json!(amount)));
}

#[test]
fn what_cannot_hold_is_refused_with_its_field_and_nothing_is_published() {
    let server = Server::start(DOCUMENTS);
    let mut of_gold = price("4");
    of_gold["charges"][0]["unit"] = json!("gold");
    for (body, code, field) in [
        (price("-4"), "bad_document", "charges[0].amount"),
        (json!({"kind": "price", "name": "call", "charge": []}), "bad_document", "charge"),
        (json!({"kind": "unite", "name": "gold"}), "bad_document", "kind"),
        (json!({"name": "gold"}), "bad_document", "kind"),
        (json!({"kind": "unit"}), "bad_document", "name"),
        (json!({"kind": "key", "name": "k"}), "bad_document", "kind"),
        (of_gold.clone(), "unknown_unit", ""),
        (json!([{"kind": "unit", "name": "silver"}, of_gold]), "unknown_unit", ""),
        (json!({"kind": "wallet", "wallet": "acme"}), "not_catalogue", "kind"),
        (
            json!({"kind": "grant", "wallet": "acme", "grant_id": "g", "unit": "credits", "amount": "1"}),
            "not_catalogue",
            "kind",
        ),
    ] {
        let refused = server.post("/v1/catalogue", &body);
        assert_eq!(refused.problem(422), code, "{body}: {}", refused.text);
        assert_eq!(refused.json()["field"], field, "{body}: {}", refused.text);
    }
    let raw = |body: &str| server.ask("POST", "/v1/catalogue", &[("authorization", &server.bearer())], body);
    assert_eq!(raw("").problem(400), "empty_body");
    assert_eq!(raw("kind: unit").problem(400), "not_json");
    assert_eq!(raw("[]").problem(400), "empty_body");
    assert_eq!(raw("\"text\"").problem(422), "bad_document");
    assert_eq!(server.get("/v1/catalogue/unit/silver").problem(404), "unknown_document");
    assert_eq!(server.get("/v1/catalogue/key/k").problem(404), "unknown_document");
    assert_eq!(cost(&server), "2.5");
}

#[test]
fn a_preview_says_what_would_have_come_of_it_and_publishes_nothing() {
    let server = Server::start(DOCUMENTS);
    cost(&server);
    let ask = |documents: Value| {
        server.post("/v1/catalogue/preview", &json!({"from": "2020-01-01T00:00:00Z", "documents": documents}))
    };
    let seen = ask(price("4")).expect(200);
    let used = &seen["units"]["credits"]["used"];
    assert_eq!(
        (&used["was"], &used["would"], &used["difference"]),
        (&json!("2.5"), &json!("4"), &json!("1.5"))
    );
    assert_eq!(seen["changed"][0]["wallet"], "acme");
    assert_eq!(cost(&server), "2.5");
    assert_eq!(ask(price("-4")).problem(422), "bad_document");
    let mut of_gold = price("4");
    of_gold["charges"][0]["unit"] = json!("gold");
    assert_eq!(ask(of_gold).problem(422), "refused");
    let ahead = json!({"from": "2100-01-01T00:00:00Z", "documents": price("4")});
    assert_eq!(server.post("/v1/catalogue/preview", &ahead).problem(400), "bad_field");
    assert_eq!(server.post("/v1/catalogue/preview", &json!({"documents": []})).problem(400), "bad_field");
}
