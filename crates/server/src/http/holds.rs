//! Pre-authorization: holds, and what becomes of them (rules, section 7).

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use ingest::{Event, Hold, Holding, Measure, Usage};
use ledger::{Approved, Declined, KeyScope, Line, Span};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::value::RawValue;
use store::rows::OutcomeCode;

use super::answers::{Extended, Held, Settled, Voided, declined, held};
use super::body::{IDEMPOTENCY_KEY, Json, request_id};
use super::caller::{Caller, Needs};
use super::deciding::Recorded;
use super::problem::Problem;
use super::route::Route;
use super::{App, SOURCE};
use crate::telemetry::current_trace;

/// What every request for a hold says of retries.
pub(super) const RETRY: &str = "The request's id: the same again, with the same body, is answered as the first; with another body it is a 422";

pub(super) fn routes() -> Vec<Route> {
    let authorize = Needs::OfWallet(KeyScope::Authorize);
    vec![
        Route::post(
            "/v1/wallets/{wallet}/holds",
            authorize,
            "Sets credits aside for work to come, in the very lots that will pay; or says why not",
            hold,
        )
        .header(IDEMPOTENCY_KEY, RETRY)
        .takes::<HoldRequest>()
        .answers::<Held>(201, "Approved: the work may begin")
        .problems(&[402, 504])
        .where_folded(),
        Route::post(
            "/v1/wallets/{wallet}/charge",
            authorize,
            "Sets credits aside and takes them at once, in one call",
            charge,
        )
        .header(IDEMPOTENCY_KEY, RETRY)
        .takes::<HoldRequest>()
        .answers::<Settled>(201, "Charged")
        .problems(&[402, 504])
        .where_folded(),
        Route::post(
            "/v1/holds/{hold}/settle",
            authorize,
            "Takes what was used out of a hold; the rest is free at once",
            settle,
        )
        .takes::<SettleRequest>()
        .answers::<Settled>(200, "Booked: what was used has happened, whatever the balance")
        .problems(&[504])
        .where_folded(),
        Route::post(
            "/v1/holds/{hold}/extend",
            authorize,
            "Lets a hold live longer, or sets more aside",
            extend,
        )
        .header(IDEMPOTENCY_KEY, RETRY)
        .takes::<ExtendRequest>()
        .answers::<Extended>(200, "Extended")
        .problems(&[402, 409, 504])
        .where_folded(),
        Route::post(
            "/v1/holds/{hold}/void",
            authorize,
            "Ends a hold unused; one that was not requested yet will be declined",
            void,
        )
        .takes::<VoidRequest>()
        .answers::<Voided>(200, "Ended")
        .problems(&[504])
        .where_folded(),
    ]
}

/// Credits to be set aside: amounts, or an event that the wallet's price makes amounts of.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct HoldRequest {
    /// The hold's id, instead of an Idempotency-Key.
    id: Option<String>,
    /// Who uses.
    pub(super) subject: Option<String>,
    /// How much, in units.
    amounts: Option<Vec<Line>>,
    /// What is to be done, as the product's event would have it: its price says how much.
    event: Option<EventMeasure>,
    /// How long the hold lives, such as PT5M; left out, PT15M.
    ttl: Option<Span>,
    /// For how long somebody waits for the answer; later, it is declined.
    valid_for: Option<Span>,
    /// Cheaper things that could be done instead: a refusal says how many of each would fit.
    #[serde(default)]
    pub(super) alternatives: Vec<EventMeasure>,
}

/// A product's event, with nothing but its type and data.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct EventMeasure {
    /// Its type, such as llm.completion.
    #[serde(rename = "type")]
    pub(super) kind: String,
    /// Its data.
    #[schemars(with = "Option<serde_json::Value>")]
    pub(super) data: Option<Box<RawValue>>,
}

