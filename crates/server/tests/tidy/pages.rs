//! Rules of what is read beside the code: schemas, pages, and the files as such.

use std::path::Path;

use crate::files::{below, everything, hold, read, root, rust};

#[test]
fn each_record_type_has_an_example() {
    let event = read("crates/ledger/src/event.rs");
    let words = event.text.split_once("fn word").expect("an event has a word").1;
    let words: Vec<&str> = words.split_once("\n    }\n").unwrap().0.split('"').skip(1).step_by(2).collect();
    assert!(words.contains(&"usage"), "the words of record types were looked for in {words:?}");
    let kinds = ledger::Document::KINDS.map(|kind| format!("catalogue.published-{kind}"));
    let examples: Vec<String> = below("schemas/examples").into_iter().map(|file| file.path).collect();
    let has = |name: &str| {
        let begins = format!("schemas/examples/{name}");
        examples.iter().any(|e| e.strip_prefix(&begins).is_some_and(|rest| rest.starts_with(['.', '-'])))
    };
    let names =
        words.into_iter().filter(|word| *word != "catalogue.published").map(str::to_owned).chain(kinds);
    let missing =
        names.filter(|name| !has(name)).map(|name| format!("schemas/examples/{name}.json: missing"));
    hold(
        "each record type, and each kind of catalogue document, has an example that must decode for ever",
        missing,
    );
}

#[test]
fn each_decision_is_numbered_and_listed() {
    let list = read("docs/decisions/README.md");
    let mut broken = Vec::new();
    let decisions = below("docs/decisions").into_iter().filter(|file| file.path != list.path);
    for (at, file) in decisions.enumerate() {
        let name = file.path.rsplit('/').next().unwrap();
        let number = format!("{:04}", at + 1);
        if !name.starts_with(&format!("{number}-")) {
            broken.push(file.at(1, &format!("its number would be {number}")));
        }
        if !file.text.starts_with(&format!("# {number} · ")) {
            broken.push(file.at(1, &format!("begin with the heading `# {number} · …`")));
        }
        if !file.text.contains("**What would change our mind.**") {
            broken.push(file.at(1, "say what would change our mind"));
        }
        if !list.text.contains(&format!("]({name})")) {
            broken.push(list.at(1, &format!("a link to {name} is missing")));
        }
    }
    hold("each decision has a number, and a link in docs/decisions/README.md", broken);
}

#[test]
fn the_readme_begins_with_two_commands_and_ci_runs_the_second() {
    let (readme, ci) = (read("README.md"), read(".ci/run"));
    let screen: String = readme.text.lines().take(40).map(|line| format!("{line}\n")).collect();
    let tests = "cargo test --workspace";
    let missing =
        ["cargo run --release -- demo", tests].into_iter().filter(|command| !screen.contains(command));
    let mut broken: Vec<_> = missing.map(|command| readme.at(1, &format!("{command} is missing"))).collect();
    let runs = |line: &str| line.starts_with("step ") && line.ends_with(&format!(" {tests}"));
    if !ci.text.lines().any(runs) {
        broken.push(ci.at(1, &format!("no step is `{tests}`")));
    }
    hold("what the README promises in its first screen is what CI checks", broken);
}

#[test]
fn the_tests_that_architecture_names_are_there() {
    let page = read("ARCHITECTURE.md");
    let tests: String = rust("crates").into_iter().map(|file| file.text).collect();
    let invariants = page.text.split("\n## ").find(|section| section.starts_with("What always holds"));
    let invariants = invariants.expect("ARCHITECTURE.md has the section `What always holds`");
    let row = |line: &str| line.rsplit('|').nth(1).map(str::to_owned).filter(|_| line.starts_with("| "));
    let cells: Vec<String> = invariants.lines().skip(1).filter_map(row).skip(1).collect();
    assert!(cells.len() > 5, "the invariants were looked for in a table: {cells:?}");
    let mut broken = Vec::new();
    for cell in cells {
        let names: Vec<&str> = cell.split('`').skip(1).step_by(2).collect();
        if names.is_empty() {
            broken.push(page.at(1, &format!("no test is named in {cell:?}")));
        }
        let gone = names.into_iter().filter(|name| !tests.contains(&format!("fn {name}(")));
        broken.extend(gone.map(|name| page.at(1, &format!("no test is called {name}"))));
    }
    hold("each invariant names the tests that hold it", broken);
}

#[test]
fn nothing_names_a_place_on_a_machine() {
    let places = [concat!("/wo", "rk/"), concat!("/ro", "ot/"), concat!("/ho", "me/"), concat!("C:", "\\")];
    let mut broken = Vec::new();
    for file in everything() {
        for (n, line) in file.lines() {
            broken
                .extend(places.iter().filter(|place| line.contains(**place)).map(|place| file.at(n, place)));
        }
    }
    hold("a path that one machine has means nothing on another", broken);
}

#[test]
fn each_file_ends_with_one_newline() {
    let mut broken = Vec::new();
    for file in everything() {
        let end = file.text.lines().count().max(1);
        if !file.text.ends_with('\n') || file.text.ends_with("\n\n") {
            broken.push(file.at(end, "end with one newline"));
        }
        let trailing = file.lines().filter(|(_, line)| line.ends_with([' ', '\t', '\r']));
        broken.extend(trailing.map(|(n, _)| file.at(n, "white space at the end of the line")));
    }
    hold("lines end where their text does, and files with one newline", broken);
}

#[test]
fn links_lead_to_files() {
    let mut broken = Vec::new();
    for file in everything().into_iter().filter(|file| file.path.ends_with(".md")) {
        let folder = Path::new(&file.path).parent().unwrap_or(Path::new("")).to_owned();
        for (n, line) in file.lines() {
            for link in line.split("](").skip(1).filter_map(|rest| rest.split_once(')')).map(|(link, _)| link)
            {
                let path = link.split('#').next().unwrap_or_default();
                let elsewhere = path.is_empty() || path.contains("://");
                if !elsewhere && !root().join(&folder).join(path).exists() {
                    broken.push(file.at(n, &format!("{path} is not there")));
                }
            }
        }
    }
    hold("a link in a page leads to a file of the project", broken);
}
