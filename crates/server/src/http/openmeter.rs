//! What a product needs that sends its events to OpenMeter and asks it for access: with OpenMeter's own SDKs it gets the same here.
//!
//! A customer is a wallet, an entitlement is what the wallet has for a feature. The SDKs want JSON numbers, and exactly the
//! statuses that these routes have.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use ledger::{Amount, Beyond, Instant, KeyScope, Lot, Scope, Wallet, advanced};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::App;
use super::body::{Asked, Json, Raw};
use super::caller::{Caller, Needs};
use super::events::{BATCH, CloudEvent, CloudEvents, ONE};
use super::problem::Problem;
use super::route::Route;
use super::seen::{FromPosition, MOST_AHEAD};
use super::spent::Spent;
use super::taking::{Checked, events};
use crate::view::WalletNow;
use crate::view::history::Known;

pub(super) fn routes() -> Vec<Route> {
    let read = Needs::OfWallet(KeyScope::Read);
    let value = |path| {
        Route::get(path, read, "What a customer has for a feature, as OpenMeter tells it", value)
            .query::<At>()
            .answers::<Entitlement>(200, "The feature is priced, or a grant is for it")
    };
    vec![
        Route::post(
            "/api/v1/events",
            Needs::OfAll(KeyScope::Ingest),
            "Takes events in as OpenMeter does",
            post,
        )
        .takes_as::<CloudEvent>(ONE)
        .takes_as::<Vec<CloudEvent>>(BATCH)
        .takes::<CloudEvents>()
        .answers_nothing(204, "All are in the log, durable")
        .problems(&[504]),
        value("/api/v1/customers/{wallet}/entitlements/{feature}/value"),
        value("/api/v2/customers/{wallet}/entitlements/{feature}/value"),
        Route::get("/api/v1/customers/{wallet}/access", read, "What a customer has for each feature", access)
            .answers::<Access>(200, "Features that are priced, and those that a grant is for"),
    ]
}

/// As of when.
#[derive(Debug, Deserialize, JsonSchema)]
struct At {
    /// As it was known then, or will be if nothing happens, at most a year ahead; left out, now.
    time: Option<Instant>,
}

/// What a wallet has for a feature, of the unit that its price charges; of several units the first of which there is nothing.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Entitlement {
    /// Whether lots, or the wallet's policy of holds, would let any of it pass.
    has_access: bool,
    /// What is left in the lots that may pay for it.
    balance: f64,
    /// What was used of these lots, and the overage.
    usage: f64,
    /// What was used that no lot covered, and is open.
    overage: f64,
    /// What these lots had at their beginning, those included that are used up while their time is not over.
    total_available_grant_amount: f64,
}

/// What a wallet has, by feature.
#[derive(Debug, Serialize, JsonSchema)]
struct Access {
    entitlements: BTreeMap<String, Entitlement>,
}

async fn post(
    State(app): State<Arc<App>>,
    caller: Caller,
    headers: HeaderMap,
    Raw(body): Raw,
) -> Result<StatusCode, Problem> {
    let found = events(&headers, &body)?;
    let mut checked = Checked::of(&app, &caller.by, &found).await?;
    if let Some(problem) = checked.nothing_left() {
        return Err(problem.with("refused", checked.refusals()));
    }
    checked.append(&app).await?;
    if checked.refused == 0 {
        return Ok(StatusCode::NO_CONTENT);
    }
    let detail = format!(
        "{} of {} events were refused, the others are in the log: mend these and send them again",
        checked.refused,
        found.len()
    );
    Err(Problem::bad("some_refused", detail).with("refused", checked.refusals()))
}

async fn value(
    State(app): State<Arc<App>>,
    Path((wallet, feature)): Path<(String, String)>,
    Asked(at): Asked<At>,
) -> Result<Json<Entitlement>, Problem> {
    let now = app.wallet(&wallet, &FromPosition::default()).await?;
    if at.time.is_some_and(|time| time > now.wallet.clock.plus(MOST_AHEAD)) {
        let detail = "`time` lies more than a year ahead: ask for an earlier one";
        return Err(Problem::bad("too_far", detail));
    }
    let units = units(&now, &feature);
    let (then, spent) = match at.time {
        None => (now.wallet.clone(), app.spent(&now).await?),
        Some(time) if time >= now.wallet.clock => {
            (advanced(&now.catalogue, &now.wallet, time).0, app.spent(&now).await?)
        }
        Some(time) => {
            let reading = app.rows(&wallet, &FromPosition::default()).await?;
            let known = Known::read(&reading, &wallet, Some(time), &[]).await?;
            let spent = Spent::then(&known)?;
            (known.wallet, spent)
        }
    };
    let had = Had { now: &now, then: &then, spent: &spent };
    let found = had.entitlement(&feature, &units);
    let unknown = || {
        let detail = format!(
            "neither a price of this wallet's nor a grant names the feature {feature:?}: check its spelling"
        );
        Problem::new(StatusCode::NOT_FOUND, "unknown_feature", detail)
    };
    found.map(Json).ok_or_else(unknown)
}

