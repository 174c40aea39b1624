//! Reversal and re-rating: what a usage took is given back to the very lots, and perhaps charged anew (rules, section 5).

use serde_json::value::RawValue;

use crate::amount::Amount;
use crate::back::Hand;
use crate::burn::Charge;
use crate::catalogue::Catalogue;
use crate::correction::{Part, Rerated, Reversed};
use crate::entry::{Entry, EntryKind};
use crate::event::Usage;
use crate::fold::{About, Fold, Refused};
use crate::lot::Lot;
use crate::name::Name;
use crate::past::{Draw, OverageKey, Paid, Past, Used};
use crate::quantity::Quantity;
use crate::rate::{CounterKey, Fields, Rated, Unpriced, rate};
use crate::time::Instant;
use crate::wallet::{Overage, Wallet};

impl Fold<'_> {
    /// A usage is undone, wholly or in part.
    pub(crate) fn reverse(&mut self, past: &Past, reversed: &Reversed<'_>) -> Result<(), Refused> {
        let mut used = self.corrected(past)?;
        let draws = match &reversed.amounts {
            None => in_order(std::mem::take(&mut used.draws)),
            Some(parts) => parts_of(&used, parts)?,
        };
        self.revive(past);
        let first = self.changes.entries.len();
        let mut hand = Hand::default();
        draws.iter().for_each(|draw| self.undraw(draw, &used, past, &mut hand));
        self.wallet.overage.retain(|o| !o.amount.is_zero());
        self.put_back(hand);
        if reversed.amounts.is_none() {
            for (key, quantity) in counted(self.catalogue, self.wallet, &used) {
                self.uncount(past, key, quantity);
            }
            self.wallet.unpriced -= u64::from(used.is_unpriced);
            used.cancel();
        } else {
            used.reverse_in_part(self.changes.entries[first..].iter());
        }
        self.changes.used = Some(Box::new(used));
        Ok(())
    }

    fn corrected(&self, past: &Past) -> Result<Used, Refused> {
        let used = past.usage().ok_or("unknown_usage")?;
        if used.is_cancelled { Err("already_reversed".into()) } else { Ok(used.clone()) }
    }

    /// Gives one draw back: credits to the hand, overage to where it went. What is open of it stays, though nothing may be left.
    fn undraw(&mut self, draw: &Draw, used: &Used, past: &Past, hand: &mut Hand) {
        let about = |lot| About {
            lot,
            feature: Some(draw.feature.clone()),
            price: used.price.clone(),
            month: draw.month,
            ..About::default()
        };
        let moment = self.recorded(draw.effective_at);
        if let Some(lot) = &draw.lot {
            self.take_in_hand(hand, lot, draw.amount, draw.booked_at);
            return self.book(EntryKind::Reversal, &draw.unit, draw.amount, about(Some(lot.clone())), moment);
        }
        let month = draw.month.expect("overage is of a month");
        let key = OverageKey { month, unit: draw.unit.clone(), feature: draw.feature.clone() };
        let mut left = draw.amount;
        let is_it = |o: &&mut Overage| o.month == key.month && o.unit == key.unit && o.feature == key.feature;
        let open = self.wallet.overage.iter_mut().find(is_it);
        let lowered = open.map_or(Amount::ZERO, |o| o.amount.take(left));
        if !lowered.is_zero() {
            left = left.above(lowered);
            self.reshaped = true;
            self.book(EntryKind::ReverseOverage, &draw.unit, lowered, about(None), moment);
        }
        if !left.is_zero() {
            self.unpay(&key, left, &about(None), moment.effective_at, past, hand);
        }
    }

    /// Overage that is no longer open: it returns to the lots that paid it back, then it is due from the bill.
    fn unpay(
        &mut self,
        key: &OverageKey,
        mut left: Amount,
        about: &About,
        effective_at: Instant,
        past: &Past,
        hand: &mut Hand,
    ) {
        let now = self.changes.entries.iter().filter_map(Paid::of).filter(|(k, _)| k == key).map(|(_, p)| p);
        let paid: Vec<Paid> = past.paid(key).iter().cloned().chain(now).collect();
        for (kind, undo) in [
            (EntryKind::Repay, EntryKind::Unrepay),
            (EntryKind::Bill, EntryKind::CreditDue),
            (EntryKind::Forgive, EntryKind::Unforgive),
        ] {
            for standing in standing(&paid, kind, undo).into_iter().rev() {
                let mut back = standing.amount;
                let amount = back.take(left);
                if amount.is_zero() {
                    continue;
                }
                left = left.above(amount);
                let moment = self.recorded(effective_at);
                self.book(EntryKind::ReverseOverage, &key.unit, amount, about.clone(), moment);
                if let Some(lot) = &standing.lot {
                    self.take_in_hand(hand, lot, amount, standing.booked_at);
                }
                let moment = self.recorded(standing.effective_at);
                let about = About { lot: standing.lot, price: None, ..about.clone() };
                self.book(undo, &key.unit, amount, about, moment);
            }
        }
        assert!(left.is_zero(), "overage is open, paid back, billed or forgiven");
    }

    /// A usage is charged anew at its own time.
    pub(crate) fn rerate(&mut self, past: &Past, rerated: &Rerated<'_>) -> Result<(), Refused> {
        let mut used = self.corrected(past)?;
        if used.kind.is_empty() {
            return Err("no_event".into());
        }
        let data = rerated.data.or(used.data.as_deref());
        let usage = Usage { data, ..used.usage() };
        let before = counted(self.catalogue, self.wallet, &used);
        let rated = {
            let counter = |key: &CounterKey| self.uncounted(past, key, &before);
            crate::fold::price(self.catalogue, self.wallet, &usage, used.at, counter)
        };
        let rated = rated.map_err(|why| format!("unpriced: {}", why.word()))?;
        let (wallet, line, marks) = (self.wallet.clone(), self.line, self.changes.mark());
        let first = self.changes.entries.len();
        for (key, quantity) in before {
            self.uncount(past, key, quantity);
        }
        let (old, price, new_price) = (used.draws.clone(), used.price.clone(), rated.price.clone());
        let was_unpriced = used.is_unpriced;
        self.charge_anew(past, &mut used, rated);
        let entries = self.changes.entries[first..].iter();
        used.rerate(rerated.data, entries, Some(&new_price));
        if same(&old, &used.draws) && price == used.price {
            let counters = std::mem::take(&mut self.wallet.counters);
            *self.wallet = wallet;
            self.wallet.counters = counters;
            self.line = line;
            let counted = std::mem::take(&mut self.changes.counters);
            self.changes.back_to(&marks);
            self.changes.counters = counted;
            used.draws = old;
        }
        if !self.changes.entries[first..].iter().any(|e| e.kind.is_draw()) {
            self.changes.priced = Some(new_price);
        }
        self.wallet.unpriced -= u64::from(was_unpriced);
        self.changes.used = Some(Box::new(used));
        Ok(())
    }

    fn charge_anew(&mut self, past: &Past, used: &mut Used, rated: Rated) {
        self.revive(past);
        let first = self.changes.entries.len();
        let mut hand = Hand::default();
        for draw in in_order(used.draws.clone()) {
            self.undraw(&draw, used, past, &mut hand);
        }
        let moment = self.recorded(used.at);
        for (key, value) in rated.counted {
            self.count(key, value, moment);
        }
        for (unit, feature, mut amount) in rated.charges {
            let gone = used.reversed.iter().find(|r| r.0 == unit && r.1 == feature).map(|r| r.2);
            let _ = amount.take(gone.unwrap_or_default());
            let subject = used.subject.as_deref();
            self.burn(Charge { unit, feature, amount, price: Some(&rated.price), subject }, moment);
        }
        self.repay_in_hand(&hand, first);
        self.put_back(hand);
    }

    /// Lots that had paid back overage pay it back again first, with what they were given back, whatever became of them.
    fn repay_in_hand(&mut self, hand: &Hand, first: usize) {
        let is_new = |e: &&Entry| e.kind == EntryKind::Overage;
        let new: Vec<Entry> = self.changes.entries[first..].iter().filter(is_new).cloned().collect();
        let moment = self.recorded(self.wallet.clock);
        for entry in new {
            let mut left = entry.amount;
            let is_it = |o: &Overage| {
                Some(o.month) == entry.month
                    && o.unit == entry.unit
                    && Some(&o.feature) == entry.feature.as_ref()
            };
            let bucket = self.wallet.overage.iter().position(is_it).expect("it was just left open");
            for credit in hand.credits.iter().rev() {
                let most = left.min(self.in_hand(hand, &credit.lot));
                left = left.above(self.repay_with(bucket, self.place(&credit.lot), most, moment));
            }
        }
        self.wallet.overage.retain(|o| !o.amount.is_zero());
    }

    /// The counter of a key, as it stands: here, about to become a row, or a row.
    pub(crate) fn counter(&self, past: &Past, key: &CounterKey) -> Quantity {
        let written = self.changes.counters.iter().rev();
        let mut here = self.wallet.counters.iter().chain(&self.closed).chain(written);
        here.find(|c| c.is(key)).map(|c| c.value).or_else(|| past.counter(key)).unwrap_or_default()
    }

    fn uncounted(&self, past: &Past, key: &CounterKey, before: &[(CounterKey, Quantity)]) -> Quantity {
        let stands = self.counter(past, key);
        let own = before.iter().find(|(k, _)| k.is(key)).map(|(_, quantity)| *quantity);
        own.map_or(stands, |own| stands.minus(own).unwrap_or_default())
    }

    fn uncount(&mut self, past: &Past, key: CounterKey, quantity: Quantity) {
        let value = self.counter(past, &key).minus(quantity).unwrap_or_default();
        let moment = self.recorded(self.wallet.clock);
        self.count(key, value, moment);
    }
}

