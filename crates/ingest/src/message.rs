//! A message of a Kafka topic holds CloudEvents: one as its value, several as an array, or one in headers and value.

use std::borrow::Cow;

use crate::binary::Binary;
use crate::refusal::Refusal;
use crate::structured::structured;

/// Before each attribute's name among the headers.
const PREFIX: &str = "ce_";

/// The CloudEvents of one message of a Kafka topic, each as JSON, as [`usage`](crate::usage()) takes it.
///
/// A message is in *binary mode* if it has headers `ce_…` and its `content-type` does not begin with `application/cloudevents`: they
/// are the attributes, `content-type` is the data's, and the value is the data. Data without a `content-type` is JSON where it
/// can be read as such, else text, else bytes. In every other message the value is an event or an array of events in JSON, whatever
/// `content-type` says, because senders differ.
///
/// # Errors
///
/// The reason why no event can be read out of the message. Each event in it may be refused by itself.
pub fn message_events<'a>(
    headers: &[(&str, Option<&[u8]>)],
    value: Option<&'a [u8]>,
) -> Result<Vec<Cow<'a, [u8]>>, Refusal> {
    let media = headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("content-type"));
    let media = media.and_then(|(_, value)| *value).map(text).transpose()?;
    let says_structured = media
        .is_some_and(|media| media.trim_start().to_ascii_lowercase().starts_with("application/cloudevents"));
    let attributes = || headers.iter().filter_map(|(name, value)| Some((name.strip_prefix(PREFIX)?, *value)));
    if says_structured || attributes().next().is_none() {
        return structured(value.unwrap_or_default());
    }
    let mut event = Binary::new(media, value.unwrap_or_default())?;
    for (name, value) in attributes() {
        if let Some(value) = value {
            event.attribute(name, text(value)?)?;
        }
    }
    Ok(vec![Cow::Owned(event.event())])
}

fn text(bytes: &[u8]) -> Result<&str, Refusal> {
    std::str::from_utf8(bytes).map_err(|_| Refusal::NotUtf8)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::usage::MOST_BYTES;

    fn read(headers: &[(&str, &str)], value: Option<&[u8]>) -> Result<Vec<Value>, &'static str> {
        let headers: Vec<_> = headers.iter().map(|(name, value)| (*name, Some(value.as_bytes()))).collect();
        let events = message_events(&headers, value).map_err(|refusal| refusal.code())?;
        Ok(events.iter().map(|event| serde_json::from_slice(event).expect("JSON")).collect())
    }

    #[test]
    fn headers_and_value_are_one_event() {
        let check = |media: &[(&str, &str)], value: &[u8], expected: Value| {
            let headers = [&[("ce_id", "é\"1"), ("ce_wallet", "w"), ("other", "x")], media].concat();
            let mut event = json!({"id": "é\"1", "wallet": "w"});
            if let Some((_, media)) = media.first() {
                event["datacontenttype"] = json!(media);
            }
            event.as_object_mut().expect("an object").extend(expected.as_object().expect("one").clone());
            assert_eq!(read(&headers, Some(value)), Ok(vec![event]));
        };
        let json = [("Content-Type", "application/json; charset=utf-8")];
        check(&json, b" {\"a\":1} ", json!({"data": {"a": 1}}));
        check(&json, b"{\"a\"", json!({"data_base64": "eyJhIg=="}));
        check(&json, b"", json!({}));
        check(&[("ce_datacontenttype", "text/plain")], b"7", json!({"data": "7"}));
        check(&[("content-type", "image/png")], b"{}", json!({"data_base64": "e30="}));
        check(&[], b"7", json!({"data": 7}));
        check(&[], b"seven", json!({"data": "seven"}));
        check(&[], b"\xff", json!({"data_base64": "/w=="}));
    }

    #[test]
    fn a_value_is_an_event_or_several_whatever_its_header_says() {
        let types = ["application/cloudevents+json", "application/cloudevents+json; charset=UTF-8"];
        for media in
            [&types[..], &["application/json", "application/cloudevents-batch+json", "text/plain"]].concat()
        {
            let headers = [("content-type", media)];
            assert_eq!(read(&headers, Some(b" {\"id\":\"1\"}")), Ok(vec![json!({"id": "1"})]));
            let two = Ok(vec![json!({"id": "1"}), json!(2)]);
            assert_eq!(read(&headers, Some(b" [{\"id\":\"1\"}, 2]")), two);
        }
        assert_eq!(read(&[], Some(b"{}")), Ok(vec![json!({})]));
        assert_eq!(read(&[("content-type", types[0]), ("ce_id", "2")], Some(b"{}")), Ok(vec![json!({})]));
        assert_eq!(read(&[], Some(b"[]")), Ok(vec![]));
        let one_is_bad = message_events(&[], Some(b"[{}, {'id':1}, \"\xff\"]"));
        assert_eq!(one_is_bad.map(|events| events.len()), Ok(3));
    }

    #[test]
    fn what_holds_no_event_is_refused() {
        assert_eq!(read(&[], None), Err("no_event"));
        assert_eq!(read(&[("content-type", "application/json")], Some(b" ")), Err("no_event"));
        assert_eq!(read(&[], Some(b"[{]")), Err("not_json"));
        assert_eq!(read(&[], Some(b"[{}")), Err("breaks_off"));
        assert_eq!(read(&[("ce_data", "x")], None), Err("bad_extension"));
        let latin: [(&str, Option<&[u8]>); 1] = [("ce_id", Some(b"\xe9"))];
        assert_eq!(message_events(&latin, None), Err(Refusal::NotUtf8));
        assert_eq!(read(&[("ce_id", "1")], Some(&[b' '; MOST_BYTES + 1])), Err("too_large"));
    }
}
