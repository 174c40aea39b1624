//! How long a wallet's credits last, if it goes on using them as it did.
//!
//! - *Used* is what usage took in the days before now, whether lots covered it or not, less what was reversed of it. Days are stretches
//!   of 24 hours counted back from now; a wallet that is younger has fewer.
//! - *Rate* is what was used, divided by the time that was looked at; an amount is cut to nine places.
//! - *Depleted* is the first moment at which no lot covers what is used. It is found by the fold: usage at the rate, shared among the
//!   features as it was, is charged to a copy of the wallet, from one change that time brings to the next, a day at most at a time;
//!   so lots burn in their order, end, are carried over and recur as they will. What holds have set aside comes back at their end.
//!   Lots that are for some subjects alone are not counted on.
//! - *Its range* comes from the days that were looked at: the soonest is by the rate of a day that three quarters of them did not
//!   exceed, the latest by one that a quarter of them did not exceed; the mean is always between them.

mod show;

use std::collections::BTreeMap;

use anyhow::anyhow;
use ingest::{Hold, Holding, Measure, Stamp};
use ledger::{
    Amount, Changes, EntryKind, Instant, Line, Memory, Outcome, Past, Wallet, advanced, apply, decode,
};
use schemars::JsonSchema;
use serde::Serialize;
use store::rows::EntryRow;
use store::{EntryFilter, Store};

use crate::view::entry::{amount, kind_of};
use crate::view::net::Net;
use crate::view::{AsOf, Reading, WalletNow};

/// How many days are looked at if nobody says.
pub(crate) const USUAL_DAYS: u32 = 14;
/// How many days are looked at, at most.
pub(crate) const MOST_DAYS: u32 = 90;

const SECOND: i64 = 1_000_000_000;
const HOUR: i64 = 3_600 * SECOND;
const DAY: i64 = 24 * HOUR;
/// How far is looked ahead.
const HORIZON: i64 = 366 * DAY;
/// A lot that ends within this time ends soon.
const SOON: i64 = 30 * DAY;
/// Most steps of a look ahead: a wallet with more changes to come is told to last as far as they reach.
const MOST_STEPS: usize = 4_000;
/// Rows read at once.
const PAGE: u32 = 4_096;

/// What was used of each unit, by feature and by stretches of time.
pub(crate) struct Burned {
    from: Instant,
    units: BTreeMap<String, OfUnit>,
}

#[derive(Default)]
struct OfUnit {
    /// By feature.
    features: BTreeMap<String, Net>,
    /// By days back from now.
    days: BTreeMap<i64, Net>,
    /// By hours back from now, of the last day.
    hours: BTreeMap<i64, Net>,
}

/// How a wallet's credits will last, if it goes on using them as it did: the fold charges usage at the rate of the days before to a
/// copy of the wallet, with lots that end and recur as they will, until no lot covers it.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Forecast {
    wallet: String,
    as_of: AsOf,
    /// Since when usage is counted for the rates.
    from: Instant,
    units: BTreeMap<String, Outlook>,
    behind: u64,
}

/// What is to be expected of one unit.
#[derive(Debug, Serialize, JsonSchema)]
struct Outlook {
    available: Amount,
    /// What was used since `from`.
    used: Amount,
    per_hour: Amount,
    per_day: Amount,
    /// What was used in each of the last 24 hours, the latest first.
    hours: Vec<Used>,
    /// What was used in each day that was looked at, the latest first: days are 24 hours back from now.
    days: Vec<Used>,
    depleted: Depleted,
    /// Lots that end within 30 days with something left now, soonest first.
    expiring: Vec<Expiring>,
    /// The next lot of each grant that has one, soonest first.
    next_grants: Vec<NextGrant>,
}

#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "UsedFrom")]
struct Used {
    from: Instant,
    used: Amount,
}

