//! The answer to a request: it is kept, and a retry is given it again. Which lots hold how much are the record's entries.

use std::collections::BTreeMap;
use std::fmt;

use crate::amount::Amount;
use crate::name::Name;
use crate::rate::Unpriced;
use crate::time::Instant;

/// A hold was approved, or extended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Approved {
    /// When it ends by itself.
    pub until: Instant,
    /// Whether lots do not cover all of it: a soft cap lets it pass, and warns.
    pub beyond_lots: bool,
}

/// A hold was declined, or an extension: nothing has changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Declined {
    /// Why.
    pub why: Why,
    /// By how much it is too much, by unit: with so much more in lots, or so much less asked for, it would be approved.
    pub lacks: BTreeMap<Name, Amount>,
}

/// Why a hold is declined.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// Lots, and what may be held against the overdraft, do not cover it.
    Insufficient,
    /// The wallet has as many open holds as it may.
    TooManyHolds,
    /// The wallet is suspended.
    Suspended,
    /// Nobody has configured the wallet, granted it anything or used anything.
    UnknownWallet,
    /// The event has no price.
    Unpriced(Unpriced),
    /// Nobody waits for it any more, or its time was over before it came.
    TooLate,
    /// It is above the largest single draw.
    TooLarge,
    /// It was voided before it came.
    Voided,
    /// The hold that it extends is not open.
    NotOpen,
}

impl Why {
    const PLAIN: [Self; 8] = [
        Self::Insufficient,
        Self::TooManyHolds,
        Self::Suspended,
        Self::UnknownWallet,
        Self::TooLate,
        Self::TooLarge,
        Self::Voided,
        Self::NotOpen,
    ];

    /// The word in answers and tables.
    pub fn word(self) -> String {
        let word = match self {
            Self::Insufficient => "insufficient",
            Self::TooManyHolds => "too_many_holds",
            Self::Suspended => "suspended",
            Self::UnknownWallet => "unknown_wallet",
            Self::Unpriced(why) => return format!("unpriced:{}", why.word()),
            Self::TooLate => "too_late",
            Self::TooLarge => "too_large",
            Self::Voided => "voided",
            Self::NotOpen => "not_open",
        };
        word.to_owned()
    }

    fn of_word(word: &str) -> Option<Self> {
        match word.strip_prefix("unpriced:") {
            Some(why) => Unpriced::of_word(why).map(Self::Unpriced),
            None => Self::PLAIN.into_iter().find(|why| why.word() == word),
        }
    }
}

impl From<Why> for Declined {
    fn from(why: Why) -> Self {
        Self { why, lacks: BTreeMap::new() }
    }
}

/// Text that is no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no answer to a hold's request: rebuild the projection")]
pub struct NotAnAnswer(String);

impl fmt::Display for Approved {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "until {}", self.until)?;
        if self.beyond_lots { f.write_str(" beyond lots") } else { Ok(()) }
    }
}

impl Approved {
    /// Reads what it is shown as.
    ///
    /// # Errors
    ///
    /// If it is something else.
    pub fn parse(text: &str) -> Result<Self, NotAnAnswer> {
        let wrong = || NotAnAnswer(text.to_owned());
        let rest = text.strip_prefix("until ").ok_or_else(wrong)?;
        let until = rest.strip_suffix(" beyond lots");
        let beyond_lots = until.is_some();
        let until = Instant::parse(until.unwrap_or(rest)).map_err(|_| wrong())?;
        Ok(Self { until, beyond_lots })
    }
}

impl fmt::Display for Declined {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.why.word())?;
        if self.lacks.is_empty() {
            return Ok(());
        }
        let lacks: BTreeMap<&str, Amount> = self.lacks.iter().map(|(unit, lack)| (&**unit, *lack)).collect();
        write!(f, " {}", serde_json::to_string(&lacks).expect("amounts by unit are JSON"))
    }
}

impl Declined {
    /// Reads what it is shown as.
    ///
    /// # Errors
    ///
    /// If it is something else.
    pub fn parse(text: &str) -> Result<Self, NotAnAnswer> {
        let wrong = || NotAnAnswer(text.to_owned());
        let (word, lacks) = text.split_once(' ').unwrap_or((text, "{}"));
        let why = Why::of_word(word).ok_or_else(wrong)?;
        let lacks: BTreeMap<String, String> = serde_json::from_str(lacks).map_err(|_| wrong())?;
        let lack = |(unit, lack): (String, String)| {
            Some((Name::from(unit.as_str()), Amount::parse_sum(&lack).ok()?))
        };
        let lacks = lacks.into_iter().map(lack).collect::<Option<_>>().ok_or_else(wrong)?;
        Ok(Self { why, lacks })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_read_as_it_is_shown() {
        for text in ["until 2026-01-01T00:00:00.5Z", "until 2026-01-01T00:00:00Z beyond lots"] {
            assert_eq!(Approved::parse(text).map(|answer| answer.to_string()).as_deref(), Ok(text));
        }
        for why in Why::PLAIN {
            assert_eq!(Declined::parse(&why.word()), Ok(why.into()));
        }
        for text in
            [r#"insufficient {"credits":"5"}"#, r#"too_large {"a b":"1.5","usd":"7"}"#, "unpriced:no_price"]
        {
            assert_eq!(Declined::parse(text).map(|answer| answer.to_string()).as_deref(), Ok(text));
        }
        for text in ["", "until", "until noon", "insufficient five", "unpriced:", "for nothing"] {
            assert!(Approved::parse(text).is_err() && Declined::parse(text).is_err(), "{text}");
        }
    }
}
