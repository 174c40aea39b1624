//! What happened: the closed list of records (design, section 2). Past tense, and a storage format.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::correction::{Cleared, Rerated, Reset, Reversed, Step, Voided};
use crate::grant::Terms;
use crate::hold::{Extended, HoldPolicy, HoldVoided, Requested, Settled};
use crate::members::{members, string};
use crate::text::Text;
use crate::time::{Instant, Span};

/// What a record says happened, by its `type`.
#[derive(Clone, Debug)]
pub enum Event<'a> {
    /// `genesis`: the first record of each partition.
    Genesis(Genesis),
    /// `catalogue.published`: a unit, price, rate card, zone or default policy, as raw JSON until the catalogue reads it.
    CataloguePublished(Published<'a>),
    /// `wallet.configured`: a wallet was opened, or its policies changed.
    WalletConfigured(Box<Configured>),
    /// `grant.issued`: credits were promised.
    GrantIssued(Box<Terms>),
    /// `usage`: a product's own event.
    Usage(Usage<'a>),
    /// `timer.due`: the wallet has something due by now.
    TimerDue(Timer),
    /// `grant.voided`: what is left of a grant was taken.
    GrantVoided(Box<Voided>),
    /// `usage.reversed`: a usage was undone, wholly or in part.
    UsageReversed(Reversed<'a>),
    /// `usage.rerated`: a usage is to be charged anew.
    UsageRerated(Rerated<'a>),
    /// `wallet.reset`: lots were brought back to their bounds.
    WalletReset(Reset),
    /// `overage.cleared`: open overage was taken out for good.
    OverageCleared(Box<Cleared>),
    /// `wallet.changed`: several steps, all or none.
    WalletChanged(Vec<Step>),
    /// `wallet.suspended`: nothing is approved until it is resumed.
    WalletSuspended,
    /// `wallet.resumed`: it is as it was before.
    WalletResumed,
    /// `hold.requested`: credits are to be set aside for work to come.
    HoldRequested(Requested<'a>),
    /// `hold.extended`: a hold is to live longer, or to set more aside.
    HoldExtended(Extended<'a>),
    /// `hold.settled`: what was used is taken out of a hold.
    HoldSettled(Settled<'a>),
    /// `hold.voided`: a hold ends unused.
    HoldVoided(HoldVoided<'a>),
}

impl Event<'_> {
    /// The `type` in the envelope.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Genesis(_) => "genesis",
            Self::CataloguePublished(_) => "catalogue.published",
            Self::WalletConfigured(_) => "wallet.configured",
            Self::GrantIssued(_) => "grant.issued",
            Self::Usage(_) => "usage",
            Self::TimerDue(_) => "timer.due",
            Self::GrantVoided(_) => "grant.voided",
            Self::UsageReversed(_) => "usage.reversed",
            Self::UsageRerated(_) => "usage.rerated",
            Self::WalletReset(_) => "wallet.reset",
            Self::OverageCleared(_) => "overage.cleared",
            Self::WalletChanged(_) => "wallet.changed",
            Self::WalletSuspended => "wallet.suspended",
            Self::WalletResumed => "wallet.resumed",
            Self::HoldRequested(_) => "hold.requested",
            Self::HoldExtended(_) => "hold.extended",
            Self::HoldSettled(_) => "hold.settled",
            Self::HoldVoided(_) => "hold.voided",
        }
    }

    /// The version of records from which on this can be said: builds that do not know it stop there, and set nothing aside.
    pub fn since(&self) -> u32 {
        let second = |is_said: bool| if is_said { 2 } else { 1 };
        match self {
            Self::GrantIssued(terms) => second(terms.reset.is_some()),
            Self::WalletConfigured(configured) if configured.holds.is_some() => 3,
            Self::WalletConfigured(configured) => second(configured.reset.is_some()),
            Self::CataloguePublished(published) if published.is_of_holds() => 3,
            Self::CataloguePublished(published) if *published.kind == *crate::document::KEY => 4,
            Self::CataloguePublished(published) => second(*published.kind == *crate::document::FOLD),
            Self::Genesis(genesis) => second(genesis.fold > 1),
            Self::Usage(_)
            | Self::TimerDue(_)
            | Self::GrantVoided(_)
            | Self::UsageReversed(_)
            | Self::UsageRerated(_)
            | Self::WalletReset(_)
            | Self::OverageCleared(_)
            | Self::WalletChanged(_)
            | Self::WalletSuspended
            | Self::WalletResumed
            | Self::HoldRequested(_)
            | Self::HoldExtended(_)
            | Self::HoldSettled(_)
            | Self::HoldVoided(_) => 1,
        }
    }

    /// Whether the rules want to know why (section 5).
    pub fn wants_reason(&self) -> bool {
        matches!(
            self,
            Self::GrantVoided(_) | Self::UsageReversed(_) | Self::UsageRerated(_) | Self::WalletReset(_)
        )
    }

    /// Whether it says something of a wallet; else it is the log's own, or the catalogue's.
    pub fn is_of_wallet(&self) -> bool {
        !matches!(self, Self::Genesis(_) | Self::CataloguePublished(_))
    }
}

/// The first record of each partition: which log this is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Genesis {
    /// The log's id.
    pub log: String,
    /// How many partitions it has, for ever.
    pub partitions: u32,
    /// How a wallet's partition is computed: `sha256-8-mod`.
    pub partitioner: String,
    /// The fold version in force from the start.
    pub fold: u32,
    /// What this log was taken from, when records were left out or renumbered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub of: Option<TakenFrom>,
    /// What this log was copied from, when partitions were added or records left out. A build that does not know this finds no
    /// genesis, and stops.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub copied: Option<CopiedFrom>,
}

/// The whole log that another one was made of, renumbered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct CopiedFrom {
    /// The log it was copied from.
    pub log: String,
    /// How many partitions that one has.
    pub partitions: u32,
    /// Its records that were left out.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub without: Vec<LeftOut>,
}

/// A record of the old log that the new one does not have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct LeftOut {
    /// Its partition there.
    pub partition: u32,
    /// Its offset there.
    pub offset: u64,
}

/// Where a renumbered log came from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct TakenFrom {
    /// The log it was taken from.
    pub log: String,
    /// The partition there.
    pub partition: u32,
    /// The one wallet whose records were kept.
    pub wallet: String,
}

