//! How lots begin: a grant is promised, its cycles come, quiet lots are had ready (rules, section 4).

use std::sync::Arc;

use crate::amount::Amount;
use crate::entry::EntryKind;
use crate::fold::{About, Fold, Moment, Refused};
use crate::grant::{MOST_LOTS, Terms};
use crate::lot::Lot;
use crate::name::Name;
use crate::schedule::{Schedule, late_until};
use crate::time::Instant;
use crate::wallet::Grant;

impl Fold<'_> {
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

    pub(crate) fn lots_begin(&mut self, moment: Moment<'_>) {
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
    pub(crate) fn quiet_lots(&mut self, clock: Instant) {
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
pub(crate) fn fresh(
    lot: &Lot,
    issued: Amount,
    starts_at: Instant,
    ends_at: Option<Instant>,
    moment: Moment<'_>,
) -> Lot {
    Lot { order: lot.order, ..new_lot(&lot.terms, lot.grant, issued, starts_at, ends_at, moment) }
}
