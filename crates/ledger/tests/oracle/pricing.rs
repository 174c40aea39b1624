//! What a usage costs: the price that fits best, its quantities, its charges, rounded once.

use std::collections::BTreeMap;

use num_bigint::BigInt;
use num_rational::BigRational;

use super::text::{Decimal, Json, amount};
use super::zone::Zone;

/// One version of a price; its charges are read from its body each time.
pub(crate) struct Price {
    pub(crate) rate_card: String,
    body: Json,
}

/// An amount a usage costs: unit, feature, billionths.
pub(crate) type Charge = (String, String, i128);

/// What tiers are counted by: price, charge and start of the period.
pub(crate) type CounterKey = (String, String, i64);

/// How much of graduated tiers a wallet has used.
pub(crate) type Counters = BTreeMap<CounterKey, BigRational>;

/// What a usage adds to the counter of a price's charge over a kind of period.
#[derive(Clone)]
pub(crate) struct Count {
    price: String,
    charge: String,
    period: String,
    pub(crate) quantity: BigRational,
}

impl Count {
    /// The counter of the period that holds a time.
    pub(crate) fn key(&self, zone: &Zone, time: i64) -> CounterKey {
        (self.price.clone(), self.charge.clone(), zone.period_start(&self.period, time))
    }
}

/// What a usage costs.
pub(crate) struct Priced {
    pub(crate) price: String,
    pub(crate) charges: Vec<Charge>,
    /// What it adds to the wallet's counters.
    pub(crate) counts: Vec<Count>,
}

impl Price {
    pub(crate) fn parse(body: &Json) -> Price {
        let rate_card = body.text("rate_card").unwrap_or("standard").to_owned();
        Price { rate_card, body: body.clone() }
    }

    /// Whether the price is for such events.
    pub(crate) fn is_for(&self, usage: &Json) -> bool {
        self.fit(usage.text("type").expect("a usage has a type"), usage.get("data")).is_some()
    }

    /// How well the price fits an event, greatest best; nothing if it does not fit.
    fn fit(&self, event_type: &str, data: Option<&Json>) -> Option<[usize; 6]> {
        let pattern = self.body.get("match").expect("a price matches something");
        let on_type = pattern.get("type").expect("a price matches on the type");
        if !fits(on_type, Some(&Json::Text(event_type.to_owned()))) {
            return None;
        }
        // A type named exactly beats every prefix, and a prefix beats any: 2, 1, 0, then the prefix's length.
        let (by_type, type_prefix) = match (on_type.get("exact"), on_type.text("prefix")) {
            (Some(_), _) => (2, 0),
            (None, Some(prefix)) => (1, prefix.len()),
            (None, None) => (0, 0),
        };
        let (mut exact, mut prefixes, mut length, mut any) = (0, 0, 0, 0);
        if let Some(Json::Object(fields)) = pattern.get("data") {
            for (path, wanted) in fields {
                if !fits(wanted, data.and_then(|data| data.at(path))) {
                    return None;
                }
                if wanted.get("exact").is_some() {
                    exact += 1;
                } else if let Some(prefix) = wanted.text("prefix") {
                    prefixes += 1;
                    length += prefix.len();
                } else {
                    any += 1;
                }
            }
        }
        Some([by_type, type_prefix, exact, prefixes, length, any])
    }
}

/// Whether a pattern accepts what stands at its place.
fn fits(pattern: &Json, value: Option<&Json>) -> bool {
    let Some(value) = value else { return false };
    if let Some(exact) = pattern.text("exact") {
        return match value {
            Json::Text(text) => text == exact,
            Json::Number(_) if exact.starts_with(|c: char| c == '-' || c.is_ascii_digit()) => {
                Json::Number(exact.to_owned()).canonical() == value.canonical()
            }
            Json::Bool(flag) => flag.to_string() == exact,
            Json::Number(_) | Json::Null | Json::List(_) | Json::Object(_) => false,
        };
    }
    match (pattern.text("prefix"), value.as_text()) {
        (Some(prefix), Some(text)) => text.starts_with(prefix),
        (Some(_), None) => false,
        (None, _) => true,
    }
}

/// Prices an event with counters as they stand, or says why it cannot be priced.
pub(crate) fn price_usage(
    in_force: &[(&str, usize, &Price)],
    rate_card: &str,
    usage: &Json,
    (zone, time): (&Zone, i64),
    counters: &Counters,
) -> Result<Priced, &'static str> {
    let event_type = usage.text("type").expect("a usage has a type");
    let data = usage.get("data");
    let mut best: Option<([usize; 6], &str, usize, &Price)> = None;
    for (name, revision, price) in in_force.iter().filter(|(_, _, price)| price.rate_card == rate_card) {
        // Names come sorted, so of two that fit as well the first stays.
        if let Some(fit) = price.fit(event_type, data)
            && best.is_none_or(|(best, ..)| fit > best)
        {
            best = Some((fit, name, *revision, price));
        }
    }
    let (_, name, revision, price) = best.ok_or("no_price")?;
    price_by((name, revision, price), usage, (zone, time), counters)
}