/// What was used of a hold.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct SettleRequest {
    /// Whose hold; a customer's token says it.
    wallet: Option<String>,
    /// How much, in units.
    amounts: Option<Vec<Line>>,
    /// What was done, as the product's event has it: the hold's price says how much.
    event: Option<EventMeasure>,
    /// The id of the usage that this books, within `source`: an event that bears it is the same usage. Left out, `{hold}:used`.
    usage: Option<String>,
    /// Who made the usage's id; left out, `api`.
    source: Option<String>,
    /// Whether what is left stays set aside.
    #[serde(default)]
    part: bool,
}

/// More time, or more credits.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ExtendRequest {
    /// Whose hold; a customer's token says it.
    wallet: Option<String>,
    /// How long it lives from now on, such as PT5M.
    ttl: Option<Span>,
    /// How much more, in units.
    amounts: Option<Vec<Line>>,
    /// What is to be done beside, as the product's event would have it.
    event: Option<EventMeasure>,
}

/// A hold to be ended.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct VoidRequest {
    /// Whose hold; a customer's token says it.
    wallet: Option<String>,
}

/// How much, where it is said at most once.
pub(super) fn measure<'a>(
    amounts: Option<&'a Vec<Line>>,
    event: Option<&'a EventMeasure>,
) -> Result<Option<Measure<'a>>, Problem> {
    match (amounts, event) {
        (Some(_), Some(_)) => {
            Err(Problem::bad("two_measures", "`amounts` and `event` both say how much: send one of them"))
        }
        (Some(lines), None) => Ok(Some(Measure::Amounts(lines))),
        (None, Some(event)) => Ok(Some(Measure::Event(event.measure()))),
        (None, None) => Ok(None),
    }
}

/// How much, where it must be said.
pub(super) fn needed<'a>(
    amounts: Option<&'a Vec<Line>>,
    event: Option<&'a EventMeasure>,
) -> Result<Measure<'a>, Problem> {
    measure(amounts, event)?.ok_or_else(|| {
        let detail = "the request does not say how much: send `amounts`, or an `event` to be priced";
        Problem::bad("no_measure", detail)
    })
}

impl EventMeasure {
    pub(super) fn measure(&self) -> Event<'_> {
        Event { kind: &self.kind, data: self.data.as_deref() }
    }
}

async fn hold(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(wallet): Path<String>,
    headers: HeaderMap,
    Json(request): Json<HoldRequest>,
) -> Result<Response, Problem> {
    let id = request_id(&headers, request.id.clone())?;
    let recorded = request_hold(&app, &caller, &wallet, &id, &request).await?;
    Ok((StatusCode::CREATED, Json(held(&app, &wallet, &id, recorded)?)).into_response())
}

/// Requests a hold; it is an error if that is declined.
async fn request_hold(
    app: &Arc<App>,
    caller: &Caller,
    wallet: &str,
    id: &str,
    request: &HoldRequest,
) -> Result<Recorded, Problem> {
    let stamp = app.stamp(&caller.by)?;
    let valid_until = request.valid_for.map(|span| stamp.now.plus(span.exact()));
    let says = Hold::Request {
        estimate: needed(request.amounts.as_ref(), request.event.as_ref())?,
        ttl: request.ttl,
        valid_until,
    };
    let trace = current_trace();
    let holding = Holding {
        wallet,
        source: Some(SOURCE),
        id,
        subject: request.subject.as_deref(),
        trace: trace.as_deref(),
        says,
    };
    let recorded = app.decide(ingest::hold(&holding, &stamp)?).await?;
    if let Some(answer) = refusal(&recorded)? {
        return Err(declined(app, wallet, id, recorded, &answer, &request.alternatives));
    }
    Ok(recorded)
}

/// Why a request was declined, if it was.
fn refusal(recorded: &Recorded) -> Result<Option<Declined>, Problem> {
    let detail = recorded.record.detail.as_deref().unwrap_or_default();
    match OutcomeCode::try_from(recorded.record.outcome).map_err(anyhow::Error::from)? {
        OutcomeCode::Declined => Ok(Some(Declined::parse(detail).map_err(anyhow::Error::from)?)),
        OutcomeCode::Rejected => {
            let sentence = crate::documents::explain_rejection(detail);
            Err(Problem::new(StatusCode::UNPROCESSABLE_ENTITY, detail, sentence)
                .with("position", recorded.position.to_string()))
        }
        OutcomeCode::Applied
        | OutcomeCode::Approved
        | OutcomeCode::Duplicate
        | OutcomeCode::Conflict
        | OutcomeCode::None => Ok(None),
    }
}

