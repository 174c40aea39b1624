//! The catalogue: every revision of every document, and which is in force when.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::document::{Document, FoldVersion, KEY, Policies, UTC};
use crate::hold::HoldPolicy;
use crate::name::Name;
use crate::price::{Pattern, Price, STANDARD};
use crate::time::Instant;
use crate::zone::Zone;

/// All catalogue documents accepted so far, in order. It is the same in every partition.
#[derive(Clone, Debug, Default)]
pub struct Catalogue {
    accepted: Vec<Accepted>,
    /// Where the revisions of a document are in `accepted`.
    revisions: BTreeMap<(&'static str, String), Vec<usize>>,
    policies: Vec<(Instant, Policies)>,
    builtin: Policies,
    zones: BTreeMap<String, Vec<Arc<Zone>>>,
    pub(crate) prices: PriceList,
    costs: PriceList,
    /// The fold version in force; none until a record says so.
    fold: Option<u32>,
}

/// A document that was accepted.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Accepted {
    /// The kind of document.
    pub kind: String,
    /// Its name within its kind.
    pub name: String,
    /// The id of the record that published it.
    pub id: String,
    /// When that was recorded.
    pub recorded_at: Instant,
    /// The document as JSON.
    pub body: String,
}

/// A zone as a grant keeps it: a name, and the revision that held when the grant was issued.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ZoneRevision {
    pub(crate) name: Name,
    pub(crate) revision: usize,
}

impl Catalogue {
    /// Takes a document in, or says why not.
    ///
    /// # Errors
    ///
    /// The reason of the rejection. Nothing has changed then.
    pub fn publish(&mut self, document: Accepted, replaces: Option<&str>) -> Result<(), String> {
        let read = Document::read(&document.kind, &document.body)?;
        if self.current(&document.kind, &document.name).map(|a| a.id.as_str()) != replaces {
            return Err("replaces_mismatch".into());
        }
        read.check(&document.name).map_err(|(field, what)| format!("invalid: {field}: {what}"))?;
        self.check_references(&document.name, &read)?;
        self.take(document, read);
        Ok(())
    }

    fn check_references(&self, name: &str, document: &Document) -> Result<(), String> {
        let card = |name: &str| {
            let known = name == STANDARD || self.current("rate_card", name).is_some();
            if known { Ok(()) } else { Err(format!("unknown_rate_card: {name}")) }
        };
        match document {
            Document::Price(price) => {
                card(&price.rate_card)?;
                let unknown = price.charges.iter().find(|c| !self.has_unit(&c.unit));
                unknown.map_or(Ok(()), |c| Err(format!("unknown_unit: {}", c.unit)))
            }
            Document::VendorCost(price) => card(&price.rate_card),
            Document::Policies(policies) => {
                card(&policies.rate_card)?;
                let known = policies.zone == UTC || self.zones.contains_key(&policies.zone);
                if !known {
                    return Err(format!("unknown_zone: {}", policies.zone));
                }
                let mut units = policies.holds.iter().flat_map(HoldPolicy::units);
                let unknown = units.find(|unit| !self.has_unit(unit));
                unknown.map_or(Ok(()), |unit| Err(format!("unknown_unit: {unit}")))
            }
            Document::Fold(fold) if fold.version <= self.fold_version() => Err("not_newer".into()),
            Document::Key(key) => {
                let Some(stands) = self.current(KEY, name) else { return Ok(()) };
                match Document::read(KEY, &stands.body) {
                    Ok(Document::Key(stands)) => stands.may_become(key),
                    Ok(_) | Err(_) => unreachable!("a document is kept under its own kind"),
                }
            }
            Document::Unit(_) | Document::RateCard(_) | Document::Zone(_) | Document::Fold(_) => Ok(()),
        }
    }

    /// The version of the fold in force: genesis names the first.
    pub fn fold_version(&self) -> u32 {
        self.fold.unwrap_or(FoldVersion::NEWEST)
    }

