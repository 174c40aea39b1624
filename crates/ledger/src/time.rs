//! Instants and spans (rules, section 3).

use std::fmt;

use chrono::{Datelike, Days, Months, NaiveDate, NaiveDateTime};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::calendar::{Shown, days};

const SECOND: i64 = 1_000_000_000;
const DAY: i64 = 86_400 * SECOND;
/// A moment, in nanoseconds since 1970-01-01T00:00:00Z; the years 1970 to 2261. *Never* is an absent instant.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Instant(pub i64);

/// Text that is no instant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TimeError {
    /// Not RFC 3339.
    #[error("a time is written as in 2026-01-31T00:00:00Z (RFC 3339, at most nine decimals)")]
    Grammar,
    /// Before 1970 or after 2261.
    #[error("a time lies between 1970 and 2261: leave it out for never")]
    OutOfRange,
    /// Not an ISO 8601 duration.
    #[error(
        "a span is written as in P1M, P28D or PT12H (ISO 8601, whole numbers but for the seconds), and is not empty"
    )]
    Span,
}

impl Instant {
    /// The last instant that a record may name: the end of 2261.
    pub const MAX: Self = Self(9_214_646_399_999_999_999);

    /// Reads RFC 3339, with any offset.
    ///
    /// # Errors
    ///
    /// If `text` is not RFC 3339 with at most nine decimals, or lies outside 1970 to 2261.
    pub fn parse(text: &str) -> Result<Self, TimeError> {
        let b = text.as_bytes();
        if b.len() < 20 || !text.is_ascii() {
            return Err(TimeError::Grammar);
        }
        let at = |i: usize, c: &[u8]| c.contains(&b[i]);
        if !(at(4, b"-") && at(7, b"-") && at(10, b"Tt ") && at(13, b":") && at(16, b":")) {
            return Err(TimeError::Grammar);
        }
        let days = days(two(b, 0)? * 100 + two(b, 2)?, two(b, 5)?, two(b, 8)?);
        let (h, m, s) = (two(b, 11)?, two(b, 14)?, two(b, 17)?);
        if h > 23 || m > 59 || s > 59 {
            return Err(TimeError::Grammar);
        }
        let (nanos, rest) = fraction(&b[19..])?;
        let seconds =
            days.ok_or(TimeError::Grammar)? * 86_400 + i64::from(h * 3600 + m * 60 + s) - offset(rest)?;
        let wide = i128::from(seconds) * i128::from(SECOND) + i128::from(nanos);
        i64::try_from(wide)
            .ok()
            .map(Self)
            .filter(|t| t.0 >= 0 && *t <= Self::MAX)
            .ok_or(TimeError::OutOfRange)
    }

    /// This moment moved by so many nanoseconds, within what an instant can be.
    #[must_use]
    pub fn plus(self, nanos: i64) -> Self {
        Self(self.0.saturating_add(nanos).clamp(0, Self::MAX.0))
    }

    pub(crate) fn seconds(self) -> i64 {
        self.0.div_euclid(SECOND)
    }
}

fn two(b: &[u8], at: usize) -> Result<u32, TimeError> {
    let (x, y) = (b[at].wrapping_sub(b'0'), b[at + 1].wrapping_sub(b'0'));
    if x > 9 || y > 9 { Err(TimeError::Grammar) } else { Ok(u32::from(x) * 10 + u32::from(y)) }
}

fn fraction(b: &[u8]) -> Result<(u32, &[u8]), TimeError> {
    if b[0] != b'.' {
        return Ok((0, b));
    }
    let len = b[1..].iter().take_while(|c| c.is_ascii_digit()).count();
    if len == 0 || len > 9 {
        return Err(TimeError::Grammar);
    }
    let value = b[1..=len].iter().fold(0, |n, c| n * 10 + u32::from(c - b'0'));
    Ok((value * 10u32.pow(9 - u32::try_from(len).expect("at most nine")), &b[len + 1..]))
}

fn offset(b: &[u8]) -> Result<i64, TimeError> {
    let sign = match b {
        b"Z" | b"z" => return Ok(0),
        [b'+', ..] => 1,
        [b'-', ..] => -1,
        _ => return Err(TimeError::Grammar),
    };
    if b.len() != 6 || b[3] != b':' {
        return Err(TimeError::Grammar);
    }
    let (h, m) = (two(b, 1)?, two(b, 4)?);
    if h > 23 || m > 59 { Err(TimeError::Grammar) } else { Ok(sign * i64::from(h * 3600 + m * 60)) }
}

impl fmt::Display for Instant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(Shown::of(*self).text())
    }
}

impl Serialize for Instant {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.serialize_str(Shown::of(*self).text())
    }
}

