//! The words of corrections and of what an operator does.

use serde_json::{Value, json};

use super::words::{Words, grant, policies};

/// Kinds of records that say why, unless the story leaves it out.
pub(super) fn wants_reason(kind: &str) -> bool {
    ["grant.voided", "usage.reversed", "usage.rerated", "wallet.reset", "wallet.changed"].contains(&kind)
}

/// A step's record: its type and its data; none if the verb is another's.
pub(super) fn correction(verb: &str, words: &mut Words<'_>, body: &str) -> Option<(&'static str, String)> {
    Some(match verb {
        "grant" => ("grant.issued", grant(words)),
        "void" => ("grant.voided", void(words).to_string()),
        "reset" => ("wallet.reset", reset(words).to_string()),
        "clear" => ("overage.cleared", clear(words).to_string()),
        "suspend" => ("wallet.suspended", "{}".into()),
        "resume" => ("wallet.resumed", "{}".into()),
        "reverse" => ("usage.reversed", reverse(words).to_string()),
        "rerate" => ("usage.rerated", rerate(words, body)),
        _ => return None,
    })
}

fn void(words: &mut Words<'_>) -> Value {
    let id = words.word();
    let mut data = match id {
        "purchase" => json!({"purchase_id": words.word()}),
        _ => json!({ "grant_id": id }),
    };
    if let Some(what) = words.one_of(&["open", "future", "carried", "all"]) {
        data["what"] = json!(what);
    }
    data
}

fn reset(words: &mut Words<'_>) -> Value {
    let mut data = json!({});
    if let Some(unit) = words.one_of(&["credits", "usd", "gold"]) {
        data["unit"] = json!(unit);
    }
    if words.keeps_overage() {
        data["preserve_overage"] = json!(true);
    }
    data
}

fn clear(words: &mut Words<'_>) -> Value {
    let mut data = json!({"month": words.word()});
    let word = words.word();
    let unit = if word.starts_with(|c: char| c.is_ascii_digit()) {
        data["amount"] = json!(word);
        words.word()
    } else {
        word
    };
    data["unit"] = json!(unit);
    if words.one_of(&["of"]).is_some() {
        data["feature"] = json!(words.word());
    }
    assert_eq!(words.word(), "as");
    data["as"] = json!(words.word());
    data
}

/// `ID`, and perhaps parts: `10 credits of search and 3 usd`, or `nothing` for a list without any.
fn reverse(words: &mut Words<'_>) -> Value {
    let mut data = json!({"usage": {"source": "story", "id": words.word()}});
    let mut parts = Vec::new();
    while words.rest.front().is_some_and(|w| w.starts_with(|c: char| c.is_ascii_digit())) {
        let mut part = json!({"amount": words.word(), "unit": words.word()});
        if words.one_of(&["of"]).is_some() {
            part["feature"] = json!(words.word());
        }
        parts.push(part);
        let _ = words.one_of(&["and"]);
    }
    if words.one_of(&["nothing"]).is_some() || !parts.is_empty() {
        data["amounts"] = json!(parts);
    }
    data
}

fn rerate(words: &mut Words<'_>, body: &str) -> String {
    let usage = json!({"source": "story", "id": words.word()});
    if body.is_empty() {
        json!({ "usage": usage }).to_string()
    } else {
        format!(r#"{{"usage":{usage},"data":{body}}}"#)
    }
}

/// The data of `wallet.changed`: steps between braces, with semicolons between them. The first configuration among them replaces
/// the one named, the next ones that of this record.
pub(super) fn changed(body: &str, mut replaces: Option<String>, id: &str) -> String {
    let body = body.trim().trim_start_matches('{').trim_end_matches('}');
    let steps = body.split(';').map(str::trim).filter(|s| !s.is_empty()).map(|step| {
        let mut words = Words::of(step);
        let (kind, data) = match words.word() {
            "wallet" => {
                let mut data = policies(&mut words);
                if let Some(replaces) = replaces.replace(id.to_owned()) {
                    data["replaces"] = json!(replaces);
                }
                ("wallet.configured", data.to_string())
            }
            verb => correction(verb, &mut words, "").unwrap_or_else(|| panic!("no step is called {verb:?}")),
        };
        assert!(words.rest.is_empty(), "nothing is said by {:?}", words.rest);
        format!(r#"{{"type":"{kind}","data":{data}}}"#)
    });
    format!(r#"{{"steps":[{}]}}"#, steps.collect::<Vec<_>>().join(","))
}