    /// Sets the version with which a log begins, unless a document has raised it since.
    pub fn begin(&mut self, fold: u32) {
        self.fold = self.fold.max(Some(fold));
    }

    fn take(&mut self, accepted: Accepted, document: Document) {
        let revisions = self.revisions.entry((document.kind(), accepted.name.clone())).or_default();
        revisions.push(self.accepted.len());
        let revision = revisions.len();
        match document {
            Document::Unit(_) | Document::RateCard(_) | Document::Key(_) => {}
            Document::Zone(zone) => self.zones.entry(accepted.name.clone()).or_default().push(Arc::new(zone)),
            Document::Policies(policies) => self.policies.push((accepted.recorded_at, policies)),
            Document::Price(price) => self.prices.add(&accepted, revision, *price),
            Document::VendorCost(price) => self.costs.add(&accepted, revision, *price),
            Document::Fold(fold) => self.fold = Some(fold.version),
        }
        self.accepted.push(accepted);
    }

    /// Every accepted document, in order.
    pub fn accepted(&self) -> &[Accepted] {
        &self.accepted
    }

    /// The document of this kind and name that stands now.
    pub fn current(&self, kind: &str, name: &str) -> Option<&Accepted> {
        let kind = Document::KINDS.into_iter().find(|k| *k == kind)?;
        let last = self.revisions.get(&(kind, name.to_owned()))?.last()?;
        Some(&self.accepted[*last])
    }

    /// What usage costs us, by the same rules as prices: for reports alone.
    pub fn vendor_costs(&self) -> &PriceList {
        &self.costs
    }

    pub(crate) fn has_unit(&self, unit: &str) -> bool {
        self.current("unit", unit).is_some()
    }

    pub(crate) fn has_card(&self, card: &str) -> bool {
        card == STANDARD || self.current("rate_card", card).is_some()
    }

    pub(crate) fn has_zone(&self, zone: &str) -> bool {
        zone == UTC || self.zones.contains_key(zone)
    }

    /// The default policies for a record: those recorded up to `at`. The first ones hold for the time before them too: a
    /// history that is brought in later has no others.
    pub(crate) fn policies_at(&self, at: Instant) -> &Policies {
        let latest = self.policies.iter().rev().find(|(from, _)| *from <= at);
        latest.or(self.policies.first()).map_or(&self.builtin, |(_, p)| p)
    }

    /// The default policies for what time alone does at `at`: it comes before the records of that instant, and knows none that
    /// are recorded later, for it must not matter when a timer comes by.
    pub(crate) fn policies_before(&self, at: Instant) -> &Policies {
        self.policies.iter().rev().find(|(from, _)| *from < at).map_or(&self.builtin, |(_, p)| p)
    }

    /// The longest lateness that any default policies ever allowed, in nanoseconds.
    pub(crate) fn longest_lateness(&self) -> i64 {
        let policies = self.policies.iter().map(|(_, p)| p).chain([&self.builtin]);
        policies.map(|p| p.lateness.exact()).max().unwrap_or(0)
    }

    /// The newest revision of a zone, for a grant to keep.
    pub(crate) fn newest_zone(&self, name: &str) -> ZoneRevision {
        ZoneRevision { name: name.into(), revision: self.zones.get(name).map_or(0, Vec::len) }
    }

    pub(crate) fn zone(&self, kept: &ZoneRevision) -> Arc<Zone> {
        let revisions = self.zones.get(&*kept.name);
        let zone = revisions.and_then(|r| r.get(kept.revision.checked_sub(1)?));
        zone.cloned().unwrap_or_default()
    }

    /// The document from which [`Catalogue::read`] makes this catalogue again.
    pub fn write(&self) -> String {
        serde_json::to_string(&self.accepted).expect("documents are JSON")
    }

