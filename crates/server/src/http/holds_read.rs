//! Holds, read: which are open, and what became of one.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use ledger::KeyScope;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::body::{Asked, Json};
use super::caller::Needs;
use super::lists::length;
use super::problem::Problem;
use super::route::Route;
use super::seen::FromPosition;
use super::{App, SOURCE};
use crate::view::AsOf;
use crate::view::hold::HoldNow;

/// Who may have made a hold's id: this API, or somebody at the command line.
const SOURCES: [&str; 2] = [SOURCE, "operator"];

pub(super) fn routes() -> Vec<Route> {
    let read = Needs::OfWallet(KeyScope::Read);
    vec![
        Route::get(
            "/v1/wallets/{wallet}/holds",
            read,
            "Lists a wallet's open holds, by id, with what each has set aside",
            open,
        )
        .query::<OpenQuery>()
        .answers::<OpenHolds>(200, "A page of open holds"),
        Route::get("/v1/wallets/{wallet}/holds/{hold}", read, "Tells of a hold, open or ended", one)
            .query::<FromPosition>()
            .answers::<HoldNow>(200, "The hold"),
    ]
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct OpenQuery {
    /// How many at most, up to 1000; 50 if left out.
    limit: Option<u32>,
    /// The hold after which the page begins.
    after: Option<String>,
    /// The answer is true after this record (`partition:offset`), as a write answered it.
    min_position: Option<String>,
}

/// A page of a wallet's open holds.
#[derive(Debug, Serialize, JsonSchema)]
struct OpenHolds {
    wallet: String,
    as_of: AsOf,
    holds: Vec<HoldNow>,
    /// Give this as `after` for the next page; none on the last one.
    next: Option<String>,
    behind: u64,
}

async fn open(
    State(app): State<Arc<App>>,
    Path(wallet): Path<String>,
    Asked(query): Asked<OpenQuery>,
) -> Result<Json<OpenHolds>, Problem> {
    let OpenQuery { limit, after, min_position } = query;
    let limit = length(limit)? as usize;
    let now = app.wallet(&wallet, &FromPosition { min_position }).await?;
    let ids = now.wallet.holds().keys();
    let ids: Vec<_> = ids.filter(|id| after.as_deref().is_none_or(|after| &***id > after)).collect();
    let page = &ids[..limit.min(ids.len())];
    Ok(Json(OpenHolds {
        wallet: now.id.clone(),
        as_of: now.as_of,
        holds: page.iter().filter_map(|id| HoldNow::open(&now, id)).collect(),
        next: page.last().filter(|_| ids.len() > limit).map(ToString::to_string),
        behind: now.behind,
    }))
}

async fn one(
    State(app): State<Arc<App>>,
    Path((wallet, hold)): Path<(String, String)>,
    Asked(from): Asked<FromPosition>,
) -> Result<Json<HoldNow>, Problem> {
    let now = app.wallet(&wallet, &from).await?;
    if let Some(open) = HoldNow::open(&now, &hold) {
        return Ok(Json(open));
    }
    let reading = app.rows(&wallet, &from).await?;
    let now = reading.wallet(&wallet).await?;
    let found = HoldNow::ended(&reading, &now, &hold, &SOURCES).await?;
    let unknown = || {
        let detail = format!("nobody requested the hold {hold:?} of the wallet {wallet:?}: check both ids");
        Problem::new(StatusCode::NOT_FOUND, "unknown_hold", detail)
    };
    found.map(Json).ok_or_else(unknown)
}
