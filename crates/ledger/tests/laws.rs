//! Laws: what holds for any history. The law of each lot is asserted by [`Book`] after every record.
#![allow(clippy::unwrap_used)]

mod book;
#[path = "laws/holds.rs"]
mod holds;
#[path = "oracle/mod.rs"]
mod oracle;

use std::collections::BTreeMap;
use std::fmt;

use book::Book;
use ledger::{Amount, Entry, EntryKind, Lot, Outcome, Partition, Wallet};
use oracle::history::History;
use oracle::records::Record;
use proptest::collection::vec;
use proptest::prelude::*;

/// A history, shown as its records when a law fails.
#[derive(Clone)]
struct Told(History);

impl fmt::Debug for Told {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lines = self.0.records.iter().enumerate().map(|(at, r)| format!("\n{at:3} {}", r.json()));
        f.write_str(&lines.collect::<String>())
    }
}

/// Any history, and some first part of it, so that a failure is shown as short as it can be told.
fn history() -> impl Strategy<Value = Told> {
    (any::<u64>().no_shrink(), 8..80usize).prop_map(|(seed, length)| {
        let mut history = History::new(seed);
        history.records.truncate(length);
        Told(history)
    })
}

/// So many histories for each law, unless `PROPTEST_CASES` asks for another number.
fn config() -> ProptestConfig {
    let asked = ProptestConfig { failure_persistence: None, ..ProptestConfig::default() };
    if std::env::var_os("PROPTEST_CASES").is_some() { asked } else { ProptestConfig { cases: 1000, ..asked } }
}

/// One number for each place in a history.
fn dice() -> impl Strategy<Value = Vec<u32>> {
    vec(any::<u32>(), 80)
}

/// Between the offsets of two records of a history there is room for others.
const ROOM: u64 = 10;

fn offset(at: usize) -> u64 {
    at as u64 * ROOM + ROOM - 1
}

fn tell(told: &Told) -> Book {
    let mut book = Book::default();
    for (at, record) in told.0.records.iter().enumerate() {
        book.fold(offset(at), record.json().as_bytes());
    }
    book
}

/// All that can be seen of a wallet, but for the offsets that its entries came with.
#[derive(Debug, PartialEq)]
struct Seen {
    document: String,
    lots: BTreeMap<String, String>,
    entries: Vec<Entry>,
    outcomes: BTreeMap<u64, Outcome>,
}

fn see(book: &Book, wallet: &str) -> Seen {
    let lots = book.lots.iter().filter(|((w, _), _)| w == wallet);
    let entries = book.entries.iter().filter(|(_, w, _)| w == wallet);
    let outcomes = book.outcomes.iter().filter(|(_, w, _)| w == wallet);
    Seen {
        document: book.wallet(wallet).map_or(String::new(), Wallet::write),
        lots: lots.map(|((_, id), lot)| (id.clone(), row(lot))).collect(),
        entries: entries.map(|(_, _, e)| Entry { line: 0, ..e.clone() }).collect(),
        outcomes: outcomes.map(|(at, _, outcome)| (*at, outcome.clone())).collect(),
    }
}

/// A lot's row. Whether a lot that was used up first also ended is told by its window alone.
fn row(lot: &Lot) -> String {
    let mut row = serde_json::to_value(lot).unwrap();
    row.as_object_mut().unwrap().remove("ended");
    row.to_string()
}

/// The first thing in which two sights of all wallets differ.
fn difference(ours: &BTreeMap<String, Seen>, theirs: &BTreeMap<String, Seen>) -> Option<String> {
    ours.iter().find_map(|(wallet, a)| {
        let b = &theirs[wallet];
        let both = |what: &str, a: String, b: String| Some(format!("{wallet}: {what}\n  {a}\n  {b}"));
        let entries = a.entries.iter().zip(&b.entries).find(|(a, b)| a != b);
        if let Some((a, b)) = entries {
            return both("an entry", format!("{a:?}"), format!("{b:?}"));
        }
        if a.entries.len() != b.entries.len() {
            return both("entries", format!("{:?}", a.entries.last()), format!("{:?}", b.entries.last()));
        }
        if let Some((id, lot)) = a.lots.iter().find(|(id, lot)| b.lots.get(*id) != Some(lot)) {
            return both("a lot", lot.clone(), format!("{:?}", b.lots.get(id)));
        }
        match (a.document == b.document, a.outcomes == b.outcomes && a.lots.len() == b.lots.len()) {
            (true, true) => None,
            (false, _) => both("the document", a.document.clone(), b.document.clone()),
            (true, false) => both("outcomes or lots", format!("{a:?}"), format!("{b:?}")),
        }
    })
}

