//! Rating: what one usage is charged (rules, sections 2 and 6). Exact in 256 bits, and rounded once.

use std::borrow::Cow;

use ethnum::U256;
use serde_json::value::RawValue;

use crate::amount::Amount;
use crate::catalogue::{PriceList, Version};
use crate::event::Usage;
use crate::members::{members, string};
use crate::name::Name;
use crate::price::{Blocks, Charge, Counted, Pattern, Price, Rounding, RoundingMode, TierMode, Tiers};
use crate::quantity::{Quantity, QuantityError};
use crate::text::Text;
use crate::time::{Instant, Period};

/// Why a usage could not be priced. It is booked all the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Unpriced {
    /// No price of the wallet's rate card matches.
    NoPrice,
    /// The price counts a field, and the event's data is no JSON object.
    NoData,
    /// A field that the price counts is not there.
    MissingQuantity,
    /// A field that the price counts holds no number.
    NotANumber,
    /// A field that the price counts is below zero, or less than what is taken off: reverse or re-rate instead.
    NegativeQuantity,
    /// A quantity or a product is beyond what an amount can be.
    OutOfRange,
}

impl Unpriced {
    const ALL: [Self; 6] = [
        Self::NoPrice,
        Self::NoData,
        Self::MissingQuantity,
        Self::NotANumber,
        Self::NegativeQuantity,
        Self::OutOfRange,
    ];

    /// The reason that has this word.
    pub fn of_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|why| why.word() == word)
    }

    /// The word in outcomes and tables.
    pub fn word(self) -> &'static str {
        match self {
            Self::NoPrice => "no_price",
            Self::NoData => "no_data",
            Self::MissingQuantity => "missing_quantity",
            Self::NotANumber => "not_a_number",
            Self::NegativeQuantity => "negative_quantity",
            Self::OutOfRange => "out_of_range",
        }
    }
}

/// What a usage is charged.
#[derive(Debug)]
pub struct Rated {
    /// The version that priced it, as `name@revision`.
    pub price: Name,
    /// Unit, feature and amount, one for each unit and feature, in the order of the price's charges.
    pub charges: Vec<(Name, Name, Amount)>,
    /// What the tiers' counters stand at after it.
    pub(crate) counted: Vec<(CounterKey, Quantity)>,
}

/// A wallet's counter of graduated tiers.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct CounterKey {
    /// The price's name.
    pub price: Name,
    /// The charge's name.
    pub charge: Name,
    /// The first instant of the period.
    pub starts: Instant,
    /// When the period is over.
    pub ends: Instant,
}

impl CounterKey {
    /// Whether both name one counter: a later version of the price may have periods of another length.
    pub(crate) fn is(&self, other: &Self) -> bool {
        self.price == other.price && self.charge == other.charge && self.starts == other.starts
    }
}

/// The version that prices this usage: of all that match, the most specific.
pub(crate) fn choose<'a>(
    prices: &'a PriceList,
    card: &'a str,
    usage: &Usage<'_>,
    fields: &Fields<'_>,
    at: Instant,
) -> Option<&'a Version> {
    let ranked =
        prices.candidates(card, &usage.kind, at).filter_map(|v| Some((rank(&v.price, usage, fields)?, v)));
    ranked.max_by(|(a, v), (b, w)| a.cmp(b).then_with(|| w.name.cmp(&v.name))).map(|(_, v)| v)
}

