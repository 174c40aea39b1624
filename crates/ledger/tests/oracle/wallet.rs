//! A wallet: its records in order, its own configuration, its outcomes.

use std::collections::BTreeMap;

use super::catalogue::{AsOf, Catalogue, OveragePolicy};
use super::grant::Grant;
use super::holds::{Hold, HoldPolicy};
use super::identity::Identities;
use super::lot::Lot;
use super::overage::{Bucket, Place, Settled};
use super::pricing::Counters;
use super::reset::ResetPolicy;
use super::step::Step;
use super::used::Used;
use super::zone::Zone;
use super::{EntrySum, Envelope, LotSum, Summary};

/// What a wallet says itself, from an instant on.
#[derive(Clone)]
struct Configuration {
    from: i64,
    id: String,
    rate_card: Option<String>,
    zone: Option<String>,
    overage: Option<OveragePolicy>,
    holds: Option<HoldPolicy>,
}

/// A wallet with everything that ever happened in it.
#[derive(Clone)]
pub(crate) struct Wallet {
    pub(crate) clock: i64,
    pub(crate) unpriced: u64,
    pub(crate) suspended: bool,
    configurations: Vec<Configuration>,
    pub(crate) grants: Vec<Grant>,
    /// The applied grants by id: offset and data.
    grant_ids: BTreeMap<String, (u64, String)>,
    pub(crate) lots: Vec<Lot>,
    pub(crate) next_number: u64,
    pub(crate) overage: BTreeMap<Place, Bucket>,
    /// What became of overage that is not open any more.
    pub(crate) settled: BTreeMap<Place, Vec<Settled>>,
    /// All usages by source and id.
    pub(crate) usages: BTreeMap<(String, String), Used>,
    pub(crate) reset: Option<ResetPolicy>,
    pub(crate) counters: Counters,
    /// Open holds by id.
    pub(crate) holds: BTreeMap<String, Hold>,
    /// Whose holds' ids were said first: the offset, and what the request said; nothing for a void.
    pub(crate) hold_ids: BTreeMap<String, (u64, Option<String>)>,
    /// Whether nothing but requests for holds has named it.
    pub(crate) only_asked: bool,
    pub(crate) entries: Vec<EntrySum>,
    pub(crate) identities: Identities,
    outcomes: Vec<(u64, String)>,
}

impl Step<'_> {
    /// Takes a `wallet.configured`.
    pub(crate) fn configure(&mut self, envelope: &Envelope) -> String {
        let data = &envelope.data;
        let last = self.wallet.configurations.last();
        let reset = data.get("reset");
        let holds = data.get("holds").map(HoldPolicy::parse);
        let checks = [
            (last.map(|last| last.id.as_str()) != data.text("replaces"), "replaces_mismatch"),
            (
                data.text("rate_card").is_some_and(|card| !self.catalogue.has_rate_card(card)),
                "unknown_rate_card",
            ),
            (data.text("zone").is_some_and(|zone| self.catalogue.zone(zone).is_none()), "unknown_zone"),
            (reset.is_some_and(ResetPolicy::is_too_short), "bad_interval"),
            (
                holds.as_ref().is_some_and(|it| it.units().iter().any(|unit| !self.catalogue.has_unit(unit))),
                "unknown_unit",
            ),
        ];
        if let Some((_, reason)) = checks.iter().find(|(holds, _)| *holds) {
            return format!("rejected {reason}");
        }
        let clock = self.wallet.clock;
        self.wallet.configurations.push(Configuration {
            from: clock,
            id: envelope.id.clone(),
            rate_card: data.text("rate_card").map(str::to_owned),
            zone: data.text("zone").map(str::to_owned),
            overage: data.get("overage").map(|overage| OveragePolicy::parse(Some(overage))),
            holds,
        });
        let zone = self.wallet.zone_at(self.catalogue, clock);
        let policy = reset.map(|reset| ResetPolicy::parse(reset, clock, zone));
        let stands = |now: &ResetPolicy| policy.as_ref().is_some_and(|policy| policy.says_the_same(now));
        if !self.wallet.reset.as_ref().is_some_and(stands) {
            self.wallet.reset = policy;
        }
        "applied".to_owned()
    }

    /// Takes a `grant.issued`.
    pub(crate) fn grant_issued(&mut self, envelope: &Envelope) -> String {
        let id = envelope.data.text("grant_id").expect("a grant has an id").to_owned();
        let content = envelope.data.canonical();
        match self.wallet.grant_ids.get(&id) {
            Some((first, same)) if *same == content => return format!("duplicate {first}"),
            Some((first, _)) => return format!("conflict {first}"),
            None => {}
        }
        let happened = envelope.time.unwrap_or(envelope.recorded_at);
        let zone = self.wallet.zone_at(self.catalogue, self.wallet.clock);
        let grant = Grant::parse(&envelope.data, happened, zone);
        let reasons = grant.refusal(self.catalogue.has_unit(&grant.unit));
        if !reasons.is_empty() {
            return format!("rejected {reasons}");
        }
        self.wallet.grant_ids.insert(id, (self.offset, content));
        self.issue_grant(grant);
        "applied".to_owned()
    }
}

