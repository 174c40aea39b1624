//! A small world whose balances do not move: nothing in it ends before 2099.

use serde_json::Value;

use crate::drawdown::{Drawdown, Ran};

/// Two prices, a vendor cost, and what acme was granted.
pub(crate) const DOCUMENTS: &str = r#"
kind: unit
name: credits
time: 2025-01-01T00:00:00Z
---
kind: unit
name: gpu_minutes
time: 2025-01-01T00:00:00Z
---
kind: price
name: chat
time: 2025-01-01T00:00:00Z
match: {type: llm.completion}
feature: chat
charges:
  - {name: input, unit: credits, quantity: {field: input_tokens}, per: "1000", amount: "0.5"}
  - {name: output, unit: credits, quantity: {field: output_tokens}, per: "1000", amount: "1.5"}
---
kind: price
name: image
time: 2025-01-01T00:00:00Z
match: {type: image.generated}
feature: images
charges: [{unit: credits, amount: "20"}]
---
kind: vendor_cost
name: tokens
time: 2025-01-01T00:00:00Z
match: {type: llm.completion}
charges:
  - {name: input, unit: USD, quantity: {field: input_tokens}, per: "1000000", amount: "2.5"}
---
kind: wallet
wallet: acme
time: 2025-01-01T00:00:00Z
---
{kind: grant, wallet: acme, time: 2025-01-01T00:00:00Z, grant_id: plan, unit: credits, amount: "110",
 category: included, expires_at: 2100-01-01T00:00:00Z}
---
{kind: grant, wallet: acme, time: 2025-01-02T00:00:00Z, grant_id: pack, unit: credits, amount: "500",
 cost_basis: {money: "20", currency: USD}, priority: 60}
---
{kind: grant, wallet: acme, time: 2025-01-03T00:00:00Z, grant_id: promo, unit: credits, amount: "35",
 category: promotional, priority: 10, applies_to: {feature: [images]}, expires_at: 2099-01-01T00:00:00Z}
---
{kind: grant, wallet: acme, time: 2025-01-04T00:00:00Z, grant_id: gpu, unit: gpu_minutes, amount: "12.5",
 expires_at: 2100-01-01T00:00:00Z}
"#;

/// Usage of acme and of bea, whom nobody knows: one sent twice, one in conflict, one without a price.
pub(crate) fn usage() -> String {
    let chat = r#"{"model":"small","input_tokens":12000,"output_tokens":4000}"#;
    let large = r#"{"model":"large","input_tokens":200000,"output_tokens":2000.5}"#;
    let pro = r#"{"model":"pro","size":{"width":640}}"#;
    [
        event("a1", "acme", "llm.completion", "2025-01-10T10:00:00Z", chat),
        event("a2", "acme", "image.generated", "2025-01-11T10:00:00Z", pro),
        event("a3", "acme", "image.generated", "2025-01-11T11:00:00Z", pro),
        event("a4", "acme", "llm.completion", "2025-01-12T00:00:00.25Z", large),
        event("a1", "acme", "llm.completion", "2025-01-10T10:00:00Z", chat),
        event("a1", "acme", "llm.completion", "2025-01-10T10:00:00Z", large),
        event("a5", "acme", "video.generated", "2025-01-13T10:00:00Z", r#"{"seconds":8}"#),
        event("b1", "bea", "llm.completion", "2025-01-20T10:00:00Z", chat),
    ]
    .concat()
}

pub(crate) fn event(id: &str, wallet: &str, kind: &str, time: &str, data: &str) -> String {
    format!(
        "{{\"specversion\":\"1.0\",\"id\":\"{id}\",\"source\":\"app\",\"type\":\"{kind}\",\"subject\":\"{wallet}\",\
         \"time\":\"{time}\",\"data\":{data}}}\n"
    )
}

/// The world in a log of one partition, folded.
pub(crate) fn world() -> Drawdown {
    let drawdown = Drawdown::new();
    ok(drawdown.run(&["init", "--partitions", "1"]));
    fill(&drawdown);
    drawdown
}

/// Puts the world into a log, and folds it.
pub(crate) fn fill(drawdown: &Drawdown) {
    let documents = drawdown.file("world.yaml", DOCUMENTS);
    ok(drawdown.run(&["apply", "--backfill", &documents]));
    ok(drawdown.run_with(&["ingest", "--backfill", "-"], usage()));
    ok(drawdown.run(&["project"]));
}

pub(crate) fn ok(ran: Ran) -> String {
    assert_eq!(ran.code, Some(0), "{}{}", ran.out, ran.err);
    ran.out
}

/// What a command shows to people, the moment in its first line left out.
pub(crate) fn check(drawdown: &Drawdown, args: &[&str], expected: &str) {
    let shown = ok(drawdown.run(args));
    let (first, rest) = shown.split_once('\n').unwrap();
    let moment = [" at 2", " up to 2"].into_iter().find_map(|word| Some(first.find(word)? + word.len() - 1));
    let first = match moment {
        Some(from) => {
            let len = first[from..].find(',').unwrap_or(first.len() - from);
            format!("{}NOW{}", &first[..from], &first[from + len..])
        }
        None => first.to_owned(),
    };
    let shown = format!("{first}\n{rest}");
    assert!(shown == expected, "{args:?} shows\n{shown}\nand not\n{expected}");
}

/// The object that a command prints, without the moment as of which it is true.
pub(crate) fn timeless(mut report: Value) -> Value {
    let time = report["as_of"]["time"].take();
    assert!(time.as_str().unwrap().ends_with('Z'), "{time}");
    report
}
