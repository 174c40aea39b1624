//! What time alone does: lots end and begin, overage is paid back, months close (rules, section 3).

use std::sync::Arc;

use crate::amount::Amount;
use crate::document::FoldVersion;
use crate::entry::EntryKind;
use crate::fold::{About, Fold, Moment, Refused};
use crate::grant::{MOST_LOTS, Terms};
use crate::lot::{Lot, burn_order, by_issue};
use crate::name::Name;
use crate::schedule::{Schedule, late_until};
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
        let gone = |lot: &Lot, all: &[Lot]| {
            let has_origin = || all.iter().any(|l| Some(&l.id) == lot.origin.as_ref());
            lot.is_empty() && !lot.awaits_reset() || lot.ended && !lot.is_late(clock) && !has_origin()
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
        let ends = wallet.lots.iter().filter_map(|l| if l.ended { l.late_until } else { l.ends_at });
        let begins = wallet.grants.iter().filter_map(|g| g.next.map(|(_, at)| at));
        let closes = wallet.overage.iter().map(|o| o.closes_at).filter(|at| *at > wallet.clock);
        let counters = wallet.counters.iter().map(|c| c.closes_at);
        ends.chain(begins).chain(closes).chain(counters).chain(wallet.next_reset()).min()
    }

    /// A grant is promised: its first lot begins, now or later, or in the past.
    pub(crate) fn grant(&mut self, terms: &Terms, time: Instant) -> Result<(), Refused> {
        let effective_at = terms.effective_at.unwrap_or(time);
        terms.check(effective_at)?;
        if !self.catalogue.has_unit(&terms.unit) {
            return Err("unknown_unit".into());
        }
        let there: usize = self.wallet.grants.iter().map(|g| g.terms.most_lots()).sum();
        if there + terms.most_lots() > MOST_LOTS {
            return Err("too_many_lots".into());
        }
        let clock = self.wallet.clock;
        let (name, zone) = self.wallet.zone(self.catalogue, clock);
        let revision = self.catalogue.newest_zone(name);
        let schedule = Schedule::plan(terms, &zone, effective_at);
        let moment = self.recorded(clock);
        let first = match terms.recurrence {
            None => 1,
            Some(_) => schedule.first_alive(1, clock, lateness(terms, moment)),
        };
        let grant = Grant {
            no: self.wallet.next_grant,
            terms: Arc::new(terms.clone()),
            effective_at,
            base: schedule.base(),
            partial: schedule.is_partial(),
            next: schedule.start(first).map(|at| (first, at)),
            zone: revision,
            void: None,
            voids: Vec::new(),
        };
        self.wallet.next_grant += 1;
        self.wallet.grants.push(grant);
        self.reshaped = true;
        self.catch_up(moment);
        let last = self.wallet.grants.len() - 1;
        while let Some((cycle, start)) = self.wallet.grants[last].next.filter(|(_, start)| *start <= clock) {
            self.begin(last, cycle, start, moment);
        }
        Ok(())
    }

    /// Runs through what a grant has made due in the past, known only now. Overage is not paid back there.
    fn catch_up(&mut self, now: Moment<'_>) {
        loop {
            let wallet = &*self.wallet;
            let ends = wallet.lots.iter().filter(|l| !l.ended && !l.is_untouched()).filter_map(|l| l.ends_at);
            let begins = wallet.grants.iter().filter(|g| !g.terms.is_quiet()).filter_map(|g| g.next);
            let due = ends.chain(begins.map(|(_, at)| at)).min().filter(|at| *at <= now.booked_at);
            let Some(effective_at) = due else { return };
            let moment = Moment { effective_at, ..now };
            self.lots_end(moment);
            self.lots_begin(moment);
        }
    }

    fn lots_end(&mut self, moment: Moment<'_>) {
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

    fn lots_begin(&mut self, moment: Moment<'_>) {
        for at in 0..self.wallet.grants.len() {
            let grant = &self.wallet.grants[at];
            let next = grant.next.filter(|(_, start)| *start <= moment.effective_at);
            if grant.terms.is_quiet() {
                self.quiet_lots_of(at, moment.effective_at);
            } else if let Some((cycle, start)) = next {
                self.begin(at, cycle, start, moment);
            }
        }
    }

    /// Ends the lots whose end books nothing, and has those of quiet grants ready that are open or within their lateness at `clock`.
    fn quiet_lots(&mut self, clock: Instant) {
        for lot in self.wallet.lots.iter_mut().filter(|l| l.ends_quietly() && !l.ended) {
            if lot.ends_at.is_some_and(|end| end <= clock) {
                lot.ended = true;
                lot.expired.add(std::mem::take(&mut lot.remaining));
            }
        }
        for at in 0..self.wallet.grants.len() {
            if self.wallet.grants[at].terms.is_quiet() {
                self.quiet_lots_of(at, clock);
            }
        }
    }

    fn quiet_lots_of(&mut self, at: usize, clock: Instant) {
        while let Some((cycle, start)) = self.wallet.grants[at].next.filter(|(_, start)| *start <= clock) {
            let grant = &self.wallet.grants[at];
            let zone = self.catalogue.zone(&grant.zone);
            let schedule = Schedule::of(grant, &zone);
            let longest = self.catalogue.longest_lateness();
            let lateness = grant.terms.allowed_lateness.map_or(longest, |l| l.exact());
            let alive = schedule.first_alive(cycle, clock, lateness);
            if alive > cycle {
                self.wallet.grants[at].next = schedule.start(alive).map(|start| (alive, start));
            } else {
                let policies = self.catalogue.policies_before(start);
                self.begin(at, cycle, start, Moment { effective_at: clock, booked_at: clock, policies });
            }
        }
    }

    /// The lot of a cycle begins.
    fn begin(&mut self, at: usize, cycle: u32, start: Instant, moment: Moment<'_>) {
        let grant = &self.wallet.grants[at];
        let zone = self.catalogue.zone(&grant.zone);
        let schedule = Schedule::of(grant, &zone);
        let terms = grant.terms.clone();
        let ends_at = schedule.end(cycle, start);
        let money = terms.cost_basis.as_ref().map_or(Amount::ZERO, |c| c.money);
        let (issued, money) = match schedule.part(cycle) {
            Some((part, whole)) => {
                (terms.amount.share(part.into(), whole.into()), money.share(part.into(), whole.into()))
            }
            None => (terms.amount, money),
        };
        let mut lot = new_lot(&terms, grant.no, issued, start, ends_at, moment);
        lot.id = format!("{}#{cycle}", terms.grant_id).as_str().into();
        lot.money = money;
        let next = cycle + 1;
        self.wallet.grants[at].next = schedule.start(next).map(|start| (next, start));
        let ends_at_once = self.wallet.grants[at].next.is_some_and(|(_, next)| next <= start);
        if issued.is_zero() || ends_at_once || ends_at.is_some_and(|end| end <= start) {
            return;
        }
        if terms.is_quiet() {
            if ends_at.is_some_and(|end| end <= moment.effective_at) {
                lot.ended = true;
                lot.expired = std::mem::take(&mut lot.remaining);
            }
            self.insert(lot);
            return;
        }
        lot.order = Some(self.wallet.next_order);
        self.wallet.next_order += 1;
        let (id, unit) = (lot.id.clone(), lot.unit.clone());
        self.insert(lot);
        let about = About { lot: Some(id), ..About::default() };
        self.book(EntryKind::Issue, &unit, issued, about, Moment { effective_at: start, ..moment });
    }

    pub(crate) fn insert(&mut self, lot: Lot) {
        let at = self.wallet.lots.partition_point(|l| burn_order(l, &lot).0.is_lt());
        self.wallet.lots.insert(at, lot);
        self.reshaped = true;
    }
}

