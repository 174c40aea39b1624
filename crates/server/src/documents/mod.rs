//! Documents: the files in which people write a catalogue, wallets, grants and changes.
//!
//! A file is YAML 1.2 (several documents with `---` between them, or one list of documents) or JSON (an object, or an
//! array of them), up to 1 MB. A document begins with its `kind`; the fields of the ledger's own types follow:
//!
//! ```yaml
//! kind: price              # unit, zone, rate_card, policies, price, vendor_cost: with a name
//! name: images
//! match: {type: image.generated, data: {model: "pro-*"}}
//! charges:
//!   - {unit: credits, amount: "20"}
//! ---
//! kind: grant              # wallet, grant, change: with a wallet, a list of them, or a range
//! wallet: "team-{000..199}"
//! grant_id: welcome
//! unit: credits
//! amount: "100"
//! ---
//! kind: change             # several steps, all or none: each is said as a record of its type says it
//! wallet: acme
//! id: upgrade-7
//! reason: upgrade to pro
//! steps:
//!   - {type: grant.voided, data: {grant_id: plan, what: future}}
//!   - {type: grant.issued, data: {grant_id: pro, unit: credits, amount: "5000", recurrence: {interval: P1M}}}
//! ```
//!
//! - `time`, on any document, is when it happened, for history that is brought in from elsewhere.
//! - Amounts and quantities are decimals in quotes: an unquoted one has been through a float in many a tool.
//! - In `match`, a value is itself, `pro-*` is a prefix and `"*"` is anything.
//! - A `zone` with nothing but a name gets its transitions from the zone database of this build.
//!
//! All that is wrong in all files is found in one go, with file, line and field.

mod change;
mod document;
mod files;
mod near;
mod node;
mod rejection;
mod request;
mod sugar;
mod typed;
mod wallets;
mod what_if;
mod yaml;
mod zones;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ledger::{Configured, Instant, Terms};

use node::Problem;
pub use rejection::explain_rejection;
pub(crate) use rejection::{field_of, step_of};
pub(crate) use request::{read_fields, read_json, read_what_if_json};
pub(crate) use what_if::{GrantRules, read_what_if};

/// Most mistakes that are reported at once.
const MOST_ERRORS: usize = 50;

/// One document of a file; of a range of wallets, one for each.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Document {
    /// The file that it stands in, as it was named.
    pub file: PathBuf,
    /// The line on which it begins, from 1.
    pub line: usize,
    /// What it says.
    pub body: Body,
}

/// What a document says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Body {
    /// A catalogue document: to be published.
    Catalogue {
        /// One of [`ledger::Document::KINDS`].
        kind: &'static str,
        /// Its name within its kind.
        name: String,
        /// The body of the record, as JSON: all defaults written out, times in UTC, amounts canonical.
        body: String,
        /// When it happened, if the file says.
        time: Option<Instant>,
    },
    /// A wallet's whole configuration. Its `replaces` is absent: the log knows what it replaces.
    Wallet {
        /// The wallet's id.
        wallet: String,
        /// The configuration, shared by all wallets of one document.
        configured: Arc<Configured>,
        /// When it happened, if the file says.
        time: Option<Instant>,
    },
    /// A grant to a wallet.
    Grant {
        /// The wallet's id.
        wallet: String,
        /// The grant's terms, shared by all wallets of one document. They have passed [`Terms::check`].
        terms: Arc<Terms>,
        /// When it happened, if the file says.
        time: Option<Instant>,
        /// Why it is granted, if the file says.
        reason: Option<String>,
    },
    /// Several steps, all or none.
    Change {
        /// The wallet's id.
        wallet: String,
        /// The change's id within the wallet: it counts once.
        id: String,
        /// Each step's type and its data as JSON, shared by all wallets of one document. The `replaces` of configurations is absent.
        steps: Arc<Vec<(&'static str, String)>>,
        /// When it happened, if the file says.
        time: Option<Instant>,
        /// Why, if the file says.
        reason: Option<String>,
    },
}

/// A mistake in a file: where, and what to do. Printed as `prices.yaml:12: charges[0].per: …`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct DocumentError {
    /// The file, as it was named.
    pub file: PathBuf,
    /// The line, from 1; none when the mistake is the whole file's.
    pub line: Option<usize>,
    /// The path of the field within its document; empty when the mistake is no field's.
    pub field: String,
    /// What is wrong, and what to do.
    pub what: String,
}