/// Prices an event by one version of a price.
pub(crate) fn price_by(
    (name, revision, price): (&str, usize, &Price),
    usage: &Json,
    (zone, time): (&Zone, i64),
    counters: &Counters,
) -> Result<Priced, &'static str> {
    let event_type = usage.text("type").expect("a usage has a type");
    let data = usage.get("data");
    // One sum for each unit and feature, in the order in which the charges name them.
    let mut sums: Vec<(String, String, BigRational)> = Vec::new();
    let mut counted = counters.clone();
    let mut counts = Vec::new();
    for charge in price.body.list("charges") {
        let quantity = quantity(charge.get("quantity"), data)?;
        let mut count = charge.get("tiers").and_then(|tiers| tiers.text("period")).map(|period| {
            let path = charge.get("quantity").and_then(|quantity| quantity.text("field")).unwrap_or("count");
            let (price, charge) = (name.to_owned(), charge.text("name").unwrap_or(path).to_owned());
            Count { price, charge, period: period.to_owned(), quantity: zero() }
        });
        let counter = count.as_ref().map(|count| counted.entry(count.key(zone, time)).or_insert_with(zero));
        let before = counter.as_ref().map(|counter| (**counter).clone());
        let feature = charge.text("feature").or(price.body.text("feature")).unwrap_or(event_type);
        let unit = charge.text("unit").expect("a charge names a unit");
        let (cost, after) = cost(charge, quantity, before.clone());
        if let (Some(counter), Some(count), Some(before), Some(after)) = (counter, &mut count, before, after)
        {
            count.quantity = &after - before;
            *counter = after;
        }
        counts.extend(count);
        match sums.iter_mut().find(|sum| (sum.0.as_str(), sum.1.as_str()) == (unit, feature)) {
            Some(sum) => sum.2 += cost,
            None => sums.push((unit.to_owned(), feature.to_owned(), cost)),
        }
    }
    let mut charges = Vec::new();
    for (unit, feature, exact) in sums {
        charges.push((unit, feature, round(&exact, price.body.get("rounding"))?));
    }
    Ok(Priced { price: format!("{name}@{revision}"), charges, counts })
}

/// How much of something an event tells of.
fn quantity(wanted: Option<&Json>, data: Option<&Json>) -> Result<BigRational, &'static str> {
    let Some(wanted) = wanted else { return Ok(BigRational::from_integer(1.into())) };
    let read = |path: &str| match data.and_then(|data| data.at(path)) {
        Some(value) => number(value),
        None => match wanted.text("default") {
            Some(default) => Ok(exact(default)),
            None if !matches!(data, Some(Json::Object(_))) => Err("no_data"),
            None => Err("missing_quantity"),
        },
    };
    let mut quantity = read(wanted.text("field").expect("a field"))?;
    for path in wanted.texts("minus") {
        quantity -= read(&path)?;
    }
    if quantity < zero() { Err("negative_quantity") } else { Ok(quantity) }
}

fn number(value: &Json) -> Result<BigRational, &'static str> {
    let (Json::Number(text) | Json::Text(text)) = value else { return Err("not_a_number") };
    let decimal = Decimal::parse(text).ok_or("not_a_number")?;
    if decimal.negative { Err("negative_quantity") } else { decimal.exact().ok_or("out_of_range") }
}

/// What a charge asks for a quantity, exactly, and how its counter stands then if it has one.
fn cost(
    charge: &Json,
    mut quantity: BigRational,
    counter: Option<BigRational>,
) -> (BigRational, Option<BigRational>) {
    let per = charge.text("per").map_or(BigRational::from_integer(1.into()), exact);
    if charge.text("blocks") == Some("started") {
        quantity = (quantity / &per).ceil() * &per;
    }
    let Some(tiers) = charge.get("tiers") else {
        let amount = exact(charge.text("amount").expect("an amount where there are no tiers"));
        return (quantity / per * amount, None);
    };
    let upper = |step: &Json| step.text("up_to").map(exact);
    let price_of = |step: &Json| exact(step.text("amount").expect("a step has an amount")) / &per;
    if tiers.text("mode") == Some("volume") {
        let step = tiers.list("steps").iter().find(|step| upper(step).is_none_or(|upper| quantity <= upper));
        return (&quantity * price_of(step.expect("the last step has no end")), None);
    }
    let from = counter.clone().unwrap_or_else(zero);
    let to = &from + &quantity;
    let (mut sum, mut lower) = (zero(), zero());
    for step in tiers.list("steps") {
        let upper = upper(step).unwrap_or_else(|| lower.clone().max(to.clone()));
        let part = upper.clone().min(to.clone()) - lower.max(from.clone());
        if part > zero() {
            sum += part * price_of(step);
        }
        lower = upper;
    }
    (sum, counter.map(|_| to))
}

/// Rounds an exact amount to the places and in the direction the price says, in billionths.
fn round(exact: &BigRational, rounding: Option<&Json>) -> Result<i128, &'static str> {
    let places = rounding.and_then(|rounding| rounding.whole("places")).unwrap_or(9) as u32;
    let scaled = exact * BigRational::from_integer(BigInt::from(10).pow(places));
    let (down, rest) = (scaled.floor().to_integer(), &scaled - scaled.floor());
    let half = BigRational::new(1.into(), 2.into());
    let up = match rounding.and_then(|rounding| rounding.text("mode")).unwrap_or("down") {
        "down" => false,
        "up" => rest > zero(),
        "half_up" => rest >= half,
        "half_even" => rest > half || (rest == half && down.bit(0)),
        other => panic!("no rounding {other}"),
    };
    let rounded = (down + i32::from(up)) * BigInt::from(10).pow(9 - places);
    let amount = i128::try_from(rounded).map_err(|_| "out_of_range")?;
    if amount > 10_i128.pow(27) { Err("out_of_range") } else { Ok(amount) }
}

fn exact(text: &str) -> BigRational {
    BigRational::new(amount(text).into(), 1_000_000_000.into())
}

fn zero() -> BigRational {
    BigRational::from_integer(0.into())
}
