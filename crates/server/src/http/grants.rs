//! Grants: issued, read one by one, voided.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use ingest::Correction;
use ledger::{KeyScope, Terms, Voided, What};
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::body::{Asked, IDEMPOTENCY_KEY, Json, Raw, request_id};
use super::caller::{Caller, Needs};
use super::problem::Problem;
use super::route::Route;
use super::saying::{RETRY, Said, mistakes, taken, text};
use super::seen::FromPosition;
use super::{App, SOURCE};
use crate::documents::{Body, read_fields};
use crate::view::grants::{GrantNow, Grants};

pub(super) fn routes() -> Vec<Route> {
    let admin = Needs::OfWallet(KeyScope::Admin);
    vec![
        Route::post(
            "/v1/wallets/{wallet}/grants",
            admin,
            "Issues a grant; a grant's id is issued once, and a wallet that nobody named is created",
            issue,
        )
        .header(IDEMPOTENCY_KEY, RETRY)
        .takes::<NewGrant>()
        .answers::<Granted>(201, "Issued")
        .problems(&[409, 504]),
        Route::get(
            "/v1/wallets/{wallet}/grants/{grant}",
            Needs::OfWallet(KeyScope::Read),
            "One grant, and what became of what it gave",
            read,
        )
        .query::<FromPosition>()
        .answers::<GrantNow>(200, "The grant now"),
        Route::post(
            "/v1/wallets/{wallet}/grants/{grant}/void",
            admin,
            "Takes what is left of a grant; what it paid for stays",
            void,
        )
        .header(IDEMPOTENCY_KEY, RETRY)
        .takes::<Voiding>()
        .answers::<Said>(200, "Void: the entries say how much was taken")
        .problems(&[409, 504]),
        Route::post(
            "/v1/wallets/{wallet}/purchases/{purchase}/void",
            admin,
            "Takes what is left of all grants of a purchase, all or none; what they paid for stays",
            void_purchase,
        )
        .header(IDEMPOTENCY_KEY, RETRY)
        .takes::<Voiding>()
        .answers::<Said>(200, "Void: the entries say how much was taken")
        .problems(&[409, 504]),
    ]
}

/// A grant as a request has it: its terms, when and why.
struct NewGrant;

impl JsonSchema for NewGrant {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "NewGrant".into()
    }

    fn json_schema(schemas: &mut SchemaGenerator) -> Schema {
        let mut schema = Terms::json_schema(schemas);
        if let Some(properties) = schema.get_mut("properties").and_then(|p| p.as_object_mut()) {
            let time = "When it was promised; left out, when it is recorded.";
            properties
                .insert("time".into(), json!({"type": "string", "format": "date-time", "description": time}));
            properties.insert("reason".into(), json!({"type": "string", "description": "Why."}));
            let id = "Its id within the wallet; left out, the Idempotency-Key.";
            properties.insert("grant_id".into(), json!({"type": "string", "description": id}));
        }
        if let Some(required) = schema.get_mut("required").and_then(|r| r.as_array_mut()) {
            required.retain(|name| name != "grant_id");
        }
        schema
    }
}

/// What of a grant is taken, and why.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Voiding {
    /// Which part of what is left.
    #[serde(default)]
    what: What,
    /// Why: the rules want to know.
    reason: String,
}

/// A grant that was issued.
#[derive(Debug, Serialize, JsonSchema)]
struct Granted {
    /// The grant's id.
    grant: String,
    #[serde(flatten)]
    said: Said,
}

async fn issue(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(wallet): Path<String>,
    headers: HeaderMap,
    Raw(body): Raw,
) -> Result<Response, Problem> {
    let id = request_id(&headers, None)?;
    let Body::Grant { terms, time, reason, .. } =
        read_fields("grant", text(&body)?, &[("grant_id", &id)]).map_err(mistakes)?
    else {
        unreachable!("a document of a grant was read")
    };
    let (source, reason) = (Some(SOURCE), reason.as_deref());
    let grant = ingest::Grant { wallet: &wallet, source, id: Some(&id), time, terms: &terms, reason };
    let recorded = app.decide(ingest::grant(&grant, &app.stamp(&caller.by)?)?).await?;
    taken(&recorded)?;
    let said = Said::of(&app, &wallet, &id, recorded)?;
    Ok((StatusCode::CREATED, Json(Granted { grant: terms.grant_id.clone(), said })).into_response())
}

async fn read(
    State(app): State<Arc<App>>,
    Path((wallet, grant)): Path<(String, String)>,
    Asked(from): Asked<FromPosition>,
) -> Result<Json<GrantNow>, Problem> {
    let reading = app.rows(&wallet, &from).await?;
    let now = app.wallet(&wallet, &from).await?;
    let found = Grants::one(&reading, &now, &grant).await?;
    found.map(Json).ok_or_else(|| {
        let detail = format!("the wallet was never issued a grant {grant:?}: GET …/grants lists all");
        Problem::new(StatusCode::NOT_FOUND, "unknown_grant", detail)
    })
}

async fn void(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path((wallet, grant)): Path<(String, String)>,
    headers: HeaderMap,
    Json(Voiding { what, reason }): Json<Voiding>,
) -> Result<Json<Said>, Problem> {
    let voided = Voided { grant_id: Some(grant), purchase_id: None, what };
    take_back(&app, &caller, &wallet, &headers, (&voided, &reason)).await
}

async fn void_purchase(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path((wallet, purchase)): Path<(String, String)>,
    headers: HeaderMap,
    Json(Voiding { what, reason }): Json<Voiding>,
) -> Result<Json<Said>, Problem> {
    let voided = Voided { grant_id: None, purchase_id: Some(purchase), what };
    take_back(&app, &caller, &wallet, &headers, (&voided, &reason)).await
}

async fn take_back(
    app: &App,
    caller: &Caller,
    wallet: &str,
    headers: &HeaderMap,
    (voided, reason): (&Voided, &str),
) -> Result<Json<Said>, Problem> {
    let id = request_id(headers, None)?;
    app.correct(caller, (wallet, &id), Some(reason), Correction::Void(voided)).await.map(Json)
}