async fn access(State(app): State<Arc<App>>, Path(wallet): Path<String>) -> Result<Json<Access>, Problem> {
    let now = app.wallet(&wallet, &FromPosition::default()).await?;
    let spent = app.spent(&now).await?;
    let had = Had { now: &now, then: &now.wallet, spent: &spent };
    let of = |feature: &str| Some((feature.to_owned(), had.entitlement(feature, &units(&now, feature))?));
    let entitlements = features(&now).into_iter().filter_map(of).collect();
    Ok(Json(Access { entitlements }))
}

/// The features that there is a price of for the wallet, or a grant for.
fn features(now: &WalletNow) -> BTreeSet<&str> {
    let (wallet, catalogue) = (&now.wallet, &now.catalogue);
    let granted = wallet.grants().iter().flat_map(|grant| &grant.terms().applies_to.feature);
    let priced = catalogue.features(wallet.card(catalogue, wallet.clock), wallet.clock);
    granted.map(String::as_str).chain(priced.into_keys()).collect()
}

/// The units that a feature is paid in: those that its price charges, else those of grants for it.
fn units<'a>(now: &'a WalletNow, feature: &str) -> BTreeSet<&'a str> {
    let (wallet, catalogue) = (&now.wallet, &now.catalogue);
    let priced = catalogue.units_of(wallet.card(catalogue, wallet.clock), feature, wallet.clock);
    if !priced.is_empty() {
        return priced;
    }
    let terms = wallet.grants().iter().map(|grant| grant.terms());
    let granted = terms.filter(|terms| terms.applies_to.feature.iter().any(|named| named == feature));
    granted.map(|terms| terms.unit.as_str()).collect()
}

/// A wallet as it was at a moment, with what now says of prices and policies.
struct Had<'a> {
    now: &'a WalletNow,
    then: &'a Wallet,
    spent: &'a [Spent],
}

impl Had<'_> {
    /// What it had for a feature; none if there are no units.
    fn entitlement(&self, feature: &str, units: &BTreeSet<&str>) -> Option<Entitlement> {
        units.iter().map(|unit| self.in_unit(feature, unit)).min_by_key(|found| found.has_access)
    }

    fn in_unit(&self, feature: &str, unit: &str) -> Entitlement {
        let Self { now, then, .. } = self;
        // Events of these SDKs name the customer as their subject.
        let pays = |scope: &Scope| scope.allows(feature, Some(&now.id));
        let lots: Vec<&Lot> = then
            .lots()
            .iter()
            .filter(|lot| *lot.unit == *unit && lot.is_open(then.clock) && pays(&lot.terms().applies_to))
            .collect();
        let of_unit = |spent: &&Spent| spent.unit == unit && spent.holds(then.clock);
        let spent: Vec<&Spent> =
            self.spent.iter().filter(of_unit).filter(|spent| pays(&spent.applies_to)).collect();
        let overage = then.overage().iter().filter(|open| *open.unit == *unit && *open.feature == *feature);
        let overage: Amount = overage.map(|open| open.amount).sum();
        let balance: Amount = lots.iter().map(|lot| lot.remaining).sum();
        let consumed = lots.iter().map(|lot| lot.consumed).chain(spent.iter().map(|spent| spent.consumed));
        let issued = lots.iter().map(|lot| lot.issued.above(lot.voided).above(lot.moved));
        let passes = !balance.is_zero() || self.lets_beyond(unit);
        Entitlement {
            has_access: passes && !then.suspended,
            balance: number(balance),
            usage: number(consumed.chain([overage]).sum()),
            overage: number(overage),
            total_available_grant_amount: number(issued.chain(spent.iter().map(|spent| spent.issued)).sum()),
        }
    }

    /// Whether the policy of holds lets more of the unit pass than lots cover.
    fn lets_beyond(&self, unit: &str) -> bool {
        match self.then.hold_policy(&self.now.catalogue).beyond {
            Beyond::Block => false,
            Beyond::SoftCap => true,
            Beyond::Overdraft(bounds) => bounds.get(unit).is_none_or(|bound| {
                let open = self.then.overage().iter().filter(|open| *open.unit == *unit);
                let owed = open.map(|open| open.amount).chain([self.then.held_overdraft(unit)]);
                !bound.above(owed.sum()).is_zero()
            }),
        }
    }
}

/// The nearest that a double can be.
fn number(amount: Amount) -> f64 {
    amount.text().parse().expect("a decimal is a number")
}
