//! What requests for holds are answered with: what was recorded, and how the wallet stands now.

use std::collections::{BTreeMap, BTreeSet};

use axum::http::StatusCode;
use ingest::Stamp;
use ledger::{Amount, Declined, EntryKind, Instant, Wallet, Why};
use schemars::JsonSchema;
use serde::Serialize;
use store::rows::EntryRow;

use super::App;
use super::deciding::Recorded;
use super::holds::{EventMeasure, approval};
use super::problem::Problem;
use crate::view::WalletNow;
use crate::view::estimate::Estimate;
use crate::view::units::{Totals, units};

/// A hold that was approved.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Held {
    /// The hold's id.
    id: String,
    wallet: String,
    /// Whether it is open: a retry may come when it no longer is.
    is_open: bool,
    /// What was set aside.
    held: Vec<Part>,
    /// When it ends by itself.
    expires_at: Instant,
    /// `beyond_lots`: lots do not cover all of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    warning: Option<&'static str>,
    /// How the wallet stands now, by unit.
    balance: BTreeMap<String, Totals>,
    /// Where the request stands in the log.
    position: String,
}

/// What was moved of a unit, for a feature.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Part {
    unit: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    feature: Option<String>,
    /// The lot; none if no lot covers it.
    lot: Option<String>,
    amount: Amount,
}

/// What was used, booked.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Settled {
    /// The hold's id.
    id: String,
    wallet: String,
    /// The usage that it books, within its source.
    usage: String,
    /// Whether the hold is open still.
    is_open: bool,
    /// What paid; what no lot covered has none.
    paid: Vec<Part>,
    /// What it cost, by unit.
    cost: BTreeMap<String, Amount>,
    /// What no lot covered, by unit.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    overage: BTreeMap<String, Amount>,
    /// `beyond_lots`: lots did not cover all of it. `unpriced`: nothing prices it yet.
    #[serde(skip_serializing_if = "Option::is_none")]
    warning: Option<&'static str>,
    /// How the wallet stands now, by unit.
    balance: BTreeMap<String, Totals>,
    /// Where the settlement stands in the log.
    position: String,
}

/// A hold that lives longer, or has more.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Extended {
    /// The hold's id.
    id: String,
    wallet: String,
    /// When it ends by itself.
    expires_at: Instant,
    /// What was set aside beside.
    held: Vec<Part>,
    #[serde(skip_serializing_if = "Option::is_none")]
    warning: Option<&'static str>,
    balance: BTreeMap<String, Totals>,
    position: String,
}

/// A hold that was ended unused.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Voided {
    /// The hold's id.
    id: String,
    wallet: String,
    /// What is free again.
    freed: Vec<Part>,
    balance: BTreeMap<String, Totals>,
    position: String,
}

/// What would help a request that was declined.
#[derive(Debug, Serialize)]
struct Help {
    /// The next lots of the units that lack, soonest first.
    next_lots: Vec<NextLot>,
    /// When time alone changes the wallet next.
    next_change_at: Option<Instant>,
}

#[derive(Debug, Serialize)]
struct NextLot {
    unit: String,
    grant: String,
    amount: Amount,
    effective_at: Instant,
}

/// How many of something cheaper the lots cover.
#[derive(Debug, Serialize)]
struct Fits {
    #[serde(rename = "type")]
    kind: String,
    actions: u64,
}

const BEYOND_LOTS: &str = "beyond_lots";

pub(super) fn held(app: &App, wallet: &str, id: &str, recorded: Recorded) -> Result<Held, Problem> {
    let approved = approval(&recorded)?;
    let held = parts(&recorded.entries, &[EntryKind::Hold, EntryKind::HoldOverdraft])?;
    let position = recorded.position.to_string();
    let now = recorded.wallet.map(|seen| app.advance(wallet, seen));
    Ok(Held {
        id: id.to_owned(),
        wallet: wallet.to_owned(),
        is_open: now.as_ref().is_some_and(|now| now.wallet.holds().contains_key(id)),
        held,
        expires_at: approved.until,
        warning: approved.beyond_lots.then_some(BEYOND_LOTS),
        balance: balance(now.as_ref(), &recorded.entries),
        position,
    })
}

