//! What a usage was charged, and each lot that was considered for it.

use std::collections::BTreeMap;

use ledger::{Amount, Considered, Entry, EntryKind, Lot, Name, Verdict, burn_order};
use schemars::JsonSchema;
use serde::Serialize;

use crate::view::history::{Close, Known};
use crate::view::order::{behind, nth};
use crate::view::{Align, Table, when};

/// What was charged of one unit for one feature.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "ChargeExplained")]
pub(crate) struct ChargeNow {
    pub(crate) unit: String,
    pub(crate) feature: String,
    pub(crate) amount: Amount,
    /// What no lot covered.
    pub(crate) overage: Amount,
    pub(crate) lots: Vec<LotSeen>,
}

/// A lot in the order of burning, and what came of it.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct LotSeen {
    lot: String,
    /// What it had to give when its turn came; none if it did not come.
    had: Option<Amount>,
    /// What it paid.
    took: Amount,
    /// Why it paid or was passed over.
    why: String,
    /// Why its turn came after that of the lot before.
    order: Option<String>,
}

/// The charges of a record, in the order in which they were made.
pub(crate) fn charges(known: &Known, close: &Close) -> Vec<ChargeNow> {
    let entries = &close.did.changes.entries;
    let considered = close.did.changes.considered.as_deref().unwrap_or_default();
    let mut keys: Vec<(Name, Name)> = Vec::new();
    for entry in entries.iter().filter(|entry| entry.kind.is_draw()) {
        let Some(feature) = &entry.feature else { continue };
        let key = (entry.unit.clone(), feature.clone());
        if !keys.contains(&key) {
            keys.push(key);
        }
    }
    keys.iter().map(|key| ChargeNow::of(known, close, considered, entries, key)).collect()
}

impl ChargeNow {
    fn of(
        known: &Known,
        close: &Close,
        considered: &[Considered],
        entries: &[Entry],
        (unit, feature): &(Name, Name),
    ) -> Self {
        let draws = || {
            entries
                .iter()
                .filter(|e| e.kind.is_draw() && e.unit == *unit && e.feature.as_ref() == Some(feature))
        };
        let lot = |id: &Name| {
            let before = close.before.lots().iter().chain(close.after.lots()).find(|lot| lot.id == *id);
            before.or_else(|| known.lot(id))
        };
        let mut took = BTreeMap::<&Name, Amount>::new();
        for (id, amount) in draws().filter_map(|e| Some((e.lot.as_ref()?, e.amount))) {
            took.entry(id).or_default().add(amount);
        }
        let seen = considered
            .iter()
            .filter(|c| c.feature == *feature && lot(&c.lot).is_some_and(|l| l.unit == *unit));
        let mut lots: Vec<LotSeen> = Vec::new();
        let mut previous: Option<&Lot> = None;
        for c in seen {
            let this = lot(&c.lot);
            let took = took.get(&c.lot).copied().unwrap_or_default();
            lots.push(LotSeen {
                lot: c.lot.to_string(),
                had: Some(c.had),
                took,
                why: why(c.verdict),
                order: previous
                    .zip(this)
                    .map(|(previous, this)| behind(burn_order(previous, this).1, previous, this)),
            });
            previous = this;
        }
        let is_seen = |lot: &Lot| lots.iter().any(|seen| seen.lot == *lot.id);
        let open = close.before.lots().iter().filter(|lot| lot.unit == *unit && !lot.remaining.is_zero());
        let rest: Vec<LotSeen> = open.filter(|lot| !is_seen(lot)).map(LotSeen::not_needed).collect();
        lots.extend(rest);
        let uncovered = draws().filter(|e| e.kind == EntryKind::Overage).map(|e| e.amount).sum();
        let amount = draws().map(|e| e.amount).sum();
        Self { unit: unit.to_string(), feature: feature.to_string(), amount, overage: uncovered, lots }
    }

    pub(crate) fn says(&self) -> String {
        let Self { unit, feature, amount, overage, .. } = self;
        if overage.is_zero() {
            return format!("{amount} {unit} were charged for {feature}, and lots covered all of it.");
        }
        format!("{amount} {unit} were charged for {feature}; {overage} of it no lot covered, and is overage.")
    }

    /// The lots in columns.
    pub(crate) fn table(&self) -> Table {
        let mut table = Table::new([
            ("turn", Align::Left),
            ("lot", Align::Left),
            ("had", Align::Right),
            ("paid", Align::Right),
            ("because it", Align::Left),
            ("its place in the order", Align::Left),
        ]);
        for (at, lot) in self.lots.iter().enumerate() {
            let turn = u32::try_from(at + 1).map(nth).unwrap_or_default();
            table.add([
                if lot.had.is_some() { turn } else { String::new() },
                lot.lot.clone(),
                lot.had.map(|had| had.to_string()).unwrap_or_default(),
                lot.took.to_string(),
                lot.why.clone(),
                lot.order.clone().unwrap_or_default(),
            ]);
        }
        table
    }
}

/// A verdict in words, its times as people read them.
fn why(verdict: Verdict) -> String {
    match verdict {
        Verdict::NotYetBegun { starts_at } => format!("begins only at {}", when(starts_at)),
        Verdict::EndedBefore { ended_at } => format!("had ended at {}", when(ended_at)),
        Verdict::Pays
        | Verdict::PaysLate
        | Verdict::TooLate
        | Verdict::OtherFeature
        | Verdict::OtherSubject
        | Verdict::Void
        | Verdict::Empty => verdict.words(),
    }
}

impl LotSeen {
    fn not_needed(lot: &Lot) -> Self {
        let why = "was not needed: all was covered before its turn".to_owned();
        Self { lot: lot.id.to_string(), had: None, took: Amount::ZERO, why, order: None }
    }
}
