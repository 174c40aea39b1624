//! What is undone: usage goes back to what paid it, and what comes back to a lot goes where it would have gone.

use super::catalogue::AsOf;
use super::overage::{Place, Settled, Settlement};
use super::step::{Note, Step};
use super::text::cut;
use super::used::{Part, Payer, Used};

/// What a usage gave back to a lot: it is among the lot's remaining until it goes where it belongs.
pub(crate) struct AtHand {
    pub(crate) lot: usize,
    /// When the entry that is undone took it.
    pub(crate) drawn_at: i64,
    pub(crate) left: i128,
    /// Whether it had paid overage back.
    pub(crate) repaid: bool,
}

impl Step<'_> {
    /// Takes back so much of one part of a usage.
    pub(crate) fn give_back(&mut self, used: &Used, part: &Part, amount: i128) {
        let price = used.price.as_deref().filter(|price| !price.is_empty());
        let note = |kind| Note { kind, effective_at: part.effective_at, feature: Some(&part.feature), price };
        match &part.payer {
            Payer::Lot(lot) => {
                self.regain(*lot, amount);
                let account = self.account(*lot);
                self.book(note("reversal"), &part.unit, Some(*lot), ("usage", &account), amount);
                self.at_hand.push(AtHand {
                    lot: *lot,
                    drawn_at: part.booked_at,
                    left: amount,
                    repaid: false,
                });
            }
            Payer::Overage(month) => {
                let key = (month.clone(), part.feature.clone(), part.unit.clone());
                let mut owed = amount;
                if let Some(bucket) = self.wallet.overage.get_mut(&key) {
                    let open = owed.min(bucket.open);
                    bucket.open -= open;
                    owed -= open;
                    if open > 0 {
                        self.book(note("reverse_overage"), &part.unit, None, ("usage", "overage"), open);
                    }
                }
                for (how, at, undone) in self.unsettle(&key, owed) {
                    self.book(note("reverse_overage"), &part.unit, None, ("usage", "overage"), undone);
                    self.undo_settlement(&key, how, at, undone);
                }
            }
        }
    }

    /// Finds what so much of overage became that is not open any more: paid back, billed, forgiven; last first.
    fn unsettle(&mut self, key: &Place, mut owed: i128) -> Vec<(Settlement, i64, i128)> {
        let settled = self.wallet.settled.entry(key.clone()).or_default();
        let kinds: [fn(&Settled) -> bool; 3] = [
            |it| matches!(it.how, Settlement::RepaidBy(_)),
            |it| it.how == Settlement::Billed,
            |it| it.how == Settlement::Forgiven,
        ];
        let mut found = Vec::new();
        for is_of_kind in kinds {
            for it in settled.iter_mut().rev().filter(|it| is_of_kind(it)) {
                let part = owed.min(it.left);
                it.left -= part;
                owed -= part;
                if part > 0 {
                    found.push((it.how, it.at, part));
                }
            }
        }
        assert_eq!(owed, 0, "all overage is open, paid back, billed or forgiven");
        found
    }

    fn undo_settlement(&mut self, key: &Place, how: Settlement, at: i64, amount: i128) {
        let (_, feature, unit) = key;
        let note = |kind| Note { feature: Some(feature), ..Note::plain(kind, at) };
        match how {
            Settlement::RepaidBy(lot) => {
                self.regain(lot, amount);
                let account = self.account(lot);
                self.book(note("unrepay"), unit, Some(lot), ("overage", &account), amount);
                self.at_hand.push(AtHand { lot, drawn_at: at, left: amount, repaid: true });
            }
            Settlement::Billed => {
                self.book(note("credit_due"), unit, None, ("overage", "credit_due"), amount);
            }
            Settlement::Forgiven => {
                self.book(note("unforgive"), unit, None, ("overage", "forgiven"), amount);
            }
        }
    }

    fn regain(&mut self, lot: usize, amount: i128) {
        self.wallet.lots[lot].consumed -= amount;
        self.wallet.lots[lot].remaining += amount;
    }

    /// When all is undone, and charged anew if it is, the rest goes where it belongs, a lot at a time.
    pub(crate) fn let_go(&mut self) {
        let mut given = std::mem::take(&mut self.at_hand);
        let lots: Vec<usize> = given.iter().map(|it| it.lot).collect();
        given.sort_by_key(|it| lots.iter().position(|lot| *lot == it.lot));
        for it in given {
            self.come_back(it.lot, Some(it.drawn_at), it.left);
        }
    }

    pub(crate) fn is_at_hand(&self, lot: usize) -> bool {
        self.at_hand.iter().any(|it| it.lot == lot && it.left > 0)
    }

    /// Takes from what is left in a lot: first of all what it was given back, and of that what was drawn first.
    pub(crate) fn use_up(&mut self, lot: usize, amount: i128) {
        self.wallet.lots[lot].remaining -= amount;
        let mut used = amount;
        let mut given: Vec<&mut AtHand> = self.at_hand.iter_mut().rev().filter(|it| it.lot == lot).collect();
        given.sort_by_key(|it| it.drawn_at);
        for it in given {
            let part = used.min(it.left);
            it.left -= part;
            used -= part;
        }
    }

    /// What comes back to a lot, and is among its remaining, goes where the lot's life has it go. What was held in it was there
    /// all the time, and drawn at none.
    pub(crate) fn come_back(&mut self, lot: usize, drawn_at: Option<i64>, amount: i128) {
        let clock = self.wallet.clock;
        let it = &self.wallet.lots[lot];
        if amount == 0 {
            return;
        }
        if let Some(void_at) = it.void_at.or(self.wallet.grants[it.grant].void_at) {
            self.void(lot, void_at, amount);
        } else if let Some(end) = it.end.filter(|_| it.ended) {
            let carried = self.may_still_carry(lot, amount);
            if carried > 0 {
                let money = self.money_carried_again(lot, carried);
                let is_new = self.carried_from(lot).is_none();
                let child = self.carry(lot, AsOf::Due(end), (carried, money));
                if is_new {
                    self.wallet.lots[child].ended =
                        self.wallet.lots[child].end.is_some_and(|end| end <= clock);
                }
                self.come_back(child, drawn_at.or(Some(i64::MIN)), carried);
            }
            self.expire("expire", lot, end, amount - carried);
        } else {
            let base = it.tops_up.unwrap_or(lot);
            let Some((reset_at, room)) = self.wallet.lots[base].room else { return };
            if drawn_at.is_some_and(|at| at < reset_at) {
                let stays = room.min(amount);
                self.wallet.lots[base].room = Some((reset_at, room - stays));
                self.expire("reset", lot, reset_at, amount - stays);
            } else {
                let too_much = self.wallet.lots[base].over.min(amount);
                self.wallet.lots[base].over -= too_much;
                self.expire("reset", lot, reset_at, too_much);
            }
        }
    }

    /// How much of what comes back to an ended lot its end would have carried.
    fn may_still_carry(&self, lot: usize, amount: i128) -> i128 {
        let it = &self.wallet.lots[lot];
        let grant = &self.wallet.grants[it.grant];
        let Some(rollover) = grant.rollover.as_ref().filter(|_| grant.can_carry(it.times)) else { return 0 };
        let share = cut(amount, rollover.percent, 100_000_000_000);
        let Some(max) = rollover.max else { return share };
        let carried = |other: &&super::lot::Lot| {
            other.grant == it.grant && other.times > 0 && other.holds(self.wallet.clock)
        };
        let open: i128 = self.wallet.lots.iter().filter(carried).map(|lot| lot.remaining + lot.held).sum();
        share.min(max - it.rolled_over).min(max - open).max(0)
    }

    /// Voids so much of what a lot has left.
    pub(crate) fn void(&mut self, lot: usize, at: i64, amount: i128) {
        self.wallet.lots[lot].remaining -= amount;
        self.wallet.lots[lot].voided += amount;
        if amount > 0 {
            let (unit, account) = (self.unit_of(lot), self.account(lot));
            self.book(Note::plain("void", at), &unit, Some(lot), (&account, "voided"), amount);
        }
    }
}
