//! Catalogue documents of prices: what turns a usage into amounts of units (rules, section 6).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::amount::Amount;
use crate::quantity::Quantity;
use crate::time::{Instant, Period};

/// The rate card that a wallet has when nothing names another. It exists always.
pub const STANDARD: &str = "standard";

/// A price: which usage it matches, and what that is charged.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Price {
    /// The rate card that it belongs to.
    #[serde(default = "standard")]
    pub rate_card: String,
    /// Usage of this time and later is priced by this version; left out, from when it was recorded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub effective_from: Option<Instant>,
    /// The usage that it prices.
    #[serde(rename = "match")]
    pub matches: Matches,
    /// What was used; left out, the event's type.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub feature: Option<String>,
    /// How the sum of each unit and feature is rounded, once.
    #[serde(default)]
    pub rounding: Rounding,
    /// What is charged.
    pub charges: Vec<Charge>,
}

fn standard() -> String {
    STANDARD.into()
}

/// Which usage a price is for. Of all that match, the most specific prices it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Matches {
    /// The event's type.
    #[serde(rename = "type")]
    pub kind: Pattern,
    /// Fields of its data, by path: `model`, or `usage.tier` for a field within a field.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub data: BTreeMap<String, Pattern>,
}

/// What a value must be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum Pattern {
    /// This text. A number or a boolean is compared by its canonical text: `4`, `true`.
    Exact(String),
    /// Text that begins with this.
    Prefix(String),
    /// Anything, as long as it is there. Always `true`.
    Any(bool),
}

/// How an exact charge becomes an amount.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Rounding {
    /// Which way.
    #[serde(default)]
    pub mode: RoundingMode,
    /// To how many places, up to nine.
    #[serde(default = "nine")]
    pub places: u8,
}

impl Default for Rounding {
    fn default() -> Self {
        Self { mode: RoundingMode::Down, places: nine() }
    }
}

fn nine() -> u8 {
    9
}

/// Which way an exact charge is rounded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum RoundingMode {
    /// In the customer's favour.
    #[default]
    Down,
    /// Each part that is begun counts whole.
    Up,
    /// To the nearer, a half up.
    HalfUp,
    /// To the nearer, a half to the even one.
    HalfEven,
}

/// One thing that a price charges for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Charge {
    /// Its name within the price; left out, its field, or `count`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The unit that is burned (of a vendor cost: the currency).
    pub unit: String,
    /// What was used; left out, the price's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub feature: Option<String>,
    /// What is counted; left out, the event itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quantity: Option<Counted>,
    /// For each `per` of the quantity; instead of tiers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub amount: Option<Amount>,
    /// The size of a block.
    #[serde(default = "one")]
    pub per: Quantity,
    /// Whether a block that is begun counts whole.
    #[serde(default)]
    pub blocks: Blocks,
    /// Amounts that change with the quantity; instead of `amount`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tiers: Option<Tiers>,
}

fn one() -> Quantity {
    Quantity::ONE
}

impl Charge {
    /// The name under which its counter is kept.
    pub fn name(&self) -> &str {
        let field = || self.quantity.as_ref().map_or("count", |q| &q.field);
        self.name.as_deref().unwrap_or_else(field)
    }
}

/// A number in the event's data.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Counted {
    /// Its path.
    pub field: String,
    /// Fields that are taken off, such as the cached part of the input.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub minus: Vec<String>,
    /// What counts where the field, or one that is taken off, is not there; left out, that leaves the usage unpriced.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default: Option<Quantity>,
}

/// Whether a block that is begun counts whole.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum Blocks {
    /// Part of a block costs its part.
    #[default]
    ProRata,
    /// Each block that is begun costs all.
    Started,
}

/// Amounts that change with the quantity.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Tiers {
    /// How steps apply.
    pub mode: TierMode,
    /// Over which graduated steps count; left out, within one event.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub period: Option<Period>,
    /// In order; the last has no `up_to`.
    pub steps: Vec<Step>,
}

/// How steps apply.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum TierMode {
    /// Each part of the quantity at its own step's amount.
    Graduated,
    /// All of it at the amount of the step that it falls in.
    Volume,
}

/// One step of the tiers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Step {
    /// The largest quantity in it; left out, without end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub up_to: Option<Quantity>,
    /// For each `per` of the quantity.
    pub amount: Amount,
}

impl Price {
    /// What is wrong with this price, if anything: the field, and what to do.
    ///
    /// # Errors
    ///
    /// The path of the first field that is wrong, and a sentence.
    pub fn check(&self) -> Result<(), (String, &'static str)> {
        let patterns = std::iter::once(&self.matches.kind).chain(self.matches.data.values());
        if patterns.into_iter().any(|p| *p == Pattern::Any(false)) {
            return Err(("match".into(), "`any` is always true: leave the condition out instead"));
        }
        if self.rounding.places > 9 {
            return Err(("rounding.places".into(), "an amount has at most nine places"));
        }
        if self.charges.is_empty() {
            return Err((
                "charges".into(),
                "a price charges for one thing at least; a free one has the amount \"0\"",
            ));
        }
        for (i, charge) in self.charges.iter().enumerate() {
            let at = |field: &str| format!("charges[{i}]{field}");
            charge.check().map_err(|(field, what)| (at(field), what))?;
            if self.charges[..i].iter().any(|c| c.name() == charge.name()) {
                return Err((at(""), "two charges have this name: give one of them a `name` of its own"));
            }
        }
        Ok(())
    }
}

impl Charge {
    fn check(&self) -> Result<(), (&'static str, &'static str)> {
        if self.per.is_zero() {
            return Err((".per", "a block is larger than nothing"));
        }
        match (&self.amount, &self.tiers) {
            (Some(_), None) => Ok(()),
            (None, Some(tiers)) => tiers.check(),
            (Some(_), Some(_)) => Err((".tiers", "give either `amount` or `tiers`")),
            (None, None) => Err((".amount", "give either `amount` or `tiers`")),
        }
    }
}

impl Tiers {
    fn check(&self) -> Result<(), (&'static str, &'static str)> {
        let (last, bounded) = self.steps.split_last().ok_or((".tiers.steps", "give one step at least"))?;
        let ends: Vec<_> = bounded.iter().filter_map(|s| s.up_to).collect();
        if last.up_to.is_some() || ends.len() != bounded.len() {
            return Err((".tiers.steps", "each step but the last has `up_to`, the last has none"));
        }
        if ends.windows(2).any(|w| w[0] >= w[1]) || ends.first().is_some_and(|e| e.is_zero()) {
            return Err((".tiers.steps", "each `up_to` is larger than the one before"));
        }
        if self.mode == TierMode::Volume && self.period.is_some() {
            return Err((".tiers.period", "volume tiers count within one event: leave the period out"));
        }
        Ok(())
    }
}

#[cfg(feature = "schema")]
impl schemars::JsonSchema for Quantity {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Quantity".into()
    }
    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "type": "string", "examples": ["1000", "0.5"],
            "description": "An exact, non-negative number, in quotes."
        })
    }
}
