//! One document: a tree to what it publishes, configures or grants.

use std::sync::Arc;

use ledger::{Configured, Document as Catalogued, Instant, Policies, Price, RateCard, Terms, Unit, Zone};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::change::changed;
use super::near::{or, suggest};
use super::node::{Node, Problem, Value};
use super::rejection::explained;
use super::typed::typed;
use super::{Body, sugar, wallets};

/// The kinds of documents, in the order in which they can be applied.
pub(super) const KINDS: [&str; 9] =
    ["unit", "zone", "rate_card", "policies", "price", "vendor_cost", "wallet", "grant", "change"];

/// What a document says of itself, beside what it says of its kind.
#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Head {
    pub(super) name: Option<String>,
    pub(super) id: Option<String>,
    pub(super) time: Option<Instant>,
    pub(super) reason: Option<String>,
}

/// Reads one document; of a grant or wallet for several wallets, one body for each.
pub(super) fn bodies(mut node: Node, problems: &mut Vec<Problem>) -> Vec<Body> {
    let line = node.line;
    if node.fields_mut().is_none() {
        problems.push(Problem::new(line, "", "a document is a map of fields: begin with `kind:`"));
        return Vec::new();
    }
    let Some(kind) = node.take("kind") else {
        problems.push(Problem::new(line, "kind", format!("is missing: write one of {}", or(&KINDS))));
        return Vec::new();
    };
    let word = if let Value::Text(word) = &kind.value.value { word.as_str() } else { "" };
    match word {
        "wallet" | "grant" | "change" => personal(word, node, problems),
        "fold" => {
            let what = "the version of the fold is raised by hand, with `drawdown fold-version`: leave the document out";
            problems.push(Problem::new(kind.line, "kind", what));
            Vec::new()
        }
        "key" => {
            let what =
                "a key is made with `drawdown keys create`, which shows it once: leave the document out";
            problems.push(Problem::new(kind.line, "kind", what));
            Vec::new()
        }
        _ => match Catalogued::KINDS.into_iter().find(|k| *k == word) {
            Some(word) => catalogue(word, node, problems).into_iter().collect(),
            None => {
                let what = match word {
                    "" => format!("write one of {}", or(&KINDS)),
                    "plan" | "pack" => format!("`{word}` is not built yet: write the grants themselves"),
                    _ => format!("`{word}` is no kind of document: {}", suggest(word, &KINDS)),
                };
                problems.push(Problem::new(kind.line, "kind", what));
                Vec::new()
            }
        },
    }
}

/// Takes the named fields out of the document and reads them.
pub(super) fn head(node: &mut Node, names: &[&str], problems: &mut Vec<Problem>) -> Head {
    let fields = names.iter().filter_map(|name| node.take(name)).collect();
    typed(Node { line: node.line, value: Value::Map(fields) }, &[], problems).unwrap_or_default()
}

fn catalogue(kind: &'static str, mut node: Node, problems: &mut Vec<Problem>) -> Option<Body> {
    let found = problems.len();
    let named = node.line_of("name");
    let Head { name, time, .. } = head(&mut node, &["name", "time"], problems);
    let name = match name {
        None if named.is_none() && kind == "policies" => Some("default".to_owned()),
        name => name,
    };
    let line = named.unwrap_or(node.line);
    let faulty = |what: String| Problem::new(line, "name", what);
    match &name {
        Some(name) => problems.extend(wallets::id(name).map_err(faulty).err()),
        None if named.is_none() => problems.push(faulty("is missing: add `name:`".into())),
        None => {}
    }
    match kind {
        "price" | "vendor_cost" => sugar::conditions(&mut node, problems),
        "zone" => {
            let table = sugar::transitions(&mut node, name.as_deref());
            problems.extend(table.map_err(faulty).err());
        }
        _ => {}
    }
    let name = name.unwrap_or_default();
    let lines = node.clone();
    let document = catalogued(kind, node, problems)?;
    if let Err((field, what)) = document.check(&name) {
        let line = if field == "name" { line } else { lines.find(&field).line };
        problems.push(Problem::new(line, field, what));
    }
    let body = serde_json::to_string(&document).expect("a document is JSON");
    (problems.len() == found).then_some(Body::Catalogue { kind, name, body, time })
}

