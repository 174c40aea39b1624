//! Values as Postgres takes them in binary: the same bytes, whether rows are copied or come as arrays of
//! columns.

use sqlx::encode::IsNull;
use sqlx::error::BoxDynError;
use sqlx::postgres::types::Oid;
use sqlx::postgres::{PgArgumentBuffer, PgTypeInfo};
use sqlx::{Encode, Postgres, Type};

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Bool,
    Int2,
    Int4,
    Int8,
    Text,
    Bytes,
    Numeric,
}

impl Kind {
    /// Its name in a cast.
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Bool => "bool",
            Self::Int2 => "int2",
            Self::Int4 => "int4",
            Self::Int8 => "int8",
            Self::Text => "text",
            Self::Bytes => "bytea",
            Self::Numeric => "numeric",
        }
    }

    /// The numbers of the type and of its arrays, the same in every Postgres.
    fn oids(self) -> (u32, u32) {
        match self {
            Self::Bool => (16, 1000),
            Self::Int2 => (21, 1005),
            Self::Int4 => (23, 1007),
            Self::Int8 => (20, 1016),
            Self::Text => (25, 1009),
            Self::Bytes => (17, 1001),
            Self::Numeric => (1700, 1231),
        }
    }
}

/// Values one after another, each behind its length.
#[derive(Debug, Default)]
pub(super) struct Cells(Vec<u8>);

impl Cells {
    pub(super) fn bytes(&self) -> &[u8] {
        &self.0
    }

    /// Bytes as they are, without a length: what a protocol wants between values.
    pub(super) fn raw(&mut self, bytes: &[u8]) {
        self.0.extend_from_slice(bytes);
    }

    pub(super) fn value(&mut self, bytes: &[u8]) {
        self.0.extend_from_slice(&(bytes.len() as i32).to_be_bytes());
        self.0.extend_from_slice(bytes);
    }

    pub(super) fn null(&mut self) {
        self.0.extend_from_slice(&(-1_i32).to_be_bytes());
    }

    pub(super) fn text(&mut self, text: &str) {
        match is_escaped(text) {
            false => self.value(text.as_bytes()),
            true => self.value(escape(text).as_bytes()),
        }
    }

    /// A decimal such as `12.50`, with the places it is given; false, and nothing is added, if it is none.
    pub(super) fn numeric(&mut self, text: &str) -> bool {
        let (sign, digits) = text.strip_prefix('-').map_or((0_u16, text), |digits| (0x4000, digits));
        let (whole, places) = digits.split_once('.').unwrap_or((digits, ""));
        let is_digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
        if whole.is_empty() || digits.ends_with('.') || !is_digits(whole) || !is_digits(places) {
            return false;
        }
        let start = self.0.len();
        self.0.extend_from_slice(&[0; 12]);
        let whole = whole.trim_start_matches('0').as_bytes();
        let mut weight = whole.len().div_ceil(GROUP) as i16 - 1;
        let (first, rest) = whole.split_at(whole.len() % GROUP);
        if !first.is_empty() {
            self.group(first, GROUP);
        }
        rest.chunks(GROUP).for_each(|group| self.group(group, GROUP));
        for group in places.as_bytes().chunks(GROUP) {
            // A fraction's last group is filled up with zeros on its right.
            let nothing_yet = self.0.len() == start + 12;
            self.group(group, group.len());
            if nothing_yet && self.0.ends_with(&[0, 0]) {
                self.0.truncate(start + 12);
                weight -= 1;
            }
        }
        while self.0.len() > start + 12 && self.0.ends_with(&[0, 0]) {
            self.0.truncate(self.0.len() - 2);
        }
        let groups = (self.0.len() - start - 12) / 2;
        let (weight, sign) = if groups == 0 { (0, 0) } else { (weight, sign) };
        let length = (self.0.len() - start - 4) as i32;
        let header = &mut self.0[start..start + 12];
        header[..4].copy_from_slice(&length.to_be_bytes());
        header[4..6].copy_from_slice(&(groups as u16).to_be_bytes());
        header[6..8].copy_from_slice(&weight.to_be_bytes());
        header[8..10].copy_from_slice(&sign.to_be_bytes());
        header[10..12].copy_from_slice(&(places.len() as u16).to_be_bytes());
        true
    }

    /// A digit in base 10000, of up to four decimal digits of which the first stands in place `of`.
    fn group(&mut self, digits: &[u8], of: usize) {
        let value = digits.iter().fold(0_u16, |value, digit| value * 10 + u16::from(digit - b'0'));
        let missing = if of == GROUP { 0 } else { GROUP - of };
        self.0.extend_from_slice(&(value * 10_u16.pow(missing as u32)).to_be_bytes());
    }
}

