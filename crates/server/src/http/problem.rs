//! What goes wrong, as `application/problem+json` (RFC 9457): a word for machines, and a sentence that says what to do.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use eventlog::LogError;
use ingest::Refusal;
use projector::ProjectorError;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Map, Value};
use store::StoreError;

use crate::view::{NoAnswer, NoSuchWallet};

/// Before each problem's word, in its `type`.
const TYPE: &str = "urn:drawdown:problem:";

/// Why a request was not done.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub(crate) struct Problem {
    /// A name that never changes its meaning: `urn:drawdown:problem:` and `code`.
    #[serde(rename = "type")]
    kind: Box<str>,
    /// The HTTP status.
    pub(crate) status: u16,
    /// What it is, the same each time.
    title: &'static str,
    /// The word for machines.
    pub(crate) code: String,
    /// What happened here, and what to do.
    detail: Box<str>,
    /// What else is known, by the problem's kind.
    #[serde(flatten)]
    more: Map<String, Value>,
    /// After how many seconds to try again.
    #[serde(skip)]
    retry_after: Option<u32>,
}

impl Problem {
    pub(crate) fn new(status: StatusCode, code: impl Into<String>, detail: impl Into<String>) -> Self {
        let code = code.into();
        Self {
            kind: format!("{TYPE}{}", code.split([':', ' ']).next().unwrap_or_default()).into(),
            status: status.as_u16(),
            title: status.canonical_reason().unwrap_or("Problem"),
            code,
            detail: detail.into().into(),
            more: Map::new(),
            retry_after: None,
        }
    }

    /// Something about the request itself.
    pub(crate) fn bad(code: &'static str, detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, code, detail)
    }

    /// No such wallet, or one that this caller may not see: nobody can tell which.
    pub(crate) fn unknown_wallet(wallet: &str) -> Self {
        let detail = format!("no record names the wallet {wallet:?}: check its spelling, or create it");
        Self::new(StatusCode::NOT_FOUND, "unknown_wallet", detail)
    }

    /// Nothing was done; it may work later.
    pub(crate) fn later(code: &'static str, detail: impl Into<String>) -> Self {
        Self { retry_after: Some(1), ..Self::new(StatusCode::SERVICE_UNAVAILABLE, code, detail) }
    }

    /// Nothing was done, because too much is done already.
    pub(crate) fn too_many(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::TOO_MANY_REQUESTS, "too_many_requests", detail).after(1)
    }

    /// It is in the log, or may be, and what became of it is not known yet.
    pub(crate) fn unknown(id: &str, detail: impl Into<String>) -> Self {
        Self::new(StatusCode::GATEWAY_TIMEOUT, "unknown", detail).with("id", id)
    }

    /// With one thing more that is known.
    pub(crate) fn with(mut self, name: &str, value: impl Serialize) -> Self {
        let value = serde_json::to_value(value).expect("what is told is JSON");
        self.more.insert(name.to_owned(), value);
        self
    }

    /// With another pause before the next try, in seconds.
    pub(crate) fn after(mut self, seconds: u32) -> Self {
        self.retry_after = Some(seconds);
        self
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).expect("a problem has a status");
        let body = serde_json::to_vec(&self).expect("a problem is JSON");
        let mut response = (status, body).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if let Some(seconds) = self.retry_after {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        if status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        let status = if matches!(refusal, Refusal::TooLarge { .. }) {
            StatusCode::PAYLOAD_TOO_LARGE
        } else if matches!(refusal, Refusal::Format { .. }) {
            StatusCode::UNSUPPORTED_MEDIA_TYPE
        } else {
            StatusCode::BAD_REQUEST
        };
        Self::new(status, refusal.code(), refusal.to_string())
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        tracing::warn!(%error, "the projections cannot be read");
        Self::later("projections_unavailable", "the projections cannot be read now: try again")
    }
}

impl From<LogError> for Problem {
    fn from(error: LogError) -> Self {
        if matches!(error, LogError::Shed | LogError::Busy) {
            return Self::too_many(format!("nothing was appended: {error}"));
        }
        tracing::warn!(%error, "the log cannot be used");
        Self::later("log_unavailable", format!("nothing was appended: {error}"))
    }
}

impl From<ProjectorError> for Problem {
    fn from(error: ProjectorError) -> Self {
        anyhow::Error::from(error).into()
    }
}

/// What a report says that cannot be made, or what should not happen: that is logged here, and told without its inside.
impl From<anyhow::Error> for Problem {
    fn from(error: anyhow::Error) -> Self {
        if let Some(NoSuchWallet { wallet, .. }) = error.downcast_ref() {
            return Self::unknown_wallet(wallet);
        }
        if let Some(NoAnswer(detail)) = error.downcast_ref() {
            return Self::new(StatusCode::UNPROCESSABLE_ENTITY, "no_answer", detail);
        }
        if let Some(StoreError::Database(_)) = error.downcast_ref() {
            tracing::warn!(error = format!("{error:#}"), "the projections cannot be read");
            return Self::later("projections_unavailable", "the projections cannot be read now: try again");
        }
        tracing::error!(error = format!("{error:#}"), "a request failed");
        Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "internal",
            "the server failed: its log says why, look there for the request's id",
        )
    }
}
