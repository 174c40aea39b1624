//! A lot from its grant to its end: where every credit of it went.

use std::fmt;

use anyhow::{Context as _, ensure};
use ledger::{Amount, EntryKind, Instant, Lot};
use schemars::JsonSchema;
use serde::Serialize;

use crate::view::entry::EntryNow;
use crate::view::history::{Booked, Known};
use crate::view::net::Net;
use crate::view::statement::table;
use crate::view::{AsOf, behind, moment, when};

/// A lot, explained.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "LotExplained")]
pub(crate) struct OfLot {
    wallet: String,
    as_of: AsOf,
    lot: String,
    grant: String,
    /// The record that promised it.
    granted_by: Option<String>,
    unit: String,
    category: &'static str,
    priority: u8,
    effective_at: Instant,
    expires_at: Option<Instant>,
    /// The lot that it was carried from.
    origin: Option<String>,
    /// The lot that a reset added it to.
    tops_up: Option<String>,
    void_since: Option<Instant>,
    places: Places,
    /// Lots carried over from it, or added to it.
    children: Vec<String>,
    /// All entries that concern it, in the order in which they were booked.
    entries: Vec<EntryNow>,
    behind: u64,
}

/// Where its credits are: issued is the sum of the others.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(rename = "LotPlaces")]
struct Places {
    issued: Amount,
    remaining: Amount,
    held: Amount,
    consumed: Amount,
    expired: Amount,
    voided: Amount,
    rolled_over: Amount,
    returned: Amount,
    moved: Amount,
}

impl OfLot {
    pub(crate) fn new(known: &Known, id: &str) -> anyhow::Result<Self> {
        let quiet = known.quiet(known.at).find(|lot| *lot.id == *id);
        let lot = known.lot(id).or(quiet).with_context(|| format!("there is no lot {id}"))?;
        let terms = lot.terms();
        let is_its = |b: &Booked<'_>| {
            let e = b.entry;
            [&e.lot, &e.other_lot].into_iter().flatten().any(|name| **name == *id)
        };
        let entries: Vec<Booked<'_>> = known.entries().filter(is_its).collect();
        let places = Places::of(lot);
        ensure!(places.add_up(), "the lot {id} breaks the law: {places:?}. Run `drawdown verify`");
        if !lot.is_untouched() {
            let booked =
                booked(&entries, id).with_context(|| format!("the entries of lot {id} do not add up"))?;
            let remaining = places.remaining;
            ensure!(
                Places { remaining, ..booked } == places,
                "the entries of lot {id} say {booked:?}, and it is {places:?}. Run `drawdown verify`"
            );
        }
        let granted = known.records.iter().find(|r| r.grants.contains(&terms.grant_id));
        let is_child =
            |e: &&Booked<'_>| e.entry.kind == EntryKind::Carry && e.entry.lot.as_deref() == Some(id);
        let tops =
            |e: &&Booked<'_>| e.entry.kind == EntryKind::Issue && e.entry.other_lot.as_deref() == Some(id);
        let carried = entries.iter().filter(is_child).filter_map(|e| e.entry.other_lot.clone());
        let added = entries.iter().filter(tops).filter_map(|e| e.entry.lot.clone());
        let mut children: Vec<String> = carried.chain(added).map(|name| name.to_string()).collect();
        children.dedup();
        Ok(Self {
            wallet: known.id.clone(),
            as_of: known.as_of(known.at),
            lot: id.to_owned(),
            grant: terms.grant_id.clone(),
            granted_by: granted.map(|r| r.at.to_string()),
            unit: lot.unit.to_string(),
            category: terms.category.word(),
            priority: terms.priority,
            effective_at: lot.starts_at,
            expires_at: lot.ends_at,
            origin: lot.origin.as_ref().map(ToString::to_string),
            tops_up: lot.tops_up().map(ToString::to_string),
            void_since: lot.void_since(),
            places,
            children,
            entries: entries.into_iter().map(EntryNow::of).collect(),
            behind: known.behind,
        })
    }
}

