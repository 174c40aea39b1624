//! What a record needs to know beside its wallet: most need nothing (design, section 1).

use crate::catalogue::Catalogue;
use crate::correct::{counted, families};
use crate::correction::{Step, UsageName, Voided};
use crate::event::{Event, Usage};
use crate::fold::price;
use crate::hold::Measure;
use crate::identity::key;
use crate::name::Name;
use crate::past::{Answer, Ask, Past};
use crate::quantity::Quantity;
use crate::rate::CounterKey;
use crate::record::Record;
use crate::time::Instant;
use crate::wallet::Wallet;

/// Whether a record may need to know anything beside its wallet: most surely do not.
pub fn may_ask(catalogue: &Catalogue, record: &Record<'_>) -> bool {
    match &record.event {
        Event::Usage(_) | Event::HoldRequested(_) | Event::HoldExtended(_) | Event::HoldSettled(_) => {
            catalogue.prices.counts
        }
        Event::UsageReversed(_)
        | Event::UsageRerated(_)
        | Event::GrantVoided(_)
        | Event::WalletChanged(_) => true,
        Event::Genesis(_)
        | Event::CataloguePublished(_)
        | Event::WalletConfigured(_)
        | Event::GrantIssued(_)
        | Event::TimerDue(_)
        | Event::WalletReset(_)
        | Event::OverageCleared(_)
        | Event::WalletSuspended
        | Event::WalletResumed
        | Event::HoldVoided(_) => false,
    }
}

/// What is to be looked up before the record can be applied. An answer may lead to further questions: ask again until nothing
/// is left to ask.
pub fn asks(catalogue: &Catalogue, wallet: &Wallet, record: &Record<'_>, past: &Past) -> Vec<Ask> {
    let mut wanted = match &record.event {
        Event::Usage(usage) => {
            if wallet.counted_until.is_none() || !catalogue.prices.counts {
                return Vec::new();
            }
            let hold = if wallet.holds.is_empty() { None } else { usage.hold() };
            of_event(catalogue, wallet, record, usage, hold.as_deref())
        }
        Event::HoldRequested(requested) => of_measure(catalogue, wallet, record, &requested.estimate, None),
        Event::HoldExtended(extended) => {
            let of = |more| of_measure(catalogue, wallet, record, more, Some(&extended.hold));
            extended.more.as_ref().map(of).unwrap_or_default()
        }
        Event::HoldSettled(settled) => {
            of_measure(catalogue, wallet, record, &settled.actual, Some(&settled.hold))
        }
        Event::UsageReversed(reversed) => of_usage(catalogue, wallet, record, past, &reversed.usage, None),
        Event::UsageRerated(rerated) => {
            of_usage(catalogue, wallet, record, past, &rerated.usage, Some(rerated.data))
        }
        Event::GrantVoided(voided) => of_void(voided).into_iter().collect(),
        Event::WalletChanged(steps) => {
            let of_step = |step: &Step| match step {
                Step::Void(voided) => of_void(voided),
                Step::Grant(..)
                | Step::Configure(_)
                | Step::Reset(_)
                | Step::Clear(_)
                | Step::Suspend
                | Step::Resume => None,
            };
            steps.iter().filter_map(of_step).collect()
        }
        Event::Genesis(_)
        | Event::CataloguePublished(_)
        | Event::WalletConfigured(_)
        | Event::GrantIssued(_)
        | Event::TimerDue(_)
        | Event::WalletReset(_)
        | Event::OverageCleared(_)
        | Event::WalletSuspended
        | Event::WalletResumed
        | Event::HoldVoided(_) => return Vec::new(),
    };
    wanted.retain(|ask| past.answer(ask).is_none());
    wanted
}

fn of_measure(
    catalogue: &Catalogue,
    wallet: &Wallet,
    record: &Record<'_>,
    measure: &Measure<'_>,
    hold: Option<&str>,
) -> Vec<Ask> {
    match measure {
        Measure::Event(event) if wallet.counted_until.is_some() => {
            of_event(catalogue, wallet, record, event, hold)
        }
        Measure::Event(_) | Measure::Amounts(_) => Vec::new(),
    }
}