impl Wallet {
    pub(crate) fn new() -> Wallet {
        Wallet {
            clock: i64::MIN,
            unpriced: 0,
            suspended: false,
            reset: None,
            configurations: Vec::new(),
            grants: Vec::new(),
            grant_ids: BTreeMap::new(),
            lots: Vec::new(),
            next_number: 0,
            overage: BTreeMap::new(),
            settled: BTreeMap::new(),
            usages: BTreeMap::new(),
            counters: Counters::new(),
            holds: BTreeMap::new(),
            hold_ids: BTreeMap::new(),
            only_asked: false,
            entries: Vec::new(),
            identities: Identities::default(),
            outcomes: Vec::new(),
        }
    }

    pub(crate) fn record(&mut self, catalogue: &Catalogue, offset: u64, envelope: &Envelope) {
        let (clock, is_first) = (self.clock.max(envelope.recorded_at), self.clock == i64::MIN);
        Step::of_time(self, catalogue, offset).advance(clock);
        self.clock = clock;
        if envelope.kind == "timer.due" {
            return;
        }
        let outcome = self.seen(offset, envelope).unwrap_or_else(|| {
            let asks = ["hold.requested", "hold.extended", "hold.voided"].contains(&envelope.kind.as_str());
            self.only_asked = asks && (is_first || self.only_asked);
            let mut step = Step::of_record(self, catalogue, offset);
            let outcome = match envelope.kind.as_str() {
                "usage" => step.usage(envelope),
                "usage.reversed" => step.usage_reversed(envelope),
                "usage.rerated" => step.usage_rerated(envelope),
                "wallet.changed" => step.wallet_changed(envelope),
                "hold.requested" => step.hold_requested(envelope),
                "hold.extended" => step.hold_extended(envelope),
                "hold.settled" => step.hold_settled(envelope),
                "hold.voided" => step.hold_voided(envelope),
                _ => step.administer(envelope),
            };
            if outcome.starts_with("applied") || outcome.starts_with("approved") {
                step.settle_overage();
            }
            outcome
        });
        self.outcomes.push((offset, outcome));
    }

    /// The id of the configuration as it stands.
    pub(crate) fn configuration_id(&self) -> Option<String> {
        self.configurations.last().map(|last| last.id.clone())
    }

    /// The configuration a wallet had at a time.
    fn configuration_at(&self, time: i64) -> Option<&Configuration> {
        self.configurations.iter().rev().find(|configuration| configuration.from <= time)
    }

    /// The zone a wallet had at a usage's time.
    pub(crate) fn zone_at(&self, catalogue: &Catalogue, time: i64) -> Zone {
        let own = self.configuration_at(time).and_then(|configuration| configuration.zone.clone());
        let name = own.unwrap_or_else(|| catalogue.policies(AsOf::Record(time)).zone);
        catalogue.zone(&name).expect("a zone is published before it is named")
    }

    /// The rate card a wallet had at a usage's time.
    pub(crate) fn rate_card_at(&self, catalogue: &Catalogue, time: i64) -> String {
        let own = self.configuration_at(time).and_then(|configuration| configuration.rate_card.clone());
        own.unwrap_or_else(|| catalogue.policies(AsOf::Record(time)).rate_card)
    }

    /// The wallet's own overage policy, as it stands.
    pub(crate) fn own_overage_policy(&self) -> Option<&OveragePolicy> {
        self.configurations.last().and_then(|configuration| configuration.overage.as_ref())
    }

    /// The wallet's own policy of holds, as it stands.
    pub(crate) fn own_hold_policy(&self) -> Option<&HoldPolicy> {
        self.configurations.last().and_then(|configuration| configuration.holds.as_ref())
    }

    pub(crate) fn summary(&self) -> Summary {
        let lots = self.lots.iter().filter(|lot| lot.number.is_some());
        let sum = |lot: &Lot| LotSum {
            issued: lot.issued,
            remaining: lot.remaining,
            held: lot.held,
            consumed: lot.consumed,
            expired: lot.expired,
            voided: lot.voided,
            rolled_over: lot.rolled_over,
            returned: lot.returned,
            starts: lot.start,
            ends: lot.end,
            priority: self.grants[lot.grant].priority,
            money: lot.money,
        };
        let overage = |((month, feature, unit), bucket): (&Place, &Bucket)| {
            ((unit.clone(), month.clone(), feature.clone()), bucket.open)
        };
        Summary {
            clock: self.clock,
            claimed: !self.configurations.is_empty(),
            suspended: self.suspended,
            unpriced: self.unpriced,
            lots: lots.map(|lot| (lot.id(), sum(lot))).collect(),
            overage: self.overage.iter().map(overage).collect(),
            holds: self.holds.iter().map(|(id, hold)| (id.clone(), hold.sum(self))).collect(),
            entries: self.entries.clone(),
            outcomes: self.outcomes.clone(),
        }
    }
}
