//! A whole partition in memory: the fold with its past, and every row that it would have written.
#![allow(dead_code, unreachable_pub)]

use std::collections::BTreeMap;

use ledger::{
    Catalogue, Changes, Entry, Event, Hash16, Instant, Known, Lot, Name, Offset, Outcome, Past, Quantity,
    Undecodable, Wallet,
};

/// A tier counter's key: wallet, price, charge, start of the period.
type CounterKey = (String, Name, Name, Instant);

/// One partition's wallets, and the rows of its projections.
#[derive(Default)]
pub struct Book {
    pub catalogue: Catalogue,
    pub wallets: BTreeMap<String, Wallet>,
    pub lots: BTreeMap<(String, String), Lot>,
    pub entries: Vec<(u64, String, Entry)>,
    pub outcomes: Vec<(u64, String, Outcome)>,
    pub quarantined: Vec<(u64, String)>,
    ids: BTreeMap<Hash16, Known>,
    counters: BTreeMap<CounterKey, Quantity>,
    scratch: Vec<u8>,
}

/// What a store holds that changes in place, as it was at some offset.
pub struct Documents {
    catalogue: String,
    wallets: BTreeMap<String, String>,
    counters: BTreeMap<CounterKey, Quantity>,
}

impl Book {
    /// Folds one record, as the projector would.
    pub fn fold(&mut self, offset: u64, bytes: &[u8]) -> Option<Outcome> {
        let record = match ledger::decode(bytes) {
            Ok(record) => record,
            Err(Undecodable::Quarantine(why)) => {
                self.quarantined.push((offset, why));
                return None;
            }
            Err(newer @ Undecodable::NewerBuild(_)) => panic!("{newer}"),
        };
        let identity = match record.identify(&mut self.scratch) {
            Ok(identity) => identity,
            Err(why) => {
                self.quarantined.push((offset, why.to_string()));
                return None;
            }
        };
        let known = |ids: &BTreeMap<Hash16, Known>, key: Hash16| {
            ids.get(&key).copied().filter(|k| k.offset.0 < offset)
        };
        let mut past = Past {
            identity: known(&self.ids, identity.key),
            grant: identity.grant.and_then(|(key, _)| known(&self.ids, key)),
            counters: Vec::new(),
        };
        let (outcome, id) = {
            let id = record.wallet().to_owned();
            match &record.event {
                Event::Genesis(_) => (None, id),
                Event::CataloguePublished(p) => {
                    (Some(ledger::publish(&mut self.catalogue, &past, &record, p, &identity)), id)
                }
                Event::WalletConfigured(_) | Event::GrantIssued(_) | Event::Usage(_) | Event::TimerDue(_) => {
                    let wallet = self.wallets.entry(id.clone()).or_default();
                    for key in ledger::needs(&self.catalogue, wallet, &record) {
                        let at = (id.clone(), key.price.clone(), key.charge.clone(), key.starts);
                        past.counters.extend(self.counters.get(&at).map(|v| (key, *v)));
                    }
                    let mut changes = Changes::default();
                    let outcome =
                        ledger::apply(&self.catalogue, wallet, &past, &record, &identity, &mut changes);
                    self.keep(offset, &id, changes);
                    (outcome, id)
                }
            }
        };
        if let Some(outcome) = &outcome {
            let first = Known { offset: Offset(offset), content: identity.content };
            self.ids.entry(identity.key).or_insert(first);
            if let (Some((key, content)), Outcome::Applied(_)) = (identity.grant, outcome) {
                self.ids.entry(key).or_insert(Known { offset: Offset(offset), content });
            }
            self.outcomes.push((offset, id, outcome.clone()));
        }
        outcome
    }

    fn keep(&mut self, offset: u64, id: &str, changes: Changes) {
        let wallet = self.wallets.get_mut(id).expect("it was just folded");
        let rows: Vec<Lot> = wallet.take_touched().cloned().chain(changes.left).collect();
        for lot in rows {
            assert!(lot.is_lawful(), "the law of lot {} does not hold after {offset}: {lot:?}", lot.id);
            self.lots.insert((id.to_owned(), lot.id.to_string()), lot);
        }
        for lot in wallet.lots() {
            assert!(lot.is_lawful(), "the law of lot {} does not hold after {offset}: {lot:?}", lot.id);
        }
        self.entries.extend(changes.entries.into_iter().map(|e| (offset, id.to_owned(), e)));
        for c in changes.counters {
            self.counters.insert((id.to_owned(), c.price, c.charge, c.starts), c.value);
        }
    }

    /// A wallet, if any record named it.
    pub fn wallet(&self, id: &str) -> Option<&Wallet> {
        self.wallets.get(id)
    }

    /// Digests of all wallets, by id: what must be equal whatever the way there.
    pub fn digests(&self) -> BTreeMap<String, [u8; 32]> {
        self.wallets.iter().map(|(id, w)| (id.clone(), Wallet::digest(&w.write()))).collect()
    }

    /// What a store holds that changes in place: the documents, and the counters that are committed with them.
    pub fn documents(&self) -> Documents {
        let wallets = self.wallets.iter().map(|(id, w)| (id.clone(), w.write())).collect();
        Documents { catalogue: self.catalogue.write(), wallets, counters: self.counters.clone() }
    }

    /// Goes back to older documents; the rows that are never changed stay as they are.
    pub fn go_back(&mut self, to: &Documents) {
        let read = |document: &String| Wallet::read(document).expect("a wallet reads what it wrote");
        self.wallets = to.wallets.iter().map(|(id, document)| (id.clone(), read(document))).collect();
        self.catalogue = Catalogue::read(&to.catalogue).expect("a catalogue reads what it wrote");
        self.counters = to.counters.clone();
    }

    /// Forgets all memory of wallets but their documents, as a restart does.
    pub fn restart(&mut self) {
        for wallet in self.wallets.values_mut() {
            *wallet = Wallet::read(&wallet.write()).expect("a wallet reads what it wrote");
        }
        self.catalogue = Catalogue::read(&self.catalogue.write()).expect("a catalogue reads what it wrote");
    }
}