/// Counters that price an event: as of its hold's time, and by its hold's price, if it settles an open one.
fn of_event(
    catalogue: &Catalogue,
    wallet: &Wallet,
    record: &Record<'_>,
    event: &Usage<'_>,
    hold: Option<&str>,
) -> Vec<Ask> {
    let clock = wallet.clock.max(record.envelope.recorded_at);
    let hold = hold.and_then(|id| wallet.holds.get(id));
    let of_hold = hold.map(|hold| {
        let rated = hold.rate(catalogue, wallet, event, |_| Quantity::default());
        rated.map(|rated| rated.counted).unwrap_or_default()
    });
    let is_now = matches!(record.event, Event::HoldRequested(_));
    let at = if is_now { clock } else { record.time().min(clock) };
    // The hold may be over by the record's time: then it is usage like any other.
    let mut keys = of_hold.unwrap_or_default();
    keys.extend(counters(catalogue, wallet, event, at));
    let mut asks = closed(wallet, keys);
    asks.sort();
    asks.dedup();
    asks
}

fn of_void(voided: &Voided) -> Option<Ask> {
    let by_grant = voided.grant_id.clone().map(Ask::Grant);
    by_grant.or_else(|| voided.purchase_id.clone().map(Ask::Purchase))
}

/// The usage; then what paid its overage back; then all lots that it may come back to, and their grants.
fn of_usage(
    catalogue: &Catalogue,
    wallet: &Wallet,
    record: &Record<'_>,
    past: &Past,
    name: &UsageName<'_>,
    rerated: Option<Option<&serde_json::value::RawValue>>,
) -> Vec<Ask> {
    let ask = Ask::Usage(key(record.wallet(), &name.source, &name.id));
    let Some(used) = past.usage() else { return vec![ask] };
    let overage: Vec<Ask> = used.overage().map(Ask::Paid).collect();
    let paid_by = overage.iter().filter_map(|ask| past.answer(ask)).flat_map(|answer| match answer {
        Answer::Paid(paid) => paid.as_slice(),
        Answer::Counter(_) | Answer::Usage(_) | Answer::Lots(_) | Answer::Grants(_) => &[],
    });
    let lots = used.draws.iter().filter_map(|d| d.lot.as_ref()).chain(paid_by.filter_map(|p| p.lot.as_ref()));
    let families = families(lots);
    let mut keys = counted(catalogue, wallet, used);
    if let Some(data) = rerated {
        let usage = Usage { data: data.or(used.data.as_deref()), ..used.usage() };
        keys.extend(counters(catalogue, wallet, &usage, used.at));
    }
    let grants = families.iter().map(|id| Ask::Grant(grant_of(id).to_owned()));
    let counters = closed(wallet, keys);
    let mut asks: Vec<Ask> = overage.into_iter().chain(grants).chain(counters).collect();
    asks.extend(families.iter().cloned().map(Ask::Family));
    asks.sort();
    asks.dedup();
    asks
}

/// The grant's name within the name of one of its lots.
fn grant_of(lot: &Name) -> &str {
    lot.rsplit_once('#').map_or(lot, |(grant, _)| grant)
}

fn counters(
    catalogue: &Catalogue,
    wallet: &Wallet,
    usage: &Usage<'_>,
    at: Instant,
) -> Vec<(CounterKey, Quantity)> {
    price(catalogue, wallet, usage, at, |_| Quantity::default())
        .map(|rated| rated.counted)
        .unwrap_or_default()
}

/// Of these counters, those that have left the document.
fn closed(wallet: &Wallet, keys: Vec<(CounterKey, Quantity)>) -> Vec<Ask> {
    let Some(until) = wallet.counted_until else { return Vec::new() };
    let is_closed = |key: &CounterKey| key.starts <= until && !wallet.counters.iter().any(|c| c.is(key));
    keys.into_iter().map(|(key, _)| key).filter(is_closed).map(Ask::Counter).collect()
}