/// Prices a usage by a version, with the wallet's counters and the calendar of its zone.
pub(crate) fn rate(
    version: &Version,
    usage: &Usage<'_>,
    fields: &Fields<'_>,
    period: impl Fn(Period) -> (Instant, Instant),
    counter: impl Fn(&CounterKey) -> Quantity,
) -> Result<Rated, Unpriced> {
    let mut sums: Vec<(&Name, Cow<'_, Name>, Ratio)> = Vec::with_capacity(version.names.len());
    let mut counted = Vec::new();
    for (charge, (unit, feature)) in version.price.charges.iter().zip(&version.names) {
        let mut quantity = count(charge.quantity.as_ref(), fields)?;
        if charge.blocks == Blocks::Started {
            quantity = quantity.up_to_blocks(charge.per).ok_or(Unpriced::OutOfRange)?;
        }
        let exact = match &charge.tiers {
            None => Ratio::of(quantity, charge.amount.unwrap_or_default(), charge.per),
            Some(tiers) => {
                let key = tiers.period.map(|p| {
                    let (starts, ends) = period(p);
                    CounterKey { price: version.name.clone(), charge: charge.name().into(), starts, ends }
                });
                let before = key.as_ref().map(&counter).unwrap_or_default();
                let after = before.plus(quantity).ok_or(Unpriced::OutOfRange)?;
                counted.extend(key.map(|key| (key, after)));
                in_tiers(charge, tiers, before, after)
            }
        };
        let exact = exact.ok_or(Unpriced::OutOfRange)?;
        let feature = feature.as_ref().map_or_else(|| Cow::Owned(Name::from(&*usage.kind)), Cow::Borrowed);
        match sums.iter_mut().find(|(u, f, _)| *u == unit && *f == feature) {
            Some((_, _, sum)) => *sum = sum.plus(exact).ok_or(Unpriced::OutOfRange)?,
            None => sums.push((unit, feature, exact)),
        }
    }
    let rounding = version.price.rounding;
    let charge = |(unit, feature, sum): (&Name, Cow<'_, Name>, Ratio)| {
        Some((unit.clone(), feature.into_owned(), sum.round(rounding)?))
    };
    let charges = sums.into_iter().map(charge).collect::<Option<_>>().ok_or(Unpriced::OutOfRange)?;
    Ok(Rated { price: version.label.clone(), charges, counted })
}

fn in_tiers(charge: &Charge, tiers: &Tiers, before: Quantity, after: Quantity) -> Option<Ratio> {
    if tiers.mode == TierMode::Volume {
        let step = tiers.steps.iter().find(|s| s.up_to.is_none_or(|end| after <= end))?;
        return Ratio::of(after, step.amount, charge.per);
    }
    let (mut sum, mut from) = (Ratio::ZERO, before);
    for step in &tiers.steps {
        let to = step.up_to.map_or(after, |end| end.min(after));
        if to > from {
            sum = sum.plus(Ratio::of(to.minus(from)?, step.amount, charge.per)?)?;
            from = to;
        }
    }
    Some(sum)
}

fn count(counted: Option<&Counted>, fields: &Fields<'_>) -> Result<Quantity, Unpriced> {
    let Some(counted) = counted else { return Ok(Quantity::ONE) };
    let mut quantity = fields.quantity(&counted.field, counted.default)?;
    for less in &counted.minus {
        let less = fields.quantity(less, counted.default)?;
        quantity = if less > quantity {
            return Err(Unpriced::NegativeQuantity);
        } else {
            quantity.minus(less).ok_or(Unpriced::OutOfRange)?
        };
    }
    Ok(quantity)
}

/// How specific a match is, the largest first: type, exact fields, prefix fields, length of prefixes, fields that are there.
type Rank = (usize, usize, usize, usize, usize);

pub(crate) fn rank(price: &Price, usage: &Usage<'_>, fields: &Fields<'_>) -> Option<Rank> {
    let kind = match &price.matches.kind {
        Pattern::Exact(kind) => (**kind == *usage.kind).then_some(usize::MAX)?,
        Pattern::Prefix(prefix) => usage.kind.starts_with(prefix.as_str()).then_some(prefix.len() + 1)?,
        Pattern::Any(_) => 0,
    };
    let mut rank = (kind, 0, 0, 0, 0);
    for (path, pattern) in &price.matches.data {
        match pattern {
            Pattern::Exact(text) => {
                (**text == *fields.text(path)?).then_some(())?;
                rank.1 += 1;
            }
            Pattern::Prefix(prefix) => {
                fields.text(path)?.starts_with(prefix.as_str()).then_some(())?;
                rank.2 += 1;
                rank.3 += prefix.len();
            }
            Pattern::Any(_) => {
                fields.get(path)?;
                rank.4 += 1;
            }
        }
    }
    Some(rank)
}

/// The members of an event's data, read once and only as deep as a path goes.
#[derive(Debug, Default)]
pub struct Fields<'a>(Option<Vec<(Text<'a>, &'a str)>>);

impl<'a> Fields<'a> {
    /// Reads the members of `data`, if it is an object.
    pub fn of(data: Option<&'a RawValue>) -> Self {
        data.map_or_else(Self::default, |data| Self::read(data.get()))
    }

    fn read(json: &'a str) -> Self {
        Self(members(json))
    }

    /// The member that a path leads to, as JSON; `null` is not there. A name that holds points itself is found first.
    pub fn get(&self, path: &str) -> Option<&'a str> {
        let members = self.0.as_ref()?;
        if let Some((_, value)) = members.iter().find(|(name, _)| **name == *path) {
            return (*value != "null").then_some(value);
        }
        let (head, rest) = path.split_once('.')?;
        let (_, value) = members.iter().find(|(name, _)| **name == *head)?;
        Fields::read(value).get(rest)
    }

    /// The text of a string, or the canonical text of a number or a boolean.
    fn text(&self, path: &str) -> Option<Text<'a>> {
        let json = self.get(path)?;
        match json.as_bytes()[0] {
            b'"' => string(json),
            b'{' | b'[' => None,
            _ => {
                let mut out = Vec::new();
                crate::canonical::canonical(json, &mut out).ok()?;
                String::from_utf8(out).ok().map(Text::from)
            }
        }
    }

    fn quantity(&self, path: &str, default: Option<Quantity>) -> Result<Quantity, Unpriced> {
        let Some(json) = self.get(path) else {
            let missing = if self.0.is_none() { Unpriced::NoData } else { Unpriced::MissingQuantity };
            return default.ok_or(missing);
        };
        let parsed = match json.as_bytes()[0] {
            b'"' => {
                Quantity::parse(&serde_json::from_str::<Text<'_>>(json).map_err(|_| Unpriced::NotANumber)?)
            }
            _ => Quantity::parse(json),
        };
        parsed.map_err(|e| match e {
            QuantityError::NotANumber => Unpriced::NotANumber,
            QuantityError::Negative => Unpriced::NegativeQuantity,
            QuantityError::OutOfRange => Unpriced::OutOfRange,
        })
    }
}