impl<'de> Deserialize<'de> for Instant {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        struct Text;
        impl de::Visitor<'_> for Text {
            type Value = Instant;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a time such as \"2026-01-31T00:00:00Z\"")
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<Instant, E> {
                Instant::parse(text).map_err(|e| E::custom(format!("{e}, not {text:?}")))
            }
        }
        d.deserialize_str(Text)
    }
}

/// A wall clock's reading in some zone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Local(pub(crate) NaiveDateTime);

impl Local {
    pub(crate) fn at(instant: Instant, offset_seconds: i32) -> Self {
        let seconds = instant.seconds() + i64::from(offset_seconds);
        let nanos = u32::try_from(instant.0.rem_euclid(SECOND)).expect("less than a second");
        Self(chrono::DateTime::from_timestamp(seconds, nanos).expect("an i64 of nanoseconds").naive_utc())
    }

    /// Seconds that a clock at offset 0 showing this would stand at, and the nanoseconds behind them.
    pub(crate) fn seconds(self) -> (i64, i64) {
        let utc = self.0.and_utc();
        (utc.timestamp(), i64::from(utc.timestamp_subsec_nanos()))
    }

    /// The first instant of the day, month or year that holds this.
    pub(crate) fn start_of(self, period: Period) -> Self {
        let d = self.0.date();
        let date = match period {
            Period::Day => Some(d),
            Period::Month => d.with_day(1),
            Period::Year => NaiveDate::from_ymd_opt(d.year(), 1, 1),
        };
        Self(date.and_then(|d| d.and_hms_opt(0, 0, 0)).expect("every month has a first"))
    }
}

/// A stretch of the calendar over which tiers count (rules, section 6).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum Period {
    /// From midnight to midnight.
    Day,
    /// From the first to the first.
    Month,
    /// From January to January.
    Year,
}

/// A length of time as people say it: months and days are the calendar's, the rest is exact (ISO 8601).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Span {
    months: u32,
    days: u32,
    nanos: i64,
}

impl Span {
    /// An exact span.
    pub const fn hours(hours: i64) -> Self {
        Self { months: 0, days: 0, nanos: hours * 3600 * SECOND }
    }

    /// Reads an ISO 8601 duration such as `P1M` or `PT36H`.
    ///
    /// # Errors
    ///
    /// If `text` is not such a duration, is empty, or is longer than an instant can reach.
    pub fn parse(text: &str) -> Result<Self, TimeError> {
        let body = text.strip_prefix('P').ok_or(TimeError::Span)?;
        let (date, time) = body.split_once('T').map_or((body, None), |(d, t)| (d, Some(t)));
        let mut span = Self { months: 0, days: 0, nanos: 0 };
        span.read(date, &[('Y', 12, 0, 0), ('M', 1, 0, 0), ('W', 0, 7, 0), ('D', 0, 1, 0)])?;
        if let Some(time) = time {
            if time.is_empty() {
                return Err(TimeError::Span);
            }
            span.read(time, &[('H', 0, 0, 3600 * SECOND), ('M', 0, 0, 60 * SECOND), ('S', 0, 0, SECOND)])?;
        }
        let fits = span.months <= 12 * 300 && span.days <= 366 * 300 && span.nanos <= 106_000 * DAY;
        let empty = span.months == 0 && span.days == 0 && span.nanos == 0;
        if empty || !fits { Err(TimeError::Span) } else { Ok(span) }
    }

    fn read(&mut self, mut text: &str, units: &[(char, u32, u32, i64)]) -> Result<(), TimeError> {
        for (letter, months, days, nanos) in units {
            let Some((count, rest)) = text.split_once(*letter) else { continue };
            let (count, part) = match count.split_once('.').filter(|_| *letter == 'S') {
                Some((count, part)) => (count, part_of_a_second(part)?),
                None => (count, 0),
            };
            if count.is_empty() || count.len() > 9 || !count.bytes().all(|b| b.is_ascii_digit()) {
                return Err(TimeError::Span);
            }
            let count: u32 = count.parse().map_err(|_| TimeError::Span)?;
            let add = |sum: u32, unit: u32| count.checked_mul(unit).and_then(|n| sum.checked_add(n));
            self.months = add(self.months, *months).ok_or(TimeError::Span)?;
            self.days = add(self.days, *days).ok_or(TimeError::Span)?;
            let exact = i64::from(count).checked_mul(*nanos).and_then(|n| self.nanos.checked_add(n + part));
            self.nanos = exact.ok_or(TimeError::Span)?;
            text = rest;
        }
        if text.is_empty() { Ok(()) } else { Err(TimeError::Span) }
    }

    /// Whether this is at least an hour, the shortest recurrence (a month counts as 28 days).
    pub fn is_an_hour_at_least(self) -> bool {
        self.months > 0 || self.days > 0 || self.nanos >= 3600 * SECOND
    }

