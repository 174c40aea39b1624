//! JSON compared by value: one text for all texts that say the same (design, section 1).
//!
//! Keys are sorted, white space is gone, strings are unescaped, and a number is its exact plain decimal: `1`, `1.0` and
//! `1e0` are one.

use std::borrow::Cow;
use std::ops::Range;

/// How deep data may be nested.
const MAX_DEPTH: u32 = 64;
/// How large the exponent of a number may be, either way.
const MAX_EXPONENT: i64 = 400;

/// Why JSON has no canonical text, although its grammar is right.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotCanonical {
    /// One object names a key twice.
    #[error("the key {0:?} stands twice in one object: leave one out")]
    DuplicateKey(String),
    /// Too deep.
    #[error("the data is nested more than 64 deep")]
    TooDeep,
    /// A number's exponent is beyond 400.
    #[error("a number's exponent is beyond 400: write it out, or as text")]
    Exponent,
    /// An escape that is no character.
    #[error("a string holds an escape that is no character")]
    Escape,
    /// Not JSON after all.
    #[error("the data is not JSON")]
    NotJson,
}

/// Appends the canonical text of `json` to `out`.
///
/// # Errors
///
/// If a key stands twice in one object, nesting or an exponent goes beyond its bound, or `json` is not JSON.
pub fn canonical(json: &str, out: &mut Vec<u8>) -> Result<(), NotCanonical> {
    let mut reader = Reader { text: json, at: 0, copied: 0, members: Vec::with_capacity(16) };
    reader.value(out, MAX_DEPTH)?;
    reader.space(out);
    reader.copy(out);
    if reader.at == json.len() { Ok(()) } else { Err(NotCanonical::NotJson) }
}

/// Most text is canonical as it stands: it is copied in long runs, and only what differs is written anew.
struct Reader<'a> {
    text: &'a str,
    at: usize,
    /// What lies before this is in the output; from here to `at` the text is canonical.
    copied: usize,
    /// The members of the objects that are being read, the innermost last: key, and where it stands in the output.
    members: Vec<(Cow<'a, str>, Range<usize>)>,
}