fn catalogued(kind: &str, node: Node, problems: &mut Vec<Problem>) -> Option<Catalogued> {
    fn read<T: DeserializeOwned>(node: Node, problems: &mut Vec<Problem>) -> Option<T> {
        typed(node, &["kind", "name", "time"], problems)
    }
    match kind {
        "unit" => read::<Unit>(node, problems).map(Catalogued::Unit),
        "zone" => read::<Zone>(node, problems).map(Catalogued::Zone),
        "rate_card" => read::<RateCard>(node, problems).map(Catalogued::RateCard),
        "policies" => read::<Policies>(node, problems).map(Catalogued::Policies),
        "price" => read::<Box<Price>>(node, problems).map(Catalogued::Price),
        "vendor_cost" => read::<Box<Price>>(node, problems).map(Catalogued::VendorCost),
        other => unreachable!("{other} is none of the ledger's kinds"),
    }
}

fn personal(kind: &str, mut node: Node, problems: &mut Vec<Problem>) -> Vec<Body> {
    let found = problems.len();
    let wallets = match node.take("wallet") {
        Some(field) => wallets::wallets(&field).map_err(|p| problems.push(p)).unwrap_or_default(),
        None => {
            problems.push(Problem::new(node.line, "wallet", "is missing: add `wallet:`"));
            Vec::new()
        }
    };
    let bodies = match kind {
        "wallet" => configured(node, wallets, problems),
        "grant" => granted(node, wallets, problems),
        _ => changed(node, wallets, problems),
    };
    if problems.len() == found { bodies } else { Vec::new() }
}

fn configured(mut node: Node, wallets: Vec<String>, problems: &mut Vec<Problem>) -> Vec<Body> {
    let Head { time, .. } = head(&mut node, &["time"], problems);
    if let Some(field) = node.take("replaces") {
        let what = "is written when the document is applied: leave it out";
        problems.push(Problem::new(field.line, "replaces", what));
    }
    let lines = node.clone();
    let Some(configured) = typed::<Configured>(node, &["kind", "wallet", "time"], problems) else {
        return Vec::new();
    };
    interval(&configured, &lines, problems);
    let configured = Arc::new(configured);
    wallets
        .into_iter()
        .map(|wallet| Body::Wallet { wallet, configured: Arc::clone(&configured), time })
        .collect()
}

/// Holds the interval of a wallet's resets to what the rules allow.
pub(super) fn interval(configured: &Configured, lines: &Node, problems: &mut Vec<Problem>) {
    if configured.reset.as_ref().is_some_and(|reset| !reset.interval.is_an_hour_at_least()) {
        let (line, field) = (lines.find("reset.interval").line, "reset.interval");
        problems.push(Problem::new(
            line,
            field,
            "resets would come too often: the interval is an hour at least",
        ));
    }
}

fn granted(mut node: Node, wallets: Vec<String>, problems: &mut Vec<Problem>) -> Vec<Body> {
    let Head { time, reason, .. } = head(&mut node, &["time", "reason"], problems);
    let Some(terms) = terms(node, &["kind", "wallet", "time", "reason"], time, problems) else {
        return Vec::new();
    };
    let terms = Arc::new(terms);
    let granted = |wallet| Body::Grant { wallet, terms: Arc::clone(&terms), time, reason: reason.clone() };
    wallets.into_iter().map(granted).collect()
}

/// A grant's terms, held to the rules.
pub(super) fn terms(
    node: Node,
    beside: &[&str],
    time: Option<Instant>,
    problems: &mut Vec<Problem>,
) -> Option<Terms> {
    let lines = node.clone();
    let terms = typed::<Terms>(node, beside, problems)?;
    if let Err(what) = wallets::id(&terms.grant_id) {
        problems.push(Problem::new(lines.find("grant_id").line, "grant_id", what));
    }
    // A grant that says no time begins when it is applied: what depends on that, the fold decides.
    if let Err(word) = terms.check(terms.effective_at.or(time).unwrap_or_default()) {
        let (field, what) = explained(word).unwrap_or(("", word));
        problems.push(Problem::new(lines.find(field).line, field, what));
    }
    Some(terms)
}
