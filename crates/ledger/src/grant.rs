//! The promise: what a grant says (rules, section 4).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::amount::Amount;
use crate::time::{Instant, Span};

/// A grant of credits as it was issued: one lot, or one each cycle.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Terms {
    /// The grant's name within its wallet. The same body again is a duplicate, another body is a conflict.
    pub grant_id: String,
    /// The unit of every lot.
    pub unit: String,
    /// What each lot holds, above zero.
    pub amount: Amount,
    /// What each lot cost.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cost_basis: Option<Cost>,
    /// Lower burns first.
    #[serde(default = "default_priority")]
    pub priority: u8,
    /// Why the credits are there.
    #[serde(default)]
    pub category: Category,
    /// When the first lot begins (inclusive); left out, the record's time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub effective_at: Option<Instant>,
    /// When a one-off lot ends (exclusive).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Instant>,
    /// How long each lot lives.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_after: Option<Span>,
    /// What the credits may pay.
    #[serde(default, skip_serializing_if = "Scope::is_any")]
    pub applies_to: Scope,
    /// When further lots begin.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recurrence: Option<Recurrence>,
    /// What is carried over when a lot ends; left out, nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rollover: Option<Rollover>,
    /// What a reset brings its lots back to; left out, they are left as they are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reset: Option<Bounds>,
    /// How long an ended lot still pays usage of its time; left out, the catalogue's. Never longer than the lot.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub allowed_lateness: Option<Span>,
    /// The purchase that this belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub purchase_id: Option<String>,
    /// The sender's own notes.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub metadata: BTreeMap<String, String>,
}

fn default_priority() -> u8 {
    50
}

/// Money paid for a lot, net of tax and discount.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Cost {
    /// In the currency's main unit.
    pub money: Amount,
    /// ISO 4217, such as `USD`.
    pub currency: String,
}

/// Why credits are there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum Category {
    /// They were bought.
    #[default]
    Paid,
    /// They were given to win somebody.
    Promotional,
    /// They came with a plan.
    Included,
    /// They make up for something.
    Compensation,
}

impl Category {
    /// The word in records and tables.
    pub fn word(self) -> &'static str {
        match self {
            Self::Paid => "paid",
            Self::Promotional => "promotional",
            Self::Included => "included",
            Self::Compensation => "compensation",
        }
    }
}

/// What a lot may pay: an empty dimension is any.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Scope {
    /// The features it may pay.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub feature: Vec<String>,
    /// The subjects whose usage it may pay.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub subject: Vec<String>,
}

impl Scope {
    /// Whether nothing is excluded.
    pub fn is_any(&self) -> bool {
        self.feature.is_empty() && self.subject.is_empty()
    }

    /// Whether a charge of this feature, used by this subject, may be paid.
    pub fn allows(&self, feature: &str, subject: Option<&str>) -> bool {
        (self.feature.is_empty() || self.feature.iter().any(|f| f == feature))
            && (self.subject.is_empty() || subject.is_some_and(|s| self.subject.iter().any(|t| t == s)))
    }

    /// Whether overage of this feature may be paid back: lots limited to subjects repay none.
    pub fn repays(&self, feature: &str) -> bool {
        self.subject.is_empty() && self.allows(feature, None)
    }

    /// Sorts the narrower first: more dimensions, then fewer values.
    pub(crate) fn breadth(&self) -> (usize, usize) {
        let any = usize::from(self.feature.is_empty()) + usize::from(self.subject.is_empty());
        (any, self.feature.len() + self.subject.len())
    }
}

/// When lots begin: `anchor` plus n times `interval`, for any whole n.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Recurrence {
    /// An hour at least.
    pub interval: Span,
    /// Left out, the grant's `effective_at`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub anchor: Option<Instant>,
    /// No lot begins at or after this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Instant>,
    /// What a first lot gets that begins between two occurrences.
    #[serde(default)]
    pub first: First,
    /// A quota: a lot that nothing touches books nothing and needs no timer.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub quiet: bool,
}

/// What a first, partial cycle gets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum First {
    /// The full amount.
    #[default]
    Full,
    /// The share of the cycle that is left, cut down to nine places.
    Prorated,
    /// Nothing: the first lot begins at the next occurrence.
    Skip,
}

