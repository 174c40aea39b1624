//! Quantities as products send them: read from their literal text, never through a float.

use std::cmp::Ordering;
use std::fmt;

use ethnum::U256;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// Most significant digits of a quantity, and most places.
const DIGITS: u32 = 38;

/// An exact, non-negative decimal: `digits` divided by ten to the power of `places`, without trailing zeros.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Quantity {
    digits: u128,
    places: u32,
}

/// Why a literal gives no quantity.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum QuantityError {
    /// No number at all.
    #[error("is not a number")]
    NotANumber,
    /// Below zero: that is a reversal or a re-rating.
    #[error("is negative: reverse or re-rate instead")]
    Negative,
    /// More than 38 significant digits or places.
    #[error("has more than 38 digits")]
    OutOfRange,
}

impl Quantity {
    /// One.
    pub const ONE: Self = Self { digits: 1, places: 0 };

    /// Reads a JSON number's literal text, such as `42`, `0.30000000000000004` or `1e-05`.
    ///
    /// # Errors
    ///
    /// If `text` is no number, is negative, or needs more than 38 digits.
    pub fn parse(text: &str) -> Result<Self, QuantityError> {
        if let Some(whole) = small_whole(text) {
            return Ok(Self { digits: whole.into(), places: 0 });
        }
        let (negative, text) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest));
        let (mantissa, exponent) = match text.split_once(['e', 'E']) {
            Some((m, e)) => (m, exponent(e)?),
            None => (text, 0),
        };
        let (whole, fraction) = mantissa.split_once('.').map_or((mantissa, None), |(w, f)| (w, Some(f)));
        let digits = |s: &str| !s.is_empty() && s.bytes().all(|b| b.is_ascii_digit());
        if !digits(whole)
            || (whole.len() > 1 && whole.starts_with('0'))
            || fraction.is_some_and(|f| !digits(f))
        {
            return Err(QuantityError::NotANumber);
        }
        let fraction = fraction.unwrap_or("").trim_end_matches('0');
        let mut value: u128 = 0;
        for b in whole.bytes().chain(fraction.bytes()) {
            value = value
                .checked_mul(10)
                .and_then(|v| v.checked_add(u128::from(b - b'0')))
                .ok_or(QuantityError::OutOfRange)?;
        }
        let places = i64::try_from(fraction.len()).expect("a literal is short") - exponent;
        let quantity = Self::scaled(value, places).ok_or(QuantityError::OutOfRange)?;
        if negative && value != 0 { Err(QuantityError::Negative) } else { Ok(quantity) }
    }

    /// The digits without their point; see [`Self::places`].
    pub fn digits(self) -> u128 {
        self.digits
    }

    /// How many of the digits stand behind the point.
    pub fn places(self) -> u32 {
        self.places
    }

    /// Whether this is nothing.
    pub fn is_zero(self) -> bool {
        self.digits == 0
    }

    /// The sum; `None` when it needs more than 38 digits.
    #[must_use]
    pub fn plus(self, other: Self) -> Option<Self> {
        let (a, b, places) = self.aligned(other);
        Self::wide(a + b, places)
    }

    /// What is left when `other` is taken off; `None` when that is more than is there or needs more than 38 digits.
    #[must_use]
    pub fn minus(self, other: Self) -> Option<Self> {
        let (a, b, places) = self.aligned(other);
        if b > a { None } else { Self::wide(a - b, places) }
    }

    /// This, rounded up to a multiple of `block`; `None` when that needs more than 38 digits.
    #[must_use]
    pub fn up_to_blocks(self, block: Self) -> Option<Self> {
        let (a, b, places) = self.aligned(block);
        let blocks = a / b + U256::from(u8::from(a % b != U256::ZERO));
        Self::wide(blocks.checked_mul(b)?, places)
    }

    /// Both over the same power of ten. 38 digits shifted by 38 places fit 256 bits (10^76 < 2^256).
    fn aligned(self, other: Self) -> (U256, U256, u32) {
        let places = self.places.max(other.places);
        let shift = |q: Self| U256::new(q.digits) * U256::new(10).pow(places - q.places);
        (shift(self), shift(other), places)
    }

    fn wide(mut digits: U256, mut places: u32) -> Option<Self> {
        let ten = U256::new(10);
        while places > 0 && digits % ten == U256::ZERO {
            digits /= ten;
            places -= 1;
        }
        if digits > U256::new(u128::MAX) { None } else { Self::scaled(digits.as_u128(), i64::from(places)) }
    }

    fn scaled(mut digits: u128, mut places: i64) -> Option<Self> {
        if digits == 0 {
            return Some(Self::default());
        }
        while places > 0 && digits.is_multiple_of(10) {
            digits /= 10;
            places -= 1;
        }
        if places < 0 {
            let shift = u32::try_from(-places).ok().filter(|s| *s <= DIGITS)?;
            digits = digits.checked_mul(10u128.checked_pow(shift)?)?;
            places = 0;
        }
        let places = u32::try_from(places).ok().filter(|p| *p <= DIGITS)?;
        (digits < 10u128.pow(DIGITS)).then_some(Self { digits, places })
    }
}

