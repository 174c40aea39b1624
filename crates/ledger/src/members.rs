//! A JSON object split into its members, without reading what is in them.

use crate::canonical::plain;
use crate::text::Text;

/// The members of `json`, if it is an object: names, and the text of their values. It is known to be JSON.
pub(crate) fn members(json: &str) -> Option<Vec<(Text<'_>, &str)>> {
    let mut reader = Reader { bytes: json.as_bytes(), at: 0 };
    if reader.next()? != b'{' {
        return None;
    }
    let mut members = Vec::with_capacity(8);
    loop {
        match reader.next()? {
            b'"' => {}
            b',' => continue,
            _ => return Some(members),
        }
        let start = reader.at - 1;
        reader.string()?;
        let name = string(&json[start..reader.at])?;
        if reader.next()? != b':' {
            return None;
        }
        let first = reader.next()?;
        let start = reader.at - 1;
        reader.value(first)?;
        members.push((name, &json[start..reader.at]));
    }
}

/// The text of a JSON string: as it stands, where nothing in it is escaped.
pub(crate) fn string(json: &str) -> Option<Text<'_>> {
    let inner = &json[1..json.len() - 1];
    if plain(inner.as_bytes()) == inner.len() { Some(inner.into()) } else { serde_json::from_str(json).ok() }
}

struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Reader<'_> {
    /// The next byte that is no white space.
    fn next(&mut self) -> Option<u8> {
        loop {
            let b = *self.bytes.get(self.at)?;
            self.at += 1;
            if !matches!(b, b' ' | b'\n' | b'\r' | b'\t') {
                return Some(b);
            }
        }
    }

    /// Reads to the end of a string, the first quote of which is read.
    fn string(&mut self) -> Option<()> {
        loop {
            self.at += plain(self.bytes.get(self.at..)?);
            match self.bytes.get(self.at)? {
                b'"' => break,
                _ => self.at += 2,
            }
        }
        self.at += 1;
        Some(())
    }

    /// Reads to the end of a value, the first byte of which is read.
    fn value(&mut self, first: u8) -> Option<()> {
        match first {
            b'"' => self.string(),
            b'{' | b'[' => self.nested(),
            _ => {
                let more = |b: &&u8| !matches!(b, b',' | b'}' | b']' | b' ' | b'\n' | b'\r' | b'\t');
                self.at += self.bytes[self.at..].iter().take_while(more).count();
                Some(())
            }
        }
    }

    fn nested(&mut self) -> Option<()> {
        let mut depth = 1;
        while depth > 0 {
            match self.next()? {
                b'"' => self.string()?,
                b'{' | b'[' => depth += 1,
                b'}' | b']' => depth -= 1,
                _ => {}
            }
        }
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(json: &str, expected: &[(&str, &str)]) {
        let found = members(json).expect("an object");
        let found: Vec<(&str, &str)> = found.iter().map(|(name, value)| (&**name, *value)).collect();
        assert_eq!(found, expected, "{json}");
    }

    #[test]
    fn an_object_is_split_where_its_members_end() {
        check("{}", &[]);
        check(r#"{"a":1,"b":"x","c":null}"#, &[("a", "1"), ("b", r#""x""#), ("c", "null")]);
        check(" { \"a\" : 1.5e3 ,\n\t\"b\" : true } ", &[("a", "1.5e3"), ("b", "true")]);
        check(
            r#"{"a":{"b":[1,{"c":"}]"}]},"d":[ "\"]" ] }"#,
            &[("a", r#"{"b":[1,{"c":"}]"}]}"#), ("d", r#"[ "\"]" ]"#)],
        );
        check(r#"{"a":"x, y}","b":"[1","c":1}"#, &[("a", r#""x, y}""#), ("b", r#""[1""#), ("c", "1")]);
        check(r#"{"\u0061\"":"\\","é":"ü"}"#, &[("a\"", r#""\\""#), ("é", r#""ü""#)]);
    }

    #[test]
    fn what_is_no_object_has_no_members() {
        for json in ["[]", "1", "\"{\"", "null", "true"] {
            assert!(members(json).is_none(), "{json}");
        }
    }
}