fn see_all(book: &Book, told: &Told) -> BTreeMap<String, Seen> {
    told.0.wallets.iter().map(|w| (w.clone(), see(book, w))).collect()
}

/// Tells a history, and before some records of a wallet an extra one that `extra` makes. It is stamped between the
/// wallet's clock and the record's stamp: at one of these, when something is due, or anywhere.
fn tell_with(told: &Told, dice: &[u32], extra: impl Fn(usize, i64, u32) -> Option<Record>) -> Book {
    let mut book = Book::default();
    for (at, record) in told.0.records.iter().enumerate() {
        for (more, die) in [dice[at % dice.len()], dice[(at + 1) % dice.len()]].into_iter().enumerate() {
            let wallet = record.wallet.as_ref().and_then(|w| book.wallet(w));
            let Some(wallet) = wallet.filter(|_| die % 3 > 0) else { continue };
            let (from, to) = (wallet.clock.0, wallet.clock.0.max(record.recorded_at));
            let due = wallet.next_due_at().map(|due| due.0).filter(|due| (from..=to).contains(due));
            let stamp = match die / 3 % 4 {
                0 => to,
                1 => from + (to - from) / 1_000_000 * i64::from(die % 1_000_000),
                _ => due.unwrap_or(from),
            };
            if let Some(extra) = extra(at, stamp, die) {
                book.fold(at as u64 * ROOM + more as u64, extra.json().as_bytes());
            }
        }
        book.fold(offset(at), record.json().as_bytes());
    }
    book
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn restarts_change_nothing(told in history(), dice in dice()) {
        let live = tell(&told);
        let mut restarted = Book::default();
        for (at, record) in told.0.records.iter().enumerate() {
            if dice[at] % 2 == 0 {
                restarted.restart();
            }
            restarted.fold(offset(at), record.json().as_bytes());
        }
        prop_assert_eq!(restarted.digests(), live.digests());
        prop_assert_eq!(&restarted.entries, &live.entries);
        prop_assert_eq!(&restarted.outcomes, &live.outcomes);
        prop_assert_eq!(difference(&see_all(&restarted, &told), &see_all(&live, &told)), None);
    }

    #[test]
    fn records_of_other_wallets_change_nothing(told in history()) {
        let all = tell(&told);
        let mut each = BTreeMap::new();
        for wallet in &told.0.wallets {
            let mut alone = Book::default();
            for (at, record) in told.0.records.iter().enumerate() {
                if record.wallet.as_ref().is_none_or(|w| w == wallet) {
                    alone.fold(offset(at), record.json().as_bytes());
                }
            }
            each.insert(wallet.clone(), see(&alone, wallet));
        }
        prop_assert_eq!(difference(&each, &see_all(&all, &told)), None);
    }

    #[test]
    fn the_number_of_partitions_changes_nothing(told in history(), partitions in 2..9u32) {
        let one = tell(&told);
        let mut books: Vec<Book> = (0..partitions).map(|_| Book::default()).collect();
        let mut next = vec![0; partitions as usize];
        for record in &told.0.records {
            let owner = record.wallet.as_ref().map(|w| Partition::of(w, partitions).0 as usize);
            for (p, book) in books.iter_mut().enumerate().filter(|(p, _)| owner.is_none_or(|o| o == *p)) {
                book.fold(next[p], record.json().as_bytes());
                next[p] += 1;
            }
        }
        let book = |wallet: &str| &books[Partition::of(wallet, partitions).0 as usize];
        let mut split: BTreeMap<_, _> = told.0.wallets.iter().map(|w| (w.clone(), see(book(w), w))).collect();
        let mut whole = see_all(&one, &told);
        // Offsets are a partition's own, and what an outcome names too.
        split.values_mut().chain(whole.values_mut()).for_each(|s| s.outcomes.clear());
        prop_assert_eq!(difference(&split, &whole), None);
    }

    #[test]
    fn a_record_again_changes_nothing(told in history(), dice in dice()) {
        let once = tell(&told);
        let again = tell_with(&told, &dice, |at, stamp, die| {
            let earlier = &told.0.records[die as usize % at.max(1)];
            let same = earlier.wallet == told.0.records[at].wallet && earlier.kind != "timer.due";
            same.then(|| Record { recorded_at: stamp, ..earlier.clone() })
        });
        for (at, _, outcome) in again.outcomes.iter().filter(|(at, _, _)| at % ROOM < ROOM - 1) {
            let known = matches!(outcome, Outcome::Duplicate(_) | Outcome::Conflict(_));
            prop_assert!(known, "the record again at {} is {}", at, outcome);
        }
        let mut seen = see_all(&again, &told);
        seen.values_mut().for_each(|s| s.outcomes.retain(|at, _| at % ROOM == ROOM - 1));
        prop_assert_eq!(difference(&seen, &see_all(&once, &told)), None);
    }

    #[test]
    fn timers_change_nothing(told in history(), dice in dice()) {
        let without = tell(&told);
        let with = tell_with(&told, &dice, |at, stamp, _| {
            let wallet = told.0.records[at].wallet.as_deref()?;
            Some(Record::timer(wallet, stamp, stamp))
        });
        prop_assert_eq!(difference(&see_all(&with, &told), &see_all(&without, &told)), None);
    }

    #[test]
    fn a_wallet_looked_at_later_is_the_wallet_that_a_timer_makes(told in history(), die in any::<u32>()) {
        let mut book = tell(&told);
        for (at, wallet) in told.0.wallets.iter().enumerate() {
            let Some(now) = book.wallet(wallet) else { continue };
            let later = now.clock.plus(i64::from(die) * 10_000_000);
            let later = now.next_due_at().filter(|_| die % 4 == 0).unwrap_or(later).max(now.clock);
            let (looked_at, changes) = ledger::advanced(&book.catalogue, now, later);
            let before = book.entries.len();
            let timer = Record::timer(wallet, later.0, later.0);
            book.fold(offset(told.0.records.len() + at), timer.json().as_bytes());
            prop_assert_eq!(looked_at.write(), book.wallet(wallet).unwrap().write());
            let booked: Vec<Entry> = book.entries[before..].iter().map(|(_, _, e)| e.clone()).collect();
            prop_assert_eq!(changes.entries, booked);
        }
    }

    #[test]
    fn a_stretch_folded_again_from_older_wallets_gives_the_same(told in history(), die in any::<prop::sample::Index>()) {
        let records = &told.0.records;
        let from = die.index(records.len());
        let mut book = Book::default();
        let mut older = book.documents();
        for (at, record) in records.iter().enumerate() {
            if at == from {
                older = book.documents();
            }
            book.fold(offset(at), record.json().as_bytes());
        }
        let (first, entries, outcomes) = (see_all(&book, &told), book.entries.clone(), book.outcomes.clone());
        book.go_back(&older);
        book.entries.retain(|(at, _, _)| *at < offset(from));
        book.outcomes.retain(|(at, _, _)| *at < offset(from));
        for (at, record) in records.iter().enumerate().skip(from) {
            book.fold(offset(at), record.json().as_bytes());
        }
        prop_assert_eq!(difference(&see_all(&book, &told), &first), None);
        prop_assert_eq!(&book.entries, &entries);
        prop_assert_eq!(&book.outcomes, &outcomes);
    }

    #[test]
    fn a_usage_reversed_at_once_is_as_if_it_had_not_been(told in history(), n in 0..40u32) {
        let mut book = tell(&told);
        for (at, wallet) in told.0.wallets.iter().enumerate() {
            if book.wallet(wallet).is_none() {
                continue;
            }
            // The first of them may settle overage by a default policy that is new.
            let at = told.0.records.len() + 4 * at;
            use_and(&mut book, wallet, at, 0, "usage.reversed");
            let before = credits(book.wallet(wallet).unwrap());
            use_and(&mut book, wallet, at + 2, n, "usage.reversed");
            prop_assert_eq!(before, credits(book.wallet(wallet).unwrap()));
        }
    }

    #[test]
    fn a_usage_re_rated_at_once_books_nothing(told in history(), n in 0..40u32) {
        let mut book = tell(&told);
        for (at, wallet) in told.0.wallets.iter().enumerate() {
            if book.wallet(wallet).is_some() {
                let before = use_and(&mut book, wallet, told.0.records.len() + 2 * at, n, "usage.rerated");
                prop_assert_eq!(&book.entries[before..], &[]);
            }
        }
    }

    #[test]
    fn entries_account_for_every_lot_and_all_overage(told in history()) {
        let mut book = Book::default();
        for (at, record) in told.0.records.iter().enumerate() {
            book.fold(offset(at), record.json().as_bytes());
            for wallet in &told.0.wallets {
                prop_assert_eq!(differs_from_its_entries(&book, wallet), None);
            }
        }
    }
}

