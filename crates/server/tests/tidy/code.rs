//! Rules of the code: who knows whom, what the core may not know, how long things are.

use std::collections::BTreeMap;
use std::fs;

use crate::files::{hold, read, root, rust, sources_of, with_words};

const MOST_LINES: usize = 400;
const MOST_LINES_OF_A_FUNCTION: usize = 70;

/// Each crate, and the ones among ours that it may know.
fn may_know() -> BTreeMap<&'static str, Vec<&'static str>> {
    BTreeMap::from([
        ("ledger", vec![]),
        ("eventlog", vec!["ledger", "mutants"]),
        ("store", vec!["ledger", "mutants"]),
        ("ingest", vec!["ledger", "eventlog"]),
        ("projector", vec!["ledger", "eventlog", "store", "mutants"]),
        ("scheduler", vec!["ledger", "eventlog", "store", "ingest"]),
        ("server", vec!["ledger", "eventlog", "store", "ingest", "projector", "scheduler"]),
        // For tests: in a build for use nothing is left of it.
        ("mutants", vec![]),
        // For tests: nothing that is built for use depends on it.
        ("services", vec![]),
    ])
}

#[test]
fn each_crate_knows_only_those_it_may() {
    let all = may_know();
    let mut broken = Vec::new();
    let mut there: Vec<String> = Vec::new();
    for entry in fs::read_dir(root().join("crates")).unwrap() {
        there.push(entry.unwrap().file_name().into_string().unwrap());
    }
    there.sort();
    assert_eq!(there, all.keys().copied().collect::<Vec<_>>(), "crates: add a new one to `may_know`");
    for (name, known) in &all {
        let manifest = read(&format!("crates/{name}/Cargo.toml"));
        let mut section = String::new();
        for (n, line) in manifest.lines() {
            if line.starts_with('[') {
                section = line.to_owned();
            }
            let dependency = line.split(['.', ' ', '=']).next().unwrap_or_default();
            let is_ours = all.contains_key(dependency) && dependency != *name;
            if section == "[dependencies]" && is_ours && !known.contains(&dependency) {
                broken.push(manifest.at(n, &format!("{name} may not depend on {dependency}")));
            }
        }
    }
    hold("who may depend on whom: see ARCHITECTURE.md", broken);
}

#[test]
fn no_build_for_use_can_turn_a_net_off() {
    let mut broken = Vec::new();
    for name in may_know().into_keys() {
        let manifest = read(&format!("crates/{name}/Cargo.toml"));
        let mut section = String::new();
        for (n, line) in manifest.lines() {
            if line.starts_with('[') {
                section = line.to_owned();
            }
            let is_of_tests =
                section == "[dev-dependencies]" || (name == "mutants" && section == "[features]");
            if line.contains("switches") && !is_of_tests {
                broken.push(manifest.at(n, line.trim()));
            }
        }
    }
    hold("only tests have the switches of `mutants`", broken);
}

#[test]
fn each_mutant_must_be_caught() {
    let list = read("crates/mutants/src/lib.rs");
    let named = list.text.lines().filter_map(|line| line.trim().strip_prefix("Self::")?.split_once(" => "));
    let names: Vec<&str> = named.map(|(name, _)| name).collect();
    assert!(names.len() > 5, "{names:?}");
    let tests: Vec<_> =
        rust("crates").into_iter().filter(|file| file.text.contains("must_be_caught(")).collect();
    let broken = names.into_iter().filter(|name| {
        let (listed, alone) = (format!("(Mutant::{name}, "), format!("Mutant::{name}, test"));
        !tests.iter().any(|file| file.text.contains(&listed) || file.text.contains(&alone))
    });
    hold("each mutant is caught by a test of the suite: say which", broken.map(str::to_owned));
}

#[test]
fn only_the_projector_commits_to_the_projections() {
    // A store commits a batch; the commit of a database transaction takes nothing. A bench measures a store by itself.
    let mut broken = Vec::new();
    let others = sources_of(&["ledger", "eventlog", "ingest", "scheduler", "server"]);
    for file in others.into_iter().filter(|file| !file.path.contains("/bench/")) {
        for (n, line) in file.lines() {
            let commits =
                line.match_indices(".commit(").any(|(at, call)| !line[at + call.len()..].starts_with(')'));
            if commits || line.contains(".acquire(partition") {
                broken.push(file.at(n, line.trim()));
            }
        }
    }
    hold("only `projector` writes projections: hand it what is to be written", broken);
}

