//! The corrections of a history: aimed at usages that were booked, each kind of them.

use serde_json::{Map, Value, json};

use super::Teller;
use crate::oracle::lot::Lot;
use crate::oracle::overage::Settlement;
use crate::oracle::records::Record;
use crate::oracle::text::{DAY, show_amount, show_instant};
use crate::oracle::used::{Part, Payer, Used};
use crate::oracle::wallet::Wallet;

/// What makes a usage worth correcting: each is as likely as the others to be looked for.
type Trait = fn(&Wallet, &Used) -> bool;

const TRAITS: [Trait; 13] = [
    |_, _| true,
    |_, used| used.cancelled,
    |_, used| used.price.is_none(),
    |_, used| !used.taken_back.is_empty(),
    |_, used| used.parts.iter().any(|part| used.time < part.booked_at),
    |wallet, used| owed(wallet, used, |how| matches!(how, Settlement::RepaidBy(_))),
    |wallet, used| owed(wallet, used, |how| how == Settlement::Billed),
    |wallet, used| owed(wallet, used, |how| how == Settlement::Forgiven),
    |wallet, used| paid(wallet, used, |lot| wallet.lots[lot].void_at.is_some()),
    |wallet, used| paid(wallet, used, |lot| wallet.lots[lot].ended),
    |wallet, used| paid(wallet, used, |lot| wallet.lots[lot].rolled_over > 0),
    |wallet, used| paid(wallet, used, |lot| wallet.lots[lot].room.is_some()),
    |wallet, used| {
        let carried_lately = |lot: &&Lot| lot.rolled_over > 0 && lot.within_lateness(wallet.clock);
        wallet.lots.iter().filter(carried_lately).any(|lot| lot.holds(used.time))
    },
];

fn paid(_: &Wallet, used: &Used, wanted: impl Fn(usize) -> bool) -> bool {
    used.parts.iter().any(|part| matches!(part.payer, Payer::Lot(lot) if part.amount > 0 && wanted(lot)))
}

fn owed(wallet: &Wallet, used: &Used, wanted: impl Fn(Settlement) -> bool) -> bool {
    used.parts.iter().any(|part| {
        let Payer::Overage(month) = &part.payer else { return false };
        let settled = wallet.settled.get(&(month.clone(), part.feature.clone(), part.unit.clone()));
        part.amount > 0 && settled.into_iter().flatten().any(|it| it.left > 0 && wanted(it.how))
    })
}

impl Teller {
    /// Reverses a usage, in parts or whole; some name none, or ask for too much.
    pub(super) fn reverse(&mut self) {
        if self.has_nothing_to_correct() {
            return self.usage();
        }
        let (wallet, key, used) = self.corrected();
        self.trouble(&wallet, used.as_ref());
        let mut data = json!({"usage": {"source": key.0, "id": key.1}});
        if self.random.chance(45) {
            let parts = used.map(|used| used.parts).unwrap_or_default();
            let lines = if self.random.chance(3) { 0 } else { 1 + self.random.below(3) };
            let lines: Vec<Value> = (0..lines).map(|_| self.line(&parts)).collect();
            data["amounts"] = Value::Array(lines);
        }
        self.correct("usage.reversed", &wallet, &data);
    }

    fn line(&mut self, parts: &[Part]) -> Value {
        let left: Vec<_> = parts.iter().filter(|part| part.amount > 0).collect();
        let mut line = Map::new();
        let (unit, feature, there) = if left.is_empty() || self.random.chance(3) {
            (self.random.pick(&["credits", "usd"]).to_owned(), "chat".to_owned(), 1_000_000_000)
        } else {
            let part = left[self.random.below(left.len())];
            (part.unit.clone(), part.feature.clone(), part.amount)
        };
        line.insert("unit".to_owned(), json!(unit));
        if self.random.chance(60) {
            line.insert("feature".to_owned(), json!(feature));
        }
        let amount = match self.random.below(20) {
            0..6 => there,
            6..11 => there / 2 + 1,
            11..18 => there / 3 + 1,
            18 => there * 2,
            _ => [0, 1, 1_000_000_000_000][self.random.below(3)],
        };
        line.insert("amount".to_owned(), json!(show_amount(amount)));
        Value::Object(line)
    }

