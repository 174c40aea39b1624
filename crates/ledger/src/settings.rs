//! A wallet's own policies, and what they were (rules, sections 3, 5 and 6).

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::catalogue::{Catalogue, ZoneRevision};
use crate::document::Policies;
use crate::event::{Configured, OveragePolicy, ResetPolicy};
use crate::hold::HoldPolicy;
use crate::name::Name;
use crate::time::Instant;
use crate::wallet::Wallet;
use crate::zone::Zone;

/// What a wallet's configurations said.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Settings {
    /// The id of the last one applied.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) last: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) overage: Option<OveragePolicy>,
    /// Rate cards and zones, and from when they held; none is the catalogue's default.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) cards: Vec<(Instant, Option<Name>)>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) zones: Vec<(Instant, Option<Name>)>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) reset: Option<Resetting>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) holds: Option<HoldPolicy>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) metadata: BTreeMap<String, String>,
}

/// A wallet's policy of resets, and when the next one is due.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Resetting {
    pub(crate) policy: ResetPolicy,
    /// The wallet's zone when the policy was recorded.
    pub(crate) zone: ZoneRevision,
    pub(crate) anchor: Instant,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) next: Option<Instant>,
}

impl Settings {
    pub(crate) fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

impl Wallet {
    /// The id of the last configuration applied, which the next one must name.
    pub fn configuration(&self) -> Option<&str> {
        self.settings.last.as_deref()
    }

    /// Whether its last configuration said just this, whatever either of them replaces.
    pub fn is_configured_as(&self, configured: &Configured) -> bool {
        fn now(history: &[(Instant, Option<Name>)]) -> Option<&str> {
            history.last().and_then(|(_, name)| name.as_deref())
        }
        let settings = &self.settings;
        settings.last.is_some()
            && now(&settings.cards) == configured.rate_card.as_deref()
            && now(&settings.zones) == configured.zone.as_deref()
            && settings.overage == configured.overage
            && settings.reset.as_ref().map(|r| &r.policy) == configured.reset.as_ref()
            && settings.holds == configured.holds
            && settings.metadata == configured.metadata
    }

    /// The rate card that prices usage of this time.
    pub fn card<'a>(&'a self, catalogue: &'a Catalogue, at: Instant) -> &'a str {
        let own = self.settings.cards.iter().rev().find(|(from, _)| *from <= at);
        own.and_then(|(_, card)| card.as_deref()).unwrap_or(&catalogue.policies_at(at).rate_card)
    }

    /// The zone of this time: its name, and its newest revision.
    pub fn zone<'a>(&'a self, catalogue: &'a Catalogue, at: Instant) -> (&'a str, Arc<Zone>) {
        let own = self.settings.zones.iter().rev().find(|(from, _)| *from <= at);
        let name = own.and_then(|(_, zone)| zone.as_deref()).unwrap_or(&catalogue.policies_at(at).zone);
        (name, catalogue.zone(&catalogue.newest_zone(name)))
    }

    /// What happens to usage that no lot covers: the wallet's own policy, else the default one given.
    pub(crate) fn overage_policy(&self, policies: &Policies) -> OveragePolicy {
        self.settings.overage.unwrap_or(policies.overage)
    }
}
