//! The columns of each table, and a row's way back from them.

use ledger::{Name, Offset, Partition};
use sqlx::sqlite::SqliteRow;
use sqlx::{Decode, FromRow, Row, Sqlite, Type};

use crate::rows::{
    CounterRow, Counts, EntryRow, FilterRow, GrantRow, Head, LeftRow, LotRow, QuarantineRow, RecordRow,
    WalletRow,
};

pub(super) const HEAD: &str = "partition, log, next, chain, last, digest, epoch, clock, applied, duplicate, \
    conflict, rejected, quarantined, timers, unpriced, wallets, fold";
pub(super) const WALLET: &str = "no, id, as_of, clock, next_due_at, claimed, unpriced, digest, doc";
pub(super) const RECORD: &str = "offset, wallet, kind, outcome, detail, earlier, id, source, subject, at, \
    recorded_at, feature, data";
pub(super) const ENTRY: &str = "offset, line, wallet, kind, unit, lot, other_lot, amount, available_after, \
    effective_at, booked_at, subject, feature, price, month";
pub(super) const LOT: &str = "wallet, lot, grant, unit, origin, issued, remaining, held, consumed, expired, \
    voided, rolled_over, returned, moved, starts_at, ends_at, priority, category, cost, currency";
pub(super) const GRANT: &str =
    "wallet, grant, offset, unit, amount, category, priority, effective_at, expires_at, purchase, body";
pub(super) const LEFT: &str = "wallet, kind, key, purchase, doc";
pub(super) const COUNTER: &str = "wallet, price, charge, period, value";
pub(super) const QUARANTINE: &str = "offset, digest, reason";
pub(super) const FILTER: &str = "segment, bits";

/// Reads all rows.
pub(super) fn from_rows<T: for<'r> FromRow<'r, SqliteRow>>(
    rows: &[SqliteRow],
) -> Result<Vec<T>, sqlx::Error> {
    rows.iter().map(T::from_row).collect()
}

/// A row, read from left to right.
pub(super) struct Columns<'r> {
    row: &'r SqliteRow,
    next: usize,
}

impl<'r> Columns<'r> {
    fn take<T: Decode<'r, Sqlite> + Type<Sqlite>>(&mut self) -> Result<T, sqlx::Error> {
        self.next += 1;
        self.row.try_get(self.next - 1)
    }

    fn bytes<const N: usize>(&mut self) -> Result<[u8; N], sqlx::Error> {
        let bytes: &[u8] = self.take()?;
        bytes
            .try_into()
            .map_err(|_| sqlx::Error::Decode(format!("{} bytes instead of {N}", bytes.len()).into()))
    }

    fn count(&mut self) -> Result<u64, sqlx::Error> {
        Ok(self.take::<i64>()?.cast_unsigned())
    }

    fn offset(&mut self) -> Result<Offset, sqlx::Error> {
        self.count().map(Offset)
    }

    fn name(&mut self) -> Result<Name, sqlx::Error> {
        Ok(self.take::<&str>()?.into())
    }

    fn named(&mut self) -> Result<Option<Name>, sqlx::Error> {
        Ok(self.take::<Option<&str>>()?.map(Name::from))
    }

    fn offset_if_any(&mut self) -> Result<Option<Offset>, sqlx::Error> {
        Ok(self.take::<Option<i64>>()?.map(|offset| Offset(offset.cast_unsigned())))
    }
}

impl FromRow<'_, SqliteRow> for Head {
    fn from_row(row: &SqliteRow) -> Result<Self, sqlx::Error> {
        let row = &mut Columns { row, next: 0 };
        Ok(Self {
            partition: Partition(row.take()?),
            log: row.take()?,
            next: row.offset()?,
            chain: row.bytes()?,
            last: row.bytes()?,
            digest: row.bytes()?,
            epoch: row.take()?,
            clock: row.take()?,
            counts: Counts {
                applied: row.count()?,
                duplicate: row.count()?,
                conflict: row.count()?,
                rejected: row.count()?,
                quarantined: row.count()?,
                timers: row.count()?,
                unpriced: row.count()?,
            },
            wallets: row.count()?,
            fold: row.take()?,
        })
    }
}

