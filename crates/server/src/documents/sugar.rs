//! What files may write shorter: conditions of a price's `match`, and a zone by its name alone.

use ledger::{Zone, canonical};

use super::near;
use super::node::{Field, Node, Problem, Value, json_number};
use super::zones;

const FORMS: [&str; 3] = ["exact", "prefix", "any"];

/// Writes the conditions of a price out: `small` is `{exact: small}`, `gpt-*` is `{prefix: gpt-}`, `"*"` is `{any: true}`.
pub(super) fn conditions(price: &mut Node, problems: &mut Vec<Problem>) {
    let Some(matches) = price.get_mut("match") else { return };
    if let Some(kind) = matches.get_mut("type") {
        condition(kind, "match.type", problems);
    }
    let Some(fields) = matches.get_mut("data").and_then(Node::fields_mut) else { return };
    for Field { name, value, .. } in fields {
        condition(value, &format!("match.data.{name}"), problems);
    }
}

fn condition(node: &mut Node, path: &str, problems: &mut Vec<Problem>) {
    let line = node.line;
    match written_out(node) {
        Ok(condition) => *node = condition,
        Err(what) => {
            problems.push(Problem::new(line, path, what));
            // Whatever else is wrong with the price is still found.
            *node = Node::one(line, "any", Value::Bool(true));
        }
    }
}

fn written_out(node: &Node) -> Result<Node, String> {
    match &node.value {
        Value::Text(text) if text == "*" => Ok(Node::one(node.line, "any", Value::Bool(true))),
        Value::Text(text) => match text.strip_suffix('*').unwrap_or(text) {
            stem if stem.contains('*') => {
                Err(format!("`*` stands at the end; for this very text write {{exact: {text:?}}}"))
            }
            stem if stem.len() < text.len() => Ok(Node::one(node.line, "prefix", Value::Text(stem.into()))),
            _ => Ok(Node::one(node.line, "exact", Value::Text(text.clone()))),
        },
        Value::Number(_) | Value::Bool(_) => Ok(Node::one(node.line, "exact", Value::Text(as_text(node)?))),
        Value::Map(fields) => match fields.as_slice() {
            [form] => long_form(form),
            [] | [_, _, ..] => Err("write one of `exact`, `prefix` and `any`".into()),
        },
        Value::Null => Err("write a value, or \"*\" for any".into()),
        Value::List(_) => Err("write one value: another value is another price".into()),
    }
}

fn long_form(form: &Field) -> Result<Node, String> {
    let value = match form.name.as_str() {
        "exact" => Value::Text(as_text(&form.value)?),
        "prefix" => match as_text(&form.value)? {
            text if text.is_empty() => return Err("an empty prefix is anything: write \"*\"".into()),
            text => Value::Text(text),
        },
        "any" if matches!(form.value.value, Value::Bool(true)) => Value::Bool(true),
        "any" => return Err("`any` is always true: write {any: true}, or leave the condition out".into()),
        other => return Err(format!("`{other}` is no kind of condition: {}", near::suggest(other, &FORMS))),
    };
    Ok(Node::one(form.line, &form.name, value))
}

/// A scalar as events' values are compared: numbers and booleans by their canonical text.
fn as_text(node: &Node) -> Result<String, String> {
    match &node.value {
        Value::Text(text) => Ok(text.clone()),
        Value::Bool(b) => Ok(b.to_string()),
        Value::Number(literal) => {
            let mut text = Vec::new();
            canonical(&json_number(literal), &mut text).map_err(|e| e.to_string())?;
            Ok(String::from_utf8(text).expect("a number is ASCII"))
        }
        Value::Null | Value::List(_) | Value::Map(_) => Err("write text, a number, true or false".into()),
    }
}

/// Gives a zone that has nothing but a name its transitions; of a name that is missing or wrong, none.
pub(super) fn transitions(zone: &mut Node, name: Option<&str>) -> Result<(), String> {
    if zone.has("transitions") || zone.has("before") {
        return Ok(());
    }
    let line = zone.line;
    let number = |n: i64| Node { line, value: Value::Number(n.to_string()) };
    let pair = |(at, offset): (i64, i32)| vec![number(at), number(offset.into())];
    let table = name.map_or_else(|| Ok(Zone::default()), zones::zone);
    let Zone { before, transitions } = table.clone().unwrap_or_default();
    let pairs = transitions.into_iter().map(|t| Node { line, value: Value::List(pair(t)) });
    let list = Node { line, value: Value::List(pairs.collect()) };
    if let Some(fields) = zone.fields_mut() {
        fields.push(Field { name: "before".into(), line, value: number(before.into()) });
        fields.push(Field { name: "transitions".into(), line, value: list });
    }
    table.map(drop)
}
