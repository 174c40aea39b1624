//! Holds: credits set aside for work that is under way, from the very lots that will pay (rules, section 7).

mod answer;
mod decide;
mod policy;
mod records;
mod release;
mod settle;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

pub use answer::{Approved, Declined, NotAnAnswer, Why};
pub use policy::{Beyond, HoldPolicy};
pub use records::{Extended, HoldVoided, Line, Measure, Requested, Settled};
pub use settle::Settles;

use crate::amount::{Amount, sum};
use crate::name::Name;
use crate::time::Instant;
use crate::wallet::Wallet;

/// Most holds that a wallet may have open at one time: its document has them all.
pub const MOST_HOLDS: usize = 1_000;

/// An open hold: what is set aside, where, and until when.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Hold {
    /// Who made its id.
    pub(crate) source: Name,
    /// When it was approved: its settlement counts as of then.
    pub at: Instant,
    /// When it ends by itself.
    pub ends_at: Instant,
    /// When it ends at the latest, however it is extended.
    pub latest: Instant,
    /// Who uses.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<Name>,
    /// The version that priced it, as `name@revision`: it prices the settlement too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub price: Option<Name>,
    /// What is set aside, a line for each unit and feature.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub lines: Vec<Held>,
}

/// What a hold has set aside of one unit for one feature.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Held {
    /// The unit.
    pub unit: Name,
    /// What it is for.
    pub feature: Name,
    /// In which lots, in the order in which they were taken from and will pay.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub lots: Vec<HeldLot>,
    /// What no lot covers: it is held against the overdraft.
    #[serde(default, deserialize_with = "sum", skip_serializing_if = "Amount::is_zero")]
    pub overdraft: Amount,
}

/// What a hold has set aside in one lot.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HeldLot {
    /// The lot.
    pub lot: Name,
    /// How much.
    #[serde(deserialize_with = "sum")]
    pub amount: Amount,
}

impl Held {
    /// All of it, in lots and against the overdraft.
    pub fn amount(&self) -> Amount {
        self.lots.iter().map(|part| part.amount).chain([self.overdraft]).sum()
    }

    fn put(&mut self, lot: Name, amount: Amount) {
        match self.lots.iter_mut().find(|part| part.lot == lot) {
            Some(part) => part.amount.add(amount),
            None => self.lots.push(HeldLot { lot, amount }),
        }
    }
}

impl Hold {
    /// All that it has set aside of a unit, in lots and against the overdraft.
    pub fn amount(&self, unit: &str) -> Amount {
        self.lines.iter().filter(|line| *line.unit == *unit).map(Held::amount).sum()
    }

    /// Where lines that pay for this unit and feature stand: those for the feature itself first.
    fn paying(&self, unit: &Name, feature: &Name) -> Vec<usize> {
        let of_unit = |at: &usize| self.lines[*at].unit == *unit;
        let mut lines: Vec<usize> = (0..self.lines.len()).filter(of_unit).collect();
        lines.sort_by_key(|at| self.lines[*at].feature != *feature);
        lines
    }

    /// The line of a unit and feature, made if there is none.
    fn line(&mut self, unit: &Name, feature: &Name) -> &mut Held {
        let is_it = |line: &Held| line.unit == *unit && line.feature == *feature;
        let at = self.lines.iter().position(is_it).unwrap_or_else(|| {
            let (unit, feature) = (unit.clone(), feature.clone());
            self.lines.push(Held { unit, feature, lots: Vec::new(), overdraft: Amount::ZERO });
            self.lines.len() - 1
        });
        &mut self.lines[at]
    }
}

impl Wallet {
    /// Open holds, by their ids.
    pub fn holds(&self) -> &BTreeMap<Name, Hold> {
        &self.holds
    }

    /// What open holds have set aside of a unit against the overdraft.
    pub fn held_overdraft(&self, unit: &str) -> Amount {
        let lines = self.holds.values().flat_map(|hold| &hold.lines).filter(|line| *line.unit == *unit);
        lines.map(|line| line.overdraft).sum()
    }

    /// When the next hold ends by itself.
    pub(crate) fn next_hold_end(&self) -> Option<Instant> {
        self.holds.values().map(|hold| hold.ends_at).min()
    }
}
