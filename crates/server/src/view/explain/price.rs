//! What a version of a price says.

use anyhow::Context as _;
use ledger::{Amount, Blocks, Catalogue, Charge, Instant, Price, Quantity, TierMode};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::value::RawValue;

use crate::view::when;

/// A version of a price.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "PriceVersion")]
pub(crate) struct PriceNow {
    /// `name@revision`.
    version: String,
    rate_card: String,
    /// It prices usage of this time and later.
    effective_from: Instant,
    /// Each charge in words.
    charges: Vec<String>,
    /// As it was published.
    #[schemars(with = "serde_json::Value")]
    document: Box<RawValue>,
}

impl PriceNow {
    /// Reads a version from the catalogue; none if it is not there.
    pub(crate) fn of(catalogue: &Catalogue, version: &str) -> anyhow::Result<Option<Self>> {
        let named = version.rsplit_once('@').and_then(|(name, n)| Some((name, n.parse::<usize>().ok()?)));
        let Some((name, revision)) = named else { return Ok(None) };
        let mut revisions = catalogue.accepted().iter().filter(|a| a.kind == "price" && a.name == name);
        let Some(accepted) = revision.checked_sub(1).and_then(|before| revisions.nth(before)) else {
            return Ok(None);
        };
        let cannot = || format!("the price {version} cannot be read: run `drawdown rebuild`");
        let price: Price = serde_json::from_str(&accepted.body).with_context(cannot)?;
        Ok(Some(Self {
            version: version.to_owned(),
            effective_from: price.effective_from.unwrap_or(accepted.recorded_at),
            charges: price.charges.iter().map(charge).collect(),
            rate_card: price.rate_card,
            document: RawValue::from_string(accepted.body.clone()).with_context(cannot)?,
        }))
    }

    pub(crate) fn says(&self) -> String {
        let Self { version, rate_card, charges, .. } = self;
        let from = when(self.effective_from);
        format!(
            "It was priced by {version}, in force from {from} on the rate card {rate_card}: {}.",
            charges.join("; ")
        )
    }
}

fn charge(charge: &Charge) -> String {
    let what = match &charge.quantity {
        None => "event".to_owned(),
        Some(counted) if counted.minus.is_empty() => counted.field.clone(),
        Some(counted) => format!("{} less {}", counted.field, counted.minus.join(" and ")),
    };
    let per = if charge.per == Quantity::ONE { String::new() } else { format!("{} ", charge.per) };
    let begun = if charge.blocks == Blocks::Started { " that is begun" } else { "" };
    let at = |amount: Amount| format!("{amount} {} per {per}{what}{begun}", charge.unit);
    let Some(tiers) = &charge.tiers else { return at(charge.amount.unwrap_or_default()) };
    let step = |step: &ledger::TierStep| match step.up_to {
        Some(end) => format!("up to {end} {}", at(step.amount)),
        None => format!("beyond {}", at(step.amount)),
    };
    let steps: Vec<String> = tiers.steps.iter().map(step).collect();
    let mode = match tiers.mode {
        TierMode::Graduated => "each part by its step",
        TierMode::Volume => "all by the step of the whole",
    };
    format!("{} ({mode})", steps.join(", "))
}