impl<'a> Reader<'a> {
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    /// Appends what was read since the last copy.
    fn copy(&mut self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.text.as_bytes()[self.copied..self.at]);
        self.copied = self.at;
    }

    /// Where what is read next will stand in the output.
    fn place(&self, out: &[u8]) -> usize {
        out.len() + self.at - self.copied
    }

    #[inline]
    fn space(&mut self, out: &mut Vec<u8>) {
        let is_space = |b: u8| matches!(b, b' ' | b'\n' | b'\r' | b'\t');
        if self.peek().is_some_and(is_space) {
            self.copy(out);
            while self.peek().is_some_and(is_space) {
                self.at += 1;
            }
            self.copied = self.at;
        }
    }

    #[inline]
    fn next(&mut self, out: &mut Vec<u8>) -> Option<u8> {
        self.space(out);
        let b = self.peek();
        self.at += usize::from(b.is_some());
        b
    }

    fn value(&mut self, out: &mut Vec<u8>, depth: u32) -> Result<(), NotCanonical> {
        let depth = depth.checked_sub(1).ok_or(NotCanonical::TooDeep)?;
        match self.next(out) {
            Some(b'{') => self.object(out, depth),
            Some(b'[') => self.array(out, depth),
            Some(b'"') => self.string(out).map(|_| ()),
            Some(b't') => self.word("true"),
            Some(b'f') => self.word("false"),
            Some(b'n') => self.word("null"),
            Some(_) => self.number(out),
            None => Err(NotCanonical::NotJson),
        }
    }

    fn word(&mut self, word: &str) -> Result<(), NotCanonical> {
        let start = self.at - 1;
        if !self.text.as_bytes()[start..].starts_with(word.as_bytes()) {
            return Err(NotCanonical::NotJson);
        }
        self.at = start + word.len();
        Ok(())
    }

    /// Reads a string, the first quote of which is read already. One without escapes is canonical.
    fn string(&mut self, out: &mut Vec<u8>) -> Result<Cow<'a, str>, NotCanonical> {
        let bytes = self.text.as_bytes();
        let start = self.at;
        self.at += plain(&bytes[start..]);
        if bytes.get(self.at) == Some(&b'"') {
            self.at += 1;
            return Ok(Cow::Borrowed(&self.text[start..self.at - 1]));
        }
        while *bytes.get(self.at).ok_or(NotCanonical::NotJson)? != b'"' {
            // The character after a backslash ends nothing.
            self.at = (self.at + 2).min(bytes.len());
            self.at += plain(&bytes[self.at..]);
        }
        self.at += 1;
        let quoted = &self.text[start - 1..self.at];
        let text: String = serde_json::from_str(quoted).map_err(|_| NotCanonical::Escape)?;
        out.extend_from_slice(&bytes[self.copied..start - 1]);
        serde_json::to_writer(out, &text).expect("a vector takes all");
        self.copied = self.at;
        Ok(Cow::Owned(text))
    }

    fn array(&mut self, out: &mut Vec<u8>, depth: u32) -> Result<(), NotCanonical> {
        self.space(out);
        if self.peek() == Some(b']') {
            self.at += 1;
            return Ok(());
        }
        loop {
            self.value(out, depth)?;
            match self.next(out) {
                Some(b',') => {}
                Some(b']') => return Ok(()),
                Some(_) | None => return Err(NotCanonical::NotJson),
            }
        }
    }

    /// Takes members as they come while their keys ascend; sorts them once one does not.
    fn object(&mut self, out: &mut Vec<u8>, depth: u32) -> Result<(), NotCanonical> {
        let (start, first) = (self.place(out) - 1, self.members.len());
        let mut sorted = true;
        self.space(out);
        if self.peek() == Some(b'}') {
            self.at += 1;
            return Ok(());
        }
        loop {
            if self.next(out) != Some(b'"') {
                return Err(NotCanonical::NotJson);
            }
            let member = self.place(out) - 1;
            let key = self.string(out)?;
            if self.next(out) != Some(b':') {
                return Err(NotCanonical::NotJson);
            }
            self.value(out, depth)?;
            if let Some((last, _)) = self.members[first..].last() {
                sorted &= *last < key;
            }
            self.members.push((key, member..self.place(out)));
            match self.next(out) {
                Some(b',') => {}
                Some(b'}') => break,
                Some(_) | None => return Err(NotCanonical::NotJson),
            }
        }
        if !sorted {
            self.copy(out);
            reorder(out, start, &mut self.members[first..])?;
        }
        self.members.truncate(first);
        Ok(())
    }

    /// Reads a number, the first byte of which is read already. A whole one is canonical, but for a negative nothing.
    fn number(&mut self, out: &mut Vec<u8>) -> Result<(), NotCanonical> {
        let bytes = self.text.as_bytes();
        let start = self.at - 1;
        let digits = |at: usize| bytes[at..].iter().take_while(|b| b.is_ascii_digit()).count();
        self.at = start + usize::from(bytes[start] == b'-');
        let whole = digits(self.at);
        if whole == 0 {
            return Err(NotCanonical::NotJson);
        }
        self.at += whole;
        let more = |b: u8| matches!(b, b'0'..=b'9' | b'.' | b'e' | b'E' | b'+' | b'-');
        if !self.peek().is_some_and(more) && &bytes[start..self.at] != b"-0" {
            return Ok(());
        }
        while self.peek().is_some_and(more) {
            self.at += 1;
        }
        out.extend_from_slice(&bytes[self.copied..start]);
        self.copied = self.at;
        write_number(&self.text[start..self.at], out)
    }
}

/// How many bytes there are before the first quote or backslash. Eight are looked at at once.
pub(crate) fn plain(bytes: &[u8]) -> usize {
    const ONES: u64 = u64::MAX / 255;
    let (words, rest) = bytes.as_chunks::<8>();
    for (at, word) in words.iter().enumerate() {
        let word = u64::from_le_bytes(*word);
        // A byte of `zero` becomes 0 where `word` has this one, and the subtraction then borrows into its highest bit.
        let has = |b: u8| {
            let zero = word ^ (ONES * u64::from(b));
            zero.wrapping_sub(ONES) & !zero
        };
        let found = (has(b'"') | has(b'\\')) & (ONES << 7);
        if found != 0 {
            return at * 8 + found.trailing_zeros() as usize / 8;
        }
    }
    words.len() * 8 + rest.iter().take_while(|b| !matches!(b, b'"' | b'\\')).count()
}

