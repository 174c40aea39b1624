//! Usage: read one by one, and undone.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use ingest::{Correction, Usage};
use ledger::{KeyScope, Offset, Part, Partition, Position, key};
use schemars::JsonSchema;
use serde::Deserialize;
use store::{Projections, Store};

use super::App;
use super::body::{Asked, IDEMPOTENCY_KEY, Json, request_id};
use super::caller::{Caller, Needs};
use super::problem::Problem;
use super::route::Route;
use super::saying::{RETRY, Said};
use super::seen::{FromPosition, position};
use crate::correcting::source_of;
use crate::view::usage::list::Line;

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::get(
            "/v1/wallets/{wallet}/usage/{usage}",
            Needs::OfWallet(KeyScope::Read),
            "One usage, by its position (`partition:offset`), or by its event's id",
            read,
        )
        .query::<Which>()
        .answers::<Line>(200, "What it was charged, as it is in effect now")
        .problems(&[409]),
        Route::post(
            "/v1/wallets/{wallet}/usage/reverse",
            Needs::OfWallet(KeyScope::Admin),
            "Undoes a usage, wholly or in part: what it took goes back to the very lots",
            reverse,
        )
        .header(IDEMPOTENCY_KEY, RETRY)
        .takes::<Reversal>()
        .answers::<Said>(200, "Reversed: the entries say what went back")
        .problems(&[409, 504]),
    ]
}

/// Which usage is meant.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Which {
    /// Who made the event's id; left out, it is looked up.
    source: Option<String>,
    /// The answer is true after this record (`partition:offset`), as a write answered it.
    min_position: Option<String>,
}

/// A usage to be undone.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Reversal {
    /// The usage event's id.
    id: String,
    /// Who made it; left out, it is looked up by the id.
    source: Option<String>,
    /// Only so much of it; left out, all of it. A part may be reversed more than once: send an Idempotency-Key.
    amounts: Option<Vec<Part>>,
    /// Why: the rules want to know.
    reason: String,
}

async fn read(
    State(app): State<Arc<App>>,
    Path((wallet, usage)): Path<(String, String)>,
    Asked(which): Asked<Which>,
) -> Result<Json<Line>, Problem> {
    let Which { source, min_position } = which;
    let from = FromPosition { min_position };
    let reading = app.rows(&wallet, &from).await?;
    let now = app.wallet(&wallet, &from).await?;
    let partition = Partition(now.as_of.partition);
    let unknown = || {
        let detail = format!("no usage of the wallet is {usage:?}: GET …/usage lists all");
        Problem::new(StatusCode::NOT_FOUND, "unknown_usage", detail)
    };
    let at = match position(&usage).filter(|_| source.is_none()) {
        Some(at) => at,
        None => {
            let source = source_of(&reading.store, &wallet, &usage, source).await?.map_err(ambiguous)?;
            let offset = stands(&reading.store, partition, &wallet, &source, &usage).await?;
            Position { partition, offset: offset.ok_or_else(unknown)? }
        }
    };
    if at.partition != partition {
        return Err(unknown());
    }
    Line::one(&reading, &now, at.offset).await?.map(Json).ok_or_else(unknown)
}

async fn reverse(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(wallet): Path<String>,
    headers: HeaderMap,
    Json(reversal): Json<Reversal>,
) -> Result<Json<Said>, Problem> {
    let id = request_id(&headers, None)?;
    let Reversal { id: usage, source, amounts, reason } = reversal;
    // The usage may have been sent only now.
    app.committed_to_the_end(Partition::of(&wallet, app.asking.partitions())).await?;
    let reading = app.reading();
    let source = source_of(&reading.store, &wallet, &usage, source).await?.map_err(ambiguous)?;
    let says = Correction::Reverse(Usage { source: &source, id: &usage }, amounts.as_deref());
    app.correct(&caller, (&wallet, &id), Some(&reason), says).await.map(Json)
}

fn ambiguous((word, what): (&'static str, String)) -> Problem {
    let status = if word == "ambiguous_usage" { StatusCode::CONFLICT } else { StatusCode::NOT_FOUND };
    Problem::new(status, word, what)
}

/// Where the record stands that first bore an id.
async fn stands(
    store: &Projections,
    partition: Partition,
    wallet: &str,
    source: &str,
    id: &str,
) -> Result<Option<Offset>, Problem> {
    let key = key(wallet, source, id);
    let segments = store.segments(partition).await?;
    let probes: Vec<_> = segments.into_iter().map(|segment| (segment, key)).collect();
    Ok(store.ids(partition, &probes).await?.into_iter().map(|row| row.offset).min())
}
