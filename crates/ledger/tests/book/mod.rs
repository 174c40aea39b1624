//! A whole partition in memory: the fold with its past, and every row that it would have written.
#![allow(dead_code, unreachable_pub)]

use std::collections::BTreeMap;

use ledger::{
    Amount, Catalogue, Changes, Considered, Entry, Event, Hash16, Identity, Known, Lot, Memory, Offset,
    Outcome, Past, Record, Undecodable, Wallet,
};

/// One partition's wallets, and the rows of its projections.
#[derive(Default)]
pub struct Book {
    pub catalogue: Catalogue,
    pub wallets: BTreeMap<String, Wallet>,
    pub lots: BTreeMap<(String, String), Lot>,
    pub entries: Vec<(u64, String, Entry)>,
    pub outcomes: Vec<(u64, String, Outcome)>,
    pub quarantined: Vec<(u64, String)>,
    /// The price of each record whose usage books nothing, by the record's offset.
    pub priced: Vec<(u64, String)>,
    /// The lots considered for each charge, by the record's offset; only if there is a list here.
    pub considered: Option<Vec<(u64, Considered)>>,
    ids: BTreeMap<Hash16, Known>,
    memories: BTreeMap<String, Memory>,
    /// The fold version that genesis names.
    began: Option<u32>,
    scratch: Vec<u8>,
}