/// What a usage has counted towards tiers over a period.
pub(crate) fn counted(catalogue: &Catalogue, wallet: &Wallet, used: &Used) -> Vec<(CounterKey, Quantity)> {
    let Some(version) = used.price.as_ref().and_then(|label| catalogue.prices.version(label)) else {
        return Vec::new();
    };
    let usage = used.usage();
    let fields = Fields::of(usage.data);
    let period = |period| wallet.zone(catalogue, used.at).1.period(used.at, period);
    rate(version, &usage, &fields, period, |_| Quantity::default()).map(|r| r.counted).unwrap_or_default()
}

/// The version that would price a usage of this time now, as `name@revision`. Counters of tiers are taken to stand at nothing.
///
/// # Errors
///
/// Why it still has no price.
pub fn price_for(
    catalogue: &Catalogue,
    wallet: &Wallet,
    kind: &str,
    data: Option<&RawValue>,
    at: Instant,
) -> Result<Name, Unpriced> {
    let usage = Usage { data, data_text: None, data_base64: None, extensions: None, kind: kind.into() };
    crate::fold::price(catalogue, wallet, &usage, at, |_| Quantity::default()).map(|rated| rated.price)
}

impl Used {
    /// The event as it counts now.
    pub(crate) fn usage(&self) -> Usage<'_> {
        let kind = self.kind.as_str().into();
        Usage { data: self.data.as_deref(), data_text: None, data_base64: None, extensions: None, kind }
    }
}

