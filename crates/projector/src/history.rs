//! A wallet's records folded again in memory, one by one: for whoever asks why, or what was known when.

use eventlog::EventLog;
use ledger::{Catalogue, Changes, Memory, Offset, Outcome, Partition, Used, Wallet};
use store::Store;

use crate::ahead::Ahead;
use crate::error::ProjectorError;
use crate::folding::{Folded, Folding, Told};
use crate::pasts::{Pasts, Remembers};
use crate::stored::read_catalogue;

/// Records closer together than this are read in one go.
const NEAR: u64 = 64;
/// Most records that are read in one go.
const STRETCH: usize = 4_096;
/// Offsets that are asked of the store at once.
const PAGE: u32 = 65_536;

/// Some wallets of a partition, folded from its first record on in memory alone.
///
/// Records are given in the order of their offsets; those of other wallets may be left out, those of the catalogue may not.
pub struct History {
    folding: Folding,
    scratch: Vec<u8>,
    watches: bool,
}

/// What a record did.
#[derive(Debug, Default)]
pub struct Did {
    /// What became of it; none for timers, genesis, and what is set aside.
    pub outcome: Option<Outcome>,
    /// Why it is set aside, if it is.
    pub quarantined: Option<String>,
    /// Its entries and all else; the lots that were considered, if somebody watches.
    pub changes: Changes,
}

impl History {
    /// Before the first record of a partition.
    pub fn new(partition: Partition, partitions: u32, log: &str) -> Self {
        let mut folding = Folding::new(partition, partitions, Folding::start(partition, log));
        folding.pasts = Pasts::of(Remembers::All);
        Self { folding, scratch: Vec::new(), watches: false }
    }

    /// From now on, [`Did`] tells which lots were considered for each charge.
    pub fn watch(&mut self) {
        self.watches = true;
    }

    /// Folds the record at an offset, which must be above those before.
    ///
    /// # Errors
    ///
    /// If it needs a newer build.
    pub fn fold(&mut self, offset: Offset, bytes: &[u8]) -> Result<Did, String> {
        self.folding.head.next = offset;
        if self.watches {
            self.folding.watch();
        }
        let ahead = Ahead::read(bytes, &mut self.scratch);
        let answers = ahead.record().map(|record| self.folding.answers(record)).unwrap_or_default();
        let mut did = Did::default();
        let sink = &mut |folded: Folded<'_>| {
            did.quarantined = folded.record.err().map(str::to_owned);
            did.outcome = folded.outcome.cloned();
            did.changes = std::mem::take(folded.changes);
        };
        self.folding.fold(&ahead, &Told::default(), answers, sink)?;
        Ok(did)
    }

    /// A wallet as it is after the last record, if one named it.
    pub fn wallet(&self, id: &str) -> Option<&Wallet> {
        self.folding.wallet(id).map(|slot| &slot.wallet)
    }

    /// The catalogue as it is after the last record.
    pub fn catalogue(&self) -> &Catalogue {
        &self.folding.catalogue
    }

    /// What is remembered of a wallet: its usage as it is in effect, the lots that left.
    pub fn memory(&self, wallet: &str) -> Option<&Memory> {
        let no = self.folding.wallet(wallet)?.no;
        self.folding.pasts.memory(no)
    }

    /// A usage as it is in effect after the last record.
    pub fn used(&self, wallet: &str, offset: Offset) -> Option<&Used> {
        self.memory(wallet)?.usage_at(offset)
    }
}

/// Where the records stand that make a wallet what it is, in order: genesis, the catalogue's, its own; all below `end`.
///
/// # Errors
///
/// What the store says.
pub async fn places<S: Store>(
    store: &S,
    partition: Partition,
    wallet: i64,
    end: Offset,
) -> Result<Vec<Offset>, ProjectorError> {
    let mut places = vec![Offset(0)];
    if let Some(text) = store.catalogue(partition).await? {
        places.extend(read_catalogue(&text)?.1);
    }
    let mut after = None;
    loop {
        let page = store.offsets(wallet, after, PAGE).await?;
        let Some(last) = page.last() else { break };
        after = Some(*last);
        places.extend(page);
    }
    places.retain(|offset| *offset < end);
    places.sort_unstable();
    places.dedup();
    Ok(places)
}

/// Reads the records at these places, in order, and shows each to `sink` until that answers with something.
///
/// # Errors
///
/// What the log says.
pub async fn read_each<L: EventLog, R>(
    log: &L,
    partition: Partition,
    places: &[Offset],
    mut sink: impl FnMut(Offset, &[u8]) -> Option<R>,
) -> Result<Option<R>, ProjectorError> {
    let mut at = 0;
    while at < places.len() {
        let first = places[at];
        let near = |i: &usize| {
            *i + 1 < places.len()
                && places[*i + 1].0 - places[*i].0 <= NEAR
                && places[*i + 1].0 - first.0 < STRETCH as u64
        };
        let last = (at..places.len()).find(|i| !near(i)).unwrap_or(at);
        let count = usize::try_from(places[last].0 - first.0 + 1).expect("a stretch fits the memory");
        let stretch = log.read(partition, first, count).await?;
        if stretch.is_empty() {
            break;
        }
        while at < places.len() && places[at] < stretch.next() {
            let index = usize::try_from(places[at].0 - first.0).expect("it is within the stretch");
            if let Some(result) = sink(places[at], stretch.get(index)) {
                return Ok(Some(result));
            }
            at += 1;
        }
    }
    Ok(None)
}
