//! Whether the server lives, whether it is ready, and what it offers.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Html;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use super::App;
use super::body::Json;
use super::caller::Needs;
use super::problem::Problem;
use super::route::Route;

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::get("/health/live", Needs::Nothing, "Whether the process lives", live)
            .answers::<Health>(200, "It lives"),
        Route::get("/health/ready", Needs::Nothing, "Whether requests are taken", ready)
            .answers::<Health>(200, "They are"),
        Route::get("/openapi.json", Needs::Nothing, "This document", document)
            .answers::<Value>(200, "OpenAPI 3.1"),
        Route::get("/docs", Needs::Nothing, "A page to read it", page).answers_as::<String>(
            200,
            "The page",
            "text/html",
        ),
    ]
}

/// How the server is.
#[derive(Serialize, JsonSchema)]
struct Health {
    status: &'static str,
}

async fn live() -> Json<Health> {
    Json(Health { status: "ok" })
}

async fn ready(State(app): State<Arc<App>>) -> Result<Json<Health>, Problem> {
    let backlog = app.backlog.borrow().clone();
    if let Some(why) = backlog.log {
        return Err(Problem::later("log_unavailable", why));
    }
    if backlog.behind.is_empty() {
        return Err(Problem::later("starting", "the log was not looked at yet: ask again"));
    }
    for (partition, _) in backlog.behind.iter().enumerate() {
        app.accepts(ledger::Partition(u32::try_from(partition).expect("partitions are counted in 32 bits")))?;
    }
    app.context.clock.check().map_err(|apart| Problem::later("clock", apart.to_string()))?;
    Ok(Json(Health { status: "ok" }))
}

async fn page() -> Html<&'static str> {
    Html(include_str!("docs.html"))
}

async fn document() -> Json<Value> {
    Json(super::openapi::document(&super::routes()))
}
