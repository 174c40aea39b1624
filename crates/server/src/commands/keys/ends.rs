//! When something is over, as it is said on the command line.

use std::str::FromStr;

use ledger::{Instant, Span};

/// A time, or how long until then.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ends {
    /// Then.
    At(Instant),
    /// So long from now.
    After(Span),
}

impl Ends {
    pub(super) fn from(self, now: Instant) -> Instant {
        match self {
            Self::At(at) => at,
            Self::After(span) => now.plus(span.exact()),
        }
    }
}

impl FromStr for Ends {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if let Ok(span) = span(text) {
            return Ok(Self::After(span));
        }
        let at = Instant::parse(text).map(Self::At);
        at.map_err(|_| {
            "write a time such as 2027-01-31T00:00:00Z, or how long it is until then: 90d, 12h, P3M".into()
        })
    }
}

/// Reads how long something lasts: `90d`, `12h`, `30m`, or as ISO 8601 has it.
pub(super) fn span(text: &str) -> Result<Span, String> {
    let short = |letter: char| text.strip_suffix(letter).filter(|n| n.bytes().all(|b| b.is_ascii_digit()));
    let written = if let Some(days) = short('d') {
        format!("P{days}D")
    } else if let Some(hours) = short('h') {
        format!("PT{hours}H")
    } else if let Some(minutes) = short('m') {
        format!("PT{minutes}M")
    } else {
        text.to_owned()
    };
    Span::parse(&written).map_err(|_| "write how long as in 90d, 12h, 30m or P3M".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ends_are_times_or_how_long_it_is_until_then() {
        let now = Instant::parse("2026-01-01T00:00:00Z").unwrap();
        for (text, at) in [
            ("90d", "2026-04-01T00:00:00Z"),
            ("P7D", "2026-01-08T00:00:00Z"),
            ("12h", "2026-01-01T12:00:00Z"),
            ("15m", "2026-01-01T00:15:00Z"),
            ("2026-01-31T00:00:00+01:00", "2026-01-30T23:00:00Z"),
        ] {
            assert_eq!(text.parse::<Ends>().unwrap().from(now).to_string(), at, "{text}");
        }
        for wrong in ["", "d", "0d", "90", "-1d", "1.5h", "tomorrow", "2026-01-31"] {
            assert!(wrong.parse::<Ends>().is_err(), "{wrong}");
        }
    }
}
