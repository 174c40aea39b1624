//! Usage: what it costs, and which lots pay.

use super::Envelope;
use super::holds::Actual;
use super::pricing::{Priced, price_usage};
use super::step::{Note, Step};
use super::used::{Part, Payer, Used};

/// What is charged for a usage: its time, who used, and what for.
pub(crate) struct Draw {
    pub(crate) time: i64,
    pub(crate) subject: Option<String>,
    pub(crate) unit: String,
    pub(crate) feature: String,
    pub(crate) price: String,
}

impl Draw {
    pub(crate) fn note<'a>(&'a self, kind: &'a str) -> Note<'a> {
        let price = Some(self.price.as_str()).filter(|price| !price.is_empty());
        Note { kind, effective_at: self.time, feature: Some(&self.feature), price }
    }
}

impl Step<'_> {
    /// Prices a usage and burns what it costs.
    pub(crate) fn usage(&mut self, envelope: &Envelope) -> String {
        let hold = envelope.data.at("extensions").and_then(|it| it.text("hold"));
        if let Some(hold) = hold.filter(|hold| self.wallet.holds.contains_key(*hold)) {
            let key = (envelope.source.clone(), envelope.id.clone());
            return self.settle(hold, key, envelope.subject.clone(), Actual::Event(&envelope.data), true);
        }
        let mut used = Used {
            time: envelope.time.unwrap_or(envelope.recorded_at).min(self.wallet.clock),
            subject: envelope.subject.clone(),
            event: envelope.data.clone(),
            price: None,
            counts: Vec::new(),
            parts: Vec::new(),
            taken_back: Default::default(),
            cancelled: false,
        };
        let outcome = match self.price(&used) {
            Ok(priced) => {
                self.charge(&mut used, priced);
                "applied".to_owned()
            }
            Err(reason) => {
                self.wallet.unpriced += 1;
                format!("applied unpriced:{reason}")
            }
        };
        self.wallet.usages.insert((envelope.source.clone(), envelope.id.clone()), used);
        outcome
    }

    /// What a usage costs by what was published until now, as of its own time.
    pub(crate) fn price(&self, used: &Used) -> Result<Priced, &'static str> {
        let card = self.wallet.rate_card_at(self.catalogue, used.time);
        let zone = self.wallet.zone_at(self.catalogue, used.time);
        let in_force = self.catalogue.prices_at(used.time);
        price_usage(&in_force, &card, &used.event, (&zone, used.time), &self.wallet.counters)
    }

    /// Charges a usage what it costs, less what was taken back of it before.
    pub(crate) fn charge(&mut self, used: &mut Used, priced: Priced) {
        let zone = self.wallet.zone_at(self.catalogue, used.time);
        for count in &priced.counts {
            *self.wallet.counters.entry(count.key(&zone, used.time)).or_default() += &count.quantity;
        }
        for (unit, feature, amount) in priced.charges {
            let before = used.taken_back.get(&(unit.clone(), feature.clone()));
            let due = (amount - before.copied().unwrap_or(0)).max(0);
            let (time, subject, price) = (used.time, used.subject.clone(), priced.price.clone());
            self.burn(&Draw { time, subject, unit, feature, price }, due);
        }
        used.parts = std::mem::take(&mut self.parts);
        used.price = Some(priced.price);
        used.counts = priced.counts;
    }

    pub(crate) fn burn(&mut self, draw: &Draw, amount: i128) {
        let mut owed = amount;
        for lot in self.payers(draw) {
            let clock = self.wallet.clock;
            owed -= self.take_remaining(draw, lot, owed);
            if self.wallet.lots[lot].within_lateness(clock) && !self.grant_is_void(lot) {
                owed -= self.take_expired(draw, lot, owed);
                owed -= self.take_carried(draw, lot, owed);
            }
        }
        if owed > 0 {
            self.owe(draw, owed);
        }
    }

    /// The lots whose window holds the usage's time, in the order in which they burn.
    fn payers(&self, draw: &Draw) -> Vec<usize> {
        let (lots, clock) = (&self.wallet.lots, self.wallet.clock);
        let pays = |place: &usize| {
            let lot = &lots[*place];
            let grant = &self.wallet.grants[lot.grant];
            let for_feature = grant.features.is_empty() || grant.features.contains(&draw.feature);
            let for_subject = grant.subjects.is_empty()
                || grant.subjects.iter().any(|subject| draw.subject.as_ref() == Some(subject));
            let late = lot.within_lateness(clock) && !self.grant_is_void(*place);
            let ready = lot.is_open(clock) || late || self.is_at_hand(*place);
            grant.unit == draw.unit && for_feature && for_subject && lot.holds(draw.time) && ready
        };
        self.burning((0..lots.len()).filter(pays).collect())
    }

    fn grant_is_void(&self, lot: usize) -> bool {
        self.wallet.grants[self.wallet.lots[lot].grant].void_at.is_some()
    }

    /// Takes what is left: in a lot that is open, or in any what this record gave back to it.
    fn take_remaining(&mut self, draw: &Draw, lot: usize, owed: i128) -> i128 {
        let taken = owed.min(self.wallet.lots[lot].remaining);
        if taken > 0 {
            self.touch(lot);
            self.use_up(lot, taken);
            self.consume(draw, lot, taken, None);
        }
        taken
    }

    fn take_expired(&mut self, draw: &Draw, lot: usize, owed: i128) -> i128 {
        let taken = owed.min(self.wallet.lots[lot].expired);
        if taken > 0 {
            self.touch(lot);
            self.wallet.lots[lot].expired -= taken;
            self.consume(draw, lot, taken, Some("expired"));
        }
        taken
    }

    /// Takes back what is unused in lots carried from an ended one, nearest first, hop by hop.
    fn take_carried(&mut self, draw: &Draw, origin: usize, owed: i128) -> i128 {
        let mut chain = vec![origin];
        let mut taken = 0;
        while let Some(next) = self.carried_from(chain[chain.len() - 1]) {
            chain.push(next);
            let lot = &self.wallet.lots[next];
            let open = lot.is_open(self.wallet.clock);
            let unused = match open {
                true => lot.remaining,
                false if lot.within_lateness(self.wallet.clock) => lot.expired,
                false => 0,
            };
            let part = unused.min(owed - taken);
            if part == 0 {
                continue;
            }
            if open {
                self.use_up(next, part);
            } else {
                self.wallet.lots[next].expired -= part;
            }
            for hop in (1..chain.len()).rev() {
                let money = self.money_returned(chain[hop], part);
                self.move_money(chain[hop], chain[hop - 1], money);
                self.wallet.lots[chain[hop]].returned += part;
                self.wallet.lots[chain[hop - 1]].rolled_over -= part;
                let from_expired = !open && hop == chain.len() - 1;
                let debit = if from_expired { "expired".to_owned() } else { self.account(chain[hop]) };
                let credit = self.account(chain[hop - 1]);
                self.book(draw.note("return"), &draw.unit, Some(chain[hop]), (&debit, &credit), part);
            }
            self.consume(draw, origin, part, None);
            taken += part;
        }
        taken
    }

    /// The lot that was carried from another.
    pub(crate) fn carried_from(&self, lot: usize) -> Option<usize> {
        self.wallet.lots.iter().position(|it| it.from == Some(lot))
    }

    /// Books a usage that a lot paid, from its own account unless another is named.
    fn consume(&mut self, draw: &Draw, lot: usize, amount: i128, from: Option<&str>) {
        self.wallet.lots[lot].consumed += amount;
        let debit = from.map_or_else(|| self.account(lot), str::to_owned);
        self.book(draw.note("usage"), &draw.unit, Some(lot), (&debit, "usage"), amount);
        self.paid(draw, Payer::Lot(lot), amount);
    }

    /// Remembers what a part of a usage was taken from.
    pub(crate) fn paid(&mut self, draw: &Draw, payer: Payer, amount: i128) {
        let (unit, feature) = (draw.unit.clone(), draw.feature.clone());
        let (booked_at, effective_at) = (self.wallet.clock, draw.note("").effective_at);
        self.parts.push(Part { unit, feature, amount, booked_at, effective_at, payer });
    }
}
