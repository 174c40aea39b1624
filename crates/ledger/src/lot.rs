//! Lots: parcels of a grant that can be burned, and the order in which they are (rules, section 4).

use std::cmp::Ordering;
use std::sync::Arc;

use ethnum::U256;
use serde::{Deserialize, Serialize};

use crate::amount::{Amount, sum};
use crate::grant::{Cost, Terms};
use crate::name::Name;
use crate::time::Instant;

/// A parcel of credits with a window in which it can be burned.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Lot {
    /// `grant#cycle`, and `/k` behind it when it was carried over for the k-th time.
    pub id: Name,
    /// Its grant's number within the wallet.
    pub(crate) grant: u64,
    /// The unit.
    pub unit: Name,
    /// Order of issue; a carried lot keeps its origin's. None while nothing touched a quiet one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) order: Option<u64>,
    /// How often it was carried over.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub(crate) carried: u16,
    /// The lot that it was carried from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub origin: Option<Name>,
    /// When it begins (inclusive).
    pub starts_at: Instant,
    /// When it ends (exclusive).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ends_at: Option<Instant>,
    /// Until when it pays usage of its window.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) late_until: Option<Instant>,
    /// Its share of what the grant's lot cost.
    #[serde(default, skip_serializing_if = "Amount::is_zero")]
    pub money: Amount,
    /// What it began with, and what was added since.
    #[serde(deserialize_with = "sum")]
    pub issued: Amount,
    /// What can be burned.
    #[serde(default, deserialize_with = "sum", skip_serializing_if = "Amount::is_zero")]
    pub remaining: Amount,
    /// What holds hold.
    #[serde(default, deserialize_with = "sum", skip_serializing_if = "Amount::is_zero")]
    pub held: Amount,
    /// What paid usage and overage.
    #[serde(default, deserialize_with = "sum", skip_serializing_if = "Amount::is_zero")]
    pub consumed: Amount,
    /// What nobody used in time.
    #[serde(default, deserialize_with = "sum", skip_serializing_if = "Amount::is_zero")]
    pub expired: Amount,
    /// What was taken back.
    #[serde(default, deserialize_with = "sum", skip_serializing_if = "Amount::is_zero")]
    pub voided: Amount,
    /// What was carried over to another lot.
    #[serde(default, deserialize_with = "sum", skip_serializing_if = "Amount::is_zero")]
    pub rolled_over: Amount,
    /// What went back to the lot it was carried from.
    #[serde(default, deserialize_with = "sum", skip_serializing_if = "Amount::is_zero")]
    pub returned: Amount,
    /// What went to another wallet.
    #[serde(default, deserialize_with = "sum", skip_serializing_if = "Amount::is_zero")]
    pub moved: Amount,
    /// Whether its end has been booked.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) ended: bool,
    /// What corrections left on it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) marks: Option<Box<Marks>>,
    /// The grant's terms; found again by the grant's number when a wallet is read.
    #[serde(skip)]
    pub(crate) terms: Arc<Terms>,
    /// Whether anything changed since its row was last written.
    #[serde(skip)]
    pub(crate) touched: bool,
}

/// What corrections leave on a lot: most lots have none.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Marks {
    /// Since when it is void.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) void: Option<Instant>,
    /// When it was last reset to a max, and how much more it and what was added to it could have held then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) room: Option<(Instant, Amount)>,
    /// How many lots resets have added to it.
    #[serde(default, skip_serializing_if = "none_yet")]
    pub(crate) topped: u32,
    /// By how much what holds held in it and in what was added to it was above the max when it was last reset: so much of what
    /// comes back is too much.
    #[serde(default, deserialize_with = "sum", skip_serializing_if = "Amount::is_zero")]
    pub(crate) over: Amount,
    /// The lot that a reset added this one to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) tops_up: Option<Name>,
}

fn is_zero(n: &u16) -> bool {
    *n == 0
}

fn none_yet(n: &u32) -> bool {
    *n == 0
}

impl Lot {
    /// The promise that it is a parcel of.
    pub fn terms(&self) -> &Terms {
        &self.terms
    }

    /// Whether it can be burned at `at`.
    pub fn is_open(&self, at: Instant) -> bool {
        !self.ended && self.holds(at)
    }

