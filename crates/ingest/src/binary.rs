//! Binary mode: the attributes of an event stand in headers, and its data is the body.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::value::RawValue;

use crate::data::Media;
use crate::envelope::quoted;
use crate::events::too_large;
use crate::refusal::{Refusal, shown};
use crate::usage::MOST_BYTES;

/// An event in JSON, made of its headers one by one.
pub(crate) struct Binary<'a> {
    data: &'a [u8],
    media: Option<String>,
    json: String,
}

impl<'a> Binary<'a> {
    /// Begins with the data and its `content-type`. Data that is empty is none.
    ///
    /// # Errors
    ///
    /// If there is more data than an event may have.
    pub(crate) fn new(media: Option<&str>, data: &'a [u8]) -> Result<Self, Refusal> {
        if data.len() > MOST_BYTES {
            return Err(too_large(data.len()));
        }
        let mut json = String::with_capacity(data.len() + 512);
        json.push('{');
        Ok(Self { data, media: media.map(str::to_owned), json })
    }

    /// Adds an attribute.
    ///
    /// # Errors
    ///
    /// If it has the name of the data, whose place is the body.
    pub(crate) fn attribute(&mut self, name: &str, value: &str) -> Result<(), Refusal> {
        match name {
            "data" | "data_base64" => return Err(Refusal::BadExtension { name: shown(name) }),
            // Some senders write the data's type as an attribute, and some do both.
            "datacontenttype" => {
                self.media.get_or_insert_with(|| value.to_owned());
            }
            _ => attribute(name, value, &mut self.json),
        }
        Ok(())
    }

    /// The event, as [`usage`](crate::usage()) takes it.
    pub(crate) fn event(mut self) -> Vec<u8> {
        if let Some(media) = &self.media {
            attribute("datacontenttype", media, &mut self.json);
        }
        if !self.data.is_empty() {
            data(self.data, self.media.as_deref().map_or(Media::Unsaid, Media::of), &mut self.json);
        }
        if self.json.ends_with(',') {
            self.json.pop();
        }
        self.json.push('}');
        self.json.into_bytes()
    }
}

fn attribute(name: &str, value: &str, event: &mut String) {
    quoted(name, event);
    event.push(':');
    quoted(value, event);
    event.push(',');
}

fn data(value: &[u8], media: Media, event: &mut String) {
    let text = std::str::from_utf8(value).ok();
    let json = text.and_then(|text| serde_json::from_str::<&RawValue>(text).ok());
    match (media, json, text) {
        (Media::Json | Media::Unsaid, Some(json), _) => {
            event.push_str("\"data\":");
            event.push_str(json.get());
        }
        (Media::Text | Media::Unsaid, _, Some(text)) => {
            event.push_str("\"data\":");
            quoted(text, event);
        }
        // What was said to be JSON and is none is refused by whoever reads this.
        (Media::Json, None, _) | (Media::Unsaid | Media::Text, _, None) | (Media::Binary, _, _) => {
            event.push_str("\"data_base64\":\"");
            STANDARD.encode_string(value, event);
            event.push('"');
        }
    }
}
