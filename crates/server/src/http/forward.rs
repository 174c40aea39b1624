//! Requests about a wallet go to the node that folds it, where that has told how it is reached: it has the wallet in memory, and
//! answers without the store (decision 0037).
//!
//! This makes answers quicker and keeps them coming while the store stands still; they are right without it. So whatever goes wrong on
//! the way, the request is answered here, under the same id.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::RequestExt as _;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{FromRequest as _, RawPathParams, Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Uri, header, request};
use axum::middleware::Next;
use axum::response::Response;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use ledger::Partition;
use serde::Deserialize;
use store::{Fleet, Projections, Store};
use tokio::sync::watch;
use tokio::time::{Instant as Moment, timeout};

use super::App;
use super::body::Raw;
use super::caller::Caller;
use super::problem::Problem;

/// The id of a request that has none of its own: where it was sent first and where it was sent on to, it is one request.
pub(super) const FORWARDED_ID: HeaderName = HeaderName::from_static("x-drawdown-forwarded-id");
/// How often is looked who folds what.
const LOOK: Duration = Duration::from_millis(250);
/// How long to wait for the store to tell, and …
const PATIENCE: Duration = Duration::from_secs(2);
/// … how long for another node, which may be frozen: its leases run out a little later.
const SILENT: Duration = Duration::from_secs(1);
/// For how long a node that did not answer is left alone.
const SHUNNED: Duration = Duration::from_secs(2);
/// Connections to each node that are kept though nobody uses them.
const IDLE: usize = 64;
/// Headers of one connection alone.
const OF_CONNECTION: [HeaderName; 7] = [
    header::CONNECTION,
    header::CONTENT_LENGTH,
    header::EXPECT,
    header::HOST,
    header::TE,
    header::TRANSFER_ENCODING,
    header::UPGRADE,
];

/// Where whoever folds a partition is reached, as far as that was told.
pub(crate) type Owners = BTreeMap<Partition, Arc<str>>;

/// How requests are sent on.
pub(crate) struct Forwarding {
    owners: watch::Receiver<Owners>,
    /// Where this node itself is reached.
    own: Option<String>,
    client: Client<HttpsConnector<HttpConnector>, Body>,
    /// Nodes that did not answer, and until when they are left alone.
    silent: Mutex<BTreeMap<Arc<str>, Moment>>,
}

/// What a body says of where a request belongs.
#[derive(Default, Deserialize)]
struct Names {
    wallet: Option<String>,
}

impl Forwarding {
    pub(crate) fn new(owners: watch::Receiver<Owners>, own: Option<String>) -> anyhow::Result<Self> {
        let provider = tokio_rustls::rustls::crypto::ring::default_provider();
        let connector = HttpsConnectorBuilder::new()
            .with_provider_and_native_roots(provider)?
            .https_or_http()
            .enable_http1()
            .build();
        let client = Client::builder(TokioExecutor::new()).pool_max_idle_per_host(IDLE).build(connector);
        Ok(Self { owners, own, client, silent: Mutex::default() })
    }

    /// Whether any node has told where it is reached.
    fn is_idle(&self) -> bool {
        self.owners.borrow().is_empty()
    }

    /// Another node that folds a partition, and answers as far as is known.
    fn owner(&self, partition: Partition) -> Option<Arc<str>> {
        let owner = self.owners.borrow().get(&partition).cloned()?;
        let mut silent = self.silent.lock().unwrap_or_else(PoisonError::into_inner);
        silent.retain(|_, until| *until > Moment::now());
        (self.own.as_deref() != Some(&*owner) && !silent.contains_key(&owner)).then_some(owner)
    }

