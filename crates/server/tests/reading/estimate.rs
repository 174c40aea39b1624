use serde_json::json;

use crate::drawdown::Drawdown;
use crate::world::{check, ok, world};

fn event(drawdown: &Drawdown, event: &str) -> String {
    drawdown.file("event.json", event)
}

#[test]
fn an_event_is_charged_on_a_copy_and_nothing_is_appended() {
    let drawdown = world();
    let before = ok(drawdown.run(&["log", "export"]));
    let image = event(&drawdown, r#"{"type":"image.generated","data":{}}"#);
    check(
        &drawdown,
        &["estimate", "acme", &image],
        "acme, image.generated at NOW, after the records below 0:19
it would cost 20 credits for images by image@1
  lot     pays  left after  for     why
  pack#1    20   469.99925  images  pays
available credits: 489.99925 now, 469.99925 afterwards
the lots cover 24 such, this one included
",
    );
    assert_eq!(ok(drawdown.run(&["log", "export"])), before);
}

#[test]
fn what_no_lot_covers_is_overage_and_small_ones_are_counted_by_division() {
    let drawdown = world();
    let of = |data: &str| {
        let event = event(&drawdown, &format!(r#"{{"type":"llm.completion","data":{data}}}"#));
        drawdown.json(&["estimate", "acme", &event])
    };
    let large = of(r#"{"input_tokens":1000000,"output_tokens":0}"#);
    assert_eq!(large["charges"][0]["amount"], "500");
    assert_eq!(large["charges"][0]["overage"], "10.00075");
    assert_eq!(large["covers"], json!({"actions": 0, "exact": true}));
    let small = of(r#"{"input_tokens":2,"output_tokens":0}"#);
    assert_eq!(small["covers"], json!({"actions": 489_999, "exact": false}));
    assert_eq!(small["charges"][0]["actions"], 489_999);
}

#[test]
fn an_event_without_a_price_costs_nothing_and_what_is_no_event_is_refused() {
    let drawdown = world();
    let video = event(&drawdown, r#"{"type":"video.generated"}"#);
    let said = ok(drawdown.run(&["estimate", "acme", &video]));
    assert!(said.contains("it would be charged nothing: it has no price (no_price)\n"), "{said}");
    let faulty = event(&drawdown, r#"{"type":"image.generated","data":{"a":1,"a":2}}"#);
    drawdown.run(&["estimate", "acme", &faulty]).failed(3, &["would be refused"]);
    let none = event(&drawdown, "[]");
    drawdown.run(&["estimate", "acme", &none]).failed(1, &["is no event", "one JSON object"]);
    let other = event(&drawdown, r#"{"type":"image.generated","wallet":"bea"}"#);
    drawdown.run(&["estimate", "acme", &other]).failed(1, &["names another wallet than `acme`"]);
    drawdown.run(&["estimate", "nobody", &video]).failed(1, &["no record names the wallet `nobody`"]);
}