#[test]
fn sql_is_written_where_its_database_is() {
    let mut others = sources_of(&["ledger", "ingest", "projector", "scheduler"]);
    others.extend(sources_of(&["server"]).into_iter().filter(|file| !file.path.contains("/bench/")));
    hold(
        "a log's or a store's SQL belongs to its crate (a bench may measure a bare database)",
        with_words(&others, &["sqlx"]),
    );
}

#[test]
fn the_core_knows_no_clock_no_chance_no_float_and_no_hash_map() {
    let words =
        ["Utc::now", "SystemTime", "Instant::now", "HashMap", "HashSet", "f32", "f64", "rand", "thread_rng"];
    let core = rust("crates/ledger/src");
    hold(
        "the fold is a pure function of its records: time and order come in as arguments",
        with_words(&core, &words),
    );
}

#[test]
fn only_the_process_edge_asks_what_time_it_is() {
    let inner = sources_of(&["ledger", "eventlog", "store", "ingest", "projector", "scheduler"]);
    let words = ["Utc::now", "Local::now", "SystemTime::now"];
    hold("what time it is comes in as an argument, from `server`", with_words(&inner, &words));
}

#[test]
fn there_are_two_traits() {
    let mut traits = Vec::new();
    for file in sources_of(&may_know().into_keys().collect::<Vec<_>>()) {
        for (n, line) in file.lines() {
            let declared =
                line.trim_start().trim_start_matches("pub(super) ").trim_start_matches("pub(crate) ");
            if let Some(rest) = declared.trim_start_matches("pub ").strip_prefix("trait ") {
                let name = rest.split(|c: char| !c.is_alphanumeric()).next().unwrap_or_default();
                if !["EventLog", "Store"].contains(&name) {
                    traits.push(file.at(n, name));
                }
            }
        }
    }
    hold("two traits, EventLog and Store: another one would have one implementation", traits);
}

#[test]
fn no_file_is_longer_than_400_lines() {
    let long = rust("crates").into_iter().filter(|file| file.text.lines().count() > MOST_LINES);
    let broken = long.map(|file| file.at(MOST_LINES + 1, "goes on here: which is its second idea?"));
    hold("a file is one idea", broken.collect::<Vec<_>>());
}

#[test]
fn a_function_fits_a_screen() {
    let mut broken = Vec::new();
    for file in rust("crates") {
        let lines: Vec<&str> = file.text.lines().collect();
        for (at, line) in lines.iter().enumerate() {
            let before_arguments = line.trim_start().split('(').next().unwrap_or_default();
            // A macro's `fn $name` has its indent from the macro.
            let plain = !before_arguments.starts_with("//") && !before_arguments.contains('$');
            let declares = plain && before_arguments.split(' ').any(|w| w == "fn");
            let length = if declares { function(&lines[at..]) } else { None };
            if let Some(length) = length.filter(|length| *length > MOST_LINES_OF_A_FUNCTION) {
                broken.push(file.at(at + 1, &format!("{length} lines")));
            }
        }
    }
    hold("a function has at most 70 lines: which of its steps has a name?", broken);
}

/// How many lines the function has that is declared in the first one; none if it has no body there.
fn function(lines: &[&str]) -> Option<usize> {
    let head = lines
        .iter()
        .position(|line| line.ends_with(['{', '}', ';']))
        .filter(|at| lines[*at].ends_with('{'))?;
    let indent = lines[0].len() - lines[0].trim_start().len();
    let closing = format!("{}}}", " ".repeat(indent));
    lines[head..].iter().position(|line| *line == closing).map(|body| head + body + 1)
}

#[test]
fn nothing_is_left_undone() {
    // Each word is put together here, so that this file does not have it.
    let words =
        [concat!("to", "do!"), concat!("db", "g!"), concat!("unimple", "mented!"), concat!("FIX", "ME")];
    let ignored = concat!("#[ig", "nore");
    let files = rust("crates");
    let mut broken = Vec::new();
    for file in &files {
        for (n, line) in file.lines() {
            let left = words.iter().find(|word| line.contains(**word));
            let left = left.copied().or_else(|| line.trim_start().starts_with(ignored).then_some(ignored));
            broken.extend(left.map(|left| file.at(n, left)));
        }
    }
    hold("what is not done is in no file, and no test is left out", broken);
}

#[test]
fn each_crate_says_what_it_is() {
    let libraries = may_know().into_keys().map(|name| read(&format!("crates/{name}/src/lib.rs")));
    let silent = libraries.filter(|file| {
        let first = file.text.lines().next().unwrap_or_default();
        !first.starts_with("//! ") || first.split(' ').count() < 5
    });
    let broken: Vec<_> = silent.map(|file| file.at(1, "begin with `//!` and a sentence")).collect();
    hold("each crate says in its first line what it is", broken);
}
