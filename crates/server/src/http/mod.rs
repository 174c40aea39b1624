//! The HTTP API: what products send, ask and read. Each file is a group of endpoints; `route.rs` says what a route is, `deciding.rs` how
//! the log answers, `caller.rs` who may what.

mod answers;
mod backlog;
mod body;
mod caller;
mod catalogue;
mod deciding;
mod drift;
mod earlier;
mod events;
mod feed;
mod forecast;
mod forward;
mod grants;
mod health;
mod history;
mod holds;
mod holds_read;
mod keys;
mod listen;
mod lists;
mod meter;
mod metrics;
mod openapi;
mod openmeter;
mod preview;
mod problem;
mod route;
mod saying;
mod seen;
mod server;
mod settings;
mod spent;
mod stream;
mod taking;
mod usage;
mod wallets;

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::HttpBody as _;
use axum::body::{Body, to_bytes};
use axum::extract::{DefaultBodyLimit, MatchedPath, Request};
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Response};
use eventlog::Log;
use futures_util::StreamExt as _;
use projector::Asking;
use store::Projections;
use tokio::sync::{Semaphore, watch};
use tracing::Instrument as _;

use crate::context::Context;
use crate::keys::{Keyring, Secret};
use crate::stop::Stop;
use crate::telemetry::continue_trace;
use backlog::Backlog;
use feed::Feeds;
use forward::Forwarding;
use problem::Problem;
use route::Route;

pub(crate) use listen::ListenArgs;
pub(crate) use server::{Serving, serve};

/// Who made the ids of records that are asked for over HTTP.
pub(crate) const SOURCE: &str = "api";
/// A body of so many bytes is read before the request is looked at.
const SMALL: usize = 64 * 1024;
/// How long what is too large is read to its end.
const LINGER: Duration = Duration::from_secs(2);
/// The header that names a request in answers and logs.
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// What every request is handled with.
pub(crate) struct App {
    pub(crate) context: Context,
    pub(crate) log: Arc<Log>,
    pub(crate) store: Arc<Projections>,
    pub(crate) asking: Asking,
    pub(crate) keys: watch::Receiver<Arc<Keyring>>,
    pub(crate) secret: Secret,
    pub(crate) backlog: watch::Receiver<Backlog>,
    pub(crate) limits: Limits,
    pub(crate) feeds: Feeds,
    pub(crate) forwarding: Forwarding,
    /// Set once the server is told to stop: what would go on for ever ends then.
    pub(crate) stop: Stop,
}

/// What one request may take.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    /// Bytes of its body.
    pub(crate) body: usize,
    /// How long it may take to come in and be answered.
    pub(crate) request: Duration,
    /// How long to wait for what becomes of a record.
    pub(crate) wait: Duration,
    /// How many may be handled at one time.
    pub(crate) at_once: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { body: 8 << 20, request: Duration::from_secs(30), wait: Duration::from_secs(5), at_once: 4_096 }
    }
}

