//! The columns of each table, and a row's way back from them.

use ledger::{Name, Offset, Partition};
use sqlx::postgres::PgRow;
use sqlx::{Decode, FromRow, Postgres, Row, Type};

use super::encode::unescape;
use crate::rows::{
    CounterRow, Counts, EntryRow, FilterRow, GrantRow, Head, LeftRow, LotRow, QuarantineRow, RecordRow,
    WalletRow,
};

pub(super) const HEAD: &str = "partition, log, next, chain, last, digest, epoch, clock, applied, duplicate, \
    conflict, rejected, quarantined, timers, unpriced, wallets, fold";
pub(super) const WALLET: &str = "no, id, as_of, clock, next_due_at, claimed, unpriced, digest, doc";
pub(super) const RECORD: &str = "\"offset\", wallet, kind, outcome, detail, earlier, id, source, subject, at, \
    recorded_at, feature, data";
pub(super) const ENTRY: &str = "\"offset\", line, wallet, kind, unit, lot, other_lot, amount::text, \
    available_after::text, effective_at, booked_at, subject, feature, price, month";
/// The entries that are kept in their records' rows.
pub(super) const ENTRY_OF_RECORD: &str = "\"offset\", 0 as line, wallet, entry as kind, unit, lot, other_lot, \
    amount::text, available_after::text, at as effective_at, recorded_at as booked_at, subject, \
    coalesce(charged, feature) as feature, price, null::text as month";
pub(super) const LOT: &str = "wallet, lot, grant_id, unit, origin, issued::text, remaining::text, held::text, \
    consumed::text, expired::text, voided::text, rolled_over::text, returned::text, moved::text, starts_at, \
    ends_at, priority, category, cost::text, currency";
pub(super) const GRANT: &str = "wallet, grant_id, \"offset\", unit, amount::text, category, priority, \
    effective_at, expires_at, purchase, body";
pub(super) const LEFT: &str = "wallet, kind, key, purchase, doc";
pub(super) const COUNTER: &str = "wallet, price, charge, period, value::text";
pub(super) const QUARANTINE: &str = "\"offset\", digest, reason";
pub(super) const FILTER: &str = "segment, bits";

/// Reads all rows.
pub(super) fn from_rows<T: for<'r> FromRow<'r, PgRow>>(rows: &[PgRow]) -> Result<Vec<T>, sqlx::Error> {
    rows.iter().map(T::from_row).collect()
}

/// A row, read from left to right.
pub(super) struct Columns<'r> {
    row: &'r PgRow,
    next: usize,
}

impl<'r> Columns<'r> {
    fn take<T: Decode<'r, Postgres> + Type<Postgres>>(&mut self) -> Result<T, sqlx::Error> {
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

    fn text(&mut self) -> Result<String, sqlx::Error> {
        Ok(unescape(self.take()?))
    }

    fn text_if_any(&mut self) -> Result<Option<String>, sqlx::Error> {
        Ok(self.take::<Option<&str>>()?.map(unescape))
    }

    fn name(&mut self) -> Result<Name, sqlx::Error> {
        Ok(unescape(self.take()?).as_str().into())
    }

    fn named(&mut self) -> Result<Option<Name>, sqlx::Error> {
        Ok(self.take::<Option<&str>>()?.map(|name| unescape(name).as_str().into()))
    }

    fn number(&mut self) -> Result<u32, sqlx::Error> {
        Ok(self.take::<i32>()?.cast_unsigned())
    }

    fn code(&mut self) -> Result<u8, sqlx::Error> {
        self.take::<i16>()?.try_into().map_err(|e| sqlx::Error::Decode(Box::new(e)))
    }

    fn narrow(&mut self) -> Result<u32, sqlx::Error> {
        self.take::<i64>()?.try_into().map_err(|e| sqlx::Error::Decode(Box::new(e)))
    }

    fn offset_if_any(&mut self) -> Result<Option<Offset>, sqlx::Error> {
        Ok(self.take::<Option<i64>>()?.map(|offset| Offset(offset.cast_unsigned())))
    }
}

impl FromRow<'_, PgRow> for Head {
    fn from_row(row: &PgRow) -> Result<Self, sqlx::Error> {
        let row = &mut Columns { row, next: 0 };
        Ok(Self {
            partition: Partition(row.number()?),
            log: row.text()?,
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
            fold: row.narrow()?,
        })
    }
}

