//! Exact amounts of one unit.

use std::fmt;
use std::iter::Sum;

use ethnum::U256;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

const PLACES: usize = 9;
const BILLION: u64 = 1_000_000_000;
const ONE: i128 = BILLION as i128;
/// Most digits before the point of a sum: with nine places it still is an `i128`.
const WIDEST_SUM: usize = 29;

/// An exact amount of one unit, never negative, counted in billionths (rules, section 2).
///
/// There is no subtraction: [`take`](Amount::take) moves part of one amount out, so that a sum over all places is
/// the same before and after.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Amount(i128);

/// Text that is no amount.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AmountError {
    /// Something else than digits with at most one point among them.
    #[error(
        "an amount is a plain decimal such as \"12.5\": digits, at most one point, no sign and no exponent"
    )]
    Grammar,
    /// More than nine places.
    #[error("an amount has at most nine decimal places")]
    TooFine,
    /// More than [`Amount::MAX`].
    #[error("an amount is at most 1000000000000000000 (10^18)")]
    TooLarge,
}

impl Amount {
    /// Nothing.
    pub const ZERO: Self = Self(0);
    /// The largest amount that a record may name: 10^18 units.
    pub const MAX: Self = Self(1_000_000_000_000_000_000 * ONE);

    /// Reads a decimal such as `"12.5"`.
    ///
    /// # Errors
    ///
    /// If `text` is not a plain decimal, has more than nine places, is negative, or exceeds [`Self::MAX`]. It is
    /// never rounded here: a price rounds, by its own rule.
    pub fn parse(text: &str) -> Result<Self, AmountError> {
        let amount = Self::parse_sum(text)?;
        if amount > Self::MAX { Err(AmountError::TooLarge) } else { Ok(amount) }
    }

    /// Reads a sum of amounts, which may be more than one record names.
    ///
    /// # Errors
    ///
    /// As [`Self::parse`], but for what goes beyond [`Self::MAX`].
    pub fn parse_sum(text: &str) -> Result<Self, AmountError> {
        let (whole, places) = text.split_once('.').map_or((text, None), |(w, p)| (w, Some(p)));
        let digits = |s: &str| !s.is_empty() && s.bytes().all(|b| b.is_ascii_digit());
        if !digits(whole) || (whole.len() > 1 && whole.starts_with('0')) || places.is_some_and(|p| !digits(p))
        {
            return Err(AmountError::Grammar);
        }
        let places = places.unwrap_or("");
        if places.len() > PLACES {
            return Err(AmountError::TooFine);
        }
        if whole.len() > WIDEST_SUM {
            return Err(AmountError::TooLarge);
        }
        let number = |s: &str| s.bytes().fold(0i128, |n, b| n * 10 + i128::from(b - b'0'));
        let scale = 10i128.pow(u32::try_from(PLACES - places.len()).expect("at most nine"));
        Ok(Self(number(whole) * ONE + number(places) * scale))
    }

    /// So many billionths; `None` when that is above [`Self::MAX`].
    pub fn from_billionths(n: U256) -> Option<Self> {
        (n <= U256::new(Self::MAX.0.unsigned_abs())).then(|| Self(n.as_i128()))
    }

    /// How many billionths this is.
    pub fn billionths(self) -> i128 {
        self.0
    }

    /// Whether this is nothing.
    pub fn is_zero(&self) -> bool {
        self.0 == 0
    }

    /// Takes as much of `wanted` as is there out of this amount, and returns what was taken.
    #[must_use = "what is taken must go somewhere"]
    pub fn take(&mut self, wanted: Self) -> Self {
        let taken = Self(self.0.min(wanted.0));
        self.0 -= taken.0;
        taken
    }

    /// Adds what was taken elsewhere.
    pub fn add(&mut self, more: Self) {
        self.0 = self.0.checked_add(more.0).expect("a wallet's lots are few, and each amount is bounded");
    }

    /// How much this exceeds `other` by; nothing if it does not.
    #[must_use]
    pub fn above(self, other: Self) -> Self {
        Self((self.0 - other.0).max(0))
    }

