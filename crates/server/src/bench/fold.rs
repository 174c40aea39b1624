//! The core alone: raw bytes in, wallets and entries out, all in memory, on one core.

use std::hint::black_box;

use ledger::Partition;
use projector::Replay;

use super::events::{Series, Spread, beginning, grants};
use super::{Figures, median, timed};

/// How often parsing and folding are measured in turn.
const ROUNDS: usize = 5;
/// Events that are made at a time, so that only the fold is timed and memory stays small.
const CHUNK: u64 = 50_000;

/// A log of wallets with their grants, folded.
fn opened(wallets: u64) -> Replay {
    let mut replay = Replay::new(Partition(0), 1, "bench");
    replay.fold(&beginning()).expect("this build made it");
    let mut grants = grants(wallets).map(|(_, record)| record).peekable();
    while grants.peek().is_some() {
        let records: Vec<Vec<u8>> = grants.by_ref().take(1 << 12).collect();
        replay.fold(&records).expect("this build made it");
    }
    replay
}

/// `fold_events_per_second` beside `parse_events_per_second`.
#[expect(clippy::cast_precision_loss)]
pub(crate) fn fold(figures: &mut Figures, events: u64) {
    let mut series = Series::new(1_000, Spread::Skewed);
    let mut replay = opened(1_000);
    let (mut parsed, mut folded, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let records: Vec<Vec<u8>> = (0..events / ROUNDS as u64).map(|_| series.record()).collect();
        let (parse, ()) = timed(|| {
            for record in &records {
                black_box(ledger::decode(record).expect("this build made it"));
            }
        });
        let (fold, entries) = timed(|| replay.fold(&records).expect("this build made it"));
        assert!(entries >= records.len(), "each event is charged");
        parsed.push(records.len() as f64 / parse);
        folded.push(records.len() as f64 / fold);
        ratios.push(parse / fold);
    }
    figures.note("fold_events_per_second", median(folded));
    figures.note("parse_events_per_second", median(parsed));
    figures.note("fold_of_parse", median(ratios));
}

/// Seconds an event takes when so many wallets are there and so many events came before.
#[expect(clippy::cast_precision_loss)]
fn cost(replay: &mut Replay, series: &mut Series, before: u64, measured: u64) -> f64 {
    let mut chunks = Vec::new();
    for chunk in 0..(before + measured) / CHUNK {
        let records: Vec<Vec<u8>> = (0..CHUNK).map(|_| series.record()).collect();
        let (seconds, _) = timed(|| replay.fold(&records).expect("this build made it"));
        if chunk * CHUNK >= before {
            chunks.push(seconds / CHUNK as f64);
        }
    }
    median(chunks)
}

/// How the fold's cost an event grows with the number of wallets and the length of history, and what a wallet takes.
#[expect(clippy::cast_precision_loss)]
pub(crate) fn growth(figures: &mut Figures, wallets: u64, history: u64) {
    let measured = (wallets / 2).max(4 * CHUNK);
    // As many records stand before the few as the many have grants, so that not the length of history is compared.
    let few = |spread| cost(&mut opened(1_000), &mut Series::new(1_000, spread), wallets, measured);
    let (few_cost, few_even) = (few(Spread::Skewed), few(Spread::Even));

    let before = resident();
    let mut many = opened(wallets);
    let bytes = resident().saturating_sub(before) as f64;
    figures.note("bytes_per_wallet", bytes / wallets as f64);
    let many_cost = cost(&mut many, &mut Series::new(wallets, Spread::Skewed), 0, measured);
    figures.note("growth_wallets", many_cost / few_cost);
    drop(many);
    let mut many = opened(wallets);
    let many_even = cost(&mut many, &mut Series::new(wallets, Spread::Even), 0, measured);
    figures.note("growth_wallets_even", many_even / few_even);
    drop(many);

    let mut long = opened(1_000);
    let mut series = Series::new(1_000, Spread::Skewed);
    // Of a short history, no more is measured than its tenth.
    let measured = measured.min(history / 10).max(CHUNK);
    let before = |until: u64| until.saturating_sub(measured);
    let young = cost(&mut long, &mut series, before(history / 10), measured);
    let old = cost(&mut long, &mut series, before(history - history / 10), measured);
    figures.note("growth_history", old / young);
}

/// The bytes of memory that this process has.
fn resident() -> u64 {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    statm.split(' ').nth(1).and_then(|pages| pages.parse::<u64>().ok()).unwrap_or(0) * 4096
}
