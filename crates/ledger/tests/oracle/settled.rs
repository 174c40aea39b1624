//! Settlements: what was used is taken out of a hold, or is usage like any other.

use std::collections::BTreeMap;

use super::Envelope;
use super::held::{SETTLED, lines_of, usage_of};
use super::holds::{Actual, Hold};
use super::step::{Note, Step};
use super::text::Json;
use super::usage::Draw;
use super::used::{Payer, Used};

impl Step<'_> {
    /// Takes a `hold.settled`.
    pub(crate) fn hold_settled(&mut self, envelope: &Envelope) -> String {
        let data = &envelope.data;
        let actual = Actual::of(data.get("actual").expect("a settlement says what was used"));
        let key = usage_of(envelope);
        if let Actual::Amounts(amounts) = actual
            && lines_of(amounts).iter().any(|line| !self.catalogue.has_unit(&line.0))
        {
            return "rejected unknown_unit".to_owned();
        }
        self.wallet.identities.means(&key.0, &key.1, self.offset, SETTLED);
        let id = data.text("hold").expect("a settlement names a hold");
        if self.wallet.holds.contains_key(id) {
            return self.settle(
                id,
                key,
                envelope.subject.clone(),
                actual,
                data.flag("final").unwrap_or(true),
            );
        }
        // It is usage like any other, under the id that it names.
        match actual {
            Actual::Event(event) => {
                let (source, id) = key;
                self.usage(&Envelope { source, id, data: event.clone(), ..envelope.clone() })
            }
            Actual::Amounts(amounts) => {
                let time = envelope.time.unwrap_or(envelope.recorded_at).min(self.wallet.clock);
                let mut used = plain(time, envelope.subject.clone());
                for (unit, feature, amount) in lines_of(amounts) {
                    let (subject, price) = (used.subject.clone(), String::new());
                    self.burn(&Draw { time, subject, unit, feature, price }, amount);
                }
                used.parts = std::mem::take(&mut self.parts);
                self.wallet.usages.insert(key, used);
                "applied".to_owned()
            }
        }
    }

    /// Settles an open hold with what was used.
    pub(crate) fn settle(
        &mut self,
        id: &str,
        key: (String, String),
        subject: Option<String>,
        actual: Actual<'_>,
        is_final: bool,
    ) -> String {
        let mut hold = self.wallet.holds.remove(id).expect("it is open");
        let mut used = plain(hold.at, subject.or_else(|| hold.subject.clone()));
        let mut outcome = "applied".to_owned();
        let mut charges = Vec::new();
        match actual {
            Actual::Amounts(amounts) => charges = lines_of(amounts),
            Actual::Event(event) => {
                used.event = event.clone();
                match self.price_of_hold(event, &hold) {
                    Err(why) => {
                        used.price = None;
                        self.wallet.unpriced += 1;
                        outcome = format!("applied unpriced:{why}");
                    }
                    Ok(priced) => {
                        let zone = self.wallet.zone_at(self.catalogue, hold.at);
                        for count in &priced.counts {
                            *self.wallet.counters.entry(count.key(&zone, hold.at)).or_default() +=
                                &count.quantity;
                        }
                        charges = priced.charges;
                        used.price = Some(priced.price);
                        used.counts = priced.counts;
                    }
                }
            }
        }
        for (unit, feature, amount) in charges {
            let (subject, price) = (used.subject.clone(), used.price.clone().unwrap_or_default());
            self.take_aside(id, &mut hold, &Draw { time: used.time, subject, unit, feature, price }, amount);
        }
        used.parts = std::mem::take(&mut self.parts);
        self.wallet.usages.insert(key, used);
        if is_final {
            self.free(id, &hold);
        } else {
            hold.asides.retain(|it| it.amount > 0);
            self.wallet.holds.insert(id.to_owned(), hold);
        }
        outcome
    }

    fn take_aside(&mut self, id: &str, hold: &mut Hold, draw: &Draw, mut owed: i128) {
        let mut places = hold.in_order();
        places.retain(|place| hold.asides[*place].unit == draw.unit);
        places.sort_by_key(|place| hold.asides[*place].feature != draw.feature);
        let account = format!("hold:{id}");
        for place in &places {
            let it = &hold.asides[*place];
            let Some(lot) = it.lot else { continue };
            let part = owed.min(it.amount);
            if part == 0 || !self.is_for(&self.wallet.lots[lot], &draw.feature, draw.subject.as_deref()) {
                continue;
            }
            hold.asides[*place].amount -= part;
            owed -= part;
            self.wallet.lots[lot].held -= part;
            self.wallet.lots[lot].consumed += part;
            let at = hold.at.max(self.wallet.lots[lot].start);
            let note = Note { effective_at: at, ..draw.note("held_usage") };
            self.book(note, &draw.unit, Some(lot), (&account, "usage"), part);
            self.paid(draw, Payer::Lot(lot), part);
            self.parts.last_mut().unwrap().effective_at = at;
        }
        let mut over = owed;
        for place in places {
            let it = hold.asides[place].clone();
            let part = over.min(it.amount);
            if it.lot.is_none() && part > 0 {
                hold.asides[place].amount -= part;
                over -= part;
                self.free_overdraft(id, hold.at, &it, part);
            }
        }
        self.burn(draw, owed);
    }
}

/// A usage in plain amounts.
fn plain(time: i64, subject: Option<String>) -> Used {
    Used {
        time,
        subject,
        event: Json::Null,
        price: Some(String::new()),
        counts: Vec::new(),
        parts: Vec::new(),
        taken_back: BTreeMap::new(),
        cancelled: false,
    }
}