/// What a store holds that changes in place, as it was at some offset.
pub struct Documents {
    catalogue: String,
    wallets: BTreeMap<String, String>,
    lots: BTreeMap<(String, String), Lot>,
    memories: BTreeMap<String, Memory>,
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
        let names = identity.names.iter().filter_map(|(key, _)| Some((*key, known(&self.ids, *key)?)));
        let names: Vec<_> = names.collect();
        let past = Past { identity: known(&self.ids, identity.key), names: names.clone(), told: Vec::new() };
        let id = record.wallet().to_owned();
        let outcome = if let Event::Genesis(genesis) = &record.event {
            self.catalogue.begin(genesis.fold);
            self.began = Some(genesis.fold);
            None
        } else if let Event::CataloguePublished(p) = &record.event {
            Some(ledger::publish(&mut self.catalogue, &past, &record, p, &identity))
        } else {
            self.apply(offset, &record, &identity, past)
        };
        if let Some(outcome) = &outcome {
            let first = Known { offset: Offset(offset), content: identity.content };
            self.ids.entry(identity.key).or_insert(first);
            for (key, content) in identity.first_of(Some(outcome), &names) {
                self.ids.entry(key).or_insert(Known { offset: Offset(offset), content });
            }
            self.outcomes.push((offset, id, outcome.clone()));
        }
        outcome
    }

    fn apply(
        &mut self,
        offset: u64,
        record: &Record<'_>,
        identity: &Identity,
        mut past: Past,
    ) -> Option<Outcome> {
        let id = record.wallet();
        let wallet = self.wallets.entry(id.to_owned()).or_default();
        let memory = self.memories.entry(id.to_owned()).or_default();
        memory.tell(&self.catalogue, wallet, record, &mut past);
        let considered = self.considered.as_ref().map(|_| Vec::new());
        let mut changes = Changes { considered, ..Changes::default() };
        let outcome = ledger::apply(&self.catalogue, wallet, &past, record, identity, &mut changes);
        memory.note(Offset(offset), (record, identity), wallet, outcome.as_ref(), &changes);
        self.keep(offset, id, changes);
        outcome
    }

    fn keep(&mut self, offset: u64, id: &str, changes: Changes) {
        let wallet = self.wallets.get_mut(id).expect("it was just folded");
        let mut rows: Vec<Lot> = changes.left;
        rows.extend(wallet.take_touched().cloned());
        for lot in rows {
            assert!(lot.is_lawful(), "the law of lot {} does not hold after {offset}: {lot:?}", lot.id);
            self.lots.insert((id.to_owned(), lot.id.to_string()), lot);
        }
        let mut held: BTreeMap<&str, Amount> = BTreeMap::new();
        let parts = wallet.holds().values().flat_map(|hold| &hold.lines).flat_map(|line| &line.lots);
        parts.for_each(|part| held.entry(&part.lot).or_default().add(part.amount));
        held.retain(|_, amount| !amount.is_zero());
        let lots = wallet.lots().iter().filter(|lot| !lot.held.is_zero());
        let in_lots: BTreeMap<&str, Amount> = lots.map(|lot| (&*lot.id, lot.held)).collect();
        assert_eq!(held, in_lots, "{offset}: what holds hold is held in their lots");
        for lot in wallet.lots() {
            assert!(lot.is_lawful(), "the law of lot {} does not hold after {offset}: {lot:?}", lot.id);
            let row = self.lots.get(&(id.to_owned(), lot.id.to_string()));
            let is_written = row.is_some_and(|row| columns(row) == columns(lot));
            assert!(
                lot.is_untouched() || is_written,
                "{offset} left the row of lot {} as it was: {row:?}",
                lot.id
            );
        }
        let lines = changes.entries.iter().map(|e| e.line);
        assert!(
            lines.eq(0..changes.entries.len() as u32),
            "{offset} counts its entries from 0, without holes"
        );
        let considered = changes.considered.into_iter().flatten().map(|c| (offset, c));
        self.considered.iter_mut().for_each(|all| all.extend(considered.clone()));
        self.priced.extend(changes.priced.map(|price| (offset, price.to_string())));
        self.entries.extend(changes.entries.into_iter().map(|e| (offset, id.to_owned(), e)));
    }

    /// Checks that the ledger's accounts say of every lot, and of each unit's overage, what the wallets say.
    pub fn assert_balanced(&self) {
        let mut accounts: BTreeMap<(&str, &str, String), i128> = BTreeMap::new();
        for (_, wallet, e) in &self.entries {
            let (debit, credit) = e.kind.accounts(e.lot.as_deref(), e.other_lot.as_deref());
            *accounts.entry((wallet, &e.unit, debit)).or_default() -= e.amount.billionths();
            *accounts.entry((wallet, &e.unit, credit)).or_default() += e.amount.billionths();
        }
        let mut said: BTreeMap<(&str, &str, String), i128> = BTreeMap::new();
        for ((wallet, id), lot) in &self.lots {
            said.insert((wallet, &lot.unit, format!("lot:{id}")), lot.remaining.billionths());
            *said.entry((wallet, &lot.unit, "expired".into())).or_default() += lot.expired.billionths();
            *said.entry((wallet, &lot.unit, "voided".into())).or_default() += lot.voided.billionths();
        }
        for (id, wallet) in &self.wallets {
            for o in wallet.overage() {
                *said.entry((id, &o.unit, "overage".into())).or_default() -= o.amount.billionths();
            }
            for (name, hold) in wallet.holds() {
                for line in &hold.lines {
                    let hold = format!("hold:{name}");
                    *said.entry((id, &line.unit, hold)).or_default() += line.amount().billionths();
                    let overdraft = line.overdraft.billionths();
                    *said.entry((id, &line.unit, "overdraft".into())).or_default() -= overdraft;
                }
            }
        }
        let is_said = |account: &str| {
            let named = account.starts_with("lot:") || account.starts_with("hold:");
            named || ["expired", "voided", "overage", "overdraft"].contains(&account)
        };
        accounts.retain(|(_, _, account), sum| is_said(account) && *sum != 0);
        said.retain(|_, sum| *sum != 0);
        assert_eq!(accounts, said, "the ledger and the wallets say the same");
    }

    /// A wallet, if any record named it.
    pub fn wallet(&self, id: &str) -> Option<&Wallet> {
        self.wallets.get(id)
    }

    /// Digests of all wallets, by id: what must be equal whatever the way there.
    pub fn digests(&self) -> BTreeMap<String, [u8; 32]> {
        self.wallets.iter().map(|(id, w)| (id.clone(), Wallet::digest(&w.write()))).collect()
    }

    /// What a store holds that changes in place: the documents, and the rows that are committed with them.
    pub fn documents(&self) -> Documents {
        let wallets = self.wallets.iter().map(|(id, w)| (id.clone(), w.write())).collect();
        let (lots, memories) = (self.lots.clone(), self.memories.clone());
        Documents { catalogue: self.catalogue.write(), wallets, lots, memories }
    }

    /// Goes back to older documents; the rows that are never changed stay as they are.
    pub fn go_back(&mut self, to: &Documents) {
        let read = |document: &String| Wallet::read(document).expect("a wallet reads what it wrote");
        self.wallets = to.wallets.iter().map(|(id, document)| (id.clone(), read(document))).collect();
        self.read_catalogue(&to.catalogue);
        self.lots = to.lots.clone();
        self.memories = to.memories.clone();
    }

    /// Forgets all memory of wallets but their documents, as a restart does.
    pub fn restart(&mut self) {
        for wallet in self.wallets.values_mut() {
            *wallet = Wallet::read(&wallet.write()).expect("a wallet reads what it wrote");
        }
        self.read_catalogue(&self.catalogue.write());
    }

    fn read_catalogue(&mut self, text: &str) {
        self.catalogue = Catalogue::read(text).expect("a catalogue reads what it wrote");
        self.began.into_iter().for_each(|fold| self.catalogue.begin(fold));
    }
}

/// What a lot's row says that may change.
fn columns(lot: &Lot) -> [Amount; 9] {
    let Lot { issued, remaining, held, consumed, expired, voided, rolled_over, returned, moved, .. } = *lot;
    [issued, remaining, held, consumed, expired, voided, rolled_over, returned, moved]
}
