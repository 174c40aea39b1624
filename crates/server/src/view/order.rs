//! Why a lot stands where it does in the order of burning.

use ledger::{Because, Instant, Lot, burn_order};

use crate::view::when;

/// A lot's place in the order of burning of its unit.
pub(crate) struct Place {
    /// Counted from 1 among the open lots that have something left; none for the others.
    pub(crate) burns: Option<u32>,
    /// Why, in words.
    pub(crate) why: String,
}

/// The places of lots of one unit, which come in the order of burning.
pub(crate) fn places(lots: &[&Lot], now: Instant) -> Vec<Place> {
    let burns = |lot: &&&Lot| lot.holds(now) && !lot.remaining.is_zero();
    let order: Vec<&Lot> = lots.iter().filter(burns).copied().collect();
    lots.iter().map(|lot| place(lot, &order, now)).collect()
}

fn place(lot: &Lot, order: &[&Lot], now: Instant) -> Place {
    let Some(at) = order.iter().position(|other| other.id == lot.id) else {
        return Place { burns: None, why: not_burning(lot, now) };
    };
    let why = match (at.checked_sub(1), order.get(at + 1)) {
        (Some(before), _) => behind(burn_order(order[before], lot).1, order[before], lot),
        (None, Some(next)) => ahead(burn_order(lot, next).1, next),
        (None, None) => "nothing else is open".to_owned(),
    };
    Place { burns: u32::try_from(at + 1).ok(), why }
}

fn not_burning(lot: &Lot, now: Instant) -> String {
    let has_ended = lot.ends_at.is_some_and(|end| end <= now);
    if let Some(since) = lot.void_since().filter(|since| *since <= now) {
        return format!("void since {}", when(since));
    }
    match lot.pays_until().filter(|until| has_ended && now < *until) {
        Some(until) => format!("ended, still pays late usage until {}", when(until)),
        None if has_ended => "ended".to_owned(),
        None if lot.starts_at > now => "not yet open".to_owned(),
        None => "nothing left".to_owned(),
    }
}

fn ahead(because: Because, next: &Lot) -> String {
    let id = &next.id;
    match because {
        Because::Priority | Because::Expiry | Because::Cost | Because::Scope | Because::Issue => {
            format!("{} than {id}", because.words())
        }
        Because::Rollover => format!("{}, {id} can", because.words()),
    }
}

/// Why a lot comes after the one before it.
pub(crate) fn behind(because: Because, before: &Lot, lot: &Lot) -> String {
    let id = &before.id;
    match because {
        Because::Priority => format!("higher priority number than {id}"),
        Because::Expiry if lot.ends_at.is_none() => format!("never ends, {id} does"),
        Because::Expiry => format!("ends later than {id}"),
        Because::Rollover => format!("can be carried over, {id} cannot"),
        Because::Cost => format!("cost more than {id}"),
        Because::Scope => format!("may pay for more than {id}"),
        Because::Issue => format!("issued later than {id}"),
    }
}

/// A number of place: `1st`, `2nd`, `11th`.
pub(crate) fn nth(n: u32) -> String {
    let suffix = match (n % 10, n % 100) {
        (_, 11..=13) => "th",
        (1, _) => "st",
        (2, _) => "nd",
        (3, _) => "rd",
        _ => "th",
    };
    format!("{n}{suffix}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_numbered_as_people_do() {
        assert_eq!(
            [1, 2, 3, 4, 11, 12, 13, 21, 102, 111].map(nth).join(" "),
            "1st 2nd 3rd 4th 11th 12th 13th 21st 102nd 111th"
        );
    }
}