    /// The share `part` of `whole` of this amount, cut down to nine places; all of it when `part` is not below `whole`.
    #[must_use]
    pub fn share(self, part: i128, whole: i128) -> Self {
        if part >= whole {
            return self;
        }
        let product = U256::new(self.0.unsigned_abs()) * U256::new(part.unsigned_abs());
        Self((product / U256::new(whole.unsigned_abs())).as_i128())
    }

    /// The canonical decimal.
    pub fn text(self) -> String {
        let mut text = String::with_capacity(24);
        self.write(&mut text);
        text
    }

    /// Appends the canonical decimal to `out`. Each row has some: most are below 2^64 and take no wide division.
    pub(crate) fn write(self, out: &mut String) {
        use fmt::Write;
        let (whole, rest) = match u64::try_from(self.0) {
            Ok(small) => (i128::from(small / BILLION), small % BILLION),
            Err(_) => (self.0 / ONE, u64::try_from(self.0 % ONE).expect("an amount is not negative")),
        };
        match u64::try_from(whole) {
            Ok(whole) => write!(out, "{whole}").expect("a string takes all"),
            Err(_) => write!(out, "{whole}").expect("a string takes all"),
        }
        if rest != 0 {
            let mut places = *b".000000000";
            let mut rest = rest;
            for place in places[1..].iter_mut().rev() {
                *place = b'0' + u8::try_from(rest % 10).expect("one digit");
                rest /= 10;
            }
            out.push_str(std::str::from_utf8(&places).expect("digits are text").trim_end_matches('0'));
        }
    }
}

impl Sum for Amount {
    fn sum<I: Iterator<Item = Self>>(amounts: I) -> Self {
        let mut sum = Self::ZERO;
        amounts.for_each(|a| sum.add(a));
        sum
    }
}

impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.text())
    }
}

impl Serialize for Amount {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.serialize_str(&self.text())
    }
}

impl<'de> Deserialize<'de> for Amount {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        struct Text;
        impl de::Visitor<'_> for Text {
            type Value = Amount;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an amount as a decimal in quotes, such as \"12.5\"")
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<Amount, E> {
                Amount::parse(text).map_err(|e| E::custom(format!("{e}, not {text:?}")))
            }
        }
        d.deserialize_str(Text)
    }
}

/// Reads a field that is a sum of amounts, which may be more than one record names.
pub(crate) fn sum<'de, D: Deserializer<'de>>(d: D) -> Result<Amount, D::Error> {
    let text = <std::borrow::Cow<'de, str>>::deserialize(d)?;
    Amount::parse_sum(&text).map_err(|e| de::Error::custom(format!("{e}, not {text:?}")))
}

#[cfg(feature = "schema")]
impl schemars::JsonSchema for Amount {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Amount".into()
    }
    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "type": "string",
            "description": "An exact amount of one unit: a decimal with at most nine places, up to 10^18.",
            "pattern": "^(0|[1-9][0-9]{0,18})(\\.[0-9]{1,9})?$",
            "examples": ["12.5"]
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_amount_is_shown_as_it_is_read() {
        let wide = u64::MAX / BILLION;
        for text in
            ["0", "1", "0.000000001", "12.5", "100000000000", "7.00000001", "1000000000000000000.000000009"]
        {
            assert_eq!(Amount::parse_sum(text).map(Amount::text).as_deref(), Ok(text));
        }
        for whole in [wide - 1, wide, wide + 1, u64::MAX] {
            let text = format!("{whole}{}.709551615", u64::from(whole == u64::MAX));
            assert_eq!(Amount::parse_sum(&text).map(Amount::text), Ok(text));
        }
    }

    #[test]
    fn a_sum_is_read_as_far_as_it_can_be_held() {
        let widest = "9".repeat(29) + ".999999999";
        assert_eq!(Amount::parse_sum(&widest).map(Amount::text), Ok(widest));
        for digits in [30, 40] {
            let wider = "9".repeat(digits);
            assert_eq!(Amount::parse_sum(&wider), Err(AmountError::TooLarge));
            assert_eq!(Amount::parse(&wider), Err(AmountError::TooLarge));
        }
    }
}
