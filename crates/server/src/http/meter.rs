//! The meter of work that is under way: what a hold would cost if it were settled now. Nothing is appended.

use std::sync::Arc;

use anyhow::{Context as _, anyhow};
use axum::extract::{Path, State};
use axum::http::StatusCode;
use ingest::{Hold, Holding, Measure, Stamp, Usage};
use ledger::{Answer, Ask, KeyScope, Line, Past, Quantity, Record};
use schemars::JsonSchema;
use serde::Deserialize;
use store::Store;

use super::App;
use super::body::Json;
use super::caller::{Caller, Needs};
use super::holds::{EventMeasure, needed};
use super::problem::Problem;
use super::route::Route;
use super::seen::FromPosition;
use crate::view::WalletNow;
use crate::view::meter::{Meter, NotMetered};

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::post(
            "/v1/holds/{hold}/meter",
            Needs::OfWallet(KeyScope::Authorize),
            "Tells what a hold would cost if it were settled now with these quantities, and what would be left",
            meter,
        )
        .takes::<MeterRequest>()
        .answers::<Meter>(200, "The cost as a settlement would book it; nothing was booked")
        .problems(&[409])
        .where_folded(),
    ]
}

/// What was used so far.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct MeterRequest {
    /// Whose hold; a customer's token says it.
    wallet: Option<String>,
    /// How much, in units.
    amounts: Option<Vec<Line>>,
    /// What was done, as the product's event will have it: the hold's price says how much.
    event: Option<EventMeasure>,
}

async fn meter(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(hold): Path<String>,
    Json(request): Json<MeterRequest>,
) -> Result<Json<Meter>, Problem> {
    let wallet = caller.wallet(request.wallet)?;
    let actual = needed(request.amounts.as_ref(), request.event.as_ref())?;
    let now = app.wallet(&wallet, &FromPosition::default()).await?;
    let Some(open) = now.wallet.holds().get(hold.as_str()) else {
        let sentence = crate::documents::explain_rejection("not_open");
        return Err(Problem::new(StatusCode::CONFLICT, "not_open", sentence).with("id", hold));
    };
    let (in_part, whole) = (settlement(&now, &hold, actual, false)?, settlement(&now, &hold, actual, true)?);
    let broken = |error: ledger::Undecodable| Problem::from(anyhow::Error::from(error));
    let (in_part, whole) =
        (ledger::decode(&in_part).map_err(broken)?, ledger::decode(&whole).map_err(broken)?);
    let past = past(&app, &now, &whole).await?;
    match Meter::of(&now, (&hold, open), &past, [&in_part, &whole]) {
        Ok(meter) => Ok(Json(meter)),
        Err(NotMetered::Rejected(reason)) => {
            let sentence = crate::documents::explain_rejection(&reason);
            Err(Problem::new(StatusCode::UNPROCESSABLE_ENTITY, reason, sentence))
        }
        Err(NotMetered::Broken(error)) => Err(error.into()),
    }
}

/// The settlement's record, as if it were appended at the wallet's time.
fn settlement(now: &WalletNow, hold: &str, actual: Measure<'_>, is_final: bool) -> Result<Vec<u8>, Problem> {
    let usage = Usage { source: "drawdown", id: "meter" };
    let says = Hold::Settle { hold, usage, actual, is_final };
    let holding =
        Holding { wallet: &now.id, source: Some("drawdown"), id: "meter", subject: None, trace: None, says };
    let stamp = Stamp { now: now.wallet.clock, by: "system", backfill: false };
    Ok(ingest::hold(&holding, &stamp)?.bytes)
}

/// What the settlement needs to know beside its wallet: what tiers counted in periods that are closed, which is rare.
async fn past(app: &App, now: &WalletNow, record: &Record<'_>) -> Result<Past, Problem> {
    let mut past = Past::default();
    let asks = ledger::asks(&now.catalogue, &now.wallet, record, &past);
    if asks.is_empty() {
        return Ok(past);
    }
    let reading = app.rows(&now.id, &FromPosition::default()).await?;
    for ask in asks {
        let Ask::Counter(key) = &ask else {
            return Err(anyhow!("a settlement asks for counters alone, not {ask:?}").into());
        };
        let at = (now.no, key.price.to_string(), key.charge.to_string(), key.starts.0);
        let row = reading.store.counters(&[at]).await?.into_iter().next();
        let value = row.map(|row| Quantity::parse(&row.value)).transpose();
        let value = value.context("a stored counter cannot be read: run `drawdown rebuild`")?;
        past.told.push((ask, Answer::Counter(value)));
    }
    Ok(past)
}
