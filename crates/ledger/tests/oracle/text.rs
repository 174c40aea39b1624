//! What the oracle reads out of texts: JSON that keeps its number literals, instants, spans and decimals.

use std::collections::BTreeMap;

use chrono::NaiveDateTime;
use num_bigint::BigInt;
use num_rational::BigRational;
use serde_json::value::RawValue;

/// One second, in nanoseconds.
pub(crate) const SECOND: i64 = 1_000_000_000;
/// One day of 24 hours, in nanoseconds.
pub(crate) const DAY: i64 = 86_400 * SECOND;

/// A JSON value whose numbers are still the literals they were sent as.
#[derive(Clone, Debug)]
pub(crate) enum Json {
    Null,
    Bool(bool),
    Number(String),
    Text(String),
    List(Vec<Json>),
    Object(BTreeMap<String, Json>),
}

impl Json {
    /// Reads a text that is valid JSON.
    pub(crate) fn parse(text: &str) -> Json {
        Json::read(serde_json::from_str(text).expect("records are valid JSON"))
    }

    fn read(raw: &RawValue) -> Json {
        let text = raw.get().trim();
        match text.as_bytes()[0] {
            b'{' => {
                let fields: BTreeMap<String, &RawValue> = serde_json::from_str(text).expect("an object");
                Json::Object(fields.into_iter().map(|(key, value)| (key, Json::read(value))).collect())
            }
            b'[' => {
                let items: Vec<&RawValue> = serde_json::from_str(text).expect("a list");
                Json::List(items.into_iter().map(Json::read).collect())
            }
            b'"' => Json::Text(serde_json::from_str(text).expect("a string")),
            b't' => Json::Bool(true),
            b'f' => Json::Bool(false),
            b'n' => Json::Null,
            _ => Json::Number(text.to_owned()),
        }
    }

    /// The value of a field; nothing if this is no object, or it has no such field.
    pub(crate) fn get(&self, key: &str) -> Option<&Json> {
        if let Json::Object(fields) = self { fields.get(key) } else { None }
    }

    /// The value at a dotted path of fields.
    pub(crate) fn at(&self, path: &str) -> Option<&Json> {
        path.split('.').try_fold(self, |value, key| value.get(key))
    }

    /// The text in a field.
    pub(crate) fn text(&self, key: &str) -> Option<&str> {
        if let Some(Json::Text(text)) = self.get(key) { Some(text) } else { None }
    }

    /// The whole number in a field.
    pub(crate) fn whole(&self, key: &str) -> Option<i64> {
        if let Some(Json::Number(number)) = self.get(key) { number.parse().ok() } else { None }
    }

    /// The truth value in a field.
    pub(crate) fn flag(&self, key: &str) -> Option<bool> {
        if let Some(Json::Bool(flag)) = self.get(key) { Some(*flag) } else { None }
    }

    /// The items of a list in a field, none if it is absent.
    pub(crate) fn list(&self, key: &str) -> &[Json] {
        if let Some(Json::List(items)) = self.get(key) { items } else { &[] }
    }

    /// The texts of a list in a field.
    pub(crate) fn texts(&self, key: &str) -> Vec<String> {
        self.list(key).iter().filter_map(Json::as_text).map(str::to_owned).collect()
    }

    pub(crate) fn as_text(&self) -> Option<&str> {
        if let Json::Text(text) = self { Some(text) } else { None }
    }

    /// One text for all ways to write the same value: keys sorted, numbers by their value.
    pub(crate) fn canonical(&self) -> String {
        match self {
            Json::Null => "null".to_owned(),
            Json::Bool(flag) => flag.to_string(),
            Json::Number(literal) => {
                let number = Decimal::parse(literal).expect("a JSON number is a decimal");
                format!("{}{}e{}", if number.negative { "-" } else { "" }, number.digits, number.exponent)
            }
            Json::Text(text) => format!("{text:?}"),
            Json::List(items) => format!("{:?}", items.iter().map(Json::canonical).collect::<Vec<_>>()),
            Json::Object(fields) => {
                format!(
                    "{:?}",
                    fields.iter().map(|(key, value)| (key, value.canonical())).collect::<Vec<_>>()
                )
            }
        }
    }
}

/// A decimal as written: `digits` × 10^`exponent`, no zero at either end of the digits; zero has none.
pub(crate) struct Decimal {
    pub(crate) negative: bool,
    digits: String,
    exponent: i64,
}