    /// Asks another node. None if there is no answer: what was asked may have been done or not.
    async fn ask(&self, owner: &Arc<str>, head: &request::Parts, body: Bytes) -> Option<Response> {
        let path = head.uri.path_and_query().map_or("/", |path| path.as_str());
        let uri: Uri = format!("{owner}{path}").parse().ok()?;
        let mut sent = Request::builder().method(head.method.clone()).uri(uri).body(Body::from(body)).ok()?;
        *sent.headers_mut() = without_connection(&head.headers);
        match timeout(SILENT, self.client.request(sent)).await {
            Ok(Ok(answer)) => {
                let (mut head, body) = answer.into_parts();
                head.headers = without_connection(&head.headers);
                // An answer that breaks off is none either.
                let body = timeout(SILENT, to_bytes(Body::new(body), usize::MAX)).await.ok()?.ok()?;
                Some(Response::from_parts(head, Body::from(body)))
            }
            Ok(Err(error)) => {
                tracing::debug!(%owner, %error, "another node cannot be asked: answered here");
                None
            }
            Err(_) => {
                tracing::warn!(%owner, "another node does not answer: answered here");
                let mut silent = self.silent.lock().unwrap_or_else(PoisonError::into_inner);
                silent.insert(owner.clone(), Moment::now() + SHUNNED);
                None
            }
        }
    }
}

/// Sends a request on to the node that folds its wallet; answers it here where that is this one, is not known, or does not answer.
pub(crate) async fn forward(
    State(app): State<Arc<App>>,
    mut request: Request,
    next: Next,
) -> Result<Response, Problem> {
    if app.forwarding.is_idle() || request.headers().contains_key(FORWARDED_ID) {
        return Ok(next.run(request).await);
    }
    let params = request.extract_parts::<RawPathParams>().await;
    let params = params.map_err(|_| Problem::bad("bad_path", "the path is no UTF-8: encode it"))?;
    let named = params.iter().find(|(name, _)| *name == "wallet").map(|(_, wallet)| wallet.to_owned());
    let (mut head, body) = request.into_parts();
    let Raw(body) = Raw::from_request(Request::from_parts(head.clone(), body), &()).await?;
    let of_body = || serde_json::from_slice::<Names>(&body).ok().and_then(|names| names.wallet);
    let caller = head.extensions.get::<Caller>();
    let wallet = named.or_else(|| caller.and_then(|caller| caller.wallet(of_body()).ok()));
    let partition = wallet.map(|wallet| Partition::of(&wallet, app.asking.partitions()));
    let elsewhere = partition.filter(|partition| !app.asking.is_here(*partition));
    if let Some(owner) = elsewhere.and_then(|partition| app.forwarding.owner(partition)) {
        let id =
            HeaderValue::from_str(&crate::context::random_id()).expect("hexadecimal digits are a header");
        head.headers.insert(FORWARDED_ID, id);
        if let Some(answer) = app.forwarding.ask(&owner, &head, body.clone()).await {
            return Ok(answer);
        }
    }
    Ok(next.run(Request::from_parts(head, Body::from(body))).await)
}

fn without_connection(headers: &HeaderMap) -> HeaderMap {
    let mut headers = headers.clone();
    for name in &OF_CONNECTION {
        headers.remove(name);
    }
    headers
}

/// Looks again and again who folds what. What was found last holds while the store does not tell.
pub(crate) async fn watch_owners(store: Arc<Projections>, found: watch::Sender<Owners>) {
    loop {
        match timeout(PATIENCE, store.fleet()).await {
            Ok(Ok(fleet)) => {
                let owners = owners(&fleet);
                found.send_if_modified(|before| {
                    let is_new = *before != owners;
                    *before = owners;
                    is_new
                });
            }
            Ok(Err(error)) => tracing::debug!(%error, "who folds what cannot be read: asked again"),
            Err(_) => {}
        }
        tokio::time::sleep(LOOK).await;
    }
}

/// A node that is reached says so in its name, `NAME@URL`.
fn owners(fleet: &Fleet) -> Owners {
    let lives = fleet.leases.iter().filter(|lease| lease.lives_ms > 0);
    let at = lives.filter_map(|lease| {
        let (_, url) = lease.owner.split_once('@')?;
        let is_url = url.starts_with("http://") || url.starts_with("https://");
        is_url.then(|| (lease.partition, Arc::from(url)))
    });
    at.collect()
}
