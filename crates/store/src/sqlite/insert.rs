//! Rows into a table, many in one statement.

use std::iter;
use std::sync::OnceLock;

use sqlx::sqlite::SqliteArguments;
use sqlx::{Arguments, Encode, Sqlite, SqliteConnection, Type};

/// The most rows of one statement, as a power of two: beyond it, longer statements no longer pay.
const LARGEST: u32 = 9;

/// A table to insert into. The statements for 1, 2, 4 … rows are written once and stay prepared.
pub(super) struct Table {
    name: &'static str,
    columns: &'static [&'static str],
    conflict: &'static str,
    statements: OnceLock<Vec<String>>,
}

impl Table {
    /// A table with lists of its columns, in the order in which they are bound, and what follows the rows.
    pub(super) const fn new(
        name: &'static str,
        columns: &'static [&'static str],
        conflict: &'static str,
    ) -> Self {
        Self { name, columns, conflict, statements: OnceLock::new() }
    }

    /// Inserts `rows`; `bind` adds one row's values, in the order of the columns.
    pub(super) async fn insert<'q, T: Sync>(
        &'static self,
        connection: &mut SqliteConnection,
        rows: &'q [T],
        bind: impl Fn(&mut Row<'q>, &'q T) + Send,
    ) -> Result<(), sqlx::Error> {
        let bind_all = |rows: &'q [T]| {
            let mut row = Row(SqliteArguments::default());
            row.0.reserve(rows.len() * self.count(), 0);
            rows.iter().for_each(|one| bind(&mut row, one));
            debug_assert_eq!(
                row.0.len(),
                rows.len() * self.count(),
                "a value for each column of {}",
                self.name
            );
            (rows.len(), row.0)
        };
        let mut chunks = chunks(rows);
        let mut next = chunks.next().map(&bind_all);
        while let Some((count, values)) = next {
            let insert = sqlx::query_with(self.statement(count), values).execute(&mut *connection);
            // The connection works on a thread of its own: the next values are gathered meanwhile.
            let (done, prepared) = tokio::join!(insert, async { chunks.next().map(&bind_all) });
            done?;
            next = prepared;
        }
        Ok(())
    }

    fn statement(&self, rows: usize) -> &str {
        let write_all = || (0..=LARGEST).map(|power| self.write(1 << power)).collect();
        &self.statements.get_or_init(write_all)[rows.ilog2() as usize]
    }

    fn write(&self, rows: usize) -> String {
        let row = format!("({})", vec!["?"; self.count()].join(","));
        let (name, columns, conflict) = (self.name, self.columns.join(", "), self.conflict);
        format!("insert into {name} ({columns}) values {} {conflict}", vec![row; rows].join(","))
    }

    fn count(&self) -> usize {
        self.columns.iter().map(|list| list.split(',').count()).sum()
    }
}

/// Cuts rows into pieces whose lengths are powers of two, none above the largest statement's.
pub(super) fn chunks<T>(rows: &[T]) -> impl Iterator<Item = &[T]> + Send
where
    T: Sync,
{
    let mut left = rows;
    iter::from_fn(move || {
        let power = left.len().checked_ilog2()?.min(LARGEST);
        let (now, later) = left.split_at(1 << power);
        left = later;
        Some(now)
    })
}

/// The values of a statement, row after row.
pub(super) struct Row<'q>(SqliteArguments<'q>);

impl<'q> Row<'q> {
    /// Adds the next column's value.
    pub(super) fn add<T: Encode<'q, Sqlite> + Type<Sqlite> + 'q>(&mut self, value: T) -> &mut Self {
        self.0.add(value).expect("numbers, text and bytes can always be bound");
        self
    }
}
