//! Holds: what is set aside for work to come, what the work took of it, and what is free again.

use std::collections::BTreeMap;

use super::HoldSum;
use super::lot::Lot;
use super::pricing::{Priced, price_by, price_usage};
use super::step::{Note, Step};
use super::text::{DAY, Json, Span, amount};
use super::wallet::Wallet;

/// An open hold.
#[derive(Clone)]
pub(crate) struct Hold {
    pub(crate) source: String,
    pub(crate) at: i64,
    pub(crate) ends: i64,
    pub(crate) latest: i64,
    pub(crate) subject: Option<String>,
    pub(crate) price: Option<String>,
    /// In the order in which it was set aside.
    pub(crate) asides: Vec<Aside>,
}

/// Something set aside: in a lot, or against the overdraft.
#[derive(Clone, Debug)]
pub(crate) struct Aside {
    pub(crate) unit: String,
    pub(crate) feature: String,
    pub(crate) lot: Option<usize>,
    pub(crate) amount: i128,
}

/// What was used, as a record tells it.
#[derive(Clone, Copy)]
pub(crate) enum Actual<'a> {
    Amounts(&'a [Json]),
    Event(&'a Json),
}

/// What holds may set aside.
#[derive(Clone, Debug)]
pub(crate) struct HoldPolicy {
    /// Nothing beyond lots; anything, with a warning; or up to a bound for each unit that has one.
    pub(crate) beyond: Beyond,
    pub(crate) largest: BTreeMap<String, i128>,
    pub(crate) max_life: i64,
}

#[derive(Clone, Debug)]
pub(crate) enum Beyond {
    Nothing,
    Anything,
    UpTo(BTreeMap<String, i128>),
}

impl HoldPolicy {
    pub(crate) fn parse(body: &Json) -> HoldPolicy {
        let bounds = |json: Option<&Json>| match json {
            Some(Json::Object(fields)) => fields
                .iter()
                .map(|(unit, it)| (unit.clone(), amount(it.as_text().expect("an amount"))))
                .collect(),
            _ => BTreeMap::new(),
        };
        let beyond = match body.get("beyond") {
            None => Beyond::Nothing,
            Some(Json::Text(word)) if word == "block" => Beyond::Nothing,
            Some(Json::Text(_)) => Beyond::Anything,
            Some(other) => Beyond::UpTo(bounds(other.get("overdraft"))),
        };
        let max_life = body.text("max_life").map_or(DAY, |text| Span::parse(text).rough());
        HoldPolicy { beyond, largest: bounds(body.get("largest")), max_life }
    }

    pub(crate) fn units(&self) -> Vec<String> {
        let bounded =
            if let Beyond::UpTo(bounds) = &self.beyond { bounds.keys().cloned().collect() } else { vec![] };
        self.largest.keys().cloned().chain(bounded).collect()
    }
}

impl Actual<'_> {
    /// What a record says under `estimate`, `more` or `actual`.
    pub(crate) fn of<'a>(measure: &'a Json) -> Actual<'a> {
        match measure.get("event") {
            Some(event) => Actual::Event(event),
            None => Actual::Amounts(measure.list("amounts")),
        }
    }
}

impl Hold {
    pub(crate) fn sum(&self, wallet: &Wallet) -> HoldSum {
        let mut sum = HoldSum { ends: self.ends, has: BTreeMap::new() };
        for it in self.asides.iter().filter(|it| it.amount > 0) {
            let lot = it.lot.map(|lot| wallet.lots[lot].id());
            *sum.has.entry((it.unit.clone(), it.feature.clone(), lot)).or_default() += it.amount;
        }
        sum
    }

    /// The places of what is set aside: lots before the overdraft, what was named first before the rest.
    pub(crate) fn in_order(&self) -> Vec<usize> {
        let name = |it: &Aside| (it.unit.clone(), it.feature.clone());
        let first = |place: usize| self.asides.iter().position(|it| name(it) == name(&self.asides[place]));
        let mut places: Vec<usize> = (0..self.asides.len()).collect();
        places.sort_by_key(|place| (first(*place), self.asides[*place].lot.is_none()));
        places
    }
}

