//! What was booked of a wallet, on each side.

use std::collections::BTreeMap;

use ledger::{Amount, Cost, Entry, EntryKind, Name, Terms};
use projector::Side;

/// A figure on both sides, in billionths; corrections may make it negative.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Figure {
    pub(crate) was: i128,
    pub(crate) would: i128,
}

impl Figure {
    fn on(&mut self, side: Side) -> &mut i128 {
        match side {
            Side::Was => &mut self.was,
            Side::Would => &mut self.would,
        }
    }

    pub(crate) fn difference(self) -> i128 {
        self.would - self.was
    }

    pub(crate) fn add(&mut self, other: Self) {
        self.was += other.was;
        self.would += other.would;
    }
}

/// What was booked of one unit.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct InUnit {
    /// What usage was charged.
    pub(crate) used: Figure,
    /// What no lot covered of it.
    pub(crate) overage: Figure,
    pub(crate) expired: Figure,
    pub(crate) carried: Figure,
}

impl InUnit {
    /// The figures with their names, in the order in which they are shown.
    pub(crate) fn figures(&self) -> [(&'static str, Figure); 4] {
        [("used", self.used), ("overage", self.overage), ("expired", self.expired), ("carried", self.carried)]
    }

    pub(crate) fn add(&mut self, other: &Self) {
        self.used.add(other.used);
        self.overage.add(other.overage);
        self.expired.add(other.expired);
        self.carried.add(other.carried);
    }

    fn book(&mut self, side: Side, entry: &Entry) {
        let amount = entry.amount.billionths();
        match entry.kind {
            EntryKind::Usage | EntryKind::HeldUsage => *self.used.on(side) += amount,
            EntryKind::LateUsage => {
                *self.used.on(side) += amount;
                *self.expired.on(side) -= amount;
            }
            EntryKind::Overage => {
                *self.used.on(side) += amount;
                *self.overage.on(side) += amount;
            }
            EntryKind::Reversal => *self.used.on(side) -= amount,
            EntryKind::ReverseOverage => {
                *self.used.on(side) -= amount;
                *self.overage.on(side) -= amount;
            }
            EntryKind::Expire | EntryKind::Reset => *self.expired.on(side) += amount,
            EntryKind::Carry => *self.carried.on(side) += amount,
            EntryKind::Return => *self.carried.on(side) -= amount,
            EntryKind::ReturnExpired => {
                *self.carried.on(side) -= amount;
                *self.expired.on(side) -= amount;
            }
            EntryKind::Issue
            | EntryKind::Repay
            | EntryKind::Bill
            | EntryKind::Forgive
            | EntryKind::Void
            | EntryKind::Unrepay
            | EntryKind::CreditDue
            | EntryKind::Unforgive
            | EntryKind::Hold
            | EntryKind::Release
            | EntryKind::HoldOverdraft
            | EntryKind::ReleaseOverdraft => {}
        }
    }
}

/// What was consumed of a grant that cost something.
#[derive(Clone, Debug, Default)]
struct Sold {
    /// What each of its lots cost, and held: as it was, and as it would be.
    was: Option<(Cost, Amount)>,
    would: Option<(Cost, Amount)>,
    consumed: Figure,
}

/// What was booked of one wallet.
#[derive(Clone, Debug, Default)]
pub(crate) struct OfWallet {
    pub(crate) id: String,
    pub(crate) units: Vec<(Name, InUnit)>,
    sold: BTreeMap<Box<str>, Sold>,
}

impl OfWallet {
    /// Notes what a grant's lots cost.
    pub(super) fn grant(&mut self, side: Side, terms: &Terms) {
        let Some(cost) = terms.cost_basis.clone().filter(|cost| !cost.money.is_zero()) else { return };
        let sold = self.sold.entry(terms.grant_id.as_str().into()).or_default();
        let place = match side {
            Side::Was => &mut sold.was,
            Side::Would => &mut sold.would,
        };
        // A name is given once.
        place.get_or_insert((cost, terms.amount));
    }

