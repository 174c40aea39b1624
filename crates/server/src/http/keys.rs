//! Keys, and the tokens that let customers in.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use ingest::{Published, Stamp};
use ledger::{ApiKey, Instant, KeyScope, Position, Span, content_id};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tokio::time::{Instant as Moment, timeout_at};

use super::App;
use super::body::{Asked, IDEMPOTENCY_KEY, Json, request_id};
use super::caller::{Caller, Needs};
use super::problem::Problem;
use super::route::Route;
use crate::keys::{CUSTOMER_TTL, Listed, Made, MintError, Scopes, Standing, Token, make, mint};

/// How long the answer to a request that made a key can be had again.
const SHOWN_FOR: i64 = 24 * 3600 * 1_000_000_000;
/// Most keys of one page.
const MOST: usize = 1_000;
const RETRY: &str =
    "The request's id: the same again, with the same body, is answered as the first, for a day";

pub(super) fn routes() -> Vec<Route> {
    let admin = Needs::OfAll(KeyScope::Admin);
    vec![
        Route::post("/v1/keys", admin, "Makes a key, which is shown this once", create)
            .header(IDEMPOTENCY_KEY, RETRY)
            .takes::<NewKey>()
            .answers::<ShownKey>(201, "Made, and in force: keep the key now")
            .problems(&[409, 504]),
        Route::get("/v1/keys", admin, "Lists keys, also those that are over: never the keys themselves", list)
            .query::<Page>()
            .answers::<Keys>(200, "Keys, by their ids"),
        Route::post(
            "/v1/keys/{key}/rotate",
            admin,
            "Makes a key that takes another one's place: both are live until the overlap is over",
            rotate,
        )
        .header(IDEMPOTENCY_KEY, RETRY)
        .takes::<Rotation>()
        .answers::<Rotated>(201, "Made, and in force: keep the key now")
        .problems(&[409, 504]),
        Route::delete(
            "/v1/keys/{key}",
            admin,
            "Takes a key back, for ever; its customers' tokens go with it",
            revoke,
        )
        .answers::<RevokedKey>(200, "Revoked: here at once, on every other node within a second")
        .problems(&[504]),
        Route::post(
            "/v1/tokens",
            Needs::AnyKey,
            "Makes a short-lived token that lets a customer see one wallet; it is kept nowhere, and dies with its key",
            token,
        )
        .takes::<NewToken>()
        .answers::<Minted>(201, "Made"),
    ]
}

/// A key to be made.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct NewKey {
    /// What it lets do; `admin` lets do everything.
    #[schemars(length(min = 1))]
    scopes: BTreeSet<KeyScope>,
    /// What it is for.
    #[schemars(length(max = 1024))]
    description: Option<String>,
    /// From when on it is of no use; left out, never.
    expires_at: Option<Instant>,
}

/// How a key is rotated.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Rotation {
    /// How long the old key stays beside the new one, such as P1D; left out, P7D.
    overlap: Option<Span>,
    /// When the new one expires; left out, it lives as long as the old one was to.
    expires_at: Option<Instant>,
}

/// A token to be made.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct NewToken {
    /// The one wallet that it is for.
    #[schemars(length(min = 1, max = 256))]
    wallet: String,
    /// `read`, `authorize` or both, and nothing that the key does not let do; left out, `read`.
    scopes: Option<BTreeSet<KeyScope>>,
    /// How long it lives, a day at most; left out, PT15M.
    ttl: Option<Span>,
}

/// A page of keys.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Page {
    /// How many at most, up to 1000.
    limit: Option<u32>,
    /// The `next` of the page before.
    after: Option<String>,
}

/// A new key.
#[derive(Debug, Serialize, JsonSchema)]
struct ShownKey {
    #[serde(flatten)]
    made: Made,
    /// Where it stands in the log.
    position: String,
}

