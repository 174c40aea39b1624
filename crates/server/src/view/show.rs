//! How values are shown to people.

use ledger::Instant;

/// An instant in UTC: a midnight as its date, a whole minute without seconds.
pub(crate) fn when(at: Instant) -> String {
    let text = at.to_string().replacen('T', " ", 1);
    match (text.strip_suffix(" 00:00:00Z"), text.strip_suffix(":00Z")) {
        (Some(date), _) => date.to_owned(),
        (None, Some(minute)) => format!("{minute}Z"),
        (None, None) => text,
    }
}

/// A moment at which something is shown, to the second.
pub(crate) fn moment(at: Instant) -> String {
    const SECOND: i64 = 1_000_000_000;
    when(Instant(at.0 / SECOND * SECOND))
}

/// A count, its digits in groups of three.
pub(crate) fn number(n: u64) -> String {
    let digits = n.to_string();
    let mut shown = String::with_capacity(digits.len() * 4 / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            shown.push(',');
        }
        shown.push(digit);
    }
    shown
}

/// Says that records wait to be folded; nothing where none do.
pub(crate) fn behind(records: u64) -> String {
    match records {
        0 => String::new(),
        1 => "1 record is not folded yet: run `drawdown project`\n".to_owned(),
        n => format!("{} records are not folded yet: run `drawdown project`\n", number(n)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn midnights_are_dates_and_thousands_are_apart() {
        let at = |text| Instant::parse(text).expect("an instant");
        assert_eq!(when(at("2026-01-31T00:00:00Z")), "2026-01-31");
        assert_eq!(when(at("2026-01-31T18:05:00Z")), "2026-01-31 18:05Z");
        assert_eq!(when(at("2026-01-31T00:00:00.5Z")), "2026-01-31 00:00:00.5Z");
        assert_eq!([0, 999, 1_000, 1_234_567].map(number), ["0", "999", "1,000", "1,234,567"]);
    }
}
