//! The records of holds: requests with their answers, settlements, voids.

use std::collections::BTreeMap;

use super::Envelope;
use super::holds::{Actual, Aside, Beyond, Hold, HoldPolicy};
use super::identity::Identities;
use super::step::{Note, Step};
use super::text::{Json, SECOND, Span, amount, instant, show_amount, show_instant};
use super::wallet::Wallet;

/// What a settlement says under the id of its usage.
pub(crate) const SETTLED: &str = "settled";
/// Most open holds of a wallet.
const MOST: usize = 1000;

impl Wallet {
    /// The outcome of a record that was there before, by its own id or another one that it says.
    pub(crate) fn seen(&mut self, offset: u64, envelope: &Envelope) -> Option<String> {
        let first = self.identities.first(&envelope.source, &envelope.id).cloned();
        match envelope.kind.as_str() {
            "hold.settled" => self.settled_before(offset, envelope),
            "usage" if first.as_ref().is_some_and(|(_, said)| said == SETTLED) => {
                first.map(|(offset, _)| format!("duplicate {offset}"))
            }
            "hold.requested" => {
                let seen = self.identities.seen(offset, envelope);
                seen.or_else(|| match self.hold_ids.get(&envelope.id)? {
                    (first, Some(said)) if *said == Identities::content(envelope) => {
                        Some(format!("duplicate {first}"))
                    }
                    (first, Some(_)) => Some(format!("conflict {first}")),
                    (_, None) => None,
                })
            }
            _ => self.identities.seen(offset, envelope),
        }
    }

    fn settled_before(&mut self, offset: u64, envelope: &Envelope) -> Option<String> {
        let (source, id) = usage_of(envelope);
        let first = self.identities.first(&source, &id).cloned();
        if (&source, &id) == (&envelope.source, &envelope.id) {
            self.identities.means(&source, &id, offset, SETTLED);
        } else if let Some(seen) = self.identities.seen(offset, envelope) {
            return Some(seen);
        }
        let (first, _) = first?;
        let hold = envelope.data.text("hold").expect("a settlement names a hold");
        let is_request = id == hold && self.holds.get(hold).is_some_and(|hold| hold.source == source);
        Some(format!("{} {first}", if is_request { "conflict" } else { "duplicate" }))
    }
}

pub(crate) fn usage_of(envelope: &Envelope) -> (String, String) {
    let usage = envelope.data.get("usage").expect("a settlement names a usage");
    let text = |key: &str| usage.text(key).expect("a usage has a source and an id").to_owned();
    (text("source"), text("id"))
}

/// Unit, feature and amount.
pub(crate) type Line = (String, String, i128);

pub(crate) fn lines_of(amounts: &[Json]) -> Vec<Line> {
    let text = |line: &Json, key: &str| line.text(key).expect("a line has it").to_owned();
    amounts.iter().map(|it| (text(it, "unit"), text(it, "feature"), amount(&text(it, "amount")))).collect()
}