#[derive(Debug, Serialize, JsonSchema)]
struct Keys {
    keys: Vec<Listed>,
    /// Give this as `after` for the next page; none on the last one.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
}

/// A key that took another one's place.
#[derive(Debug, Serialize, JsonSchema)]
struct Rotated {
    new: Made,
    old: OldKey,
    /// Where the new one stands in the log.
    position: String,
}

/// The key that is to go.
#[derive(Debug, Serialize, JsonSchema)]
struct OldKey {
    id: String,
    expires_at: Instant,
}

#[derive(Debug, Serialize, JsonSchema)]
struct RevokedKey {
    id: String,
    /// Whether this request did it.
    revoked: bool,
    /// Where that stands in the log; none of a key that was revoked before.
    #[serde(skip_serializing_if = "Option::is_none")]
    position: Option<String>,
}

/// A customer's token.
#[derive(Debug, Serialize, JsonSchema)]
struct Minted {
    token: String,
    wallet: String,
    scopes: Vec<&'static str>,
    expires_at: Instant,
}

async fn create(
    State(app): State<Arc<App>>,
    caller: Caller,
    headers: HeaderMap,
    Json(new): Json<NewKey>,
) -> Result<Response, Problem> {
    let NewKey { scopes, description, expires_at } = new;
    if scopes.is_empty() {
        return Err(
            Problem::bad("bad_field", "`scopes` is empty: name what the key lets do").with("field", "scopes")
        );
    }
    described(description.as_deref())?;
    let token = app.token(&caller, &headers, "create")?;
    let (made, key) = make(&token, &app.secret, scopes.into_iter().collect(), description, expires_at);
    let is_new = app.keys.borrow().get(&made.id).is_none();
    ends_later(expires_at.filter(|_| is_new), app.context.now())?;
    let document = key_document("", &made.id, &key, None, &app.stamp(&caller.by)?)?;
    let position = app.put_key(&made.id, document, None).await?.to_string();
    app.is_shown(&made)?;
    Ok((StatusCode::CREATED, Json(ShownKey { made, position })).into_response())
}

async fn list(State(app): State<Arc<App>>, Asked(page): Asked<Page>) -> Result<Json<Keys>, Problem> {
    let (now, keyring) = (app.context.now(), app.keys.borrow().clone());
    let limit = page.limit.map_or(MOST, |limit| (limit as usize).clamp(1, MOST));
    let is_after = |id: &str| page.after.as_deref().is_none_or(|after| id > after);
    let mut found = keyring.iter().filter(|(id, _)| is_after(id));
    let keys: Vec<Listed> =
        found.by_ref().take(limit).map(|(id, standing)| Listed::new(id, standing, now)).collect();
    let next = found.next().and(keys.last()).map(|last| last.id.clone());
    Ok(Json(Keys { keys, next }))
}

