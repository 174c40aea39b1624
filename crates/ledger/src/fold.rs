//! The fold: one record of one wallet (design, section 3).

use crate::amount::Amount;
use crate::catalogue::{Accepted, Catalogue};
use crate::changes::Changes;
use crate::document::Policies;
use crate::entry::{Entry, EntryKind, Outcome};
use crate::event::{Event, Published, Usage};
use crate::hold::Measure;
use crate::identity::Identity;
use crate::known::by_id;
use crate::name::Name;
use crate::past::Past;
use crate::quantity::Quantity;
use crate::rate::{CounterKey, Fields, Rated, Unpriced, choose, rate};
use crate::record::Record;
use crate::time::Instant;
use crate::wallet::{Counter, Wallet};
use crate::zone::Month;

use std::borrow::Cow;
use std::collections::BTreeMap;

/// Why a request is refused: a word, and sometimes more.
pub(crate) type Refused = Cow<'static, str>;

/// Applies a record to its wallet: advances the wallet to its clock, then does what the record says, or refuses it.
///
/// Timers have no outcome. Records without a wallet are not for this: see [`Catalogue::publish`].
pub fn apply(
    catalogue: &Catalogue,
    wallet: &mut Wallet,
    past: &Past,
    record: &Record<'_>,
    identity: &Identity,
    changes: &mut Changes,
) -> Option<Outcome> {
    let clock = wallet.clock.max(record.envelope.recorded_at);
    let mut fold = Fold::new(catalogue, wallet, changes);
    let was_there = fold.wallet.clock != Instant::default();
    fold.advance(clock);
    if let Event::TimerDue(_) = record.event {
        fold.settle();
        return None;
    }
    match fold.known(past, record, identity) {
        Some(again) => {
            fold.settle();
            return Some(again);
        }
        None => fold.open(record, was_there),
    }
    let outcome = fold.record(past, record);
    fold.settle();
    Some(outcome)
}

/// Applies a catalogue record.
pub fn publish(
    catalogue: &mut Catalogue,
    past: &Past,
    record: &Record<'_>,
    published: &Published<'_>,
    identity: &Identity,
) -> Outcome {
    by_id(past, identity).unwrap_or_else(|| {
        let document = Accepted {
            kind: published.kind.to_string(),
            name: published.name.to_string(),
            id: record.envelope.id.to_string(),
            recorded_at: record.envelope.recorded_at,
            body: published.body.get().to_owned(),
        };
        let published = catalogue.publish(document, published.replaces.as_deref());
        published.map_or_else(Outcome::Rejected, |()| Outcome::Applied(None))
    })
}

/// A wallet as it would be if nothing happened until `at` but time.
#[must_use]
pub fn advanced(catalogue: &Catalogue, wallet: &Wallet, at: Instant) -> (Wallet, Changes) {
    let (mut wallet, mut changes) = (wallet.clone(), Changes::default());
    let clock = wallet.clock.max(at);
    let mut fold = Fold::new(catalogue, &mut wallet, &mut changes);
    fold.advance(clock);
    fold.settle();
    (wallet, changes)
}

pub(crate) fn price(
    catalogue: &Catalogue,
    wallet: &Wallet,
    usage: &Usage<'_>,
    at: Instant,
    counter: impl Fn(&CounterKey) -> Quantity,
) -> Result<Rated, Unpriced> {
    let fields = Fields::of(usage.data);
    let card = wallet.card(catalogue, at);
    let version = choose(&catalogue.prices, card, usage, &fields, at).ok_or(Unpriced::NoPrice)?;
    rate(version, usage, &fields, |period| wallet.zone(catalogue, at).1.period(at, period), counter)
}

/// What a usage of this time cost us: for reports alone. Tiers over a period count in `counters`.
///
/// # Errors
///
/// Why it has no cost.
pub fn vendor_cost(
    catalogue: &Catalogue,
    wallet: &Wallet,
    usage: &Usage<'_>,
    at: Instant,
    counters: &mut BTreeMap<CounterKey, Quantity>,
) -> Result<Rated, Unpriced> {
    let fields = Fields::of(usage.data);
    let card = wallet.card(catalogue, at);
    let version = choose(catalogue.vendor_costs(), card, usage, &fields, at).ok_or(Unpriced::NoPrice)?;
    let period = |period| wallet.zone(catalogue, at).1.period(at, period);
    let rated = rate(version, usage, &fields, period, |key| counters.get(key).copied().unwrap_or_default())?;
    counters.extend(rated.counted.iter().cloned());
    Ok(rated)
}