/// When lots no longer cover what is used. A time is left out if they last for a year at that rate.
#[derive(Debug, Serialize, JsonSchema)]
struct Depleted {
    /// At the mean rate.
    at: Option<Instant>,
    /// At the rate of busy days.
    soonest: Option<Instant>,
    /// At the rate of quiet days.
    latest: Option<Instant>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct Expiring {
    lot: String,
    remaining: Amount,
    expires_at: Instant,
}

#[derive(Debug, Serialize, JsonSchema)]
struct NextGrant {
    lot: String,
    grant: String,
    amount: Amount,
    effective_at: Instant,
}

impl Burned {
    /// Adds up what was used in so many days before now.
    pub(crate) async fn read(reading: &Reading, now: &WalletNow, days: u32) -> anyhow::Result<Self> {
        let end = now.wallet.clock;
        let mut first = EntryFilter { wallet: now.no, limit: 1, ..EntryFilter::default() };
        let began = reading.store.entries(&first).await?.first().map_or(end, |row| {
            let earliest = row.effective_at.min(row.booked_at);
            Instant(earliest)
        });
        let from = end.plus(-i64::from(days) * DAY).max(began).min(end.plus(-HOUR));
        let mut burned = Self { from, units: BTreeMap::new() };
        (first.from, first.limit) = (Some(from.0), PAGE);
        let mut page = first;
        loop {
            let rows = reading.store.entries(&page).await?;
            let Some(last) = rows.last() else { return Ok(burned) };
            page.after = Some((last.offset, last.line));
            for row in &rows {
                burned.add(row, end)?;
            }
        }
    }

