//! The fold against the oracle: the same histories, told to both, must come to the same wallets.
//!
//! `DRAWDOWN_HISTORIES=n` tells another number of them, `DRAWDOWN_SEED=n` one alone; both, so many from that one on.
#![allow(clippy::unwrap_used)]

mod book;
#[path = "oracle/mod.rs"]
mod oracle;

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use book::Book;
use ledger::{Entry, EntryKind, Hold, Instant, Lot};
use oracle::history::History;
use oracle::records::Record;
use oracle::{EntrySum, HoldSum, LotSum, Oracle, Summary};

/// How many histories are told unless something else is asked for.
const HISTORIES: u64 = 100_000;

#[test]
fn the_fold_and_the_oracle_agree_on_every_history() {
    let first = number("DRAWDOWN_SEED");
    let histories = number("DRAWDOWN_HISTORIES").unwrap_or(if first.is_some() { 1 } else { HISTORIES });
    let first = first.unwrap_or(0);
    let (next, failed) = (AtomicU64::new(first), AtomicBool::new(false));
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while !failed.load(Ordering::Relaxed) {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed - first >= histories {
                        break;
                    }
                    if let Err(panic) = catch_unwind(|| tell(seed)) {
                        failed.store(true, Ordering::Relaxed);
                        std::panic::resume_unwind(panic);
                    }
                }
            });
        }
    });
}

fn number(variable: &str) -> Option<u64> {
    std::env::var(variable).ok().map(|text| text.parse().expect("a seed or a count is a number"))
}

/// Tells the history of a seed; shows the shortest part of it in which the two still differ.
fn tell(seed: u64) {
    let history = History::new(seed);
    if difference(&history.records, &history.wallets).is_none() {
        return;
    }
    let records = shrunk(history.records, &history.wallets);
    let (at, what) = difference(&records, &history.wallets).expect("it differed before the last record went");
    let lines: Vec<String> =
        records.iter().enumerate().map(|(offset, record)| format!("{offset:3} {}", record.json())).collect();
    panic!("seed {seed}: the fold and the oracle differ after record {at}\n{what}\n{}", lines.join("\n"));
}

/// Leaves out one record after another while the two still differ.
fn shrunk(mut records: Vec<Record>, wallets: &[String]) -> Vec<Record> {
    if let Some((at, _)) = difference(&records, wallets) {
        records.truncate(at + 1);
    }
    loop {
        let before = records.len();
        for place in (0..before).rev() {
            let stays = ["genesis", r#""kind":"unit""#, r#""kind":"zone""#, r#""kind":"rate_card""#];
            let line = records[place].json();
            if stays.iter().any(|kind| line.contains(kind)) && records[place].wallet.is_none() {
                continue;
            }
            let mut fewer = records.clone();
            fewer.remove(place);
            if difference(&fewer, wallets).is_some() {
                records = fewer;
            }
        }
        if records.len() == before {
            return records;
        }
    }
}

/// The first record after which the two differ, and how; a panic of either is a difference.
fn difference(records: &[Record], wallets: &[String]) -> Option<(usize, String)> {
    if catch_unwind(AssertUnwindSafe(|| compare(records, wallets, false))).is_ok_and(|same| same.is_none()) {
        return None;
    }
    let mut last = 0;
    let found = catch_unwind(AssertUnwindSafe(|| {
        (0..records.len()).find_map(|at| {
            last = at;
            compare(&records[..=at], wallets, true).map(|what| (at, what))
        })
    }));
    match found {
        Ok(found) => Some(found.expect("what differs at the end differs after some record")),
        Err(panic) => {
            let text = panic.downcast_ref::<String>().cloned();
            let text = text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()));
            Some((last, format!("one of them panicked: {}", text.unwrap_or_default())))
        }
    }
}

