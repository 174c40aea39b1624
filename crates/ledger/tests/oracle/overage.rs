//! Overage: what is owed, how it is paid back or closed.

use super::step::{Note, Step};
use super::usage::Draw;
use super::used::Payer;

/// Where overage belongs: month, feature and unit, in the order in which it is paid back.
pub(crate) type Place = (String, String, String);

/// Overage of one unit, month and feature that is still open.
#[derive(Clone)]
pub(crate) struct Bucket {
    pub(crate) open: i128,
    pub(crate) closes_at: i64,
}

/// What overage was once paid back, billed or forgiven, as far as that was not undone.
#[derive(Clone)]
pub(crate) struct Settled {
    pub(crate) how: Settlement,
    pub(crate) at: i64,
    pub(crate) left: i128,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Settlement {
    RepaidBy(usize),
    Billed,
    Forgiven,
}

impl Step<'_> {
    /// Keeps what no lot covers as overage of the month in which it was used.
    pub(crate) fn owe(&mut self, draw: &Draw, amount: i128) {
        let (month, ends) = self.wallet.zone_at(self.catalogue, draw.time).month(draw.time);
        let closes_at = ends + self.default_lateness();
        let key = (month.clone(), draw.feature.clone(), draw.unit.clone());
        let bucket = self.wallet.overage.entry(key).or_insert(Bucket { open: 0, closes_at });
        bucket.open += amount;
        self.book(draw.note("overage"), &draw.unit, None, ("overage", "usage"), amount);
        self.paid(draw, Payer::Overage(month), amount);
    }

    /// What follows every applied record: overage is paid back, and that of closed months closed.
    pub(crate) fn settle_overage(&mut self) {
        let clock = self.wallet.clock;
        self.wallet.overage.retain(|_, bucket| bucket.open > 0);
        self.repay();
        self.close_months(|closes_at| closes_at <= clock);
    }

    /// Pays open overage back from the lots open now, oldest month first.
    pub(crate) fn repay(&mut self) {
        if self.wallet.overage.is_empty() || !self.overage_policy().repay {
            return;
        }
        let keys: Vec<_> = self.wallet.overage.keys().cloned().collect();
        for key in keys {
            let (lots, clock) = (&self.wallet.lots, self.wallet.clock);
            let repays = |lot: &usize| self.may_repay(*lot, &key) && lots[*lot].is_open(clock);
            for lot in self.burning((0..lots.len()).filter(repays).collect()) {
                let part = self.wallet.lots[lot].remaining.min(self.wallet.overage[&key].open);
                if part > 0 {
                    self.touch(lot);
                    self.wallet.lots[lot].remaining -= part;
                    self.pay_back(&key, lot, part);
                }
            }
        }
        self.wallet.overage.retain(|_, bucket| bucket.open > 0);
    }

    /// Whether a lot is for what is owed there.
    pub(crate) fn may_repay(&self, lot: usize, (_, feature, unit): &Place) -> bool {
        let grant = &self.wallet.grants[self.wallet.lots[lot].grant];
        let for_feature = grant.features.is_empty() || grant.features.contains(feature);
        grant.unit == *unit && grant.subjects.is_empty() && for_feature
    }

    /// Pays overage back with what has just been taken out of a lot.
    pub(crate) fn pay_back(&mut self, key: &Place, lot: usize, part: i128) {
        self.wallet.lots[lot].consumed += part;
        let account = self.account(lot);
        self.clear(key, ("repay", Settlement::RepaidBy(lot)), &account, part);
    }

    /// Bills or forgives the overage of months that close at a time, if the policy says so.
    pub(crate) fn close_months(&mut self, closes: impl Fn(i64) -> bool) {
        let policy = self.overage_policy().at_month_end;
        let bill = match policy.as_str() {
            "keep" => return,
            "bill" => true,
            "forgive" => false,
            other => panic!("no policy {other}"),
        };
        let closing: Vec<_> =
            self.wallet.overage.iter().filter(|(_, bucket)| closes(bucket.closes_at)).collect();
        let closing: Vec<_> = closing.into_iter().map(|(key, bucket)| (key.clone(), bucket.open)).collect();
        for (key, open) in closing {
            self.take_out(&key, bill, open);
        }
        self.wallet.overage.retain(|_, bucket| bucket.open > 0);
    }

    /// Bills (or forgives) so much of what is open there.
    pub(crate) fn take_out(&mut self, key: &Place, bill: bool, amount: i128) {
        if bill {
            self.clear(key, ("bill", Settlement::Billed), "billed", amount);
        } else {
            self.clear(key, ("forgive", Settlement::Forgiven), "forgiven", amount);
        }
    }

    fn clear(&mut self, key: &Place, (kind, how): (&str, Settlement), from: &str, amount: i128) {
        let (_, feature, unit) = key;
        let at = self.wallet.clock;
        self.wallet.overage.get_mut(key).expect("it is open").open -= amount;
        let lot = if let Settlement::RepaidBy(lot) = how { Some(lot) } else { None };
        let note = Note { feature: Some(feature), ..Note::plain(kind, at) };
        self.book(note, unit, lot, (from, "overage"), amount);
        let settled = self.wallet.settled.entry(key.clone()).or_default();
        settled.push(Settled { how, at, left: amount });
    }
}