/// Decimal digits in one of Postgres's.
const GROUP: usize = 4;

/// A character that no text has, before one that stands for U+0000, which Postgres cannot hold, or for
/// itself.
const ESCAPE: char = '\u{FDD0}';

/// Whether a text has a character to escape. Hardly any has a byte that one could begin with.
fn is_escaped(text: &str) -> bool {
    text.bytes().fold(false, |found, byte| found | (byte == 0) | (byte == ESCAPE_FIRST))
        && text.contains(['\0', ESCAPE])
}

/// The byte that [`ESCAPE`] begins with.
const ESCAPE_FIRST: u8 = 0xEF;

/// A text as it is stored.
pub(super) fn escape(text: &str) -> String {
    text.replace(ESCAPE, "\u{FDD0}1").replace('\0', "\u{FDD0}0")
}

/// A text as it was before it was stored.
pub(super) fn unescape(text: &str) -> String {
    if !text.contains(ESCAPE) {
        return text.to_owned();
    }
    text.replace("\u{FDD0}0", "\0").replace("\u{FDD0}1", "\u{FDD0}")
}

/// One column of many rows, as one array.
pub(super) struct Array {
    kind: Kind,
    count: usize,
    cells: Cells,
}

impl Array {
    pub(super) fn new(kind: Kind, count: usize, cells: Cells) -> Self {
        Self { kind, count, cells }
    }
}

impl Type<Postgres> for Array {
    fn type_info() -> PgTypeInfo {
        PgTypeInfo::with_oid(Oid(Kind::Text.oids().1))
    }

    fn compatible(_: &PgTypeInfo) -> bool {
        true
    }
}

impl Encode<'_, Postgres> for Array {
    fn encode_by_ref(&self, buffer: &mut PgArgumentBuffer) -> Result<IsNull, BoxDynError> {
        // One dimension, whose first element has the number 1.
        for part in [1, 1, self.kind.oids().0, u32::try_from(self.count)?, 1] {
            buffer.extend_from_slice(&part.to_be_bytes());
        }
        buffer.extend_from_slice(self.cells.bytes());
        Ok(IsNull::No)
    }

    fn produces(&self) -> Option<PgTypeInfo> {
        Some(PgTypeInfo::with_oid(Oid(self.kind.oids().1)))
    }

    fn size_hint(&self) -> usize {
        20 + self.cells.bytes().len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numeric(text: &str) -> Option<(i16, u16, u16, Vec<u16>)> {
        let mut cells = Cells::default();
        if !cells.numeric(text) {
            assert!(cells.bytes().is_empty());
            return None;
        }
        let (length, value) = cells.bytes().split_at(4);
        assert_eq!(u32::from_be_bytes(length.try_into().unwrap()) as usize, value.len());
        let parts: Vec<u16> = value.chunks(2).map(|two| u16::from_be_bytes([two[0], two[1]])).collect();
        assert_eq!(usize::from(parts[0]), parts.len() - 4);
        Some((parts[1].cast_signed(), parts[2], parts[3], parts[4..].to_vec()))
    }

    #[test]
    fn decimals_are_digits_of_base_10000() {
        assert_eq!(numeric("0"), Some((0, 0, 0, vec![])));
        assert_eq!(numeric("0.00"), Some((0, 0, 2, vec![])));
        assert_eq!(numeric("12.5"), Some((0, 0, 1, vec![12, 5000])));
        assert_eq!(numeric("-12.50"), Some((0, 0x4000, 2, vec![12, 5000])));
        assert_eq!(numeric("10000"), Some((1, 0, 0, vec![1])));
        assert_eq!(numeric("123456"), Some((1, 0, 0, vec![12, 3456])));
        assert_eq!(numeric("0.000000001"), Some((-3, 0, 9, vec![1000])));
        assert_eq!(numeric("0.00010203"), Some((-1, 0, 8, vec![1, 203])));
        assert_eq!(numeric("100000000.0001"), Some((2, 0, 4, vec![1, 0, 0, 1])));
    }

    #[test]
    fn what_is_no_decimal_is_not_encoded() {
        for text in ["", "-", ".5", "5.", "1e3", "1,5", "NaN", "+1", "--1", "1.2.3", " 1"] {
            assert_eq!(numeric(text), None, "{text:?}");
        }
    }

    #[test]
    fn any_text_comes_back() {
        for text in ["", "a", "a\0b", "\u{FDD0}", "\u{FDD0}0\0\u{FDD0}1", "\0\u{FDD0}"] {
            assert_eq!(unescape(&escape(text)), text);
            assert!(!escape(text).contains('\0'));
        }
    }
}