    /// Whether `at` lies in its window.
    pub fn holds(&self, at: Instant) -> bool {
        self.starts_at <= at && self.ends_at.is_none_or(|end| at < end)
    }

    /// Whether its end has been booked.
    pub fn has_ended(&self) -> bool {
        self.ended
    }

    /// Until when it pays usage of its window; never is none.
    pub fn pays_until(&self) -> Option<Instant> {
        self.late_until
    }

    /// What a hold has in it pays. Answers how much.
    pub(crate) fn pay_held(&mut self, amount: Amount) -> Amount {
        let paid = self.held.take(amount);
        self.consumed.add(paid);
        self.touched = true;
        paid
    }

    /// What a hold has in it can be burned again. Answers how much.
    pub(crate) fn free_held(&mut self, amount: Amount) -> Amount {
        let freed = self.held.take(amount);
        self.remaining.add(freed);
        self.touched = true;
        freed
    }

    /// Whether it ended, and still pays usage of its window.
    pub(crate) fn is_late(&self, clock: Instant) -> bool {
        self.ended && self.late_until.is_some_and(|until| clock < until) && self.void_since().is_none()
    }

    /// The share of its money that so much of it cost.
    pub(crate) fn money_of(&self, amount: Amount) -> Amount {
        self.money.share(amount.billionths(), self.issued.billionths())
    }

    /// The share of its money that so much of it cost, once money follows what goes over and goes back.
    pub(crate) fn money_left_of(&self, amount: Amount) -> Amount {
        let gone = [self.rolled_over, self.returned].into_iter().sum();
        self.money.share(amount.billionths(), self.issued.above(gone).billionths())
    }

    /// Since when it is void, by itself.
    pub fn void_since(&self) -> Option<Instant> {
        self.marks.as_ref().and_then(|m| m.void)
    }

    /// The lot that a reset added this one to.
    pub fn tops_up(&self) -> Option<&Name> {
        self.marks.as_ref().and_then(|m| m.tops_up.as_ref())
    }

    /// Whether a reset added it, or what it was carried from.
    pub(crate) fn is_added(&self) -> bool {
        self.id.rfind('+').is_some_and(|plus| self.id.rfind('#').is_none_or(|cycle| cycle < plus))
    }

    pub(crate) fn marks(&mut self) -> &mut Marks {
        self.marks.get_or_insert_default()
    }

    /// Whether a reset has to know of it, though it is empty: it brings it back to a min, or bounds what may come back to it.
    pub(crate) fn awaits_reset(&self) -> bool {
        let has_bounds =
            self.terms.reset.is_some_and(|r| r.max.is_some() || r.min.is_some_and(|min| !min.is_zero()));
        has_bounds && !self.ended && self.void_since().is_none() && self.tops_up().is_none()
    }

    /// The name of the lot of its cycle: every lot carried from it or added to it begins with that.
    pub(crate) fn family(id: &str) -> &str {
        let cycle = id.rfind('#').map_or(0, |at| at + 1);
        let end = id[cycle..].find(['/', '+']).map_or(id.len(), |at| cycle + at);
        &id[..end]
    }

    /// A lot that has left its wallet's document, as JSON: its grant's terms are not in it.
    pub fn write(&self) -> String {
        serde_json::to_string(self).expect("a lot is JSON")
    }

    /// Reads what [`Lot::write`] wrote.
    ///
    /// # Errors
    ///
    /// If it is something else: the projection must be rebuilt.
    pub fn read(document: &str) -> Result<Self, serde_json::Error> {
        serde_json::from_str(document)
    }

    /// Whether nothing of it can be burned, and nothing can come back to it for late usage.
    pub(crate) fn is_empty(&self) -> bool {
        [self.remaining, self.held, self.expired, self.rolled_over].iter().all(Amount::is_zero)
    }

    /// Whether nothing touched this lot of a quiet grant: then it is in no ledger.
    pub fn is_untouched(&self) -> bool {
        self.order.is_none()
    }

    /// Whether its end books nothing: untouched, or with nothing in it. Then nobody waits for it, and it is no instant for others.
    pub(crate) fn ends_quietly(&self) -> bool {
        self.is_untouched() || self.remaining.is_zero() && self.held.is_zero()
    }

