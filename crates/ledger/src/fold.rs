//! The fold: one record of one wallet (design, section 3).

use crate::amount::Amount;
use crate::catalogue::{Accepted, Catalogue};
use crate::document::Policies;
use crate::entry::{Entry, EntryKind, Outcome};
use crate::event::{Configured, Event, OveragePolicy, Published, Usage};
use crate::lot::Lot;
use crate::name::Name;
use crate::position::Offset;
use crate::quantity::Quantity;
use crate::rate::{CounterKey, Fields, Rated, Unpriced, choose, rate};
use crate::record::{Hash16, Identity, Record};
use crate::time::Instant;
use crate::wallet::{Counter, Wallet};
use crate::zone::Zone;

use std::collections::BTreeMap;
use std::sync::Arc;

/// What the ids named in a record lead to, from the store and the batches in flight.
#[derive(Debug, Default)]
pub struct Past {
    /// The record that first bore this identity, at a lower offset.
    pub identity: Option<Known>,
    /// The record that first issued a grant of this name.
    pub grant: Option<Known>,
    /// Counters of closed periods, as asked for by [`needs`].
    pub counters: Vec<(CounterKey, Quantity)>,
}

/// A record that was there before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Known {
    /// Its offset.
    pub offset: Offset,
    /// What it said.
    pub content: Hash16,
}