/// What the entries of a lot say.
fn booked(entries: &[Booked<'_>], id: &str) -> Option<Places> {
    let sum = |adds: &[EntryKind], takes: &[EntryKind], is_other: bool| {
        let mut net = Net::default();
        for e in entries.iter().map(|b| b.entry) {
            let name = if is_other { &e.other_lot } else { &e.lot };
            let adding = adds.contains(&e.kind);
            if name.as_deref() == Some(id) && (adding || takes.contains(&e.kind)) {
                net.add(adding, e.amount);
            }
        }
        net
    };
    use EntryKind as K;
    let of = |adds: &[K], takes: &[K]| sum(adds, takes, false).above();
    let carried_in = sum(&[K::Carry], &[], true);
    let given_back = sum(&[K::Return, K::ReturnExpired], &[], true).negated();
    let issued: Net = [sum(&[K::Issue], &[], false), carried_in].into_iter().sum();
    let rolled_over: Net = [sum(&[K::Carry], &[], false), given_back].into_iter().sum();
    Some(Places {
        issued: issued.above()?,
        held: of(&[K::Hold], &[K::HeldUsage, K::Release])?,
        consumed: of(&[K::Usage, K::LateUsage, K::HeldUsage, K::Repay], &[K::Reversal, K::Unrepay])?,
        expired: of(&[K::Expire, K::Reset], &[K::LateUsage, K::ReturnExpired])?,
        voided: of(&[K::Void], &[])?,
        rolled_over: rolled_over.above()?,
        returned: of(&[K::Return, K::ReturnExpired], &[])?,
        ..Places::default()
    })
}

impl Places {
    fn of(lot: &Lot) -> Self {
        Self {
            issued: lot.issued,
            remaining: lot.remaining,
            held: lot.held,
            consumed: lot.consumed,
            expired: lot.expired,
            voided: lot.voided,
            rolled_over: lot.rolled_over,
            returned: lot.returned,
            moved: lot.moved,
        }
    }

    fn named(&self) -> [(&'static str, Amount); 8] {
        [
            ("remain", self.remaining),
            ("are held", self.held),
            ("paid usage or overage", self.consumed),
            ("expired", self.expired),
            ("were voided", self.voided),
            ("were carried over", self.rolled_over),
            ("went back to the lot before", self.returned),
            ("went to another wallet", self.moved),
        ]
    }

    fn add_up(&self) -> bool {
        self.named().into_iter().map(|(_, amount)| amount).sum::<Amount>() == self.issued
    }
}

impl fmt::Display for OfLot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { wallet, lot, grant, unit, category, priority, .. } = self;
        writeln!(f, "{wallet}, the lot {lot} as known at {}\n", moment(self.as_of.time))?;
        let by = self
            .granted_by
            .as_ref()
            .map(|at| format!(", which the record {at} promised"))
            .unwrap_or_default();
        writeln!(f, "{lot} is a lot of the grant {grant}{by}: {category}, priority {priority}.")?;
        let end = |end: Instant| match end <= self.as_of.time {
            true => format!("ended at {}", when(end)),
            false => format!("ends at {}", when(end)),
        };
        let until = self.expires_at.map_or_else(|| "never ends".to_owned(), end);
        writeln!(f, "It began at {} and {until}.", when(self.effective_at))?;
        if let Some(origin) = &self.origin {
            writeln!(f, "It was carried over from {origin}.")?;
        }
        if let Some(base) = &self.tops_up {
            writeln!(f, "A reset added it to {base}.")?;
        }
        if let Some(since) = self.void_since {
            writeln!(f, "It is void since {}: it pays nothing any more.", when(since))?;
        }
        if self.entries.is_empty() {
            writeln!(f, "Nothing has touched it: such a lot of a quiet grant is booked with its first use.")?;
        }
        let there = self.places.named().into_iter().filter(|(_, amount)| !amount.is_zero());
        let there: Vec<String> = there.map(|(what, amount)| format!("{amount} {what}")).collect();
        writeln!(f, "Of the {} {unit} that it was issued, {}.", self.places.issued, there.join(", "))?;
        if !self.children.is_empty() {
            writeln!(f, "From it came {}.", self.children.join(", "))?;
        }
        if !self.entries.is_empty() {
            write!(f, "\n{}", table(self.entries.iter()))?;
        }
        f.write_str(&behind(self.behind))
    }
}
