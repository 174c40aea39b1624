//! What comes back to a lot, wherever it is in its life: as much as its end would have done with it (rules, section 4).

use crate::amount::Amount;
use crate::entry::EntryKind;
use crate::fold::{About, Fold, Moment};
use crate::lot::Lot;
use crate::name::Name;
use crate::past::Past;
use crate::time::Instant;

/// Credits that a record took back out of a usage, and that stand in their lot until the record has gone through.
pub(crate) struct InHand {
    pub(crate) lot: Name,
    pub(crate) amount: Amount,
    /// When they had been drawn.
    pub(crate) booked_at: Instant,
}

/// All that a record has in hand, and what its lots had remaining before.
#[derive(Default)]
pub(crate) struct Hand {
    pub(crate) credits: Vec<InHand>,
    before: Vec<(Name, Amount)>,
}

impl Fold<'_> {
    /// Brings lots and grants back that have left the wallet and may be needed; they leave again when nothing came to them.
    pub(crate) fn revive(&mut self, past: &Past) {
        let grants = self.changes.left_grants.iter().rev().chain(past.left_grants());
        for grant in grants.cloned().collect::<Vec<_>>() {
            if self.wallet.grants.iter().all(|g| g.no != grant.no) {
                let at = self.wallet.grants.partition_point(|g| g.no < grant.no);
                self.wallet.grants.insert(at, grant);
            }
        }
        // What has left in this very record stands before what a store has.
        let lots = self.changes.left.iter().rev().chain(past.lots());
        for mut lot in lots.cloned().collect::<Vec<_>>() {
            if self.wallet.lots.iter().any(|l| l.id == lot.id) {
                continue;
            }
            let grant = self.wallet.grants.iter().find(|g| g.no == lot.grant);
            let Some(grant) = grant else { continue };
            lot.terms = grant.terms.clone();
            // An empty lot left before its end, which then had nothing to do.
            lot.ended |= lot.ends_at.is_some_and(|end| end <= self.wallet.clock);
            self.insert(lot);
        }
        self.reshaped = true;
    }

    pub(crate) fn place(&self, lot: &Name) -> usize {
        self.wallet
            .lots
            .iter()
            .position(|l| l.id == *lot)
            .expect("a lot that paid is in the wallet or was brought back")
    }

    /// Undoes what a lot paid: the credits stand in it until [`Fold::put_back`].
    pub(crate) fn take_in_hand(&mut self, hand: &mut Hand, lot: &Name, amount: Amount, booked_at: Instant) {
        let at = self.place(lot);
        let lot = &mut self.wallet.lots[at];
        if hand.before.iter().all(|(id, _)| *id != lot.id) {
            hand.before.push((lot.id.clone(), lot.remaining));
        }
        let taken = lot.consumed.take(amount);
        assert_eq!(taken, amount, "a usage gives back no more than it took");
        lot.remaining.add(taken);
        lot.touched = true;
        self.reshaped = true;
        hand.credits.push(InHand { lot: lot.id.clone(), amount, booked_at });
    }

    /// What is left in hand comes back to its lots.
    pub(crate) fn put_back(&mut self, hand: Hand) {
        for (lot, before) in hand.before {
            let own = || hand.credits.iter().filter(|c| c.lot == lot);
            let mut there = before;
            own().for_each(|c| there.add(c.amount));
            let at = self.place(&lot);
            let mut used = there.above(self.wallet.lots[at].remaining);
            let mut back = Vec::new();
            for credit in own() {
                let mut left = credit.amount;
                used = used.above(left.take(used));
                back.push((left, credit.booked_at));
            }
            for (left, booked_at) in back.into_iter().filter(|(left, _)| !left.is_zero()) {
                let at = self.place(&lot);
                let taken = self.wallet.lots[at].remaining.take(left);
                self.come_back(&lot, taken, booked_at);
            }
        }
    }

    /// Credits that were drawn at `booked_at` come back to a lot.
    fn come_back(&mut self, id: &Name, amount: Amount, booked_at: Instant) {
        let at = self.place(id);
        self.wallet.lots[at].touched = true;
        self.reshaped = true;
        let void = self.wallet.lots[at].void_since().or(self.grant_of(&self.wallet.lots[at]).0.void);
        if let Some(since) = void {
            self.wallet.lots[at].voided.add(amount);
            return self.book_back(EntryKind::Void, at, amount, since);
        }
        if self.wallet.lots[at].ended {
            return self.come_back_ended(at, amount, booked_at);
        }
        let lot = &mut self.wallet.lots[at];
        let room = lot.marks.as_mut().and_then(|m| m.room.as_mut()).filter(|(reset, _)| booked_at < *reset);
        let Some((reset, room)) = room else { return lot.remaining.add(amount) };
        let (since, mut over) = (*reset, amount);
        let kept = over.take(room.take(amount));
        lot.remaining.add(kept);
        if !over.is_zero() {
            lot.expired.add(over);
            self.book_back(EntryKind::Reset, at, over, since);
        }
    }

    fn book_back(&mut self, kind: EntryKind, at: usize, amount: Amount, effective_at: Instant) {
        let lot = &self.wallet.lots[at];
        let (unit, about) = (lot.unit.clone(), About { lot: Some(lot.id.clone()), ..About::default() });
        let moment = self.recorded(effective_at);
        self.book(kind, &unit, amount, about, moment);
    }

    /// A lot that has ended does with it what its end would have done.
    fn come_back_ended(&mut self, at: usize, amount: Amount, booked_at: Instant) {
        let lot = self.wallet.lots[at].clone();
        let mut rest = amount;
        let carried = rest.take(self.movable_back(&lot, amount));
        let ended_at = lot.ends_at.unwrap_or(self.wallet.clock);
        if !carried.is_zero() {
            self.wallet.lots[at].rolled_over.add(carried);
            let child = self.carry_back(&lot, at, carried, ended_at);
            self.come_back(&child, carried, booked_at);
        }
        if !rest.is_zero() {
            let at = self.place(&lot.id);
            self.wallet.lots[at].expired.add(rest);
            self.book_back(EntryKind::Expire, at, rest, ended_at);
        }
    }

    /// How much of what comes back to an ended lot may still be carried over.
    fn movable_back(&self, lot: &Lot, amount: Amount) -> Amount {
        let Some(rollover) = lot.terms.rollover.as_ref().filter(|_| lot.can_roll_over()) else {
            return Amount::ZERO;
        };
        let share = amount.share(rollover.percent.billionths(), 100_000_000_000);
        let Some(max) = rollover.max else { return share };
        share.min(max.above(lot.rolled_over)).min(max.above(self.carried_open(lot, self.wallet.clock)))
    }

    /// More goes over to the lot carried from this one, which is made if there was none. Answers which.
    fn carry_back(&mut self, lot: &Lot, at: usize, carried: Amount, ended_at: Instant) -> Name {
        let moment = Moment { effective_at: ended_at, ..self.recorded(ended_at) };
        let cost = lot.terms.cost_basis.as_ref().filter(|_| !lot.is_added()).map(|c| c.money);
        let share = cost.map(|c| c.share(carried.billionths(), lot.terms.amount.billionths()));
        let money = self.wallet.lots[at].money.take(share.unwrap_or_default());
        let child = self.wallet.lots.iter_mut().find(|l| l.origin.as_ref() == Some(&lot.id));
        let id = if let Some(child) = child {
            child.issued.add(carried);
            child.money.add(money);
            child.touched = true;
            child.id.clone()
        } else {
            let policies = self.catalogue.policies_before(ended_at);
            let mut child = self.child_of(lot, carried, money, Moment { policies, ..moment });
            child.remaining = Amount::ZERO;
            child.ended = child.ends_at.is_some_and(|end| end <= self.wallet.clock);
            let id = child.id.clone();
            self.insert(child);
            id
        };
        let about = About { lot: Some(lot.id.clone()), other: Some(id.clone()), ..About::default() };
        self.book(EntryKind::Carry, &lot.unit, carried, about, moment);
        id
    }
}
