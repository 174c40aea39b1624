//! What corrections need of wallets' pasts: noted in memory, or looked up in the store.

use std::collections::{BTreeMap, BTreeSet};

use ledger::{
    Answer, Ask, Changes, Entry, EntryKind, Grant, Identity, Instant, Lot, Memory, Month, Name, Offset,
    Outcome, Paid, Past, Quantity, Record, Used, Wallet,
};
use serde_json::value::RawValue;
use store::rows::{EntryRow, LeftRow, OutcomeCode, RecordKind, RecordRow};
use store::{LeftProbe, Store};

use crate::error::ProjectorError;
use crate::folding::{Answers, Folding, Told};

/// Which wallets' pasts are remembered from their first record on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) enum Remembers {
    /// None: those are remembered for which a correction asks.
    #[default]
    OnDemand,
    /// These, by number.
    These(BTreeSet<i64>),
    /// All.
    All,
}

/// The pasts of wallets that are remembered: what was noted of each since an offset.
#[derive(Default)]
pub(crate) struct Pasts {
    remembers: Remembers,
    memories: BTreeMap<i64, (Offset, Memory)>,
}

impl Pasts {
    /// Remembers these wallets from their first record on.
    pub(crate) fn of(remembers: Remembers) -> Self {
        Self { remembers, memories: BTreeMap::new() }
    }

    /// Remembers a wallet from an offset on; what came before is in the store.
    pub(crate) fn remember(&mut self, wallet: i64, from: Offset) {
        self.memories.entry(wallet).or_insert_with(|| (from, Memory::default()));
    }

    pub(crate) fn holds(&self, wallet: i64) -> bool {
        self.memories.contains_key(&wallet)
    }

    pub(crate) fn memory(&self, wallet: i64) -> Option<&Memory> {
        self.memories.get(&wallet).map(|(_, memory)| memory)
    }

    pub(crate) fn len(&self) -> usize {
        self.memories.len()
    }

    /// Forgets what the store has.
    pub(crate) fn forget(&mut self) {
        self.memories.clear();
    }

    /// Notes what a record did, if its wallet is remembered.
    pub(crate) fn note(
        &mut self,
        no: i64,
        offset: Offset,
        record: (&Record<'_>, &Identity),
        wallet: &Wallet,
        outcome: Option<&Outcome>,
        changes: &Changes,
    ) {
        match &self.remembers {
            Remembers::OnDemand if self.memories.is_empty() => return,
            Remembers::OnDemand => {}
            Remembers::These(these) if !these.contains(&no) => {
                if !changes.counters.is_empty() {
                    self.remember(no, Offset(0));
                    self.memories.entry(no).and_modify(|(_, memory)| memory.note_counters(changes));
                }
                return;
            }
            Remembers::These(_) | Remembers::All => self.remember(no, Offset(0)),
        }
        if let Some((_, memory)) = self.memories.get_mut(&no) {
            memory.note(offset, record, wallet, outcome, changes);
        }
    }
}

impl Folding {
    /// What a record needs to know that it was not told yet.
    pub(crate) fn asks(&self, record: &Record<'_>, past: &Past) -> Vec<Ask> {
        if !ledger::may_ask(&self.catalogue, record) {
            return Vec::new();
        }
        match self.wallet(record.wallet()) {
            Some(slot) => ledger::asks(&self.catalogue, &slot.wallet, record, past),
            None => Vec::new(),
        }
    }

    /// Answers all that a record asks from memory alone, which must hold its wallet's past from the first record on.
    pub(crate) fn answers(&self, record: &Record<'_>) -> Answers {
        let mut past = Past::default();
        if !ledger::may_ask(&self.catalogue, record) {
            return past.told;
        }
        let Some(slot) = self.wallet(record.wallet()) else { return past.told };
        match self.pasts.memories.get(&slot.no) {
            Some((_, memory)) => memory.tell(&self.catalogue, &slot.wallet, record, &mut past),
            None => Memory::default().tell(&self.catalogue, &slot.wallet, record, &mut past),
        }
        past.told
    }

    /// Answers all that a record asks: from the store, and from what was noted since.
    pub(crate) async fn past_of<S: Store>(
        &self,
        store: &S,
        record: &Record<'_>,
        told: &Told,
    ) -> Result<Answers, ProjectorError> {
        let mut past = Past::default();
        let Some(no) = self.wallet(record.wallet()).map(|slot| slot.no) else { return Ok(past.told) };
        let memory = self.pasts.memories.get(&no);
        let since = memory.map_or(self.head.next, |(since, _)| *since);
        loop {
            let asks = self.asks(record, &past);
            if asks.is_empty() {
                return Ok(past.told);
            }
            for ask in asks {
                let mut answer = self.stored(store, no, since, &ask, told).await?;
                if let Some((_, memory)) = memory {
                    memory.add_to(&ask, &mut answer);
                }
                past.told.push((ask, answer));
            }
        }
    }

