//! What comes back to a lot, wherever it is in its life: as much as its end would have done with it (rules, section 4).

use crate::amount::Amount;
use crate::entry::EntryKind;
use crate::fold::{About, Fold, Moment};
use crate::lot::Lot;
use crate::name::Name;
use crate::past::Past;
use crate::time::Instant;

/// Credits that a record took back out of a usage, and that stand in their lot until the record has gone through.
#[derive(Clone)]
pub(crate) struct InHand {
    pub(crate) lot: Name,
    pub(crate) amount: Amount,
    /// When they had been drawn.
    pub(crate) booked_at: Instant,
}

/// Since when credits that come back were out of their lot: what became of that meanwhile becomes of them.
#[derive(Clone, Copy)]
pub(crate) enum Since {
    /// A usage drew them.
    Drawn(Instant),
    /// A hold had them set aside in it.
    Held(Instant),
}

/// All that a record has in hand, and what its lots had remaining before.
#[derive(Default)]
pub(crate) struct Hand {
    pub(crate) credits: Vec<InHand>,
    before: Vec<(Name, Amount)>,
}

impl Fold<'_> {
    /// Brings grants back that have left the wallet and may be needed; they leave again when they have no lots here.
    pub(crate) fn revive_grants(&mut self, past: &Past) {
        let grants = self.changes.left_grants.iter().rev().chain(past.left_grants());
        for grant in grants.cloned().collect::<Vec<_>>() {
            if self.wallet.grants.iter().all(|g| g.no != grant.no) {
                let at = self.wallet.grants.partition_point(|g| g.no < grant.no);
                self.wallet.grants.insert(at, grant);
            }
        }
        self.reshaped = true;
    }

    /// Brings lots and their grants back likewise; they leave again when nothing came to them.
    pub(crate) fn revive(&mut self, past: &Past) {
        self.revive_grants(past);
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

    /// How much of what was given back to a lot is still in hand.
    pub(crate) fn in_hand(&self, hand: &Hand, lot: &Name) -> Amount {
        let given: Amount = hand.credits.iter().filter(|c| c.lot == *lot).map(|c| c.amount).sum();
        given.above(self.used_in_hand(hand, lot))
    }

    fn used_in_hand(&self, hand: &Hand, lot: &Name) -> Amount {
        let before = hand.before.iter().filter(|(id, _)| id == lot).map(|(_, before)| *before);
        let given = hand.credits.iter().filter(|c| c.lot == *lot).map(|c| c.amount);
        before.chain(given).sum::<Amount>().above(self.wallet.lots[self.place(lot)].remaining)
    }

    /// What is left in hand comes back to its lots, one after the other: what was taken last, as if a part had been reversed.
    pub(crate) fn put_back(&mut self, hand: Hand) {
        let mut back: Vec<(Name, Vec<InHand>)> = Vec::new();
        for (lot, _) in &hand.before {
            let mut used = self.used_in_hand(&hand, lot);
            let own = hand.credits.iter().filter(|c| c.lot == *lot);
            let mut credits: Vec<InHand> = own.cloned().collect();
            let mut by_time: Vec<&mut InHand> = credits.iter_mut().rev().collect();
            by_time.sort_by_key(|c| c.booked_at);
            for credit in by_time {
                used = used.above(credit.amount.take(used));
            }
            back.push((lot.clone(), credits));
        }
        for (lot, credits) in back {
            for credit in credits.into_iter().filter(|c| !c.amount.is_zero()) {
                let at = self.place(&lot);
                let amount = self.wallet.lots[at].remaining.take(credit.amount);
                self.come_back(&lot, amount, Since::Drawn(credit.booked_at));
            }
        }
    }

    /// Credits come back to a lot.
    pub(crate) fn come_back(&mut self, id: &Name, amount: Amount, out: Since) {
        let at = self.place(id);
        self.wallet.lots[at].touched = true;
        self.reshaped = true;
        let lot = &self.wallet.lots[at];
        if let Some(since) = lot.void_since().or_else(|| self.grant_of(lot).0.voided(lot)) {
            let lot = &mut self.wallet.lots[at];
            // It may have been empty, or nowhere, when its grant was voided.
            lot.marks().void.get_or_insert(since);
            lot.voided.add(amount);
            return self.book_back(EntryKind::Void, at, amount, since);
        }
        if self.wallet.lots[at].ended {
            return self.come_back_ended(at, amount, out);
        }
        let mut over = amount;
        let since = self.take_room(at, &mut over, out);
        let mut kept = amount;
        let _ = kept.take(over);
        let lot = &mut self.wallet.lots[at];
        lot.remaining.add(kept);
        if let Some(since) = since.filter(|_| !over.is_zero()) {
            lot.expired.add(over);
            self.book_back(EntryKind::Reset, at, over, since);
        }
    }

    /// Takes out of an amount what a reset after it was drawn left room for. Answers when the reset was; if there was none, all
    /// of it has room. The room is that of a lot and of all that resets added to it. What was held counted in the reset, and has
    /// room but for what was above the max already.
    fn take_room(&mut self, at: usize, amount: &mut Amount, out: Since) -> Option<Instant> {
        let base = self.wallet.lots[at].tops_up().unwrap_or(&self.wallet.lots[at].id).clone();
        let base = self.wallet.lots.iter_mut().find(|l| l.id == base);
        let Some(marks) = base.and_then(|l| l.marks.as_mut()) else {
            *amount = Amount::ZERO;
            return None;
        };
        match (&mut marks.room, out) {
            (Some((reset, room)), Since::Drawn(booked_at)) if booked_at < *reset => {
                let _ = amount.take(room.take(*amount));
                Some(*reset)
            }
            (room, Since::Drawn(_) | Since::Held(_)) => {
                *amount = marks.over.take(*amount);
                room.map(|(reset, _)| reset)
            }
        }
    }

    fn book_back(&mut self, kind: EntryKind, at: usize, amount: Amount, effective_at: Instant) {
        let lot = &self.wallet.lots[at];
        let (unit, about) = (lot.unit.clone(), About { lot: Some(lot.id.clone()), ..About::default() });
        let moment = self.recorded(effective_at);
        self.book(kind, &unit, amount, about, moment);
    }

    /// A lot that has ended does with it what its end would have done.
    fn come_back_ended(&mut self, at: usize, amount: Amount, out: Since) {
        let lot = self.wallet.lots[at].clone();
        let mut rest = amount;
        let carried = rest.take(self.movable_back(&lot, amount));
        let ended_at = lot.ends_at.unwrap_or(self.wallet.clock);
        if !carried.is_zero() {
            self.wallet.lots[at].rolled_over.add(carried);
            let child = self.carry_back(&lot, at, carried, ended_at);
            let place = self.place(&child);
            let carried = self.wallet.lots[place].remaining.take(carried);
            // The child's resets have not seen it, whoever had it.
            let (Since::Drawn(at) | Since::Held(at)) = out;
            self.come_back(&child, carried, Since::Drawn(at));
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

    /// More goes over to the lot carried from this one, which is made if there was none, and stands there. Answers which.
    fn carry_back(&mut self, lot: &Lot, at: usize, carried: Amount, ended_at: Instant) -> Name {
        let moment = self.recorded(ended_at);
        let cost = lot.terms.cost_basis.as_ref().filter(|_| !lot.is_added()).map(|c| c.money);
        let share = cost.map(|c| c.share(carried.billionths(), lot.terms.amount.billionths()));
        let money = self.wallet.lots[at].money.take(share.unwrap_or_default());
        let child = self.wallet.lots.iter_mut().find(|l| l.origin.as_ref() == Some(&lot.id));
        let id = if let Some(child) = child {
            child.issued.add(carried);
            child.remaining.add(carried);
            child.money.add(money);
            child.touched = true;
            child.id.clone()
        } else {
            let policies = self.catalogue.policies_before(ended_at);
            let mut child = self.child_of(lot, carried, money, Moment { policies, ..moment });
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
