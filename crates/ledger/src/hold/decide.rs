//! Whether a hold is approved, and from which lots.

use std::collections::BTreeMap;

use super::{Approved, Beyond, Declined, Extended, Hold, HoldPolicy, MOST_HOLDS, Measure, Requested, Why};
use crate::amount::Amount;
use crate::burn::Charge;
use crate::entry::{EntryKind, Outcome};
use crate::fold::{Fold, Moment, Refused};
use crate::name::Name;
use crate::past::Past;
use crate::record::Record;

/// What is asked for: unit, feature and amount, and the version of the price that says so.
struct Asked {
    lines: Vec<(Name, Name, Amount)>,
    price: Option<Name>,
}

impl Fold<'_> {
    /// Credits are to be set aside.
    pub(crate) fn hold_requested(
        &mut self,
        past: &Past,
        record: &Record<'_>,
        requested: &Requested<'_>,
    ) -> Result<Outcome, Refused> {
        self.is_measure(&requested.estimate)?;
        let decided = self.request(past, record, requested);
        Ok(decided.map_or_else(|declined| Outcome::Declined(Box::new(declined)), Outcome::Approved))
    }

    fn request(
        &mut self,
        past: &Past,
        record: &Record<'_>,
        requested: &Requested<'_>,
    ) -> Result<Approved, Declined> {
        let (clock, recorded_at) = (self.wallet.clock, record.envelope.recorded_at);
        if !past.names.is_empty() {
            return Err(Why::Voided.into());
        }
        self.may_approve()?;
        let policy = self.wallet.hold_policy(self.catalogue);
        let latest = recorded_at.plus(policy.max_life.exact());
        let ends_at = recorded_at.plus(requested.ttl.exact()).min(latest);
        if ends_at <= clock || requested.valid_until.is_some_and(|until| until <= clock) {
            return Err(Why::TooLate.into());
        }
        if self.wallet.holds.len() >= MOST_HOLDS {
            return Err(Why::TooManyHolds.into());
        }
        let hold = Hold {
            source: (*record.envelope.source).into(),
            at: clock,
            ends_at,
            latest,
            subject: record.subject().map(Name::from),
            price: None,
            lines: Vec::new(),
        };
        let asked = self.asked(past, &requested.estimate, &hold)?;
        let hold = Hold { price: asked.price.clone(), ..hold };
        self.set_aside(&record.envelope.id, hold, asked, &policy)
    }

    /// An open hold is to live longer, or to set more aside.
    pub(crate) fn hold_extended(
        &mut self,
        past: &Past,
        record: &Record<'_>,
        extended: &Extended<'_>,
    ) -> Result<Outcome, Refused> {
        match &extended.more {
            Some(more) => self.is_measure(more)?,
            None if extended.ttl.is_none() => return Err("nothing_asked".into()),
            None => {}
        }
        let decided = self.extend(past, record, extended);
        Ok(decided.map_or_else(|declined| Outcome::Declined(Box::new(declined)), Outcome::Approved))
    }

    fn extend(
        &mut self,
        past: &Past,
        record: &Record<'_>,
        extended: &Extended<'_>,
    ) -> Result<Approved, Declined> {
        let Some(mut hold) = self.wallet.holds.get(&*extended.hold).cloned() else {
            return Err(Why::NotOpen.into());
        };
        self.may_approve()?;
        if let Some(ttl) = extended.ttl {
            let until = record.envelope.recorded_at.plus(ttl.exact());
            hold.ends_at = hold.ends_at.max(until).min(hold.latest);
        }
        let asked = match &extended.more {
            Some(more) => self.asked(past, more, &hold)?,
            None => Asked { lines: Vec::new(), price: None },
        };
        self.set_aside(&extended.hold, hold, asked, &self.wallet.hold_policy(self.catalogue))
    }

    fn may_approve(&self) -> Result<(), Declined> {
        if self.wallet.unopened {
            return Err(Why::UnknownWallet.into());
        }
        if self.wallet.suspended { Err(Why::Suspended.into()) } else { Ok(()) }
    }

    /// Refuses what is no amount of anything.
    fn is_measure(&self, measure: &Measure<'_>) -> Result<(), Refused> {
        let Measure::Amounts(lines) = measure else { return Ok(()) };
        if lines.is_empty() {
            return Err("no_amounts".into());
        }
        if lines.iter().any(|line| line.amount.is_zero()) {
            return Err("amount_zero".into());
        }
        self.has_units(lines)
    }

    /// What a measure comes to. An event is priced as of the hold's time, by the hold's own version if it has one.
    fn asked(&self, past: &Past, measure: &Measure<'_>, hold: &Hold) -> Result<Asked, Why> {
        match measure {
            Measure::Amounts(lines) => {
                let line = |line: &super::Line| {
                    (line.unit.as_str().into(), line.feature.as_str().into(), line.amount)
                };
                Ok(Asked { lines: lines.iter().map(line).collect(), price: None })
            }
            Measure::Event(event) => {
                let rated = self.price_held(past, event, hold).map_err(Why::Unpriced)?;
                Ok(Asked { lines: rated.charges, price: Some(rated.price) })
            }
        }
    }

    /// Sets aside what is asked for and opens the hold, or changes nothing.
    fn set_aside(
        &mut self,
        id: &str,
        mut hold: Hold,
        asked: Asked,
        policy: &HoldPolicy,
    ) -> Result<Approved, Declined> {
        let too_large = too_large(&hold, &asked, policy);
        if !too_large.is_empty() {
            return Err(Declined { why: Why::TooLarge, lacks: too_large });
        }
        let (lots, next_order) = (self.wallet.lots.clone(), self.wallet.next_order);
        let (line, marks) = (self.line, self.changes.mark());
        let name = Name::from(id);
        let moment = self.recorded(hold.at);
        let mut uncovered: BTreeMap<Name, Amount> = BTreeMap::new();
        for (unit, feature, amount) in &asked.lines {
            let subject = hold.subject.clone();
            let charge = Charge {
                unit: unit.clone(),
                feature: feature.clone(),
                amount: *amount,
                price: asked.price.as_ref(),
                subject: subject.as_deref(),
            };
            let rest = self.hold_in_lots(&name, &mut hold, &charge, moment);
            uncovered.entry(unit.clone()).or_default().add(rest);
        }
        uncovered.retain(|_, amount| !amount.is_zero());
        let lacks = self.beyond(&uncovered, policy);
        if !lacks.is_empty() {
            (self.wallet.lots, self.wallet.next_order) = (lots, next_order);
            self.line = line;
            self.changes.back_to(&marks);
            return Err(Declined { why: Why::Insufficient, lacks });
        }
        let beyond_lots = policy.beyond == Beyond::SoftCap && !uncovered.is_empty();
        let until = hold.ends_at;
        self.wallet.holds.insert(name, hold);
        self.reshaped = true;
        Ok(Approved { until, beyond_lots })
    }

    /// Sets aside in the lots that would pay the charge now, in the order of burning; the rest, which is answered, against the
    /// overdraft.
    fn hold_in_lots(
        &mut self,
        name: &Name,
        hold: &mut Hold,
        charge: &Charge<'_>,
        moment: Moment<'_>,
    ) -> Amount {
        self.sort();
        let (clock, mut owed) = (self.wallet.clock, charge.amount);
        let about = |lot| crate::fold::About { other: Some(name.clone()), ..charge.about(lot) };
        for at in 0..self.wallet.lots.len() {
            if owed.is_zero() {
                break;
            }
            if self.changes.considered.is_some() {
                self.consider(at, owed, charge, moment);
            }
            let lot = &self.wallet.lots[at];
            let pays = lot.unit == charge.unit
                && lot.is_open(clock)
                && !lot.remaining.is_zero()
                && lot.terms.applies_to.allows(&charge.feature, charge.subject);
            if !pays {
                continue;
            }
            self.touch(at, self.recorded(clock));
            let lot = &mut self.wallet.lots[at];
            let taken = lot.remaining.take(owed);
            lot.held.add(taken);
            let (id, taken) = (lot.id.clone(), owed.take(taken));
            hold.line(&charge.unit, &charge.feature).put(id.clone(), taken);
            let moment = self.as_held(at, hold.at, moment);
            self.book(EntryKind::Hold, &charge.unit, taken, about(Some(id)), moment);
        }
        if !owed.is_zero() {
            hold.line(&charge.unit, &charge.feature).overdraft.add(owed);
            self.book(EntryKind::HoldOverdraft, &charge.unit, owed, about(None), moment);
        }
        owed
    }

    /// By how much what lots do not cover is beyond what the policy lets pass.
    fn beyond(&self, uncovered: &BTreeMap<Name, Amount>, policy: &HoldPolicy) -> BTreeMap<Name, Amount> {
        let bounds = match &policy.beyond {
            Beyond::Block => return uncovered.clone(),
            Beyond::SoftCap => return BTreeMap::new(),
            Beyond::Overdraft(bounds) => bounds,
        };
        let over = |(unit, amount): (&Name, &Amount)| {
            let bound = bounds.get(&**unit)?;
            let open = self.wallet.overage.iter().filter(|o| o.unit == *unit).map(|o| o.amount);
            let all: Amount = open.chain([self.wallet.held_overdraft(unit), *amount]).sum();
            let over = all.above(*bound);
            (!over.is_zero()).then(|| (unit.clone(), over.min(*amount)))
        };
        uncovered.iter().filter_map(over).collect()
    }
}

/// By how much the hold would be above the largest single draw.
fn too_large(hold: &Hold, asked: &Asked, policy: &HoldPolicy) -> BTreeMap<Name, Amount> {
    let mut sums: BTreeMap<Name, Amount> = BTreeMap::new();
    for (unit, _, amount) in &asked.lines {
        sums.entry(unit.clone()).or_insert_with(|| hold.amount(unit)).add(*amount);
    }
    let over = |(unit, sum): (Name, Amount)| {
        let over = sum.above(policy.largest.get(&*unit).copied().unwrap_or(Amount::MAX));
        (!over.is_zero()).then_some((unit, over))
    };
    sums.into_iter().filter_map(over).collect()
}
