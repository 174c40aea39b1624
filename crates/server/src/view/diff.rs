//! What changed between what was known of a moment once and later: by lot, feature and overage, and entry by entry.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use ledger::{Amount, Entry, EntryKind, Instant, Month, Name, Position};
use serde::Serialize;

use super::explain::RecordNow;
use super::statement::table;
use crate::view::entry::EntryNow;
use crate::view::history::{Booked, Cut, Known, Moves, Standing, What, Where};
use crate::view::net::Net;
use crate::view::{Align, AsOf, Reading, Table, behind, when};

/// What was known of a wallet as of a moment, at two others.
#[derive(Debug, Serialize)]
pub(crate) struct Diff {
    wallet: String,
    as_of: AsOf,
    known_at: [Instant; 2],
    changes: Vec<Change>,
    /// The records that did it, each with its entries; what time alone has done since then stands without one.
    by: Vec<By>,
    /// What was due by time alone as it was known first, and came otherwise.
    no_longer: Vec<EntryNow>,
    behind: u64,
}

/// A sum that changed.
#[derive(Debug, Serialize)]
struct Change {
    unit: String,
    #[serde(flatten)]
    what: Of,
    before: Net,
    after: Net,
    change: Net,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(tag = "of", rename_all = "snake_case")]
enum Of {
    Balance,
    Lot {
        lot: String,
    },
    /// What was used of lots or left uncovered, less what was reversed.
    Used {
        feature: String,
    },
    Overage {
        month: Month,
        feature: String,
    },
}

#[derive(Debug, Serialize)]
struct By {
    record: Option<RecordNow>,
    entries: Vec<EntryNow>,
}

/// An entry by what it says, wherever it was booked.
type Says<'a> = (EntryKind, &'a Name, [Option<&'a Name>; 4], Amount, Instant, Instant, Option<Month>);

fn says(entry: &Entry) -> Says<'_> {
    let names = [&entry.lot, &entry.other_lot, &entry.feature, &entry.price].map(Option::as_ref);
    (entry.kind, &entry.unit, names, entry.amount, entry.effective_at, entry.booked_at, entry.month)
}

impl Diff {
    /// Compares what was known at two moments of what counts as of `at`; left out, the first of them.
    ///
    /// # Errors
    ///
    /// If no record names the wallet, or its records cannot be folded again.
    pub(crate) async fn read(
        reading: &Reading,
        wallet: &str,
        at: Option<Instant>,
        (first, second): (Instant, Instant),
    ) -> anyhow::Result<Self> {
        let at = at.unwrap_or(first);
        let mut before = Known::read(reading, wallet, Some(first), &[]).await?;
        let mut after = Known::read(reading, wallet, Some(second), &[]).await?;
        before.advance_to(at);
        after.advance_to(at);
        let (old, new) = (before.moves()?, after.moves()?);
        let changes = changes(sums(&old, at)?, sums(&new, at)?);
        let (old, new) = (counting(&old, at), counting(&new, at));
        let added = without(&new, &old);
        let mut by = BTreeMap::<Option<Position>, Vec<Booked<'_>>>::new();
        for booked in added {
            by.entry(booked.by.map(|record| record.at)).or_default().push(booked);
        }
        // What no record has booked yet comes last.
        let due = by.remove(&None);
        let groups = by.into_values().chain(due);
        let group = |booked: Vec<Booked<'_>>| By {
            record: booked[0].by.map(RecordNow::of),
            entries: booked.into_iter().map(EntryNow::of).collect(),
        };
        Ok(Self {
            wallet: after.id.clone(),
            as_of: after.as_of(at),
            known_at: [first, second],
            changes,
            by: groups.map(group).collect(),
            no_longer: without(&old, &new).into_iter().map(EntryNow::of).collect(),
            behind: after.behind,
        })
    }
}

/// The entries of which some part counts as of a moment.
fn counting<'a>(moves: &Moves<'a>, at: Instant) -> Vec<Booked<'a>> {
    let counts: BTreeSet<usize> =
        moves.legs.iter().filter(|leg| Cut::AsOf(at).holds(leg)).map(|leg| leg.of).collect();
    counts.into_iter().map(|of| moves.entries[of]).collect()
}

