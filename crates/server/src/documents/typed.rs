//! A tree read as one of the ledger's types, with all that is wrong in it rather than the first.

use ledger::Quantity;
use serde::de::DeserializeOwned;

use super::near;
use super::node::{Node, Problem, Value};

/// Fields of rules that are decided and not built yet.
const NOT_BUILT: [&str; 3] = ["limit", "limits", "private"];

/// Fields that are exact decimals although their type takes any text.
const QUANTITIES: [&str; 3] = ["per", "up_to", "default"];

/// Reads a tree as `T`. `beside` are the fields that a document has beside `T`'s own.
///
/// What is wrong is added to `problems`: each mistake is put right or taken out in turn, so that the next one shows.
pub(super) fn typed<T: DeserializeOwned>(
    mut node: Node,
    beside: &[&str],
    problems: &mut Vec<Problem>,
) -> Option<T> {
    let mut told: Vec<String> = Vec::new();
    loop {
        let mut json = String::new();
        node.write_json(&mut json);
        let error = match serde_path_to_error::deserialize(&mut serde_json::Deserializer::from_str(&json)) {
            Ok(value) => return told.is_empty().then_some(value),
            Err(error) => error,
        };
        let path = error.path().to_string();
        let path = path.trim_start_matches('.');
        let message = error.inner().to_string();
        let message = message.rsplit_once(" at line ").map_or(message.as_str(), |(before, _)| before);
        let (problem, repair) = mistake(&node, path, message, beside);
        if let Some(problem) = problem.filter(|p| !told.contains(&p.field)) {
            told.push(problem.field.clone());
            problems.push(problem);
        }
        let mended = match repair {
            Repair::Quote(text) => node.find_mut(path).map(|n| n.value = Value::Text(text)).is_some(),
            Repair::TakeOut => node.remove(path).is_some(),
            Repair::None => false,
        };
        if !mended {
            return None;
        }
    }
}

/// How to go on looking for further mistakes.
enum Repair {
    Quote(String),
    TakeOut,
    None,
}

fn mistake(node: &Node, path: &str, message: &str, beside: &[&str]) -> (Option<Problem>, Repair) {
    let at = node.find(path);
    let says = |what: String| Some(Problem::new(at.line, path, what));
    let names: Vec<&str> = message.split('`').skip(1).step_by(2).collect();
    if let (true, [name, ..]) = (message.starts_with("missing field"), names.as_slice()) {
        let field = if path.is_empty() { (*name).to_owned() } else { format!("{path}.{name}") };
        let what = format!("is missing: add `{name}:`");
        return (Some(Problem::new(at.line, field, what)), Repair::None);
    }
    if let (true, [name, known @ ..]) = (message.starts_with("unknown field"), names.as_slice()) {
        let known = if path == *name { [known, beside].concat() } else { known.to_vec() };
        let line = node.line_of(path).unwrap_or(at.line);
        return (Some(Problem::new(line, path, unknown_field(name, &known))), Repair::TakeOut);
    }
    if let (true, [word, known @ ..]) = (message.starts_with("unknown variant"), names.as_slice()) {
        return (
            says(format!("`{word}` is no choice here: {}", near::suggest(word, known))),
            Repair::TakeOut,
        );
    }
    let literal = match &at.value {
        Value::Number(literal) => Some(literal.clone()),
        Value::Bool(b) => Some(b.to_string()),
        Value::Null | Value::Text(_) | Value::List(_) | Value::Map(_) => None,
    };
    let expected = message.rsplit_once(", expected ").map(|(_, expected)| expected);
    match (expected, literal) {
        // A word of a closed list was given as a number: as text, the error lists the words.
        (None, Some(literal)) if message == "expected value" => (None, Repair::Quote(literal)),
        (Some(expected), Some(literal)) if expected == "a string" || expected.starts_with("an amount") => {
            let (text, why) = in_quotes(path, expected, &literal);
            (says(format!("{why}: write it in quotes: \"{text}\"")), Repair::Quote(text))
        }
        (Some(expected), _) => {
            (says(format!("write {}, not {}", wanted(expected), shown(&at.value))), Repair::TakeOut)
        }
        (None, _) => (says(reworded(message, &at.value)), Repair::TakeOut),
    }
}

fn unknown_field(name: &str, known: &[&str]) -> String {
    if NOT_BUILT.contains(&name) {
        return format!("`{name}` is not built yet: leave it out");
    }
    if name == "suspended" {
        return "a wallet is suspended with `drawdown suspend`, or by a step of a `kind: change`: leave it out".into();
    }
    if name == "<<" {
        return "merge keys are not part of YAML 1.2: write the fields out".into();
    }
    if known.is_empty() {
        return format!("`{name}` is no field here: leave it out");
    }
    format!("`{name}` is no field here: {}", near::suggest(name, known))
}

fn in_quotes(path: &str, expected: &str, literal: &str) -> (String, &'static str) {
    let decimal = || Quantity::parse(literal).map_or_else(|_| literal.to_owned(), |q| q.to_string());
    let field = path.rsplit(['.', ']']).next().unwrap_or(path);
    if expected.starts_with("an amount") {
        (decimal(), "an amount is an exact decimal")
    } else if QUANTITIES.contains(&field) {
        (decimal(), "a quantity is an exact decimal")
    } else {
        (literal.to_owned(), "this is text")
    }
}

/// What serde expects, in the words of somebody who writes the file.
fn wanted(expected: &str) -> &str {
    match expected {
        "a string" => "text",
        "a boolean" => "true or false, without quotes",
        "u8" => "a whole number from 0 to 255, without quotes",
        "u16" => "a whole number from 0 to 65535, without quotes",
        "u32" | "u64" | "i32" | "i64" => "a whole number, without quotes",
        "a sequence" => "a list",
        "a map" => "a map of fields",
        _ if expected.starts_with("struct ") => "a map of fields",
        _ if expected.starts_with("a tuple") => "two numbers, [seconds since 1970, seconds ahead of UTC]",
        other => other,
    }
}

fn shown(value: &Value) -> String {
    match value {
        Value::Null => "nothing (or leave the line out)".into(),
        Value::Bool(b) => b.to_string(),
        Value::Number(literal) => literal.clone(),
        Value::Text(text) if text.len() > 80 => "this text".into(),
        Value::Text(text) => format!("{text:?}"),
        Value::List(_) => "a list".into(),
        Value::Map(_) => "a map".into(),
    }
}

fn reworded(message: &str, value: &Value) -> String {
    let pattern = |text: &str| {
        text.len() == 10
            && text
                .bytes()
                .enumerate()
                .all(|(i, b)| if i == 4 || i == 7 { b == b'-' } else { b.is_ascii_digit() })
    };
    match value {
        Value::Text(day) if message.starts_with("a time is written") && pattern(day) => {
            format!("a day alone is no moment: write {day}T00:00:00Z")
        }
        Value::List(_) if message == "trailing characters" => format!("write {}", wanted("a tuple")),
        Value::List(_) | Value::Map(_) if message == "expected value" => {
            format!("write one word, not {}", shown(value))
        }
        Value::Null if message == "expected value" => "write a word, or leave the line out".into(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Text(_) | Value::List(_) | Value::Map(_) => {
            message.to_owned()
        }
    }
}
