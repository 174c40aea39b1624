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
    let mut reader = Reader { text: json, at: 0, members: Vec::new() };
    reader.value(out, MAX_DEPTH)?;
    reader.space();
    if reader.at == json.len() { Ok(()) } else { Err(NotCanonical::NotJson) }
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
    /// The members of the objects that are being read, the innermost last: key, and where it stands in the output.
    members: Vec<(Cow<'a, str>, Range<usize>)>,
}

/// What stands between the quotes of a string.
#[derive(Clone, Copy)]
struct Raw<'a> {
    text: &'a str,
    is_escaped: bool,
}

impl<'a> Reader<'a> {
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn space(&mut self) {
        while self.peek().is_some_and(|b| matches!(b, b' ' | b'\n' | b'\r' | b'\t')) {
            self.at += 1;
        }
    }

    fn next(&mut self) -> Result<u8, NotCanonical> {
        self.space();
        let b = self.peek().ok_or(NotCanonical::NotJson)?;
        self.at += 1;
        Ok(b)
    }

    fn value(&mut self, out: &mut Vec<u8>, depth: u32) -> Result<(), NotCanonical> {
        let depth = depth.checked_sub(1).ok_or(NotCanonical::TooDeep)?;
        match self.next()? {
            b'{' => self.object(out, depth),
            b'[' => self.array(out, depth),
            b'"' => {
                let text = self.string()?.unescaped()?;
                write_string(&text, out);
                Ok(())
            }
            b't' => self.word("true", out),
            b'f' => self.word("false", out),
            b'n' => self.word("null", out),
            _ => self.number(out),
        }
    }

    fn word(&mut self, word: &str, out: &mut Vec<u8>) -> Result<(), NotCanonical> {
        let start = self.at - 1;
        if !self.text[start..].starts_with(word) {
            return Err(NotCanonical::NotJson);
        }
        self.at = start + word.len();
        out.extend_from_slice(word.as_bytes());
        Ok(())
    }

    /// Reads on to the end of a string, the first quote of which is read already.
    fn string(&mut self) -> Result<Raw<'a>, NotCanonical> {
        let bytes = self.text.as_bytes();
        let (start, mut is_escaped) = (self.at, false);
        loop {
            match bytes.get(self.at) {
                Some(b'"') => break,
                Some(b'\\') => {
                    is_escaped = true;
                    self.at += 2;
                }
                Some(_) => self.at += 1,
                None => return Err(NotCanonical::NotJson),
            }
        }
        let text = &self.text[start..self.at];
        self.at += 1;
        Ok(Raw { text, is_escaped })
    }

    fn array(&mut self, out: &mut Vec<u8>, depth: u32) -> Result<(), NotCanonical> {
        out.push(b'[');
        self.space();
        if self.peek() == Some(b']') {
            self.at += 1;
            out.push(b']');
            return Ok(());
        }
        loop {
            self.value(out, depth)?;
            let b = self.next()?;
            out.push(b);
            match b {
                b',' => {}
                b']' => return Ok(()),
                _ => return Err(NotCanonical::NotJson),
            }
        }
    }

    /// Writes members as they come while their keys ascend; sorts them once one does not.
    fn object(&mut self, out: &mut Vec<u8>, depth: u32) -> Result<(), NotCanonical> {
        let (start, first) = (out.len(), self.members.len());
        let mut sorted = true;
        out.push(b'{');
        self.space();
        if self.peek() == Some(b'}') {
            self.at += 1;
            out.push(b'}');
            return Ok(());
        }
        loop {
            if self.next()? != b'"' {
                return Err(NotCanonical::NotJson);
            }
            let key = self.string()?.unescaped()?;
            if self.next()? != b':' {
                return Err(NotCanonical::NotJson);
            }
            let member = out.len();
            write_string(&key, out);
            out.push(b':');
            self.value(out, depth)?;
            if let Some((last, _)) = self.members[first..].last() {
                sorted &= *last < key;
            }
            self.members.push((key, member..out.len()));
            match self.next()? {
                b',' => out.push(b','),
                b'}' => break,
                _ => return Err(NotCanonical::NotJson),
            }
        }
        out.push(b'}');
        if !sorted {
            reorder(out, start, &mut self.members[first..])?;
        }
        self.members.truncate(first);
        Ok(())
    }

    fn number(&mut self, out: &mut Vec<u8>) -> Result<(), NotCanonical> {
        let start = self.at - 1;
        while self.peek().is_some_and(|b| matches!(b, b'0'..=b'9' | b'.' | b'e' | b'E' | b'+' | b'-')) {
            self.at += 1;
        }
        write_number(&self.text[start..self.at], out)
    }
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

impl<'a> Raw<'a> {
    fn unescaped(self) -> Result<Cow<'a, str>, NotCanonical> {
        if !self.is_escaped {
            return Ok(Cow::Borrowed(self.text));
        }
        let quoted = format!("\"{}\"", self.text);
        serde_json::from_str::<String>(&quoted).map(Cow::Owned).map_err(|_| NotCanonical::Escape)
    }
}

/// Text that was not escaped needs no escape now either.
#[expect(clippy::ptr_arg, reason = "borrowed tells that it was not escaped")]
fn write_string(text: &Cow<'_, str>, out: &mut Vec<u8>) {
    match text {
        Cow::Borrowed(plain) => {
            out.push(b'"');
            out.extend_from_slice(plain.as_bytes());
            out.push(b'"');
        }
        Cow::Owned(text) => serde_json::to_writer(out, text).expect("a vector takes all"),
    }
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
}