/// The entries that are not among others, each as often as it is more often here.
fn without<'a>(entries: &[Booked<'a>], others: &[Booked<'_>]) -> Vec<Booked<'a>> {
    let mut there = BTreeMap::<Says<'_>, usize>::new();
    for other in others {
        *there.entry(says(other.entry)).or_default() += 1;
    }
    let is_new = |booked: &&Booked<'a>| match there.get_mut(&says(booked.entry)) {
        Some(count @ 1..) => {
            *count -= 1;
            false
        }
        Some(0) | None => true,
    };
    entries.iter().filter(is_new).copied().collect()
}

/// All sums as of a moment.
fn sums(moves: &Moves<'_>, at: Instant) -> anyhow::Result<BTreeMap<(String, Of), Net>> {
    let standing = Standing::of(moves, Cut::AsOf(at))?;
    let mut sums = BTreeMap::<(String, Of), Net>::new();
    for (id, lot) in &standing.lots {
        let unit = lot.unit.to_string();
        sums.entry((unit.clone(), Of::Balance)).or_default().add(true, lot.remaining);
        sums.entry((unit, Of::Lot { lot: id.to_string() })).or_default().add(true, lot.remaining);
    }
    for ((unit, month, feature), open) in &standing.overage {
        let of = Of::Overage { month: *month, feature: feature.to_string() };
        sums.entry((unit.to_string(), of)).or_default().add(true, *open);
    }
    for leg in moves.legs.iter().filter(|leg| Cut::AsOf(at).holds(leg)) {
        let feature = match &leg.place {
            Where::Lot { what: What::Used | What::Reversed, feature, .. } => feature.as_ref(),
            Where::Overage { feature, .. } => {
                let kind = moves.entries[leg.of].entry.kind;
                Some(feature).filter(|_| matches!(kind, EntryKind::Overage | EntryKind::ReverseOverage))
            }
            Where::Lot { .. } => None,
        };
        let Some(feature) = feature else { continue };
        let taken = matches!(leg.place, Where::Lot { .. }) != leg.adds;
        let of = Of::Used { feature: feature.to_string() };
        sums.entry((leg.unit.to_string(), of)).or_default().add(taken, leg.amount);
    }
    Ok(sums)
}

fn changes(before: BTreeMap<(String, Of), Net>, after: BTreeMap<(String, Of), Net>) -> Vec<Change> {
    let keys: BTreeSet<&(String, Of)> = before.keys().chain(after.keys()).collect();
    let change = |key: &(String, Of)| {
        let of = |sums: &BTreeMap<(String, Of), Net>| sums.get(key).copied().unwrap_or_default();
        let (before, after) = (of(&before), of(&after));
        let change: Net = [after, before.negated()].into_iter().sum();
        (!change.is_zero()).then(|| Change {
            unit: key.0.clone(),
            what: key.1.clone(),
            before,
            after,
            change,
        })
    };
    keys.into_iter().filter_map(change).collect()
}

impl fmt::Display for Of {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Balance => f.write_str("balance"),
            Self::Lot { lot } => write!(f, "in {lot}"),
            Self::Used { feature } => write!(f, "used for {feature}"),
            Self::Overage { month, feature } => write!(f, "open overage of {month} for {feature}"),
        }
    }
}

impl fmt::Display for Diff {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [first, second] = self.known_at.map(when);
        writeln!(
            f,
            "{} as of {}: what was known at {first}, and at {second}",
            self.wallet,
            when(self.as_of.time)
        )?;
        let columns = [("unit".into(), Align::Left), (String::new(), Align::Left)];
        let known = [first, second].map(|at| (format!("known at {at}"), Align::Right));
        let mut sums =
            Table::new(columns.into_iter().chain(known).chain([("change".to_owned(), Align::Right)]));
        for Change { unit, what, before, after, change } in &self.changes {
            let sign = if change.above().is_some() { "+" } else { "" };
            let change = format!("{sign}{change}");
            sums.add([unit.clone(), what.to_string(), before.to_string(), after.to_string(), change]);
        }
        if sums.is_empty() {
            writeln!(f, "  nothing that counts as of then has changed")?;
        }
        write!(f, "{sums}")?;
        for By { record, entries } in &self.by {
            match record {
                Some(record) => writeln!(f, "\n{}", record.says())?,
                None => writeln!(f, "\nTime alone has done, and no record has booked it yet:")?,
            }
            write!(f, "{}", table(entries.iter()))?;
        }
        if !self.no_longer.is_empty() {
            writeln!(
                f,
                "\nWhat time alone would have done, as it was known first, and what came otherwise:"
            )?;
            write!(f, "{}", table(self.no_longer.iter()))?;
        }
        f.write_str(&behind(self.behind))
    }
}