/// Most quantities are whole numbers of a few digits.
fn small_whole(text: &str) -> Option<u64> {
    let digits = text.as_bytes();
    let plain = (1..=18).contains(&digits.len()) && (digits[0] != b'0' || digits.len() == 1);
    let number = |n: u64, b: &u8| b.is_ascii_digit().then(|| n * 10 + u64::from(b - b'0'));
    if plain { digits.iter().try_fold(0, number) } else { None }
}

fn exponent(text: &str) -> Result<i64, QuantityError> {
    let (negative, digits) = match text.as_bytes().first() {
        Some(b'-') => (true, &text[1..]),
        Some(b'+') => (false, &text[1..]),
        _ => (false, text),
    };
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return Err(QuantityError::NotANumber);
    }
    let value: i64 = digits.parse().ok().filter(|e| *e <= 400).ok_or(QuantityError::OutOfRange)?;
    Ok(if negative { -value } else { value })
}

impl PartialOrd for Quantity {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Quantity {
    fn cmp(&self, other: &Self) -> Ordering {
        let (a, b, _) = self.aligned(*other);
        a.cmp(&b)
    }
}

impl fmt::Display for Quantity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let places = usize::try_from(self.places).expect("at most 38");
        let digits = format!("{:0>width$}", self.digits, width = places + 1);
        let (whole, fraction) = digits.split_at(digits.len() - places);
        f.pad(&if places == 0 { digits } else { format!("{whole}.{fraction}") })
    }
}

impl Serialize for Quantity {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Quantity {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(d)?;
        Self::parse(&text).map_err(|e| de::Error::custom(format!("{text:?} {e}")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Quantity {
        Quantity::parse(text).expect("a quantity")
    }

    #[test]
    fn a_quantity_has_one_form() {
        for (text, shown) in [
            ("0", "0"),
            ("0.0", "0"),
            ("-0", "0"),
            ("7", "7"),
            ("10", "10"),
            ("10.0", "10"),
            ("10e-1", "1"),
            ("1500e-2", "15"),
            ("12.50", "12.5"),
            ("1e3", "1000"),
            ("5e-1", "0.5"),
            ("0.001", "0.001"),
            ("120e-3", "0.12"),
        ] {
            assert_eq!(read(text).to_string(), shown, "{text}");
            assert_eq!(read(text), read(shown), "{text}");
        }
    }

    #[test]
    fn a_quantity_has_38_digits_at_most() {
        let largest = "9".repeat(38);
        assert_eq!(read(&largest).to_string(), largest);
        for text in ["1e38", "1e39", "1e-39", "340282366920938463463374607431768211456"] {
            assert_eq!(Quantity::parse(text), Err(QuantityError::OutOfRange), "{text}");
        }
        for zeros in 1..=37 {
            assert_eq!(read(&format!("1e{zeros}")).plus(read("1e-38")), None, "{zeros}");
        }
    }

    #[test]
    fn blocks_may_be_as_fine_as_a_quantity() {
        // 2 to the power of -38 has all its 38 places, and 5 is a multiple of it.
        let block = read("0.00000000000363797880709171295166015625");
        assert_eq!(read("5").up_to_blocks(block), Some(read("5")));
        assert_eq!(read("5").up_to_blocks(read("2")), Some(read("6")));
    }
}
