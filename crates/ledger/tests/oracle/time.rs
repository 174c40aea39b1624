//! What time alone does, and what a grant makes due in the past.

use super::grant::{Cycle, Grant};
use super::lot::Lot;
use super::step::{Note, Step};
use super::text::cut;

impl Step<'_> {
    /// Moves the wallet on to `clock`, from one instant at which something is due to the next.
    pub(crate) fn advance(&mut self, clock: i64) {
        while let Some(due) = self.next_due()
            && due <= clock
        {
            self.wallet.clock = due;
            self.instant(due);
        }
    }

    fn next_due(&self) -> Option<i64> {
        let ends = self.wallet.lots.iter().filter(|lot| !lot.ended).filter_map(|lot| lot.end);
        let starts = self.wallet.grants.iter().filter_map(|grant| Some(grant.next.as_ref()?.start));
        let months = self.wallet.overage.values().map(|bucket| bucket.closes_at);
        ends.chain(starts).chain(months.filter(|closes_at| *closes_at > self.wallet.clock)).min()
    }

    /// Everything that is due at one instant, in its order.
    fn instant(&mut self, now: i64) {
        let mut something_happens = self.wallet.overage.values().any(|bucket| bucket.closes_at == now);
        let ending = self.in_order_of_issue(|lot| !lot.ended && lot.end == Some(now));
        for lot in ending {
            let quiet = self.wallet.lots[lot].number.is_none();
            something_happens |= !quiet && self.wallet.lots[lot].remaining > 0;
            self.end_lot(lot, now);
        }
        for grant in 0..self.wallet.grants.len() {
            if self.wallet.grants[grant].next.as_ref().is_some_and(|next| next.start == now) {
                self.begin_cycle(grant);
                something_happens |= !self.wallet.grants[grant].is_quiet() || self.owes(grant);
            }
        }
        // An instant at which only quiet quotas come and go is none: nothing may depend on it.
        if something_happens {
            self.repay();
            self.close_months(|closes_at| closes_at == now);
        }
    }

    /// Whether there is open overage that the grant's lots could pay back.
    fn owes(&self, grant: usize) -> bool {
        let grant = &self.wallet.grants[grant];
        let repays = |unit: &String, feature: &String| {
            *unit == grant.unit
                && grant.subjects.is_empty()
                && (grant.features.is_empty() || grant.features.contains(feature))
        };
        self.overage_policy().repay
            && self.wallet.overage.keys().any(|(_, feature, unit)| repays(unit, feature))
    }

    fn in_order_of_issue(&self, wanted: impl Fn(&Lot) -> bool) -> Vec<usize> {
        let lots = &self.wallet.lots;
        let mut found: Vec<usize> = (0..lots.len()).filter(|lot| wanted(&lots[*lot])).collect();
        found.sort_by_key(|lot| (lots[*lot].number, lots[*lot].times));
        found
    }

    /// Takes a new grant in: what it made due up to the clock is run through in its order.
    pub(crate) fn issue_grant(&mut self, mut grant: Grant) {
        let clock = self.wallet.clock;
        let mut next = grant.first_cycle();
        if grant.recurrence.is_some() && grant.effective_at < clock {
            // Backdated: it starts with the first lot that still pays for something at the clock.
            while let Some(cycle) = &next
                && let Some(end) = grant.end_of(cycle.start)
                && end + self.lateness(&grant, cycle.start, Some(end)) <= clock
            {
                next = grant.cycle_after(cycle);
            }
        }
        let place = self.wallet.grants.len();
        grant.next = next;
        self.wallet.grants.push(grant);
        loop {
            let own = |lot: &&Lot| lot.grant == place && !lot.ended;
            let ends = self.wallet.lots.iter().filter(own).filter_map(|lot| lot.end);
            let start = self.wallet.grants[place].next.as_ref().map(|next| next.start);
            let Some(due) = ends.chain(start).min().filter(|due| *due <= clock) else { return };
            let ending = |lot: &Lot| lot.grant == place && !lot.ended && lot.end == Some(due);
            for lot in self.in_order_of_issue(ending) {
                self.end_lot(lot, due);
            }
            if start == Some(due) {
                self.begin_cycle(place);
            }
        }
    }

    /// Issues a grant's next lot at its start.
    fn begin_cycle(&mut self, grant: usize) {
        let cycle = self.wallet.grants[grant].next.take().expect("the cycle is due");
        let quiet = self.wallet.grants[grant].is_quiet();
        let end = self.wallet.grants[grant].end_of(cycle.start);
        let lateness = self.lateness(&self.wallet.grants[grant], cycle.start, end);
        self.wallet.grants[grant].next = self.wallet.grants[grant].cycle_after(&cycle);
        let Cycle { number, start, amount } = cycle;
        let place = (grant, number, 0);
        let number = if quiet { None } else { Some(self.take_number()) };
        let lot = self.add_lot(place, number, (start, end), lateness, amount);
        if !quiet {
            self.book_issue(lot);
        }
    }

    fn take_number(&mut self) -> u64 {
        self.wallet.next_number += 1;
        self.wallet.next_number
    }

    fn book_issue(&mut self, lot: usize) {
        let (start, issued) = (self.wallet.lots[lot].start, self.wallet.lots[lot].issued);
        let (unit, account) = (self.unit_of(lot), self.account(lot));
        self.book(Note::plain("issue", start), &unit, Some(lot), ("grants", &account), issued);
    }

    /// For how long a lot pays for late usage: never longer than it lasted.
    fn lateness(&self, grant: &Grant, start: i64, end: Option<i64>) -> i64 {
        let wanted = grant.allowed_lateness.unwrap_or_else(|| self.default_lateness());
        end.map_or(wanted, |end| wanted.min(end - start))
    }

    fn add_lot(
        &mut self,
        (grant, cycle, times): (usize, i64, i64),
        number: Option<u64>,
        (start, end): (i64, Option<i64>),
        lateness: i64,
        issued: i128,
    ) -> usize {
        self.wallet.lots.push(Lot {
            grant,
            cycle,
            times,
            number,
            start,
            end,
            lateness,
            ended: false,
            issued,
            remaining: issued,
            consumed: 0,
            expired: 0,
            rolled_over: 0,
            returned: 0,
        });
        self.wallet.lots.len() - 1
    }

    /// A lot's end: what may be carried is, the rest expires.
    fn end_lot(&mut self, lot: usize, end: i64) {
        self.wallet.lots[lot].ended = true;
        if self.wallet.lots[lot].number.is_none() {
            self.wallet.lots[lot].expired = std::mem::take(&mut self.wallet.lots[lot].remaining);
            return;
        }
        let movable = self.movable(lot, end);
        if movable > 0 {
            self.carry(lot, end, movable);
        }
        self.expire(lot, end);
    }

    /// Books that what a lot has left at its end expires.
    fn expire(&mut self, lot: usize, end: i64) {
        let rest = std::mem::take(&mut self.wallet.lots[lot].remaining);
        self.wallet.lots[lot].expired += rest;
        if rest > 0 {
            let (unit, account) = (self.unit_of(lot), self.account(lot));
            self.book(Note::plain("expire", end), &unit, Some(lot), (&account, "expired"), rest);
        }
    }

    fn movable(&self, lot: usize, end: i64) -> i128 {
        let lot = &self.wallet.lots[lot];
        let grant = &self.wallet.grants[lot.grant];
        let Some(rollover) = grant.rollover.as_ref().filter(|_| grant.can_carry(lot.times)) else { return 0 };
        let share = cut(lot.remaining, rollover.percent, 100_000_000_000);
        let carried_already = |other: &&Lot| other.grant == lot.grant && other.times > 0 && other.holds(end);
        let open: i128 = self.wallet.lots.iter().filter(carried_already).map(|lot| lot.remaining).sum();
        rollover.max.map_or(share, |max| share.min((max - open).max(0)))
    }

    fn carry(&mut self, lot: usize, end: i64, amount: i128) {
        let from = &self.wallet.lots[lot];
        let (place, number) = ((from.grant, from.cycle, from.times + 1), from.number);
        let grant = &self.wallet.grants[from.grant];
        let carried_end = grant.carried_end(end);
        let lateness = self.lateness(grant, end, Some(carried_end));
        self.wallet.lots[lot].remaining -= amount;
        self.wallet.lots[lot].rolled_over += amount;
        let to = self.add_lot(place, number, (end, Some(carried_end)), lateness, amount);
        let (unit, debit, credit) = (self.unit_of(lot), self.account(lot), self.account(to));
        self.book(Note::plain("carry", end), &unit, Some(lot), (&debit, &credit), amount);
    }

    /// Before a lot pays for the first time: a quiet one comes into the books now, and its end too if that is past.
    pub(crate) fn touch(&mut self, lot: usize) {
        if self.wallet.lots[lot].number.is_some() {
            return;
        }
        self.wallet.lots[lot].number = Some(self.take_number());
        if !self.wallet.lots[lot].ended {
            return self.book_issue(lot);
        }
        self.wallet.lots[lot].remaining = std::mem::take(&mut self.wallet.lots[lot].expired);
        self.book_issue(lot);
        let end = self.wallet.lots[lot].end.expect("it has ended");
        self.expire(lot, end);
    }
}
