//! The HTTP API: what products send, ask and read. Each file is a group of endpoints; `route.rs` says what a route is, `deciding.rs` how
//! the log answers, `caller.rs` who may what.

mod answers;
mod backlog;
mod body;
mod caller;
mod deciding;
mod drift;
mod health;
mod holds;
mod listen;
mod metrics;
mod openapi;
mod problem;
mod route;
mod seen;
mod server;

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::HttpBody as _;
use axum::extract::{DefaultBodyLimit, MatchedPath, Request};
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Response};
use eventlog::Log;
use projector::Asking;
use store::Projections;
use tokio::sync::watch;
use tracing::Instrument as _;

use crate::context::Context;
use crate::keys::{Keyring, Secret};
use backlog::Backlog;
use problem::Problem;
use route::Route;

pub(crate) use listen::ListenArgs;
pub(crate) use server::{Serving, serve};

/// Who made the ids of records that are asked for over HTTP.
pub(crate) const SOURCE: &str = "api";
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
}

impl Default for Limits {
    fn default() -> Self {
        Self { body: 8 << 20, request: Duration::from_secs(30), wait: Duration::from_secs(5) }
    }
}

/// Every route of the server.
pub(crate) fn routes() -> Vec<Route> {
    [health::routes(), metrics::routes(), holds::routes()].into_iter().flatten().collect()
}

/// The server's routes, with what holds for all of them.
pub(crate) fn router(app: &Arc<App>) -> Router {
    let mut router = Router::new();
    for route in routes() {
        router = route.mount(router, app);
    }
    let limits = app.limits;
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
        .layer(from_fn(move |request, next| bounded(request, next, limits)))
        .layer(from_fn(named))
        .with_state(app.clone())
}

/// Ends a request that takes too long, one whose body does not come above all; one that says itself that it is too large is not waited
/// for.
async fn bounded(request: Request, next: Next, limits: Limits) -> Response {
    if request.body().size_hint().lower() > limits.body as u64 {
        return body::too_large().into_response();
    }
    match tokio::time::timeout(limits.request, next.run(request)).await {
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
async fn named(request: Request, next: Next) -> Response {
    let given = request.headers().get(&REQUEST_ID).filter(|id| is_plain(id)).cloned();
    let id = given.unwrap_or_else(|| {
        let id = crate::context::random_id();
        HeaderValue::from_str(&id).expect("hexadecimal digits are a header")
    });
    let shown = id.to_str().unwrap_or_default().to_owned();
    let (method, path) = (request.method().clone(), request.uri().path().to_owned());
    let span = tracing::info_span!("request", id = shown, %method, path, by = tracing::field::Empty);
    let route = request.extensions().get::<MatchedPath>().map_or("", MatchedPath::as_str).to_owned();
    let verb = request.method().clone();
    let began = std::time::Instant::now();
    let mut response = next.run(request).instrument(span.clone()).await;
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
