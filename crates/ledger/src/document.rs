//! Catalogue documents, by kind.

use serde::{Deserialize, Serialize};

use crate::api_key::ApiKey;
use crate::event::OveragePolicy;
use crate::hold::HoldPolicy;
use crate::price::{Price, STANDARD};
use crate::time::Span;
use crate::zone::Zone;

/// The zone that a wallet has when nothing names another. It exists always.
pub const UTC: &str = "UTC";

/// One catalogue document's body.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Document {
    /// What amounts are counted in.
    Unit(Unit),
    /// A named set of prices.
    RateCard(RateCard),
    /// A time zone.
    Zone(Zone),
    /// What holds for wallets that say nothing else. Its name is `default`.
    Policies(Policies),
    /// What usage costs the customer.
    Price(Box<Price>),
    /// What usage costs us: read by reports alone.
    VendorCost(Box<Price>),
    /// Which version of the fold is in force from here on. Its name is `version`.
    Fold(FoldVersion),
    /// A key of the HTTP API. Its name is the key's id.
    Key(ApiKey),
}

/// The kind of document that makes or changes a key of the HTTP API.
pub(crate) const KEY: &str = "key";

/// The kind of document that raises the version of the fold.
pub(crate) const FOLD: &str = "fold";

/// A version of the fold (design, section 1): what is folded under an older one stays as it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct FoldVersion {
    /// It only rises.
    pub version: u32,
}

impl FoldVersion {
    /// The newest that this build knows; new logs begin with it.
    ///
    /// 2: credits that go back from a carried lot for late usage take their money with them; before, that stayed behind.
    pub const NEWEST: u32 = 2;
    /// The first in which money follows credits that go back.
    pub(crate) const MONEY_FOLLOWS: u32 = 2;
}

/// What amounts are counted in: credits, usd, tokens.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Unit {
    /// What people call it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
}

/// A named set of prices: a wallet names the one that prices its usage.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct RateCard {
    /// Who it is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
}

/// What holds for wallets that say nothing else.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Policies {
    /// How long an ended lot still pays usage of its time, and a month's overage stays open.
    #[serde(default = "three_days")]
    pub lateness: Span,
    /// The zone of months, tiers and grants.
    #[serde(default = "utc")]
    pub zone: String,
    /// The rate card that prices usage.
    #[serde(default = "standard")]
    pub rate_card: String,
    /// What happens to usage that no lot covers.
    #[serde(default)]
    pub overage: OveragePolicy,
    /// What wallets' holds may set aside, and for how long.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub holds: Option<HoldPolicy>,
}

impl Default for Policies {
    fn default() -> Self {
        Self {
            lateness: three_days(),
            zone: utc(),
            rate_card: standard(),
            overage: OveragePolicy::default(),
            holds: None,
        }
    }
}

fn three_days() -> Span {
    Span::hours(72)
}

fn utc() -> String {
    UTC.into()
}

fn standard() -> String {
    STANDARD.into()
}

impl Document {
    /// The kinds, as records and files name them.
    pub const KINDS: [&'static str; 8] =
        ["unit", "rate_card", "zone", "policies", "price", "vendor_cost", FOLD, KEY];

    /// Reads the body of a document of this kind.
    ///
    /// # Errors
    ///
    /// If the kind is unknown, or the body is not what the kind says. A rule of the document itself that is broken
    /// (see [`Self::check`]) is no error here.
    pub fn read(kind: &str, body: &str) -> Result<Self, String> {
        let read = match kind {
            "unit" => serde_json::from_str(body).map(Self::Unit),
            "rate_card" => serde_json::from_str(body).map(Self::RateCard),
            "zone" => serde_json::from_str(body).map(Self::Zone),
            "policies" => serde_json::from_str(body).map(Self::Policies),
            "price" => serde_json::from_str(body).map(|p| Self::Price(Box::new(p))),
            "vendor_cost" => serde_json::from_str(body).map(|p| Self::VendorCost(Box::new(p))),
            FOLD => serde_json::from_str(body).map(Self::Fold),
            KEY => serde_json::from_str(body).map(Self::Key),
            other => {
                return Err(format!(
                    "{other:?} is no kind of catalogue document: use one of {:?}",
                    Self::KINDS
                ));
            }
        };
        read.map_err(|e| format!("the body of a {kind}: {e}"))
    }

    /// The kind's word.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Unit(_) => "unit",
            Self::RateCard(_) => "rate_card",
            Self::Zone(_) => "zone",
            Self::Policies(_) => "policies",
            Self::Price(_) => "price",
            Self::VendorCost(_) => "vendor_cost",
            Self::Fold(_) => FOLD,
            Self::Key(_) => KEY,
        }
    }

    /// What is wrong with this document by itself.
    ///
    /// # Errors
    ///
    /// The path of the first field that is wrong, and what to do.
    pub fn check(&self, name: &str) -> Result<(), (String, &'static str)> {
        match self {
            Self::Price(price) | Self::VendorCost(price) => price.check(),
            Self::Key(key) => key.check(name),
            Self::Zone(zone) if !zone.is_sound() => {
                Err(("transitions".into(), "transitions are in order, and each offset is within a day"))
            }
            Self::Policies(_) if name != "default" => {
                Err(("name".into(), "there is one document of default policies: name it `default`"))
            }
            Self::Fold(_) if name != "version" => {
                Err(("name".into(), "there is one version of the fold: name it `version`"))
            }
            Self::Unit(_) | Self::RateCard(_) | Self::Zone(_) | Self::Policies(_) | Self::Fold(_) => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_has_an_id_a_hash_and_scopes() {
        let key = |name: &str, hash: &str, scopes: &str| {
            let body = format!(r#"{{"hash":"{hash}","scopes":{scopes}}}"#);
            Document::read(KEY, &body).map(|key| key.check(name).map_err(|(field, _)| field))
        };
        let hash = "0123456789abcdef".repeat(4);
        let read = r#"["read"]"#;
        assert_eq!(key("k0123456789ab", &hash, read), Ok(Ok(())));
        for id in ["k0123456789a", "0123456789abc", "k0123456789AB", "k0123456789abc"] {
            assert_eq!(key(id, &hash, read), Ok(Err("name".into())), "{id}");
        }
        for hash in [&hash[1..], &hash.to_uppercase(), &format!("{hash}0")] {
            assert_eq!(key("k0123456789ab", hash, read), Ok(Err("hash".into())), "{hash}");
        }
        assert_eq!(key("k0123456789ab", &hash, "[]"), Ok(Err("scopes".into())));
        assert!(key("k0123456789ab", &hash, r#"["write"]"#).is_err());
    }

    #[test]
    fn there_is_one_document_of_policies_and_one_of_the_fold() {
        for (kind, body, name) in [("policies", "{}", "default"), (FOLD, r#"{"version":2}"#, "version")] {
            let document = Document::read(kind, body).expect("a document");
            assert_eq!(document.check(name), Ok(()));
            assert_eq!(document.check("other").map_err(|(field, _)| field), Err("name".into()));
        }
    }
}
