//! Dates of the Gregorian calendar as days since 1970, without a library: every record has two, and every document a dozen.
//!
//! Counted in years that begin in March, the leap day is a year's last.

use crate::time::Instant;

/// Days from the first of March of the year -400 to 1970.
const EPOCH: i64 = 865_565;
/// Days of 400 years.
const ERA: i64 = 146_097;
const SECOND: i64 = 1_000_000_000;

/// The days from 1970 to a date, if there is such a date.
pub(crate) fn days(year: u32, month: u32, day: u32) -> Option<i64> {
    let is_leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    let longest = match month {
        2 => 28 + u32::from(is_leap),
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => return None,
    };
    if day == 0 || day > longest {
        return None;
    }
    let (year, month) = if month > 2 { (year + 400, month - 3) } else { (year + 399, month + 9) };
    let of_year = (153 * month + 2) / 5 + day - 1;
    Some(i64::from(365 * year + year / 4 - year / 100 + year / 400 + of_year) - EPOCH)
}

/// Year, month and day of so many days after 1970.
fn date(days: i64) -> (i64, i64, i64) {
    let (era, day) = ((days + EPOCH).div_euclid(ERA), (days + EPOCH).rem_euclid(ERA));
    let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let of_year = day - (365 * year + year / 4 - year / 100);
    let since_march = (5 * of_year + 2) / 153;
    let of_month = of_year - (153 * since_march + 2) / 5 + 1;
    let month = if since_march < 10 { since_march + 3 } else { since_march - 9 };
    (era * 400 + year - 400 + i64::from(month <= 2), month, of_month)
}

/// An instant as text, in RFC 3339.
pub(crate) struct Shown {
    text: [u8; 30],
    length: usize,
}

impl Shown {
    pub(crate) fn of(at: Instant) -> Self {
        let (seconds, nanos) = (at.0.div_euclid(SECOND), at.0.rem_euclid(SECOND));
        let (day, second) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
        let (year, month, day) = date(day);
        let mut text = *b"0000-00-00T00:00:00.000000000Z";
        digits(&mut text[0..4], year);
        digits(&mut text[5..7], month);
        digits(&mut text[8..10], day);
        digits(&mut text[11..13], second / 3600);
        digits(&mut text[14..16], second / 60 % 60);
        digits(&mut text[17..19], second % 60);
        let mut end = 19;
        if nanos != 0 {
            digits(&mut text[20..29], nanos);
            end = 29 - text[20..29].iter().rev().take_while(|digit| **digit == b'0').count();
        }
        text[end] = b'Z';
        Self { text, length: end + 1 }
    }

    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.text[..self.length]).expect("digits are text")
    }
}

fn digits(place: &mut [u8], number: i64) {
    let mut number = u32::try_from(number).expect("at most nine digits");
    for digit in place.iter_mut().rev() {
        *digit = b'0' + u8::try_from(number % 10).expect("one digit");
        number /= 10;
    }
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, Datelike, NaiveDate};

    use super::*;

    #[test]
    fn every_day_is_where_the_calendar_has_it() {
        for year in 0..=9999u32 {
            for (month, day) in (0..=13).flat_map(|month| (0..=32).map(move |day| (month, day))) {
                let found = NaiveDate::from_ymd_opt(year.cast_signed(), month, day);
                let expected = found.map(|d| d.signed_duration_since(NaiveDate::default()).num_days());
                assert_eq!(days(year, month, day), expected, "{year}-{month}-{day}");
                if let Some(days) = expected {
                    assert_eq!(date(days), (year.into(), month.into(), day.into()), "{days}");
                }
            }
        }
    }

    #[test]
    fn an_instant_is_shown_as_it_always_was() {
        let check = |nanos: i64| {
            let at = DateTime::from_timestamp_nanos(nanos);
            let mut expected = at.format("%Y-%m-%dT%H:%M:%S").to_string();
            if nanos.rem_euclid(SECOND) != 0 {
                let places = format!(".{:09}", nanos.rem_euclid(SECOND));
                expected.push_str(places.trim_end_matches('0'));
            }
            assert_eq!(Shown::of(Instant(nanos)).text(), expected + "Z", "{nanos} in {}", at.year());
        };
        for exact in [i64::MIN, -1, 0, 1, SECOND - 1, SECOND, Instant::MAX.0, i64::MAX] {
            check(exact);
        }
        for step in -50_000..=50_000i64 {
            let nanos = step * (i64::MAX / 50_000);
            check(nanos);
            check(nanos / SECOND * SECOND);
            check(nanos / 1_000_000 * 1_000_000);
        }
    }
}