    /// Whether what is left at its end may be carried over.
    pub fn can_roll_over(&self) -> bool {
        self.terms.rollover.as_ref().is_some_and(|r| !r.percent.is_zero() && self.carried < r.max_times)
    }

    /// Whether every credit is somewhere: issued = remaining + held + consumed + expired + voided + rolled over +
    /// returned + moved.
    pub fn is_lawful(&self) -> bool {
        let places = [
            self.remaining,
            self.held,
            self.consumed,
            self.expired,
            self.voided,
            self.rolled_over,
            self.returned,
            self.moved,
        ];
        places.into_iter().sum::<Amount>() == self.issued
    }
}

/// Why one lot burns before another: the first key that tells them apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Because {
    /// Its priority is lower.
    Priority,
    /// It ends sooner.
    Expiry,
    /// It cannot be carried over again.
    Rollover,
    /// It cost less for each unit.
    Cost,
    /// It may pay for less.
    Scope,
    /// It was issued sooner.
    Issue,
}

impl Because {
    /// The reason in words, for the lot that burns first.
    pub fn words(self) -> &'static str {
        match self {
            Self::Priority => "lower priority number",
            Self::Expiry => "ends sooner",
            Self::Rollover => "cannot be carried over again",
            Self::Cost => "cost less",
            Self::Scope => "may pay for less",
            Self::Issue => "issued sooner",
        }
    }
}

/// The order of burning, total, with the key that decides it (rules, section 4).
pub fn burn_order(a: &Lot, b: &Lot) -> (Ordering, Because) {
    let (x, y) = (&a.terms, &b.terms);
    let end = |lot: &Lot| (lot.ends_at.is_none(), lot.ends_at);
    let keys: [(&dyn Fn() -> Ordering, Because); 6] = [
        (&|| x.priority.cmp(&y.priority), Because::Priority),
        (&|| end(a).cmp(&end(b)), Because::Expiry),
        (&|| a.can_roll_over().cmp(&b.can_roll_over()), Because::Rollover),
        (&|| by_cost(a, b), Because::Cost),
        (&|| x.applies_to.breadth().cmp(&y.applies_to.breadth()), Because::Scope),
        (&|| by_issue(a, b), Because::Issue),
    ];
    let decided = keys.into_iter().map(|(key, why)| (key(), why)).find(|(order, _)| order.is_ne());
    decided.unwrap_or((Ordering::Equal, Because::Issue))
}

/// Free first, then by currency, then by money for each unit. What a reset added is free.
fn by_cost(a: &Lot, b: &Lot) -> Ordering {
    let is_sold = |lot: &Lot| !lot.is_added();
    let paid = |lot: &Lot| lot.terms.cost_basis.clone().filter(|c| !c.money.is_zero() && is_sold(lot));
    let (paid_a, paid_b) = (paid(a), paid(b));
    let (a, b) = (&a.terms, &b.terms);
    match (paid_a, paid_b) {
        (None, None) => Ordering::Equal,
        (None, Some(_)) => Ordering::Less,
        (Some(_), None) => Ordering::Greater,
        (Some(x), Some(y)) => x.currency.cmp(&y.currency).then_with(|| {
            let cross = |cost: &Cost, other: &Terms| wide(cost.money) * wide(other.amount);
            cross(&x, b).cmp(&cross(&y, a))
        }),
    }
}

fn wide(amount: Amount) -> U256 {
    U256::new(amount.billionths().unsigned_abs())
}

/// Lots of quiet grants that nothing touched come after all numbered ones, by their grant's order.
pub(crate) fn by_issue(a: &Lot, b: &Lot) -> Ordering {
    let order = |lot: &Lot| match lot.order {
        Some(order) => (false, order, u64::from(lot.carried), Instant::default()),
        None => (true, lot.grant, 0, lot.starts_at),
    };
    order(a).cmp(&order(b))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lot_that_lost_something_is_not_lawful() {
        let lot = r#"{"id":"plan#1","grant":0,"unit":"credits","starts_at":"1970-01-01T00:00:00Z","issued":"10","remaining":"7","consumed":"3"}"#;
        let mut read = Lot::read(lot).expect("a lot");
        assert_eq!(read.write(), lot);
        assert!(read.is_lawful());
        read.remaining = Amount::ZERO;
        assert!(!read.is_lawful());
    }
}
