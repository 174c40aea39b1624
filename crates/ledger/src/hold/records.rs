//! What records say of holds. A hold's id is that of its request, and is of the wallet whoever made it.

use serde::{Deserialize, Serialize};

use crate::amount::Amount;
use crate::correction::UsageName;
use crate::event::Usage;
use crate::identity::{Hash16, key};

use crate::text::Text;
use crate::time::{Instant, Span};

/// Credits are to be set aside. The record's id is the hold's.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Requested<'a> {
    /// How much, above zero.
    #[serde(borrow)]
    pub estimate: Measure<'a>,
    /// How long after `recorded_at` it ends by itself.
    #[serde(default = "a_quarter_of_an_hour")]
    pub ttl: Span,
    /// From when on nobody waits for the answer any more: it then is declined. A request sent again is the same whatever
    /// it says here.
    #[serde(default)]
    pub valid_until: Option<Instant>,
}

fn a_quarter_of_an_hour() -> Span {
    Span::parse("PT15M").expect("it is a duration")
}

/// How much: plainly, or by what the wallet's price makes of an event.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum Measure<'a> {
    /// Amounts of units.
    Amounts(Vec<Line>),
    /// An event as a usage has it: its type and its data.
    #[serde(borrow)]
    Event(Usage<'a>),
}

/// So much of a unit, for a feature.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Line {
    /// The unit.
    pub unit: String,
    /// What is used.
    pub feature: String,
    /// How much.
    pub amount: Amount,
}

/// An open hold is to live longer, or to set more aside.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Extended<'a> {
    /// The hold's id.
    #[serde(borrow)]
    pub hold: Text<'a>,
    /// How long after `recorded_at` it now ends; never sooner than before, never after its longest life.
    #[serde(default)]
    pub ttl: Option<Span>,
    /// How much more, above zero.
    #[serde(borrow, default)]
    pub more: Option<Measure<'a>>,
}

/// What was used is taken out of a hold. If that is not open, it is booked as usage.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Settled<'a> {
    /// The hold's id.
    #[serde(borrow)]
    pub hold: Text<'a>,
    /// The usage that this books: an event with this source and id is the same usage.
    #[serde(borrow)]
    pub usage: UsageName<'a>,
    /// What was used; nothing is an amount too.
    #[serde(borrow)]
    pub actual: Measure<'a>,
    /// Whether the hold ends with it; else what is left stays set aside.
    #[serde(default = "yes", rename = "final")]
    pub is_final: bool,
}

impl Settled<'_> {
    /// The event that was used; none if it is said in amounts.
    pub fn event(&self) -> Option<&Usage<'_>> {
        match &self.actual {
            Measure::Event(event) => Some(event),
            Measure::Amounts(_) => None,
        }
    }

    /// The identity of the usage that it books, within its wallet.
    pub fn usage_key(&self, wallet: &str) -> Hash16 {
        key(wallet, &self.usage.source, &self.usage.id)
    }
}

fn yes() -> bool {
    true
}

/// A hold ends unused; one that was not requested yet will be declined.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct HoldVoided<'a> {
    /// The hold's id.
    #[serde(borrow)]
    pub hold: Text<'a>,
}
