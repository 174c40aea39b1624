//! The meter: what a hold would cost if it were settled now, which is what its settlement then costs.

use serde_json::{Value, json};

use crate::server::{Server, token_of};

/// A price by tokens, a hundred credits.
const DOCUMENTS: &str = r#"
kind: unit
name: credits
---
kind: price
name: tokens
match: {type: llm.completion}
feature: chat
charges: [{unit: credits, quantity: {field: tokens}, amount: "0.003"}]
---
kind: grant
wallet: acme
grant_id: welcome
reason: a test
unit: credits
amount: "100"
"#;

fn tokens(count: u64) -> Value {
    json!({"wallet": "acme", "event": {"type": "llm.completion", "data": {"tokens": count}}})
}

fn hold(server: &Server, id: &str, count: u64) {
    let request = json!({"event": tokens(count)["event"]});
    server.post_once("/v1/wallets/acme/holds", id, &request).expect(201);
}

#[test]
fn the_meter_shows_what_the_settlement_then_books() {
    let server = Server::start(DOCUMENTS);
    hold(&server, "answer", 10_000);
    let before = server.get("/v1/wallets/acme/ledger").expect(200)["entries"].clone();
    for (count, cost, left) in [(0, None, "30"), (1_000, Some("3"), "27"), (9_999, Some("29.997"), "0.003")] {
        let shown = server.post("/v1/holds/answer/meter", &tokens(count)).expect(200);
        let costs = cost.map_or(json!({}), |cost| json!({"credits": cost}));
        assert_eq!((&shown["cost"], &shown["left"]["credits"]), (&costs, &json!(left)), "{shown}");
        assert_eq!((&shown["fits"], &shown["price"]), (&json!(true), &json!("tokens@1")));
    }
    assert_eq!(server.get("/v1/wallets/acme/ledger").expect(200)["entries"], before);

    let shown = server.post("/v1/holds/answer/meter", &tokens(4_321)).expect(200);
    let settled = server.post("/v1/holds/answer/settle", &tokens(4_321)).expect(200);
    assert_eq!(shown["cost"], settled["cost"]);
    assert_eq!(shown["balance"], settled["balance"]);
}

#[test]
fn what_goes_beyond_the_hold_does_not_fit_and_what_no_lot_covers_is_told() {
    let server = Server::start(DOCUMENTS);
    hold(&server, "answer", 10_000);
    let beyond = server.post("/v1/holds/answer/meter", &tokens(20_000)).expect(200);
    assert_eq!((&beyond["cost"], &beyond["fits"]), (&json!({"credits": "60"}), &json!(false)));
    assert_eq!(
        (&beyond["left"]["credits"], &beyond["balance"]["credits"]["available"]),
        (&json!("0"), &json!("40"))
    );
    assert!(beyond["overage"].is_null());
    let far = server.post("/v1/holds/answer/meter", &tokens(40_000)).expect(200);
    assert_eq!(
        (&far["overage"], &far["balance"]["credits"]["available"]),
        (&json!({"credits": "20"}), &json!("0"))
    );
    let settled = server.post("/v1/holds/answer/settle", &tokens(40_000)).expect(200);
    assert_eq!((&settled["cost"], &settled["overage"]), (&far["cost"], &far["overage"]));
}

#[test]
fn amounts_are_metered_too_and_an_event_without_a_price_costs_nothing() {
    let server = Server::start(DOCUMENTS);
    hold(&server, "answer", 10_000);
    let amounts = |unit: &str| json!({"wallet": "acme", "amounts": [{"unit": unit, "feature": "chat", "amount": "12.5"}]});
    let shown = server.post("/v1/holds/answer/meter", &amounts("credits")).expect(200);
    assert_eq!((&shown["cost"], &shown["price"]), (&json!({"credits": "12.5"}), &Value::Null));
    let unpriced = json!({"wallet": "acme", "event": {"type": "of.no.price"}});
    let shown = server.post("/v1/holds/answer/meter", &unpriced).expect(200);
    assert_eq!((&shown["cost"], &shown["unpriced"]), (&json!({}), &json!("no_price")));
    assert_eq!(server.post("/v1/holds/answer/meter", &amounts("gold")).problem(422), "unknown_unit");
}

#[test]
fn what_cannot_be_metered_is_told_with_what_to_do() {
    let server = Server::start(DOCUMENTS);
    hold(&server, "answer", 10_000);
    let path = "/v1/holds/answer/meter";
    assert_eq!(server.post("/v1/holds/none/meter", &tokens(1)).problem(409), "not_open");
    assert_eq!(server.post(path, &json!({"wallet": "acme"})).problem(400), "no_measure");
    assert_eq!(server.post(path, &json!({"event": {"type": "llm.completion"}})).problem(400), "no_wallet");
    let mut unknown = tokens(1);
    unknown["wallet"] = json!("nobody");
    assert_eq!(server.post(path, &unknown).problem(404), "unknown_wallet");

    let (other, own) = (token_of(&server, "other", "authorize"), token_of(&server, "acme", "authorize"));
    assert_eq!(server.post_as(&other, path, &tokens(1)).problem(404), "unknown_wallet");
    let of_token = json!({"event": tokens(1)["event"]});
    assert_eq!(server.post_as(&own, path, &of_token).expect(200)["cost"], json!({"credits": "0.003"}));
    let reads = server.key_with("read");
    assert_eq!(server.post_as(&reads, path, &tokens(1)).problem(403), "forbidden");

    server.post("/v1/holds/answer/void", &json!({"wallet": "acme"})).expect(200);
    assert_eq!(server.post(path, &tokens(1)).problem(409), "not_open");
}