/// A fold in progress.
pub(crate) struct Fold<'a> {
    pub(crate) catalogue: &'a Catalogue,
    pub(crate) wallet: &'a mut Wallet,
    pub(crate) changes: &'a mut Changes,
    /// Counters that left the wallet in this fold: the store does not have them yet.
    pub(crate) closed: Vec<Counter>,
    pub(crate) line: u32,
    /// Whether a lot, a grant or a bucket of overage came, went or became empty.
    pub(crate) reshaped: bool,
}

/// When something counts, when it is known, and the default policies of that moment.
#[derive(Clone, Copy)]
pub(crate) struct Moment<'a> {
    pub(crate) effective_at: Instant,
    pub(crate) booked_at: Instant,
    pub(crate) policies: &'a Policies,
}

/// What an entry concerns beside its unit and amount.
#[derive(Clone, Default)]
pub(crate) struct About {
    pub(crate) lot: Option<Name>,
    pub(crate) other: Option<Name>,
    pub(crate) feature: Option<Name>,
    pub(crate) price: Option<Name>,
    pub(crate) month: Option<Month>,
}

impl<'a> Fold<'a> {
    fn new(catalogue: &'a Catalogue, wallet: &'a mut Wallet, changes: &'a mut Changes) -> Self {
        Self { catalogue, wallet, changes, closed: Vec::new(), line: 0, reshaped: false }
    }

    /// A wallet is not there while nothing but requests for holds names it.
    fn open(&mut self, record: &Record<'_>, was_there: bool) {
        let asks =
            matches!(record.event, Event::HoldRequested(_) | Event::HoldExtended(_) | Event::HoldVoided(_));
        self.wallet.unopened = asks && (self.wallet.unopened || !was_there);
    }

    fn record(&mut self, past: &Past, record: &Record<'_>) -> Outcome {
        let clock = self.wallet.clock;
        let done = Outcome::Applied(None);
        let decided = match &record.event {
            Event::Usage(usage) => Ok(Outcome::Applied(self.event(past, usage, record))),
            Event::GrantIssued(terms) => self.grant(terms, record.time()).map(|()| done),
            Event::WalletConfigured(configured) => {
                self.configure(configured, &record.envelope.id).map(|()| done)
            }
            Event::HoldRequested(requested) => self.hold_requested(past, record, requested),
            Event::HoldExtended(extended) => self.hold_extended(past, record, extended),
            Event::HoldSettled(settled) => self.hold_settled(past, record, settled).map(|unpriced| {
                self.wallet.unpriced += u64::from(unpriced.is_some());
                Outcome::Applied(unpriced)
            }),
            Event::HoldVoided(voided) => self.hold_voided(past, voided).map(|()| done),
            Event::GrantVoided(_)
            | Event::UsageReversed(_)
            | Event::UsageRerated(_)
            | Event::WalletReset(_)
            | Event::OverageCleared(_)
            | Event::WalletChanged(_)
            | Event::WalletSuspended
            | Event::WalletResumed => self.correction(past, record).map(|()| done),
            Event::Genesis(_) | Event::CataloguePublished(_) | Event::TimerDue(_) => {
                unreachable!("a wallet's records say something of it")
            }
        };
        match decided {
            Err(reason) => Outcome::Rejected(reason.into()),
            Ok(declined @ Outcome::Declined(_)) => declined,
            Ok(outcome) => {
                let now = self.recorded(clock);
                self.repay(now);
                self.close_late(now);
                outcome
            }
        }
    }