/// What is remaining of each lot, which overage is open, and how many usages are unpriced.
fn credits(wallet: &Wallet) -> (BTreeMap<String, Amount>, Vec<(String, Amount)>, u64) {
    let some = wallet.lots().iter().filter(|l| !l.remaining.is_zero());
    let overage =
        wallet.overage().iter().map(|o| (format!("{} {} {}", o.month, o.feature, o.unit), o.amount));
    (some.map(|l| (l.id.to_string(), l.remaining)).collect(), overage.collect(), wallet.unpriced)
}

/// Has a wallet use something at its clock, and corrects that at once. Answers how many entries there were in between.
fn use_and(book: &mut Book, wallet: &str, at: usize, n: u32, correction: &str) -> usize {
    let now = book.wallet(wallet).unwrap().clock.0;
    let id = format!("at-once-{at}");
    let usage = format!(r#"{{"type":"chat","data":{{"n":{n}}}}}"#);
    let usage = Record::new("usage", wallet, &id, now, usage);
    book.fold(offset(at), usage.json().as_bytes());
    let entries = book.entries.len();
    let data = format!(r#"{{"usage":{{"source":"tests","id":"{id}"}}}}"#);
    let correction = Record::new(correction, wallet, &format!("{id}-corrected"), now, data);
    let correction = Record { reason: Some("it was wrong".into()), ..correction };
    book.fold(offset(at + 1), correction.json().as_bytes());
    entries
}

/// What the entries of a wallet do not explain of its lots, of what is available, or of its open overage.
fn differs_from_its_entries(book: &Book, wallet: &str) -> Option<String> {
    let now = book.wallet(wallet)?;
    let mut accounts: BTreeMap<(String, String), i128> = BTreeMap::new();
    for (_, _, e) in book.entries.iter().filter(|(_, w, _)| w == wallet) {
        let (debit, credit) = e.kind.accounts(e.lot.as_deref(), e.other_lot.as_deref());
        *accounts.entry((e.unit.to_string(), debit)).or_default() -= e.amount.billionths();
        *accounts.entry((e.unit.to_string(), credit)).or_default() += e.amount.billionths();
        if e.amount.is_zero()
            || (e.kind == EntryKind::Issue) != e.lot.as_deref().is_some_and(|l| is_issue(e, l))
        {
            return Some(format!("{e:?} moves nothing"));
        }
    }
    let account = |unit: &str, name: String| accounts.get(&(unit.to_owned(), name)).copied().unwrap_or(0);
    let rows = || book.lots.iter().filter(|((w, _), _)| w == wallet).map(|(_, lot)| lot);
    for lot in rows() {
        let booked = account(&lot.unit, format!("lot:{}", lot.id));
        if booked != lot.remaining.billionths() {
            return Some(format!("entries leave {booked} billionths in {lot:?}"));
        }
    }
    for unit in ["credits", "usd"] {
        let open = rows().filter(|l| *l.unit == *unit && l.holds(now.clock)).map(|l| l.remaining);
        let quiet =
            now.lots().iter().filter(|l| *l.unit == *unit && l.is_untouched() && l.is_open(now.clock));
        let held: Amount = open.chain(quiet.map(|l| l.remaining)).sum();
        if now.available(unit, now.clock) != held {
            return Some(format!(
                "{} {unit} are available, open lots hold {held}",
                now.available(unit, now.clock)
            ));
        }
        let overage: Amount = now.overage().iter().filter(|o| *o.unit == *unit).map(|o| o.amount).sum();
        if account(unit, "overage".into()) != -overage.billionths() {
            return Some(format!("entries leave another overage than {overage} {unit}"));
        }
    }
    None
}

fn is_issue(entry: &Entry, lot: &str) -> bool {
    entry.kind.accounts(Some(lot), None).0 == "grants"
}

#[test]
fn histories_tell_of_everything() {
    let mut kinds: BTreeMap<EntryKind, u32> = BTreeMap::new();
    let mut outcomes: BTreeMap<String, u32> = BTreeMap::new();
    for seed in 0..9000 {
        let book = tell(&Told(History::new(seed)));
        book.entries.iter().for_each(|(_, _, e)| *kinds.entry(e.kind).or_default() += 1);
        for (_, _, outcome) in &book.outcomes {
            let word = outcome.to_string().split(' ').next().unwrap().to_owned();
            *outcomes.entry(word).or_default() += 1;
        }
    }
    assert!(EntryKind::ALL[..11].iter().all(|k| kinds.get(k).is_some_and(|n| *n >= 5)), "{kinds:?}");
    assert_eq!(
        outcomes.keys().collect::<Vec<_>>(),
        ["applied", "approved", "conflict", "declined", "duplicate", "rejected"]
    );
    assert!(outcomes.values().all(|n| *n > 500), "{outcomes:?}");
}
