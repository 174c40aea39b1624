//! Burning: which lots pay a charge, what becomes overage, and how that is paid back (rules, sections 4 and 5).

use crate::amount::Amount;
use crate::document::FoldVersion;
use crate::entry::EntryKind;
use crate::event::MonthEnd;
use crate::fold::{About, Fold, Moment};
use crate::name::Name;
use crate::time::Instant;
use crate::wallet::Overage;

/// What one usage owes of one unit for one feature.
pub(crate) struct Charge<'a> {
    pub(crate) unit: Name,
    pub(crate) feature: Name,
    pub(crate) amount: Amount,
    pub(crate) price: Option<&'a Name>,
    pub(crate) subject: Option<&'a str>,
}

impl Charge<'_> {
    pub(crate) fn about(&self, lot: Option<Name>) -> About {
        let (feature, price) = (Some(self.feature.clone()), self.price.cloned());
        About { lot, feature, price, ..About::default() }
    }
}

impl Fold<'_> {
    /// Takes a charge from the lots whose window holds the usage's time, in the order of burning; the rest is overage.
    pub(crate) fn burn(&mut self, charge: Charge<'_>, moment: Moment<'_>) {
        self.sort();
        let mut owed = charge.amount;
        let mut next = 0;
        while !owed.is_zero() && next < self.wallet.lots.len() {
            if self.changes.considered.is_some() {
                self.consider(next, owed, &charge, moment);
            }
            let (lot, clock) = (&self.wallet.lots[next], self.wallet.clock);
            let pays = lot.unit == charge.unit
                && lot.holds(moment.effective_at)
                && lot.terms.applies_to.allows(&charge.feature, charge.subject);
            // Only what a re-rating has in hand remains in a lot that has ended.
            if pays && (lot.is_open(clock) || !lot.remaining.is_zero()) {
                self.draw(next, &mut owed, &charge, moment);
            }
            let lot = &self.wallet.lots[next];
            if pays && lot.is_late(clock) && !owed.is_zero() {
                self.draw_late(next, &mut owed, &charge, moment);
            }
            next += 1;
        }
        if !owed.is_zero() {
            self.overdraw(owed, &charge, moment);
        }
    }

    fn draw(&mut self, at: usize, owed: &mut Amount, charge: &Charge<'_>, moment: Moment<'_>) {
        if self.wallet.lots[at].remaining.is_zero() {
            return;
        }
        self.touch(at, moment);
        let lot = &mut self.wallet.lots[at];
        let taken = lot.remaining.take(*owed);
        lot.consumed.add(taken);
        self.reshaped |= lot.remaining.is_zero();
        let paid = owed.take(taken);
        let id = lot.id.clone();
        self.book(EntryKind::Usage, &charge.unit, paid, charge.about(Some(id)), moment);
    }

    /// A lot that ended pays late usage first with what expired of it, then with what is unused in lots carried from it.
    fn draw_late(&mut self, at: usize, owed: &mut Amount, charge: &Charge<'_>, moment: Moment<'_>) {
        if self.wallet.lots[at].is_untouched() {
            self.touch(at, moment);
        }
        let lot = &mut self.wallet.lots[at];
        let id = lot.id.clone();
        let paid = owed.take(lot.expired.take(*owed));
        if !paid.is_zero() {
            lot.consumed.add(paid);
            lot.touched = true;
            self.reshaped |= lot.expired.is_zero();
            self.book(EntryKind::LateUsage, &charge.unit, paid, charge.about(Some(id)), moment);
        }
        let mut chain = vec![at];
        while let Some(child) = self.carried_from(*chain.last().expect("it begins with the lot")) {
            chain.push(child);
            if owed.is_zero() {
                return;
            }
            self.give_back(&chain, owed, charge, moment);
        }
    }

    fn carried_from(&self, parent: usize) -> Option<usize> {
        let parent = &self.wallet.lots[parent].id;
        self.wallet.lots.iter().position(|l| l.origin.as_ref() == Some(parent))
    }

    /// What is unused in the last lot of the chain goes back, lot by lot, to the first, which pays with it.
    fn give_back(&mut self, chain: &[usize], owed: &mut Amount, charge: &Charge<'_>, moment: Moment<'_>) {
        let clock = self.wallet.clock;
        let last = &mut self.wallet.lots[*chain.last().expect("a chain has a lot")];
        let (taken, mut kind) = if last.is_open(clock) {
            (last.remaining.take(*owed), EntryKind::Return)
        } else if last.is_late(clock) {
            (last.expired.take(*owed), EntryKind::ReturnExpired)
        } else {
            return;
        };
        if taken.is_zero() {
            return;
        }
        self.reshaped = true;
        for hop in chain.windows(2).rev() {
            let (parent, child) = (hop[0], hop[1]);
            let money_follows = self.catalogue.fold_version() >= FoldVersion::MONEY_FOLLOWS;
            let lots = &mut self.wallet.lots;
            if money_follows {
                let share = lots[child].money_left_of(taken);
                let money = lots[child].money.take(share);
                lots[parent].money.add(money);
            }
            lots[child].returned.add(taken);
            lots[child].touched = true;
            let back = lots[parent].rolled_over.take(taken);
            assert_eq!(back, taken, "a lot holds no more than was carried over to it");
            lots[parent].touched = true;
            let (from, to) = (lots[child].id.clone(), lots[parent].id.clone());
            let about = About { other: Some(to), ..charge.about(Some(from)) };
            self.book(kind, &charge.unit, taken, about, moment);
            kind = EntryKind::Return;
        }
        let paying = &mut self.wallet.lots[chain[0]];
        paying.consumed.add(taken);
        let id = paying.id.clone();
        let paid = owed.take(taken);
        self.book(EntryKind::Usage, &charge.unit, paid, charge.about(Some(id)), moment);
    }

    /// A lot of a quiet grant enters the ledger when something first touches it.
    pub(crate) fn touch(&mut self, at: usize, moment: Moment<'_>) {
        let lot = &mut self.wallet.lots[at];
        lot.touched = true;
        if !lot.is_untouched() {
            return;
        }
        lot.order = Some(self.wallet.next_order);
        self.wallet.next_order += 1;
        self.reshaped = true;
        let (id, unit, issued, ended) = (lot.id.clone(), lot.unit.clone(), lot.issued, lot.ended);
        let (starts, ends) = (lot.starts_at, lot.ends_at);
        let about = || About { lot: Some(id.clone()), ..About::default() };
        self.book(EntryKind::Issue, &unit, issued, about(), Moment { effective_at: starts, ..moment });
        if ended {
            let effective_at = ends.unwrap_or(moment.effective_at);
            self.book(EntryKind::Expire, &unit, issued, about(), Moment { effective_at, ..moment });
        }
    }

    fn overdraw(&mut self, owed: Amount, charge: &Charge<'_>, moment: Moment<'_>) {
        let (_, zone) = self.wallet.zone(self.catalogue, moment.effective_at);
        let (month, over) = zone.month(moment.effective_at);
        let closes_at = over.plus(moment.policies.lateness.exact());
        let overage = Overage {
            month,
            feature: charge.feature.clone(),
            unit: charge.unit.clone(),
            amount: owed,
            closes_at,
        };
        let same =
            |o: &&mut Overage| o.month == month && o.feature == charge.feature && o.unit == charge.unit;
        match self.wallet.overage.iter_mut().find(same) {
            Some(open) => open.amount.add(owed),
            None => {
                let at = self.wallet.overage.partition_point(|o| o.key() < overage.key());
                self.wallet.overage.insert(at, overage);
                self.reshaped = true;
            }
        }
        let about = About { month: Some(month), ..charge.about(None) };
        self.book(EntryKind::Overage, &charge.unit, owed, about, moment);
    }

    /// Open overage is paid back, oldest first, by what is open now.
    pub(crate) fn repay(&mut self, moment: Moment<'_>) {
        if self.wallet.overage.is_empty() || !self.wallet.overage_policy(moment.policies).repay {
            return;
        }
        for bucket in 0..self.wallet.overage.len() {
            self.sort();
            for at in 0..self.wallet.lots.len() {
                self.repay_from(bucket, at, moment);
            }
        }
        self.wallet.overage.retain(|o| !o.amount.is_zero());
    }

    fn repay_from(&mut self, bucket: usize, at: usize, moment: Moment<'_>) {
        let all = self.wallet.overage[bucket].amount;
        if self.wallet.lots[at].is_open(moment.booked_at) {
            self.repay_with(bucket, at, all, moment);
        }
    }

    /// A lot pays back up to so much of a bucket, if it may. Answers how much.
    pub(crate) fn repay_with(
        &mut self,
        bucket: usize,
        at: usize,
        most: Amount,
        moment: Moment<'_>,
    ) -> Amount {
        let open = &self.wallet.overage[bucket];
        let lot = &self.wallet.lots[at];
        let pays = lot.unit == open.unit
            && lot.terms.applies_to.repays(&open.feature)
            && !lot.remaining.is_zero()
            && !open.amount.is_zero()
            && !most.is_zero();
        if !pays {
            return Amount::ZERO;
        }
        self.touch(at, moment);
        let lot = &mut self.wallet.lots[at];
        let open = &mut self.wallet.overage[bucket];
        let taken = open.amount.take(lot.remaining.take(open.amount.min(most)));
        lot.consumed.add(taken);
        let (id, unit, feature) = (lot.id.clone(), lot.unit.clone(), open.feature.clone());
        let about =
            About { lot: Some(id), feature: Some(feature), month: Some(open.month), ..About::default() };
        self.reshaped = true;
        self.book(EntryKind::Repay, &unit, taken, about, moment);
        taken
    }

    /// What is open of months that have closed by now is billed or forgiven at once.
    pub(crate) fn close_late(&mut self, moment: Moment<'_>) {
        let clock = self.wallet.clock;
        self.close(moment, |closes_at| closes_at <= clock);
    }

    /// What is open of the months that close is billed or forgiven, for good.
    pub(crate) fn close(&mut self, moment: Moment<'_>, closes: impl Fn(Instant) -> bool) {
        if !self.wallet.overage.iter().any(|o| closes(o.closes_at)) {
            return;
        }
        let kind = match self.wallet.overage_policy(moment.policies).at_month_end {
            MonthEnd::Keep => return,
            MonthEnd::Bill => EntryKind::Bill,
            MonthEnd::Forgive => EntryKind::Forgive,
        };
        self.take_out(kind, moment, |o| closes(o.closes_at));
    }

    /// Open overage is taken out for good.
    pub(crate) fn take_out(&mut self, kind: EntryKind, moment: Moment<'_>, which: impl Fn(&Overage) -> bool) {
        let (taken, open): (Vec<Overage>, _) =
            std::mem::take(&mut self.wallet.overage).into_iter().partition(which);
        self.wallet.overage = open;
        self.reshaped = true;
        for o in taken {
            let about = About { feature: Some(o.feature.clone()), month: Some(o.month), ..About::default() };
            self.book(kind, &o.unit, o.amount, about, moment);
        }
    }
}
