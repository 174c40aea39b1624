//! `drawdown apply`: catalogue, wallets and grants from files.

use std::fmt;
use std::path::PathBuf;

use serde::Serialize;

use crate::applying::{Became, apply};
use crate::context::Context;
use crate::documents::{self, Body, Document, DocumentError, explain_rejection, step_of};
use crate::exit::Exit;

/// So many refusals are shown to people.
const MOST: usize = 50;

/// Append what is new in files of catalogue, wallets, grants and changes, YAML or JSON.
///
/// The same again changes nothing; an earlier version of a document does. If anything is wrong, nothing is appended.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  drawdown --data ./data apply examples/image-credits.yaml wallets/")]
pub(crate) struct Args {
    /// Files, or directories of *.yaml, *.yml and *.json
    #[arg(required = true)]
    files: Vec<PathBuf>,
    /// Record each document at its own `time`: for history from elsewhere
    #[arg(long)]
    backfill: bool,
}

#[derive(Default, Serialize)]
struct Report {
    appended: usize,
    unchanged: usize,
    rejected: usize,
    rejections: Vec<Rejection>,
}

/// A document that was refused: where it stands, and why.
#[derive(Serialize)]
struct Rejection {
    file: PathBuf,
    #[serde(skip_serializing_if = "Option::is_none")]
    line: Option<usize>,
    /// What it is, such as `price images`; none of one that could not be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    document: Option<String>,
    /// The path of the field within the document.
    #[serde(skip_serializing_if = "String::is_empty")]
    field: String,
    /// The rules' word for the reason.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    what: String,
    /// For how many documents it stands: one that was written for several wallets is several.
    #[serde(skip_serializing_if = "is_one")]
    documents: usize,
}

fn is_one(count: &usize) -> bool {
    *count == 1
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (word, count) in
            [("appended", self.appended), ("unchanged", self.unchanged), ("rejected", self.rejected)]
        {
            writeln!(f, "{word:<12} {count:>12}")?;
        }
        Ok(())
    }
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

impl Report {
    /// Adds a refusal; those of one document that was written for several wallets are one.
    fn reject(&mut self, new: Rejection) {
        let is_same =
            |old: &&mut Rejection| (&old.file, old.line, &old.what) == (&new.file, new.line, &new.what);
        match self.rejections.last_mut().filter(is_same) {
            Some(old) => old.documents += 1,
            None => self.rejections.push(new),
        }
    }
}

pub(crate) async fn run(args: Args, context: &Context) -> anyhow::Result<Exit> {
    let mut report = Report::default();
    match documents::read(&args.files) {
        Err(errors) => report.rejections.extend(errors.into_iter().map(mistake)),
        Ok(documents) => {
            let log = context.open_log().await?;
            let became = apply(context, &log, &documents, args.backfill).await?;
            for (document, became) in documents.iter().zip(became) {
                match became {
                    Became::Appended => report.appended += 1,
                    Became::Unchanged => report.unchanged += 1,
                    Became::Rejected(why) => report.reject(rejection(document, &why)),
                    Became::LeftOut => {}
                }
            }
        }
    }
    report.rejected = report.rejections.iter().map(|rejection| rejection.documents).sum();
    context.print(&report)?;
    if report.rejections.is_empty() {
        return Ok(Exit::Ok);
    }
    if !context.json {
        report.rejections.iter().take(MOST).for_each(|rejection| eprintln!("{rejection}"));
        if let Some(more) = report.rejections.len().checked_sub(MOST).filter(|more| *more > 0) {
            eprintln!("and {more} more: --json shows all");
        }
        if report.appended == 0 {
            eprintln!("nothing was appended");
        }
    }
    Ok(Exit::Refused)
}

fn mistake(error: DocumentError) -> Rejection {
    let DocumentError { file, line, field, what } = error;
    Rejection { file, line, document: None, field, reason: None, what, documents: 1 }
}

/// Reasons are a word of the rules, or a word and what it is about, or a sentence already.
fn rejection(document: &Document, why: &str) -> Rejection {
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
