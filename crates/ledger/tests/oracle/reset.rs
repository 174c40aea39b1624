//! Resets: open lots are brought within their bounds, and open overage is forgiven.

use super::Envelope;
use super::lot::Lot;
use super::overage::Place;
use super::step::Step;
use super::text::{Json, SECOND, Span, instant};
use super::zone::Zone;

/// How often a wallet is reset.
#[derive(Clone)]
pub(crate) struct ResetPolicy {
    interval: Span,
    /// As it was configured; else the clock then is the anchor.
    own_anchor: Option<i64>,
    anchor: i64,
    preserve_overage: bool,
    zone: Zone,
    pub(crate) next: i64,
}

impl ResetPolicy {
    pub(crate) fn is_too_short(body: &Json) -> bool {
        let interval = Span::parse(body.text("interval").expect("a reset policy has an interval"));
        (interval.months, interval.days) == (0, 0) && interval.nanos < 3600 * SECOND
    }

    /// Reads the policy of a configuration at a clock, in the wallet's zone.
    pub(crate) fn parse(body: &Json, clock: i64, zone: Zone) -> ResetPolicy {
        let interval = Span::parse(body.text("interval").expect("a reset policy has an interval"));
        let own_anchor = body.text("anchor").map(instant);
        let anchor = own_anchor.unwrap_or(clock);
        let next = zone.occurrences_around(anchor, &interval, clock).1;
        let preserve_overage = body.flag("preserve_overage").unwrap_or(false);
        ResetPolicy { interval, own_anchor, anchor, preserve_overage, zone, next }
    }

    /// Whether both say the same: then the one that stands goes on.
    pub(crate) fn says_the_same(&self, other: &ResetPolicy) -> bool {
        let said = |policy: &ResetPolicy| (policy.interval, policy.own_anchor, policy.preserve_overage);
        said(self) == said(other)
    }
}

impl Step<'_> {
    /// Takes a `wallet.reset`.
    pub(crate) fn wallet_reset(&mut self, envelope: &Envelope) -> String {
        let unit = envelope.data.text("unit");
        if envelope.has_no_reason() {
            return "rejected no_reason".to_owned();
        }
        if unit.is_some_and(|unit| !self.catalogue.has_unit(unit)) {
            return "rejected unknown_unit".to_owned();
        }
        self.reset(unit, envelope.data.flag("preserve_overage").unwrap_or(false));
        "applied".to_owned()
    }

    /// Resets the wallet if its policy says so at this instant.
    pub(crate) fn policy_reset(&mut self, now: i64) -> bool {
        let Some(policy) = self.wallet.reset.clone().filter(|policy| policy.next == now) else {
            return false;
        };
        self.reset(None, policy.preserve_overage);
        let next = policy.zone.occurrences_around(policy.anchor, &policy.interval, now).1;
        self.wallet.reset = Some(ResetPolicy { next, ..policy });
        true
    }

    fn reset(&mut self, unit: Option<&str>, preserve_overage: bool) {
        let clock = self.wallet.clock;
        let meant = |it: &str| unit.is_none_or(|unit| unit == it);
        let wanted = |lot: &Lot| {
            let grant = &self.wallet.grants[lot.grant];
            meant(&grant.unit) && grant.reset.is_some() && lot.tops_up.is_none() && lot.is_open(clock)
        };
        for lot in self.in_order_of_issue(wanted) {
            self.reset_lot(lot);
        }
        if !preserve_overage {
            let open = self.wallet.overage.iter().filter(|((_, _, unit), _)| meant(unit));
            let open: Vec<(Place, i128)> = open.map(|(key, bucket)| (key.clone(), bucket.open)).collect();
            for (key, amount) in open {
                self.take_out(&key, false, amount);
            }
            self.wallet.overage.retain(|_, bucket| bucket.open > 0);
        }
    }

    fn reset_lot(&mut self, lot: usize) {
        let clock = self.wallet.clock;
        let bounds = self.wallet.grants[self.wallet.lots[lot].grant].reset.clone().expect("it is reset");
        let mut group = self.top_ups(lot);
        let made = group.len();
        group.retain(|lot| self.wallet.lots[*lot].is_open(clock));
        group.insert(0, lot);
        let there = |lot: &usize| self.wallet.lots[*lot].remaining + self.wallet.lots[*lot].held;
        let sum: i128 = group.iter().map(there).sum();
        if let Some(max) = bounds.max {
            let stands = sum.max(bounds.min.unwrap_or(0));
            self.wallet.lots[lot].room = Some((clock, (max - stands).max(0)));
            let mut excess = sum - max;
            for lot in group.into_iter().rev() {
                let part = excess.min(self.wallet.lots[lot].remaining);
                if part > 0 {
                    self.touch(lot);
                    self.expire("reset", lot, clock, part);
                    excess -= part;
                }
            }
            self.wallet.lots[lot].over = excess.max(0);
        }
        let lacks = bounds.min.map_or(0, |min| min - sum);
        if lacks > 0 {
            self.touch(lot);
            let number = Some(self.take_number());
            let it = &self.wallet.lots[lot];
            let lateness = self.lateness(&self.wallet.grants[it.grant], (clock, it.end), self.as_of());
            let top_up = it.top_up(lot, made + 1, clock, lateness);
            let top_up = Lot { number, issued: lacks, remaining: lacks, ..top_up };
            self.wallet.lots.push(top_up);
            self.book_issue(self.wallet.lots.len() - 1);
        }
    }

    /// The lots that resets added to another, in the order in which they came.
    fn top_ups(&self, lot: usize) -> Vec<usize> {
        (0..self.wallet.lots.len()).filter(|it| self.wallet.lots[*it].tops_up == Some(lot)).collect()
    }
}