impl Step<'_> {
    /// Takes a `hold.requested`.
    pub(crate) fn hold_requested(&mut self, envelope: &Envelope) -> String {
        let measure = Actual::of(envelope.data.get("estimate").expect("a request says how much"));
        let wrong = self.what_is_wrong(measure);
        if !wrong.is_empty() {
            return format!("rejected {}", wrong.join("|"));
        }
        let data = &envelope.data;
        let ttl = data.text("ttl").map_or(900 * SECOND, |text| Span::parse(text).rough());
        let policy = self.hold_policy();
        let latest = envelope.recorded_at + policy.max_life;
        let clock = self.wallet.clock;
        let hold = Hold {
            source: envelope.source.clone(),
            at: clock,
            ends: (envelope.recorded_at + ttl).min(latest),
            latest,
            subject: envelope.subject.clone(),
            price: None,
            asides: Vec::new(),
        };
        let known = self.wallet.hold_ids.contains_key(&envelope.id);
        let late =
            data.text("valid_until").is_some_and(|until| instant(until) <= clock) || hold.ends <= clock;
        let mut no: Vec<String> = self.never();
        no.extend(known.then(|| "voided".to_owned()));
        no.extend(late.then(|| "too_late".to_owned()));
        no.extend((self.wallet.holds.len() >= MOST).then(|| "too_many_holds".to_owned()));
        let content = Identities::content(envelope);
        self.wallet.hold_ids.entry(envelope.id.clone()).or_insert((self.offset, Some(content)));
        self.decide(&envelope.id, hold, Some(measure), no, &policy)
    }

    /// Takes a `hold.extended`.
    pub(crate) fn hold_extended(&mut self, envelope: &Envelope) -> String {
        let data = &envelope.data;
        let more = data.get("more").map(Actual::of);
        let wrong = more.map(|more| self.what_is_wrong(more)).unwrap_or_default();
        if !wrong.is_empty() {
            return format!("rejected {}", wrong.join("|"));
        }
        if more.is_none() && data.get("ttl").is_none() {
            return "rejected nothing_asked".to_owned();
        }
        let id = data.text("hold").expect("an extension names a hold");
        let Some(mut hold) = self.wallet.holds.get(id).cloned() else {
            return "declined not_open".to_owned();
        };
        if let Some(ttl) = data.text("ttl") {
            let wanted = envelope.recorded_at + Span::parse(ttl).rough();
            hold.ends = wanted.max(hold.ends).min(hold.latest);
        }
        let policy = self.hold_policy();
        self.decide(id, hold, more, self.never(), &policy)
    }

    fn never(&self) -> Vec<String> {
        let reasons = [(self.wallet.only_asked, "unknown_wallet"), (self.wallet.suspended, "suspended")];
        reasons.iter().filter(|(holds, _)| *holds).map(|(_, reason)| (*reason).to_owned()).collect()
    }

    fn what_is_wrong(&self, measure: Actual<'_>) -> Vec<&'static str> {
        let Actual::Amounts(amounts) = measure else { return Vec::new() };
        let lines = lines_of(amounts);
        let checks = [
            (lines.is_empty(), "no_amounts"),
            (lines.iter().any(|line| line.2 == 0), "amount_zero"),
            (lines.iter().any(|line| !self.catalogue.has_unit(&line.0)), "unknown_unit"),
        ];
        checks.iter().filter(|(holds, _)| *holds).map(|(_, reason)| *reason).collect()
    }

    /// Sets more aside for a hold, or declines with every reason that there is.
    fn decide(
        &mut self,
        id: &str,
        mut hold: Hold,
        asked: Option<Actual<'_>>,
        mut no: Vec<String>,
        policy: &HoldPolicy,
    ) -> String {
        let (lines, price) = match asked {
            None => (Vec::new(), None),
            Some(Actual::Amounts(amounts)) => (lines_of(amounts), None),
            Some(Actual::Event(event)) => match self.price_of_hold(event, &hold) {
                Ok(priced) => (priced.charges, Some(priced.price)),
                Err(why) => {
                    no.push(format!("unpriced:{why}"));
                    return format!("declined {}", no.join("|"));
                }
            },
        };
        if hold.price.is_none() && hold.asides.is_empty() && !self.wallet.holds.contains_key(id) {
            hold.price.clone_from(&price);
        }
        let before = self.wallet.clone();
        let large = too_large(&hold, &lines, policy);
        let mut beyond: BTreeMap<String, i128> = BTreeMap::new();
        for (unit, feature, amount) in lines {
            let rest = self.put_aside(id, &mut hold, (&unit, &feature, amount), price.as_deref());
            *beyond.entry(unit).or_default() += rest;
        }
        beyond.retain(|_, amount| *amount > 0);
        let lacking = self.lacking(&beyond, policy);
        if !large.is_empty() {
            no.push(format!("too_large {}", shown(&large)));
        }
        if !lacking.is_empty() {
            no.push(format!("insufficient {}", shown(&lacking)));
        }
        if !no.is_empty() {
            *self.wallet = before;
            return format!("declined {}", no.join("|"));
        }
        let warns = matches!(policy.beyond, Beyond::Anything) && !beyond.is_empty();
        let until = show_instant(hold.ends);
        self.wallet.holds.insert(id.to_owned(), hold);
        format!("approved until {until}{}", if warns { " beyond lots" } else { "" })
    }

    /// Takes from the lots that could pay now; answers what none covers, which is set aside against the overdraft.
    fn put_aside(
        &mut self,
        id: &str,
        hold: &mut Hold,
        (unit, feature, amount): (&str, &str, i128),
        price: Option<&str>,
    ) -> i128 {
        let clock = self.wallet.clock;
        let pays = |place: &usize| {
            let lot = &self.wallet.lots[*place];
            let right = self.unit_of(*place) == unit && self.is_for(lot, feature, hold.subject.as_deref());
            right && lot.is_open(clock) && lot.remaining > 0
        };
        let lots = self.burning((0..self.wallet.lots.len()).filter(pays).collect());
        let mut owed = amount;
        let aside = |lot, amount| Aside { unit: unit.to_owned(), feature: feature.to_owned(), lot, amount };
        let note = |kind, effective_at| Note { kind, effective_at, feature: Some(feature), price };
        let account = format!("hold:{id}");
        for lot in lots {
            let part = owed.min(self.wallet.lots[lot].remaining);
            if part > 0 {
                self.touch(lot);
                self.wallet.lots[lot].remaining -= part;
                self.wallet.lots[lot].held += part;
                let at = hold.at.max(self.wallet.lots[lot].start);
                let from = self.account(lot);
                self.book(note("hold", at), unit, Some(lot), (&from, &account), part);
                match hold
                    .asides
                    .iter_mut()
                    .find(|it| (&*it.unit, &*it.feature, it.lot) == (unit, feature, Some(lot)))
                {
                    Some(it) => it.amount += part,
                    None => hold.asides.push(aside(Some(lot), part)),
                }
                owed -= part;
            }
        }
        if owed > 0 {
            self.book(note("hold_overdraft", hold.at), unit, None, ("overdraft", &account), owed);
            match hold.asides.iter_mut().find(|it| (&*it.unit, &*it.feature, it.lot) == (unit, feature, None))
            {
                Some(it) => it.amount += owed,
                None => hold.asides.push(aside(None, owed)),
            }
        }
        owed
    }

    fn lacking(&self, beyond: &BTreeMap<String, i128>, policy: &HoldPolicy) -> BTreeMap<String, i128> {
        let lacks = |(unit, amount): (&String, &i128)| {
            let lack = match &policy.beyond {
                Beyond::Nothing => *amount,
                Beyond::Anything => 0,
                Beyond::UpTo(bounds) => {
                    let owed = self.wallet.overage.iter().filter(|((_, _, of), _)| of == unit);
                    let owed: i128 = owed.map(|(_, bucket)| bucket.open).sum();
                    let all = owed + self.overdraft_held(unit) + amount;
                    bounds.get(unit).map_or(0, |bound| (all - bound).clamp(0, *amount))
                }
            };
            (lack > 0).then(|| (unit.clone(), lack))
        };
        beyond.iter().filter_map(lacks).collect()
    }

    /// Takes a `hold.voided`.
    pub(crate) fn hold_voided(&mut self, envelope: &Envelope) -> String {
        let id = envelope.data.text("hold").expect("a void names a hold").to_owned();
        if let Some(hold) = self.wallet.holds.remove(&id) {
            self.free(&id, &hold);
            return "applied".to_owned();
        }
        if self.wallet.hold_ids.contains_key(&id) {
            return "rejected not_open".to_owned();
        }
        self.wallet.hold_ids.insert(id, (self.offset, None));
        "applied".to_owned()
    }
}

fn too_large(hold: &Hold, lines: &[Line], policy: &HoldPolicy) -> BTreeMap<String, i128> {
    let has = |unit: &str| hold.asides.iter().filter(|it| it.unit == unit).map(|it| it.amount).sum::<i128>();
    let mut over = BTreeMap::new();
    for (unit, bound) in &policy.largest {
        let asked: i128 = lines.iter().filter(|line| line.0 == *unit).map(|line| line.2).sum();
        let all = has(unit) + asked;
        if lines.iter().any(|line| line.0 == *unit) && all > *bound {
            over.insert(unit.clone(), all - bound);
        }
    }
    over
}

fn shown(amounts: &BTreeMap<String, i128>) -> String {
    let parts = amounts.iter().map(|(unit, amount)| format!(r#""{unit}":"{}""#, show_amount(*amount)));
    format!("{{{}}}", parts.collect::<Vec<_>>().join(","))
}
