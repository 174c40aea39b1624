//! The catalogue of partition 0, followed in the log beside whoever folds it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use eventlog::EventLog;
use ledger::{
    Catalogue, Event, Hash16, Identity, Known, Offset, Partition, Past, Position, Record, Text, Undecodable,
    decode,
};
use serde::Deserialize;
use store::Store;
use store::rows::IdRow;

use crate::error::ProjectorError;
use crate::same_log::check_same_log;
use crate::stored::read_catalogue;

/// Partition 0 alone accepts catalogue documents.
const FIRST: Partition = Partition(0);
/// So many records are read at once.
const PAGE: usize = 4_096;
/// So long is the store asked whether an id was there before. It may be frozen, and a key that is revoked must not wait for it.
const PATIENCE: Duration = Duration::from_millis(300);

/// The catalogue as partition 0 has it, followed record by record. It commits nothing.
pub struct Published<L, S> {
    log: Arc<L>,
    store: Arc<S>,
    catalogue: Catalogue,
    next: Offset,
    /// The catalogue records since it was opened, by identity.
    since: BTreeMap<Hash16, Known>,
}

/// A catalogue record, or the genesis that comes before all of them.
struct Found<'a> {
    offset: Offset,
    record: Record<'a>,
    identity: Identity,
}

impl<L: EventLog, S: Store> Published<L, S> {
    /// Begins with what the store has of partition 0, or at its first record.
    ///
    /// # Errors
    ///
    /// [`ProjectorError::AnotherLog`] if the store's is not the log; and what log and store say.
    pub async fn open(log: Arc<L>, store: Arc<S>) -> Result<Self, ProjectorError> {
        let mut published =
            Self { log, store, catalogue: Catalogue::default(), next: Offset(0), since: BTreeMap::new() };
        // In this order: the catalogue then is of the head or a later one, and a document that it has already is taken no second time.
        let Some(head) = published.store.head(FIRST).await? else { return Ok(published) };
        check_same_log(&*published.log, &head).await?;
        if let Some(text) = published.store.catalogue(FIRST).await? {
            published.catalogue = read_catalogue(&text)?.0;
        } else if head.fold > 0 {
            published.catalogue.begin(head.fold);
        }
        published.next = head.next;
        Ok(published)
    }

    /// The catalogue after all that was read.
    pub fn catalogue(&self) -> &Catalogue {
        &self.catalogue
    }

    /// The offset of the next record to read.
    pub fn next(&self) -> Offset {
        self.next
    }

    /// Reads what has come, a page at most; answers whether there was anything.
    ///
    /// # Errors
    ///
    /// If the log cannot be read, or has a catalogue record of a newer build. What was read before stays.
    pub async fn step(&mut self) -> Result<bool, ProjectorError> {
        let stretch = self.log.read(FIRST, self.next, PAGE).await?;
        let mut found = Vec::new();
        let newer = stretch.iter().find_map(|(offset, bytes)| match read(offset, bytes) {
            Ok(one) => {
                found.extend(one);
                None
            }
            Err(what) => Some((offset, what)),
        });
        let known = self.known(&found).await;
        for one in found {
            self.take(one, &known);
        }
        if let Some((offset, what)) = newer {
            self.next = offset;
            return Err(ProjectorError::NewerBuild { at: Position { partition: FIRST, offset }, what });
        }
        self.next = stretch.next();
        Ok(!stretch.is_empty())
    }

    /// Waits until something may have come, and for some tens of milliseconds at the most.
    pub async fn wait(&self) {
        self.log.wait(FIRST, self.next).await;
    }

    fn take(&mut self, found: Found<'_>, known: &BTreeMap<Hash16, Known>) {
        let Found { offset, record, identity } = found;
        if let (Event::Genesis(genesis), Offset(0)) = (&record.event, offset) {
            self.catalogue.begin(genesis.fold);
        }
        if let Event::CataloguePublished(published) = &record.event {
            let seen = known.get(&identity.key).filter(|known| known.offset < offset);
            let seen = seen.or_else(|| self.since.get(&identity.key)).copied();
            let past = Past { identity: seen, ..Past::default() };
            ledger::publish(&mut self.catalogue, &past, &record, published, &identity);
            self.since.entry(identity.key).or_insert(Known { offset, content: identity.content });
        }
    }

    /// What the store knows of these identities; nothing, if it does not answer in time.
    ///
    /// Nothing is lost then: an id follows from what a document says and replaces, so one that was accepted once is refused for what it
    /// replaces, and one that was refused could only be accepted now if it came before the one that it replaces.
    async fn known(&self, found: &[Found<'_>]) -> BTreeMap<Hash16, Known> {
        if found.is_empty() {
            return BTreeMap::new();
        }
        let asked = async {
            let segments = self.store.segments(FIRST).await?;
            let keys = found.iter().map(|found| found.identity.key);
            let probes: Vec<_> =
                keys.flat_map(|key| segments.iter().map(move |segment| (*segment, key))).collect();
            self.store.ids(FIRST, &probes).await
        };
        match tokio::time::timeout(PATIENCE, asked).await {
            Ok(Ok(rows)) => {
                let known = |row: IdRow| (row.key, Known { offset: row.offset, content: row.content });
                rows.into_iter().map(known).collect()
            }
            Ok(Err(_)) | Err(_) => {
                tracing::debug!("the store does not say which catalogue records were there before");
                BTreeMap::new()
            }
        }
    }
}

/// Reads a record if it is of the catalogue; what this build does not know of it, if it is a newer one's.
fn read(offset: Offset, bytes: &[u8]) -> Result<Option<Found<'_>>, String> {
    /// Most records are of wallets: of them, the rest is passed over.
    #[derive(Deserialize)]
    struct Kind<'a> {
        #[serde(borrow, rename = "type")]
        kind: Text<'a>,
    }
    let kind = serde_json::from_slice::<Kind<'_>>(bytes);
    if !kind.is_ok_and(|Kind { kind }| ["catalogue.published", "genesis"].contains(&&*kind)) {
        return Ok(None);
    }
    match decode(bytes) {
        Ok(record) => {
            // One that has no canonical form is quarantined.
            let identity = record.identify(&mut Vec::new());
            Ok(identity.ok().map(|identity| Found { offset, record, identity }))
        }
        Err(Undecodable::Quarantine(_)) => Ok(None),
        Err(Undecodable::NewerBuild(what)) => Err(what),
    }
}
