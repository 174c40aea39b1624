//! Writes the envelope, key by key in the order of `schemas/envelope.json`.

use ledger::Instant;

use crate::refusal::Refusal;

/// Most bytes of an id, a wallet, a subject, an event's type.
pub(crate) const NAME: usize = 256;
/// Most bytes of a source, a reason.
pub(crate) const LONG: usize = 1024;

/// Everything in an envelope but its data.
pub(crate) struct Head<'a> {
    pub(crate) id: &'a str,
    pub(crate) source: &'a str,
    pub(crate) kind: &'static str,
    pub(crate) wallet: Option<&'a str>,
    pub(crate) subject: Option<&'a str>,
    pub(crate) time: Option<Instant>,
    pub(crate) recorded_at: Instant,
    pub(crate) by: &'a str,
    pub(crate) reason: Option<&'a str>,
    pub(crate) trace: Option<&'a str>,
    /// The oldest version of records that can say what the data says.
    pub(crate) v: u32,
}

impl<'a> Head<'a> {
    pub(crate) fn new(
        id: &'a str,
        source: &'a str,
        kind: &'static str,
        recorded_at: Instant,
        by: &'a str,
    ) -> Self {
        let (wallet, subject, time, reason, trace) = (None, None, None, None, None);
        Self { id, source, kind, wallet, subject, time, recorded_at, by, reason, trace, v: 1 }
    }

    /// Writes all up to the data, which the caller appends, and then [`END`].
    pub(crate) fn write(&self, out: &mut String) {
        out.push_str("{\"v\":");
        out.push(char::from_digit(self.v, 10).expect("there are fewer than ten versions"));
        text(r#","id":"#, Some(self.id), out);
        text(r#","source":"#, Some(self.source), out);
        text(r#","type":"#, Some(self.kind), out);
        text(r#","wallet":"#, self.wallet, out);
        text(r#","subject":"#, self.subject, out);
        if let Some(time) = self.time {
            moment(r#","time":""#, time, out);
        }
        moment(r#","recorded_at":""#, self.recorded_at, out);
        text(r#","by":"#, Some(self.by), out);
        text(r#","reason":"#, self.reason, out);
        text(r#","trace":"#, self.trace, out);
        out.push_str(",\"data\":");
    }
}

/// Closes what [`Head::write`] opened.
pub(crate) const END: char = '}';

fn text(key: &str, value: Option<&str>, out: &mut String) {
    if let Some(value) = value {
        out.push_str(key);
        quoted(value, out);
    }
}

fn moment(key: &str, at: Instant, out: &mut String) {
    out.push_str(key);
    instant(at, out);
    out.push('"');
}

/// Appends `text` as a JSON string.
pub(crate) fn quoted(text: &str, out: &mut String) {
    if any(text, |b| b < b' ' || b == b'"' || b == b'\\') {
        out.push_str(&serde_json::to_string(text).expect("text is JSON"));
    } else {
        out.push('"');
        out.push_str(text);
        out.push('"');
    }
}

/// Whether any byte is such. Looking at all of them is several at once, which stopping at the first is not.
fn any(text: &str, such: impl Fn(u8) -> bool) -> bool {
    text.bytes().fold(false, |found, b| found | such(b))
}

/// Appends an instant just as its `Display` does, several times as fast: every event has two.
pub(crate) fn instant(at: Instant, out: &mut String) {
    const SECOND: i64 = 1_000_000_000;
    let (seconds, nanos) = (at.0.div_euclid(SECOND), at.0.rem_euclid(SECOND));
    let (days, second) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
    let (year, month, day) = date(days);
    let mut shown = *b"0000-00-00T00:00:00.000000000Z";
    digits(&mut shown[0..4], year);
    digits(&mut shown[5..7], month);
    digits(&mut shown[8..10], day);
    digits(&mut shown[11..13], second / 3600);
    digits(&mut shown[14..16], second / 60 % 60);
    digits(&mut shown[17..19], second % 60);
    let mut end = 19;
    if nanos != 0 {
        digits(&mut shown[20..29], nanos);
        end = 29 - shown[20..29].iter().rev().take_while(|d| **d == b'0').count();
    }
    shown[end] = b'Z';
    out.push_str(std::str::from_utf8(&shown[..=end]).expect("digits are text"));
}

fn digits(place: &mut [u8], number: i64) {
    let mut number = u32::try_from(number).expect("at most nine digits");
    for digit in place.iter_mut().rev() {
        *digit = b'0' + u8::try_from(number % 10).expect("one digit");
        number /= 10;
    }
}

/// Year, month and day of so many days after 1970-01-01, in years that begin in March, so that the leap day is the last.
fn date(days: i64) -> (i64, i64, i64) {
    let since_march_0000 = days + 719_468;
    let (era, day) = (since_march_0000.div_euclid(146_097), since_march_0000.rem_euclid(146_097));
    let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let of_year = day - (365 * year + year / 4 - year / 100);
    let march_based = (5 * of_year + 2) / 153;
    let of_month = of_year - (153 * march_based + 2) / 5 + 1;
    let month = if march_based < 10 { march_based + 3 } else { march_based - 9 };
    (era * 400 + year + i64::from(month <= 2), month, of_month)
}

/// Checks a name that a record carries: not empty, not too long, no control characters.
pub(crate) fn name(attribute: &'static str, text: &str, most: usize) -> Result<(), Refusal> {
    sized(attribute, text, most)?;
    if any(text, |b| !(b' '..0x7f).contains(&b)) && text.chars().any(char::is_control) {
        return Err(Refusal::ControlCharacter { attribute });
    }
    Ok(())
}

/// Checks text that people wrote: not empty, not too long.
pub(crate) fn sized(attribute: &'static str, text: &str, most: usize) -> Result<(), Refusal> {
    if text.is_empty() {
        return Err(Refusal::Empty { attribute });
    }
    if text.len() > most {
        return Err(Refusal::TooLong { attribute, bytes: text.len(), most });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(nanos: i64) {
        let mut shown = String::new();
        instant(Instant(nanos), &mut shown);
        assert_eq!(shown, Instant(nanos).to_string());
    }

    #[test]
    fn instants_on_the_edges_of_the_calendar() {
        for day in
            ["1970-01-01", "1972-02-29", "2000-02-29", "2000-03-01", "2100-02-28", "2100-03-01", "2261-12-31"]
        {
            for time in ["00:00:00", "23:59:59.999999999", "12:00:00.5", "00:00:00.000000001"] {
                let text = format!("{day}T{time}Z");
                let at = Instant::parse(&text).expect("an instant");
                let mut shown = String::new();
                instant(at, &mut shown);
                assert_eq!(shown, text);
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(20_000))]
        #[test]
        fn an_instant_is_written_as_it_is_shown(nanos in 0..=Instant::MAX.0, places in 0u32..=9) {
            let unit = 10i64.pow(places);
            check(nanos / unit * unit);
        }
    }
}
