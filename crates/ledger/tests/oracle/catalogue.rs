//! The catalogue: revisions in the order they were folded, and what is in force at a time.

use std::collections::BTreeMap;

use super::holds::HoldPolicy;
use super::pricing::Price;
use super::text::{Json, Span, instant};
use super::zone::Zone;
use super::{Envelope, identity::Identities};

/// What happens to overage.
#[derive(Clone, Debug)]
pub(crate) struct OveragePolicy {
    pub(crate) repay: bool,
    pub(crate) at_month_end: String,
}

impl OveragePolicy {
    pub(crate) fn parse(body: Option<&Json>) -> OveragePolicy {
        let repay = body.and_then(|body| body.flag("repay")).unwrap_or(true);
        let at_month_end = body.and_then(|body| body.text("at_month_end")).unwrap_or("keep").to_owned();
        OveragePolicy { repay, at_month_end }
    }
}

/// The default policies: what a wallet has that says nothing itself.
#[derive(Clone, Debug)]
pub(crate) struct Policies {
    pub(crate) lateness: i64,
    pub(crate) zone: String,
    pub(crate) rate_card: String,
    pub(crate) overage: OveragePolicy,
    pub(crate) holds: Option<HoldPolicy>,
}

impl Policies {
    fn parse(body: &Json) -> Policies {
        Policies {
            lateness: Span::parse(body.text("lateness").unwrap_or("PT72H")).rough(),
            zone: body.text("zone").unwrap_or("UTC").to_owned(),
            rate_card: body.text("rate_card").unwrap_or("standard").to_owned(),
            overage: OveragePolicy::parse(body.get("overage")),
            holds: body.get("holds").map(HoldPolicy::parse),
        }
    }
}

/// A time as seen from a step: what is due by time sees the catalogue before it, a record also what came at it.
#[derive(Clone, Copy, Debug)]
pub(crate) enum AsOf {
    Due(i64),
    Record(i64),
}

/// Everything published so far.
#[derive(Default)]
pub(crate) struct Catalogue {
    /// The fold version in force.
    pub(crate) fold_version: i64,
    current: BTreeMap<(String, String), String>,
    zones: BTreeMap<String, Zone>,
    policies: Vec<(i64, Policies)>,
    /// Each price's revisions, with the instant from which each is in force.
    prices: BTreeMap<String, Vec<(i64, Price)>>,
    identities: Identities,
}

impl Catalogue {
    pub(crate) fn genesis(&mut self, envelope: &Envelope) {
        self.fold_version = envelope.data.whole("fold").expect("genesis names a fold version");
    }

    /// Takes a `catalogue.published` record and says what became of it.
    pub(crate) fn record(&mut self, offset: u64, envelope: &Envelope) -> String {
        if let Some(seen) = self.identities.seen(offset, envelope) {
            return seen;
        }
        let data = &envelope.data;
        let kind = data.text("kind").expect("a catalogue record has a kind").to_owned();
        let name = data.text("name").expect("a catalogue record has a name").to_owned();
        let place = (kind.clone(), name.clone());
        if self.current.get(&place).map(String::as_str) != data.text("replaces") {
            return "rejected replaces_mismatch".to_owned();
        }
        let body = data.get("body").expect("a catalogue record has a body");
        let holds = body.get("holds").filter(|_| kind == "policies").map(HoldPolicy::parse);
        if let Some(unit) =
            holds.and_then(|holds| holds.units().into_iter().find(|unit| !self.has_unit(unit)))
        {
            return format!("rejected unknown_unit: {unit}");
        }
        if kind == "fold" {
            let version = body.whole("version").expect("a fold document has a version");
            if version <= self.fold_version {
                return "rejected not_newer".to_owned();
            }
            self.fold_version = version;
        }
        self.current.insert(place, envelope.id.clone());
        match kind.as_str() {
            "zone" => {
                self.zones.insert(name, Zone::parse(body));
            }
            "policies" => self.policies.push((envelope.recorded_at, Policies::parse(body))),
            "price" => {
                let from = body.text("effective_from").map_or(envelope.recorded_at, instant);
                self.prices.entry(name).or_default().push((from, Price::parse(body)));
            }
            "unit" | "rate_card" | "fold" => {}
            other => panic!("no catalogue kind {other}"),
        }
        "applied".to_owned()
    }

    /// The default policies in force: the latest that were there, else for a record the first ever, else the built-in ones.
    pub(crate) fn policies(&self, at: AsOf) -> Policies {
        let there = |recorded_at: i64| match at {
            AsOf::Due(due) => recorded_at < due,
            AsOf::Record(clock) => recorded_at <= clock,
        };
        let latest = self.policies.iter().rev().find(|(recorded_at, _)| there(*recorded_at));
        let first = match at {
            AsOf::Record(_) => self.policies.first(),
            AsOf::Due(_) => None,
        };
        match latest.or(first) {
            Some((_, policies)) => policies.clone(),
            None => Policies::parse(&Json::Object(BTreeMap::new())),
        }
    }

    pub(crate) fn has_unit(&self, unit: &str) -> bool {
        self.current.contains_key(&("unit".to_owned(), unit.to_owned()))
    }

    pub(crate) fn has_rate_card(&self, card: &str) -> bool {
        card == "standard" || self.current.contains_key(&("rate_card".to_owned(), card.to_owned()))
    }

    /// The zone of a name; nothing if none was published.
    pub(crate) fn zone(&self, name: &str) -> Option<Zone> {
        if name == "UTC" { Some(Zone::utc()) } else { self.zones.get(name).cloned() }
    }

    /// A version of a price by its label.
    pub(crate) fn version(&self, label: &str) -> (&str, usize, &Price) {
        let (name, revision) = label.rsplit_once('@').expect("a label has a revision");
        let revision: usize = revision.parse().expect("a revision is a number");
        let (name, revisions) = self.prices.get_key_value(name).expect("it priced something");
        (name, revision, &revisions[revision - 1].1)
    }

    /// Each price's version in force at a usage's time: the latest revision that says it is, and its number.
    pub(crate) fn prices_at(&self, time: i64) -> Vec<(&str, usize, &Price)> {
        let in_force = |(name, revisions)| {
            let (name, revisions): (&String, &Vec<(i64, Price)>) = (name, revisions);
            let (index, (_, price)) =
                revisions.iter().enumerate().rev().find(|(_, (from, _))| *from <= time)?;
            Some((name.as_str(), index + 1, price))
        };
        self.prices.iter().filter_map(in_force).collect()
    }
}
