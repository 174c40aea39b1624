//! What stands in the place of a record: the catalogue of the files, and grants by other rules.

use std::collections::BTreeMap;

use ingest::Stamp;
use ledger::{
    Accepted, Catalogue, Document as Catalogued, Event, Instant, Outcome, Policies, Published, Record, Step,
    Terms,
};
use projector::Instead;
use serde_json::Value;

use crate::documents::{Body, Document, GrantRules, explain_rejection};

const OPERATOR: &str = "operator";

/// What would hold, and from when on.
pub(crate) struct Plan {
    pub(super) from: Instant,
    documents: Vec<Dated>,
    rules: Vec<GrantRules>,
}

/// A catalogue document that holds from the plan's time on.
struct Dated {
    kind: &'static str,
    name: String,
    body: String,
    /// Where it stands, for messages.
    place: String,
}

/// A document or a rule that the rules of credits refuse.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct Refused(String);

/// Why the other records could not be made or folded.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Stopped {
    #[error(transparent)]
    Refused(#[from] Refused),
    /// A record needs a newer build.
    #[error("{0}")]
    Newer(String),
}

impl From<String> for Stopped {
    fn from(what: String) -> Self {
        Self::Newer(what)
    }
}

impl Plan {
    pub(crate) fn new(from: Instant, documents: Vec<Document>, rules: Vec<GrantRules>) -> Self {
        let dated = |document: Document| {
            let place = format!("{}:{}", document.file.display(), document.line);
            match document.body {
                Body::Catalogue { kind, name, body, .. } => {
                    Some(Dated { kind, body: dated(kind, body, from), name, place })
                }
                Body::Wallet { .. } | Body::Grant { .. } | Body::Change { .. } => None,
            }
        };
        Self { from, documents: documents.into_iter().filter_map(dated).collect(), rules }
    }
}

/// A price holds from then on, or from when it says itself if that is later.
fn dated(kind: &str, body: String, from: Instant) -> String {
    match Catalogued::read(kind, &body) {
        Ok(Catalogued::Price(mut price)) => {
            price.effective_from = Some(price.effective_from.map_or(from, |own| own.max(from)));
            serde_json::to_string(&price).expect("a price is JSON")
        }
        Ok(
            Catalogued::Unit(_)
            | Catalogued::RateCard(_)
            | Catalogued::Zone(_)
            | Catalogued::Policies(_)
            | Catalogued::VendorCost(_)
            | Catalogued::Key(_)
            | Catalogued::Fold(_),
        )
        | Err(_) => body,
    }
}

/// Chooses, record by record of one partition, what the other fold takes.
pub(super) struct Chooser<'a> {
    plan: &'a Plan,
    /// Documents that the catalogue has not taken yet.
    pending: Vec<&'a Dated>,
    /// How many documents the catalogue had when they were last tried.
    tried: Option<usize>,
    /// The ids of the files' documents as they stand, by kind and name.
    current: BTreeMap<(&'static str, &'a str), String>,
    /// How many grants the rules changed.
    pub(super) grants: u64,
}

impl<'a> Chooser<'a> {
    pub(super) fn new(plan: &'a Plan) -> Self {
        let pending = plan.documents.iter().collect();
        Self { plan, pending, tried: None, current: BTreeMap::new(), grants: 0 }
    }

    /// What the other fold takes instead of a record, of which this became.
    pub(super) fn choose(
        &mut self,
        record: Option<&Record<'_>>,
        bytes: &[u8],
        outcome: Option<&Outcome>,
        catalogue: &Catalogue,
    ) -> Result<Instead, Stopped> {
        let Some(record) = record.filter(|r| r.envelope.recorded_at >= self.plan.from) else {
            return self.older(record, bytes, outcome);
        };
        let mut records = Vec::new();
        if !self.pending.is_empty() && !matches!(record.event, Event::Genesis(_)) {
            records = self.publish(catalogue)?;
        }
        let instead = self.instead(record, bytes, outcome)?;
        if records.is_empty() {
            return Ok(instead);
        }
        match instead {
            Instead::Same => records.push(bytes.to_vec()),
            Instead::Records(more) => records.extend(more),
        }
        Ok(Instead::Records(records))
    }

