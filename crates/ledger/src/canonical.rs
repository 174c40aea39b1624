//! JSON compared by value: one text for all texts that say the same (design, section 1).
//!
//! Keys are sorted, white space is gone, strings are unescaped, and a number is its exact plain decimal: `1`, `1.0` and
//! `1e0` are one.

use std::borrow::Cow;

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
    let mut reader = Reader { text: json, at: 0 };
    reader.value(out, MAX_DEPTH)?;
    reader.space();
    if reader.at == json.len() { Ok(()) } else { Err(NotCanonical::NotJson) }
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
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
                let raw = self.string()?;
                write_string(raw, out)
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

    /// What stands between the quotes, the first of which is read already.
    fn string(&mut self) -> Result<&'a str, NotCanonical> {
        let bytes = self.text.as_bytes();
        let start = self.at;
        while let Some(b) = self.peek() {
            match b {
                b'"' => {
                    self.at += 1;
                    return Ok(&self.text[start..self.at - 1]);
                }
                b'\\' if bytes.get(self.at + 1).is_some() => self.at += 2,
                _ => self.at += 1,
            }
        }
        Err(NotCanonical::NotJson)
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
        let start = out.len();
        let mut members: Vec<(Cow<'a, str>, std::ops::Range<usize>)> = Vec::new();
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
            let raw = self.string()?;
            let key = unescaped(raw)?;
            if self.next()? != b':' {
                return Err(NotCanonical::NotJson);
            }
            let member = out.len();
            write_string(raw, out)?;
            out.push(b':');
            self.value(out, depth)?;
            if let Some((last, _)) = members.last() {
                sorted &= *last < key;
            }
            members.push((key, member..out.len()));
            match self.next()? {
                b',' => out.push(b','),
                b'}' => break,
                _ => return Err(NotCanonical::NotJson),
            }
        }
        out.push(b'}');
        if sorted { Ok(()) } else { reorder(out, start, members) }
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
    mut members: Vec<(Cow<'_, str>, std::ops::Range<usize>)>,
) -> Result<(), NotCanonical> {
    members.sort_unstable_by(|a, b| a.0.cmp(&b.0));
    if let Some(twice) = members.windows(2).find(|w| w[0].0 == w[1].0) {
        return Err(NotCanonical::DuplicateKey(twice[0].0.to_string()));
    }
    let end = out.len();
    out.push(b'{');
    for (i, (_, range)) in members.into_iter().enumerate() {
        if i > 0 {
            out.push(b',');
        }
        out.extend_from_within(range);
    }
    out.push(b'}');
    out.drain(start..end);
    Ok(())
}

fn unescaped(raw: &str) -> Result<Cow<'_, str>, NotCanonical> {
    if !raw.as_bytes().contains(&b'\\') {
        return Ok(Cow::Borrowed(raw));
    }
    serde_json::from_str::<String>(&format!("\"{raw}\"")).map(Cow::Owned).map_err(|_| NotCanonical::Escape)
}

fn write_string(raw: &str, out: &mut Vec<u8>) -> Result<(), NotCanonical> {
    match unescaped(raw)? {
        Cow::Borrowed(plain) => {
            out.push(b'"');
            out.extend_from_slice(plain.as_bytes());
            out.push(b'"');
        }
        Cow::Owned(text) => serde_json::to_writer(out, &text).expect("a vector takes all"),
    }
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