impl fmt::Display for DocumentError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:", self.file.display())?;
        if let Some(line) = self.line {
            write!(f, "{line}:")?;
        }
        if !self.field.is_empty() {
            write!(f, " {}:", self.field)?;
        }
        write!(f, " {}", self.what)
    }
}

impl DocumentError {
    fn new(file: &Path, problem: Problem) -> Self {
        let Problem { line, field, what } = problem;
        Self { file: file.to_owned(), line: Some(line).filter(|l| *l > 0), field, what }
    }
}

/// Reads the documents of all files that `paths` stand for: a file, or a directory whose `*.yaml`, `*.yml` and `*.json` are
/// read in the order of their names, those of its directories too (hidden ones and links to directories left out).
///
/// They come in an order in which they can be applied: units, zones, rate cards, policies, prices, vendor costs, wallets,
/// grants, changes; within a kind, as the files have them.
///
/// # Errors
///
/// All mistakes of all files, up to 50 of them. Then no document is returned.
pub fn read(paths: &[PathBuf]) -> Result<Vec<Document>, Vec<DocumentError>> {
    let mut documents = Vec::new();
    let mut errors = Vec::new();
    for path in paths {
        let files = files::below(path).unwrap_or_else(|(file, what)| {
            errors.push(DocumentError::new(&file, Problem::new(0, "", what)));
            Vec::new()
        });
        for file in files {
            match files::text(&file) {
                Ok(text) => parse(&file, &text, &mut documents, &mut errors),
                Err(what) => errors.push(DocumentError::new(&file, Problem::new(0, "", what))),
            }
        }
    }
    in_order(documents, errors)
}

/// Documents that were read, in an order in which they can be applied; if there are mistakes, these.
fn in_order(
    mut documents: Vec<Document>,
    mut errors: Vec<DocumentError>,
) -> Result<Vec<Document>, Vec<DocumentError>> {
    errors.extend(repeated(&documents));
    if !errors.is_empty() {
        errors.truncate(MOST_ERRORS);
        return Err(errors);
    }
    documents.sort_by_key(|d| document::KINDS.iter().position(|k| *k == d.body.kind()));
    Ok(documents)
}

fn parse(file: &Path, text: &str, documents: &mut Vec<Document>, errors: &mut Vec<DocumentError>) {
    let json = file.extension().is_some_and(|e| e == "json");
    let nodes = match if json { yaml::load_json(text) } else { yaml::load(text) } {
        Ok(nodes) => nodes,
        Err(problem) => return errors.push(DocumentError::new(file, problem)),
    };
    let mut problems = Vec::new();
    for node in nodes {
        let line = node.line;
        let bodies = document::bodies(node, &mut problems);
        documents.extend(bodies.into_iter().map(|body| Document { file: file.to_owned(), line, body }));
    }
    problems.sort_by_key(|p| p.line);
    errors.extend(problems.into_iter().map(|p| DocumentError::new(file, p)));
}

/// Two documents that say two things of one: whichever is applied last would win.
fn repeated(documents: &[Document]) -> Vec<DocumentError> {
    let mut seen = BTreeMap::new();
    let mut errors = Vec::new();
    for document in documents {
        let (field, name, key, time) = match &document.body {
            Body::Catalogue { kind, name, time, .. } => ("name", name, *kind, *time),
            Body::Wallet { wallet, time, .. } => ("wallet", wallet, "", *time),
            Body::Grant { wallet, terms, .. } => ("grant_id", &terms.grant_id, wallet.as_str(), None),
            Body::Change { wallet, id, .. } => ("id", id, wallet.as_str(), None),
        };
        let Some((file, line)) = seen.insert((field, name, key, time), (&document.file, document.line))
        else {
            continue;
        };
        let what = format!("`{name}` stands at {}:{line} already: leave one out", file.display());
        let hint = if matches!(field, "grant_id" | "id") { "" } else { ", or give each its `time`" };
        errors.push(DocumentError::new(&document.file, Problem::new(document.line, field, what + hint)));
    }
    errors
}

impl Body {
    /// The word in the file.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Catalogue { kind, .. } => kind,
            Self::Wallet { .. } => "wallet",
            Self::Grant { .. } => "grant",
            Self::Change { .. } => "change",
        }
    }

    /// When it happened, if the file says.
    pub fn time(&self) -> Option<Instant> {
        match self {
            Self::Catalogue { time, .. }
            | Self::Wallet { time, .. }
            | Self::Grant { time, .. }
            | Self::Change { time, .. } => *time,
        }
    }
}