async fn charge(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(wallet): Path<String>,
    headers: HeaderMap,
    Json(request): Json<HoldRequest>,
) -> Result<Response, Problem> {
    let id = request_id(&headers, request.id.clone())?;
    request_hold(&app, &caller, &wallet, &id, &request).await?;
    let usage = format!("{id}:used");
    let usage = Usage { source: SOURCE, id: &usage };
    let says = Hold::Settle {
        hold: &id,
        usage,
        actual: needed(request.amounts.as_ref(), request.event.as_ref())?,
        is_final: true,
    };
    let settled = say(&app, &caller, &wallet, &format!("settle:{id}"), says).await?;
    Ok((StatusCode::CREATED, Json(Settled::of(&app, &wallet, &id, settled)?)).into_response())
}

async fn settle(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(hold): Path<String>,
    Json(request): Json<SettleRequest>,
) -> Result<Json<Settled>, Problem> {
    let wallet = caller.wallet(request.wallet)?;
    let usage = request.usage.unwrap_or_else(|| format!("{hold}:used"));
    let source = request.source.as_deref().unwrap_or(SOURCE);
    let says = Hold::Settle {
        hold: &hold,
        usage: Usage { source, id: &usage },
        actual: needed(request.amounts.as_ref(), request.event.as_ref())?,
        is_final: !request.part,
    };
    let id = format!("settle:{hold}:{source}:{usage}");
    let settled = say(&app, &caller, &wallet, &id, says).await?;
    Ok(Json(Settled::of(&app, &wallet, &hold, settled)?))
}

async fn extend(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(hold): Path<String>,
    headers: HeaderMap,
    Json(request): Json<ExtendRequest>,
) -> Result<Json<Extended>, Problem> {
    let wallet = caller.wallet(request.wallet)?;
    let id = request_id(&headers, None)?;
    let says = Hold::Extend {
        hold: &hold,
        ttl: request.ttl,
        more: measure(request.amounts.as_ref(), request.event.as_ref())?,
    };
    let extended = say(&app, &caller, &wallet, &id, says).await?;
    if let Some(answer) = refusal(&extended)? {
        return Err(declined(&app, &wallet, &hold, extended, &answer, &[]));
    }
    Ok(Json(Extended::of(&app, &wallet, &hold, extended)?))
}

async fn void(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(hold): Path<String>,
    Json(request): Json<VoidRequest>,
) -> Result<Json<Voided>, Problem> {
    let wallet = caller.wallet(request.wallet)?;
    let voided = say(&app, &caller, &wallet, &format!("void:{hold}"), Hold::Void { hold: &hold }).await?;
    Ok(Json(Voided::of(&app, &wallet, &hold, voided)?))
}

/// Says something of a hold.
async fn say(
    app: &App,
    caller: &Caller,
    wallet: &str,
    id: &str,
    says: Hold<'_>,
) -> Result<Recorded, Problem> {
    let stamp = app.stamp(&caller.by)?;
    let trace = current_trace();
    let holding = Holding { wallet, source: Some(SOURCE), id, subject: None, trace: trace.as_deref(), says };
    let recorded = app.decide(ingest::hold(&holding, &stamp)?).await?;
    if OutcomeCode::try_from(recorded.record.outcome) == Ok(OutcomeCode::Rejected) {
        refusal(&recorded)?;
    }
    Ok(recorded)
}

/// Reads the answer of an approval.
pub(super) fn approval(recorded: &Recorded) -> Result<Approved, Problem> {
    let detail = recorded.record.detail.as_deref().unwrap_or_default();
    Ok(Approved::parse(detail).map_err(anyhow::Error::from)?)
}