    /// A catalogue record of an earlier time may come after the files' documents, where history was filled in.
    fn older(
        &mut self,
        record: Option<&Record<'_>>,
        bytes: &[u8],
        outcome: Option<&Outcome>,
    ) -> Result<Instead, Stopped> {
        match record {
            Some(record) if matches!(record.event, Event::CataloguePublished(_)) => {
                self.instead(record, bytes, outcome)
            }
            Some(record) if record.time() >= self.plan.from => self.instead(record, bytes, outcome),
            Some(_) | None => Ok(Instead::Same),
        }
    }

    fn instead(
        &mut self,
        record: &Record<'_>,
        bytes: &[u8],
        outcome: Option<&Outcome>,
    ) -> Result<Instead, Stopped> {
        match &record.event {
            Event::CataloguePublished(published) => Ok(self.republish(record, published, outcome)),
            Event::GrantIssued(terms) if self.is_changed(record, terms) => {
                let data = self.changed(record, terms, outcome)?;
                Ok(Instead::Records(vec![with_data(bytes, data)]))
            }
            Event::WalletChanged(steps) => self.steps(record, bytes, steps, outcome),
            Event::Genesis(_)
            | Event::WalletConfigured(_)
            | Event::GrantIssued(_)
            | Event::Usage(_)
            | Event::TimerDue(_)
            | Event::GrantVoided(_)
            | Event::UsageReversed(_)
            | Event::UsageRerated(_)
            | Event::WalletReset(_)
            | Event::OverageCleared(_)
            | Event::WalletSuspended
            | Event::WalletResumed
            | Event::HoldRequested(_)
            | Event::HoldExtended(_)
            | Event::HoldSettled(_)
            | Event::HoldVoided(_) => Ok(Instead::Same),
        }
    }

    /// Those of the pending documents that the catalogue takes now. It may lack what another one refers to until later.
    fn publish(&mut self, catalogue: &Catalogue) -> Result<Vec<Vec<u8>>, Stopped> {
        if self.tried.replace(catalogue.accepted().len()) == Some(catalogue.accepted().len()) {
            return Ok(Vec::new());
        }
        let (mut catalogue, mut records) = (catalogue.clone(), Vec::new());
        for document in std::mem::take(&mut self.pending) {
            match self.take(document, &mut catalogue, &mut records) {
                Ok(()) => {}
                Err(_) => self.pending.push(document),
            }
        }
        Ok(records)
    }

    fn take(
        &mut self,
        document: &'a Dated,
        catalogue: &mut Catalogue,
        records: &mut Vec<Vec<u8>>,
    ) -> Result<(), String> {
        let Dated { kind, name, body, .. } = document;
        let first_policies = *kind == "policies" && catalogue.current(kind, name).is_none();
        if first_policies {
            // The first policies hold for the time before them too: here those are the built-in ones.
            let builtin = serde_json::to_string(&Policies::default()).expect("policies are JSON");
            let (_, bytes) = publish(catalogue, kind, name, &builtin, Instant::default())?;
            records.push(bytes);
        }
        let (id, bytes) = publish(catalogue, kind, name, body, self.plan.from)?;
        records.push(bytes);
        self.current.insert((kind, name), id);
        Ok(())
    }

    /// What is left at the end of the partition, before time goes on to now.
    ///
    /// # Errors
    ///
    /// If the catalogue cannot take a document.
    pub(super) fn rest(&mut self, catalogue: &Catalogue) -> Result<Vec<Vec<u8>>, Refused> {
        let (mut catalogue, mut records) = (catalogue.clone(), Vec::new());
        for document in std::mem::take(&mut self.pending) {
            let taken = self.take(document, &mut catalogue, &mut records);
            taken.map_err(|why| {
                let (word, about) = why.split_once(": ").unwrap_or((&why, ""));
                let about = if about.is_empty() { String::new() } else { format!("{about:?}: ") };
                let Dated { place, kind, name, .. } = document;
                Refused(format!("{place}: {kind} {name}: {about}{}", explain_rejection(word)))
            })?;
        }
        Ok(records)
    }