impl Decimal {
    /// Reads the grammar of JSON's numbers; nothing if the text is none.
    pub(crate) fn parse(text: &str) -> Option<Decimal> {
        let (minus, rest) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest));
        let (number, power) = match rest.split_once(['e', 'E']) {
            Some((number, power)) => (number, Some(power)),
            None => (rest, None),
        };
        let (whole, fraction) = match number.split_once('.') {
            Some((whole, fraction)) => (whole, Some(fraction)),
            None => (number, None),
        };
        let digits_only = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
        let power_digits = power.map(|power| power.strip_prefix(['+', '-']).unwrap_or(power));
        let well_formed = digits_only(whole)
            && (whole == "0" || !whole.starts_with('0'))
            && fraction.is_none_or(digits_only)
            && power_digits.is_none_or(digits_only);
        if !well_formed {
            return None;
        }
        let fraction = fraction.unwrap_or("");
        let power: i64 =
            power.map_or(Some(0), |power| power.strip_prefix('+').unwrap_or(power).parse().ok())?;
        let all = format!("{whole}{fraction}");
        let kept = all.trim_end_matches('0');
        let exponent = power - fraction.len() as i64 + (all.len() - kept.len()) as i64;
        let digits = kept.trim_start_matches('0').to_owned();
        let zero = digits.is_empty();
        Some(Decimal { negative: minus && !zero, digits, exponent: if zero { 0 } else { exponent } })
    }

    /// The exact value without its sign; nothing if it takes more than 38 digits or 38 places.
    pub(crate) fn exact(&self) -> Option<BigRational> {
        let whole_digits = self.digits.len() as i64 + self.exponent.max(0);
        if whole_digits > 38 || self.exponent < -38 {
            return None;
        }
        let digits: BigInt = if self.digits.is_empty() { 0.into() } else { self.digits.parse().ok()? };
        let power = BigInt::from(10).pow(self.exponent.unsigned_abs() as u32);
        Some(if self.exponent < 0 {
            BigRational::new(digits, power)
        } else {
            BigRational::from_integer(digits * power)
        })
    }
}

/// An amount such as `"12.5"`, in billionths.
pub(crate) fn amount(text: &str) -> i128 {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let whole: i128 = whole.parse().expect("an amount is a plain decimal");
    let fraction: i128 = format!("{fraction:0<9}").parse().expect("an amount has at most nine places");
    whole * 1_000_000_000 + fraction
}

/// Writes an amount of billionths as records carry it.
pub(crate) fn show_amount(amount: i128) -> String {
    let text = format!("{}.{:09}", amount / 1_000_000_000, amount % 1_000_000_000);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// `share` of `whole` parts of an amount, cut down to nine places.
pub(crate) fn cut(amount: i128, share: i128, whole: i128) -> i128 {
    let exact: BigInt = BigInt::from(amount) * share / whole;
    exact.try_into().expect("a share is not more than the amount")
}

/// An instant such as `2026-01-31T00:00:00.5Z`, in nanoseconds since 1970.
pub(crate) fn instant(text: &str) -> i64 {
    let parsed = NaiveDateTime::parse_from_str(text, "%Y-%m-%dT%H:%M:%S%.fZ").expect("an instant in UTC");
    parsed.and_utc().timestamp_nanos_opt().expect("instants lie between 1970 and 2261")
}

/// Writes an instant as records carry it.
pub(crate) fn show_instant(instant: i64) -> String {
    let time = chrono::DateTime::from_timestamp_nanos(instant).format("%Y-%m-%dT%H:%M:%S%.9f").to_string();
    format!("{}Z", time.trim_end_matches('0').trim_end_matches('.'))
}

/// A span such as `P1M` or `PT36H`: calendar months and days, and what is exact.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Span {
    pub(crate) months: i64,
    pub(crate) days: i64,
    pub(crate) nanos: i64,
}

impl Span {
    pub(crate) fn parse(text: &str) -> Span {
        let mut span = Span { months: 0, days: 0, nanos: 0 };
        let mut in_time = false;
        let mut number = String::new();
        for sign in text.strip_prefix('P').expect("a span begins with P").chars() {
            if sign == 'T' {
                in_time = true;
            } else if sign.is_ascii_digit() || sign == '.' {
                number.push(sign);
            } else {
                let nanos = amount(&number) as i64;
                let count = nanos / SECOND;
                match (in_time, sign) {
                    (false, 'Y') => span.months += 12 * count,
                    (false, 'M') => span.months += count,
                    (false, 'W') => span.days += 7 * count,
                    (false, 'D') => span.days += count,
                    (true, 'H') => span.nanos += 3600 * nanos,
                    (true, 'M') => span.nanos += 60 * nanos,
                    (true, 'S') => span.nanos += nanos,
                    (_, other) => panic!("a span has no part {other}"),
                }
                number.clear();
            }
        }
        span
    }

    /// Its length where days are 24 hours and months have 30 days, in nanoseconds.
    pub(crate) fn rough(&self) -> i64 {
        (self.months * 30 + self.days) * DAY + self.nanos
    }
}
