//! Time zones as catalogue data, and the calendar in them.

use serde::{Deserialize, Serialize};

use crate::time::{Instant, Local, Period, Span};

/// A time zone: what its clocks are ahead of UTC, and when that changes. A newer zone database is a newer revision, and changes
/// no history (rules, section 3).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Zone {
    /// Seconds ahead of UTC before the first transition.
    pub before: i32,
    /// Seconds since 1970 and the seconds ahead of UTC from then on, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub transitions: Vec<(i64, i32)>,
}

impl Zone {
    /// Whether the transitions are in order and each offset is within a day.
    pub fn is_sound(&self) -> bool {
        let within = |o: i32| (-86_400..=86_400).contains(&o);
        within(self.before)
            && self.transitions.iter().all(|(_, o)| within(*o))
            && self.transitions.windows(2).all(|w| w[0].0 < w[1].0)
    }

    fn local(&self, instant: Instant) -> Local {
        let after = self.transitions.partition_point(|(at, _)| *at <= instant.seconds());
        Local::at(instant, self.offset(after))
    }

    /// The offset in the stretch that ends with the given transition.
    fn offset(&self, stretch: usize) -> i32 {
        stretch.checked_sub(1).map_or(self.before, |i| self.transitions[i].1)
    }

    /// When clocks show `local`: the earlier time of two, and the first instant after a gap.
    fn instant(&self, local: Local) -> Option<Instant> {
        let (seconds, nanos) = local.seconds();
        let mut stretch = self.transitions.partition_point(|(at, _)| *at < seconds - 2 * 86_400);
        loop {
            let offset = i64::from(self.offset(stretch));
            let begins = stretch.checked_sub(1).map(|i| self.transitions[i].0);
            let ends = self.transitions.get(stretch).map(|(at, _)| *at);
            if ends.is_none_or(|end| seconds - offset < end) {
                let gap = begins.filter(|begin| seconds - offset < *begin);
                let (seconds, nanos) = gap.map_or((seconds - offset, nanos), |begin| (begin, 0));
                return seconds.checked_mul(1_000_000_000)?.checked_add(nanos).map(Instant);
            }
            stretch += 1;
        }
    }

    /// `from` plus `n` times `span`: calendar time for days and longer, exact for what is shorter. `None` after what an
    /// instant can be; before 1970 it is only good to count from.
    pub fn after(&self, from: Instant, span: Span, n: i64) -> Option<Instant> {
        // An anchor in the second pass of a doubled hour is its own occurrence 0.
        let after = if n == 0 {
            Some(from)
        } else if span.is_calendar() {
            let (local, nanos) = span.step(self.local(from), n)?;
            self.instant(local)?.0.checked_add(nanos).map(Instant)
        } else {
            n.checked_mul(span.exact()).and_then(|nanos| from.0.checked_add(nanos)).map(Instant)
        };
        after.filter(|at| *at <= Instant::MAX)
    }

    /// The period that holds `at`: its first instant, and the next one's.
    pub fn period(&self, at: Instant, period: Period) -> (Instant, Instant) {
        let start = self.local(at).start_of(period);
        let one = match period {
            Period::Day => "P1D",
            Period::Month => "P1M",
            Period::Year => "P1Y",
        };
        let (next, _) =
            Span::parse(one).ok().and_then(|s| s.step(start, 1)).expect("the calendar goes past 2262");
        let within = |local| self.instant(local).map(|at: Instant| at.plus(0));
        (within(start).unwrap_or_default(), within(next).unwrap_or(Instant::MAX))
    }

    /// The calendar day that holds `at`, written `2026-01-31`.
    pub fn day(&self, at: Instant) -> String {
        self.local(at).0.date().to_string()
    }

    /// The calendar month that holds `at`, and the instant at which it is over.
    pub fn month(&self, at: Instant) -> (Month, Instant) {
        use chrono::Datelike;
        let date = self.local(at).0.date();
        let month = Month { year: date.year(), month: date.month() };
        (month, self.period(at, Period::Month).1)
    }
}

/// A month of the calendar, written `2026-01`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Month {
    year: i32,
    month: u32,
}

impl std::fmt::Display for Month {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:04}-{:02}", self.year, self.month)
    }
}

impl Serialize for Month {
    fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(self)
    }
}

impl Month {
    /// Reads `2026-01`.
    pub fn parse(text: &str) -> Option<Self> {
        let (year, month) = text.split_once('-').filter(|(y, m)| y.len() == 4 && m.len() == 2)?;
        let digits = |s: &str| s.bytes().all(|b| b.is_ascii_digit()).then(|| s.parse().ok()).flatten();
        let (year, month) = (i32::try_from(digits(year)?).ok()?, digits(month)?);
        (1..=12).contains(&month).then_some(Self { year, month })
    }

    /// The first instant of it in a zone, and the first of the next.
    pub fn bounds(self, zone: &Zone) -> Option<(Instant, Instant)> {
        let noon = Instant::parse(&format!("{self}-15T12:00:00Z")).ok()?;
        Some(zone.period(noon, Period::Month))
    }
}

impl<'de> Deserialize<'de> for Month {
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(d)?;
        Self::parse(&text).ok_or_else(|| serde::de::Error::custom("a month is written as in 2026-01"))
    }
}

#[cfg(feature = "schema")]
impl schemars::JsonSchema for Month {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Month".into()
    }
    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "type": "string", "pattern": "^[0-9]{4}-(0[1-9]|1[0-2])$", "examples": ["2026-01"],
            "description": "A month of the calendar in the wallet's zone."
        })
    }
}
