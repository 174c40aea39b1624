//! What time alone does: lots end and begin, overage is paid back, months close (rules, section 3).

use std::sync::Arc;

use crate::amount::Amount;
use crate::begin::fresh;
use crate::document::FoldVersion;
use crate::entry::EntryKind;
use crate::fold::{About, Fold, Moment};
use crate::lot::{Lot, burn_order, by_issue};
use crate::name::Name;
use crate::schedule::Schedule;
use crate::time::Instant;
use crate::wallet::Grant;
use crate::zone::Zone;

impl Fold<'_> {
    /// Brings the wallet to `clock`: all that is due happens in the order of its due time.
    pub(crate) fn advance(&mut self, clock: Instant) {
        if self.wallet.wakes_at.is_none_or(|at| clock < at) {
            self.wallet.clock = clock;
            return;
        }
        self.reshaped = true;
        while let Some(at) = self.wallet.next_due_at().filter(|at| *at <= clock) {
            let moment =
                Moment { effective_at: at, booked_at: at, policies: self.catalogue.policies_before(at) };
            let before = self.wallet.clock;
            self.wallet.clock = self.wallet.clock.max(at);
            self.quiet_lots(at.plus(-1));
            self.holds_end(moment);
            self.lots_end(moment);
            self.reset_by_policy(moment);
            self.lots_begin(moment);
            self.quiet_lots(at);
            self.repay(moment);
            self.close(moment, |closes_at| before < closes_at && closes_at <= at);
            self.leave();
        }
        self.wallet.clock = clock;
        self.leave();
    }

    /// Leaves in the document only what can still change: before a record too, so that a timer in between is nothing.
    fn leave(&mut self) {
        let clock = self.wallet.clock;
        self.quiet_lots(clock);
        let held = self.wallet.lots.iter().filter(|l| !l.held.is_zero()).map(|l| Lot::family(&l.id));
        // What a hold has in a lot may come back to it, and to what was carried from it.
        let held: Vec<Name> = held.map(Name::from).collect();
        let gone = |lot: &Lot, all: &[Lot]| {
            let has_origin = || all.iter().any(|l| Some(&l.id) == lot.origin.as_ref());
            let is_over =
                lot.is_empty() && !lot.awaits_reset() || lot.ended && !lot.is_late(clock) && !has_origin();
            is_over && held.iter().all(|family| **family != *Lot::family(&lot.id))
        };
        while let Some(at) = self.wallet.lots.iter().position(|l| gone(l, &self.wallet.lots)) {
            let lot = self.wallet.lots.remove(at);
            if !lot.is_untouched() {
                self.changes.left.push(lot);
            }
        }
        let lots = &self.wallet.lots;
        let is_here = |g: &Grant| g.next.is_some() || lots.iter().any(|l| l.grant == g.no);
        let grants = &mut self.wallet.grants;
        self.changes.left_grants.extend(grants.extract_if(.., |g| !is_here(g)));
        self.counters_close();
    }

    /// Counters whose period is over, and late usage of it too, become rows.
    fn counters_close(&mut self) {
        let clock = self.wallet.clock;
        let (closed, open): (Vec<_>, _) =
            std::mem::take(&mut self.wallet.counters).into_iter().partition(|c| c.closes_at <= clock);
        self.wallet.counters = open;
        let latest = closed.iter().map(|c| c.starts).max();
        self.wallet.counted_until = self.wallet.counted_until.max(latest);
        self.closed.extend(closed);
    }

    /// Leaves in the document only what can still change, in the order of burning, and looks when time changes it next.
    pub(crate) fn settle(&mut self) {
        if !self.reshaped {
            return;
        }
        self.leave();
        self.sort();
        self.changes.counters.append(&mut self.closed);
        self.wallet.wakes_at = self.wakes_at();
    }

    /// Puts the lots in the order of burning again, once a quiet one has entered the ledger.
    pub(crate) fn sort(&mut self) {
        if self.reshaped {
            self.wallet.lots.sort_by(|a, b| burn_order(a, b).0);
        }
    }

    fn wakes_at(&self) -> Option<Instant> {
        let wallet = &*self.wallet;
        let late = |lot: &Lot| lot.late_until.filter(|until| *until > wallet.clock);
        let ends = wallet.lots.iter().filter_map(|l| if l.ended { late(l) } else { l.ends_at });
        let begins = wallet.grants.iter().filter_map(|g| g.next.map(|(_, at)| at));
        let closes = wallet.overage.iter().map(|o| o.closes_at).filter(|at| *at > wallet.clock);
        let counters = wallet.counters.iter().map(|c| c.closes_at);
        ends.chain(begins)
            .chain(closes)
            .chain(counters)
            .chain(wallet.next_reset())
            .chain(wallet.next_hold_end())
            .min()
    }

    pub(crate) fn lots_end(&mut self, moment: Moment<'_>) {
        let at = moment.effective_at;
        let ends = |l: &&Lot| !l.ended && !l.ends_quietly() && l.ends_at.is_some_and(|end| end <= at);
        let mut ending: Vec<Lot> = self.wallet.lots.iter().filter(ends).cloned().collect();
        ending.sort_by(by_issue);
        for lot in ending {
            self.end(&lot.id, moment);
        }
    }

    /// A lot ends: part of what is left may be carried over, the rest expires.
    fn end(&mut self, id: &Name, moment: Moment<'_>) {
        let at = self.wallet.lots.iter().position(|l| l.id == *id).expect("an ending lot is in its wallet");
        let lot = self.wallet.lots[at].clone();
        let mut left = lot.remaining;
        let carried = left.take(self.movable(&lot, moment.effective_at));
        let ending = &mut self.wallet.lots[at];
        ending.ended = true;
        ending.touched = true;
        ending.remaining = Amount::ZERO;
        ending.rolled_over.add(carried);
        ending.expired.add(left);
        if !carried.is_zero() {
            self.carry(&lot, at, carried, moment);
        }
        if !left.is_zero() {
            let about = About { lot: Some(lot.id.clone()), ..About::default() };
            self.book(EntryKind::Expire, &lot.unit, left, about, moment);
        }
    }

    /// How much of a lot may be carried over when it ends at `at`.
    fn movable(&self, lot: &Lot, at: Instant) -> Amount {
        let Some(rollover) = lot.terms.rollover.as_ref().filter(|_| lot.can_roll_over()) else {
            return Amount::ZERO;
        };
        let share = lot.remaining.share(rollover.percent.billionths(), 100_000_000_000);
        let Some(max) = rollover.max else { return share };
        share.min(max.above(self.carried_open(lot, at)))
    }

    /// What the carried lots of this one's grant hold that are open at `at`.
    pub(crate) fn carried_open(&self, lot: &Lot, at: Instant) -> Amount {
        let carried = |l: &&Lot| l.grant == lot.grant && l.carried > 0 && l.is_open(at);
        self.wallet.lots.iter().filter(carried).flat_map(|l| [l.remaining, l.held]).sum()
    }

    fn carry(&mut self, lot: &Lot, at: usize, carried: Amount, moment: Moment<'_>) {
        let follows = self.catalogue.fold_version() >= FoldVersion::MONEY_FOLLOWS;
        let money = if follows { lot.money_left_of(carried) } else { lot.money_of(carried) };
        let child = self.child_of(lot, carried, money, moment);
        let _ = self.wallet.lots[at].money.take(money);
        let (from, to) = (lot.id.clone(), child.id.clone());
        self.insert(child);
        let about = About { lot: Some(from), other: Some(to), ..About::default() };
        self.book(EntryKind::Carry, &lot.unit, carried, about, moment);
    }

    /// The lot to which part of one is carried over when that ends, at the moment's `effective_at`.
    pub(crate) fn child_of(&self, lot: &Lot, carried: Amount, money: Amount, moment: Moment<'_>) -> Lot {
        let times = lot.carried + 1;
        let (grant, zone) = self.grant_of(lot);
        let starts_at = moment.effective_at;
        let life = lot.terms.rollover.as_ref().and_then(|r| r.expires_after);
        let ends_at = match life {
            Some(life) => zone.after(starts_at, life, 1),
            None => Schedule::of(grant, &zone).next_occurrence(starts_at),
        };
        let behind = lot.id.rsplit_once('/').filter(|_| lot.carried > 0 && lot.tops_up().is_none());
        let base = behind.map_or(&*lot.id, |(base, _)| base);
        Lot {
            id: format!("{base}/{times}").as_str().into(),
            carried: times,
            origin: Some(lot.id.clone()),
            money,
            ..fresh(lot, carried, starts_at, ends_at, moment)
        }
    }

    /// A lot that a reset adds to this one: it ends with it.
    pub(crate) fn added_to(&self, lot: &Lot, issued: Amount, moment: Moment<'_>) -> Lot {
        Lot { carried: lot.carried, ..fresh(lot, issued, moment.effective_at, lot.ends_at, moment) }
    }

    pub(crate) fn grant_of(&self, lot: &Lot) -> (&Grant, Arc<Zone>) {
        let grant =
            self.wallet.grants.iter().find(|g| g.no == lot.grant).expect("a lot's grant stays with it");
        (grant, self.catalogue.zone(&grant.zone))
    }

    pub(crate) fn insert(&mut self, lot: Lot) {
        let at = self.wallet.lots.partition_point(|l| burn_order(l, &lot).0.is_lt());
        self.wallet.lots.insert(at, lot);
        self.reshaped = true;
    }
}
