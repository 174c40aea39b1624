//! The fuzz targets on mutated seeds: what any toolchain can run.
#![allow(clippy::unwrap_used, clippy::wildcard_enum_match_arm)]

#[path = "../../../fuzz/src/lib.rs"]
#[expect(unreachable_pub, reason = "it is a library where it stands")]
mod fuzz;

use std::fs;
use std::path::Path;

use proptest::prelude::*;

/// The seeds of a target, in the order of their names.
fn seeds(target: &str) -> Vec<(String, Vec<u8>)> {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus").join(target);
    let mut seeds: Vec<(String, Vec<u8>)> = fs::read_dir(&corpus)
        .unwrap_or_else(|e| panic!("{}: {e}", corpus.display()))
        .map(|entry| entry.unwrap().path())
        .map(|path| (path.file_name().unwrap().to_str().unwrap().to_owned(), fs::read(&path).unwrap()))
        .collect();
    seeds.sort();
    seeds
}

/// What a mutation puts somewhere: what JSON, numbers and times are made of, and what they are not.
const PIECES: [&str; 24] = [
    "",
    "0",
    "9",
    "-",
    "1e999999999",
    "1e-5",
    "0.000000001",
    "1000000000000000000",
    "99999999999999999999",
    "null",
    "true",
    "{",
    "}",
    "[",
    "]",
    "\"",
    ",",
    ":",
    "\\u0000",
    "\\ud800",
    "1970-01-01T00:00:00Z",
    "2261-12-31T23:59:59Z",
    "P1M",
    "\n",
];

/// Takes so many bytes out at a place, or repeats them, and puts a piece there.
fn mutations() -> impl Strategy<Value = Vec<(usize, usize, bool, usize)>> {
    let one = (any::<usize>(), prop_oneof![4 => 0usize..4, 1 => 0usize..80], any::<bool>(), 0..PIECES.len());
    proptest::collection::vec(one, 0..6)
}

fn mutated(seed: &[u8], mutations: &[(usize, usize, bool, usize)]) -> Vec<u8> {
    let mut bytes = seed.to_vec();
    for (at, len, repeats, piece) in mutations {
        let at = at % (bytes.len() + 1);
        let end = (at + len).min(bytes.len());
        let gone = bytes[at..end].to_vec();
        let piece = PIECES[*piece].as_bytes();
        let put = if *repeats { [&gone, piece, &gone].concat() } else { piece.to_vec() };
        bytes.splice(at..end, put);
    }
    bytes
}

fn check(target: &str, run: fn(&[u8])) {
    let seeds = seeds(target);
    assert!(!seeds.is_empty(), "{target} has seeds");
    // `PROPTEST_CASES` asks for more.
    let config = ProptestConfig::default();
    let config = ProptestConfig { cases: config.cases.max(4_000), failure_persistence: None, ..config };
    let mut runner = proptest::test_runner::TestRunner::new(config);
    let any = (0..seeds.len(), mutations());
    let done = runner.run(&any, |(seed, mutations)| {
        let bytes = mutated(&seeds[seed].1, &mutations);
        let caught = std::panic::catch_unwind(|| run(&bytes));
        prop_assert!(caught.is_ok(), "{target} panics at {:?}", String::from_utf8_lossy(&bytes));
        Ok(())
    });
    done.unwrap_or_else(|e| panic!("{e}"));
}

#[test]
fn any_lines_are_no_record_or_fold_lawfully() {
    check("envelope", fuzz::envelope);
}

#[test]
fn any_event_is_refused_or_becomes_a_record_that_folds() {
    check("cloudevent", fuzz::cloudevent);
}

#[test]
fn any_document_is_refused_or_published_and_read_again() {
    check("catalogue", fuzz::catalogue);
}

#[test]
fn the_seeds_are_right() {
    for (name, seed) in seeds("envelope") {
        for line in seed.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
            ledger::decode(line).unwrap_or_else(|e| panic!("{name}: {e}"));
        }
    }
    for (name, seed) in seeds("cloudevent") {
        let stamp =
            ingest::Stamp { now: ledger::Instant(1_769_904_000_000_000_000), by: "key:x", backfill: false };
        ingest::usage(&seed, &stamp).unwrap_or_else(|e| panic!("{name}: {e}"));
    }
    for (name, seed) in seeds("catalogue") {
        let text = String::from_utf8(seed).unwrap();
        let (head, body) = text.split_once('\n').unwrap();
        let (kind, _) = head.split_once(' ').unwrap();
        ledger::Document::read(kind, body).unwrap_or_else(|e| panic!("{name}: {e}"));
    }
}
