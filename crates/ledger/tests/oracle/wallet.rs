//! A wallet: its records in order, its own configuration, its outcomes.

use std::collections::BTreeMap;

use super::catalogue::{AsOf, Catalogue, OveragePolicy};
use super::grant::Grant;
use super::identity::Identities;
use super::lot::Lot;
use super::pricing::Counters;
use super::step::Step;
use super::zone::Zone;
use super::{EntrySum, Envelope, LotSum, Summary};

/// What a wallet says itself, from an instant on.
struct Configuration {
    from: i64,
    id: String,
    rate_card: Option<String>,
    zone: Option<String>,
    overage: Option<OveragePolicy>,
}

/// Where overage belongs: month, feature and unit, in the order in which it is paid back.
pub(crate) type Place = (String, String, String);

/// Overage of one unit, month and feature that is still open.
pub(crate) struct Bucket {
    pub(crate) open: i128,
    pub(crate) closes_at: i64,
}

/// A wallet with everything that ever happened in it.
pub(crate) struct Wallet {
    pub(crate) clock: i64,
    pub(crate) unpriced: u64,
    configurations: Vec<Configuration>,
    pub(crate) grants: Vec<Grant>,
    /// The applied grants by id: offset and data.
    grant_ids: BTreeMap<String, (u64, String)>,
    pub(crate) lots: Vec<Lot>,
    pub(crate) next_number: u64,
    pub(crate) overage: BTreeMap<Place, Bucket>,
    pub(crate) counters: Counters,
    pub(crate) entries: Vec<EntrySum>,
    identities: Identities,
    outcomes: Vec<(u64, String)>,
}

impl Wallet {
    pub(crate) fn new() -> Wallet {
        Wallet {
            clock: i64::MIN,
            unpriced: 0,
            configurations: Vec::new(),
            grants: Vec::new(),
            grant_ids: BTreeMap::new(),
            lots: Vec::new(),
            next_number: 0,
            overage: BTreeMap::new(),
            counters: Counters::new(),
            entries: Vec::new(),
            identities: Identities::default(),
            outcomes: Vec::new(),
        }
    }

    pub(crate) fn record(&mut self, catalogue: &Catalogue, offset: u64, envelope: &Envelope) {
        let clock = self.clock.max(envelope.recorded_at);
        Step { wallet: self, catalogue, offset, by_record: false }.advance(clock);
        self.clock = clock;
        if envelope.kind == "timer.due" {
            return;
        }
        let outcome = match self.identities.seen(offset, envelope) {
            Some(seen) => seen,
            None => match envelope.kind.as_str() {
                "wallet.configured" => self.configure(catalogue, offset, envelope),
                "grant.issued" => self.grant(catalogue, offset, envelope),
                "usage" => Step { wallet: self, catalogue, offset, by_record: true }.usage(envelope),
                other => panic!("no record of type {other}"),
            },
        };
        if outcome.starts_with("applied") {
            Step { wallet: self, catalogue, offset, by_record: true }.settle_overage();
        }
        self.outcomes.push((offset, outcome));
    }

    fn configure(&mut self, catalogue: &Catalogue, _offset: u64, envelope: &Envelope) -> String {
        let data = &envelope.data;
        if self.configurations.last().map(|last| last.id.as_str()) != data.text("replaces") {
            return "rejected replaces_mismatch".to_owned();
        }
        if data.text("rate_card").is_some_and(|card| !catalogue.has_rate_card(card)) {
            return "rejected unknown_rate_card".to_owned();
        }
        if data.text("zone").is_some_and(|zone| catalogue.zone(zone).is_none()) {
            return "rejected unknown_zone".to_owned();
        }
        self.configurations.push(Configuration {
            from: self.clock,
            id: envelope.id.clone(),
            rate_card: data.text("rate_card").map(str::to_owned),
            zone: data.text("zone").map(str::to_owned),
            overage: data.get("overage").map(|overage| OveragePolicy::parse(Some(overage))),
        });
        "applied".to_owned()
    }

    fn grant(&mut self, catalogue: &Catalogue, offset: u64, envelope: &Envelope) -> String {
        let id = envelope.data.text("grant_id").expect("a grant has an id").to_owned();
        let content = envelope.data.canonical();
        match self.grant_ids.get(&id) {
            Some((first, same)) if *same == content => return format!("duplicate {first}"),
            Some((first, _)) => return format!("conflict {first}"),
            None => {}
        }
        let happened = envelope.time.unwrap_or(envelope.recorded_at);
        let grant = Grant::parse(&envelope.data, happened, self.zone_at(catalogue, self.clock));
        let reasons = grant.refusal(catalogue.has_unit(&grant.unit));
        if !reasons.is_empty() {
            return format!("rejected {reasons}");
        }
        self.grant_ids.insert(id, (offset, content));
        Step { wallet: self, catalogue, offset, by_record: true }.issue_grant(grant);
        "applied".to_owned()
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

    pub(crate) fn summary(&self) -> Summary {
        let lots = self.lots.iter().filter(|lot| lot.number.is_some());
        let sum = |lot: &Lot| LotSum {
            issued: lot.issued,
            remaining: lot.remaining,
            consumed: lot.consumed,
            expired: lot.expired,
            rolled_over: lot.rolled_over,
            returned: lot.returned,
            starts: lot.start,
            ends: lot.end,
            priority: self.grants[lot.grant].priority,
        };
        let overage = |((month, feature, unit), bucket): (&Place, &Bucket)| {
            ((unit.clone(), month.clone(), feature.clone()), bucket.open)
        };
        Summary {
            clock: self.clock,
            claimed: !self.configurations.is_empty(),
            unpriced: self.unpriced,
            lots: lots.map(|lot| (lot.id(&self.grants), sum(lot))).collect(),
            overage: self.overage.iter().map(overage).collect(),
            entries: self.entries.clone(),
            outcomes: self.outcomes.clone(),
        }
    }
}
