//! Files of what might have held: catalogue documents, and rules for grants.
//!
//! ```yaml
//! kind: grant_rules        # for grants issued from then on: of one grant_id, of a category, or all
//! category: included
//! rollover: {percent: "50"}
//! expires_at: null         # null takes a rule out
//! ```

use std::path::{Path, PathBuf};

use ledger::{Amount, Category, Instant, Rollover, Span, Terms};
use serde::{Deserialize, Deserializer};

use super::node::{Node, Problem, Value};
use super::typed::typed;
use super::{Body, Document, DocumentError, document, files, in_order, yaml};

/// The kind of document that changes grants.
const KIND: &str = "grant_rules";

/// What would hold for some grants instead of what they say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct GrantRules {
    of: Of,
    rules: Written,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Of {
    All,
    Grant(String),
    Category(Category),
}

/// The document's fields. What is absent stays as the grant has it; null takes it out.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Written {
    grant_id: Option<String>,
    category: Option<Category>,
    all: bool,
    amount: Option<Amount>,
    priority: Option<u8>,
    #[serde(deserialize_with = "given")]
    rollover: Option<Option<Rollover>>,
    #[serde(deserialize_with = "given")]
    expires_after: Option<Option<Span>>,
    #[serde(deserialize_with = "given")]
    expires_at: Option<Option<Instant>>,
    #[serde(deserialize_with = "given")]
    allowed_lateness: Option<Option<Span>>,
}

fn given<'de, D: Deserializer<'de>, T: Deserialize<'de>>(d: D) -> Result<Option<Option<T>>, D::Error> {
    Option::deserialize(d).map(Some)
}

impl GrantRules {
    fn read(node: Node, problems: &mut Vec<Problem>) -> Option<Self> {
        let line = node.line;
        let rules: Written = typed(node, &["kind"], problems)?;
        let of = match (&rules.grant_id, rules.category, rules.all) {
            (Some(id), None, false) => Of::Grant(id.clone()),
            (None, Some(category), false) => Of::Category(category),
            (None, None, true) => Of::All,
            (Some(_) | None, Some(_) | None, true | false) => {
                let what = "write one of `grant_id`, `category` and `all: true`: which grants it is for";
                problems.push(Problem::new(line, "", what));
                return None;
            }
        };
        if matches!((&rules.expires_at, &rules.expires_after), (Some(Some(_)), Some(Some(_)))) {
            let what = "write one of `expires_at` and `expires_after`: a lot ends once";
            problems.push(Problem::new(line, "expires_at", what));
        }
        Some(Self { of, rules })
    }

    /// Whether they are for this grant.
    pub(crate) fn are_for(&self, terms: &Terms) -> bool {
        match &self.of {
            Of::All => true,
            Of::Grant(id) => terms.grant_id == *id,
            Of::Category(category) => terms.category == *category,
        }
    }

    /// Changes a grant that they are for. One way to end takes the place of the other.
    pub(crate) fn change(&self, terms: &mut Terms) {
        let Written { grant_id: _, category: _, all: _, amount, priority, .. } = &self.rules;
        let Written { rollover, expires_after, expires_at, allowed_lateness, .. } = self.rules.clone();
        terms.amount = amount.unwrap_or(terms.amount);
        terms.priority = priority.unwrap_or(terms.priority);
        if let Some(rollover) = rollover {
            terms.rollover = rollover;
        }
        if let Some(lateness) = allowed_lateness {
            terms.allowed_lateness = lateness;
        }
        match (expires_after, expires_at) {
            (Some(after), Some(at)) => (terms.expires_after, terms.expires_at) = (after, at),
            (Some(Some(after)), None) => (terms.expires_after, terms.expires_at) = (Some(after), None),
            (None, Some(Some(at))) => (terms.expires_after, terms.expires_at) = (None, Some(at)),
            (Some(None), None) => terms.expires_after = None,
            (None, Some(None)) => terms.expires_at = None,
            (None, None) => {}
        }
    }
}

/// Reads the documents of all files that `paths` stand for: of the catalogue, in an order in which they can be applied, and rules
/// for grants, in the order of the files.
///
/// # Errors
///
/// All mistakes of all files, up to 50 of them.
pub(crate) fn read_what_if(
    paths: &[PathBuf],
) -> Result<(Vec<Document>, Vec<GrantRules>), Vec<DocumentError>> {
    let (mut documents, mut rules, mut errors) = (Vec::new(), Vec::new(), Vec::new());
    for path in paths {
        let whole = |file: &Path, what: String| DocumentError::new(file, Problem::new(0, "", what));
        let files = files::below(path).unwrap_or_else(|(file, what)| {
            errors.push(whole(&file, what));
            Vec::new()
        });
        for file in files {
            match files::text(&file) {
                Ok(text) => parse(&file, &text, &mut documents, &mut rules, &mut errors),
                Err(what) => errors.push(whole(&file, what)),
            }
        }
    }
    Ok((in_order(documents, errors)?, rules))
}

pub(super) fn parse(
    file: &Path,
    text: &str,
    documents: &mut Vec<Document>,
    rules: &mut Vec<GrantRules>,
    errors: &mut Vec<DocumentError>,
) {
    let json = file.extension().is_some_and(|e| e == "json");
    let nodes = match if json { yaml::load_json(text) } else { yaml::load(text) } {
        Ok(nodes) => nodes,
        Err(problem) => return errors.push(DocumentError::new(file, problem)),
    };
    let mut problems = Vec::new();
    for mut node in nodes {
        let line = node.line;
        if is_rules(&mut node) {
            node.take("kind");
            rules.extend(GrantRules::read(node, &mut problems));
            continue;
        }
        for body in document::bodies(node, &mut problems) {
            problems.extend(unfit(&body).map(|what| Problem::new(line, "kind", what)));
            documents.push(Document { file: file.to_owned(), line, body });
        }
    }
    problems.sort_by_key(|p| p.line);
    errors.extend(problems.into_iter().map(|p| DocumentError::new(file, p)));
}

fn is_rules(node: &mut Node) -> bool {
    node.get_mut("kind").is_some_and(|kind| matches!(&kind.value, Value::Text(word) if word == KIND))
}

/// Why a document cannot stand among what might have held.
fn unfit(body: &Body) -> Option<&'static str> {
    match body {
        Body::Catalogue { time: Some(_), .. } => Some("it holds from --from on: leave its `time` out"),
        Body::Catalogue { kind: "vendor_cost", .. } => {
            Some("what usage cost us changes nothing here: leave it out")
        }
        Body::Catalogue { .. } => None,
        Body::Grant { .. } => {
            Some("write `grant_rules` for grants that were issued: a new one is not part of history")
        }
        Body::Wallet { .. } => Some("a wallet's configuration stays as it was: leave it out"),
        Body::Change { .. } => Some("what was done to a wallet stays as it was: leave it out"),
    }
}