/// Tells records to both and says how the wallets differ at the end.
fn compare(records: &[Record], wallets: &[String], in_detail: bool) -> Option<String> {
    let (mut book, mut oracle) = (Book::default(), Oracle::new());
    for (offset, record) in records.iter().enumerate() {
        let json = record.json();
        book.fold(offset as u64, json.as_bytes());
        if offset % 5 == 4 {
            book.restart();
        }
        oracle.record(offset as u64, &json);
    }
    assert!(book.quarantined.is_empty(), "a history has only good records: {:?}", book.quarantined);
    let outcomes = book.outcomes.iter().filter(|(_, wallet, _)| wallet.is_empty());
    let outcomes: Vec<_> = outcomes.map(|(offset, _, outcome)| (*offset, outcome.to_string())).collect();
    if outcomes != oracle.catalogue_outcomes() {
        return Some(format!(
            "catalogue:\n  fold   {outcomes:?}\n  oracle {:?}",
            oracle.catalogue_outcomes()
        ));
    }
    for wallet in wallets {
        let (mut ours, mut plain) = (summary(&book, wallet), oracle.summary(wallet));
        for summary in [&mut ours, &mut plain].into_iter().flatten() {
            merge_entries(&mut summary.entries);
        }
        if let (Some(ours), Some(plain)) = (&ours, &mut plain) {
            agree_on_reasons(ours, plain);
        }
        if ours != plain {
            let what = if in_detail {
                describe(&ours.unwrap_or_default(), &plain.unwrap_or_default())
            } else {
                String::new()
            };
            return Some(format!("wallet {wallet}:\n{what}"));
        }
    }
    None
}

/// Of several reasons to reject a record the fold tells one, whichever it finds first.
fn agree_on_reasons(ours: &Summary, plain: &mut Summary) {
    for ((_, told), (_, all)) in ours.outcomes.iter().zip(&mut plain.outcomes) {
        let place = all.rfind(": ").map_or("rejected ".len(), |colon| colon + 2);
        if let (Some((before, reason)), Some((same, reasons))) =
            (told.split_at_checked(place), all.split_at_checked(place))
            && before == same
            && reasons.split('|').any(|it| it == reason)
        {
            all.clone_from(told);
        }
    }
}

/// Makes one of entries that follow each other and say the same: how often a transfer is booked is nobody's rule.
fn merge_entries(entries: &mut Vec<EntrySum>) {
    entries.dedup_by(|next, first| {
        let same = EntrySum { amount: first.amount, available_after: first.available_after, ..next.clone() };
        let joins = same == *first;
        if joins {
            first.amount += next.amount;
            first.available_after = next.available_after;
        }
        joins
    });
}

/// What differs between the fold's summary and the oracle's, a line each.
fn describe(ours: &Summary, plain: &Summary) -> String {
    let mut lines = Vec::new();
    let head = |it: &Summary| {
        let Summary { clock, claimed, suspended, unpriced, .. } = it;
        format!("clock {clock}, claimed {claimed}, suspended {suspended}, unpriced {unpriced}")
    };
    if head(ours) != head(plain) {
        lines.push(format!("  fold   {}\n  oracle {}", head(ours), head(plain)));
    }
    differ(&mut lines, &ours.lots, &plain.lots);
    differ(&mut lines, &ours.overage, &plain.overage);
    differ(&mut lines, &ours.holds, &plain.holds);
    let numbered = |entries: &[EntrySum]| entries.iter().cloned().enumerate().collect::<BTreeMap<_, _>>();
    differ(&mut lines, &numbered(&ours.entries), &numbered(&plain.entries));
    let outcomes = |summary: &Summary| summary.outcomes.iter().cloned().collect::<BTreeMap<_, _>>();
    differ(&mut lines, &outcomes(ours), &outcomes(plain));
    lines.join("\n")
}

