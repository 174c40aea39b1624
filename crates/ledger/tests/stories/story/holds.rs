//! The words of holds.

use serde_json::{Value, json};

use super::words::Words;

/// A record about a hold: its type and its data; none if the verb is another's.
pub(super) fn hold(verb: &str, words: &mut Words<'_>, body: &str) -> Option<(&'static str, String)> {
    if !["hold", "extend", "settle", "unhold"].contains(&verb) {
        return None;
    }
    let id = words.word();
    Some(match verb {
        "hold" => {
            let mut data = json!({});
            times(words, &mut data);
            let estimate = measure(words, body).expect("a hold is of something");
            words.rest.extend(["id", id]);
            ("hold.requested", with(&data, "estimate", &estimate))
        }
        "extend" => {
            let mut data = json!({ "hold": id });
            times(words, &mut data);
            let more = measure(words, body);
            ("hold.extended", more.map_or_else(|| data.to_string(), |more| with(&data, "more", &more)))
        }
        "settle" => {
            let usage = words.after("usage").map_or_else(|| format!("{id}-used"), str::to_owned);
            let source = words.after("of-source").unwrap_or("story");
            let mut data = json!({"hold": id, "usage": {"source": source, "id": usage}});
            if let Some(at) = words.rest.iter().position(|word| *word == "part") {
                words.rest.remove(at);
                data["final"] = json!(false);
            }
            let actual = measure(words, body).unwrap_or_else(|| r#"{"amounts":[]}"#.to_owned());
            ("hold.settled", with(&data, "actual", &actual))
        }
        _ => ("hold.voided", json!({ "hold": id }).to_string()),
    })
}

/// Puts a member in that is JSON text, as it stands.
fn with(data: &Value, name: &str, json: &str) -> String {
    let text = data.to_string();
    let before = text.strip_suffix('}').expect("an object");
    format!("{before}{}\"{name}\":{json}}}", if before == "{" { "" } else { "," })
}

fn times(words: &mut Words<'_>, data: &mut Value) {
    if let Some(ttl) = words.after("ttl") {
        data["ttl"] = json!(ttl);
    }
    if let Some(at) = words.rest.iter().position(|word| *word == "valid") {
        let mut rest = Words { rest: words.rest.split_off(at) };
        rest.word();
        data["valid_until"] = json!(rest.time());
        words.rest.append(&mut rest.rest);
    }
}

/// `5 [usd] [of search]`, and more of these with `and` between them; or an event's type, with its data in braces.
fn measure(words: &mut Words<'_>, body: &str) -> Option<String> {
    let first = *words.rest.front()?;
    if first == "nothing" {
        words.word();
        return Some(r#"{"amounts":[]}"#.to_owned());
    }
    if !first.starts_with(|c: char| c.is_ascii_digit()) {
        if ["by", "at", "id", "in", "source"].contains(&first) {
            return None;
        }
        let kind = words.word();
        let data = if body.is_empty() { String::new() } else { format!(r#","data":{body}"#) };
        return Some(format!(r#"{{"event":{{"type":"{kind}"{data}}}}}"#));
    }
    let mut lines = Vec::new();
    loop {
        let amount = words.word();
        let unit = words.one_of(&["credits", "usd", "gold"]).unwrap_or("credits");
        let feature = words.one_of(&["of"]).map_or("use", |_| words.word());
        lines.push(json!({"unit": unit, "feature": feature, "amount": amount}));
        if words.one_of(&["and"]).is_none() {
            return Some(json!({ "amounts": lines }).to_string());
        }
    }
}

/// `block`, `soft` or `overdraft [100 [usd]]`, and `largest 50 [usd]`, `life P1D`.
pub(super) fn policy(words: &mut Words<'_>) -> Value {
    let mut data = json!({});
    fn bound(words: &mut Words<'_>) -> Value {
        let is_number = words.rest.front().is_some_and(|w| w.starts_with(|c: char| c.is_ascii_digit()));
        if !is_number {
            return json!({});
        }
        let amount = words.word();
        let unit = words.one_of(&["credits", "usd", "gold"]).unwrap_or("credits");
        json!({ unit: amount })
    }
    while let Some(word) = words.one_of(&["block", "soft", "overdraft", "largest", "life"]) {
        match word {
            "block" => data["beyond"] = json!("block"),
            "soft" => data["beyond"] = json!("soft_cap"),
            "overdraft" => data["beyond"] = json!({ "overdraft": bound(words) }),
            "largest" => data["largest"] = bound(words),
            _ => data["max_life"] = json!(words.word()),
        }
    }
    data
}