    fn add(&mut self, row: &EntryRow, end: Instant) -> anyhow::Result<()> {
        let kind = kind_of(row)?;
        let is_back = matches!(kind, EntryKind::Reversal | EntryKind::ReverseOverage);
        if !(kind.is_draw() || is_back) {
            return Ok(());
        }
        let unit = self.units.entry(row.unit.to_string()).or_default();
        let feature = row.feature.as_deref().unwrap_or_default().to_owned();
        let (amount, ago) = (amount(&row.amount)?, end.0.saturating_sub(row.effective_at));
        unit.features.entry(feature).or_default().add(!is_back, amount);
        unit.days.entry(ago / DAY).or_default().add(!is_back, amount);
        if ago < DAY {
            unit.hours.entry(ago / HOUR).or_default().add(!is_back, amount);
        }
        Ok(())
    }
}

impl Forecast {
    /// Looks ahead, unit by unit.
    ///
    /// # Errors
    ///
    /// If the fold refuses usage in units that it has booked before.
    pub(crate) fn of(now: &WalletNow, burned: &Burned) -> anyhow::Result<Self> {
        let mut names = crate::view::units::units(&now.wallet);
        names.extend(burned.units.keys().cloned());
        let outlook = |unit: String| {
            let outlook = Outlook::of(now, &unit, burned)?;
            Ok((unit, outlook))
        };
        let units = names.into_iter().map(outlook).collect::<anyhow::Result<_>>()?;
        let (wallet, as_of) = (now.id.clone(), now.as_of);
        Ok(Self { wallet, as_of, from: burned.from, units, behind: now.behind })
    }
}

fn above(net: &Net) -> Amount {
    net.above().unwrap_or_default()
}

impl Outlook {
    fn of(now: &WalletNow, unit: &str, burned: &Burned) -> anyhow::Result<Self> {
        let nothing = OfUnit::default();
        let in_unit = burned.units.get(unit).unwrap_or(&nothing);
        let end = now.wallet.clock;
        let elapsed = end.0 - burned.from.0;
        let features: Vec<(&str, Amount)> =
            in_unit.features.iter().map(|(feature, net)| (feature.as_str(), above(net))).collect();
        let used: Amount = features.iter().map(|(_, amount)| *amount).sum();
        let (per_hour, per_day) = (rate(used, HOUR, elapsed), rate(used, DAY, elapsed));
        let in_each = |stretches: &BTreeMap<i64, Net>, count: i64, length: i64| {
            let each = (0..count).map(|n| Used {
                from: end.plus(-(n + 1) * length).max(burned.from),
                used: stretches.get(&n).map(above).unwrap_or_default(),
            });
            each.collect::<Vec<_>>()
        };
        let days = in_each(&in_unit.days, (elapsed + DAY - 1) / DAY, DAY);
        let whole = usize::try_from(elapsed / DAY).unwrap_or_default();
        let [low, high] = range(days[..whole.min(days.len())].iter().map(|day| day.used).collect(), per_day);
        let ahead = Ahead { now, unit, features: &features, used };
        Ok(Self {
            available: now.wallet.available(unit, end),
            used,
            per_hour,
            per_day,
            hours: in_each(&in_unit.hours, ((elapsed + HOUR - 1) / HOUR).min(24), HOUR),
            days,
            depleted: Depleted {
                at: ahead.depleted(per_day)?,
                soonest: ahead.depleted(high)?,
                latest: ahead.depleted(low)?,
            },
            expiring: expiring(&now.wallet, unit),
            next_grants: next_grants(&now.wallet, unit),
        })
    }
}

/// What an amount comes to in a span, if it was used evenly in the time that elapsed.
fn rate(amount: Amount, span: i64, elapsed: i64) -> Amount {
    let whole = usize::try_from(span / elapsed).unwrap_or_default();
    let rest = amount.share(i128::from(span % elapsed), i128::from(elapsed));
    std::iter::repeat_n(amount, whole).chain([rest]).sum()
}

/// The rates of quiet and of busy days: what a quarter of them, and three quarters, did not exceed; with the mean between them.
fn range(mut days: Vec<Amount>, mean: Amount) -> [Amount; 2] {
    days.sort_unstable();
    let Some(last) = days.len().checked_sub(1) else { return [mean, mean] };
    [days[last / 4].min(mean), days[(3 * last).div_ceil(4)].max(mean)]
}

fn expiring(wallet: &Wallet, unit: &str) -> Vec<Expiring> {
    let open = wallet.lots().iter().filter(|lot| *lot.unit == *unit && lot.is_open(wallet.clock));
    let soon = open.filter(|lot| !lot.remaining.is_zero()).filter_map(|lot| {
        let expires_at = lot.ends_at.filter(|end| *end <= wallet.clock.plus(SOON))?;
        Some(Expiring { lot: lot.id.to_string(), remaining: lot.remaining, expires_at })
    });
    let mut soon: Vec<Expiring> = soon.collect();
    soon.sort_by_key(|lot| lot.expires_at);
    soon
}

fn next_grants(wallet: &Wallet, unit: &str) -> Vec<NextGrant> {
    let next = wallet.upcoming().filter(|(terms, ..)| terms.unit == unit);
    let next = next.map(|(terms, cycle, effective_at)| NextGrant {
        lot: format!("{}#{cycle}", terms.grant_id),
        grant: terms.grant_id.clone(),
        amount: terms.amount,
        effective_at,
    });
    let mut next: Vec<NextGrant> = next.collect();
    next.sort_by_key(|grant| grant.effective_at);
    next
}

/// A look ahead at one unit.
struct Ahead<'a> {
    now: &'a WalletNow,
    unit: &'a str,
    /// What was used, by feature …
    features: &'a [(&'a str, Amount)],
    /// … and in all.
    used: Amount,
}

