//! What is to be appended, found on copies of the catalogue and of the wallets.

use std::collections::{BTreeMap, BTreeSet};

use eventlog::Appending;
use ingest::{Corrected, Correction, Refusal, Stamp};
use ledger::{
    Accepted, Catalogue, Changes, Configured, Instant, Known, Offset, Outcome, Partition, Past, Terms,
    Wallet, apply, canonical, content_id, decode,
};

use super::change::{Steps, recorded};
use super::seen::Seen;
use crate::documents::{Body, Document};

/// What documents come to: each is, by its index, in one of these.
#[derive(Default)]
pub(super) struct Planned {
    /// Those that say nothing new.
    pub(super) unchanged: Vec<usize>,
    /// New catalogue records.
    pub(super) catalogue: Vec<(usize, Appending)>,
    /// New records of wallets.
    pub(super) personal: Vec<(usize, Appending)>,
}

/// Holds the documents against what is there and against the rules, in their order.
///
/// # Errors
///
/// Those that the rules refuse, by index, each with the reason.
pub(super) fn plan(
    documents: &[Document],
    stamps: &[Stamp<'_>],
    seen: Seen,
    partitions: u32,
    now: Instant,
) -> Result<Planned, BTreeMap<usize, String>> {
    let unchanged = unchanged(documents, stamps, &seen);
    let issued = seen.grants.keys().cloned().collect();
    let mut planner = Planner { seen, partitions, now, issued };
    let mut planned = Planned::default();
    let mut refused = BTreeMap::new();
    for (index, (document, stamp)) in documents.iter().zip(stamps).enumerate() {
        if unchanged[index] {
            planned.unchanged.push(index);
            continue;
        }
        let record = match &document.body {
            Body::Catalogue { kind, name, body, .. } => planner
                .published(kind, name, body, stamp)
                .map(|record| planned.catalogue.push((index, record))),
            Body::Wallet { wallet, configured, time } => planner
                .configured(wallet, configured, *time, stamp)
                .map(|record| planned.personal.push((index, record))),
            Body::Grant { wallet, terms, time, reason } => {
                let (time, reason) = (*time, reason.as_deref());
                let grant = ingest::Grant { wallet, source: None, id: None, time, terms, reason };
                planner.granted(grant, stamp).map(|record| planned.personal.push((index, record)))
            }
            Body::Change { wallet, id, steps, time, reason } => planner
                .changed(
                    &Corrected {
                        wallet,
                        id,
                        time: *time,
                        reason: reason.as_deref(),
                        says: Correction::Change(steps),
                    },
                    steps,
                    stamp,
                )
                .map(|record| planned.personal.push((index, record))),
        };
        if let Err(why) = record {
            refused.insert(index, why);
        }
    }
    if refused.is_empty() { Ok(planned) } else { Err(refused) }
}

/// Which documents say nothing new.
///
/// Several of one thing are a history: what of it is there already is not appended again.
fn unchanged(documents: &[Document], stamps: &[Stamp<'_>], seen: &Seen) -> Vec<bool> {
    let mut unchanged = vec![false; documents.len()];
    let mut published: BTreeMap<(&str, &str), Vec<usize>> = BTreeMap::new();
    let mut configured: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (index, document) in documents.iter().enumerate() {
        match &document.body {
            Body::Catalogue { kind, name, .. } => published.entry((kind, name)).or_default().push(index),
            Body::Wallet { wallet, .. } => configured.entry(wallet).or_default().push(index),
            Body::Grant { wallet, terms, .. } => {
                let key = (wallet.clone(), terms.grant_id.clone());
                unchanged[index] = seen.grants.get(&key).is_some_and(|there| *there == **terms);
            }
            Body::Change { wallet, id, steps, .. } => {
                let earlier = seen.changes.get(&(wallet.clone(), id.clone()));
                unchanged[index] = earlier.is_some_and(|earlier| earlier.said(steps));
            }
        }
    }
    let accepted = accepted(&seen.catalogue, &published);
    for (key, indexes) in &published {
        let bodies: Vec<Vec<u8>> = indexes.iter().map(|at| by_value(body(&documents[*at]))).collect();
        let there = accepted.get(key).map_or(&[][..], Vec::as_slice);
        let count = (0..=bodies.len()).rev().find(|count| there.ends_with(&bodies[..*count])).unwrap_or(0);
        indexes[..count].iter().for_each(|at| unchanged[*at] = true);
    }
    for (wallet, indexes) in &configured {
        let Some(there) = seen.wallets.get(*wallet) else { continue };
        let history = indexes.iter().map(|at| (&documents[*at], &stamps[*at]));
        let count = configured_already(there, wallet, &history.collect::<Vec<_>>());
        indexes[..count].iter().for_each(|at| unchanged[*at] = true);
    }
    unchanged
}

/// The bodies by value of the revisions of these documents, in order.
fn accepted<'a>(
    catalogue: &'a Catalogue,
    named: &BTreeMap<(&str, &str), Vec<usize>>,
) -> BTreeMap<(&'a str, &'a str), Vec<Vec<u8>>> {
    let mut accepted: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for document in catalogue.accepted() {
        let key = (document.kind.as_str(), document.name.as_str());
        if named.contains_key(&key) {
            accepted.entry(key).or_default().push(by_value(&document.body));
        }
    }
    accepted
}

fn body(document: &Document) -> &str {
    match &document.body {
        Body::Catalogue { body, .. } => body,
        Body::Wallet { .. } | Body::Grant { .. } | Body::Change { .. } => "",
    }
}

fn by_value(body: &str) -> Vec<u8> {
    let mut value = Vec::with_capacity(body.len());
    canonical(body, &mut value).expect("a catalogue's document is JSON without a key twice");
    value
}

/// How many of a wallet's configurations it has had already.
///
/// The id of each follows from what it says and from the one before, so the wallet's last one tells how far it came.
fn configured_already(there: &Wallet, wallet: &str, history: &[(&Document, &Stamp<'_>)]) -> usize {
    let mut replaces = None;
    let configurations = || {
        history.iter().filter_map(|(document, stamp)| match &document.body {
            Body::Wallet { configured, time, .. } => Some((configured, *time, *stamp)),
            Body::Catalogue { .. } | Body::Grant { .. } | Body::Change { .. } => None,
        })
    };
    for (at, (configured, time, stamp)) in configurations().enumerate() {
        let configured = Configured { replaces, ..Configured::clone(configured) };
        let Ok(record) = ingest::configured(wallet, &configured, time, stamp) else { break };
        if there.configuration() == Some(&record.id) {
            return at + 1;
        }
        replaces = Some(record.id.into_owned());
    }
    let is_last = |(configured, ..): (&std::sync::Arc<Configured>, _, _)| there.is_configured_as(configured);
    match (configurations().next_back().is_some_and(is_last), configurations().next().is_some_and(is_last)) {
        (true, _) => history.len(),
        (false, true) => 1,
        (false, false) => 0,
    }
}

/// What is there, and what the documents planned so far add to it.
struct Planner {
    seen: Seen,
    partitions: u32,
    now: Instant,
    /// The names of grants that are given, by wallet and grant.
    issued: BTreeSet<(String, String)>,
}

impl Planner {
    fn published(
        &mut self,
        kind: &str,
        name: &str,
        body: &str,
        stamp: &Stamp<'_>,
    ) -> Result<Appending, String> {
        let catalogue = &mut self.seen.catalogue;
        let replaces = catalogue.current(kind, name).map(|current| current.id.clone());
        let record = ingest::published(kind, name, body, replaces.as_deref(), stamp).map_err(sentence)?;
        let document = Accepted {
            kind: kind.to_owned(),
            name: name.to_owned(),
            id: record.id,
            recorded_at: stamp.now,
            body: body.to_owned(),
        };
        catalogue.publish(document, replaces.as_deref())?;
        Ok(Appending { partition: Partition(0), bytes: record.bytes })
    }

    fn configured(
        &mut self,
        wallet: &str,
        configured: &Configured,
        time: Option<Instant>,
        stamp: &Stamp<'_>,
    ) -> Result<Appending, String> {
        let there = self.seen.wallets.entry(wallet.to_owned()).or_default();
        let replaces = there.configuration().map(str::to_owned);
        let configured = Configured { replaces, ..configured.clone() };
        let record = ingest::configured(wallet, &configured, time, stamp).map_err(sentence)?;
        self.try_out(wallet, &record.bytes)?;
        Ok(record.appending(self.partitions))
    }

    fn granted(&mut self, grant: ingest::Grant<'_>, stamp: &Stamp<'_>) -> Result<Appending, String> {
        let Terms { grant_id, .. } = grant.terms;
        if self.seen.grants.contains_key(&(grant.wallet.to_owned(), grant_id.clone())) {
            return Err("a grant of this id was issued with other terms, and is never edited: \
                        give what you mean to add an id of its own"
                .to_owned());
        }
        // Its name keeps it from being issued twice. An id of its own for each attempt lets one that was rejected be tried
        // again once the reason is gone.
        let attempt = content_id(&["grant", grant.wallet, grant_id, &self.now.to_string()], "{}", None);
        let attempt = attempt.expect("an empty object has a canonical form");
        let record =
            ingest::grant(&ingest::Grant { id: Some(&attempt), ..grant }, stamp).map_err(sentence)?;
        self.try_out(grant.wallet, &record.bytes)?;
        Ok(Appending { partition: Partition::of(grant.wallet, self.partitions), bytes: record.bytes })
    }

    fn changed(
        &mut self,
        change: &Corrected<'_>,
        steps: &Steps,
        stamp: &Stamp<'_>,
    ) -> Result<Appending, String> {
        let key = (change.wallet.to_owned(), change.id.to_owned());
        if let Some(earlier) = self.seen.changes.get(&key) {
            return Err(earlier.refuses());
        }
        let there = self.seen.wallets.entry(change.wallet.to_owned()).or_default();
        let steps = recorded(steps, there.configuration().map(str::to_owned), change.id);
        let change = Corrected { says: Correction::Change(&steps), ..*change };
        let record = ingest::corrected(&change, stamp).map_err(sentence)?;
        self.try_out(change.wallet, &record.bytes)?;
        Ok(Appending { partition: Partition::of(change.wallet, self.partitions), bytes: record.bytes })
    }

    /// Applies a record to the copy of its wallet.
    fn try_out(&mut self, wallet: &str, bytes: &[u8]) -> Result<(), String> {
        let record = decode(bytes).expect("what was stamped decodes");
        let identity = record.identify(&mut Vec::new()).expect("what was stamped has an identity");
        let (mut past, mut changes) = (Past::default(), Changes::default());
        let names: Vec<&str> =
            record.issued().into_iter().map(|(terms, _)| terms.grant_id.as_str()).collect();
        let there = |name: &&str| self.issued.contains(&(wallet.to_owned(), (*name).to_owned()));
        let grants = names.iter().zip(&identity.names).filter(|(name, _)| there(name));
        past.names = grants
            .map(|(_, (key, content))| (*key, Known { offset: Offset(0), content: *content }))
            .collect();
        let memory = self.seen.memories.entry(wallet.to_owned()).or_default();
        let state = self.seen.wallets.entry(wallet.to_owned()).or_default();
        memory.tell(&self.seen.catalogue, state, &record, &mut past);
        let outcome = apply(&self.seen.catalogue, state, &past, &record, &identity, &mut changes);
        memory.note(Offset(0), (&record, &identity), state, outcome.as_ref(), &changes);
        match outcome {
            Some(Outcome::Rejected(reason)) => Err(reason),
            Some(Outcome::Declined(answer)) => Err(answer.to_string()),
            Some(
                Outcome::Applied(_) | Outcome::Approved(_) | Outcome::Duplicate(_) | Outcome::Conflict(_),
            )
            | None => {
                self.issued.extend(names.iter().map(|name| (wallet.to_owned(), (*name).to_owned())));
                Ok(())
            }
        }
    }
}

fn sentence(refusal: Refusal) -> String {
    refusal.to_string()
}
