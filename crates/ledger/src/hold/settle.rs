//! What was used is taken out of a hold: by a settlement, or by the usage event itself.

use super::{Hold, Line, Measure, Settled};
use crate::amount::Amount;
use crate::burn::Charge;
use crate::catalogue::Catalogue;
use crate::entry::EntryKind;
use crate::event::Usage;
use crate::fold::{About, Fold, Moment, Refused};
use crate::name::Name;
use crate::past::Past;
use crate::quantity::Quantity;
use crate::rate::{CounterKey, Fields, Rated, Unpriced, rank, rate};
use crate::record::Record;
use crate::time::Instant;
use crate::wallet::Wallet;

/// Which hold a usage settled: it counts as of the hold's time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settles {
    /// The hold's id.
    pub hold: Name,
    /// When the hold was approved.
    pub at: Instant,
    /// Who used: as the usage says, else the hold.
    pub subject: Option<Name>,
}

/// What was used: unit, feature and amount, and the version of the price that says so.
struct Used {
    charges: Vec<(Name, Name, Amount)>,
    price: Option<Name>,
}

impl Fold<'_> {
    /// What was used is taken out of a hold; if that is not open, it is booked as usage.
    pub(crate) fn hold_settled(
        &mut self,
        past: &Past,
        record: &Record<'_>,
        settled: &Settled<'_>,
    ) -> Result<Option<Unpriced>, Refused> {
        if let Measure::Amounts(lines) = &settled.actual {
            self.has_units(lines)?;
        }
        if self.wallet.holds.contains_key(&*settled.hold) {
            return Ok(self.settle_hold(
                past,
                &settled.hold,
                &settled.actual,
                record.subject(),
                settled.is_final,
            ));
        }
        let at = record.time().min(self.wallet.clock);
        Ok(match &settled.actual {
            Measure::Event(event) => self.usage(past, event, record.subject(), at).err(),
            Measure::Amounts(lines) => {
                let moment = self.recorded(at);
                for line in lines {
                    self.burn(line.charge(record.subject()), moment);
                }
                None
            }
        })
    }

    /// What was used is taken out of an open hold, as of the hold's time. What is left of that is free if this is `is_final`.
    pub(crate) fn settle_hold(
        &mut self,
        past: &Past,
        id: &str,
        actual: &Measure<'_>,
        subject: Option<&str>,
        is_final: bool,
    ) -> Option<Unpriced> {
        let (name, mut hold) = self.wallet.holds.remove_entry(id).expect("the hold is open");
        self.reshaped = true;
        let subject = subject.map(Name::from).or_else(|| hold.subject.clone());
        let (used, unpriced) = match self.used(past, actual, &hold) {
            Ok(used) => (used, None),
            Err(why) => (Used { charges: Vec::new(), price: None }, Some(why)),
        };
        for (unit, feature, amount) in used.charges {
            let (price, subject) = (used.price.as_ref(), subject.as_deref());
            self.take_held(&name, &mut hold, Charge { unit, feature, amount, price, subject });
        }
        self.changes.settles = Some(Box::new(super::Settles { hold: name.clone(), at: hold.at, subject }));
        if is_final {
            self.let_go(&name, hold, self.recorded(self.wallet.clock));
        } else {
            hold.lines.retain(|line| !line.amount().is_zero());
            self.wallet.holds.insert(name, hold);
        }
        unpriced
    }

    fn used(&mut self, past: &Past, actual: &Measure<'_>, hold: &Hold) -> Result<Used, Unpriced> {
        let event = match actual {
            Measure::Amounts(lines) => {
                let charge =
                    |line: &Line| (line.unit.as_str().into(), line.feature.as_str().into(), line.amount);
                return Ok(Used { charges: lines.iter().map(charge).collect(), price: None });
            }
            Measure::Event(event) => event,
        };
        let rated = self.price_held(past, event, hold)?;
        if rated.charges.iter().all(|(_, _, amount)| amount.is_zero()) {
            self.changes.priced = Some(rated.price.clone());
        }
        let moment = self.recorded(hold.at);
        for (key, value) in rated.counted {
            self.count(key, value, moment);
        }
        Ok(Used { charges: rated.charges, price: Some(rated.price) })
    }

    pub(super) fn price_held(&self, past: &Past, event: &Usage<'_>, hold: &Hold) -> Result<Rated, Unpriced> {
        hold.rate(self.catalogue, self.wallet, event, |key| self.counter(past, key))
    }

    /// Takes a charge from what the hold has in lots, then as usage does, while what it has against the overdraft shrinks.
    fn take_held(&mut self, name: &Name, hold: &mut Hold, mut charge: Charge<'_>) {
        let moment = self.recorded(hold.at);
        let lines = hold.paying(&charge.unit, &charge.feature);
        for line in &lines {
            for part in &mut hold.lines[*line].lots {
                let at = self.place(&part.lot);
                let lot = &mut self.wallet.lots[at];
                if !lot.terms.applies_to.allows(&charge.feature, charge.subject) {
                    continue;
                }
                let paid = charge.amount.take(part.amount.take(charge.amount));
                let paid = lot.pay_held(paid);
                if !paid.is_zero() {
                    let about = About { other: Some(name.clone()), ..charge.about(Some(part.lot.clone())) };
                    let moment = self.as_held(at, hold.at, moment);
                    self.book(EntryKind::HeldUsage, &charge.unit, paid, about, moment);
                }
            }
        }
        for line in &lines {
            hold.lines[*line].lots.retain(|part| !part.amount.is_zero());
        }
        let mut over = charge.amount;
        for line in lines {
            let held = &mut hold.lines[line];
            let freed = over.take(held.overdraft.take(over));
            self.free_overdraft(name, &held.unit, &held.feature, freed, moment);
        }
        self.burn(charge, moment);
    }

    pub(super) fn free_overdraft(
        &mut self,
        hold: &Name,
        unit: &Name,
        feature: &Name,
        amount: Amount,
        moment: Moment<'_>,
    ) {
        if !amount.is_zero() {
            let (other, feature) = (Some(hold.clone()), Some(feature.clone()));
            let about = About { other, feature, ..About::default() };
            self.book(EntryKind::ReleaseOverdraft, unit, amount, about, moment);
        }
    }

    pub(super) fn has_units(&self, lines: &[Line]) -> Result<(), Refused> {
        let is_known = lines.iter().all(|line| self.catalogue.has_unit(&line.unit));
        if is_known { Ok(()) } else { Err("unknown_unit".into()) }
    }
}

impl Hold {
    /// What an event comes to as of the hold's time: by the version that priced the hold, if that is for such events.
    pub(crate) fn rate(
        &self,
        catalogue: &Catalogue,
        wallet: &Wallet,
        event: &Usage<'_>,
        counter: impl Fn(&CounterKey) -> Quantity,
    ) -> Result<Rated, Unpriced> {
        let version = self.price.as_ref().and_then(|label| catalogue.prices.version(label));
        let fields = Fields::of(event.data);
        match version.filter(|version| rank(&version.price, event, &fields).is_some()) {
            None => crate::fold::price(catalogue, wallet, event, self.at, counter),
            Some(version) => {
                let period = |period| wallet.zone(catalogue, self.at).1.period(self.at, period);
                rate(version, event, &fields, period, counter)
            }
        }
    }
}

impl Line {
    fn charge<'a>(&self, subject: Option<&'a str>) -> Charge<'a> {
        let (unit, feature) = (self.unit.as_str().into(), self.feature.as_str().into());
        Charge { unit, feature, amount: self.amount, price: None, subject }
    }
}