fn reorder(
    out: &mut Vec<u8>,
    start: usize,
    members: &mut [(Cow<'_, str>, Range<usize>)],
) -> Result<(), NotCanonical> {
    members.sort_unstable_by(|a, b| a.0.cmp(&b.0));
    if let Some(twice) = members.windows(2).find(|w| w[0].0 == w[1].0) {
        return Err(NotCanonical::DuplicateKey(twice[0].0.to_string()));
    }
    let end = out.len();
    out.push(b'{');
    for (i, (_, range)) in members.iter().enumerate() {
        if i > 0 {
            out.push(b',');
        }
        out.extend_from_within(range.clone());
    }
    out.push(b'}');
    out.copy_within(end.., start);
    out.truncate(end);
    Ok(())
}

fn write_number(text: &str, out: &mut Vec<u8>) -> Result<(), NotCanonical> {
    let (negative, unsigned) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest));
    if unsigned.is_empty() || !unsigned.as_bytes()[0].is_ascii_digit() {
        return Err(NotCanonical::NotJson);
    }
    if unsigned.bytes().all(|b| b.is_ascii_digit()) {
        let shown = if unsigned == "0" { unsigned } else { text };
        out.extend_from_slice(shown.as_bytes());
        return Ok(());
    }
    let (mantissa, exponent) = unsigned.split_once(['e', 'E']).unwrap_or((unsigned, "0"));
    let exponent: i64 = exponent.parse().map_err(|_| NotCanonical::Exponent)?;
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = format!("{whole}{fraction}");
    let leading = digits.len() - digits.trim_start_matches('0').len();
    let digits = digits.trim_start_matches('0').trim_end_matches('0');
    if digits.is_empty() {
        out.push(b'0');
        return Ok(());
    }
    if exponent.abs() > MAX_EXPONENT {
        return Err(NotCanonical::Exponent);
    }
    // The value is 0.DIGITS times ten to the power of `point`.
    let point =
        i64::try_from(whole.len()).expect("short") - i64::try_from(leading).expect("short") + exponent;
    let zeros = |n: i64| "0".repeat(usize::try_from(n).expect("positive"));
    let count = i64::try_from(digits.len()).expect("short");
    let plain = if point <= 0 {
        format!("0.{}{digits}", zeros(-point))
    } else if point >= count {
        format!("{digits}{}", zeros(point - count))
    } else {
        let (whole, fraction) = digits.split_at(usize::try_from(point).expect("positive"));
        format!("{whole}.{fraction}")
    };
    if negative {
        out.push(b'-');
    }
    out.extend_from_slice(plain.as_bytes());
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(json: &str, expected: &str) {
        let mut out = Vec::new();
        let text = match canonical(json, &mut out) {
            Ok(()) => String::from_utf8(out).expect("canonical JSON is UTF-8"),
            Err(e) => e.to_string(),
        };
        assert_eq!(text, expected, "{json}");
    }

    #[test]
    fn equal_values_have_one_text() {
        check(r#" { "b" : [1.0, 1e0, 10e-1, -0.0], "a": "\u0041\/" } "#, r#"{"a":"A/","b":[1,1,1,0]}"#);
        check(
            "[0.30000000000000004, 1e-05, 1.50E+2, -12.340, 100]",
            "[0.30000000000000004,0.00001,150,-12.34,100]",
        );
        check("[0, -0, -5, -0e0]", "[0,0,-5,0]");
        check(r#"{"z":{"y":1,"x":{}},"a":[],"b":null}"#, r#"{"a":[],"b":null,"z":{"x":{},"y":1}}"#);
    }

    #[test]
    fn what_has_no_one_value_is_refused() {
        check(r#"{"a":1,"b":2,"a":1}"#, r#"the key "a" stands twice in one object: leave one out"#);
        check(r#"{"a":1,"\u0061":2}"#, r#"the key "a" stands twice in one object: leave one out"#);
        check("1e401", "a number's exponent is beyond 400: write it out, or as text");
        check(r#""\ud800""#, "a string holds an escape that is no character");
        check(&"[".repeat(65), "the data is nested more than 64 deep");
    }

    #[test]
    fn plain_text_ends_at_its_first_quote_or_backslash() {
        for (length, at) in (0..40).flat_map(|length| (0..=length).map(move |at| (length, at))) {
            for end in ["\"", "\\", "\\\"", "\"\\"] {
                let text = format!("{}{end}{}", "#]".repeat(at).split_at(at).0, "\"".repeat(length - at));
                assert_eq!(plain(text.as_bytes()), at, "{text}");
            }
            assert_eq!(plain(&vec![b'x'; length]), length);
        }
    }
}