fn differ<K: Ord + std::fmt::Debug, V: PartialEq + std::fmt::Debug>(
    lines: &mut Vec<String>,
    ours: &BTreeMap<K, V>,
    plain: &BTreeMap<K, V>,
) {
    let keys: std::collections::BTreeSet<&K> = ours.keys().chain(plain.keys()).collect();
    for key in keys.into_iter().filter(|key| ours.get(key) != plain.get(key)) {
        let show = |value: Option<&V>| value.map_or("nothing".to_owned(), |value| format!("{value:?}"));
        lines.push(format!("{key:?}\n  fold   {}\n  oracle {}", show(ours.get(key)), show(plain.get(key))));
    }
}

/// What the fold made of a wallet, in the oracle's words.
fn summary(book: &Book, id: &str) -> Option<Summary> {
    let wallet = book.wallet(id)?;
    let lots = book.lots.iter().filter(|((owner, _), lot)| owner == id && !lot.is_untouched());
    let overage = wallet.overage().iter().map(|open| {
        ((open.unit.to_string(), open.month.to_string(), open.feature.to_string()), open.amount.billionths())
    });
    let entries = book.entries.iter().filter(|(_, owner, _)| owner == id);
    let outcomes = book.outcomes.iter().filter(|(_, owner, _)| owner == id);
    Some(Summary {
        clock: nanos(wallet.clock),
        claimed: wallet.claimed,
        suspended: wallet.suspended,
        unpriced: wallet.unpriced,
        lots: lots.map(|((_, lot), row)| (lot.clone(), lot_sum(row))).collect(),
        overage: overage.filter(|(_, open)| *open != 0).collect(),
        holds: wallet.holds().iter().map(|(id, hold)| (id.to_string(), hold_sum(hold))).collect(),
        entries: entries.map(|(offset, _, entry)| entry_sum(*offset, entry)).collect(),
        outcomes: outcomes.map(|(offset, _, outcome)| (*offset, outcome.to_string())).collect(),
    })
}

fn lot_sum(lot: &Lot) -> LotSum {
    LotSum {
        issued: lot.issued.billionths(),
        remaining: lot.remaining.billionths(),
        held: lot.held.billionths(),
        consumed: lot.consumed.billionths(),
        expired: lot.expired.billionths(),
        voided: lot.voided.billionths(),
        rolled_over: lot.rolled_over.billionths(),
        returned: lot.returned.billionths(),
        starts: nanos(lot.starts_at),
        ends: lot.ends_at.map(nanos),
        priority: lot.terms().priority,
        money: lot.money.billionths(),
    }
}

fn hold_sum(hold: &Hold) -> HoldSum {
    let mut sum = HoldSum { ends: nanos(hold.ends_at), has: BTreeMap::new() };
    for line in &hold.lines {
        let lots = line.lots.iter().map(|part| (Some(part.lot.to_string()), part.amount));
        let all = lots.chain([(None, line.overdraft)]).filter(|(_, amount)| !amount.is_zero());
        for (lot, amount) in all {
            let key = (line.unit.to_string(), line.feature.to_string(), lot);
            *sum.has.entry(key).or_default() += amount.billionths();
        }
    }
    sum
}

fn entry_sum(offset: u64, entry: &Entry) -> EntrySum {
    let lot = entry.lot.as_deref();
    let (debit, credit) = entry.kind.accounts(lot, entry.other_lot.as_deref());
    // The rules know one kind of usage and of return, whichever account it comes from.
    let kind = if entry.kind == EntryKind::LateUsage {
        EntryKind::Usage
    } else if entry.kind == EntryKind::ReturnExpired {
        EntryKind::Return
    } else {
        entry.kind
    };
    EntrySum {
        offset,
        kind: kind.word().to_owned(),
        unit: entry.unit.to_string(),
        lot: lot.map(str::to_owned),
        debit,
        credit,
        amount: entry.amount.billionths(),
        available_after: entry.available_after.billionths(),
        effective_at: nanos(entry.effective_at),
        booked_at: nanos(entry.booked_at),
        feature: entry.feature.as_ref().map(ToString::to_string),
        price: entry.price.as_ref().map(ToString::to_string),
    }
}

fn nanos(instant: Instant) -> i64 {
    instant.0
}