    /// Reads what [`Catalogue::write`] wrote.
    ///
    /// # Errors
    ///
    /// If it is something else.
    pub fn read(text: &str) -> Result<Self, String> {
        let mut catalogue = Self::default();
        let accepted: Vec<Accepted> = serde_json::from_str(text).map_err(|e| e.to_string())?;
        for document in accepted {
            let read = Document::read(&document.kind, &document.body)?;
            catalogue.take(document, read);
        }
        Ok(catalogue)
    }
}

/// Prices by the event types that they are for.
#[derive(Clone, Debug, Default)]
pub struct PriceList {
    names: Vec<Priced>,
    by_name: BTreeMap<String, usize>,
    by_type: BTreeMap<String, Vec<usize>>,
    loose: Vec<usize>,
    /// Whether any price counts over a period.
    pub(crate) counts: bool,
}

#[derive(Clone, Debug)]
struct Priced {
    name: Name,
    /// In order of their revision.
    versions: Vec<Version>,
}

impl Priced {
    fn in_force(&self, at: Instant) -> Option<&Version> {
        self.versions.iter().rev().find(|version| version.from <= at)
    }
}

/// One revision of a price.
#[derive(Clone, Debug)]
pub(crate) struct Version {
    pub(crate) label: Name,
    pub(crate) name: Name,
    pub(crate) from: Instant,
    pub(crate) price: Price,
    /// Unit and feature of each charge; the feature is the event's type where the price names none.
    pub(crate) names: Vec<(Name, Option<Name>)>,
}

impl PriceList {
    fn add(&mut self, accepted: &Accepted, revision: usize, price: Price) {
        let next = self.names.len();
        let at = *self.by_name.entry(accepted.name.clone()).or_insert(next);
        let name = Name::from(accepted.name.as_str());
        if at == next {
            self.names.push(Priced { name: name.clone(), versions: Vec::new() });
        }
        let index = match &price.matches.kind {
            Pattern::Exact(kind) => self.by_type.entry(kind.clone()).or_default(),
            Pattern::Prefix(_) | Pattern::Any(_) => &mut self.loose,
        };
        if !index.contains(&at) {
            index.push(at);
        }
        self.counts |= price.charges.iter().any(|c| c.tiers.as_ref().is_some_and(|t| t.period.is_some()));
        let exact = match &price.matches.kind {
            Pattern::Exact(kind) => Some(kind),
            Pattern::Prefix(_) | Pattern::Any(_) => None,
        };
        let names = price.charges.iter().map(|c| {
            let feature = c.feature.as_ref().or(price.feature.as_ref()).or(exact);
            (Name::from(c.unit.as_str()), feature.map(|f| Name::from(f.as_str())))
        });
        let version = Version {
            label: format!("{name}@{revision}").as_str().into(),
            from: price.effective_from.unwrap_or(accepted.recorded_at),
            names: names.collect(),
            name,
            price,
        };
        self.names[at].versions.push(version);
    }

    /// The versions in force at `at` on this card that may be for this type of event, by name at most once.
    pub(crate) fn candidates<'a>(
        &'a self,
        card: &'a str,
        kind: &str,
        at: Instant,
    ) -> impl Iterator<Item = &'a Version> + use<'a> {
        let exact: &[usize] = self.by_type.get(kind).map_or(&[], Vec::as_slice);
        let loose = self.loose.iter().filter(move |i| !exact.contains(i));
        exact.iter().chain(loose).filter_map(move |i| {
            let version = self.names[*i].in_force(at)?;
            (version.price.rate_card == card).then_some(version)
        })
    }

    /// The version of the price of this name that is in force at `at`.
    pub(crate) fn newest(&self, name: &str, at: Instant) -> Option<&Version> {
        self.names[*self.by_name.get(name)?].in_force(at)
    }

    /// The version of this label, `name@revision`.
    pub(crate) fn version(&self, label: &str) -> Option<&Version> {
        let (name, _) = label.rsplit_once('@')?;
        let priced = &self.names[*self.by_name.get(name)?];
        priced.versions.iter().find(|v| *v.label == *label)
    }

    /// The names of all prices.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.names.iter().map(|p| &*p.name)
    }
}
