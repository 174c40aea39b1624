//! What a wallet knows of its usages: how each was priced, and what it is paid with.

use std::collections::BTreeMap;

use super::pricing::Count;
use super::text::Json;

/// A usage that was booked.
#[derive(Clone)]
pub(crate) struct Used {
    /// When it counts.
    pub(crate) time: i64,
    pub(crate) subject: Option<String>,
    /// The event's type and data; nothing if it was settled in plain amounts.
    pub(crate) event: Json,
    /// The price that it was charged by, empty for plain amounts; none while it is unpriced.
    pub(crate) price: Option<String>,
    /// What it added to counters.
    pub(crate) counts: Vec<Count>,
    /// What is in effect of it, in the order in which it was booked.
    pub(crate) parts: Vec<Part>,
    /// What was taken back in parts, by unit and feature.
    pub(crate) taken_back: BTreeMap<(String, String), i128>,
    /// Whether all of it was taken back.
    pub(crate) cancelled: bool,
}

/// What one entry charged for a usage, as far as it is still in effect.
#[derive(Clone, Debug)]
pub(crate) struct Part {
    pub(crate) unit: String,
    pub(crate) feature: String,
    pub(crate) amount: i128,
    pub(crate) booked_at: i64,
    /// When it counts as of: the usage's time, but for what was held in a lot that began later.
    pub(crate) effective_at: i64,
    pub(crate) payer: Payer,
}

/// What a part was taken from.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Payer {
    Lot(usize),
    /// Overage of a month.
    Overage(String),
}

impl Used {
    /// What is in effect of it, summed up by lot (none is overage, of whichever month), unit and feature.
    pub(crate) fn in_effect(&self) -> BTreeMap<(Option<usize>, String, String), i128> {
        let mut sums = BTreeMap::new();
        for part in self.parts.iter().filter(|part| part.amount > 0) {
            let lot = if let Payer::Lot(lot) = part.payer { Some(lot) } else { None };
            *sums.entry((lot, part.unit.clone(), part.feature.clone())).or_default() += part.amount;
        }
        sums
    }
}
