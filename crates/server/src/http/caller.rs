//! Who asks: the bearer of an API key, or of a customer's token, which is bound to one wallet.

use std::sync::Arc;

use axum::extract::{FromRequestParts, RawPathParams, Request, State};
use axum::http::request::Parts;
use axum::http::{StatusCode, header};
use axum::middleware::Next;
use axum::response::Response;
use axum::{Extension, RequestExt};
use ledger::KeyScope;

use super::App;
use super::problem::Problem;
use crate::keys::{self, KeyError, Scopes};

/// Before the key's id, in what a caller is said to be.
const KEY: &str = "key:";

/// Who asks, and what he may.
#[derive(Clone, Debug)]
pub(crate) struct Caller {
    /// Who is said to have appended what he asks for: `key:` and the key's id.
    pub(crate) by: String,
    pub(crate) scopes: Scopes,
    /// The only wallet he may know of, if he has a customer's token.
    wallet: Option<String>,
}

/// What a route asks of whoever calls it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Needs {
    /// Nothing: whoever reaches the server may.
    Nothing,
    /// This scope, about one wallet, which the request names.
    OfWallet(KeyScope),
    /// This scope, about all wallets or none: no customer's token will do.
    OfAll(KeyScope),
    /// An API key, whatever it lets do: no customer's token will do.
    AnyKey,
}

impl Needs {
    pub(crate) fn scope(self) -> Option<KeyScope> {
        match self {
            Self::Nothing | Self::AnyKey => None,
            Self::OfWallet(scope) | Self::OfAll(scope) => Some(scope),
        }
    }
}

impl Caller {
    /// Refuses a wallet that this caller may not know of, as if there were none.
    pub(crate) fn may_know(&self, wallet: &str) -> Result<(), Problem> {
        match &self.wallet {
            Some(own) if own != wallet => Err(Problem::unknown_wallet(wallet)),
            Some(_) | None => Ok(()),
        }
    }

    /// The caller as keys know him.
    pub(super) fn as_key(&self) -> keys::Caller {
        let key = self.by.strip_prefix(KEY).unwrap_or(&self.by).to_owned();
        keys::Caller { key, scopes: self.scopes, wallet: self.wallet.clone() }
    }

    /// The wallet that a request is about: the one it names, or the only one this caller may know of.
    pub(crate) fn wallet(&self, named: Option<String>) -> Result<String, Problem> {
        let wallet = named.or_else(|| self.wallet.clone()).ok_or_else(|| {
            Problem::bad("no_wallet", "the request names no wallet: say whose, in `wallet`")
        })?;
        self.may_know(&wallet)?;
        Ok(wallet)
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let caller = Extension::<Self>::from_request_parts(parts, state).await;
        Ok(caller.map_err(|_| anyhow::anyhow!("a route that needs nothing asks who calls"))?.0)
    }
}

/// Lets those through who may call a route.
pub(crate) async fn authorize(
    State((app, needs)): State<(Arc<App>, Needs)>,
    mut request: Request,
    next: Next,
) -> Result<Response, Problem> {
    if needs == Needs::Nothing {
        return Ok(next.run(request).await);
    }
    if request.uri().path().contains("%00") || request.uri().query().is_some_and(|q| q.contains("%00")) {
        // No name has it, and a database that keeps text refuses it.
        return Err(Problem::bad("nul", "the address holds a NUL character: leave it out"));
    }
    let caller = app.caller(request.headers().get(header::AUTHORIZATION).map(|value| value.as_bytes()))?;
    if let Some(scope) = needs.scope().filter(|scope| !caller.scopes.allow(*scope)) {
        let detail = format!("the key lacks the scope `{}`: use one that has it", scope.word());
        return Err(Problem::new(StatusCode::FORBIDDEN, "forbidden", detail).with("scope", scope.word()));
    }
    if caller.wallet.is_some() {
        if matches!(needs, Needs::OfAll(_) | Needs::AnyKey) {
            let detail = "a customer's token is for one wallet's own: use an API key";
            return Err(Problem::new(StatusCode::FORBIDDEN, "forbidden", detail));
        }
        let params = request.extract_parts::<RawPathParams>().await;
        let params = params.map_err(|_| Problem::bad("bad_path", "the path is no UTF-8: encode it"))?;
        let named = params.iter().find(|(name, _)| *name == "wallet");
        if let Some((_, wallet)) = named {
            caller.may_know(wallet)?;
        }
    }
    tracing::Span::current().record("by", &caller.by);
    request.extensions_mut().insert(caller);
    Ok(next.run(request).await)
}

impl App {
    /// Who sends this `Authorization`.
    pub(crate) fn caller(&self, authorization: Option<&[u8]>) -> Result<Caller, Problem> {
        let refused =
            |code: &'static str, detail: String| Problem::new(StatusCode::UNAUTHORIZED, code, detail);
        let text = authorization.ok_or_else(|| {
            refused("unauthorized", "send your API key: `Authorization: Bearer dd_…`".to_owned())
        })?;
        let text = std::str::from_utf8(text).unwrap_or_default();
        let token = text.split_once(' ').filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"));
        let (_, token) = token.ok_or_else(|| {
            refused("unauthorized", "the header is none: send `Authorization: Bearer dd_…`".to_owned())
        })?;
        let found = self.keys.borrow().check(token.trim(), &self.secret, self.context.now());
        let caller = found.map_err(|error: KeyError| refused("unauthorized", error.to_string()))?;
        Ok(Caller { by: format!("{KEY}{}", caller.key), scopes: caller.scopes, wallet: caller.wallet })
    }
}