impl FromRow<'_, PgRow> for WalletRow {
    fn from_row(row: &PgRow) -> Result<Self, sqlx::Error> {
        let row = &mut Columns { row, next: 0 };
        Ok(Self {
            no: row.take()?,
            id: row.text()?,
            as_of: row.offset()?,
            clock: row.take()?,
            next_due_at: row.take()?,
            claimed: row.take()?,
            unpriced: row.count()?,
            digest: row.bytes()?,
            doc: row.text()?,
        })
    }
}

impl FromRow<'_, PgRow> for RecordRow {
    fn from_row(row: &PgRow) -> Result<Self, sqlx::Error> {
        let row = &mut Columns { row, next: 0 };
        Ok(Self {
            offset: row.offset()?,
            wallet: row.take()?,
            kind: row.code()?,
            outcome: row.code()?,
            detail: row.text_if_any()?,
            earlier: row.offset_if_any()?,
            id: row.text()?,
            source: row.text()?,
            subject: row.text_if_any()?,
            at: row.take()?,
            recorded_at: row.take()?,
            feature: row.text_if_any()?,
            data: row.text_if_any()?,
        })
    }
}

impl FromRow<'_, PgRow> for EntryRow {
    fn from_row(row: &PgRow) -> Result<Self, sqlx::Error> {
        let row = &mut Columns { row, next: 0 };
        Ok(Self {
            offset: row.offset()?,
            line: row.number()?,
            wallet: row.take()?,
            kind: row.code()?,
            unit: row.name()?,
            lot: row.named()?,
            other_lot: row.named()?,
            amount: row.text()?,
            available_after: row.text()?,
            effective_at: row.take()?,
            booked_at: row.take()?,
            subject: row.text_if_any()?,
            feature: row.named()?,
            price: row.named()?,
            month: row.text_if_any()?,
        })
    }
}

impl FromRow<'_, PgRow> for LeftRow {
    fn from_row(row: &PgRow) -> Result<Self, sqlx::Error> {
        let row = &mut Columns { row, next: 0 };
        Ok(Self {
            wallet: row.take()?,
            kind: row.code()?,
            key: row.text()?,
            purchase: row.text_if_any()?,
            doc: row.text()?,
        })
    }
}

impl FromRow<'_, PgRow> for LotRow {
    fn from_row(row: &PgRow) -> Result<Self, sqlx::Error> {
        let row = &mut Columns { row, next: 0 };
        Ok(Self {
            wallet: row.take()?,
            lot: row.text()?,
            grant: row.text()?,
            unit: row.text()?,
            origin: row.text_if_any()?,
            issued: row.text()?,
            remaining: row.text()?,
            held: row.text()?,
            consumed: row.text()?,
            expired: row.text()?,
            voided: row.text()?,
            rolled_over: row.text()?,
            returned: row.text()?,
            moved: row.text()?,
            starts_at: row.take()?,
            ends_at: row.take()?,
            priority: row.code()?,
            category: row.text()?,
            cost: row.text_if_any()?,
            currency: row.text_if_any()?,
        })
    }
}

impl FromRow<'_, PgRow> for GrantRow {
    fn from_row(row: &PgRow) -> Result<Self, sqlx::Error> {
        let row = &mut Columns { row, next: 0 };
        Ok(Self {
            wallet: row.take()?,
            grant: row.text()?,
            offset: row.offset()?,
            unit: row.text()?,
            amount: row.text()?,
            category: row.text()?,
            priority: row.code()?,
            effective_at: row.take()?,
            expires_at: row.take()?,
            purchase: row.text_if_any()?,
            body: row.text()?,
        })
    }
}

impl FromRow<'_, PgRow> for CounterRow {
    fn from_row(row: &PgRow) -> Result<Self, sqlx::Error> {
        let row = &mut Columns { row, next: 0 };
        Ok(Self {
            wallet: row.take()?,
            price: row.text()?,
            charge: row.text()?,
            period: row.take()?,
            value: row.text()?,
        })
    }
}

impl FromRow<'_, PgRow> for QuarantineRow {
    fn from_row(row: &PgRow) -> Result<Self, sqlx::Error> {
        let row = &mut Columns { row, next: 0 };
        Ok(Self { offset: row.offset()?, digest: row.bytes()?, reason: row.text()? })
    }
}

impl FromRow<'_, PgRow> for FilterRow {
    fn from_row(row: &PgRow) -> Result<Self, sqlx::Error> {
        let row = &mut Columns { row, next: 0 };
        Ok(Self { segment: row.narrow()?, bits: row.take()? })
    }
}
