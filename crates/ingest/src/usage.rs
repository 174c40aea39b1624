//! A product's CloudEvent becomes a `usage` record.

use std::fmt::Write as _;

use ledger::{Instant, Text, canonical};

use crate::cloudevent::{CloudEvent, Value};
use crate::data::{Data, data};
use crate::envelope::{END, Head, LONG, NAME, name, quoted};
use crate::refusal::{Refusal, shown};
use crate::stamp::{Stamp, Stamped};

/// The largest event, in bytes of JSON.
pub const MOST_BYTES: usize = 128 * 1024;

/// Checks one CloudEvent (1.0, JSON) and stamps it as a `usage` record.
///
/// The wallet is the extension `wallet`, else the `subject`; `traceparent` becomes the record's trace, every other
/// attribute is kept. What is accepted decodes and has an identity.
///
/// # Errors
///
/// The first reason why the event cannot be taken as it is.
pub fn usage<'a>(event: &'a [u8], stamp: &Stamp<'_>) -> Result<Stamped<'a>, Refusal> {
    if event.len() > MOST_BYTES {
        return Err(Refusal::TooLarge { bytes: event.len() as u64, most: MOST_BYTES as u64 });
    }
    let event = std::str::from_utf8(event).map_err(|_| Refusal::NotUtf8)?;
    let size = event.len();
    let event = CloudEvent::read(event)?;
    specversion(event.specversion)?;
    let id = required("id", event.id, NAME)?;
    let source = required("source", event.source, LONG)?;
    let kind = required("type", event.kind, NAME)?;
    let subject = optional("subject", event.subject, NAME)?;
    let wallet =
        optional("wallet", event.wallet, NAME)?.or_else(|| subject.clone()).ok_or(Refusal::NoWallet)?;
    let time = time(event.time)?;
    let trace = optional("traceparent", event.traceparent, LONG)?;
    let (recorded_at, by) = stamp.on(time)?;
    let media = event.extensions.iter().find(|(name, _)| &**name == "datacontenttype");
    let media = media.map_or(Ok(None), |(_, value)| borrowed("datacontenttype", value))?;
    let data = data(event.data, borrowed("data_base64", &event.data_base64)?, media)?;

    let mut out = String::with_capacity(size + 256);
    let head = Head {
        wallet: Some(&wallet),
        subject: subject.as_deref(),
        time,
        trace: trace.as_deref(),
        ..Head::new(&id, &source, "usage", recorded_at, by)
    };
    head.write(&mut out);
    let body = out.len();
    write_data(&data, &event.extensions, &kind, &mut out)?;
    canonical(&out[body..], &mut Vec::with_capacity(out.len() - body))?;
    out.push(END);
    Ok(Stamped { wallet, source, id, bytes: out.into_bytes() })
}

fn specversion(value: Value<'_>) -> Result<(), Refusal> {
    let found = text("specversion", value)?.ok_or(Refusal::Missing { attribute: "specversion" })?;
    if &*found == "1.0" { Ok(()) } else { Err(Refusal::SpecVersion { found: shown(&found) }) }
}

fn time(value: Value<'_>) -> Result<Option<Instant>, Refusal> {
    let time = text("time", value)?;
    time.map(|t| Instant::parse(&t)).transpose().map_err(Refusal::BadTime)
}

fn required<'a>(attribute: &'static str, value: Value<'a>, most: usize) -> Result<Text<'a>, Refusal> {
    optional(attribute, value, most)?.ok_or(Refusal::Missing { attribute })
}

fn optional<'a>(attribute: &'static str, value: Value<'a>, most: usize) -> Result<Option<Text<'a>>, Refusal> {
    let text = text(attribute, value)?;
    if let Some(text) = &text {
        name(attribute, text, most)?;
    }
    Ok(text)
}

fn text<'a>(attribute: &'static str, value: Value<'a>) -> Result<Option<Text<'a>>, Refusal> {
    match value {
        Value::Absent => Ok(None),
        Value::Text(text) => Ok(Some(text)),
        Value::Negative(_) | Value::Natural(_) | Value::Truth(_) | Value::Other => {
            Err(Refusal::NotText { attribute })
        }
    }
}

fn borrowed<'v>(attribute: &'static str, value: &'v Value<'_>) -> Result<Option<&'v str>, Refusal> {
    match value {
        Value::Absent => Ok(None),
        Value::Text(text) => Ok(Some(text)),
        Value::Negative(_) | Value::Natural(_) | Value::Truth(_) | Value::Other => {
            Err(Refusal::NotText { attribute })
        }
    }
}

/// Writes the record's data with its keys in order, so that comparing it by value need not sort them.
fn write_data(
    data: &Data<'_>,
    extensions: &[(Text<'_>, Value<'_>)],
    kind: &str,
    out: &mut String,
) -> Result<(), Refusal> {
    out.push('{');
    match data {
        Data::Absent => {}
        Data::Json(json) => push(&["\"data\":", json, ","], out),
        Data::Text(json) => push(&["\"data_text\":", json, ","], out),
        Data::Base64(base64) => push(&["\"data_base64\":\"", base64, "\","], out),
    }
    write_extensions(extensions, out)?;
    out.push_str("\"type\":");
    quoted(kind, out);
    out.push('}');
    Ok(())
}

fn push(parts: &[&str], out: &mut String) {
    parts.iter().for_each(|part| out.push_str(part));
}

fn write_extensions(extensions: &[(Text<'_>, Value<'_>)], out: &mut String) -> Result<(), Refusal> {
    let start = out.len();
    for (name, value) in extensions {
        let is_name = (1..=64).contains(&name.len())
            && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
        if !is_name {
            return Err(Refusal::BadExtension { name: shown(name) });
        }
        if matches!(value, Value::Absent) {
            continue;
        }
        out.push_str(if out.len() == start { "\"extensions\":{\"" } else { ",\"" });
        push(&[name, "\":"], out);
        match value {
            Value::Text(text) => quoted(text, out),
            Value::Negative(number) => write!(out, "{number}").expect("a string takes all"),
            Value::Natural(number) => write!(out, "{number}").expect("a string takes all"),
            Value::Truth(truth) => out.push_str(if *truth { "true" } else { "false" }),
            Value::Absent | Value::Other => return Err(Refusal::ExtensionValue { name: shown(name) }),
        }
    }
    if out.len() > start {
        out.push_str("},");
    }
    Ok(())
}
