//! A CloudEvent's attributes, read in one pass and not yet judged.

use std::fmt;

use ledger::Text;
use serde::de::{Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use crate::refusal::Refusal;

/// The attributes that become fields of the record; all others are extensions.
#[derive(Default)]
pub(crate) struct CloudEvent<'a> {
    pub(crate) specversion: Value<'a>,
    pub(crate) id: Value<'a>,
    pub(crate) source: Value<'a>,
    pub(crate) kind: Value<'a>,
    pub(crate) subject: Value<'a>,
    pub(crate) time: Value<'a>,
    pub(crate) wallet: Value<'a>,
    pub(crate) traceparent: Value<'a>,
    pub(crate) data_base64: Value<'a>,
    pub(crate) data: Option<&'a RawValue>,
    /// Sorted by name, no name twice.
    pub(crate) extensions: Vec<(Text<'a>, Value<'a>)>,
}

/// What an attribute may be. `null` is the same as absent.
#[derive(Default)]
pub(crate) enum Value<'a> {
    #[default]
    Absent,
    Text(Text<'a>),
    Negative(i64),
    Natural(u64),
    Truth(bool),
    /// A fraction, an array or an object.
    Other,
}

impl<'a> CloudEvent<'a> {
    pub(crate) fn read(text: &'a str) -> Result<Self, Refusal> {
        let mut json = serde_json::Deserializer::from_str(text);
        if !text.trim_start_matches([' ', '\t', '\r', '\n']).starts_with('{') {
            serde_json::from_str::<IgnoredAny>(text)?;
            return Err(Refusal::NotAnObject);
        }
        let mut twice = None;
        let read = json
            .deserialize_map(Attributes { twice: &mut twice })
            .and_then(|event| json.end().map(|()| event));
        match twice {
            Some(key) => Err(Refusal::DuplicateKey { key }),
            None => Ok(read?),
        }
    }
}

struct Attributes<'t> {
    /// The key that made reading stop, for serde's errors carry nothing but text.
    twice: &'t mut Option<String>,
}

impl<'de> Visitor<'de> for Attributes<'_> {
    type Value = CloudEvent<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a CloudEvent")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<CloudEvent<'de>, A::Error> {
        let mut event = CloudEvent::default();
        let mut seen = 0u16;
        while let Some(key) = map.next_key::<Text<'de>>()? {
            let (bit, place) = match &*key {
                "specversion" => (1, &mut event.specversion),
                "id" => (1 << 1, &mut event.id),
                "source" => (1 << 2, &mut event.source),
                "type" => (1 << 3, &mut event.kind),
                "subject" => (1 << 4, &mut event.subject),
                "time" => (1 << 5, &mut event.time),
                "wallet" => (1 << 6, &mut event.wallet),
                "traceparent" => (1 << 7, &mut event.traceparent),
                "data_base64" => (1 << 8, &mut event.data_base64),
                "data" => {
                    if event.data.replace(map.next_value()?).is_some() {
                        *self.twice = Some(key.into_owned());
                        return Err(A::Error::custom("a key twice"));
                    }
                    continue;
                }
                _ => {
                    event.extensions.push((key, map.next_value()?));
                    continue;
                }
            };
            if seen & bit != 0 {
                *self.twice = Some(key.into_owned());
                return Err(A::Error::custom("a key twice"));
            }
            seen |= bit;
            *place = map.next_value()?;
        }
        event.extensions.sort_unstable_by(|a, b| a.0.cmp(&b.0));
        if let Some(two) = event.extensions.windows(2).find(|two| two[0].0 == two[1].0) {
            *self.twice = Some(crate::refusal::shown(&two[0].0));
            return Err(A::Error::custom("a key twice"));
        }
        Ok(event)
    }
}

impl<'de> serde::Deserialize<'de> for Value<'de> {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        d.deserialize_any(AnyValue)
    }
}

struct AnyValue;

impl<'de> Visitor<'de> for AnyValue {
    type Value = Value<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an attribute")
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Value<'de>, E> {
        Ok(Value::Text(text.into()))
    }

    fn visit_str<E>(self, text: &str) -> Result<Value<'de>, E> {
        Ok(Value::Text(text.to_owned().into()))
    }

    fn visit_unit<E>(self) -> Result<Value<'de>, E> {
        Ok(Value::Absent)
    }

    fn visit_bool<E>(self, truth: bool) -> Result<Value<'de>, E> {
        Ok(Value::Truth(truth))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Value<'de>, E> {
        Ok(Value::Negative(number))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Value<'de>, E> {
        Ok(Value::Natural(number))
    }

    fn visit_f64<E>(self, _: f64) -> Result<Value<'de>, E> {
        Ok(Value::Other)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Value<'de>, A::Error> {
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Value::Other)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value<'de>, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Value::Other)
    }
}
