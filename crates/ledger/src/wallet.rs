//! A wallet: who pays, and all of it that can still change.

use std::collections::BTreeMap;
use std::hint::black_box;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::amount::Amount;
use crate::catalogue::ZoneRevision;
use crate::correction::What;
use crate::grant::Terms;
use crate::hold::Hold;
use crate::lot::Lot;
use crate::name::Name;
use crate::quantity::Quantity;
use crate::rate::CounterKey;
use crate::settings::Settings;
use crate::time::Instant;
use crate::zone::Month;

/// A wallet's document. It holds no partition and no offset, so that the same records give the same document anywhere.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Wallet {
    /// The largest `recorded_at` among its records.
    pub clock: Instant,
    /// Whether somebody configured it; otherwise usage or a grant opened it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub claimed: bool,
    /// Whether it is suspended: usage is booked all the same.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub suspended: bool,
    /// Its policies, and what they were.
    #[serde(default, skip_serializing_if = "Settings::is_default")]
    pub(crate) settings: Settings,
    /// The next lot's place in the order of issue.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub(crate) next_order: u64,
    /// The next grant's number.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub(crate) next_grant: u64,
    /// How many usages could not be priced.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub unpriced: u64,
    /// Grants that have lots here or to come, in order of issue.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) grants: Vec<Grant>,
    /// Lots in the order of burning.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) lots: Vec<Lot>,
    /// Open overage, oldest month first, then by feature.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) overage: Vec<Overage>,
    /// Tier counters of periods that are not closed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) counters: Vec<Counter>,
    /// The latest start of a period whose counter has become a row.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) counted_until: Option<Instant>,
    /// Open holds, by their ids.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) holds: BTreeMap<Name, Hold>,
    /// Whether nothing but requests for holds has named it so far.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) unopened: bool,
    /// When something happens next by time alone, rows or none. Found again when the wallet is read.
    #[serde(skip)]
    pub(crate) wakes_at: Option<Instant>,
}

fn is_zero(n: &u64) -> bool {
    *n == 0
}

/// A grant that has lots in the wallet or to come.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Grant {
    pub(crate) no: u64,
    pub(crate) terms: Arc<Terms>,
    pub(crate) zone: ZoneRevision,
    /// When the first lot begins.
    pub(crate) effective_at: Instant,
    /// Cycle k begins at occurrence `base + k`; but the first at `effective_at`, when that lies between two.
    pub(crate) base: i64,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) partial: bool,
    /// The next lot to begin: its cycle, and when.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) next: Option<(u32, Instant)>,
    /// Since when all of it is void: whatever comes back to one of its lots is voided.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) void: Option<Instant>,
    /// When its open lots, or its carried ones, were voided.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) voids: Vec<(Instant, What)>,
}

impl Grant {
    /// Its promise.
    pub fn terms(&self) -> &Terms {
        &self.terms
    }

    /// Since when a lot of it is void, also one that had left the wallet because nothing was in it.
    pub(crate) fn voided(&self, lot: &Lot) -> Option<Instant> {
        let meant = |what: What| match what {
            What::Open => lot.carried == 0,
            What::Carried => lot.carried > 0,
            What::All | What::Future => false,
        };
        let own = self.voids.iter().filter(|(at, what)| meant(*what) && lot.holds(*at)).map(|(at, _)| *at);
        own.chain(self.void).min()
    }

    /// Since when all of it is void.
    pub fn void_since(&self) -> Option<Instant> {
        self.void
    }

    /// A grant that has left its wallet's document, as JSON.
    pub fn write(&self) -> String {
        serde_json::to_string(self).expect("a grant is JSON")
    }

    /// Reads what [`Grant::write`] wrote.
    ///
    /// # Errors
    ///
    /// If it is something else: the projection must be rebuilt.
    pub fn read(document: &str) -> Result<Self, serde_json::Error> {
        serde_json::from_str(document)
    }
}

/// Usage of one month, unit and feature that no lot covered.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Overage {
    /// The month of the usage's time, in the wallet's zone as it stood then.
    pub month: Month,
    /// What was used.
    pub feature: Name,
    /// The unit.
    pub unit: Name,
    /// What is open.
    #[serde(deserialize_with = "crate::amount::sum")]
    pub amount: Amount,
    /// When the month, and the lateness that the catalogue allows, are over.
    pub closes_at: Instant,
}

impl Overage {
    pub(crate) fn key(&self) -> (Month, &Name, &Name, Instant) {
        (self.month, &self.feature, &self.unit, self.closes_at)
    }
}

/// What graduated tiers have counted in a period.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Counter {
    /// The price's name.
    pub price: Name,
    /// The charge's name.
    pub charge: Name,
    /// The first instant of the period.
    pub starts: Instant,
    /// When it leaves the document and becomes a row.
    pub closes_at: Instant,
    /// What was counted.
    pub value: Quantity,
}

impl Counter {
    pub(crate) fn is(&self, key: &CounterKey) -> bool {
        self.price == key.price && self.charge == key.charge && self.starts == key.starts
    }
}

impl Default for Wallet {
    fn default() -> Self {
        Self::new()
    }
}

impl Wallet {
    /// A wallet of which nothing is known.
    pub fn new() -> Self {
        Self {
            clock: Instant::default(),
            claimed: false,
            suspended: false,
            settings: Settings::default(),
            next_order: 0,
            next_grant: 0,
            unpriced: 0,
            grants: Vec::new(),
            lots: Vec::new(),
            overage: Vec::new(),
            counters: Vec::new(),
            counted_until: None,
            holds: BTreeMap::new(),
            unopened: false,
            wakes_at: None,
        }
    }

