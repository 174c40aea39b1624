//! What must hold of any bytes: nothing panics, and what is accepted keeps its promises.

use std::collections::BTreeMap;

use ingest::{Events, Stamp};
use ledger::{
    Accepted, Catalogue, Changes, Document, Event, Hash16, Instant, Known, Memory, Offset, Outcome, Past,
    Record, Wallet,
};

/// 2026-02-01, when whatever is stamped here is recorded.
const NOW: Instant = Instant(1_769_904_000_000_000_000);
const DAY: i64 = 86_400_000_000_000;
/// How far from [`NOW`] a record that is folded may be recorded: an hourly grant makes a lot for each hour between two records.
const SPAN: i64 = 60 * DAY;

/// What every history here begins with.
const CATALOGUE: [(&str, &str, &str); 4] = [
    ("unit", "credits", "{}"),
    ("rate_card", "gold", "{}"),
    (
        "price",
        "any",
        r#"{"match":{"type":{"any":true}},"charges":[{"unit":"credits","quantity":{"field":"n","default":"1"},"amount":"1"}]}"#,
    ),
    (
        "price",
        "tiers",
        r#"{"match":{"type":{"exact":"tiered"}},"charges":[{"unit":"credits","quantity":{"field":"n"},"tiers":{"mode":"graduated","period":"month","steps":[{"up_to":"10","amount":"1"},{"amount":"0.5"}]}}]}"#,
    ),
];

/// Lines of records, each decoded, identified, and folded into wallets that are new.
pub fn envelope(bytes: &[u8]) {
    let mut log = Log::new();
    for line in bytes.split(|byte| *byte == b'\n').take(64) {
        log.fold(line);
    }
}

/// CloudEvents: what is taken in is a record that decodes, whose identity stands fast, and that folds.
pub fn cloudevent(bytes: &[u8]) {
    for backfill in [false, true] {
        let stamp = Stamp { now: NOW, by: "key:fuzz", backfill };
        let Ok(stamped) = ingest::usage(bytes, &stamp) else { continue };
        let record = ledger::decode(&stamped.bytes).expect("what is taken in decodes");
        let identity = record.identify(&mut Vec::new()).expect("and has an identity");
        assert_eq!(record.wallet(), &*stamped.wallet);
        assert_eq!(identity.key, ledger::key(&stamped.wallet, &stamped.source, &stamped.id));
        assert!(matches!(record.event, Event::Usage(_)), "it is usage");
        let again = ingest::usage(bytes, &stamp).expect("it was taken in before");
        assert_eq!(again.bytes, stamped.bytes, "the same event is the same record");
        Log::new().fold(&stamped.bytes);
    }
    for found in Events::new(bytes).take(1_000) {
        let found = found.expect("bytes in memory can be read");
        if let Ok(event) = &found.event {
            let _ = ingest::usage(event, &Stamp { now: NOW, by: "key:fuzz", backfill: false });
        }
    }
    requested(bytes);
}

/// The same bytes as a request's body and as a header's value: the events in it may be refused, but each is told.
fn requested(bytes: &[u8]) {
    let structured = ("content-type", b"application/cloudevents+json".as_slice());
    for headers in [&[structured][..], &[("ce-id", bytes), ("ce-source", b"s")], &[]] {
        let Ok(events) = ingest::http_events(headers, bytes) else { continue };
        for event in events.iter().take(1_000) {
            let _ = ingest::usage(event, &Stamp { now: NOW, by: "key:fuzz", backfill: false });
        }
    }
}

