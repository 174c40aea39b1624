//! Corrections of usages: reversed, in parts or whole, and charged anew.

use num_rational::BigRational;

use super::Envelope;
use super::step::Step;
use super::text::{Json, amount};
use super::used::{Part, Payer, Used};

/// The usage that a record names: source and id.
type UsageKey = (String, String);

/// So much of a unit, and of a feature if one is named.
struct Line<'a> {
    unit: &'a str,
    feature: Option<&'a str>,
    amount: i128,
}

impl Line<'_> {
    fn means(&self, part: &Part) -> bool {
        part.unit == self.unit && self.feature.is_none_or(|feature| part.feature == feature)
    }
}

impl Step<'_> {
    /// Takes a `usage.reversed`.
    pub(crate) fn usage_reversed(&mut self, envelope: &Envelope) -> String {
        match self.reverse(envelope) {
            Ok(()) => "applied".to_owned(),
            Err(reason) => format!("rejected {reason}"),
        }
    }

    fn reverse(&mut self, envelope: &Envelope) -> Result<(), &'static str> {
        let key = self.usage_to_correct(envelope)?;
        let mut used = self.wallet.usages[&key].clone();
        if envelope.data.get("amounts").is_some() {
            let line = |json| {
                let text = |key: &str| Json::text(json, key);
                let amount = amount(text("amount").expect("a line has an amount"));
                Line { unit: text("unit").expect("a line has a unit"), feature: text("feature"), amount }
            };
            let lines: Vec<Line<'_>> = envelope.data.list("amounts").iter().map(line).collect();
            refuse_lines(&used, &lines)?;
            for line in lines {
                self.take_back(&mut used, line.amount, |part| line.means(part));
            }
        } else {
            self.take_back(&mut used, i128::MAX, |_| true);
            self.uncount(&used);
            self.wallet.unpriced -= u64::from(used.price.is_none());
            used.cancelled = true;
        }
        self.let_go();
        self.wallet.usages.insert(key, used);
        Ok(())
    }

    fn usage_to_correct(&self, envelope: &Envelope) -> Result<UsageKey, &'static str> {
        if envelope.has_no_reason() {
            return Err("no_reason");
        }
        let named = envelope.data.get("usage").expect("a correction names a usage");
        let text = |key: &str| named.text(key).expect("a usage is named by source and id").to_owned();
        let key = (text("source"), text("id"));
        let used = self.wallet.usages.get(&key).ok_or("unknown_usage")?;
        if used.cancelled { Err("already_reversed") } else { Ok(key) }
    }

    /// Gives back up to an amount of the wanted parts: overage first, then lots, each the last first.
    fn take_back(&mut self, used: &mut Used, mut amount: i128, wanted: impl Fn(&Part) -> bool) {
        for from_lots in [false, true] {
            for place in (0..used.parts.len()).rev() {
                let part = used.parts[place].clone();
                let given = amount.min(part.amount);
                if matches!(part.payer, Payer::Lot(_)) != from_lots || !wanted(&part) || given == 0 {
                    continue;
                }
                self.give_back(used, &part, given);
                used.parts[place].amount -= given;
                *used.taken_back.entry((part.unit, part.feature)).or_default() += given;
                amount -= given;
            }
        }
    }

    /// Lowers the counters of tiers by what a usage added: those of the periods that hold its time as things stand.
    fn uncount(&mut self, used: &Used) {
        let zone = self.wallet.zone_at(self.catalogue, used.time);
        for count in &used.counts {
            let counter = self.wallet.counters.entry(count.key(&zone, used.time)).or_default();
            *counter = (&*counter - &count.quantity).max(BigRational::default());
        }
    }

    /// Takes a `usage.rerated`.
    pub(crate) fn usage_rerated(&mut self, envelope: &Envelope) -> String {
        let key = match self.usage_to_correct(envelope) {
            Ok(key) => key,
            Err(reason) => return format!("rejected {reason}"),
        };
        let before = self.wallet.clone();
        let old = &before.usages[&key];
        if matches!(old.event, Json::Null) {
            return "rejected no_event".to_owned();
        }
        let mut used = old.clone();
        if let Some(data) = envelope.data.get("data") {
            let kind = used.event.get("type").expect("a usage has a type").clone();
            let members = [("type".to_owned(), kind), ("data".to_owned(), data.clone())];
            used.event = Json::Object(members.into_iter().collect());
        }
        self.uncount(&used);
        let priced = match self.price(&used) {
            Ok(priced) => priced,
            Err(reason) => {
                *self.wallet = before;
                return format!("rejected unpriced: {reason}");
            }
        };
        let taken_back = used.taken_back.clone();
        self.take_back(&mut used, i128::MAX, |_| true);
        used.taken_back = taken_back;
        self.charge(&mut used, priced);
        self.pay_back_again(&used);
        self.let_go();
        self.wallet.unpriced -= u64::from(old.price.is_none());
        if old.price == used.price && old.in_effect() == used.in_effect() {
            // The same lots pay the same: nothing has happened but what is counted.
            used.parts = old.parts.clone();
            let (counters, unpriced) = (self.wallet.counters.clone(), self.wallet.unpriced);
            *self.wallet = before;
            self.wallet.counters = counters;
            self.wallet.unpriced = unpriced;
        }
        self.wallet.usages.insert(key, used);
        "applied".to_owned()
    }

    /// Lots that had paid overage back, and were given that back, pay for what is owed now before all others,
    /// in the order in which they had.
    fn pay_back_again(&mut self, used: &Used) {
        for part in &used.parts {
            let Payer::Overage(month) = &part.payer else { continue };
            let key = (month.clone(), part.feature.clone(), part.unit.clone());
            let mut owed = part.amount;
            let lots: Vec<usize> = self.at_hand.iter().rev().map(|it| it.lot).collect();
            for lot in lots {
                let given = self.at_hand.iter().filter(|it| it.lot == lot && it.repaid);
                let again = given.map(|it| it.left).sum::<i128>().min(owed);
                if again > 0 && self.may_repay(lot, &key) {
                    self.use_up(lot, again);
                    self.pay_back(&key, lot, again);
                    owed -= again;
                }
            }
        }
    }
}

fn refuse_lines(used: &Used, lines: &[Line<'_>]) -> Result<(), &'static str> {
    if lines.is_empty() {
        return Err("no_amounts");
    }
    let zero = lines.iter().any(|line| line.amount == 0);
    let mut parts = used.parts.clone();
    for line in lines {
        let mut wanted = line.amount;
        for from_lots in [false, true] {
            let of_kind = |part: &&mut Part| matches!(part.payer, Payer::Lot(_)) == from_lots;
            for part in parts.iter_mut().rev().filter(of_kind).filter(|part| line.means(part)) {
                let taken = wanted.min(part.amount);
                part.amount -= taken;
                wanted -= taken;
            }
        }
        if wanted > 0 {
            // Of two reasons either may be told.
            return Err(if zero { "amount_zero|more_than_used" } else { "more_than_used" });
        }
    }
    if zero { Err("amount_zero") } else { Ok(()) }
}
