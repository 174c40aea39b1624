//! What products send: CloudEvents, in every mode of their HTTP binding.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use ledger::{Amount, KeyScope, Position};
use projector::Awaiting;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};
use store::rows::OutcomeCode;
use tokio::time::{Instant as Moment, timeout_at};

use super::App;
use super::answers::Paid;
use super::body::{Asked, Json, Raw};
use super::caller::{Caller, Needs};
use super::problem::Problem;
use super::route::Route;
use super::taking::{Checked, Verdict, events};

/// The media types of events, one or several.
pub(super) const ONE: &str = "application/cloudevents+json";
pub(super) const BATCH: &str = "application/cloudevents-batch+json";

pub(super) fn routes() -> Vec<Route> {
    let what = "Takes CloudEvents in: one as JSON, a batch, or one in headers `ce-…` with its data as the body. Each is checked by itself, and counts once however often it is sent";
    vec![
        Route::post("/v1/events", Needs::OfAll(KeyScope::Ingest), what, post)
            .query::<Wait>()
            .header("prefer", "`wait` asks for what `?wait=true` asks for")
            .takes_as::<CloudEvent>(ONE)
            .takes_as::<Vec<CloudEvent>>(BATCH)
            .takes::<CloudEvents>()
            .answers::<Taken<'static>>(202, "What was not refused is in the log, durable")
            .answers::<Taken<'static>>(200, "And all of it is booked, as was asked for")
            .problems(&[504]),
    ]
}

/// Whether to wait.
#[derive(Debug, Default, Deserialize, JsonSchema)]
struct Wait {
    /// Answer once the events are booked, with what each did; those of which that is not known in time say nothing of it.
    #[serde(default)]
    wait: bool,
}

/// A CloudEvent of version 1.0 as JSON: who pays is `wallet`, else `subject`.
pub(super) struct CloudEvent;

impl JsonSchema for CloudEvent {
    fn schema_name() -> Cow<'static, str> {
        "CloudEvent".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let text = || json_schema!({"type": "string", "minLength": 1});
        json_schema!({
            "type": "object",
            "required": ["specversion", "id", "source", "type"],
            "properties": {
                "specversion": {"const": "1.0"},
                "id": text(),
                "source": text(),
                "type": text(),
                "subject": text(),
                "wallet": text(),
                "time": {"type": "string", "format": "date-time"},
                "datacontenttype": text(),
                "data": {},
                "data_base64": {"type": "string", "contentEncoding": "base64"},
            },
        })
    }
}

/// One or several.
#[derive(JsonSchema)]
#[schemars(untagged)]
#[expect(dead_code, reason = "bodies are read event by event: this says what they are")]
pub(super) enum CloudEvents {
    One(CloudEvent),
    Several(Vec<CloudEvent>),
}

/// What became of the events of a request.
#[derive(Serialize, JsonSchema)]
struct Taken<'a> {
    /// How many are in the log, whether or not they were before.
    accepted: usize,
    refused: usize,
    /// Of each event, in the order in which they were sent.
    events: Vec<Verdict<'a, Option<Became>>>,
}

/// What an event did.
#[derive(Serialize, JsonSchema)]
struct Became {
    /// `applied`; `duplicate`, which changed nothing; or `conflict`: another event has this id.
    outcome: &'static str,
    /// Of a duplicate or a conflict, the event that has the id.
    #[serde(skip_serializing_if = "Option::is_none")]
    first: Option<String>,
    /// What it cost by unit, or the first one did; nothing if it is free or has no price yet.
    cost: BTreeMap<String, Amount>,
    /// What no lot covered of it.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    overage: BTreeMap<String, Amount>,
    /// Why it has no price, or by what price it is free (`free:`).
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<String>,
}

async fn post(
    State(app): State<Arc<App>>,
    caller: Caller,
    headers: HeaderMap,
    Asked(asked): Asked<Wait>,
    Raw(body): Raw,
) -> Result<Response, Problem> {
    let found = events(&headers, &body)?;
    let mut checked = Checked::of(&app, &caller.by, &found).await?;
    if let Some(problem) = checked.nothing_left() {
        return Err(problem.with("events", checked.refusals()));
    }
    let (accepted, refused) = (checked.accepted(), checked.refused);
    let waits = asked.wait || prefers_wait(&headers);
    let until = Moment::now() + app.limits.wait;
    let awaiting = if waits { checked.await_each(&app) } else { Vec::new() };
    let positions = checked.append(&app).await?;
    let mut became: Vec<Option<Became>> = Vec::new();
    for ((awaiting, position), wallet) in awaiting.into_iter().zip(&positions).zip(checked.wallets()) {
        became.push(timeout_at(until, app.became(awaiting, *position, wallet)).await.ok().flatten());
    }
    let status =
        if waits && became.iter().all(Option::is_some) { StatusCode::OK } else { StatusCode::ACCEPTED };
    became.resize_with(positions.len(), || None);
    let events = checked.verdicts(positions.into_iter().zip(became));
    Ok((status, Json(Taken { accepted, refused, events })).into_response())
}

/// Whether the header of RFC 7240 asks to wait; for how long is the server's to say.
fn prefers_wait(headers: &HeaderMap) -> bool {
    let all = headers.get_all("prefer").iter().filter_map(|value| value.to_str().ok());
    let mut names = all.flat_map(|value| value.split(',')).filter_map(|one| one.split(['=', ';']).next());
    names.any(|name| name.trim().eq_ignore_ascii_case("wait"))
}

impl App {
    /// What an event did that is in the log; none if nobody can tell now.
    async fn became(&self, mut awaiting: Awaiting, at: Position, wallet: &str) -> Option<Became> {
        match self.told(&mut awaiting, at, wallet).await {
            Ok(became) => Some(became),
            Err(problem) => {
                tracing::debug!(position = %at, code = problem.code, "what an event did is not told");
                None
            }
        }
    }

    async fn told(&self, awaiting: &mut Awaiting, at: Position, wallet: &str) -> Result<Became, Problem> {
        let answered = self.answered(awaiting, at.partition, Some(at.offset), wallet).await?;
        let code = OutcomeCode::try_from(answered.record.outcome).map_err(anyhow::Error::from)?;
        let of = |offset| Position { offset, ..at }.to_string();
        if code == OutcomeCode::Conflict {
            let first = answered.record.earlier.map(of);
            let (cost, overage) = (BTreeMap::new(), BTreeMap::new());
            return Ok(Became { outcome: code.word(), first, cost, overage, detail: answered.record.detail });
        }
        let recorded = self.recorded(answered, wallet).await?;
        // The same event may be there twice, on its way: then the first tells what both did.
        let is_first = recorded.first.offset == at.offset;
        let Paid { cost, overage, .. } = Paid::of(&recorded.entries)?;
        let (outcome, first) = if is_first {
            (code.word(), None)
        } else {
            (OutcomeCode::Duplicate.word(), Some(of(recorded.first.offset)))
        };
        Ok(Became { outcome, first, cost, overage, detail: recorded.record.detail })
    }
}