/// An exact number of billionths: `num / den`.
#[derive(Clone, Copy, Debug)]
struct Ratio {
    num: U256,
    den: U256,
}

impl Ratio {
    const ZERO: Self = Self { num: U256::ZERO, den: U256::ONE };

    /// `quantity / per × amount`; `None` beyond 256 bits.
    fn of(quantity: Quantity, amount: Amount, per: Quantity) -> Option<Self> {
        let ten = |places: u32| U256::new(10u128.pow(places));
        let num = U256::new(quantity.digits()).checked_mul(U256::new(amount.billionths().unsigned_abs()))?;
        let num = if per.places() == 0 { num } else { num.checked_mul(ten(per.places()))? };
        let den = U256::new(per.digits());
        let den = if quantity.places() == 0 { den } else { den.checked_mul(ten(quantity.places()))? };
        Some(Self { num, den })
    }

    fn plus(self, other: Self) -> Option<Self> {
        if self.den == other.den {
            return Some(Self { num: self.num.checked_add(other.num)?, den: self.den });
        }
        let num = self.num.checked_mul(other.den)?.checked_add(other.num.checked_mul(self.den)?)?;
        Some(Self { num, den: self.den.checked_mul(other.den)? })
    }

    fn round(self, rounding: Rounding) -> Option<Amount> {
        let step = U256::new(10u128.pow(9 - u32::from(rounding.places)));
        let den = if rounding.places == 9 { self.den } else { self.den.checked_mul(step)? };
        let (down, rest) = divide(self.num, den);
        let up = match rounding.mode {
            RoundingMode::Down => false,
            RoundingMode::Up => rest > U256::ZERO,
            RoundingMode::HalfUp => rest >= den - rest,
            RoundingMode::HalfEven => {
                rest > den - rest || (rest == den - rest && down % U256::new(2) == U256::ONE)
            }
        };
        let rounded = if up { down + U256::ONE } else { down };
        Amount::from_billionths(rounded.checked_mul(step)?)
    }
}

/// Quotient and rest; most fit the machine's own words, where dividing takes a tenth of the time.
fn divide(num: U256, den: U256) -> (U256, U256) {
    match (u64::try_from(num), u64::try_from(den)) {
        (Ok(n), Ok(d)) => (U256::from(n / d), U256::from(n % d)),
        _ => (num / den, num % den),
    }
}