    /// Reads a document that [`Wallet::write`] wrote.
    ///
    /// # Errors
    ///
    /// If it is no wallet's document: the projection must be rebuilt.
    pub fn read(document: &str) -> Result<Self, serde_json::Error> {
        let mut wallet: Self = serde_json::from_str(document)?;
        for lot in &mut wallet.lots {
            let grant = wallet.grants.iter().find(|g| g.no == lot.grant);
            let missing = || serde::de::Error::custom(format!("lot {} has no grant", lot.id));
            lot.terms = grant.ok_or_else(missing)?.terms.clone();
        }
        // Something may have come due since: the next record looks.
        wallet.wakes_at = Some(Instant::default());
        Ok(wallet)
    }

    /// The document as JSON: fields at their default are left out, the rest stands in one order.
    pub fn write(&self) -> String {
        serde_json::to_string(self).expect("a wallet is JSON")
    }

    /// The digest of what [`Wallet::write`] wrote. New fields, at their default, change no old digest.
    pub fn digest(document: &str) -> [u8; 32] {
        Sha256::digest(document.as_bytes()).into()
    }

    /// Lots in the order of burning: open ones, and ended ones that still pay late usage.
    pub fn lots(&self) -> &[Lot] {
        &self.lots
    }

    /// Grants that have lots here or to come, in order of issue.
    pub fn grants(&self) -> &[Grant] {
        &self.grants
    }

    /// Lots to come: of each grant that has one, its terms, the lot's cycle, and when it begins; in order of issue.
    pub fn upcoming(&self) -> impl Iterator<Item = (&Terms, u32, Instant)> {
        self.grants.iter().filter_map(|g| g.next.map(|(cycle, at)| (&*g.terms, cycle, at)))
    }

    /// Reads some of what a fold of usage will read: with 0 the wallet itself, with 1 its first lot, with 2 what that refers to.
    /// Done for many wallets in a row, each step for all of them, the waits for memory overlap.
    pub fn warm(&self, step: usize) {
        let first = |text: &Name| text.as_bytes().first().copied();
        match (step, self.lots.first()) {
            (0, _) => {
                let lines = (self.clock, self.settings.cards.len(), self.settings.overage.is_some());
                black_box((lines, self.lots.len(), self.overage.len(), self.wakes_at));
            }
            (1, Some(lot)) => {
                black_box((
                    lot.unit.len(),
                    lot.remaining,
                    lot.consumed,
                    lot.issued,
                    lot.moved,
                    lot.ends_at,
                    lot.touched,
                ));
            }
            (2, Some(lot)) => {
                let terms = &lot.terms;
                black_box((first(&lot.unit), first(&lot.id), terms.applies_to.feature.len(), terms.priority));
            }
            _ => {}
        }
    }

    /// A wallet that has this one's rate cards and zones, and nothing else: what a report of many wallets' usage needs.
    #[must_use]
    pub fn only_calendar(&self) -> Self {
        let Settings { cards, zones, .. } = self.settings.clone();
        Self { settings: Settings { cards, zones, ..Settings::default() }, ..Self::new() }
    }

    /// Open overage, oldest month first.
    pub fn overage(&self) -> &[Overage] {
        &self.overage
    }

    /// The sum of what is remaining in lots of the unit open at `at`.
    pub fn available(&self, unit: &str, at: Instant) -> Amount {
        self.lots.iter().filter(|l| *l.unit == *unit && l.is_open(at)).map(|l| l.remaining).sum()
    }

    /// The sum of what is held in lots of the unit.
    pub fn held(&self, unit: &str) -> Amount {
        self.lots.iter().filter(|l| *l.unit == *unit).map(|l| l.held).sum()
    }

    /// When something is due next that books an entry: for the scheduler.
    pub fn next_due_at(&self) -> Option<Instant> {
        let ends = self.lots.iter().filter(|l| !l.ended && !l.ends_quietly()).filter_map(|l| l.ends_at);
        let begins =
            self.grants.iter().filter(|g| self.is_awaited(g)).filter_map(|g| g.next.map(|(_, at)| at));
        let closes = self.overage.iter().map(|o| o.closes_at).filter(|at| *at > self.clock);
        ends.chain(begins).chain(closes).chain(self.next_reset()).chain(self.next_hold_end()).min()
    }

    /// When its policy resets it next.
    pub(crate) fn next_reset(&self) -> Option<Instant> {
        self.settings.reset.as_ref().and_then(|r| r.next)
    }

    /// Whether a grant's next lot books something when it begins: that of a quiet one only if it pays overage back.
    pub(crate) fn is_awaited(&self, grant: &Grant) -> bool {
        let pays = |o: &Overage| *o.unit == *grant.terms.unit && grant.terms.applies_to.repays(&o.feature);
        !grant.terms.is_quiet() || self.overage.iter().any(pays)
    }

    /// The lots changed since this was last called; their rows are to be written.
    pub fn take_touched(&mut self) -> impl Iterator<Item = &Lot> {
        let touched = |lot: &mut Lot| std::mem::take(&mut lot.touched) && !lot.is_untouched();
        self.lots.iter_mut().filter_map(move |lot| touched(lot).then_some(&*lot))
    }
}