impl Settled {
    pub(super) fn of(app: &App, wallet: &str, hold: &str, recorded: Recorded) -> Result<Self, Problem> {
        let Paid { paid, cost, overage } = Paid::of(&recorded.entries)?;
        let is_unpriced =
            recorded.record.detail.as_deref().is_some_and(|detail| !detail.starts_with("free:"));
        let warning = if !overage.is_empty() { Some(BEYOND_LOTS) } else { is_unpriced.then_some("unpriced") };
        let (position, usage) = (recorded.position.to_string(), recorded.record.id.clone());
        let now = recorded.wallet.map(|seen| app.advance(wallet, seen));
        Ok(Self {
            id: hold.to_owned(),
            wallet: wallet.to_owned(),
            usage,
            is_open: now.as_ref().is_some_and(|now| now.wallet.holds().contains_key(hold)),
            paid,
            cost,
            overage,
            warning,
            balance: balance(now.as_ref(), &recorded.entries),
            position,
        })
    }
}

impl Extended {
    pub(super) fn of(app: &App, wallet: &str, hold: &str, recorded: Recorded) -> Result<Self, Problem> {
        let Held { id, wallet, held, expires_at, warning, balance, position, .. } =
            held(app, wallet, hold, recorded)?;
        Ok(Self { id, wallet, expires_at, held, warning, balance, position })
    }
}

impl Voided {
    pub(super) fn of(app: &App, wallet: &str, hold: &str, recorded: Recorded) -> Result<Self, Problem> {
        let freed = parts(&recorded.entries, &[EntryKind::Release, EntryKind::ReleaseOverdraft])?;
        let position = recorded.position.to_string();
        let now = recorded.wallet.map(|seen| app.advance(wallet, seen));
        let balance = balance(now.as_ref(), &recorded.entries);
        Ok(Self { id: hold.to_owned(), wallet: wallet.to_owned(), freed, balance, position })
    }
}

/// What usage cost.
pub(super) struct Paid {
    paid: Vec<Part>,
    /// By unit.
    pub(super) cost: BTreeMap<String, Amount>,
    /// What no lot covers of it, by unit.
    pub(super) overage: BTreeMap<String, Amount>,
}

impl Paid {
    /// By what was booked of it.
    pub(super) fn of(entries: &[EntryRow]) -> Result<Self, Problem> {
        const PAYS: [EntryKind; 4] =
            [EntryKind::HeldUsage, EntryKind::Usage, EntryKind::LateUsage, EntryKind::Overage];
        let paid = parts(entries, &PAYS)?;
        let (mut cost, mut overage) = (BTreeMap::new(), BTreeMap::new());
        for part in &paid {
            cost.entry(part.unit.clone()).or_insert(Amount::ZERO).add(part.amount);
            if part.lot.is_none() {
                overage.entry(part.unit.clone()).or_insert(Amount::ZERO).add(part.amount);
            }
        }
        Ok(Self { paid, cost, overage })
    }
}

/// The answer to a request that was declined: why, by how much, and what would help.
pub(super) fn declined(
    app: &App,
    wallet: &str,
    hold: &str,
    recorded: Recorded,
    answer: &Declined,
    alternatives: &[EventMeasure],
) -> Problem {
    let now = recorded.wallet.map(|seen| app.advance(wallet, seen));
    let lacks: BTreeMap<&str, Amount> = answer.lacks.iter().map(|(unit, lack)| (&**unit, *lack)).collect();
    let sentence = crate::documents::explain_rejection(&answer.why.word());
    let status = match answer.why {
        Why::UnknownWallet => StatusCode::NOT_FOUND,
        Why::NotOpen => StatusCode::CONFLICT,
        Why::Insufficient
        | Why::TooManyHolds
        | Why::Suspended
        | Why::Unpriced(_)
        | Why::TooLate
        | Why::TooLarge
        | Why::Voided => StatusCode::PAYMENT_REQUIRED,
    };
    let problem = Problem::new(status, answer.why.word(), sentence)
        .with("id", hold)
        .with("position", recorded.position.to_string())
        .with("lacks", &lacks);
    let Some(now) = now else { return problem };
    let help = Help::of(&now.wallet, &lacks);
    let fits: Vec<Fits> = alternatives.iter().filter_map(|event| Fits::of(&now, event)).collect();
    let problem = problem.with("balance", balance(Some(&now), &[])).with("help", help);
    if alternatives.is_empty() { problem } else { problem.with("fits", fits) }
}

