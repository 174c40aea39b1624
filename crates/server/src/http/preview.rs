//! What a catalogue that is not published would have come to.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use eventlog::EventLog;
use ledger::{Instant, Partition};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::value::RawValue;
use store::Store;
use tokio::sync::Semaphore;

use super::App;
use super::body::Json;
use super::caller::Needs;
use super::catalogue::Documents;
use super::problem::Problem;
use super::route::Route;
use super::saying::mistakes;
use crate::commands::what_if::{Plan, Refused, compare};
use crate::documents::read_what_if_json;
use crate::view::what_if::WhatIf;
use ledger::KeyScope;

/// Above so many records the history is folded by the command, which may take its time.
const MOST_RECORDS: u64 = 1_000_000;
/// Most wallets that are listed.
const MOST_WALLETS: u32 = 1_000;
/// One at a time: each folds the whole history twice, in memory.
static PREVIEWS: Semaphore = Semaphore::const_new(1);

pub(super) fn routes() -> Vec<Route> {
    let preview = Route::post(
        "/v1/catalogue/preview",
        Needs::OfAll(KeyScope::Admin),
        "What usage since a time would have come to under these documents; nothing is published",
        preview,
    );
    vec![preview.takes::<Preview>().answers::<WhatIf>(200, "Both histories, compared").problems(&[429])]
}

/// Documents that might have held.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Preview {
    /// From when on they hold, and what was booked is compared.
    from: Instant,
    /// As for publishing; beside them, documents of the kind `grant_rules`, as `drawdown what-if` has them.
    #[schemars(with = "Documents")]
    documents: Box<RawValue>,
    /// How many wallets are listed, those with the largest differences first; left out, 20.
    limit: Option<u32>,
}

async fn preview(State(app): State<Arc<App>>, Json(asked): Json<Preview>) -> Result<Json<WhatIf>, Problem> {
    let (documents, rules) = read_what_if_json(asked.documents.get()).map_err(mistakes)?;
    let now = app.context.now();
    if asked.from > now {
        let detail = "`from` lies ahead: say since when what was booked is compared";
        return Err(Problem::bad("bad_field", detail).with("field", "from"));
    }
    let _permit = PREVIEWS.try_acquire().map_err(|_| {
        let detail = "another preview is being made: try again when it is done";
        Problem::new(StatusCode::TOO_MANY_REQUESTS, "busy", detail).after(1)
    })?;
    let mut records = 0;
    for partition in (0..app.log.partitions()).map(Partition) {
        app.committed(partition).await?;
        records += app.store.head(partition).await?.map_or(0, |head| head.next.0);
    }
    if records > MOST_RECORDS {
        let detail = format!(
            "the history has {records} records, more than {MOST_RECORDS}: `drawdown what-if` shows the same beside the server"
        );
        return Err(Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "too_long", detail));
    }
    let plan = Plan::new(asked.from, documents, rules);
    let compared = compare(&app.log, &app.store, plan, now).await;
    let (parts, behind) = compared.map_err(|error| match error.downcast_ref::<Refused>() {
        Some(refused) => Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "refused", refused.to_string()),
        None => error.into(),
    })?;
    let limit = asked.limit.unwrap_or(20).min(MOST_WALLETS) as usize;
    Ok(Json(WhatIf::of(asked.from, now, parts, limit, behind)))
}
