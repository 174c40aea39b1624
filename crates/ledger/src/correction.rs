//! Corrections: records that put earlier ones right, and what an operator changes (rules, sections 4 and 5).

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::amount::Amount;
use crate::event::Configured;
use crate::grant::Terms;
use crate::text::Text;
use crate::zone::Month;

/// What is left of a grant is taken; what it paid for stays.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Voided {
    /// The grant; or else the purchase.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grant_id: Option<String>,
    /// All grants of this purchase.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub purchase_id: Option<String>,
    /// Which part of what is left.
    #[serde(default)]
    pub what: What,
}

/// Which part of a grant is void.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum What {
    /// All of it, and what may come back to its lots later.
    #[default]
    All,
    /// What remains in open lots that were not carried over.
    Open,
    /// The lots that would begin later.
    Future,
    /// What remains in open lots that were carried over.
    Carried,
}

/// The usage that a correction is about, by who sent it and its id.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct UsageName<'a> {
    /// Who made the id.
    #[serde(borrow)]
    pub source: Text<'a>,
    /// The usage event's id.
    #[serde(borrow)]
    pub id: Text<'a>,
}

/// A usage is undone, wholly or in part.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Reversed<'a> {
    /// Which usage.
    #[serde(borrow)]
    pub usage: UsageName<'a>,
    /// How much of it; left out, all: then it is cancelled for good.
    #[serde(default)]
    pub amounts: Option<Vec<Part>>,
}

/// A part of what a usage was charged.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Part {
    /// The unit.
    pub unit: String,
    /// The feature; left out, any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub feature: Option<String>,
    /// How much is given back, above zero.
    pub amount: Amount,
}

/// A usage is charged anew at its own time.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Rerated<'a> {
    /// Which usage.
    #[serde(borrow)]
    pub usage: UsageName<'a>,
    /// What the event's data should have been; left out, what it was.
    #[serde(borrow, default)]
    #[cfg_attr(feature = "schema", schemars(with = "Option<serde_json::Value>"))]
    pub data: Option<&'a RawValue>,
}

/// Open lots are brought back to the bounds that their grants name, and open overage is forgiven.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Reset {
    /// The unit; left out, all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<String>,
    /// Whether open overage stays.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub preserve_overage: bool,
}

/// Open overage of a month is taken out for good: credits never pay it again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Cleared {
    /// The month of the usage.
    pub month: Month,
    /// The unit.
    pub unit: String,
    /// The feature; left out, all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub feature: Option<String>,
    /// How much; left out, all that is open.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub amount: Option<Amount>,
    /// What became of it.
    #[serde(rename = "as")]
    pub by: ClearedAs,
    /// An invoice, a ticket.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
}

/// What became of overage that was taken out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum ClearedAs {
    /// It is on a bill.
    Billed,
    /// Nobody pays it.
    Forgiven,
}

/// Several administrative steps, all or none.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Changed<'a> {
    /// One after the other, up to a hundred.
    #[serde(borrow)]
    pub steps: Vec<RawStep<'a>>,
}

/// A step as it stands in the record: a record's `type` and `data`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct RawStep<'a> {
    /// One of `grant.issued`, `grant.voided`, `wallet.configured`, `wallet.reset`, `overage.cleared`, `wallet.suspended`,
    /// `wallet.resumed`.
    #[serde(borrow, rename = "type")]
    pub kind: Text<'a>,
    /// As in a record of that type.
    #[serde(borrow)]
    #[cfg_attr(feature = "schema", schemars(with = "serde_json::Map<String, serde_json::Value>"))]
    pub data: &'a RawValue,
}

/// One administrative step.
#[derive(Clone, Debug)]
pub enum Step {
    /// `grant.issued`, and the data as sent.
    Grant(Box<Terms>, String),
    /// `grant.voided`.
    Void(Voided),
    /// `wallet.configured`.
    Configure(Box<Configured>),
    /// `wallet.reset`.
    Reset(Reset),
    /// `overage.cleared`.
    Clear(Cleared),
    /// `wallet.suspended`.
    Suspend,
    /// `wallet.resumed`.
    Resume,
}

impl Step {
    /// The grant that it issues, with its data as sent.
    pub fn issued(&self) -> Option<(&Terms, &str)> {
        match self {
            Self::Grant(terms, data) => Some((&**terms, data.as_str())),
            Self::Void(_)
            | Self::Configure(_)
            | Self::Reset(_)
            | Self::Clear(_)
            | Self::Suspend
            | Self::Resume => None,
        }
    }
}

/// A record's data that says nothing more.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Nothing {}

impl RawStep<'_> {
    /// Reads the data by the type.
    ///
    /// # Errors
    ///
    /// If the type is no step's, or the data is not what the type says.
    pub(crate) fn read(&self) -> Result<Step, String> {
        fn data<'a, T: Deserialize<'a>>(step: &'a RawStep<'_>) -> Result<T, String> {
            serde_json::from_str(step.data.get()).map_err(|e| format!("the step {}: {e}", step.kind))
        }
        match &*self.kind {
            "grant.issued" => Ok(Step::Grant(data(self)?, self.data.get().to_owned())),
            "grant.voided" => data(self).map(Step::Void),
            "wallet.configured" => data(self).map(Step::Configure),
            "wallet.reset" => data(self).map(Step::Reset),
            "overage.cleared" => data(self).map(Step::Clear),
            "wallet.suspended" => data(self).map(|Nothing {}| Step::Suspend),
            "wallet.resumed" => data(self).map(|Nothing {}| Step::Resume),
            other => Err(format!("{other:?} is no step")),
        }
    }
}