    /// A revision of a document that the files replace: left out where they hold; one of an earlier time goes before them.
    fn republish(
        &mut self,
        record: &Record<'_>,
        published: &Published<'_>,
        outcome: Option<&Outcome>,
    ) -> Instead {
        let is_it = |d: &&Dated| *d.kind == *published.kind && *d.name == *published.name;
        let Some(document) = self.plan.documents.iter().find(is_it) else { return Instead::Same };
        let key = (document.kind, document.name.as_str());
        let Some(current) = self.current.get(&key).cloned() else { return Instead::Same };
        if !matches!(outcome, Some(Outcome::Applied(_))) {
            return Instead::Same;
        }
        if holds_from(record, published) >= self.plan.from {
            return Instead::Records(Vec::new());
        }
        let stamp = |now| Stamp { now, by: OPERATOR, backfill: false };
        let made = |body: &str, replaces: &str, now| {
            let made = ingest::published(document.kind, &document.name, body, Some(replaces), &stamp(now));
            made.expect("it was published before")
        };
        let earlier = made(published.body.get(), &current, record.envelope.recorded_at);
        let again = made(&document.body, &earlier.id, self.plan.from);
        self.current.insert(key, again.id);
        Instead::Records(vec![earlier.bytes, again.bytes])
    }

    fn is_changed(&self, record: &Record<'_>, terms: &Terms) -> bool {
        record.time() >= self.plan.from && self.plan.rules.iter().any(|rules| rules.are_for(terms))
    }

    fn changed(
        &mut self,
        record: &Record<'_>,
        terms: &Terms,
        outcome: Option<&Outcome>,
    ) -> Result<Value, Stopped> {
        let mut changed = terms.clone();
        for rules in self.plan.rules.iter().filter(|rules| rules.are_for(terms)) {
            rules.change(&mut changed);
        }
        let counts = matches!(outcome, Some(Outcome::Applied(_)));
        self.grants += u64::from(counts && changed != *terms);
        let begins = terms.effective_at.unwrap_or(record.time());
        if let (Ok(()), Err(word)) = (terms.check(begins), changed.check(begins)) {
            let (id, wallet) = (&terms.grant_id, record.wallet());
            let why = explain_rejection(word);
            return Err(Refused(format!(
                "by these rules the grant `{id}` of `{wallet}` would be refused: {why}"
            ))
            .into());
        }
        Ok(serde_json::to_value(&changed).expect("terms are JSON"))
    }

    fn steps(
        &mut self,
        record: &Record<'_>,
        bytes: &[u8],
        steps: &[Step],
        outcome: Option<&Outcome>,
    ) -> Result<Instead, Stopped> {
        let mut data: Option<Value> = None;
        for (at, step) in steps.iter().enumerate() {
            let Step::Grant(terms, _) = step else { continue };
            if self.is_changed(record, terms) {
                let read = || serde_json::from_str(record.envelope.data.get()).expect("it was read before");
                data.get_or_insert_with(read)["steps"][at]["data"] = self.changed(record, terms, outcome)?;
            }
        }
        Ok(data.map_or(Instead::Same, |data| Instead::Records(vec![with_data(bytes, data)])))
    }
}

/// When a published document begins to hold.
fn holds_from(record: &Record<'_>, published: &Published<'_>) -> Instant {
    let own = match Catalogued::read(&published.kind, published.body.get()) {
        Ok(Catalogued::Price(price) | Catalogued::VendorCost(price)) => price.effective_from,
        Ok(
            Catalogued::Unit(_)
            | Catalogued::RateCard(_)
            | Catalogued::Zone(_)
            | Catalogued::Policies(_)
            | Catalogued::Key(_)
            | Catalogued::Fold(_),
        )
        | Err(_) => None,
    };
    own.unwrap_or(record.envelope.recorded_at)
}

/// Takes a document into a catalogue; answers with its record.
fn publish(
    catalogue: &mut Catalogue,
    kind: &str,
    name: &str,
    body: &str,
    recorded_at: Instant,
) -> Result<(String, Vec<u8>), String> {
    let replaces = catalogue.current(kind, name).map(|current| current.id.clone());
    let stamp = Stamp { now: recorded_at, by: OPERATOR, backfill: false };
    let made = ingest::published(kind, name, body, replaces.as_deref(), &stamp).map_err(|e| e.to_string())?;
    let (kind, name, body) = (kind.to_owned(), name.to_owned(), body.to_owned());
    let document = Accepted { kind, name, id: made.id.clone(), recorded_at, body };
    catalogue.publish(document, replaces.as_deref())?;
    Ok((made.id, made.bytes))
}

/// A record with other data. Our own records have no number that is more than a small whole one.
fn with_data(bytes: &[u8], data: Value) -> Vec<u8> {
    let mut record: Value = serde_json::from_slice(bytes).expect("it was read before");
    record["data"] = data;
    serde_json::to_vec(&record).expect("a record is JSON")
}
