//! A request holds CloudEvents: one or several as its body, or one in headers and body.

use std::borrow::Cow;

use percent_encoding::percent_decode_str;

use crate::binary::Binary;
use crate::refusal::{Refusal, shown};
use crate::structured::structured;

/// Before each attribute's name among the headers, in any case.
const PREFIX: &str = "ce-";
/// The types of which the body is events in JSON. Whether it is one or several, the body itself says best.
const JSON: [&str; 3] =
    ["application/cloudevents+json", "application/cloudevents-batch+json", "application/cloudevents"];

/// The CloudEvents of one HTTP request, each as JSON, as [`usage`](crate::usage()) takes it.
///
/// - *Structured* or *batched* mode, if `content-type` begins with `application/cloudevents`: the body is an event or an array
///   of events, and headers `ce-…` beside it say nothing.
/// - *Binary* mode, if there is any header `ce-…`: they are the attributes, `content-type` is the data's, and the body is the data.
/// - Else the body is an event or an array of events in JSON, whatever `content-type` says, because senders differ.
///
/// An attribute's header is in UTF-8, or in Latin-1 where it cannot be read as such; if it is one quoted string, it is what was
/// quoted; then it is percent-decoded once, where a `%` that begins no code stands for itself.
///
/// # Errors
///
/// The reason why no event can be read out of the request. Each event in it may be refused by itself.
pub fn http_events<'a>(headers: &[(&str, &[u8])], body: &'a [u8]) -> Result<Vec<Cow<'a, [u8]>>, Refusal> {
    let media = headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("content-type"));
    let media = media.map(|(_, value)| text(value));
    let essence = media.as_deref().and_then(|media| media.split(';').next()).unwrap_or_default();
    let essence = essence.trim().to_ascii_lowercase();
    if essence.starts_with("application/cloudevents") {
        let is_json = JSON.contains(&&*essence);
        return if is_json { structured(body) } else { Err(Refusal::Format { media: shown(&essence) }) };
    }
    let attributes = || headers.iter().filter_map(|(name, value)| Some((attribute(name)?, *value)));
    if attributes().next().is_none() {
        return structured(body);
    }
    let mut event = Binary::new(media.as_deref(), body)?;
    for (name, value) in attributes() {
        event.attribute(&name, &decoded(&name, value)?)?;
    }
    Ok(vec![Cow::Owned(event.event())])
}

/// The attribute whose header this is.
fn attribute(header: &str) -> Option<String> {
    let (prefix, name) = header.split_at_checked(PREFIX.len())?;
    prefix.eq_ignore_ascii_case(PREFIX).then(|| name.to_ascii_lowercase())
}

fn decoded(attribute: &str, value: &[u8]) -> Result<String, Refusal> {
    let value = unquoted(text(value));
    let decoded = percent_decode_str(&value).decode_utf8();
    decoded
        .map(Cow::into_owned)
        .map_err(|_| Refusal::HeaderNotUtf8 { name: shown(&format!("{PREFIX}{attribute}")) })
}

/// A header's text. What is no UTF-8 is Latin-1, which is what HTTP libraries write by default.
fn text(value: &[u8]) -> Cow<'_, str> {
    std::str::from_utf8(value)
        .map_or_else(|_| value.iter().map(|byte| char::from(*byte)).collect(), Cow::Borrowed)
}

/// What stands in the quotes, if the text is one quoted string: so senders of older versions write spaces.
fn unquoted(value: Cow<'_, str>) -> Cow<'_, str> {
    let Some(inner) = value.strip_prefix('"').and_then(|value| value.strip_suffix('"')) else { return value };
    let (mut text, mut escaped) = (String::with_capacity(inner.len()), false);
    for c in inner.chars() {
        match (escaped, c) {
            (false, '\\') => escaped = true,
            // It ends before the text does, so it is not all of it.
            (false, '"') => return value,
            _ => {
                text.push(c);
                escaped = false;
            }
        }
    }
    if escaped { value } else { Cow::Owned(text) }
}
