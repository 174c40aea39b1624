//! A lot, its law, and the order in which lots burn.

use std::cmp::Ordering;

use super::grant::Grant;

/// A parcel of a grant; every lot that ever was stays, so that all can be looked at again.
#[derive(Debug)]
pub(crate) struct Lot {
    /// The grant's place among the wallet's grants.
    pub(crate) grant: usize,
    pub(crate) cycle: i64,
    /// How often it was carried since its origin.
    pub(crate) times: i64,
    /// Its place in the order of issue; a quiet lot that nothing touched has none.
    pub(crate) number: Option<u64>,
    pub(crate) start: i64,
    pub(crate) end: Option<i64>,
    pub(crate) lateness: i64,
    /// Whether its end has been dealt with.
    pub(crate) ended: bool,
    pub(crate) issued: i128,
    pub(crate) remaining: i128,
    pub(crate) consumed: i128,
    pub(crate) expired: i128,
    pub(crate) rolled_over: i128,
    pub(crate) returned: i128,
}

impl Lot {
    pub(crate) fn holds(&self, time: i64) -> bool {
        self.start <= time && self.end.is_none_or(|end| time < end)
    }

    /// Whether it has ended at `clock` and still pays for what happened before.
    pub(crate) fn within_lateness(&self, clock: i64) -> bool {
        self.end.is_some_and(|end| end <= clock && clock < end.saturating_add(self.lateness))
    }

    pub(crate) fn id(&self, grants: &[Grant]) -> String {
        let origin = format!("{}#{}", grants[self.grant].id, self.cycle);
        if self.times == 0 { origin } else { format!("{origin}/{}", self.times) }
    }

    /// The law of each lot: every part of what was issued is somewhere, and none is less than nothing.
    pub(crate) fn assert_law(&self) {
        let parts = [self.remaining, self.consumed, self.expired, self.rolled_over, self.returned];
        assert!(parts.iter().all(|part| *part >= 0), "a part of a lot fell below zero: {self:?}");
        assert_eq!(self.issued, parts.iter().sum::<i128>(), "a part of a lot is lost: {self:?}");
    }
}

/// Which of two lots burns first.
pub(crate) fn burn_order(grants: &[Grant], one: &Lot, other: &Lot) -> Ordering {
    let (a, b) = (&grants[one.grant], &grants[other.grant]);
    let end = |lot: &Lot| lot.end.unwrap_or(i64::MAX);
    let dimensions =
        |grant: &Grant| u8::from(!grant.features.is_empty()) + u8::from(!grant.subjects.is_empty());
    let values = |grant: &Grant| grant.features.len() + grant.subjects.len();
    let place = |lot: &Lot| (lot.number.is_none(), lot.number, lot.grant, lot.cycle, lot.times);
    (a.priority.cmp(&b.priority))
        .then(end(one).cmp(&end(other)))
        .then(a.can_carry(one.times).cmp(&b.can_carry(other.times)))
        .then_with(|| cheaper(a, b))
        .then(dimensions(b).cmp(&dimensions(a)))
        .then(values(a).cmp(&values(b)))
        .then(place(one).cmp(&place(other)))
}

fn cheaper(a: &Grant, b: &Grant) -> Ordering {
    match (&a.cost, &b.cost) {
        (None, None) => Ordering::Equal,
        (None, Some(_)) => Ordering::Less,
        (Some(_), None) => Ordering::Greater,
        (Some((currency, money)), Some((other_currency, other_money))) => currency
            .cmp(other_currency)
            .then_with(|| wide(*money, b.amount).cmp(&wide(*other_money, a.amount))),
    }
}

fn wide(a: i128, b: i128) -> num_bigint::BigInt {
    num_bigint::BigInt::from(a) * b
}
