//! A lot, its law, and the order in which lots burn.

use std::cmp::Ordering;

use super::grant::Grant;

/// A parcel of a grant; every lot that ever was stays, so that all can be looked at again.
#[derive(Clone, Debug)]
pub(crate) struct Lot {
    /// The grant's place among the wallet's grants.
    pub(crate) grant: usize,
    /// The id of the lot that the first carried one was carried from.
    pub(crate) origin: String,
    /// How often it was carried since the grant issued it.
    pub(crate) times: i64,
    /// The lot it was carried from.
    pub(crate) from: Option<usize>,
    /// The lot it fills up, if a reset made it.
    pub(crate) tops_up: Option<usize>,
    /// Whether a reset made it or what it was carried from: nobody paid for it.
    pub(crate) free: bool,
    /// Its place in the order of issue; a quiet lot that nothing touched has none.
    pub(crate) number: Option<u64>,
    pub(crate) cycle: i64,
    pub(crate) start: i64,
    pub(crate) end: Option<i64>,
    pub(crate) lateness: i64,
    /// Whether its end has been dealt with.
    pub(crate) ended: bool,
    /// When it was voided.
    pub(crate) void_at: Option<i64>,
    /// The last reset with a greatest amount: when it was, and what may still come back of what was taken before.
    pub(crate) room: Option<(i64, i128)>,
    /// What holds had at that reset above the greatest amount: so much is too much when it comes back.
    pub(crate) over: i128,
    pub(crate) issued: i128,
    pub(crate) remaining: i128,
    /// What holds have set aside in it.
    pub(crate) held: i128,
    pub(crate) consumed: i128,
    pub(crate) expired: i128,
    pub(crate) voided: i128,
    pub(crate) rolled_over: i128,
    pub(crate) returned: i128,
    /// What was paid for it.
    pub(crate) money: i128,
}

impl Lot {
    /// A lot that is carried from this one at its end, with nothing in it yet.
    pub(crate) fn carried(&self, place: usize, (start, end): (i64, i64), lateness: i64) -> Lot {
        let (from, end) = (Some(place), Some(end));
        let times = self.times + 1;
        Lot { from, times, tops_up: None, start, end, lateness, ended: false, ..self.emptied() }
    }

    /// A lot that fills this one up, the n-th, with nothing in it yet.
    pub(crate) fn top_up(&self, place: usize, n: usize, start: i64, lateness: i64) -> Lot {
        let origin = format!("{}+{n}", self.id());
        let (from, tops_up) = (None, Some(place));
        Lot { origin, from, tops_up, free: true, start, lateness, ..self.emptied() }
    }

    fn emptied(&self) -> Lot {
        Lot {
            void_at: None,
            room: None,
            over: 0,
            issued: 0,
            remaining: 0,
            held: 0,
            consumed: 0,
            expired: 0,
            voided: 0,
            rolled_over: 0,
            returned: 0,
            money: 0,
            ..self.clone()
        }
    }

    pub(crate) fn holds(&self, time: i64) -> bool {
        self.start <= time && self.end.is_none_or(|end| time < end)
    }

    /// Whether something can be taken from it at `clock`.
    pub(crate) fn is_open(&self, clock: i64) -> bool {
        self.holds(clock) && self.void_at.is_none()
    }

    /// Whether it has ended at `clock` and still pays for what happened before.
    pub(crate) fn within_lateness(&self, clock: i64) -> bool {
        let ended_lately = |end: i64| end <= clock && clock < end.saturating_add(self.lateness);
        self.void_at.is_none() && self.end.is_some_and(ended_lately)
    }

    pub(crate) fn id(&self) -> String {
        if self.from.is_none() { self.origin.clone() } else { format!("{}/{}", self.origin, self.times) }
    }

    /// The law of each lot: every part of what was issued is somewhere, and none is less than nothing.
    pub(crate) fn assert_law(&self) {
        let held = [
            self.remaining,
            self.held,
            self.consumed,
            self.expired,
            self.voided,
            self.rolled_over,
            self.returned,
        ];
        assert!(held.iter().all(|part| *part >= 0), "a part of a lot fell below zero: {self:?}");
        assert_eq!(self.issued, held.iter().sum::<i128>(), "a part of a lot is lost: {self:?}");
        assert!(self.remaining == 0 || !self.ended, "what has ended has nothing left: {self:?}");
        assert!(self.remaining == 0 || self.void_at.is_none(), "what is void has nothing left: {self:?}");
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
        .then_with(|| cheaper(cost(a, one), cost(b, other)))
        .then(dimensions(b).cmp(&dimensions(a)))
        .then(values(a).cmp(&values(b)))
        .then(place(one).cmp(&place(other)))
}

/// Currency, money and amount of what a lot is a part of; nothing if it was free.
fn cost<'a>(grant: &'a Grant, lot: &Lot) -> Option<(&'a str, i128, i128)> {
    let (currency, money) = grant.cost.as_ref()?;
    (!lot.free).then_some((currency.as_str(), *money, grant.amount))
}

fn cheaper(a: Option<(&str, i128, i128)>, b: Option<(&str, i128, i128)>) -> Ordering {
    match (a, b) {
        (None, None) => Ordering::Equal,
        (None, Some(_)) => Ordering::Less,
        (Some(_), None) => Ordering::Greater,
        (Some((currency, money, amount)), Some((other_currency, other_money, other_amount))) => currency
            .cmp(other_currency)
            .then_with(|| wide(money, other_amount).cmp(&wide(other_money, amount))),
    }
}

fn wide(a: i128, b: i128) -> num_bigint::BigInt {
    num_bigint::BigInt::from(a) * b
}
