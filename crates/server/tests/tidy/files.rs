//! The project's files, and how a broken rule is told.

use std::fs;
use std::path::{Path, PathBuf};

/// The directories that the project consists of, beside the files at its top.
const PARTS: [&str; 7] = [".ci", "crates", "docs", "examples", "migrations", "schemas", "scripts"];

/// A text file, named from the project's root.
pub(crate) struct Text {
    pub(crate) path: String,
    pub(crate) text: String,
}

impl Text {
    /// Its lines, counted from 1.
    pub(crate) fn lines(&self) -> impl Iterator<Item = (usize, &str)> {
        self.text.lines().enumerate().map(|(at, line)| (at + 1, line))
    }

    pub(crate) fn at(&self, line: usize, what: &str) -> String {
        format!("{}:{line}: {what}", self.path)
    }
}

pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

pub(crate) fn read(path: &str) -> Text {
    let text = fs::read_to_string(root().join(path)).unwrap_or_else(|e| panic!("{path} cannot be read: {e}"));
    Text { path: path.into(), text }
}

/// The files below a directory of the project, in the order of their names.
pub(crate) fn below(directory: &str) -> Vec<Text> {
    let mut names: Vec<(String, bool)> = fs::read_dir(root().join(directory))
        .unwrap_or_else(|e| panic!("{directory} cannot be read: {e}"))
        .map(|entry| entry.unwrap())
        .map(|entry| {
            let name = entry.file_name().into_string().expect("our names are UTF-8");
            (format!("{directory}/{name}"), entry.file_type().unwrap().is_dir())
        })
        .collect();
    names.sort();
    names
        .into_iter()
        .flat_map(|(path, is_dir)| if is_dir { below(&path) } else { vec![read(&path)] })
        .collect()
}

/// All files of the project.
pub(crate) fn everything() -> Vec<Text> {
    let top = fs::read_dir(root()).unwrap().map(|entry| entry.unwrap().path());
    let ours = |path: &PathBuf| {
        let written = path.extension().is_some_and(|e| e == "md" || e == "toml");
        written || path.ends_with("LICENSE") || path.ends_with(".gitignore")
    };
    let name = |path: PathBuf| path.file_name().unwrap().to_str().unwrap().to_owned();
    top.filter(ours).map(|path| read(&name(path))).chain(PARTS.into_iter().flat_map(below)).collect()
}

/// The Rust files of some crates: of all their directories, or of `src` alone.
pub(crate) fn rust(directory: &str) -> Vec<Text> {
    below(directory).into_iter().filter(|file| file.path.ends_with(".rs")).collect()
}

pub(crate) fn sources_of(crates: &[&str]) -> Vec<Text> {
    crates.iter().flat_map(|name| rust(&format!("crates/{name}/src"))).collect()
}

/// Fails with all places where a rule is broken.
pub(crate) fn hold(rule: &str, broken: impl IntoIterator<Item = String>) {
    let broken: Vec<String> = broken.into_iter().collect();
    assert!(broken.is_empty(), "{rule}\n  {}\n", broken.join("\n  "));
}

/// The lines that have one of these words; a word has no letter, digit or underscore beside it.
pub(crate) fn with_words(files: &[Text], words: &[&str]) -> Vec<String> {
    let inside = |c: char| c.is_alphanumeric() || c == '_';
    let has = |line: &str, word: &str| {
        line.match_indices(word).any(|(at, _)| {
            let (before, after) = (&line[..at], &line[at + word.len()..]);
            !before.ends_with(inside) && !after.starts_with(inside)
        })
    };
    let mut found = Vec::new();
    for file in files {
        for (n, line) in file.lines() {
            found.extend(words.iter().filter(|word| has(line, word)).map(|word| file.at(n, word)));
        }
    }
    found
}