impl Step<'_> {
    pub(crate) fn hold_policy(&self) -> HoldPolicy {
        let own = self.wallet.own_hold_policy().cloned();
        let policy = own.or_else(|| self.catalogue.policies(self.as_of()).holds);
        policy.unwrap_or_else(|| HoldPolicy::parse(&Json::Null))
    }

    /// What something comes to: by the hold's price if it has one for such an event, as of the hold's time.
    pub(crate) fn price_of_hold(&self, event: &Json, hold: &Hold) -> Result<Priced, &'static str> {
        let zone = self.wallet.zone_at(self.catalogue, hold.at);
        if let Some(label) = &hold.price {
            let version = self.catalogue.version(label);
            if version.2.is_for(event) {
                return price_by(version, event, (&zone, hold.at), &self.wallet.counters);
            }
        }
        let card = self.wallet.rate_card_at(self.catalogue, hold.at);
        let in_force = self.catalogue.prices_at(hold.at);
        price_usage(&in_force, &card, event, (&zone, hold.at), &self.wallet.counters)
    }

    /// Whether a lot is for a feature and somebody who uses it.
    pub(crate) fn is_for(&self, lot: &Lot, feature: &str, subject: Option<&str>) -> bool {
        let grant = &self.wallet.grants[lot.grant];
        let listed = |list: &[String], it: Option<&str>| {
            list.is_empty() || it.is_some_and(|it| list.iter().any(|one| one == it))
        };
        listed(&grant.features, Some(feature)) && listed(&grant.subjects, subject)
    }

    /// What is set aside against the overdraft by all open holds.
    pub(crate) fn overdraft_held(&self, unit: &str) -> i128 {
        let asides = self.wallet.holds.values().flat_map(|hold| &hold.asides);
        asides.filter(|it| it.lot.is_none() && it.unit == unit).map(|it| it.amount).sum()
    }

    /// Ends the holds whose time is over at an instant; answers whether there were any.
    pub(crate) fn end_holds(&mut self, now: i64) -> bool {
        let over: Vec<String> =
            self.wallet.holds.iter().filter(|(_, hold)| hold.ends == now).map(|(id, _)| id.clone()).collect();
        for id in &over {
            let hold = self.wallet.holds.remove(id).expect("it is open");
            self.free(id, &hold);
        }
        !over.is_empty()
    }

    /// What is left of a hold goes back where it came from.
    pub(crate) fn free(&mut self, id: &str, hold: &Hold) {
        for place in hold.in_order() {
            let it = &hold.asides[place];
            if it.amount > 0 {
                match it.lot {
                    Some(lot) => self.free_in_lot(id, hold, it, lot),
                    None => self.free_overdraft(id, hold.at, it, it.amount),
                }
            }
        }
    }

    fn free_in_lot(&mut self, id: &str, hold: &Hold, it: &Aside, lot: usize) {
        self.wallet.lots[lot].held -= it.amount;
        self.wallet.lots[lot].remaining += it.amount;
        let (account, at) = (self.account(lot), self.wallet.lots[lot].start.max(hold.at));
        let note = Note { feature: Some(&it.feature), ..Note::plain("release", at) };
        self.book(note, &it.unit, Some(lot), (&format!("hold:{id}"), &account), it.amount);
        self.come_back(lot, None, it.amount);
    }

    pub(crate) fn free_overdraft(&mut self, id: &str, at: i64, it: &Aside, amount: i128) {
        let note = Note { feature: Some(&it.feature), ..Note::plain("release_overdraft", at) };
        self.book(note, &it.unit, None, (&format!("hold:{id}"), "overdraft"), amount);
    }
}
