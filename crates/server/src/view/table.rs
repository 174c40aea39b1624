//! Rows in aligned columns.

use std::fmt;

/// On which side of its column a text stands.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Align {
    Left,
    Right,
}

/// Rows below a head, each column as wide as its widest text; columns without any text are left out, and a head alone too.
pub(crate) struct Table {
    head: Vec<(String, Align)>,
    rows: Vec<Vec<String>>,
}

impl Table {
    pub(crate) fn new<S: Into<String>>(head: impl IntoIterator<Item = (S, Align)>) -> Self {
        Self { head: head.into_iter().map(|(name, align)| (name.into(), align)).collect(), rows: Vec::new() }
    }

    /// Adds a row that has a text for each column.
    pub(crate) fn add(&mut self, row: impl Into<Vec<String>>) {
        let row = row.into();
        debug_assert_eq!(row.len(), self.head.len(), "each column has a text");
        self.rows.push(row);
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// How wide a column is; none if it has no text.
    fn width(&self, column: usize) -> Option<usize> {
        let widest =
            self.rows.iter().map(|row| row[column].chars().count()).max().filter(|width| *width > 0)?;
        Some(widest.max(self.head[column].0.chars().count()))
    }
}

impl fmt::Display for Table {
    /// Each line is indented by two spaces.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.rows.is_empty() {
            return Ok(());
        }
        let widths: Vec<Option<usize>> = (0..self.head.len()).map(|column| self.width(column)).collect();
        let head = self.head.iter().map(|(name, _)| name.clone()).collect();
        for row in std::iter::once(&head).chain(&self.rows) {
            let mut line = String::new();
            for (column, text) in row.iter().enumerate() {
                let Some(width) = widths[column] else { continue };
                line.push_str("  ");
                match self.head[column].1 {
                    Align::Left => line.push_str(&format!("{text:<width$}")),
                    Align::Right => line.push_str(&format!("{text:>width$}")),
                }
            }
            writeln!(f, "{}", line.trim_end())?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_as_wide_as_their_text_and_empty_ones_are_left_out() {
        let mut table = Table::new([("lot", Align::Left), ("note", Align::Left), ("left", Align::Right)]);
        table.add(["plan#1".into(), String::new(), "12.5".into()]);
        table.add(["p#10".into(), String::new(), "100".into()]);
        assert_eq!(table.to_string(), "  lot     left\n  plan#1  12.5\n  p#10     100\n");
    }
}
