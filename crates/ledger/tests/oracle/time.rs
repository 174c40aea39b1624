//! What time alone does, and what a grant makes due in the past.

use super::catalogue::AsOf;
use super::grant::Grant;
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
        let reset = self.wallet.reset.as_ref().map(|policy| policy.next);
        let holds = self.wallet.holds.values().map(|hold| hold.ends);
        ends.chain(starts)
            .chain(holds)
            .chain(reset)
            .chain(months.filter(|closes_at| *closes_at > self.wallet.clock))
            .min()
    }

    /// Everything that is due at one instant, in its order.
    fn instant(&mut self, now: i64) {
        let mut something_happens = self.wallet.overage.values().any(|bucket| bucket.closes_at == now);
        something_happens |= self.end_holds(now);
        let ending = self.in_order_of_issue(|lot| !lot.ended && lot.end == Some(now));
        for lot in ending {
            let quiet = self.wallet.lots[lot].number.is_none();
            something_happens |= !quiet && self.wallet.lots[lot].remaining + self.wallet.lots[lot].held > 0;
            self.end_lot(lot, now);
        }
        something_happens |= self.policy_reset(now);
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

    /// The lots that are wanted; quiet ones that nothing touched come last.
    pub(crate) fn in_order_of_issue(&self, wanted: impl Fn(&Lot) -> bool) -> Vec<usize> {
        let lots = &self.wallet.lots;
        let mut found: Vec<usize> = (0..lots.len()).filter(|lot| wanted(&lots[*lot])).collect();
        let place = |lot: &Lot| (lot.number.is_none(), lot.number, lot.grant, lot.cycle, lot.times);
        found.sort_by_key(|lot| place(&lots[*lot]));
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
                && end + self.lateness(&grant, (cycle.start, Some(end)), self.as_of()) <= clock
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
        let lateness = self.lateness(&self.wallet.grants[grant], (cycle.start, end), self.as_of());
        self.wallet.grants[grant].next = self.wallet.grants[grant].cycle_after(&cycle);
        let lot = self.wallet.grants[grant].new_lot(grant, &cycle, end, lateness);
        self.wallet.lots.push(lot);
        if !quiet {
            let lot = self.wallet.lots.len() - 1;
            self.wallet.lots[lot].number = Some(self.take_number());
            self.book_issue(lot);
        }
    }

    pub(crate) fn take_number(&mut self) -> u64 {
        self.wallet.next_number += 1;
        self.wallet.next_number
    }

    pub(crate) fn book_issue(&mut self, lot: usize) {
        let (start, issued) = (self.wallet.lots[lot].start, self.wallet.lots[lot].issued);
        let (unit, account) = (self.unit_of(lot), self.account(lot));
        self.book(Note::plain("issue", start), &unit, Some(lot), ("grants", &account), issued);
    }

    /// For how long a lot pays for late usage: never longer than it lasted.
    pub(crate) fn lateness(&self, grant: &Grant, (start, end): (i64, Option<i64>), as_of: AsOf) -> i64 {
        let wanted = grant.allowed_lateness.unwrap_or_else(|| self.catalogue.policies(as_of).lateness);
        end.map_or(wanted, |end| wanted.min(end - start))
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
            let money = self.money_carried(lot, movable);
            self.carry(lot, self.as_of(), (movable, money));
        }
        let rest = self.wallet.lots[lot].remaining;
        self.expire("expire", lot, end, rest);
    }

    /// Books that so much of what a lot has left expires.
    pub(crate) fn expire(&mut self, kind: &str, lot: usize, at: i64, amount: i128) {
        self.wallet.lots[lot].remaining -= amount;
        self.wallet.lots[lot].expired += amount;
        if amount > 0 {
            let (unit, account) = (self.unit_of(lot), self.account(lot));
            self.book(Note::plain(kind, at), &unit, Some(lot), (&account, "expired"), amount);
        }
    }

    fn movable(&self, lot: usize, end: i64) -> i128 {
        let lot = &self.wallet.lots[lot];
        let grant = &self.wallet.grants[lot.grant];
        let Some(rollover) = grant.rollover.as_ref().filter(|_| grant.can_carry(lot.times)) else { return 0 };
        let share = cut(lot.remaining, rollover.percent, 100_000_000_000);
        let carried_already = |other: &&Lot| other.grant == lot.grant && other.times > 0 && other.holds(end);
        let open: i128 =
            self.wallet.lots.iter().filter(carried_already).map(|lot| lot.remaining + lot.held).sum();
        rollover.max.map_or(share, |max| share.min((max - open).max(0)))
    }

    /// Moves so much of what a lot has left, and of its money, into the one carried from it at its end, which is
    /// made if there is none.
    pub(crate) fn carry(&mut self, lot: usize, as_of: AsOf, (amount, money): (i128, i128)) -> usize {
        let end = self.wallet.lots[lot].end.expect("what is carried ends");
        let to = self.carried_from(lot).unwrap_or_else(|| {
            let from = &self.wallet.lots[lot];
            let grant = &self.wallet.grants[from.grant];
            let carried_end = grant.carried_end(end);
            let lateness = self.lateness(grant, (end, Some(carried_end)), as_of);
            // One that is made by a correction is void if it would have been.
            let void_at = grant.carried_void_at.iter().find(|at| (end..carried_end).contains(at)).copied();
            let child = Lot { void_at, ..from.carried(lot, (end, carried_end), lateness) };
            self.wallet.lots.push(child);
            self.wallet.lots.len() - 1
        });
        self.move_money(lot, to, money);
        self.wallet.lots[lot].remaining -= amount;
        self.wallet.lots[lot].rolled_over += amount;
        self.wallet.lots[to].issued += amount;
        self.wallet.lots[to].remaining += amount;
        let (unit, debit, credit) = (self.unit_of(lot), self.account(lot), self.account(to));
        self.book(Note::plain("carry", end), &unit, Some(lot), (&debit, &credit), amount);
        to
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
        let rest = self.wallet.lots[lot].remaining;
        self.expire("expire", lot, end, rest);
    }
}
