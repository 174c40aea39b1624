//! What an operator says of a wallet: how it is configured, and whether it is suspended.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::HeaderMap;
use ingest::Correction;
use ledger::{Configured, Instant, KeyScope, Position};
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Deserialize, Serialize};

use super::App;
use super::body::{IDEMPOTENCY_KEY, Json, Raw, request_id};
use super::caller::{Caller, Needs};
use super::problem::Problem;
use super::route::Route;
use super::saying::{RETRY, Said, mistakes, taken, text};
use crate::documents::{Body, read_fields};

/// How often a configuration is said anew when another one came first.
const TRIES: usize = 4;

pub(super) fn routes() -> Vec<Route> {
    let admin = Needs::OfWallet(KeyScope::Admin);
    vec![
        Route::put(
            "/v1/wallets/{wallet}",
            admin,
            "Creates or configures a wallet: the body is its whole configuration; the same again changes nothing",
            configure,
        )
        .header(IDEMPOTENCY_KEY, RETRY)
        .takes::<Settings>()
        .answers::<InForce>(200, "In force")
        .problems(&[409, 504]),
        Route::post(
            "/v1/wallets/{wallet}/suspend",
            admin,
            "Suspends a wallet until it is resumed: usage that happens is booked all the same",
            suspend,
        )
        .header(IDEMPOTENCY_KEY, RETRY)
        .takes::<Why>()
        .answers::<Said>(200, "Suspended")
        .problems(&[409, 504]),
        Route::post("/v1/wallets/{wallet}/resume", admin, "Resumes a wallet that is suspended", resume)
            .header(IDEMPOTENCY_KEY, RETRY)
            .takes::<Why>()
            .answers::<Said>(200, "Resumed")
            .problems(&[409, 504]),
    ]
}

/// A wallet's configuration as a request has it: without what it replaces.
struct Settings;

impl JsonSchema for Settings {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Settings".into()
    }

    fn json_schema(schemas: &mut SchemaGenerator) -> Schema {
        let mut schema = Configured::json_schema(schemas);
        if let Some(properties) = schema.get_mut("properties").and_then(|p| p.as_object_mut()) {
            properties.remove("replaces");
        }
        schema
    }
}

/// A wallet's configuration that is in force.
#[derive(Debug, Serialize, JsonSchema)]
struct InForce {
    wallet: String,
    settings: Configured,
    /// Whether this request said it, now or the first time: with an Idempotency-Key it is said also where it is in force already.
    changed: bool,
    /// The answer is true after this record.
    position: String,
}

/// Why something is done.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Why {
    /// If there is something to say.
    reason: Option<String>,
}

async fn configure(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(wallet): Path<String>,
    headers: HeaderMap,
    Raw(body): Raw,
) -> Result<Json<InForce>, Problem> {
    let Body::Wallet { configured, time, .. } = read_fields("wallet", text(&body)?, &[]).map_err(mistakes)?
    else {
        unreachable!("a document of a wallet was read")
    };
    if headers.contains_key(IDEMPOTENCY_KEY) {
        let id = request_id(&headers, None)?;
        return configure_once(&app, &caller, wallet, &id, (Configured::clone(&configured), time)).await;
    }
    let mut last = None;
    for _ in 0..TRIES {
        let (replaces, stands) = app.configuration(&wallet, &configured).await?;
        if let Some(position) = stands {
            let settings = Configured::clone(&configured);
            let position = position.to_string();
            return Ok(Json(InForce { wallet, settings, changed: false, position }));
        }
        let settings = Configured { replaces, ..Configured::clone(&configured) };
        let stamped = ingest::configured(&wallet, &settings, time, &app.stamp(&caller.by)?)?;
        let recorded = app.decide(stamped).await?;
        match taken(&recorded) {
            Ok(()) => {
                let position = recorded.position.to_string();
                let settings = Configured { replaces: None, ..settings };
                return Ok(Json(InForce { wallet, settings, changed: true, position }));
            }
            Err(problem) if problem.code == "replaces_mismatch" => last = Some(problem),
            Err(problem) => return Err(problem),
        }
    }
    Err(last.expect("it was tried"))
}

/// As [`configure`], under an id: what was said once under it is not said again, also where another configuration came since.
async fn configure_once(
    app: &App,
    caller: &Caller,
    wallet: String,
    id: &str,
    (configured, time): (Configured, Option<Instant>),
) -> Result<Json<InForce>, Problem> {
    let (current, _) = app.configuration(&wallet, &configured).await?;
    let mut before = app.configured_before(&wallet, id, current.as_deref()).await?;
    loop {
        // What it replaced is part of what it said.
        let replaces = before.as_ref().map_or_else(|| current.clone(), |before| before.replaces.clone());
        let settings = Configured { replaces, ..configured.clone() };
        let stamped = ingest::configured_under(id, &wallet, &settings, time, &app.stamp(&caller.by)?)?;
        match app.decide(stamped).await {
            // It may have been on its way to the store when it was looked for.
            Err(problem) if problem.code == "conflict" && before.is_none() => {
                before = app.configured_before(&wallet, id, Some(id)).await?;
                if before.is_none() {
                    return Err(problem);
                }
            }
            recorded => {
                let recorded = recorded?;
                taken(&recorded)?;
                let settings = Configured { replaces: None, ..settings };
                let position = recorded.first.to_string();
                return Ok(Json(InForce { wallet, settings, changed: true, position }));
            }
        }
    }
}

impl App {
    /// The id of a wallet's configuration, as all that is in the log now has it; and, if that says just this, a record after which it
    /// is known to.
    async fn configuration(
        &self,
        id: &str,
        configured: &Configured,
    ) -> Result<(Option<String>, Option<Position>), Problem> {
        let Some(now) = self.newest(id).await? else { return Ok((None, None)) };
        let position = now.as_of.last();
        let stands = now.wallet.is_configured_as(configured).then_some(position);
        Ok((now.wallet.configuration().map(str::to_owned), stands))
    }
}

async fn suspend(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(wallet): Path<String>,
    headers: HeaderMap,
    Json(why): Json<Why>,
) -> Result<Json<Said>, Problem> {
    let id = request_id(&headers, None)?;
    app.correct(&caller, (&wallet, &id), why.reason.as_deref(), Correction::Suspend).await.map(Json)
}

async fn resume(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(wallet): Path<String>,
    headers: HeaderMap,
    Json(why): Json<Why>,
) -> Result<Json<Said>, Problem> {
    let id = request_id(&headers, None)?;
    app.correct(&caller, (&wallet, &id), why.reason.as_deref(), Correction::Resume).await.map(Json)
}