async fn rotate(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
    headers: HeaderMap,
    Json(rotation): Json<Rotation>,
) -> Result<Response, Problem> {
    let now = app.context.now();
    let old = app.standing(&id)?;
    let token = app.token(&caller, &headers, &format!("rotate {id}"))?;
    // The new key's record names the request that made it.
    let said = serde_json::to_string(&rotation).map_err(anyhow::Error::from)?;
    let said = content_id(&["rotation"], &said, None).map_err(anyhow::Error::from)?;
    let request = if headers.contains_key(IDEMPOTENCY_KEY) { format!("{said}/") } else { String::new() };
    let before = app.keys.borrow().get(token.id()).cloned();
    let (made, key, made_at) = match before {
        // It was made before: what it is does not depend on now.
        Some(there) => {
            // What was said of it since has no request's name.
            let is_named = there.record.contains('/');
            let is_other = rotation.expires_at.is_some_and(|end| there.key.expires_at != Some(end));
            if is_other || is_named && !there.record.starts_with(&request) {
                return Err(conflict());
            }
            let (scopes, description) = (there.scopes(), there.key.description.clone());
            let (made, key) = make(&token, &app.secret, scopes, description, there.key.expires_at);
            (made, key, there.created_at)
        }
        None => {
            old.check(now).map_err(|over| Problem::new(StatusCode::CONFLICT, "over", over.to_string()))?;
            ends_later(rotation.expires_at, now)?;
            let lifetime = old.key.expires_at.map(|end| now.plus(end.0 - old.created_at.0));
            let expires_at = rotation.expires_at.or(lifetime);
            let description = old.key.description.clone();
            let (made, key) = make(&token, &app.secret, old.scopes(), description, expires_at);
            (made, key, now)
        }
    };
    let document = key_document(&request, &made.id, &key, None, &app.stamp(&caller.by)?)?;
    let position = app.put_key(&made.id, document, None).await?.to_string();
    app.is_shown(&made)?;
    let overlap = rotation.overlap.map_or(7 * 24 * 3600 * 1_000_000_000, Span::exact);
    let until = made_at.plus(overlap);
    let until = old.key.expires_at.map_or(until, |end| end.min(until));
    if old.key.expires_at != Some(until) {
        let ending = ApiKey { expires_at: Some(until), ..old.key };
        let ending = key_document("", &id, &ending, Some(&old.record), &app.stamp(&caller.by)?)?;
        app.put_key(&id, ending, Some(&old.record)).await?;
    }
    let old = OldKey { id, expires_at: until };
    Ok((StatusCode::CREATED, Json(Rotated { new: made, old, position })).into_response())
}

/// Revokes a key. Like its making, that is answered from the keyring alone.
async fn revoke(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Json<RevokedKey>, Problem> {
    let until = Moment::now() + app.limits.wait;
    loop {
        let Standing { key, record, .. } = app.standing(&id)?;
        if key.revoked {
            return Ok(Json(RevokedKey { id, revoked: false, position: None }));
        }
        let revoked =
            key_document("", &id, &ApiKey { revoked: true, ..key }, Some(&record), &app.stamp(&caller.by)?)?;
        let at = app.append_document(revoked, until).await?;
        app.known_here(&id, at, until).await?;
        // Unless another document of the key came first: then that one is to be replaced.
        if app.standing(&id)?.key.revoked {
            return Ok(Json(RevokedKey { id, revoked: true, position: Some(at.to_string()) }));
        }
    }
}

async fn token(
    State(app): State<Arc<App>>,
    caller: Caller,
    Json(new): Json<NewToken>,
) -> Result<Response, Problem> {
    let NewToken { wallet, scopes, ttl } = new;
    if wallet.len() > 256 || wallet.chars().any(char::is_control) {
        let detail = "`wallet` is no wallet's id: those have 1 to 256 bytes, and no control characters";
        return Err(Problem::bad("bad_field", detail).with("field", "wallet"));
    }
    let scopes: Scopes =
        scopes.map_or_else(|| [KeyScope::Read].into_iter().collect(), |scopes| scopes.into_iter().collect());
    let ttl = ttl.map_or(CUSTOMER_TTL, |ttl| Duration::from_nanos(u64::try_from(ttl.exact()).unwrap_or(0)));
    let minted = mint(&caller.as_key(), &wallet, scopes, ttl, app.context.now(), &app.secret);
    let (token, customer) = minted.map_err(|error| match error {
        MintError::ByCustomer | MintError::Scopes => {
            Problem::new(StatusCode::FORBIDDEN, "forbidden", error.to_string())
        }
        MintError::Ttl => Problem::bad("bad_field", error.to_string()).with("field", "ttl"),
        MintError::Wallet => Problem::bad("bad_field", error.to_string()).with("field", "wallet"),
    })?;
    let scopes = customer.scopes.iter().map(KeyScope::word).collect();
    let (wallet, expires_at) = (customer.wallet, customer.expires_at);
    Ok((StatusCode::CREATED, Json(Minted { token, wallet, scopes, expires_at })).into_response())
}

fn described(description: Option<&str>) -> Result<(), Problem> {
    if description.is_some_and(|text| text.len() > 1024) {
        let detail = "`description` has more than 1024 bytes: shorten it";
        return Err(Problem::bad("bad_field", detail).with("field", "description"));
    }
    Ok(())
}

fn ends_later(end: Option<Instant>, now: Instant) -> Result<(), Problem> {
    if end.is_some_and(|end| end <= now) {
        let detail = "`expires_at` has passed: say a later time, or leave it out";
        return Err(Problem::bad("bad_field", detail).with("field", "expires_at"));
    }
    Ok(())
}

/// What is to be said of a key; the record's id begins with the request's name, if it has one.
fn key_document(
    request: &str,
    id: &str,
    key: &ApiKey,
    replaces: Option<&str>,
    stamp: &Stamp<'_>,
) -> Result<Published, Problem> {
    let body = serde_json::to_string(key).expect("a key is JSON");
    Ok(ingest::published_under(request, "key", id, &body, replaces, stamp)?)
}

fn conflict() -> Problem {
    let detail = "this Idempotency-Key was used for another key before: send another one";
    Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "conflict", detail)
}

