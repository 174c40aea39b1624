//! Each of `examples/` applies alone, and charges what its comments say.
#![allow(clippy::unwrap_used)]

use std::path::Path;

use ledger::{Accepted, Amount, Catalogue, Changes, Instant, Outcome, Past, Wallet};
use serde_json::{Value, json};
use server::documents::{self, Body, Document};

/// Applies all documents of an example as they come, and then the events to the wallet: what it has left, and its overage.
fn applied(example: &str, wallet: &str, unit: &str, events: &[(&str, Value)]) -> (String, String) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples").join(example);
    let read = documents::read(&[path]).unwrap_or_else(|errors| panic!("{}", errors[0]));
    let mut catalogue = Catalogue::default();
    let mut state = Wallet::new();
    let mut found = 0;
    for Document { body, .. } in read {
        let at = body.time().unwrap_or(Instant::parse("2026-01-15T12:00:00Z").unwrap());
        let (kind, data) = match &body {
            Body::Catalogue { kind, name, body, .. } => {
                let (kind, name, id) = ((*kind).to_owned(), name.clone(), name.clone());
                catalogue
                    .publish(Accepted { kind, name, id, recorded_at: at, body: body.clone() }, None)
                    .unwrap();
                continue;
            }
            Body::Wallet { wallet: of, configured, .. } if of == wallet => {
                ("wallet.configured", json!(**configured))
            }
            Body::Grant { wallet: of, terms, .. } if of == wallet => ("grant.issued", json!(**terms)),
            Body::Wallet { .. } | Body::Grant { .. } | Body::Change { .. } => continue,
        };
        found += 1;
        recorded(&catalogue, &mut state, wallet, &at.to_string(), kind, data);
    }
    assert!(found >= 2, "{example} has a wallet {wallet} and a grant to it");
    for (at, event) in events {
        recorded(&catalogue, &mut state, wallet, at, "usage", event.clone());
    }
    let last = Instant::parse(events.last().unwrap().0).unwrap();
    let overage: Amount = state.overage().iter().map(|o| o.amount).sum();
    (state.available(unit, last).to_string(), overage.to_string())
}

fn recorded(catalogue: &Catalogue, state: &mut Wallet, wallet: &str, at: &str, kind: &str, data: Value) {
    let record = json!({
        "v": 1, "id": data.to_string().chars().take(200).collect::<String>(), "source": "test", "type": kind,
        "wallet": wallet, "recorded_at": at, "by": "operator", "data": data
    });
    let text = record.to_string();
    let record = ledger::decode(text.as_bytes()).unwrap();
    let identity = record.identify(&mut Vec::new()).unwrap();
    let mut changes = Changes::default();
    let outcome = ledger::apply(catalogue, state, &Past::default(), &record, &identity, &mut changes);
    assert_eq!(outcome, Some(Outcome::Applied(None)), "{text}");
}

/// Checks what an example's wallet has left of a unit after events on the day of the grants.
#[track_caller]
fn check(example: &str, wallet: &str, unit: &str, events: &[Value], left: &str) {
    let day = if example == "llm" { "2023-11-16T18:15:46Z" } else { "2026-01-15T12:00:00Z" };
    let events: Vec<(&str, Value)> = events.iter().map(|event| (day, event.clone())).collect();
    assert_eq!(applied(example, wallet, unit, &events), (left.to_owned(), "0".to_owned()));
}

#[test]
fn an_image_costs_one_credit_and_one_of_the_dearer_model_twenty() {
    let image = |model: &str| json!({"type": "image.generated", "data": {"model": model, "images": 2}});
    check("image-credits.yaml", "studio", "credits", &[image("image-4-ultra")], "1960");
    check("image-credits.yaml", "studio", "credits", &[image("image-4"), image("image-4-ultra")], "1958");
}

#[test]
fn a_character_costs_one_credit_or_half_of_one() {
    let speech =
        |model: &str| json!({"type": "speech.synthesized", "data": {"model": model, "characters": 901}});
    check("characters.yaml", "audiobooks", "credits", &[speech("flash-v2.5")], "99549.5");
    check("characters.yaml", "audiobooks", "credits", &[speech("turbo-v2")], "99549.5");
    check("characters.yaml", "audiobooks", "credits", &[speech("multilingual-v2")], "99099");
}

#[test]
fn an_action_costs_by_its_complexity_and_daily_credits_go_first() {
    let action = |complexity: &str| json!({"type": "agent.message", "data": {"complexity": complexity}});
    check("actions.yaml", "shop-builder", "credits", &[action("complex")], "103.8");
    check("actions.yaml", "shop-builder", "credits", &[action("simple")], "104.5");
    let two_days = [("2026-01-15T13:00:00Z", action("complex")), ("2026-01-16T13:00:00Z", action("simple"))];
    let left = applied("actions.yaml", "shop-builder", "credits", &two_days);
    assert_eq!(left.0, "104.5", "the second day has five of its own, and the month's hundred are untouched");
}

#[test]
fn a_pool_of_dollars_pays_tokens_at_three_rates() {
    let data =
        json!({"model": "gpt-4.1", "input_tokens": 12000, "cached_tokens": 10000, "output_tokens": 500});
    let request = json!({"type": "agent.request", "data": data});
    check("token-pool.yaml", "developer", "usd", &[request], "19.987");
}

#[test]
fn a_credit_is_a_cent() {
    let step = |step: &str| json!({"type": "copilot.step", "data": {"step": step, "actions": 1}});
    let steps = ["classic_answer", "generative_answer", "agent_action", "graph_grounding", "flow_actions"];
    check("cent-credits.yaml", "helpdesk", "credits", &steps.map(step), "24981.87");
}

#[test]
fn a_request_of_the_trace_is_priced_by_its_model() {
    let request = |model: &str| json!({"type": "llm.completion", "data": {"model": model, "input_tokens": 374, "output_tokens": 44}});
    check("llm", "wallet-000034", "credits", &[request("vision")], "2496.128");
    check("llm", "wallet-000034", "credits", &[request("large")], "2497.47");
    check("llm", "wallet-009999", "credits", &[request("small")], "999.747");
}

#[test]
fn a_busy_wallet_of_the_trace_goes_into_overage() {
    let much = json!({"type": "llm.completion", "data": {"model": "large", "input_tokens": 500000, "output_tokens": 1000}});
    let left = applied("llm", "wallet-000002", "credits", &[("2023-11-16T18:15:46Z", much)]);
    assert_eq!(left, ("0".to_owned(), "15".to_owned()));
}