    /// A product's event: usage as of its own time, or as of the hold's that it settles.
    fn event(&mut self, past: &Past, usage: &Usage<'_>, record: &Record<'_>) -> Option<Unpriced> {
        let hold = if self.wallet.holds.is_empty() { None } else { usage.hold() };
        let unpriced = match hold.filter(|hold| self.wallet.holds.contains_key(&**hold)) {
            Some(hold) => {
                let actual = Measure::Event(usage.clone());
                self.settle_hold(past, &hold, &actual, record.subject(), true)
            }
            None => {
                let at = record.time().min(self.wallet.clock);
                self.usage(past, usage, record.subject(), at).err()
            }
        };
        self.wallet.unpriced += u64::from(unpriced.is_some());
        unpriced
    }

    fn correction(&mut self, past: &Past, record: &Record<'_>) -> Result<(), Refused> {
        if record.event.wants_reason() && !record.envelope.gives_reason() {
            return Err("no_reason".into());
        }
        match &record.event {
            Event::GrantVoided(voided) => self.void(past, voided),
            Event::UsageReversed(reversed) => self.reverse(past, reversed),
            Event::UsageRerated(rerated) => self.rerate(past, rerated),
            Event::WalletReset(reset) => self.reset(reset, self.recorded(self.wallet.clock)),
            Event::OverageCleared(cleared) => self.clear(cleared),
            Event::WalletChanged(steps) => self.change(past, record, steps),
            Event::WalletSuspended => self.suspend(true),
            Event::WalletResumed => self.suspend(false),
            Event::Genesis(_)
            | Event::CataloguePublished(_)
            | Event::WalletConfigured(_)
            | Event::GrantIssued(_)
            | Event::Usage(_)
            | Event::TimerDue(_)
            | Event::HoldRequested(_)
            | Event::HoldExtended(_)
            | Event::HoldSettled(_)
            | Event::HoldVoided(_) => unreachable!("it is no correction"),
        }
    }

    /// The moment of something that a record does, which counts as of `effective_at`.
    pub(crate) fn recorded(&self, effective_at: Instant) -> Moment<'a> {
        let booked_at = self.wallet.clock;
        Moment { effective_at, booked_at, policies: self.catalogue.policies_at(booked_at) }
    }

    pub(crate) fn usage(
        &mut self,
        past: &Past,
        usage: &Usage<'_>,
        subject: Option<&str>,
        at: Instant,
    ) -> Result<(), Unpriced> {
        let rated = price(self.catalogue, self.wallet, usage, at, |key| self.counter(past, key))?;
        if rated.charges.iter().all(|(_, _, amount)| amount.is_zero()) {
            self.changes.priced = Some(rated.price.clone());
        }
        let moment = self.recorded(at);
        for (key, value) in rated.counted {
            self.count(key, value, moment);
        }
        for (unit, feature, amount) in rated.charges {
            self.burn(
                crate::burn::Charge { unit, feature, amount, price: Some(&rated.price), subject },
                moment,
            );
        }
        Ok(())
    }

    pub(crate) fn count(&mut self, key: CounterKey, value: Quantity, moment: Moment<'_>) {
        let here = self.wallet.counters.iter_mut().chain(&mut self.closed).find(|c| c.is(&key));
        if let Some(counter) = here {
            counter.value = value;
            return;
        }
        let closes_at = key.ends.plus(moment.policies.lateness.exact());
        let counter = Counter { price: key.price, charge: key.charge, starts: key.starts, closes_at, value };
        if self.wallet.counted_until.is_some_and(|until| key.starts <= until) {
            self.changes.counters.push(counter);
        } else {
            self.wallet.counters.push(counter);
            self.reshaped = true;
        }
    }

    pub(crate) fn book(
        &mut self,
        kind: EntryKind,
        unit: &Name,
        amount: Amount,
        about: About,
        moment: Moment<'_>,
    ) {
        let entry = Entry {
            line: self.line,
            kind,
            unit: unit.clone(),
            lot: about.lot,
            other_lot: about.other,
            amount,
            available_after: self.wallet.available(unit, moment.booked_at),
            effective_at: moment.effective_at,
            booked_at: moment.booked_at,
            feature: about.feature,
            price: about.price,
            month: about.month,
        };
        self.line += 1;
        self.changes.entries.push(entry);
    }
}
