//! What holds a wallet may have.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::amount::Amount;
use crate::catalogue::Catalogue;
use crate::time::Span;
use crate::wallet::Wallet;

/// What a wallet's holds may set aside, and for how long (rules, section 7).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct HoldPolicy {
    /// What may be approved that lots do not cover.
    #[serde(default, skip_serializing_if = "Beyond::is_block")]
    pub beyond: Beyond,
    /// The most that one hold may set aside, by unit; a unit left out has no such bound.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub largest: BTreeMap<String, Amount>,
    /// How long a hold lives at the longest, however it is extended.
    #[serde(default = "a_day")]
    pub max_life: Span,
}

/// What may be approved that lots do not cover. Usage that happened is booked all the same.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum Beyond {
    /// Nothing: lots must cover all of it.
    #[default]
    Block,
    /// So much of each unit, open overage and what other holds have there included; a unit left out has no bound.
    Overdraft(BTreeMap<String, Amount>),
    /// Anything, and the answer says that lots do not cover it.
    SoftCap,
}

impl Beyond {
    fn is_block(&self) -> bool {
        *self == Self::Block
    }
}

impl Default for HoldPolicy {
    fn default() -> Self {
        Self { beyond: Beyond::default(), largest: BTreeMap::new(), max_life: a_day() }
    }
}

fn a_day() -> Span {
    Span::hours(24)
}

impl Wallet {
    /// What its holds may set aside at its clock: its own policy, else the catalogue's.
    pub fn hold_policy(&self, catalogue: &Catalogue) -> HoldPolicy {
        let own = self.settings.holds.as_ref().or(catalogue.policies_at(self.clock).holds.as_ref());
        own.cloned().unwrap_or_default()
    }
}

impl HoldPolicy {
    /// The units that it names.
    pub(crate) fn units(&self) -> impl Iterator<Item = &str> {
        let bounds = match &self.beyond {
            Beyond::Overdraft(bounds) => Some(bounds),
            Beyond::Block | Beyond::SoftCap => None,
        };
        self.largest.keys().chain(bounds.into_iter().flat_map(BTreeMap::keys)).map(String::as_str)
    }
}
