//! A batch as rows of the tables.

use std::collections::BTreeMap;

use ledger::Offset;

use super::encode::Kind::{Int2, Numeric, Text};
use super::ids;
use super::rows::Rows;
use super::tables::{
    CATALOGUE, COUNTER, DEPARTED, ENTRY, FILTER, GRANTED, ID_OPEN, ID_SEGMENT, LOT, QUARANTINE, RECORD,
    Table, WALLET,
};
use crate::rows::{Batch, EntryRow, GrantRow, LotRow, RecordRow, WalletRow};

/// Whether all rows of the log are of the stretch that the batch says it is about.
///
/// What was folded already is another projector's, even where no key says so: the entry of a record that
/// has but one is no row of its own.
pub(super) fn keeps_to_its_stretch(batch: &Batch) -> bool {
    let within = |offset: Offset| batch.from <= offset && offset < batch.head.next;
    batch.records.iter().all(|row| within(row.offset))
        && batch.entries.iter().all(|row| within(row.offset))
        && batch.quarantined.iter().all(|row| within(row.offset))
}

/// The records, each with its entry where that fits in, and the other entries. Both in the order of the log.
pub(super) fn write_log(batch: &Batch, rows_of: fn(&'static Table) -> Rows) -> [Rows; 2] {
    let (mut records, mut entries) = (rows_of(&RECORD), rows_of(&ENTRY));
    let partition = batch.partition.0;
    let in_order = sorted(&batch.entries, |row| (row.offset, row.line));
    let mut left = in_order.as_slice();
    for record in sorted(&batch.records, |row| row.offset) {
        let before = left.partition_point(|row| row.offset < record.offset);
        left[..before].iter().for_each(|row| write_entry(&mut entries, partition, row));
        let of_record = left[before..].iter().take_while(|row| row.offset == record.offset).count();
        let (own, rest) = left[before..].split_at(of_record);
        match own {
            [one] if fits(record, one) => write_record(&mut records, partition, record, Some(one)),
            _ => {
                write_record(&mut records, partition, record, None);
                own.iter().for_each(|row| write_entry(&mut entries, partition, row));
            }
        }
        left = rest;
    }
    left.iter().for_each(|row| write_entry(&mut entries, partition, row));
    [records, entries]
}

/// Whether an entry can be told from its record's row. (Months are looked up, so their entries are rows.)
fn fits(record: &RecordRow, entry: &EntryRow) -> bool {
    entry.line == 0
        && record.wallet == Some(entry.wallet)
        && record.at == entry.effective_at
        && record.recorded_at == entry.booked_at
        && record.subject == entry.subject
        && (entry.feature.is_some() || record.feature.is_none())
        && entry.month.is_none()
}

fn write_record(rows: &mut Rows, partition: u32, one: &RecordRow, entry: Option<&EntryRow>) {
    let row = rows.row();
    row.offset(one.offset).int8_if_any(one.wallet).int8(one.at).int8(one.recorded_at);
    row.int8_if_any(one.earlier.map(|offset| offset.0.cast_signed())).int4(partition);
    row.code(one.kind).code(one.outcome);
    match entry {
        Some(entry) => row.code(entry.kind).numeric(&entry.amount).numeric(&entry.available_after),
        None => row.null(Int2).null(Numeric).null(Numeric),
    };
    row.text(&one.id).text(&one.source).text_if_any(one.subject.as_deref());
    row.text_if_any(one.feature.as_deref()).text_if_any(one.data.as_deref());
    row.text_if_any(one.detail.as_deref());
    match entry {
        Some(entry) => {
            let charged = entry.feature.as_deref().filter(|feature| Some(*feature) != one.feature.as_deref());
            row.text(&entry.unit).text_if_any(entry.lot.as_deref()).text_if_any(entry.other_lot.as_deref());
            row.text_if_any(charged).text_if_any(entry.price.as_deref())
        }
        None => row.null(Text).null(Text).null(Text).null(Text).null(Text),
    };
}

fn write_entry(rows: &mut Rows, partition: u32, one: &EntryRow) {
    let row = rows.row();
    row.offset(one.offset).int8(one.wallet).int8(one.effective_at).int8(one.booked_at).int4(one.line);
    row.int4(partition).code(one.kind).numeric(&one.amount).numeric(&one.available_after).text(&one.unit);
    row.text_if_any(one.lot.as_deref()).text_if_any(one.other_lot.as_deref());
    row.text_if_any(one.subject.as_deref()).text_if_any(one.feature.as_deref());
    row.text_if_any(one.price.as_deref()).text_if_any(one.month.as_deref());
}

/// All that is not of the log: each table in the order of its key, and each row once, as it is in the end.
pub(super) fn write_rest(batch: &Batch) -> Vec<Rows> {
    let partition = batch.partition.0;
    let mut wallets = Rows::in_arrays(&WALLET);
    latest(&batch.wallets, |row| row.no).for_each(|row| write_wallet(&mut wallets, partition, row));
    let mut lots = Rows::in_arrays(&LOT);
    latest(&batch.lots, |row| (row.wallet, &row.lot)).for_each(|row| write_lot(&mut lots, row));
    let mut grants = Rows::in_arrays(&GRANTED);
    sorted(&batch.grants, |row| (row.wallet, row.offset))
        .iter()
        .for_each(|row| write_grant(&mut grants, row));
    let mut departed = Rows::in_arrays(&DEPARTED);
    for one in latest(&batch.left, |row| (row.wallet, row.kind, &row.key)) {
        let row = departed.row().int8(one.wallet).code(one.kind).text(&one.key);
        row.text_if_any(one.purchase.as_deref()).text(&one.doc);
    }
    let mut counters = Rows::in_arrays(&COUNTER);
    for one in latest(&batch.counters, |row| (row.wallet, &row.price, &row.charge, row.period)) {
        counters
            .row()
            .int8(one.wallet)
            .int8(one.period)
            .numeric(&one.value)
            .text(&one.price)
            .text(&one.charge);
    }
    let mut quarantined = Rows::in_arrays(&QUARANTINE);
    for one in &batch.quarantined {
        quarantined.row().int4(partition).offset(one.offset).bytes(&one.digest).text(&one.reason);
    }
    let mut filters = Rows::in_arrays(&FILTER);
    for one in latest(&batch.filters, |row| row.segment) {
        filters.row().int4(partition).int8(one.segment.into()).bytes(&one.bits);
    }
    let mut catalogue = Rows::in_arrays(&CATALOGUE);
    if let Some(document) = &batch.catalogue {
        catalogue.row().int4(partition).text(document);
    }
    let (segments, open) = write_ids(batch);
    let mut all =
        vec![wallets, lots, grants, departed, counters, quarantined, filters, catalogue, segments, open];
    all.retain(|rows| rows.count > 0);
    all
}

fn write_ids(batch: &Batch) -> (Rows, Rows) {
    let mut blobs = BTreeMap::<u32, Vec<u8>>::new();
    for id in &batch.ids {
        ids::add(blobs.entry(id.segment).or_default(), id);
    }
    let (mut segments, mut open) = (Rows::in_arrays(&ID_SEGMENT), Rows::in_arrays(&ID_OPEN));
    for (segment, blob) in blobs {
        let count = (blob.len() / ids::WIDTH) as i64;
        segments.row().int4(batch.partition.0).int8(segment.into()).int8(0).int8(count);
        open.row().int4(batch.partition.0).int8(segment.into()).offset(batch.from).bytes(&blob);
    }
    (segments, open)
}

fn write_wallet(rows: &mut Rows, partition: u32, one: &WalletRow) {
    let row = rows.row();
    row.int8(one.no).offset(one.as_of).int8(one.clock).int8_if_any(one.next_due_at);
    row.int8(one.unpriced.cast_signed()).int4(partition).bool(one.claimed);
    row.text(&one.id).bytes(&one.digest).text(&one.doc);
}

fn write_lot(rows: &mut Rows, one: &LotRow) {
    let row = rows.row();
    row.int8(one.wallet).int8(one.starts_at).int8_if_any(one.ends_at).code(one.priority);
    row.numeric(&one.issued).numeric(&one.remaining).numeric(&one.held).numeric(&one.consumed);
    row.numeric(&one.expired).numeric(&one.voided).numeric(&one.rolled_over).numeric(&one.returned);
    row.numeric(&one.moved).text(&one.lot).text(&one.grant).text(&one.unit);
    row.text_if_any(one.origin.as_deref()).text(&one.category);
    row.numeric_if_any(one.cost.as_deref()).text_if_any(one.currency.as_deref());
}

fn write_grant(rows: &mut Rows, one: &GrantRow) {
    let row = rows.row();
    row.int8(one.wallet).offset(one.offset).int8(one.effective_at).int8_if_any(one.expires_at);
    row.code(one.priority).numeric(&one.amount).text(&one.grant).text(&one.unit).text(&one.category);
    row.text_if_any(one.purchase.as_deref()).text(&one.body);
}

fn sorted<'a, T, K: Ord>(rows: &'a [T], key: impl Fn(&'a T) -> K) -> Vec<&'a T> {
    let mut rows: Vec<&T> = rows.iter().collect();
    if !rows.is_sorted_by_key(|row| key(row)) {
        rows.sort_by_key(|row| key(row));
    }
    rows
}

/// The last row of each key, by key: a statement cannot write a row twice.
fn latest<'a, T, K: Ord>(rows: &'a [T], key: impl Fn(&'a T) -> K) -> impl Iterator<Item = &'a T> {
    rows.iter().map(|row| (key(row), row)).collect::<BTreeMap<K, &T>>().into_values()
}