/// A catalogue document: its kind and name on the first line, its body below.
pub fn catalogue(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let Some((head, body)) = text.split_once('\n') else { return };
    let (kind, name) = head.split_once(' ').unwrap_or((head, "default"));
    let Ok(document) = Document::read(kind, body) else { return };
    let is_sound = document.check(name).is_ok();
    let written = serde_json::to_string(&document).expect("a document is JSON");
    assert_eq!(Document::read(kind, &written).expect("it reads what it wrote"), document);

    let mut log = Log::new();
    let stamp = Stamp { now: NOW, by: "operator", backfill: false };
    let current = log.catalogue.current(kind, name).map(|current| current.id.clone());
    let Ok(published) = ingest::published(kind, name, body, current.as_deref(), &stamp) else { return };
    let outcome = log.fold(&published.bytes);
    assert!(is_sound || !matches!(outcome, Some(Outcome::Applied(_))), "what is unsound is not published");
    let stored = log.catalogue.write();
    let again = Catalogue::read(&stored).expect("a catalogue reads what it wrote");
    assert_eq!(again.write(), stored);
    for (id, kind, data) in [
        ("1", "image", r#"{"n":3,"model":"a"}"#),
        ("2", "tiered", r#"{"n":"12.5","input_tokens":1e3}"#),
        ("3", "llm.completion", r#"{"model":"small","input_tokens":374,"output_tokens":44}"#),
    ] {
        let event = format!(
            r#"{{"specversion":"1.0","id":"{id}","source":"s","type":"{kind}","wallet":"w","data":{data}}}"#
        );
        log.fold(&ingest::usage(event.as_bytes(), &stamp).expect("the event is right").bytes);
    }
}

/// A partition in memory.
struct Log {
    catalogue: Catalogue,
    wallets: BTreeMap<String, (Wallet, Memory)>,
    ids: BTreeMap<Hash16, Known>,
    next: u64,
}

impl Log {
    fn new() -> Self {
        let mut catalogue = Catalogue::default();
        for (kind, name, body) in CATALOGUE {
            let (id, recorded_at) = (format!("{kind}:{name}"), Instant(NOW.0 - SPAN));
            let (kind, name, body) = (kind.to_owned(), name.to_owned(), body.to_owned());
            let document = Accepted { kind, name, id, recorded_at, body };
            catalogue.publish(document, None).expect("the catalogue is right");
        }
        Self { catalogue, wallets: BTreeMap::new(), ids: BTreeMap::new(), next: 0 }
    }

    /// Folds a record, if it is one, and once more: that changes nothing.
    fn fold(&mut self, bytes: &[u8]) -> Option<Outcome> {
        let record = ledger::decode(bytes).ok()?;
        let identity = record.identify(&mut Vec::new()).ok()?;
        let again = ledger::decode(bytes).expect("it was decoded before").identify(&mut vec![0; 64]);
        assert_eq!(again.expect("it was identified before"), identity, "an identity is of the bytes alone");
        if (record.envelope.recorded_at.0 - NOW.0).abs() > SPAN {
            return None;
        }
        let first = self.apply(&record, &identity);
        let before = self.wallets.get(record.wallet()).map(|(wallet, _)| wallet.write());
        let second = self.apply(&record, &identity);
        match &first {
            // One that says something else than the first to bear its id goes on to do so.
            Some(Outcome::Conflict(_)) => {
                assert!(matches!(second, Some(Outcome::Conflict(_) | Outcome::Duplicate(_))), "{second:?}");
            }
            Some(
                Outcome::Applied(_)
                | Outcome::Duplicate(_)
                | Outcome::Rejected(_)
                | Outcome::Approved(_)
                | Outcome::Declined(_),
            ) => {
                assert!(matches!(second, Some(Outcome::Duplicate(_))), "{second:?} instead of a duplicate");
            }
            None => assert_eq!(second, None),
        }
        assert_eq!(
            self.wallets.get(record.wallet()).map(|(wallet, _)| wallet.write()),
            before,
            "it counts once"
        );
        first
    }

    fn apply(&mut self, record: &Record<'_>, identity: &ledger::Identity) -> Option<Outcome> {
        let offset = Offset(self.next);
        self.next += 1;
        let names: Vec<_> =
            identity.names.iter().filter_map(|(key, _)| Some((*key, *self.ids.get(key)?))).collect();
        let mut past =
            Past { identity: self.ids.get(&identity.key).copied(), names: names.clone(), told: Vec::new() };
        let outcome = match &record.event {
            Event::Genesis(_) => None,
            Event::CataloguePublished(published) => {
                Some(ledger::publish(&mut self.catalogue, &past, record, published, identity))
            }
            _ => {
                let (wallet, memory) = self.wallets.entry(record.wallet().to_owned()).or_default();
                memory.tell(&self.catalogue, wallet, record, &mut past);
                let mut changes = Changes::default();
                let outcome = ledger::apply(&self.catalogue, wallet, &past, record, identity, &mut changes);
                memory.note(offset, (record, identity), wallet, outcome.as_ref(), &changes);
                lawful(wallet, &changes);
                outcome
            }
        };
        if let Some(outcome) = &outcome {
            self.ids.entry(identity.key).or_insert(Known { offset, content: identity.content });
            for (key, content) in identity.first_of(Some(outcome), &names) {
                self.ids.entry(key).or_insert(Known { offset, content });
            }
        }
        outcome
    }
}

/// Every credit is somewhere, and the wallet is what its document says.
fn lawful(wallet: &Wallet, changes: &Changes) {
    for lot in wallet.lots().iter().chain(&changes.left) {
        assert!(lot.is_lawful(), "the law of {lot:?} does not hold");
    }
    let document = wallet.write();
    assert_eq!(Wallet::read(&document).expect("a wallet reads what it wrote").write(), document);
}
