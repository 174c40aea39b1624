//! A place where what is stored is not what the log says, for people.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use projector::Divergence;
use serde::Serialize;

/// Longer values are shown around their first difference.
const LONG: usize = 100;

/// A divergence with the record behind it.
#[derive(Debug, Serialize)]
pub(crate) struct Found {
    partition: u32,
    /// The first record that diverges.
    offset: u64,
    /// The table, or `head`.
    table: &'static str,
    /// What the log says.
    expected: String,
    /// What is stored.
    found: String,
    /// The record, its bytes as they are in the log.
    record: Option<String>,
    /// The record in base64, where it is no UTF-8.
    #[serde(skip_serializing_if = "Option::is_none")]
    record_base64: Option<String>,
}

impl Found {
    pub(crate) fn new(divergence: &Divergence, record: Option<&[u8]>) -> Self {
        let text = record.and_then(|record| std::str::from_utf8(record).ok());
        Self {
            partition: divergence.at.partition.0,
            offset: divergence.at.offset.0,
            table: divergence.table,
            expected: divergence.expected.clone(),
            found: divergence.found.clone(),
            record: text.map(str::to_owned),
            record_base64: record.filter(|_| text.is_none()).map(|record| STANDARD.encode(record)),
        }
    }
}

impl fmt::Display for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { partition, offset, table, .. } = self;
        if *table == "head" {
            writeln!(
                f,
                "partition {partition} diverges somewhere up to the record at {partition}:{offset}: its head does"
            )?;
        } else {
            writeln!(f, "the first record that diverges is {partition}:{offset}: the table `{table}` does")?;
        }
        let (expected, found) = (fields(&self.expected), fields(&self.found));
        let names = expected.iter().chain(&found).map(|(name, _)| *name);
        let mut seen: Vec<&str> = Vec::new();
        for name in names {
            if !seen.contains(&name) {
                seen.push(name);
            }
        }
        let value = |fields: &[(&str, &str)], name| {
            fields.iter().find(|(n, _)| *n == name).map_or_else(|| "no row".to_owned(), |(_, v)| shown(v))
        };
        for name in seen {
            let (log, stored) = (value(&expected, name), value(&found, name));
            if log != stored {
                let (log, stored) = around(&log, &stored);
                writeln!(f, "  {name}\n    the log says  {log}\n    stored is     {stored}")?;
            }
        }
        match self.record.as_ref().or(self.record_base64.as_ref()) {
            Some(record) => writeln!(f, "  the record\n    {record}"),
            None => Ok(()),
        }
    }
}

/// The fields of a row as `Debug` prints it, with their values.
fn fields(row: &str) -> Vec<(&str, &str)> {
    let Some((_, inner)) = row.strip_suffix(" }").and_then(|row| row.split_once(" { ")) else {
        return Vec::new();
    };
    let (mut depth, mut quoted, mut escaped, mut start) = (0u32, false, false, 0);
    let mut parts = Vec::new();
    for (at, c) in inner.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            _ if quoted => {}
            '{' | '[' | '(' => depth += 1,
            '}' | ']' | ')' => depth -= 1,
            ',' if depth == 0 => {
                parts.push(&inner[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.push(&inner[start..]);
    parts.into_iter().filter_map(|part| part.trim().split_once(": ")).collect()
}

/// A value: bytes in hexadecimal.
fn shown(value: &str) -> String {
    let bytes = || {
        let inner = value.strip_prefix('[')?.strip_suffix(']')?;
        inner.split(", ").map(|byte| byte.parse::<u8>().ok()).collect::<Option<Vec<u8>>>()
    };
    match bytes() {
        Some(bytes) => bytes.iter().map(|byte| format!("{byte:02x}")).collect(),
        None => value.to_owned(),
    }
}

/// Of two long texts, what lies around their first difference.
fn around(a: &str, b: &str) -> (String, String) {
    if a.chars().count() <= LONG && b.chars().count() <= LONG {
        return (a.to_owned(), b.to_owned());
    }
    let same = a.chars().zip(b.chars()).take_while(|(x, y)| x == y).count();
    let skip = same.saturating_sub(LONG / 3);
    let cut = |text: &str| {
        let before = if skip > 0 { "…" } else { "" };
        let shown: String = text.chars().skip(skip).take(LONG).collect();
        let after = if text.chars().count() > skip + LONG { "…" } else { "" };
        format!("{before}{shown}{after}")
    };
    (cut(a), cut(b))
}

#[cfg(test)]
mod tests {
    use ledger::{Offset, Partition, Position};

    use super::*;

    #[test]
    fn only_what_differs_is_shown() {
        let row = |amount: &str, key: &str| {
            format!(
                r#"EntryRow {{ offset: Offset(5), lot: Some("a, \"b\""), amount: "{amount}", key: {key} }}"#
            )
        };
        let divergence = Divergence {
            at: Position { partition: Partition(1), offset: Offset(5) },
            table: "entry",
            expected: row("12", "[1, 255]"),
            found: row("13", "[1, 254]"),
        };
        let text = Found::new(&divergence, Some(b"{}")).to_string();
        let expected = "\
the first record that diverges is 1:5: the table `entry` does
  amount
    the log says  \"12\"
    stored is     \"13\"
  key
    the log says  01ff
    stored is     01fe
  the record
    {}
";
        assert_eq!(text, expected);
        let long = format!("{}x{}", "a".repeat(200), "b".repeat(200));
        let (left, right) = around(&long, &"a".repeat(300));
        assert!(
            left.starts_with('…') && left.contains("aaxbb") && right.chars().count() == LONG + 2,
            "{left} {right}"
        );
    }
}
