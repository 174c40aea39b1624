//! How long a wallet's credits last.

use std::sync::Arc;

use axum::extract::{Path, State};
use ledger::KeyScope;
use schemars::JsonSchema;
use serde::Deserialize;

use super::App;
use super::body::{Asked, Json};
use super::caller::Needs;
use super::problem::Problem;
use super::route::Route;
use super::seen::FromPosition;
use crate::view::forecast::{Burned, Forecast, MOST_DAYS, USUAL_DAYS};

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::get(
            "/v1/wallets/{wallet}/forecast",
            Needs::OfWallet(KeyScope::Read),
            "Tells how fast a wallet uses its credits, when they are used up at that rate, what ends soon and what comes next",
            forecast,
        )
        .query::<ForecastQuery>()
        .answers::<Forecast>(200, "The outlook, unit by unit"),
    ]
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ForecastQuery {
    /// The usage of how many days is looked at, up to 90; 14 if left out.
    days: Option<u32>,
    /// The answer is true after this record (`partition:offset`), as a write answered it.
    min_position: Option<String>,
}

async fn forecast(
    State(app): State<Arc<App>>,
    Path(wallet): Path<String>,
    Asked(query): Asked<ForecastQuery>,
) -> Result<Json<Forecast>, Problem> {
    let ForecastQuery { days, min_position } = query;
    let days = days.unwrap_or(USUAL_DAYS);
    if !(1..=MOST_DAYS).contains(&days) {
        return Err(Problem::bad("bad_days", format!("`days` is between 1 and {MOST_DAYS}, not {days}")));
    }
    let reading = app.rows(&wallet, &FromPosition { min_position }).await?;
    let now = reading.wallet(&wallet).await?;
    let burned = Burned::read(&reading, &now, days).await?;
    // A year is charged, day by day, three times for each unit.
    let looked = tokio::task::spawn_blocking(move || Forecast::of(&now, &burned)).await;
    Ok(Json(looked.map_err(anyhow::Error::from)??))
}