impl FromRow<'_, SqliteRow> for WalletRow {
    fn from_row(row: &SqliteRow) -> Result<Self, sqlx::Error> {
        let row = &mut Columns { row, next: 0 };
        Ok(Self {
            no: row.take()?,
            id: row.take()?,
            as_of: row.offset()?,
            clock: row.take()?,
            next_due_at: row.take()?,
            claimed: row.take()?,
            unpriced: row.count()?,
            digest: row.bytes()?,
            doc: row.take()?,
        })
    }
}

impl FromRow<'_, SqliteRow> for RecordRow {
    fn from_row(row: &SqliteRow) -> Result<Self, sqlx::Error> {
        let row = &mut Columns { row, next: 0 };
        Ok(Self {
            offset: row.offset()?,
            wallet: row.take()?,
            kind: row.take()?,
            outcome: row.take()?,
            detail: row.take()?,
            earlier: row.offset_if_any()?,
            id: row.take()?,
            source: row.take()?,
            subject: row.take()?,
            at: row.take()?,
            recorded_at: row.take()?,
            feature: row.take()?,
            data: row.take()?,
        })
    }
}

impl FromRow<'_, SqliteRow> for EntryRow {
    fn from_row(row: &SqliteRow) -> Result<Self, sqlx::Error> {
        let row = &mut Columns { row, next: 0 };
        Ok(Self {
            offset: row.offset()?,
            line: row.take()?,
            wallet: row.take()?,
            kind: row.take()?,
            unit: row.name()?,
            lot: row.named()?,
            other_lot: row.named()?,
            amount: row.take()?,
            available_after: row.take()?,
            effective_at: row.take()?,
            booked_at: row.take()?,
            subject: row.take()?,
            feature: row.named()?,
            price: row.named()?,
            month: row.take()?,
        })
    }
}

impl FromRow<'_, SqliteRow> for LeftRow {
    fn from_row(row: &SqliteRow) -> Result<Self, sqlx::Error> {
        let row = &mut Columns { row, next: 0 };
        Ok(Self {
            wallet: row.take()?,
            kind: row.take()?,
            key: row.take()?,
            purchase: row.take()?,
            doc: row.take()?,
        })
    }
}

impl FromRow<'_, SqliteRow> for LotRow {
    fn from_row(row: &SqliteRow) -> Result<Self, sqlx::Error> {
        let row = &mut Columns { row, next: 0 };
        Ok(Self {
            wallet: row.take()?,
            lot: row.take()?,
            grant: row.take()?,
            unit: row.take()?,
            origin: row.take()?,
            issued: row.take()?,
            remaining: row.take()?,
            held: row.take()?,
            consumed: row.take()?,
            expired: row.take()?,
            voided: row.take()?,
            rolled_over: row.take()?,
            returned: row.take()?,
            moved: row.take()?,
            starts_at: row.take()?,
            ends_at: row.take()?,
            priority: row.take()?,
            category: row.take()?,
            cost: row.take()?,
            currency: row.take()?,
        })
    }
}

impl FromRow<'_, SqliteRow> for GrantRow {
    fn from_row(row: &SqliteRow) -> Result<Self, sqlx::Error> {
        let row = &mut Columns { row, next: 0 };
        Ok(Self {
            wallet: row.take()?,
            grant: row.take()?,
            offset: row.offset()?,
            unit: row.take()?,
            amount: row.take()?,
            category: row.take()?,
            priority: row.take()?,
            effective_at: row.take()?,
            expires_at: row.take()?,
            purchase: row.take()?,
            body: row.take()?,
        })
    }
}

impl FromRow<'_, SqliteRow> for CounterRow {
    fn from_row(row: &SqliteRow) -> Result<Self, sqlx::Error> {
        let row = &mut Columns { row, next: 0 };
        Ok(Self {
            wallet: row.take()?,
            price: row.take()?,
            charge: row.take()?,
            period: row.take()?,
            value: row.take()?,
        })
    }
}

impl FromRow<'_, SqliteRow> for QuarantineRow {
    fn from_row(row: &SqliteRow) -> Result<Self, sqlx::Error> {
        let row = &mut Columns { row, next: 0 };
        Ok(Self { offset: row.offset()?, digest: row.bytes()?, reason: row.take()? })
    }
}

impl FromRow<'_, SqliteRow> for FilterRow {
    fn from_row(row: &SqliteRow) -> Result<Self, sqlx::Error> {
        let row = &mut Columns { row, next: 0 };
        Ok(Self { segment: row.take()?, bits: row.take()? })
    }
}