/// What a reset leaves in a lot, and in what earlier resets added to it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Bounds {
    /// What lacks to this is added.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min: Option<Amount>,
    /// What is above this expires.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max: Option<Amount>,
}

/// What is carried over when a lot ends. `{}` carries all, once, until the next occurrence.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Rollover {
    /// Of what is left, in percent, up to 100.
    #[serde(default = "all_of_it")]
    pub percent: Amount,
    /// Bounds all open carried lots of the grant together.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max: Option<Amount>,
    /// How long a carried lot lives; left out, until the grant's next occurrence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_after: Option<Span>,
    /// How often the same credits may be carried over.
    #[serde(default = "once")]
    pub max_times: u16,
}

fn all_of_it() -> Amount {
    Amount::parse("100").expect("a decimal")
}

fn once() -> u16 {
    1
}

/// Most lots of a grant, or of a wallet, that may be open at one time (rules, section 4).
pub const MOST_LOTS: usize = 1_000;

/// The instants that a grant's time reaches.
const CENTURY: i64 = 9_214_646_400_000_000_000;

impl Terms {
    /// How many lots of this grant could be open at one time, carried ones included.
    pub(crate) fn most_lots(&self) -> usize {
        let cycle = self.recurrence.as_ref().map(|r| r.interval.at_least().max(1));
        let open = |life: Option<Span>| match (cycle, life) {
            (None, _) => 1,
            (Some(_), None) => 2,
            (Some(cycle), Some(life)) => life.at_most().min(CENTURY) / cycle + 2,
        };
        let own = open(self.expires_after);
        let carried = self.rollover.as_ref().map_or(0, |r| open(r.expires_after) * i64::from(r.max_times));
        let one_off_carried = self.rollover.as_ref().map_or(0, |_| 1);
        let most = if cycle.is_none() { 1 + one_off_carried } else { own.saturating_add(carried) };
        usize::try_from(most).unwrap_or(usize::MAX)
    }

    /// Why this grant cannot be, as the reason of a rejection.
    ///
    /// # Errors
    ///
    /// A word for the first of the rules in section 4 that it breaks.
    pub fn check(&self, effective_at: Instant) -> Result<(), &'static str> {
        let rules = [
            (self.amount.is_zero(), "amount_zero"),
            (self.expires_at.is_some() && self.expires_after.is_some(), "expires_both"),
            (self.expires_at.is_some() && self.recurrence.is_some(), "expires_at_with_recurrence"),
            (self.expires_at.is_some_and(|end| end <= effective_at), "ends_before_start"),
            (self.lasts_no_time(), "bad_interval"),
            (self.until_is_early(effective_at), "until_before_start"),
            (self.is_quiet() && self.rollover.is_some(), "quiet_with_rollover"),
            (self.carries_without_end(), "rollover_without_end"),
            (self.rollover.as_ref().is_some_and(|r| r.percent > all_of_it()), "percent_over_100"),
            (self.rollover.as_ref().is_some_and(|r| !(1..=1000).contains(&r.max_times)), "max_times"),
            (self.reset.is_some_and(|r| r.min > r.max && r.max.is_some()), "reset_min_over_max"),
            (self.most_lots() > MOST_LOTS, "too_many_lots"),
        ];
        rules.into_iter().find(|(broken, _)| *broken).map_or(Ok(()), |(_, reason)| Err(reason))
    }

    /// Whether lots of this grant that nothing touches book nothing.
    pub fn is_quiet(&self) -> bool {
        self.recurrence.as_ref().is_some_and(|r| r.quiet)
    }

    fn lasts_no_time(&self) -> bool {
        self.recurrence.as_ref().is_some_and(|r| !r.interval.is_an_hour_at_least())
    }

    fn until_is_early(&self, effective_at: Instant) -> bool {
        self.recurrence.as_ref().and_then(|r| r.until).is_some_and(|until| until <= effective_at)
    }

    fn carries_without_end(&self) -> bool {
        let one_off = self.recurrence.is_none();
        let endless = self.expires_at.is_none() && self.expires_after.is_none();
        self.rollover.as_ref().is_some_and(|r| one_off && (endless || r.expires_after.is_none()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_category_has_one_word() {
        for category in [Category::Paid, Category::Promotional, Category::Included, Category::Compensation] {
            assert_eq!(serde_json::to_value(category).expect("a word"), category.word());
        }
    }
}