fn lateness(terms: &Terms, moment: Moment<'_>) -> i64 {
    terms.allowed_lateness.unwrap_or(moment.policies.lateness).exact()
}

fn new_lot(
    terms: &Arc<Terms>,
    grant: u64,
    issued: Amount,
    starts_at: Instant,
    ends_at: Option<Instant>,
    moment: Moment<'_>,
) -> Lot {
    let lateness = lateness(terms, moment);
    Lot {
        id: Name::from(""),
        grant,
        unit: terms.unit.as_str().into(),
        order: None,
        carried: 0,
        origin: None,
        starts_at,
        ends_at,
        late_until: ends_at.map(|end| late_until(starts_at, end, lateness)),
        marks: None,
        money: Amount::ZERO,
        issued,
        remaining: issued,
        held: Amount::ZERO,
        consumed: Amount::ZERO,
        expired: Amount::ZERO,
        voided: Amount::ZERO,
        rolled_over: Amount::ZERO,
        returned: Amount::ZERO,
        moved: Amount::ZERO,
        ended: false,
        terms: terms.clone(),
        touched: true,
    }
}

/// A lot of the same grant and place in the order of issue.
fn fresh(lot: &Lot, issued: Amount, starts_at: Instant, ends_at: Option<Instant>, moment: Moment<'_>) -> Lot {
    Lot { order: lot.order, ..new_lot(&lot.terms, lot.grant, issued, starts_at, ends_at, moment) }
}