impl Ahead<'_> {
    /// When lots no longer cover so much a day; none if that is not within the horizon.
    fn depleted(&self, per_day: Amount) -> anyhow::Result<Option<Instant>> {
        let catalogue = &self.now.catalogue;
        let (mut wallet, mut at) = (self.now.wallet.clone(), self.now.wallet.clock);
        let end = at.plus(HORIZON);
        if per_day.is_zero() {
            return Ok(None);
        }
        for _ in 0..MOST_STEPS {
            if at >= end {
                break;
            }
            let due = wallet.next_due_at();
            if let Some(due) = due.filter(|due| due.0 <= at.0 + 1) {
                at = at.max(due);
                wallet = advanced(catalogue, &wallet, at).0;
                // What is due once more at this very moment, or never, is passed over.
                if wallet.next_due_at().is_none_or(|next| next > due) {
                    continue;
                }
            }
            let until = due.filter(|due| due.0 > at.0 + 1).map_or(at.plus(DAY), |due| due.plus(-1));
            let until = until.min(at.plus(DAY));
            let (asked, uncovered) = self.charge(&mut wallet, per_day, (at, until))?;
            if !uncovered.is_zero() {
                let covered = asked.above(uncovered).billionths();
                let seconds = i128::from((until.0 - at.0) / SECOND) * covered / asked.billionths().max(1);
                return Ok(Some(at.plus(i64::try_from(seconds).unwrap_or_default() * SECOND)));
            }
            at = until;
        }
        Ok(None)
    }

    /// Charges what is used from one moment to another, at the other; what that is, and what no lot covers of it.
    fn charge(
        &self,
        wallet: &mut Wallet,
        per_day: Amount,
        (from, until): (Instant, Instant),
    ) -> anyhow::Result<(Amount, Amount)> {
        let span = i128::from(until.0 - from.0);
        let line = |(feature, amount): &(&str, Amount)| Line {
            unit: self.unit.to_owned(),
            feature: (*feature).to_owned(),
            amount: per_day.share(amount.billionths(), self.used.billionths()).share(span, i128::from(DAY)),
        };
        let lines: Vec<Line> = self.features.iter().map(line).filter(|line| !line.amount.is_zero()).collect();
        let asked: Amount = lines.iter().map(|line| line.amount).sum();
        if lines.is_empty() {
            return Ok((asked, Amount::ZERO));
        }
        // Settling a hold that is not open is usage in amounts.
        let mut name = "forecast".to_owned();
        while wallet.holds().contains_key(name.as_str()) {
            name.push('+');
        }
        let usage = ingest::Usage { source: "drawdown", id: &name };
        let says = Hold::Settle { hold: &name, usage, actual: Measure::Amounts(&lines), is_final: true };
        let holding = Holding {
            wallet: &self.now.id,
            source: Some("drawdown"),
            id: &name,
            subject: None,
            trace: None,
            says,
        };
        let stamped = ingest::hold(&holding, &Stamp { now: until, by: "system", backfill: false })?;
        let record = decode(&stamped.bytes)?;
        let identity = record.identify(&mut Vec::new()).map_err(|e| anyhow!("{e}"))?;
        let (mut past, mut changes) = (Past::default(), Changes::default());
        Memory::default().tell(&self.now.catalogue, wallet, &record, &mut past);
        let outcome = apply(&self.now.catalogue, wallet, &past, &record, &identity, &mut changes);
        if let Some(Outcome::Rejected(reason)) = outcome {
            return Err(anyhow!("the fold refuses usage of {} in a forecast: {reason}", self.unit));
        }
        let is_its = |entry: &&ledger::Entry| {
            entry.kind == EntryKind::Overage && *entry.unit == *self.unit && entry.booked_at >= until
        };
        Ok((asked, changes.entries.iter().filter(is_its).map(|entry| entry.amount).sum()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn amounts(texts: &[&str]) -> Vec<Amount> {
        texts.iter().map(|text| Amount::parse(text).expect("a decimal")).collect()
    }

    #[test]
    fn a_rate_is_exact_and_cut_to_nine_places() {
        let used = amounts(&["10"])[0];
        assert_eq!(rate(used, DAY, 4 * DAY).text(), "2.5");
        assert_eq!(rate(used, HOUR, 3 * HOUR).text(), "3.333333333");
        assert_eq!(rate(used, DAY, 5 * HOUR).text(), "48");
    }

    #[test]
    fn the_range_has_the_mean_between_quiet_and_busy_days() {
        let days = amounts(&["0", "8", "2", "4", "6"]);
        let mean = amounts(&["4"])[0];
        assert_eq!(range(days.clone(), mean).map(Amount::text), ["2", "6"]);
        assert_eq!(range(days, amounts(&["7"])[0]).map(Amount::text), ["2", "7"]);
        assert_eq!(range(Vec::new(), mean).map(Amount::text), ["4", "4"]);
    }
}