    async fn stored<S: Store>(
        &self,
        store: &S,
        no: i64,
        since: Offset,
        ask: &Ask,
        told: &Told,
    ) -> Result<Answer, ProjectorError> {
        let left = async |probe: LeftProbe| store.left(no, &probe).await;
        Ok(match ask {
            Ask::Counter(key) => {
                let at = (no, key.price.to_string(), key.charge.to_string(), key.starts.0);
                let row = store.counters(&[at]).await?.into_iter().next();
                let value = row.map(|row| Quantity::parse(&row.value)).transpose();
                Answer::Counter(value.map_err(|e| corrupt("counter", e))?)
            }
            Ask::Usage(key) => {
                let offset = self.known(key, told).map(|known| known.offset).filter(|offset| *offset < since);
                let used = match offset {
                    Some(offset) => used(store, self.head.partition, no, offset).await?,
                    None => None,
                };
                Answer::Usage(used.map(Box::new))
            }
            Ask::Family(family) => {
                let rows = left(LeftProbe::Family(family.to_string())).await?;
                Answer::Lots(read(&rows, 0, Lot::read)?)
            }
            Ask::Grant(grant) => {
                Answer::Grants(read(&left(LeftProbe::Grant(grant.clone())).await?, 1, Grant::read)?)
            }
            Ask::Purchase(purchase) => {
                Answer::Grants(read(&left(LeftProbe::Purchase(purchase.clone())).await?, 1, Grant::read)?)
            }
            Ask::Paid(key) => {
                let rows = store.paid(no, &key.month.to_string()).await?;
                let entries = rows.iter().filter(|row| row.offset < since).map(entry);
                let entries = entries.collect::<Result<Vec<_>, _>>()?;
                let paid =
                    entries.iter().filter_map(Paid::of).filter(|(k, _)| k == key).map(|(_, paid)| paid);
                Answer::Paid(paid.collect())
            }
        })
    }
}

fn read<T>(
    rows: &[LeftRow],
    kind: u8,
    read: impl Fn(&str) -> Result<T, serde_json::Error>,
) -> Result<Vec<T>, ProjectorError> {
    let rows = rows.iter().filter(|row| row.kind == kind);
    rows.map(|row| read(&row.doc).map_err(|e| corrupt(&row.key, e))).collect()
}

/// The usage at an offset, with what became of it; none if that is no applied usage of the wallet.
///
/// # Errors
///
/// What the store says, or that its rows cannot be read.
pub async fn used<S: Store>(
    store: &S,
    partition: ledger::Partition,
    wallet: i64,
    offset: Offset,
) -> Result<Option<Used>, ProjectorError> {
    let is_it = |row: &RecordRow| {
        row.wallet == Some(wallet)
            && RecordKind::is_usage(row.kind)
            && row.outcome == OutcomeCode::Applied.code()
    };
    let Some(row) = store.record(partition, offset).await?.filter(is_it) else { return Ok(None) };
    let data = row.data.as_deref().map(raw).transpose()?;
    let mut used = Used::new(
        offset,
        row.feature.as_deref().unwrap_or_default(),
        data.as_deref(),
        row.subject.as_deref(),
        Instant(row.at),
    );
    entries(store, partition, wallet, offset).await?.iter().for_each(|entry| used.book(entry));
    match row.detail.as_deref().map(|detail| detail.strip_prefix("free:").ok_or(())) {
        Some(Ok(price)) => used.price = Some(price.into()),
        Some(Err(())) => used.is_unpriced = true,
        None => {}
    }
    for row in store.corrections(partition, offset).await? {
        let entries = entries(store, partition, wallet, row.offset).await?;
        let data = raw(row.data.as_deref().unwrap_or("null"))?;
        if row.kind == RecordKind::Rerating.code() {
            let rerated: ledger::Rerated<'_> =
                serde_json::from_str(data.get()).map_err(|e| corrupt("rerating", e))?;
            let free = row.detail.as_deref().and_then(|d| d.strip_prefix("free:")).map(Name::from);
            used.rerate(rerated.data, entries.iter(), free.as_ref());
        } else {
            let reversed: ledger::Reversed<'_> =
                serde_json::from_str(data.get()).map_err(|e| corrupt("reversal", e))?;
            match reversed.amounts {
                Some(_) => used.reverse_in_part(entries.iter()),
                None => used.cancel(),
            }
        }
    }
    Ok(Some(used))
}

async fn entries<S: Store>(
    store: &S,
    partition: ledger::Partition,
    wallet: i64,
    offset: Offset,
) -> Result<Vec<Entry>, ProjectorError> {
    let rows = store.entries_between(partition, offset, offset.plus(1)).await?;
    rows.iter().filter(|row| row.wallet == wallet).map(entry).collect()
}

fn entry(row: &EntryRow) -> Result<Entry, ProjectorError> {
    let kind = EntryKind::of_code(row.kind).ok_or_else(|| corrupt("entry", format!("kind {}", row.kind)))?;
    let amount = |text: &str| ledger::Amount::parse_sum(text).map_err(|e| corrupt("entry", e));
    Ok(Entry {
        line: row.line,
        kind,
        unit: row.unit.clone(),
        lot: row.lot.clone(),
        other_lot: row.other_lot.clone(),
        amount: amount(&row.amount)?,
        available_after: amount(&row.available_after)?,
        effective_at: Instant(row.effective_at),
        booked_at: Instant(row.booked_at),
        feature: row.feature.clone(),
        price: row.price.clone(),
        month: row.month.as_deref().and_then(Month::parse),
    })
}

fn raw(text: &str) -> Result<Box<RawValue>, ProjectorError> {
    RawValue::from_string(text.to_owned()).map_err(|e| corrupt("record", e))
}

fn corrupt(what: &str, why: impl std::fmt::Display) -> ProjectorError {
    ProjectorError::Corrupt { what: what.to_owned(), why: why.to_string() }
}
