//! One wallet's past in memory: what a store would answer, for folds that have none, or for records that it does not have yet.

use std::collections::BTreeMap;

use crate::changes::Changes;
use crate::entry::Outcome;
use crate::event::Event;
use crate::identity::{Hash16, Identity};
use crate::lot::Lot;
use crate::name::Name;
use crate::past::{Answer, Ask, OverageKey, Paid, Past, Used};
use crate::position::Offset;
use crate::quantity::Quantity;
use crate::record::Record;
use crate::time::Instant;
use crate::wallet::{Grant, Wallet};

/// What was noted of a wallet's records: usage with its draws, lots and grants that left, overage that was paid.
#[derive(Clone, Debug, Default)]
pub struct Memory {
    usage: BTreeMap<Hash16, Used>,
    /// By offset, for corrections of usage whose identity is not at hand.
    keys: BTreeMap<Offset, Hash16>,
    lots: BTreeMap<Name, Lot>,
    grants: BTreeMap<u64, Grant>,
    paid: BTreeMap<OverageKey, Vec<Paid>>,
    counters: BTreeMap<(Name, Name, Instant), Quantity>,
}

impl Memory {
    /// Notes what a record did to the wallet.
    pub fn note(
        &mut self,
        offset: Offset,
        (record, identity): (&Record<'_>, &Identity),
        wallet: &Wallet,
        outcome: Option<&Outcome>,
        changes: &Changes,
    ) {
        let event = match &record.event {
            Event::Usage(usage) => Some((identity.key, Some(usage))),
            Event::HoldSettled(settled) => Some((settled.usage_key(record.wallet()), settled.event())),
            Event::Genesis(_)
            | Event::CataloguePublished(_)
            | Event::WalletConfigured(_)
            | Event::GrantIssued(_)
            | Event::TimerDue(_)
            | Event::GrantVoided(_)
            | Event::UsageReversed(_)
            | Event::UsageRerated(_)
            | Event::WalletReset(_)
            | Event::OverageCleared(_)
            | Event::WalletChanged(_)
            | Event::WalletSuspended
            | Event::WalletResumed
            | Event::HoldRequested(_)
            | Event::HoldExtended(_)
            | Event::HoldVoided(_) => None,
        };
        if let (Some((key, usage)), Some(Outcome::Applied(unpriced))) = (event, outcome) {
            let settles = changes.settles.as_ref();
            let at = settles.map_or(record.time().min(wallet.clock), |settles| settles.at);
            let subject = settles.map_or(record.subject(), |settles| settles.subject.as_deref());
            let (kind, data) = usage.map_or(("", None), |usage| (&*usage.kind, usage.data));
            let mut used = Used::new(offset, kind, data, subject, at);
            changes.entries.iter().for_each(|entry| used.book(entry));
            used.is_unpriced = unpriced.is_some();
            if changes.priced.is_some() {
                used.price.clone_from(&changes.priced);
            }
            self.keys.insert(offset, key);
            self.usage.insert(key, used);
        }
        if let (Some(used), Some(key)) = (&changes.used, record.corrects()) {
            self.keys.insert(used.offset, key);
            self.usage.insert(key, (**used).clone());
        }
        for lot in &changes.left {
            self.lots.insert(lot.id.clone(), lot.clone());
        }
        for grant in &changes.left_grants {
            self.grants.insert(grant.no, grant.clone());
        }
        for (key, paid) in changes.entries.iter().filter_map(Paid::of) {
            self.paid.entry(key).or_default().push(paid);
        }
        self.note_counters(changes);
    }

    /// Notes the counters of closed periods alone: all that usage asks for, of a wallet that no correction is about.
    pub fn note_counters(&mut self, changes: &Changes) {
        for c in &changes.counters {
            self.counters.insert((c.price.clone(), c.charge.clone(), c.starts), c.value);
        }
    }

    /// Answers all that a record asks, from what was noted alone.
    pub fn tell(&self, catalogue: &crate::Catalogue, wallet: &Wallet, record: &Record<'_>, past: &mut Past) {
        loop {
            let asks = crate::asks(catalogue, wallet, record, past);
            if asks.is_empty() {
                return;
            }
            past.told.extend(asks.into_iter().map(|ask| {
                let answer = self.answer(&ask);
                (ask, answer)
            }));
        }
    }

    /// What was noted of a question.
    pub fn answer(&self, ask: &Ask) -> Answer {
        let mut answer = match ask {
            Ask::Counter(_) => Answer::Counter(None),
            Ask::Usage(_) => Answer::Usage(None),
            Ask::Family(_) => Answer::Lots(Vec::new()),
            Ask::Grant(_) | Ask::Purchase(_) => Answer::Grants(Vec::new()),
            Ask::Paid(_) => Answer::Paid(Vec::new()),
        };
        self.add_to(ask, &mut answer);
        answer
    }

    /// Adds what was noted since to what a store answered.
    pub fn add_to(&self, ask: &Ask, answer: &mut Answer) {
        match (ask, answer) {
            (Ask::Counter(key), Answer::Counter(value)) => {
                let at = (key.price.clone(), key.charge.clone(), key.starts);
                *value = self.counters.get(&at).copied().or(*value);
            }
            (Ask::Usage(key), Answer::Usage(used)) => {
                if let Some(newer) = self.usage.get(key) {
                    *used = Some(Box::new(newer.clone()));
                }
            }
            (Ask::Family(family), Answer::Lots(lots)) => {
                let of = |lot: &&Lot| Lot::family(&lot.id) == Lot::family(family);
                let newer: Vec<Lot> = self.lots.values().filter(of).cloned().collect();
                lots.retain(|lot| newer.iter().all(|n| n.id != lot.id));
                lots.extend(newer);
            }
            (Ask::Grant(id), Answer::Grants(grants)) => {
                let is_it = |g: &&Grant| g.terms.grant_id == *id;
                self.add_grants(is_it, grants);
            }
            (Ask::Purchase(id), Answer::Grants(grants)) => {
                let is_it = |g: &&Grant| g.terms.purchase_id.as_ref() == Some(id);
                self.add_grants(is_it, grants);
            }
            (Ask::Paid(key), Answer::Paid(paid)) => {
                paid.extend(self.paid.get(key).into_iter().flatten().cloned());
            }
            (ask, answer) => unreachable!("{ask:?} is not answered by {answer:?}"),
        }
    }

    fn add_grants(&self, is_it: impl Fn(&&Grant) -> bool, grants: &mut Vec<Grant>) {
        let newer: Vec<Grant> = self.grants.values().filter(is_it).cloned().collect();
        grants.retain(|grant| newer.iter().all(|n| n.no != grant.no));
        grants.extend(newer);
    }

    /// A usage by where it stands, as it is in effect.
    pub fn usage_at(&self, offset: Offset) -> Option<&Used> {
        self.usage.get(self.keys.get(&offset)?)
    }

    /// A lot that has left the wallet's document.
    pub fn left_lot(&self, id: &str) -> Option<&Lot> {
        self.lots.get(&Name::from(id))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lot(id: &str, remaining: &str) -> Lot {
        let text = format!(
            r#"{{"id":"{id}","grant":0,"unit":"credits","starts_at":"1970-01-01T00:00:00Z","issued":"9","remaining":"{remaining}"}}"#
        );
        Lot::read(&text).expect("a lot")
    }

    fn grant(no: u64, purchase: &str) -> Grant {
        let terms =
            format!(r#"{{"grant_id":"plan","unit":"credits","amount":"9","purchase_id":"{purchase}"}}"#);
        let zone = r#"{"name":"UTC","revision":0}"#;
        let text = format!(
            r#"{{"no":{no},"terms":{terms},"zone":{zone},"effective_at":"1970-01-01T00:00:00Z","base":0}}"#
        );
        Grant::read(&text).expect("a grant")
    }

    #[test]
    fn what_was_noted_since_stands_in_place_of_what_a_store_has() {
        let mut memory = Memory::default();
        memory.lots.insert("plan#1".into(), lot("plan#1", "5"));
        memory.grants.insert(1, grant(1, "newer"));
        assert_eq!(memory.left_lot("plan#1").map(|l| l.remaining.text()), Some("5".into()));

        let mut lots = Answer::Lots(vec![lot("plan#1", "7"), lot("plan#1/1", "9")]);
        memory.add_to(&Ask::Family("plan#1".into()), &mut lots);
        let Answer::Lots(lots) = lots else { unreachable!("it is about lots") };
        let lots: Vec<(&str, String)> = lots.iter().map(|l| (&*l.id, l.remaining.text())).collect();
        assert_eq!(lots, [("plan#1/1", "9".into()), ("plan#1", "5".into())]);

        let mut grants = Answer::Grants(vec![grant(0, "other"), grant(1, "older")]);
        memory.add_to(&Ask::Grant("plan".into()), &mut grants);
        let Answer::Grants(grants) = grants else { unreachable!("it is about grants") };
        let grants: Vec<_> = grants.iter().map(|g| g.terms().purchase_id.as_deref()).collect();
        assert_eq!(grants, [Some("other"), Some("newer")]);
    }
}
