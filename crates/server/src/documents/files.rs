//! The files that paths stand for, and their text.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use super::yaml::MOST_BYTES;

/// How deep directories may lie in one another.
const MOST_DIRECTORIES: u32 = 32;

/// The file at `path`, or the documents' files below it in the order of their names.
pub(super) fn below(path: &Path) -> Result<Vec<PathBuf>, (PathBuf, String)> {
    let unreadable = |at: &Path, error: io::Error| (at.to_owned(), format!("cannot be read: {error}"));
    if !fs::metadata(path).map_err(|e| unreadable(path, e))?.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let mut found = Vec::new();
    walk(path, MOST_DIRECTORIES, &mut found).map_err(|e| unreadable(path, e))?;
    if found.is_empty() {
        return Err((
            path.to_owned(),
            "holds no *.yaml, *.yml or *.json: name another directory, or a file".into(),
        ));
    }
    Ok(found)
}

fn walk(directory: &Path, depth: u32, found: &mut Vec<PathBuf>) -> io::Result<()> {
    let mut entries = fs::read_dir(directory)?.collect::<io::Result<Vec<_>>>()?;
    entries.sort_by_key(fs::DirEntry::file_name);
    for entry in entries {
        let path = entry.path();
        let hidden = entry.file_name().to_string_lossy().starts_with('.');
        // A link to a directory is not followed: it may lead back.
        if entry.file_type()?.is_dir() {
            if !hidden && depth > 0 {
                walk(&path, depth - 1, found)?;
            }
        } else if !hidden && path.extension().is_some_and(|e| e == "yaml" || e == "yml" || e == "json") {
            found.push(path);
        }
    }
    Ok(())
}

/// The file's text; of a file that is too long no more than shows it.
pub(super) fn text(path: &Path) -> Result<String, String> {
    let mut bytes = Vec::new();
    let most = u64::try_from(MOST_BYTES).expect("a megabyte") + 4;
    let read = File::open(path).and_then(|file| file.take(most).read_to_end(&mut bytes));
    read.map_err(|error| format!("cannot be read: {error}"))?;
    if bytes.len() > MOST_BYTES {
        return Err("is larger than 1 MB: split it into several files".into());
    }
    String::from_utf8(bytes).map_err(|_| "is not UTF-8: save it as UTF-8".into())
}