/// Every route of the server.
pub(crate) fn routes() -> Vec<Route> {
    [
        health::routes(),
        metrics::routes(),
        holds::routes(),
        keys::routes(),
        settings::routes(),
        grants::routes(),
        usage::routes(),
        catalogue::routes(),
        preview::routes(),
        holds_read::routes(),
        meter::routes(),
        wallets::routes(),
        forecast::routes(),
        stream::routes(),
        history::routes(),
        events::routes(),
        openmeter::routes(),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// The server's routes, with what holds for all of them.
pub(crate) fn router(app: &Arc<App>) -> Router {
    let mut router = Router::new();
    for route in routes() {
        router = route.mount(router, app);
    }
    let limits = app.limits;
    let room = Arc::new(Semaphore::new(limits.at_once));
    router
        .fallback(|| async {
            Problem::new(
                StatusCode::NOT_FOUND,
                "no_such_route",
                "there is nothing here: GET /openapi.json lists what is",
            )
        })
        .method_not_allowed_fallback(|| async {
            Problem::new(
                StatusCode::METHOD_NOT_ALLOWED,
                "method",
                "this path takes other methods: GET /openapi.json lists them",
            )
        })
        .layer(DefaultBodyLimit::max(limits.body))
        // One layer for all: each costs every request a few microseconds.
        .layer(from_fn(move |request, next| named(request, next, limits, room.clone())))
        .with_state(app.clone())
}

/// Takes a small body in at once: whoever is refused before his body is read could not use the connection again.
async fn whole(request: Request) -> Result<Request, Problem> {
    if request.body().size_hint().upper().is_none_or(|bytes| bytes > SMALL as u64) {
        return Ok(request);
    }
    let (head, body) = request.into_parts();
    let body = to_bytes(body, SMALL).await.map_err(|_| body::broken_off())?;
    Ok(Request::from_parts(head, Body::from(body)))
}

/// Lets a client finish what it sends, for a while: one that is still sending would not see the answer.
async fn drain(body: Body) {
    let mut pieces = body.into_data_stream();
    let drained = async { while let Some(Ok(_)) = pieces.next().await {} };
    // Whoever sends longer finds the connection closed.
    let _ = tokio::time::timeout(LINGER, drained).await;
}

/// Turns requests away while as many are handled as can be. What streams on after its head no longer counts.
async fn with_room(request: Request, next: Next, limits: Limits, room: &Semaphore) -> Response {
    let Ok(_place) = room.try_acquire() else {
        let detail =
            "the server does as much as it can: ask again in a second, or send fewer requests at a time";
        return Problem::too_many(detail).into_response();
    };
    bounded(request, next, limits).await
}

/// Ends a request that takes too long, one whose body does not come above all; one that says itself that it is too large is not waited
/// for.
async fn bounded(request: Request, next: Next, limits: Limits) -> Response {
    if request.body().size_hint().lower() > limits.body as u64 {
        drain(request.into_body()).await;
        return body::too_large().into_response();
    }
    let done = async {
        match whole(request).await {
            Ok(request) => next.run(request).await,
            Err(problem) => problem.into_response(),
        }
    };
    match tokio::time::timeout(limits.request, done).await {
        Ok(response) => response,
        Err(_) => {
            let detail = format!(
                "the request was not done in {} s: what it appended counts once, send it again",
                limits.request.as_secs()
            );
            Problem::new(StatusCode::REQUEST_TIMEOUT, "timeout", detail).into_response()
        }
    }
}

/// Gives each request an id, its own if it brings one that is short and plain, and logs how it ended.
async fn named(mut request: Request, next: Next, limits: Limits, room: Arc<Semaphore>) -> Response {
    let given = request.headers().get(&REQUEST_ID).filter(|id| is_plain(id)).cloned();
    let id = given.unwrap_or_else(|| {
        let id = crate::context::random_id();
        HeaderValue::from_str(&id).expect("hexadecimal digits are a header")
    });
    let shown = id.to_str().unwrap_or_default().to_owned();
    let (method, path) = (request.method().clone(), request.uri().path().to_owned());
    let span = tracing::info_span!("request", id = shown, %method, path, by = tracing::field::Empty);
    continue_trace(&span, request.headers());
    // Another node that the request is sent on to names it so too.
    request.headers_mut().insert(REQUEST_ID, id.clone());
    let route = request.extensions().get::<MatchedPath>().map_or("", MatchedPath::as_str).to_owned();
    let verb = request.method().clone();
    let began = std::time::Instant::now();
    let mut response = with_room(request, next, limits, &room).instrument(span.clone()).await;
    let took = began.elapsed();
    let status = response.status().as_u16();
    metrics::answered(verb.as_str(), &route, status, took);
    let took_us = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
    span.in_scope(|| tracing::debug!(status, took_us, "answered"));
    response.headers_mut().insert(REQUEST_ID, id);
    response
}

fn is_plain(id: &HeaderValue) -> bool {
    id.len() <= 128 && !id.is_empty() && id.as_bytes().iter().all(u8::is_ascii_graphic)
}
