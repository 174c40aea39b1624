//! Bodies: what JSON a request takes, and how it is read.

use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{FromRequest, FromRequestParts, Query, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::forward::FORWARDED_ID;
use super::problem::Problem;

/// The header by which a retry is known.
pub(crate) const IDEMPOTENCY_KEY: &str = "idempotency-key";

/// A JSON body; as an answer too.
pub(crate) struct Json<T>(pub(crate) T);

/// What stands behind the question mark.
pub(crate) struct Asked<T>(pub(crate) T);

/// The bytes of a body.
pub(crate) struct Raw(pub(crate) Bytes);

impl<S: Send + Sync> FromRequest<S> for Raw {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        Bytes::from_request(request, state).await.map(Self).map_err(|rejection: BytesRejection| {
            if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE {
                return too_large();
            }
            broken_off()
        })
    }
}

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Json<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let Raw(body) = Raw::from_request(request, state).await?;
        read(&body).map(Self)
    }
}

pub(super) fn broken_off() -> Problem {
    Problem::bad("body", "the body broke off: send it again")
}

pub(super) fn too_large() -> Problem {
    let detail = "the body is too large: send less at a time";
    Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "too_large", detail)
}

/// Reads a JSON body, whatever its `Content-Type` says; the error names the field.
pub(crate) fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, Problem> {
    if body.trim_ascii().is_empty() {
        return Err(Problem::bad("empty_body", "the body is empty: send a JSON object"));
    }
    let mut from = serde_json::Deserializer::from_slice(body);
    let read = serde_path_to_error::deserialize(&mut from);
    let value = read.map_err(|error| {
        let (path, inner) = (error.path().to_string(), error.inner());
        if inner.is_data() {
            let at = if path == "." { String::new() } else { format!("`{path}`: ") };
            return Problem::bad("bad_field", format!("{at}{inner}")).with("field", path);
        }
        Problem::bad("not_json", format!("the body is no JSON: {inner}"))
    })?;
    from.end().map_err(|error| Problem::bad("not_json", format!("something follows the JSON: {error}")))?;
    Ok(value)
}

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for Asked<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let read = Query::<T>::try_from_uri(&parts.uri);
        read.map(|query| Self(query.0)).map_err(|error| Problem::bad("bad_query", error.body_text()))
    }
}

impl<T: Serialize> IntoResponse for Json<T> {
    fn into_response(self) -> Response {
        axum::Json(self.0).into_response()
    }
}

/// The id under which a request is made once: the header's, else the body's, else a new one.
pub(crate) fn request_id(headers: &HeaderMap, given: Option<String>) -> Result<String, Problem> {
    let of_header = match headers.get(IDEMPOTENCY_KEY) {
        None => None,
        Some(value) => {
            let text = value.to_str().ok().map(str::trim).filter(|text| (1..=256).contains(&text.len()));
            // Some send it as the draft has it, as a quoted string.
            let text = text.map(|t| t.strip_prefix('"').and_then(|t| t.strip_suffix('"')).unwrap_or(t));
            let bad = || {
                Problem::bad(
                    "bad_idempotency_key",
                    "an Idempotency-Key has 1 to 256 visible ASCII characters",
                )
            };
            Some(text.filter(|text| !text.is_empty()).ok_or_else(bad)?.to_owned())
        }
    };
    if let (Some(header), Some(given)) = (&of_header, &given)
        && header != given
    {
        return Err(Problem::bad("two_ids", "`id` and the Idempotency-Key differ: send one of them"));
    }
    let of_node = || headers.get(FORWARDED_ID).and_then(|id| id.to_str().ok()).filter(|id| id.len() == 32);
    Ok(of_header.or(given).or_else(|| of_node().map(str::to_owned)).unwrap_or_else(crate::context::random_id))
}
