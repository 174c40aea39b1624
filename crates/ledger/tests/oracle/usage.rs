//! Usage and overage: which lots pay, what is owed, how it is paid back or closed.

use super::Envelope;
use super::pricing::price_usage;
use super::step::{Note, Step};
use super::wallet::{Bucket, Place};

/// What is charged for a usage: its time, who used, and what for.
struct Draw<'a> {
    time: i64,
    subject: Option<&'a str>,
    unit: &'a str,
    feature: &'a str,
    price: &'a str,
}

impl Draw<'_> {
    fn note<'a>(&'a self, kind: &'a str) -> Note<'a> {
        Note { kind, effective_at: self.time, feature: Some(self.feature), price: Some(self.price) }
    }
}

impl Step<'_> {
    /// Prices a usage and burns what it costs.
    pub(crate) fn usage(&mut self, envelope: &Envelope) -> String {
        let time = envelope.time.unwrap_or(envelope.recorded_at).min(self.wallet.clock);
        let card = self.wallet.rate_card_at(self.catalogue, time);
        let zone = self.wallet.zone_at(self.catalogue, time);
        let in_force = self.catalogue.prices_at(time);
        let counters = &mut self.wallet.counters;
        match price_usage(&in_force, &card, &envelope.data, (&zone, time), counters) {
            Err(reason) => {
                self.wallet.unpriced += 1;
                format!("applied unpriced:{reason}")
            }
            Ok((price, charges)) => {
                let subject = envelope.subject.as_deref();
                for (unit, feature, amount) in &charges {
                    self.charge(&Draw { time, subject, unit, feature, price: &price }, *amount);
                }
                "applied".to_owned()
            }
        }
    }

    fn charge(&mut self, draw: &Draw<'_>, amount: i128) {
        let mut owed = amount;
        for lot in self.payers(draw) {
            if self.wallet.lots[lot].holds(self.wallet.clock) {
                owed -= self.take_remaining(draw, lot, owed);
            } else {
                owed -= self.take_expired(draw, lot, owed);
                owed -= self.take_carried(draw, lot, owed);
            }
        }
        if owed > 0 {
            self.owe(draw, owed);
        }
    }

    /// The lots whose window holds the usage's time, in the order in which they burn.
    fn payers(&self, draw: &Draw<'_>) -> Vec<usize> {
        let (lots, clock) = (&self.wallet.lots, self.wallet.clock);
        let pays = |lot: &usize| {
            let lot = &lots[*lot];
            let grant = &self.wallet.grants[lot.grant];
            let for_feature = grant.features.is_empty() || grant.features.iter().any(|it| it == draw.feature);
            let for_subject = grant.subjects.is_empty()
                || grant.subjects.iter().any(|subject| draw.subject == Some(subject.as_str()));
            let in_time = lot.holds(draw.time) && (lot.holds(clock) || lot.within_lateness(clock));
            grant.unit == draw.unit && for_feature && for_subject && in_time
        };
        self.burning((0..lots.len()).filter(pays).collect())
    }

    fn take_remaining(&mut self, draw: &Draw<'_>, lot: usize, owed: i128) -> i128 {
        let taken = owed.min(self.wallet.lots[lot].remaining);
        if taken > 0 {
            self.touch(lot);
            self.wallet.lots[lot].remaining -= taken;
            self.consume(draw, lot, taken, None);
        }
        taken
    }

    fn take_expired(&mut self, draw: &Draw<'_>, lot: usize, owed: i128) -> i128 {
        let taken = owed.min(self.wallet.lots[lot].expired);
        if taken > 0 {
            self.touch(lot);
            self.wallet.lots[lot].expired -= taken;
            self.consume(draw, lot, taken, Some("expired"));
        }
        taken
    }

    /// Takes back what is unused in lots carried from an ended one, nearest first, hop by hop.
    fn take_carried(&mut self, draw: &Draw<'_>, origin: usize, owed: i128) -> i128 {
        let mut chain = vec![origin];
        let mut taken = 0;
        while let Some(next) = self.carried_from(chain[chain.len() - 1]) {
            chain.push(next);
            let lot = &self.wallet.lots[next];
            let open = lot.holds(self.wallet.clock);
            let unused = match open {
                true => lot.remaining,
                false if lot.within_lateness(self.wallet.clock) => lot.expired,
                false => 0,
            };
            let part = unused.min(owed - taken);
            if part == 0 {
                continue;
            }
            let lot = &mut self.wallet.lots[next];
            *(if open { &mut lot.remaining } else { &mut lot.expired }) -= part;
            for hop in (1..chain.len()).rev() {
                self.wallet.lots[chain[hop]].returned += part;
                self.wallet.lots[chain[hop - 1]].rolled_over -= part;
                let from_expired = !open && hop == chain.len() - 1;
                let debit = if from_expired { "expired".to_owned() } else { self.account(chain[hop]) };
                let credit = self.account(chain[hop - 1]);
                self.book(draw.note("return"), draw.unit, Some(chain[hop]), (&debit, &credit), part);
            }
            self.consume(draw, origin, part, None);
            taken += part;
        }
        taken
    }

    fn carried_from(&self, lot: usize) -> Option<usize> {
        let lots = &self.wallet.lots;
        let (grant, cycle, times) = (lots[lot].grant, lots[lot].cycle, lots[lot].times);
        lots.iter().position(|it| (it.grant, it.cycle, it.times) == (grant, cycle, times + 1))
    }

    /// Books a usage that a lot paid, from its own account unless another is named.
    fn consume(&mut self, draw: &Draw<'_>, lot: usize, amount: i128, from: Option<&str>) {
        self.wallet.lots[lot].consumed += amount;
        let debit = from.map_or_else(|| self.account(lot), str::to_owned);
        self.book(draw.note("usage"), draw.unit, Some(lot), (&debit, "usage"), amount);
    }

    /// Keeps what no lot covers as overage of the month in which it was used.
    fn owe(&mut self, draw: &Draw<'_>, amount: i128) {
        let (month, ends) = self.wallet.zone_at(self.catalogue, draw.time).month(draw.time);
        let closes_at = ends + self.default_lateness();
        let key = (month, draw.feature.to_owned(), draw.unit.to_owned());
        let bucket = self.wallet.overage.entry(key).or_insert(Bucket { open: 0, closes_at });
        bucket.open += amount;
        self.book(draw.note("overage"), draw.unit, None, ("overage", "usage"), amount);
    }

    /// What follows every applied record: overage is paid back, and that of closed months closed.
    pub(crate) fn settle_overage(&mut self) {
        let clock = self.wallet.clock;
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
            let (_, feature, unit) = &key;
            let (lots, clock) = (&self.wallet.lots, self.wallet.clock);
            let repays = |lot: &usize| {
                let grant = &self.wallet.grants[lots[*lot].grant];
                grant.unit == *unit
                    && grant.subjects.is_empty()
                    && (grant.features.is_empty() || grant.features.contains(feature))
                    && lots[*lot].holds(clock)
            };
            for lot in self.burning((0..lots.len()).filter(repays).collect()) {
                let part = self.wallet.lots[lot].remaining.min(self.wallet.overage[&key].open);
                if part > 0 {
                    self.touch(lot);
                    self.wallet.lots[lot].remaining -= part;
                    self.wallet.lots[lot].consumed += part;
                    let account = self.account(lot);
                    self.clear(&key, "repay", Some(lot), &account, part);
                }
            }
        }
        self.wallet.overage.retain(|_, bucket| bucket.open > 0);
    }

    /// Bills or forgives the overage of months that close at a time, if the policy says so.
    pub(crate) fn close_months(&mut self, closes: impl Fn(i64) -> bool) {
        let policy = self.overage_policy().at_month_end;
        let (kind, account) = match policy.as_str() {
            "keep" => return,
            "bill" => ("bill", "billed"),
            "forgive" => ("forgive", "forgiven"),
            other => panic!("no policy {other}"),
        };
        let closing: Vec<_> =
            self.wallet.overage.iter().filter(|(_, bucket)| closes(bucket.closes_at)).collect();
        let closing: Vec<_> = closing.into_iter().map(|(key, bucket)| (key.clone(), bucket.open)).collect();
        for (key, open) in closing {
            self.clear(&key, kind, None, account, open);
        }
        self.wallet.overage.retain(|_, bucket| bucket.open > 0);
    }

    fn clear(&mut self, key: &Place, kind: &str, lot: Option<usize>, from: &str, amount: i128) {
        let (_, feature, unit) = key;
        self.wallet.overage.get_mut(key).expect("it is open").open -= amount;
        let note = Note { feature: Some(feature), ..Note::plain(kind, self.wallet.clock) };
        self.book(note, unit, lot, (from, "overage"), amount);
    }
}
