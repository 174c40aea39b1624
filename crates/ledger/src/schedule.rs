//! When the lots of a recurring grant begin and end (rules, section 4).

use crate::grant::{First, Terms};
use crate::time::{Instant, Span};
use crate::wallet::Grant;
use crate::zone::Zone;

/// More cycles than any grant has between 1970 and 2261.
const MOST_CYCLES: u32 = 1 << 22;

/// A grant's calendar: cycles are counted from 1.
pub(crate) struct Schedule<'a> {
    terms: &'a Terms,
    zone: &'a Zone,
    effective_at: Instant,
    base: i64,
    partial: bool,
}

impl<'a> Schedule<'a> {
    pub(crate) fn of(grant: &'a Grant, zone: &'a Zone) -> Self {
        let Grant { effective_at, base, partial, .. } = *grant;
        Self { terms: &grant.terms, zone, effective_at, base, partial }
    }

    /// The calendar of a grant that begins at `effective_at`.
    pub(crate) fn plan(terms: &'a Terms, zone: &'a Zone, effective_at: Instant) -> Self {
        let mut schedule = Self { terms, zone, effective_at, base: 0, partial: false };
        if let Some(recurrence) = &terms.recurrence {
            let before = schedule.last_occurrence(effective_at);
            let exact = schedule.occurrence(before) == Some(effective_at);
            schedule.partial = !exact && recurrence.first != First::Skip;
            schedule.base = if exact || schedule.partial { before - 1 } else { before };
        }
        schedule
    }

    pub(crate) fn base(&self) -> i64 {
        self.base
    }

    pub(crate) fn is_partial(&self) -> bool {
        self.partial
    }

    /// Anchor plus n intervals; none beyond what an instant can be.
    fn occurrence(&self, n: i64) -> Option<Instant> {
        let recurrence = self.terms.recurrence.as_ref()?;
        self.zone.after(recurrence.anchor.unwrap_or(self.effective_at), recurrence.interval, n)
    }

    /// The number of the last occurrence at or before `at`.
    fn last_occurrence(&self, at: Instant) -> i64 {
        let Some(recurrence) = &self.terms.recurrence else { return 0 };
        let anchor = recurrence.anchor.unwrap_or(self.effective_at);
        last_occurrence(self.zone, anchor, recurrence.interval, at)
    }

    /// The first occurrence after `at`, also beyond `until`.
    pub(crate) fn next_occurrence(&self, at: Instant) -> Option<Instant> {
        self.occurrence(self.last_occurrence(at) + 1)
    }

    /// When a cycle begins; none if it never does.
    pub(crate) fn start(&self, cycle: u32) -> Option<Instant> {
        let Some(recurrence) = &self.terms.recurrence else {
            return (cycle == 1).then_some(self.effective_at);
        };
        let first = cycle == 1 && self.partial;
        let start =
            if first { Some(self.effective_at) } else { self.occurrence(self.base + i64::from(cycle)) };
        start.filter(|at| recurrence.until.is_none_or(|until| *at < until))
    }

    /// When the lot of a cycle ends; none if never.
    pub(crate) fn end(&self, cycle: u32, start: Instant) -> Option<Instant> {
        match (&self.terms.expires_after, &self.terms.recurrence) {
            (Some(life), _) => self.zone.after(start, *life, 1),
            (None, Some(_)) => self.occurrence(self.base + i64::from(cycle) + 1),
            (None, None) => self.terms.expires_at,
        }
    }

    /// The part of a whole cycle that a cycle is, as nanoseconds of nanoseconds: less only for a prorated first one.
    pub(crate) fn part(&self, cycle: u32) -> Option<(i64, i64)> {
        let recurrence = self.terms.recurrence.as_ref()?;
        if cycle > 1 || !self.partial || recurrence.first != First::Prorated {
            return None;
        }
        let (from, to) = (self.occurrence(self.base + 1)?, self.occurrence(self.base + 2)?);
        Some((to.0 - self.effective_at.0, to.0 - from.0))
    }

    /// The first cycle from `from` on whose lot is open, or within its lateness, at `clock`.
    pub(crate) fn first_alive(&self, from: u32, clock: Instant, lateness: i64) -> u32 {
        let life = self.terms.expires_after.or(self.terms.recurrence.as_ref().map(|r| r.interval));
        // No lot pays longer than this after its end; that its ends come in order makes halving possible.
        let longest = lateness.min(life.map_or(0, Span::at_most));
        let end = |cycle: u32| self.start(cycle).map(|start| (start, self.end(cycle, start)));
        let is_long_over =
            |cycle: u32| matches!(end(cycle), Some((_, Some(end))) if end.plus(longest) <= clock);
        let (mut over, mut alive, mut stride) = (from, from, 1);
        while is_long_over(alive) && alive < MOST_CYCLES {
            over = alive;
            alive += stride;
            stride *= 2;
        }
        while alive - over > 1 {
            let middle = over + (alive - over) / 2;
            if is_long_over(middle) { over = middle } else { alive = middle }
        }
        let is_over = |cycle: u32| matches!(end(cycle), Some((start, Some(end))) if late_until(start, end, lateness) <= clock);
        while is_over(alive) {
            alive += 1;
        }
        alive
    }
}

/// Until when a lot with this window pays usage of it: never longer than the lot lived.
pub(crate) fn late_until(start: Instant, end: Instant, lateness: i64) -> Instant {
    end.plus(lateness.min(end.0.saturating_sub(start.0)))
}

/// The number of the last occurrence of `anchor` plus n times `interval` at or before `at`.
fn last_occurrence(zone: &Zone, anchor: Instant, interval: Span, at: Instant) -> i64 {
    let mut n = (at.0 - anchor.0).div_euclid(interval.exact());
    // What no instant can be lies after all of them, or, before the anchor, before them all.
    while zone.after(anchor, interval, n).map_or(n > 0, |o| o > at) {
        n -= 1;
    }
    while zone.after(anchor, interval, n + 1).is_some_and(|o| o <= at) {
        n += 1;
    }
    n
}

/// The first occurrence of `anchor` plus n times `interval` after `at`.
pub(crate) fn next_occurrence(zone: &Zone, anchor: Instant, interval: Span, at: Instant) -> Option<Instant> {
    zone.after(anchor, interval, last_occurrence(zone, anchor, interval, at) + 1)
}