/// What a fold adds to the projections, beside the wallet.
#[derive(Debug, Default)]
pub struct Changes {
    /// Entries, in order.
    pub entries: Vec<Entry>,
    /// Lots that have left their wallet, as they were.
    pub left: Vec<Lot>,
    /// Counters that have left their wallet, or changed afterwards.
    pub counters: Vec<Counter>,
}

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
    fold.advance(clock);
    if let Event::TimerDue(_) = record.event {
        fold.settle();
        return None;
    }
    let outcome = known(past, identity).unwrap_or_else(|| fold.record(past, record));
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
    known(past, identity).unwrap_or_else(|| {
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

/// The counters of closed periods that a record asks for: most ask for none.
pub fn needs(catalogue: &Catalogue, wallet: &Wallet, record: &Record<'_>) -> Vec<CounterKey> {
    let Event::Usage(usage) = &record.event else { return Vec::new() };
    let Some(until) = wallet.counted_until.filter(|_| catalogue.prices.counts) else { return Vec::new() };
    let at = record.time().min(wallet.clock.max(record.envelope.recorded_at));
    let rated = price(catalogue, wallet, usage, at, |_| Quantity::default());
    let Ok(rated) = rated else { return Vec::new() };
    let closed = |key: &CounterKey| key.starts <= until && !wallet.counters.iter().any(|c| c.is(key));
    rated.counted.into_iter().map(|(key, _)| key).filter(closed).collect()
}

fn known(past: &Past, identity: &Identity) -> Option<Outcome> {
    let same = |known: &Known, content: Hash16| match known.content == content {
        true => Outcome::Duplicate(known.offset),
        false => Outcome::Conflict(known.offset),
    };
    let by_id = past.identity.as_ref().map(|k| same(k, identity.content));
    by_id.or_else(|| past.grant.as_ref().zip(identity.grant).map(|(k, (_, content))| same(k, content)))
}

fn price(
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
#[derive(Default)]
pub(crate) struct About {
    pub(crate) lot: Option<Name>,
    pub(crate) other: Option<Name>,
    pub(crate) feature: Option<Name>,
    pub(crate) price: Option<Name>,
}

impl<'a> Fold<'a> {
    fn new(catalogue: &'a Catalogue, wallet: &'a mut Wallet, changes: &'a mut Changes) -> Self {
        Self { catalogue, wallet, changes, closed: Vec::new(), line: 0, reshaped: false }
    }

    fn record(&mut self, past: &Past, record: &Record<'_>) -> Outcome {
        let clock = self.wallet.clock;
        let applied = match &record.event {
            Event::Usage(usage) => {
                let at = record.time().min(clock);
                let unpriced = self.usage(past, usage, record.subject(), at).err();
                self.wallet.unpriced += u64::from(unpriced.is_some());
                Ok(unpriced)
            }
            Event::GrantIssued(terms) => self.grant(terms, record.time()).map(|()| None),
            Event::WalletConfigured(configured) => {
                self.configure(configured, &record.envelope.id).map(|()| None)
            }
            Event::Genesis(_) | Event::CataloguePublished(_) | Event::TimerDue(_) => {
                unreachable!("a wallet's records say something of it")
            }
        };
        match applied {
            Err(reason) => Outcome::Rejected(reason.into()),
            Ok(unpriced) => {
                let now = self.recorded(clock);
                self.repay(now);
                self.close_late(now);
                Outcome::Applied(unpriced)
            }
        }
    }

    /// The moment of something that a record does, which counts as of `effective_at`.
    pub(crate) fn recorded(&self, effective_at: Instant) -> Moment<'a> {
        let booked_at = self.wallet.clock;
        Moment { effective_at, booked_at, policies: self.catalogue.policies_at(booked_at) }
    }

    fn usage(
        &mut self,
        past: &Past,
        usage: &Usage<'_>,
        subject: Option<&str>,
        at: Instant,
    ) -> Result<(), Unpriced> {
        let (wallet, closing) = (&*self.wallet, &self.closed);
        let counter = |key: &CounterKey| {
            let here = wallet.counters.iter().chain(closing).find(|c| c.is(key)).map(|c| c.value);
            let closed = || past.counters.iter().find(|(k, _)| k == key).map(|(_, value)| *value);
            here.or_else(closed).unwrap_or_default()
        };
        let rated = price(self.catalogue, wallet, usage, at, counter)?;
        let moment = self.recorded(at);
        for (key, value) in rated.counted {
            self.count(key, value, moment);
        }
        for (unit, feature, amount) in rated.charges {
            self.burn(crate::burn::Charge { unit, feature, amount, price: &rated.price, subject }, moment);
        }
        Ok(())
    }

    fn count(&mut self, key: CounterKey, value: Quantity, moment: Moment<'_>) {
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

    fn configure(&mut self, configured: &Configured, id: &str) -> Result<(), &'static str> {
        let clock = self.wallet.clock;
        let card = configured.rate_card.as_deref();
        let zone = configured.zone.as_deref();
        if self.wallet.settings.last != configured.replaces {
            return Err("replaces_mismatch");
        }
        if card.is_some_and(|c| !self.catalogue.has_card(c)) {
            return Err("unknown_rate_card");
        }
        if zone.is_some_and(|z| !self.catalogue.has_zone(z)) {
            return Err("unknown_zone");
        }
        let settings = &mut self.wallet.settings;
        let set = |history: &mut Vec<(Instant, Option<Name>)>, to: Option<&str>| {
            let to = to.map(Name::from);
            if history.last().map_or(&None, |(_, name)| name) != &to {
                history.push((clock, to));
            }
        };
        set(&mut settings.cards, card);
        set(&mut settings.zones, zone);
        settings.overage = configured.overage;
        settings.metadata.clone_from(&configured.metadata);
        settings.last = Some(id.to_owned());
        self.wallet.claimed = true;
        Ok(())
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
        };
        self.line += 1;
        self.changes.entries.push(entry);
    }
}

impl Wallet {
    /// The rate card that prices usage of this time.
    pub fn card<'a>(&'a self, catalogue: &'a Catalogue, at: Instant) -> &'a str {
        let own = self.settings.cards.iter().rev().find(|(from, _)| *from <= at);
        own.and_then(|(_, card)| card.as_deref()).unwrap_or(&catalogue.policies_at(at).rate_card)
    }

    /// The zone of this time: its name, and its newest revision.
    pub fn zone<'a>(&'a self, catalogue: &'a Catalogue, at: Instant) -> (&'a str, Arc<Zone>) {
        let own = self.settings.zones.iter().rev().find(|(from, _)| *from <= at);
        let name = own.and_then(|(_, zone)| zone.as_deref()).unwrap_or(&catalogue.policies_at(at).zone);
        (name, catalogue.zone(&catalogue.newest_zone(name)))
    }

    /// What happens to usage that no lot covers: the wallet's own policy, else the default one given.
    pub(crate) fn overage_policy(&self, policies: &Policies) -> OveragePolicy {
        self.settings.overage.unwrap_or(policies.overage)
    }
}
