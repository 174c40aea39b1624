#![allow(clippy::unwrap_used)]

mod changes;
mod files;
mod mistakes;
mod readings;

use std::fs;
use std::path::Path;

use super::*;

/// Reads files as `name: text`, and prints each document on a line, or each mistake.
fn read_files(files: &[(&str, &str)]) -> String {
    let directory = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let path = directory.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    let lines: Vec<String> = match read(&[directory.path().to_owned()]) {
        Ok(documents) => documents.iter().map(|d| printed(directory.path(), d)).collect(),
        Err(errors) => errors.iter().map(ToString::to_string).collect(),
    };
    lines.join("\n").replace(&format!("{}/", directory.path().display()), "")
}

fn printed(root: &Path, document: &Document) -> String {
    let time = document.body.time().map(|t| format!(" at {t}")).unwrap_or_default();
    let what = match &document.body {
        Body::Catalogue { kind, name, body, .. } => format!("{kind} {name} {body}"),
        Body::Wallet { wallet, configured, .. } => {
            format!("wallet {wallet} {}", serde_json::to_string(&**configured).unwrap())
        }
        Body::Grant { wallet, terms, reason, .. } => {
            let why = reason.as_deref().map(|r| format!(" because {r}")).unwrap_or_default();
            format!("grant {wallet} {} of {} {}{why}", terms.grant_id, terms.amount, terms.unit)
        }
        Body::Change { wallet, id, steps, reason, .. } => {
            let why = reason.as_deref().map(|r| format!(" because {r}")).unwrap_or_default();
            let steps: Vec<String> = steps.iter().map(|(kind, data)| format!("{kind} {data}")).collect();
            format!("change {wallet} {id}: {}{why}", steps.join(", "))
        }
    };
    format!("{}:{} {what}{time}", document.file.strip_prefix(root).unwrap().display(), document.line)
}

/// Checks what one YAML file reads as: its documents, or its mistakes.
#[track_caller]
fn check(text: &str, expected: &str) {
    check_files(&[("x.yaml", &unindented(text))], expected);
}

#[track_caller]
fn check_files(files: &[(&str, &str)], expected: &str) {
    let (got, expected) = (read_files(files), unindented(expected));
    assert!(got == expected.trim_end(), "\n--- read\n{got}\n--- expected\n{expected}");
}

/// Takes the first line's indent off each line, and the empty line before it.
fn unindented(text: &str) -> String {
    let text = text.strip_prefix('\n').unwrap_or(text);
    let indent = text.len() - text.trim_start_matches(' ').len();
    let lines = text.lines().map(|l| l.get(indent..).unwrap_or(""));
    lines.map(|l| format!("{l}\n")).collect()
}