impl App {
    /// The key that a request makes: the same for the same Idempotency-Key of one caller, else a new one.
    fn token(&self, caller: &Caller, headers: &HeaderMap, what: &str) -> Result<Token, Problem> {
        if headers.contains_key(IDEMPOTENCY_KEY) {
            let id = request_id(headers, None)?;
            return Ok(Token::of_request(&self.secret, &format!("{} {what} {id}", caller.by)));
        }
        Ok(Token::fresh().map_err(anyhow::Error::from)?)
    }

    fn standing(&self, id: &str) -> Result<Standing, Problem> {
        self.keys.borrow().get(id).cloned().ok_or_else(|| {
            let detail = format!("there is no key {id:?}: GET /v1/keys lists all");
            Problem::new(StatusCode::NOT_FOUND, "unknown_key", detail)
        })
    }

    /// Says what there is to say of a key; answers where that stands, once it is in force here.
    ///
    /// That is answered from the keyring alone, which follows the log: keys are made and ended also while the store stands still, and on
    /// a node that folds nothing.
    async fn put_key(
        &self,
        id: &str,
        document: Published,
        replaces: Option<&str>,
    ) -> Result<Position, Problem> {
        let (until, record) = (Moment::now() + self.limits.wait, document.id.clone());
        let at = self.append_document(document, until).await?;
        self.known_here(id, at, until).await?;
        let took_effect = self.keys.borrow().get(id).is_some_and(|standing| standing.was_said_by(&record));
        match replaces {
            _ if took_effect => Ok(at),
            None => Err(conflict()),
            Some(_) => {
                let detail = crate::documents::explain_rejection("replaces_mismatch");
                Err(Problem::new(StatusCode::CONFLICT, "replaces_mismatch", detail))
            }
        }
    }

    /// Waits until this node has folded a key's document, so that what was answered is in force here.
    async fn known_here(&self, id: &str, at: Position, until: Moment) -> Result<(), Problem> {
        let mut keys = self.keys.clone();
        let known = keys.wait_for(|keyring| keyring.next() > at.offset);
        match timeout_at(until, known).await {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(_)) | Err(_) => {
                let detail = "it is in the log, and not in force here yet: ask again, it counts once";
                Err(Problem::unknown(id, detail))
            }
        }
    }

    /// Refuses to show a key long after it was made.
    fn is_shown(&self, made: &Made) -> Result<(), Problem> {
        if self.standing(&made.id)?.created_at.plus(SHOWN_FOR) < self.context.now() {
            let detail = "this key was shown when it was made, and is not shown again: make another one";
            return Err(Problem::new(StatusCode::CONFLICT, "shown_before", detail));
        }
        Ok(())
    }
}
