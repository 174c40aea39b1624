//! Wallets, read: what each has now, or had.

use std::sync::Arc;

use axum::extract::{Path, State};
use ledger::KeyScope;
use schemars::JsonSchema;
use serde::Deserialize;
use store::WalletFilter;

use super::App;
use super::answers::trial;
use super::body::{Asked, Json};
use super::caller::Needs;
use super::holds::EventMeasure;
use super::lists::{When, length};
use super::problem::Problem;
use super::route::Route;
use super::seen::{FromPosition, MOST_AHEAD};
use crate::view::balance::Balance;
use crate::view::estimate::Estimate;
use crate::view::wallets::Wallets;

pub(super) fn routes() -> Vec<Route> {
    let read = Needs::OfWallet(KeyScope::Read);
    vec![
        Route::get(
            "/v1/wallets",
            Needs::OfAll(KeyScope::Read),
            "Lists wallets, by id, with what they have",
            list,
        )
        .query::<ListQuery>()
        .answers::<Wallets>(200, "A page of wallets"),
        Route::get(
            "/v1/wallets/{wallet}",
            read,
            "Tells what a wallet has now, or had, lot by lot, in the order in which they burn",
            balance,
        )
        .query::<BalanceQuery>()
        .answers::<Balance>(200, "The wallet")
        .problems(&[422])
        .where_folded(),
        Route::post(
            "/v1/wallets/{wallet}/estimate",
            read,
            "Tells what an event would cost now, which lots would pay it, and how many such they cover",
            estimate,
        )
        .takes::<EstimateRequest>()
        .answers::<Estimate>(200, "What it would cost; nothing was booked")
        .where_folded(),
    ]
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ListQuery {
    /// Only those whose id begins so.
    prefix: Option<String>,
    /// Only those that somebody has configured, or nobody has.
    claimed: Option<bool>,
    /// How many at most, up to 1000; 50 if left out.
    limit: Option<u32>,
    /// The wallet after which the page begins.
    after: Option<String>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct BalanceQuery {
    /// As of this time (2026-01-31, or RFC 3339), by all that is known now; of the future, as if nothing more happened.
    at: Option<When>,
    /// By what was recorded up to this time.
    known_at: Option<When>,
    /// The answer is true after this record (`partition:offset`), as a write answered it.
    min_position: Option<String>,
}

/// An event to be tried.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct EstimateRequest {
    /// Who would use.
    subject: Option<String>,
    /// What would be done, as the product's event would have it.
    event: EventMeasure,
    /// The answer is true after this record (`partition:offset`), as a write answered it.
    min_position: Option<String>,
}

async fn list(State(app): State<Arc<App>>, Asked(query): Asked<ListQuery>) -> Result<Json<Wallets>, Problem> {
    let ListQuery { prefix, claimed, limit, after } = query;
    let filter = WalletFilter { prefix, claimed, after, limit: length(limit)? };
    Ok(Json(Wallets::read(&app.reading(), filter).await?))
}

async fn balance(
    State(app): State<Arc<App>>,
    Path(wallet): Path<String>,
    Asked(query): Asked<BalanceQuery>,
) -> Result<Json<Balance>, Problem> {
    let BalanceQuery { at, known_at, min_position } = query;
    let from = FromPosition { min_position };
    if at.is_none() && known_at.is_none() {
        return Ok(Json(Balance::of(&app.wallet(&wallet, &from).await?)));
    }
    let reading = app.rows(&wallet, &from).await?;
    let (at, known_at) = (at.map(|when| when.0), known_at.map(|when| when.0));
    if at.is_some_and(|at| at > app.context.now().plus(MOST_AHEAD)) {
        return Err(Problem::bad("too_far", "`at` lies more than a year ahead: ask for an earlier time"));
    }
    Ok(Json(Balance::read(&reading, &wallet, at, known_at).await?))
}

async fn estimate(
    State(app): State<Arc<App>>,
    Path(wallet): Path<String>,
    Json(request): Json<EstimateRequest>,
) -> Result<Json<Estimate>, Problem> {
    let EstimateRequest { subject, event, min_position } = request;
    let now = app.wallet(&wallet, &FromPosition { min_position }).await?;
    let data = event.data.as_deref().map(|data| data.get());
    let record = trial(&now, &event.kind, data, subject.as_deref())?;
    // Thousands of charges may be tried.
    let tried = tokio::task::spawn_blocking(move || Estimate::of(&now, &record)).await;
    Ok(Json(tried.map_err(anyhow::Error::from)??))
}