/// Overage first, then the lots; of each, the last first.
fn in_order(mut draws: Vec<Draw>) -> Vec<Draw> {
    draws.reverse();
    draws.sort_by_key(|d| d.lot.is_some());
    draws
}

/// What is given back of the lines of a reversal, or why it cannot be.
fn parts_of(used: &Used, parts: &[Part]) -> Result<Vec<Draw>, Refused> {
    if parts.is_empty() {
        return Err("no_amounts".into());
    }
    let mut there = in_order(used.draws.clone());
    let mut back = Vec::new();
    for part in parts {
        if part.amount.is_zero() {
            return Err("amount_zero".into());
        }
        let mut left = part.amount;
        let is_part = |d: &&mut Draw| {
            *d.unit == *part.unit && part.feature.as_deref().is_none_or(|feature| *d.feature == *feature)
        };
        for draw in there.iter_mut().filter(is_part) {
            let amount = draw.amount.take(left);
            left = left.above(amount);
            if !amount.is_zero() {
                back.push(Draw { amount, ..draw.clone() });
            }
        }
        if !left.is_zero() {
            return Err("more_than_used".into());
        }
    }
    Ok(back)
}

/// What still stands of the entries of a kind, less what later ones undid.
fn standing(paid: &[Paid], kind: EntryKind, undo: EntryKind) -> Vec<Paid> {
    let mut standing: Vec<Paid> = Vec::new();
    for entry in paid {
        if entry.kind == kind {
            standing.push(entry.clone());
        } else if entry.kind == undo {
            let mut left = entry.amount;
            for earlier in standing.iter_mut().rev().filter(|e| e.lot == entry.lot) {
                left = left.above(earlier.amount.take(left));
            }
        }
    }
    standing.retain(|e| !e.amount.is_zero());
    standing
}

/// Whether the same lots pay the same amounts.
fn same(old: &[Draw], new: &[Draw]) -> bool {
    let sums = |draws: &[Draw]| {
        let mut sums: Vec<(Name, Name, Option<Name>, Amount)> = Vec::new();
        for d in draws {
            match sums.iter_mut().find(|s| s.0 == d.unit && s.1 == d.feature && s.2 == d.lot) {
                Some((.., sum)) => sum.add(d.amount),
                None => sums.push((d.unit.clone(), d.feature.clone(), d.lot.clone(), d.amount)),
            }
        }
        sums.sort();
        sums
    };
    sums(old) == sums(new)
}

/// The lots that a correction may reach: by the lot of the cycle that each belongs to.
pub(crate) fn families<'a>(lots: impl Iterator<Item = &'a Name>) -> Vec<Name> {
    let mut families: Vec<Name> = lots.map(|id| Lot::family(id).into()).collect();
    families.sort();
    families.dedup();
    families
}