impl Help {
    fn of(wallet: &Wallet, lacks: &BTreeMap<&str, Amount>) -> Self {
        let upcoming = wallet.upcoming().filter(|(terms, _, _)| lacks.contains_key(terms.unit.as_str()));
        let mut next_lots: Vec<NextLot> = upcoming
            .map(|(terms, _, effective_at)| NextLot {
                unit: terms.unit.clone(),
                grant: terms.grant_id.clone(),
                amount: terms.amount,
                effective_at,
            })
            .collect();
        next_lots.sort_by(|a, b| (a.effective_at, &a.grant).cmp(&(b.effective_at, &b.grant)));
        Self { next_lots, next_change_at: wallet.next_due_at() }
    }
}

impl Fits {
    /// None for an event that cannot be priced.
    fn of(now: &WalletNow, event: &EventMeasure) -> Option<Self> {
        let record = trial(now, &event.kind, event.data.as_deref().map(|data| data.get()), None).ok()?;
        let actions = Estimate::of(now, &record).ok()?.actions()?;
        Some(Self { kind: event.kind.clone(), actions })
    }
}

/// A usage record of now, to be tried on a copy of the wallet.
pub(super) fn trial(
    now: &WalletNow,
    kind: &str,
    data: Option<&str>,
    subject: Option<&str>,
) -> Result<Vec<u8>, Problem> {
    let text = |text: &str| serde_json::to_string(text).expect("text is JSON");
    let mut event = format!(
        r#"{{"specversion":"1.0","id":"trial","source":"drawdown","type":{},"wallet":{}"#,
        text(kind),
        text(&now.id)
    );
    if let Some(subject) = subject {
        event.push_str(&format!(r#","subject":{}"#, text(subject)));
    }
    if let Some(data) = data {
        event.push_str(&format!(r#","data":{data}"#));
    }
    event.push('}');
    let stamp = Stamp { now: now.wallet.clock, by: "system", backfill: false };
    Ok(ingest::usage(event.as_bytes(), &stamp)?.bytes)
}

/// What a wallet has, by unit, those of these entries included: of nothing left there is a zero.
pub(super) fn balance(now: Option<&WalletNow>, booked: &[EntryRow]) -> BTreeMap<String, Totals> {
    let Some(now) = now else { return BTreeMap::new() };
    let booked = booked.iter().map(|entry| entry.unit.to_string());
    let all: BTreeSet<String> = units(&now.wallet).into_iter().chain(booked).collect();
    all.into_iter().map(|unit| (unit.clone(), Totals::of(&now.wallet, &unit))).collect()
}

/// The entries of these kinds.
fn parts(entries: &[EntryRow], kinds: &[EntryKind]) -> Result<Vec<Part>, Problem> {
    let of_kind =
        |entry: &&EntryRow| EntryKind::of_code(entry.kind).is_some_and(|kind| kinds.contains(&kind));
    let part = |entry: &EntryRow| {
        Ok(Part {
            unit: entry.unit.to_string(),
            feature: entry.feature.as_deref().map(str::to_owned),
            lot: entry.lot.as_deref().map(str::to_owned),
            amount: Amount::parse_sum(&entry.amount).map_err(anyhow::Error::from)?,
        })
    };
    entries.iter().filter(of_kind).map(part).collect()
}