    /// Charges a usage anew: by other data, by a price or with a grant that came too late for it.
    pub(super) fn rerate(&mut self) {
        if self.has_nothing_to_correct() {
            return self.usage();
        }
        let (wallet, key, used) = self.corrected();
        self.trouble(&wallet, used.as_ref());
        let time = used.map_or(self.now, |used| used.time);
        match self.random.below(10) {
            0..2 => {
                let from = time - self.random.between(0, DAY);
                self.publish_price_from(Some(from));
            }
            2..4 => {
                let mut body = self.promise();
                let effective_at = time - self.random.between(0, self.scale.gap / 4);
                body.insert("effective_at".to_owned(), json!(show_instant(effective_at)));
                self.issue(&wallet, body);
            }
            _ => {}
        }
        let mut data = json!({"usage": {"source": key.0, "id": key.1}});
        match self.random.below(20) {
            0..8 => data["data"] = serde_json::from_str(&self.event_data()).expect("it is JSON"),
            8 => data["data"] = json!("five"),
            _ => {}
        }
        self.correct("usage.rerated", &wallet, &data);
        if self.random.chance(20) {
            self.correct("usage.rerated", &wallet, &data);
        }
    }

    /// Before a usage is corrected, something happens to what paid for it, at times.
    fn trouble(&mut self, wallet: &str, used: Option<&Used>) {
        let paid = |part: &Part| if let Payer::Lot(lot) = part.payer { Some(lot) } else { None };
        let lots: Vec<usize> = used.iter().flat_map(|used| used.parts.iter().filter_map(paid)).collect();
        let Some(known) = self.oracle.wallet(wallet) else { return };
        let Some(lot) = lots.last().and_then(|lot| known.lots.get(*lot)) else { return };
        let grant = &known.grants[lot.grant];
        let bounded = lot.end.is_none_or(|end| end > self.now)
            && grant.reset.as_ref().is_some_and(|it| it.max.is_some());
        let grant = grant.id.clone();
        let (kind, data) = match self.random.below(10) {
            0 => {
                let what = self.random.pick(&["all", "open", "carried"]);
                ("grant.voided", json!({"grant_id": grant, "what": what}))
            }
            1..7 if bounded => ("wallet.reset", json!({"preserve_overage": true})),
            _ => return,
        };
        self.correct(kind, wallet, &data);
        self.pass_time();
    }

    fn correct(&mut self, kind: &str, wallet: &str, data: &Value) {
        let id = self.id();
        let record = Record::new(kind, wallet, &id, self.now, data.to_string());
        self.send_with_reason(record);
    }

    fn has_nothing_to_correct(&mut self) -> bool {
        let mut known = self.wallets.iter().filter_map(|wallet| self.oracle.wallet(wallet));
        known.all(|wallet| wallet.usages.is_empty()) && self.random.chance(95)
    }

    /// A usage that was booked in a wallet, with what is in effect of it; sometimes one that was not.
    fn corrected(&mut self) -> (String, (String, String), Option<Used>) {
        let mut wallet = self.wallet();
        let has_some = |wallet: &String| self.oracle.wallet(wallet).is_some_and(|it| !it.usages.is_empty());
        if !has_some(&wallet) {
            wallet = self.wallets.iter().find(|it| has_some(it)).cloned().unwrap_or(wallet);
        }
        let known = self.oracle.wallet(&wallet);
        let wanted = TRAITS[self.random.below(TRAITS.len())];
        let all: Vec<_> = known.iter().flat_map(|known| known.usages.iter().map(|it| (*known, it))).collect();
        let mut found: Vec<_> = all.iter().filter(|(known, (_, used))| wanted(known, used)).collect();
        if found.is_empty() {
            found = all.iter().collect();
        }
        if found.is_empty() || self.random.chance(3) {
            let id = format!("e{}", self.random.below(self.records.len()));
            return (wallet, ("tests".to_owned(), id), None);
        }
        let (_, (key, used)) = found[self.random.below(found.len())];
        let (key, used) = ((*key).clone(), (*used).clone());
        if self.random.chance(3) {
            wallet = self.wallet();
        }
        (wallet, key, Some(used))
    }
}
