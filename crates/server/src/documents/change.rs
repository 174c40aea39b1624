//! A document of several steps, all or none: each is written as a record of its type would say it.

use std::sync::Arc;

use ledger::{Cleared, Configured, Nothing, Reset, Terms, Voided};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::document::{Head, head, interval, terms};
use super::near::{or, suggest};
use super::node::{Field, Node, Problem, Value};
use super::typed::typed;
use super::{Body, wallets};

/// What a step may be.
const STEPS: [&str; 7] = [
    "grant.issued",
    "grant.voided",
    "wallet.configured",
    "wallet.reset",
    "overage.cleared",
    "wallet.suspended",
    "wallet.resumed",
];
/// The fields of a document of steps.
const FIELDS: [&str; 6] = ["kind", "wallet", "id", "time", "reason", "steps"];
/// Most steps of one document.
const MOST_STEPS: usize = 100;

/// Reads the steps, for each of these wallets.
pub(super) fn changed(mut node: Node, of: Vec<String>, problems: &mut Vec<Problem>) -> Vec<Body> {
    let line = node.line;
    let named = node.line_of("id");
    let Head { id, time, reason, .. } = head(&mut node, &["id", "time", "reason"], problems);
    match &id {
        Some(id) => problems
            .extend(wallets::id(id).map_err(|what| Problem::new(named.unwrap_or(line), "id", what)).err()),
        None if named.is_none() => {
            problems.push(Problem::new(line, "id", "is missing: add `id:`, by which it counts once"))
        }
        None => {}
    }
    let steps = match node.take("steps") {
        Some(field) => steps(field, problems),
        None => {
            problems.push(Problem::new(
                line,
                "steps",
                "is missing: add `steps:`, a list of `type` and `data`",
            ));
            Vec::new()
        }
    };
    let _: Option<Nothing> = typed(node, &FIELDS, problems);
    let wants_reason = steps.iter().any(|(kind, _)| matches!(*kind, "grant.voided" | "wallet.reset"));
    if wants_reason && reason.as_deref().is_none_or(|reason| reason.trim().is_empty()) {
        problems.push(Problem::new(
            line,
            "reason",
            "is missing: to void and to reset need one, add `reason:`",
        ));
    }
    let (id, steps) = (id.unwrap_or_default(), Arc::new(steps));
    let body = |wallet| Body::Change {
        wallet,
        id: id.clone(),
        steps: Arc::clone(&steps),
        time,
        reason: reason.clone(),
    };
    of.into_iter().map(body).collect()
}

fn steps(field: Field, problems: &mut Vec<Problem>) -> Vec<(&'static str, String)> {
    let line = field.line;
    let Value::List(items) = field.value.value else {
        problems.push(Problem::new(line, "steps", "write a list of steps, each with `type` and `data`"));
        return Vec::new();
    };
    if items.is_empty() || items.len() > MOST_STEPS {
        let what = format!("has {} steps: write from 1 to {MOST_STEPS}", items.len());
        problems.push(Problem::new(line, "steps", what));
        return Vec::new();
    }
    let mut steps = Vec::with_capacity(items.len());
    for (at, item) in items.into_iter().enumerate() {
        let mut found = Vec::new();
        steps.extend(step(item, &mut found));
        problems.extend(found.into_iter().map(|problem| {
            let dot = if problem.field.is_empty() { "" } else { "." };
            Problem { field: format!("steps[{at}]{dot}{}", problem.field), ..problem }
        }));
    }
    steps
}

fn step(mut node: Node, problems: &mut Vec<Problem>) -> Option<(&'static str, String)> {
    let line = node.line;
    if node.fields_mut().is_none() {
        problems.push(Problem::new(line, "", "a step is a map: write its `type` and `data`"));
        return None;
    }
    let Some(kind) = node.take("type") else {
        problems.push(Problem::new(line, "type", format!("is missing: write one of {}", or(&STEPS))));
        return None;
    };
    let word = if let Value::Text(word) = &kind.value.value { word.as_str() } else { "" };
    let Some(word) = STEPS.into_iter().find(|step| *step == word) else {
        let what = match word {
            "" => format!("write one of {}", or(&STEPS)),
            word => format!("`{word}` is no step: {}", suggest(word, &STEPS)),
        };
        problems.push(Problem::new(kind.line, "type", what));
        return None;
    };
    let says_nothing = matches!(word, "wallet.suspended" | "wallet.resumed" | "wallet.reset");
    let data = match node.take("data") {
        Some(field) => field.value,
        None if says_nothing => Node { line, value: Value::Map(Vec::new()) },
        None => {
            problems.push(Problem::new(
                line,
                "data",
                "is missing: add `data:`, as a record of this type has it",
            ));
            return None;
        }
    };
    let _: Option<Nothing> = typed(node, &["type", "data"], problems);
    let mut found = Vec::new();
    let body = said(word, data, &mut found);
    problems.extend(found.into_iter().map(|problem| {
        let dot = if problem.field.is_empty() { "" } else { "." };
        Problem { field: format!("data{dot}{}", problem.field), ..problem }
    }));
    Some((word, body?))
}

/// A step's data as JSON: all defaults written out, amounts canonical.
fn said(kind: &str, mut data: Node, problems: &mut Vec<Problem>) -> Option<String> {
    fn read<T: DeserializeOwned + Serialize>(data: Node, problems: &mut Vec<Problem>) -> Option<String> {
        typed::<T>(data, &[], problems).as_ref().map(json)
    }
    match kind {
        "grant.issued" => terms(data, &[], None, problems).as_ref().map(json::<Terms>),
        "grant.voided" => {
            let line = data.line;
            let voided: Voided = typed(data, &[], problems)?;
            if voided.grant_id.is_some() == voided.purchase_id.is_some() {
                problems.push(Problem::new(line, "", "name a `grant_id` or a `purchase_id`, and not both"));
            }
            Some(json(&voided))
        }
        "wallet.configured" => {
            if let Some(field) = data.take("replaces") {
                let what = "is written when the document is applied: leave it out";
                problems.push(Problem::new(field.line, "replaces", what));
            }
            let lines = data.clone();
            let configured: Configured = typed(data, &[], problems)?;
            interval(&configured, &lines, problems);
            Some(json(&configured))
        }
        "wallet.reset" => read::<Reset>(data, problems),
        "overage.cleared" => read::<Cleared>(data, problems),
        "wallet.suspended" | "wallet.resumed" => read::<Nothing>(data, problems),
        other => unreachable!("{other} is none of the steps"),
    }
}

fn json<T: Serialize>(value: &T) -> String {
    serde_json::to_string(value).expect("our own types are JSON")
}
