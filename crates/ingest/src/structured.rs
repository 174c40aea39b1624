//! Structured and batched mode: a body is one event in JSON, or an array of them.

use std::borrow::Cow;

use serde::de::IgnoredAny;

use crate::array::elements;
use crate::refusal::Refusal;

/// The events of a body, each as it stands there and not yet looked at, so that a bad one does not sink the others.
///
/// # Errors
///
/// If the body is empty, or an array whose elements cannot be told apart.
pub(crate) fn structured(body: &[u8]) -> Result<Vec<Cow<'_, [u8]>>, Refusal> {
    let body = body.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(body).trim_ascii();
    match body.first() {
        None => Err(Refusal::NoEvent),
        Some(b'[') => {
            match elements(body) {
                Some(events) => Ok(events.into_iter().map(Cow::Borrowed).collect()),
                None => Err(serde_json::from_slice::<IgnoredAny>(body)
                    .map_or_else(Refusal::from, |_| Refusal::BreaksOff)),
            }
        }
        Some(_) => Ok(vec![Cow::Borrowed(body)]),
    }
}
