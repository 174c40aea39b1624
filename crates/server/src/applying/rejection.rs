//! Why a document was refused, for people and machines.

use std::fmt;
use std::path::PathBuf;

use serde::Serialize;

use crate::documents::{Body, Document, DocumentError, explain_rejection, step_of};

/// A document that was refused: where it stands, and why.
#[derive(Debug, Serialize)]
pub(crate) struct Rejection {
    pub(crate) file: PathBuf,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) line: Option<usize>,
    /// What it is, such as `price images`; none of one that could not be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) document: Option<String>,
    /// The path of the field within the document.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) field: String,
    /// The rules' word for the reason.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) reason: Option<String>,
    pub(crate) what: String,
    /// For how many documents it stands: one that was written for several wallets is several.
    #[serde(skip_serializing_if = "is_one")]
    pub(crate) documents: usize,
}

fn is_one(count: &usize) -> bool {
    *count == 1
}

impl fmt::Display for Rejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:", self.file.display())?;
        if let Some(line) = self.line {
            write!(f, "{line}:")?;
        }
        if let Some(document) = &self.document {
            write!(f, " {document}")?;
            if self.documents > 1 {
                write!(f, " and {} more", self.documents - 1)?;
            }
            f.write_str(":")?;
        }
        if !self.field.is_empty() {
            write!(f, " {}:", self.field)?;
        }
        write!(f, " {}", self.what)
    }
}

/// Of a mistake in what was written.
pub(crate) fn mistake(error: DocumentError) -> Rejection {
    let DocumentError { file, line, field, what } = error;
    Rejection { file, line, document: None, field, reason: None, what, documents: 1 }
}

/// Reasons are a word of the rules, or a word and what it is about, or a sentence already.
pub(crate) fn rejection(document: &Document, why: &str) -> Rejection {
    let (step, why) = step_of(why);
    let (word, about) = why.split_once(": ").map_or((why, None), |(word, about)| (word, Some(about)));
    let is_word = !word.is_empty() && word.bytes().all(|b| b.is_ascii_lowercase() || b == b'_');
    let what = match (word, about) {
        _ if !is_word => why.to_owned(),
        ("invalid", Some(about)) => about.to_owned(),
        (word, _) => explain_rejection(word).to_owned(),
    };
    let what = match about {
        Some(about) if is_word && word != "invalid" => format!("{about:?}: {what}"),
        Some(_) | None => what,
    };
    Rejection {
        file: document.file.clone(),
        line: Some(document.line),
        document: Some(named(&document.body)),
        field: step.map(|step| format!("steps[{}]", step - 1)).unwrap_or_default(),
        reason: is_word.then(|| word.to_owned()),
        what,
        documents: 1,
    }
}

fn named(body: &Body) -> String {
    match body {
        Body::Catalogue { kind, name, .. } => format!("{kind} {name}"),
        Body::Wallet { wallet, .. } => format!("wallet {wallet}"),
        Body::Grant { wallet, terms, .. } => format!("grant {} of {wallet}", terms.grant_id),
        Body::Change { wallet, id, .. } => format!("change {id} of {wallet}"),
    }
}
