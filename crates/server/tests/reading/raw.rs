//! Raw records, as whoever appends writes them, in a log of their own; and the wallet that the core alone makes of them.

use std::collections::BTreeMap;

use ledger::{Catalogue, Changes, Event, Instant, Known, Memory, Offset, Outcome, Past, Wallet};
use serde_json::{Value, json};

use crate::drawdown::Drawdown;
use crate::world::ok;

/// A log of one partition: what stands in it, record by record.
#[derive(Clone, Default)]
pub(crate) struct Raw(pub(crate) Vec<Value>);

impl Raw {
    /// A log with a catalogue: credits, `chat` at 1 credit a token, `image` at 20 credits.
    pub(crate) fn new() -> Self {
        let mut raw = Self::default();
        let genesis = json!({"log": "0123456789abcdef0123456789abcdef", "partitions": 1, "partitioner": "sha256-8-mod", "fold": 2});
        raw.add("genesis", "genesis", None, "2025-12-01T00:00:00Z", &genesis);
        raw.publish("unit", "credits", &json!({}));
        let chat = json!({"match": {"type": {"exact": "chat"}}, "charges": [
            {"name": "tokens", "unit": "credits", "quantity": {"field": "tokens"}, "amount": "1"}]});
        raw.publish("price", "chat", &chat);
        let image =
            json!({"match": {"type": {"exact": "image"}}, "charges": [{"unit": "credits", "amount": "20"}]});
        raw.publish("price", "image", &image);
        raw
    }

    pub(crate) fn publish(&mut self, kind: &str, name: &str, body: &Value) {
        let data = json!({"kind": kind, "name": name, "body": body});
        self.add("catalogue.published", &format!("{kind}-{name}"), None, "2025-12-01T00:00:00Z", &data);
    }

    /// A record; its reason is "because" wherever one is wanted.
    pub(crate) fn add(
        &mut self,
        kind: &str,
        id: &str,
        wallet: Option<&str>,
        recorded_at: &str,
        data: &Value,
    ) {
        let mut record = json!({"v": 2, "id": id, "source": "app", "type": kind, "recorded_at": recorded_at, "by": "operator", "data": data});
        if let Some(wallet) = wallet {
            record["wallet"] = wallet.into();
        }
        if ["grant.voided", "usage.reversed", "usage.rerated", "wallet.reset"].contains(&kind) {
            record["reason"] = "because".into();
        }
        self.0.push(record);
    }

    pub(crate) fn grant(&mut self, at: &str, terms: &Value) {
        let id = format!("grant-{}", terms["grant_id"].as_str().unwrap());
        self.add("grant.issued", &id, Some("w"), at, terms);
    }

    /// Usage of `at`, which was recorded at `recorded_at`.
    pub(crate) fn usage(&mut self, id: &str, kind: &str, at: &str, recorded_at: &str, data: &Value) {
        self.add("usage", id, Some("w"), recorded_at, &json!({"type": kind, "data": data}));
        let record = self.0.last_mut().unwrap();
        record["time"] = at.into();
        record["subject"] = "ann".into();
    }

    /// Chat of so many tokens, reported at once.
    pub(crate) fn chat(&mut self, id: &str, at: &str, tokens: u64) {
        self.usage(id, "chat", at, at, &json!({"tokens": tokens}));
    }

    /// A correction of a usage.
    pub(crate) fn correct(&mut self, kind: &str, id: &str, at: &str, usage: &str, mut data: Value) {
        data["usage"] = json!({"source": "app", "id": usage});
        self.add(kind, id, Some("w"), at, &data);
    }

    /// The log in a directory, folded.
    pub(crate) fn fold(&self) -> Drawdown {
        let line = |(offset, record): (usize, &Value)| {
            format!("{}\n", json!({"partition": 0, "offset": offset, "record": record.to_string()}))
        };
        let lines: String = self.0.iter().enumerate().map(line).collect();
        let drawdown = Drawdown::new();
        drawdown.import(lines);
        ok(drawdown.run(&["project"]));
        drawdown
    }
}

/// What the core makes of the records by itself, without a projector.
pub(crate) struct Core {
    pub(crate) catalogue: Catalogue,
    pub(crate) wallet: Wallet,
    pub(crate) outcome: Option<Outcome>,
    memory: Memory,
    known: BTreeMap<[u8; 16], Known>,
    next: u64,
}

impl Core {
    pub(crate) fn new() -> Self {
        let (catalogue, wallet, memory) = (Catalogue::default(), Wallet::new(), Memory::default());
        Self { catalogue, wallet, outcome: None, memory, known: BTreeMap::new(), next: 0 }
    }

    pub(crate) fn take(&mut self, record: &Value) {
        let bytes = record.to_string();
        let record = ledger::decode(bytes.as_bytes()).unwrap();
        let identity = record.identify(&mut Vec::new()).unwrap();
        let offset = Offset(self.next);
        self.next += 1;
        let mut past = Past { identity: self.known.get(&identity.key).copied(), ..Past::default() };
        if let Event::Genesis(genesis) = &record.event {
            self.catalogue.begin(genesis.fold);
        } else if let Event::CataloguePublished(published) = &record.event {
            let outcome = ledger::publish(&mut self.catalogue, &past, &record, published, &identity);
            assert_eq!(outcome, Outcome::Applied(None), "{bytes}");
        } else {
            self.memory.tell(&self.catalogue, &self.wallet, &record, &mut past);
            let (mut changes, wallet) = (Changes::default(), &mut self.wallet);
            self.outcome = ledger::apply(&self.catalogue, wallet, &past, &record, &identity, &mut changes);
            self.memory.note(offset, (&record, &identity), wallet, self.outcome.as_ref(), &changes);
        }
        self.known.entry(identity.key).or_insert(Known { offset, content: identity.content });
    }

    /// The wallet at a moment: balance and overage, and what remains in each open lot.
    pub(crate) fn at(&self, moment: Instant) -> Value {
        let (wallet, _) = ledger::advanced(&self.catalogue, &self.wallet, moment);
        let overage: ledger::Amount = wallet.overage().iter().map(|o| o.amount).sum();
        let open = wallet.lots().iter().filter(|l| l.is_open(wallet.clock) && !l.remaining.is_zero());
        let lots: BTreeMap<String, String> =
            open.map(|l| (l.id.to_string(), l.remaining.to_string())).collect();
        json!({"balance": wallet.available("credits", wallet.clock).to_string(), "overage": overage.to_string(), "lots": lots})
    }
}
