//! What a product sent as data: JSON, other text, or bytes.

use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::value::RawValue;

use crate::refusal::Refusal;

/// One event's data, as a record carries it.
pub(crate) enum Data<'a> {
    /// The event has none.
    Absent,
    /// JSON, byte for byte as it was sent.
    Json(Cow<'a, str>),
    /// Other text, as a JSON string.
    Text(Cow<'a, str>),
    /// Bytes, in base64.
    Base64(&'a str),
}

/// Tells what was sent by where it stands in the event and what its `datacontenttype` says.
///
/// # Errors
///
/// If `base64` is not base64, or not the JSON that `media` promises.
pub(crate) fn data<'a>(
    json: Option<&'a RawValue>,
    base64: Option<&'a str>,
    media: Option<&str>,
) -> Result<Data<'a>, Refusal> {
    let media = media.map_or(Media::Unsaid, Media::of);
    let json = match (json, base64) {
        (Some(null), Some(_)) if null.get() == "null" => None,
        (Some(_), Some(_)) => return Err(Refusal::DataTwice),
        (json, _) => json,
    };
    if let Some(json) = json.map(RawValue::get) {
        let is_text = media.is_not_json() && json.starts_with('"');
        return Ok(if is_text { Data::Text(json.into()) } else { Data::Json(json.into()) });
    }
    base64.map_or(Ok(Data::Absent), |base64| bytes(base64, media))
}

fn bytes(base64: &str, media: Media) -> Result<Data<'_>, Refusal> {
    let bytes = STANDARD.decode(base64).map_err(|_| Refusal::NotBase64)?;
    let text = std::str::from_utf8(&bytes).ok();
    let json =
        || text.and_then(|t| serde_json::from_str::<&RawValue>(t).ok()).map(|raw| raw.get().to_owned());
    Ok(match (media, text) {
        (Media::Json, _) => Data::Json(json().ok_or(Refusal::DataNotJson)?.into()),
        (Media::Unsaid, _) => json().map_or(Data::Base64(base64), |json| Data::Json(json.into())),
        (Media::Text, Some(text)) => {
            let mut quoted = String::with_capacity(text.len() + 2);
            crate::envelope::quoted(text, &mut quoted);
            Data::Text(quoted.into())
        }
        (Media::Text, None) | (Media::Binary, _) => Data::Base64(base64),
    })
}

/// What a media type promises.
#[derive(Clone, Copy)]
pub(crate) enum Media {
    Unsaid,
    Json,
    Text,
    Binary,
}

impl Media {
    pub(crate) fn of(media: &str) -> Self {
        let essence = media.split(';').next().unwrap_or("").trim().to_ascii_lowercase();
        match essence.as_str() {
            "" => Self::Unsaid,
            json if json.ends_with("/json") || json.ends_with("+json") => Self::Json,
            text if text.starts_with("text/") => Self::Text,
            _ => Self::Binary,
        }
    }

    fn is_not_json(self) -> bool {
        matches!(self, Self::Text | Self::Binary)
    }
}