/// A catalogue document took effect.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Published<'a> {
    /// The kind of document: `unit`, `rate_card`, `zone`, `policies`, `price`, `vendor_cost`.
    #[serde(borrow)]
    pub kind: Text<'a>,
    /// Its name within its kind.
    #[serde(borrow)]
    pub name: Text<'a>,
    /// The id of the record whose document this replaces; none for the first of its name.
    #[serde(borrow, default)]
    pub replaces: Option<Text<'a>>,
    /// The document, read by its kind.
    #[serde(borrow)]
    pub body: &'a RawValue,
}

impl Published<'_> {
    /// Whether it is a document of default policies that says something of holds.
    fn is_of_holds(&self) -> bool {
        *self.kind == *"policies"
            && members(self.body.get()).is_some_and(|members| {
                members.iter().any(|(name, value)| **name == *"holds" && *value != "null")
            })
    }
}

/// A wallet's whole configuration: what is absent falls back to the catalogue's default policies.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Configured {
    /// The id of the wallet's last applied configuration; none for the first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replaces: Option<String>,
    /// The rate card that prices its usage.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rate_card: Option<String>,
    /// The zone of its months, tiers and new grants.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub zone: Option<String>,
    /// What happens to usage that no lot covers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub overage: Option<OveragePolicy>,
    /// When its lots are brought back to the bounds that their grants name; left out, only by a record.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reset: Option<ResetPolicy>,
    /// What its holds may set aside, and for how long.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub holds: Option<HoldPolicy>,
    /// The owner's own notes.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub metadata: BTreeMap<String, String>,
}

/// A reset at each occurrence of `anchor` plus n times `interval` (rules, section 4).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ResetPolicy {
    /// An hour at least.
    pub interval: Span,
    /// Left out, when the policy was recorded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub anchor: Option<Instant>,
    /// Whether open overage stays.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub preserve_overage: bool,
}

/// What happens to usage that no lot covers (rules, section 5).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct OveragePolicy {
    /// Whether credits pay it back.
    #[serde(default = "yes")]
    pub repay: bool,
    /// What becomes of it when its month and the lateness are over.
    #[serde(default)]
    pub at_month_end: MonthEnd,
}

impl Default for OveragePolicy {
    fn default() -> Self {
        Self { repay: true, at_month_end: MonthEnd::Keep }
    }
}

fn yes() -> bool {
    true
}

/// What becomes of open overage after its month.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum MonthEnd {
    /// It stays open.
    #[default]
    Keep,
    /// It goes on a bill, for good.
    Bill,
    /// It is forgiven, for good.
    Forgive,
}

/// A product's own event, as it was sent.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Usage<'a> {
    /// The product's data, where it is JSON.
    #[serde(borrow, default)]
    #[cfg_attr(feature = "schema", schemars(with = "Option<serde_json::Value>"))]
    pub data: Option<&'a RawValue>,
    /// The product's data, where it is other text.
    #[serde(borrow, default)]
    pub data_text: Option<Text<'a>>,
    /// The product's data in base64, where it is no text.
    #[serde(borrow, default)]
    pub data_base64: Option<Text<'a>>,
    /// The event's other attributes.
    #[serde(borrow, default)]
    #[cfg_attr(feature = "schema", schemars(with = "Option<BTreeMap<String, serde_json::Value>>"))]
    pub extensions: Option<&'a RawValue>,
    /// The product's own type, such as `llm.completion`.
    #[serde(borrow, rename = "type")]
    pub kind: Text<'a>,
}

impl Usage<'_> {
    /// The hold that it settles: the extension `hold`, if that is text.
    pub fn hold(&self) -> Option<Text<'_>> {
        let members = members(self.extensions?.get())?;
        let (_, value) = members.into_iter().find(|(name, _)| **name == *"hold")?;
        value.starts_with('"').then(|| string(value))?
    }
}

/// Something of the wallet's was due.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Timer {
    /// When the first of it was due.
    pub due_at: Instant,
}