    /// The shortest that this can be in nanoseconds: months of 28 days, days of 24 hours less one.
    pub(crate) fn at_least(self) -> i64 {
        let days = i64::from(self.months) * 28 + i64::from(self.days);
        days.saturating_mul(DAY)
            .saturating_sub(if days > 0 { DAY / 24 } else { 0 })
            .saturating_add(self.nanos)
    }

    /// The longest that this can be in nanoseconds: months of 31 days, and a day of zone changes.
    pub(crate) fn at_most(self) -> i64 {
        let days = i64::from(self.months) * 31 + i64::from(self.days);
        days.saturating_mul(DAY).saturating_add(if days > 0 { DAY } else { 0 }).saturating_add(self.nanos)
    }

    /// This as an exact length: a day is 24 hours, a month 30 days.
    pub fn exact(self) -> i64 {
        (i64::from(self.months) * 30 + i64::from(self.days)).saturating_mul(DAY).saturating_add(self.nanos)
    }

    /// The wall clock's reading `n` spans after `local` (months first, clamped to the last day, then days), and the exact
    /// nanoseconds that follow. `None` beyond what a calendar holds.
    pub(crate) fn step(self, local: Local, n: i64) -> Option<(Local, i64)> {
        let months = n.checked_mul(i64::from(self.months))?;
        let by = Months::new(u32::try_from(months.unsigned_abs()).ok()?);
        let date = local.0;
        let date = if months < 0 { date.checked_sub_months(by)? } else { date.checked_add_months(by)? };
        let days = n.checked_mul(i64::from(self.days))?;
        let by = Days::new(days.unsigned_abs());
        let date = if days < 0 { date.checked_sub_days(by)? } else { date.checked_add_days(by)? };
        Some((Local(date), n.checked_mul(self.nanos)?))
    }

    /// Whether any part of this is the calendar's.
    pub(crate) fn is_calendar(self) -> bool {
        self.months > 0 || self.days > 0
    }
}

/// The nanoseconds that the decimals of a second are.
fn part_of_a_second(decimals: &str) -> Result<i64, TimeError> {
    if decimals.is_empty() || decimals.len() > 9 || !decimals.bytes().all(|b| b.is_ascii_digit()) {
        return Err(TimeError::Span);
    }
    format!("{decimals:0<9}").parse().map_err(|_| TimeError::Span)
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("P")?;
        let date = [(self.months / 12, 'Y'), (self.months % 12, 'M'), (self.days, 'D')];
        for (n, letter) in date.into_iter().filter(|(n, _)| *n > 0) {
            write!(f, "{n}{letter}")?;
        }
        if self.nanos == 0 {
            return Ok(());
        }
        f.write_str("T")?;
        let (seconds, part) = (self.nanos / SECOND, self.nanos % SECOND);
        for (n, letter) in
            [(seconds / 3600, 'H'), (seconds % 3600 / 60, 'M')].into_iter().filter(|(n, _)| *n > 0)
        {
            write!(f, "{n}{letter}")?;
        }
        match (seconds % 60, part) {
            (0, 0) => Ok(()),
            (seconds, 0) => write!(f, "{seconds}S"),
            (seconds, part) => write!(f, "{seconds}.{}S", format!("{part:09}").trim_end_matches('0')),
        }
    }
}

impl Serialize for Span {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Span {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(d)?;
        Self::parse(&text).map_err(|e| de::Error::custom(format!("{e}, not {text:?}")))
    }
}

#[cfg(feature = "schema")]
mod schema {
    use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

    impl JsonSchema for super::Instant {
        fn schema_name() -> std::borrow::Cow<'static, str> {
            "Instant".into()
        }
        fn json_schema(_: &mut SchemaGenerator) -> Schema {
            json_schema!({
                "type": "string", "format": "date-time", "examples": ["2026-01-31T00:00:00Z"],
                "description": "A moment to the nanosecond, 1970 to 2261 (RFC 3339). Leave it out for never."
            })
        }
    }

    impl JsonSchema for super::Span {
        fn schema_name() -> std::borrow::Cow<'static, str> {
            "Span".into()
        }
        fn json_schema(_: &mut SchemaGenerator) -> Schema {
            json_schema!({
                "type": "string", "pattern": "^P([0-9]+Y)?([0-9]+M)?([0-9]+W)?([0-9]+D)?(T([0-9]+H)?([0-9]+M)?([0-9]+(\\.[0-9]{1,9})?S)?)?$",
                "examples": ["P1M", "PT36H"],
                "description": "An ISO 8601 duration: days and longer are the calendar's, shorter is exact."
            })
        }
    }
}
