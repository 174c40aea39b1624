//! Rows to write, value after value in the order of their table's columns.

use ledger::Offset;

use super::encode::Kind::{self, Bool, Bytes, Int2, Int4, Int8, Numeric, Text};
use super::encode::{Array, Cells};
use super::tables::Table;

/// Rows of a table, either one after another or each column by itself.
#[derive(Debug)]
pub(super) struct Rows {
    pub(super) table: &'static Table,
    pub(super) count: usize,
    cells: Vec<Cells>,
    /// The column whose value comes next.
    column: usize,
    /// What was given as a number and is none.
    pub(super) not_a_number: Option<String>,
}

impl Rows {
    /// Rows that will be copied.
    pub(super) fn to_copy(table: &'static Table) -> Self {
        Self::new(table, 1)
    }

    /// Rows that will come as arrays.
    pub(super) fn in_arrays(table: &'static Table) -> Self {
        Self::new(table, table.columns.len())
    }

    fn new(table: &'static Table, buffers: usize) -> Self {
        let mut cells: Vec<Cells> = (0..buffers).map(|_| Cells::default()).collect();
        if let [copied] = cells.as_mut_slice() {
            // The signature, no flags, no extension.
            copied.raw(b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0");
        }
        Self { table, count: 0, cells, column: table.columns.len(), not_a_number: None }
    }

    /// Begins the next row.
    pub(super) fn row(&mut self) -> &mut Self {
        debug_assert_eq!(
            self.column,
            self.table.columns.len(),
            "a value for each column of {}",
            self.table.name
        );
        self.count += 1;
        self.column = 0;
        if let [copied] = self.cells.as_mut_slice() {
            copied.raw(&(self.table.columns.len() as i16).to_be_bytes());
        }
        self
    }

    fn next(&mut self, kind: Kind) -> &mut Cells {
        debug_assert_eq!(
            self.table.columns[self.column].1, kind,
            "column {} of {}",
            self.column, self.table.name
        );
        self.column += 1;
        let buffer = if self.cells.len() == 1 { 0 } else { self.column - 1 };
        &mut self.cells[buffer]
    }

    pub(super) fn int8(&mut self, value: i64) -> &mut Self {
        self.next(Int8).value(&value.to_be_bytes());
        self
    }

    pub(super) fn offset(&mut self, value: Offset) -> &mut Self {
        self.int8(value.0.cast_signed())
    }

    pub(super) fn int8_if_any(&mut self, value: Option<i64>) -> &mut Self {
        match value {
            Some(value) => self.int8(value),
            None => self.null(Int8),
        }
    }

    pub(super) fn int4(&mut self, value: u32) -> &mut Self {
        self.next(Int4).value(&value.to_be_bytes());
        self
    }

    pub(super) fn code(&mut self, value: u8) -> &mut Self {
        self.next(Int2).value(&i16::from(value).to_be_bytes());
        self
    }

    pub(super) fn bool(&mut self, value: bool) -> &mut Self {
        self.next(Bool).value(&[u8::from(value)]);
        self
    }

    pub(super) fn text(&mut self, value: &str) -> &mut Self {
        self.next(Text).text(value);
        self
    }

    pub(super) fn text_if_any(&mut self, value: Option<&str>) -> &mut Self {
        match value {
            Some(value) => self.text(value),
            None => self.null(Text),
        }
    }

    pub(super) fn bytes(&mut self, value: &[u8]) -> &mut Self {
        self.next(Bytes).value(value);
        self
    }

    pub(super) fn numeric(&mut self, value: &str) -> &mut Self {
        if !self.next(Numeric).numeric(value) {
            self.not_a_number.get_or_insert_with(|| value.to_owned());
        }
        self
    }

    pub(super) fn numeric_if_any(&mut self, value: Option<&str>) -> &mut Self {
        match value {
            Some(value) => self.numeric(value),
            None => self.null(Numeric),
        }
    }

    pub(super) fn null(&mut self, kind: Kind) -> &mut Self {
        self.next(kind).null();
        self
    }

    /// The columns as arrays.
    pub(super) fn arrays(self) -> impl Iterator<Item = Array> {
        let kinds = self.table.columns.iter().map(|(_, kind)| *kind);
        kinds.zip(self.cells).map(move |(kind, cells)| Array::new(kind, self.count, cells))
    }

    /// The rows as they are copied, with what a copy begins and ends with.
    pub(super) fn finish_copy(&mut self) -> &[u8] {
        let copied = &mut self.cells[0];
        copied.raw(&(-1_i16).to_be_bytes());
        copied.bytes()
    }
}