    pub(super) fn book(&mut self, side: Side, entry: &Entry) {
        let at = self.units.iter().position(|(unit, _)| *unit == entry.unit).unwrap_or_else(|| {
            self.units.push((entry.unit.clone(), InUnit::default()));
            self.units.len() - 1
        });
        self.units[at].1.book(side, entry);
        let amount = entry.amount.billionths();
        let consumed = match entry.kind {
            EntryKind::Usage | EntryKind::LateUsage | EntryKind::HeldUsage | EntryKind::Repay => amount,
            EntryKind::Reversal | EntryKind::Unrepay => -amount,
            EntryKind::Issue
            | EntryKind::Overage
            | EntryKind::Expire
            | EntryKind::Carry
            | EntryKind::Return
            | EntryKind::ReturnExpired
            | EntryKind::Bill
            | EntryKind::Forgive
            | EntryKind::Void
            | EntryKind::Reset
            | EntryKind::ReverseOverage
            | EntryKind::CreditDue
            | EntryKind::Unforgive
            | EntryKind::Hold
            | EntryKind::Release
            | EntryKind::HoldOverdraft
            | EntryKind::ReleaseOverdraft => return,
        };
        if let Some(sold) = entry.lot.as_deref().and_then(grant_of).and_then(|grant| self.sold.get_mut(grant))
        {
            *sold.consumed.on(side) += consumed;
        }
    }

    /// The cost basis of what was consumed, by currency.
    pub(crate) fn revenue(&self) -> BTreeMap<String, Figure> {
        let mut revenue: BTreeMap<String, Figure> = BTreeMap::new();
        for sold in self.sold.values() {
            for (side, cost) in [(Side::Was, &sold.was), (Side::Would, &sold.would)] {
                let mut consumed = sold.consumed;
                if let Some((cost, amount)) = cost {
                    let of = revenue.entry(cost.currency.clone()).or_default();
                    *of.on(side) += money(cost.money, *consumed.on(side), *amount);
                }
            }
        }
        revenue
    }

    /// By how much its figures differ, all together: for the order in which wallets are listed.
    pub(crate) fn weight(&self) -> u128 {
        let of_unit = |(_, unit): &(Name, InUnit)| -> u128 {
            unit.figures().iter().map(|(_, figure)| figure.difference().unsigned_abs()).sum()
        };
        let revenue = self.revenue().into_values().map(|figure| figure.difference().unsigned_abs());
        self.units.iter().map(of_unit).sum::<u128>() + revenue.sum::<u128>()
    }
}

/// The grant of a lot; none of one that a reset added: that cost nothing.
fn grant_of(lot: &str) -> Option<&str> {
    lot.rsplit_once('#').filter(|(_, cycle)| !cycle.contains('+')).map(|(grant, _)| grant)
}

/// What so much of a grant's lots cost, cut to nine places.
fn money(money: Amount, consumed: i128, amount: Amount) -> i128 {
    let (lots, rest) = (consumed.abs() / amount.billionths(), consumed.abs() % amount.billionths());
    let cost = lots * money.billionths() + money.share(rest, amount.billionths()).billionths();
    if consumed < 0 { -cost } else { cost }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lot_names_its_grant_unless_a_reset_added_it() {
        assert_eq!(grant_of("pack#1"), Some("pack"));
        assert_eq!(grant_of("a#b#12/1"), Some("a#b"));
        assert_eq!(grant_of("pack#1+2"), None);
        assert_eq!(grant_of("pack#1+2/1"), None);
    }

    #[test]
    fn money_is_by_share_and_what_is_given_back_counts_against_it() {
        let [money_of, amount] = ["25", "300"].map(|text| Amount::parse(text).expect("an amount"));
        assert_eq!(money(money_of, amount.billionths(), amount), money_of.billionths());
        assert_eq!(money(money_of, amount.billionths() * 7 / 3, amount), 58_333_333_333);
        assert_eq!(money(money_of, -amount.billionths() / 3, amount), -8_333_333_333);
    }
}
