-- Corrections look up what earlier rows did not say. What was folded before is folded again from the log.

delete from head;
delete from catalogue;
delete from wallet;
delete from record;
delete from trail;
delete from entry;
delete from id_segment;
delete from id_open;
delete from id_part;
delete from filter;
delete from lot;
delete from counter;
delete from quarantine;

-- One record may issue several grants.
drop table grant;
create table grant (
    wallet       integer not null,
    offset       integer not null,
    grant        text    not null,
    unit         text    not null,
    amount       text    not null,
    category     text    not null,
    priority     integer not null,
    effective_at integer not null,
    expires_at   integer,
    purchase     text,
    body         text    not null,
    primary key (wallet, offset, grant)
) strict, without rowid;

-- Of overage: the month of the usage, as in 2026-01.
alter table entry add column month text;
-- What paid back, billed or forgave overage, and what undid that.
-- Every row that is inserted is held against what each index is for: one test of one column, and no list.
create index entry_paid on entry (wallet, month, offset, line) where month is not null;

-- Records that correct a usage, by where that stands; and wallets that have been corrected.
create index record_of_usage on record (partition, earlier, offset) where earlier is not null;
create index record_corrects on record (partition, wallet) where kind > 5;
-- Usage that awaits a price.
create index record_unpriced on record (partition, offset) where detail is not null;

-- Lots (kind 0, by id) and grants (kind 1, by name) as they were when they left their wallet's document.
create table left (
    wallet   integer not null,
    kind     integer not null,
    key      text    not null,
    purchase text,
    doc      text    not null,
    primary key (wallet, kind, key)
) strict, without rowid;

drop view entries;
create view entries as
    select w.id as wallet, e.partition || ':' || e.offset as position, e.line,
        case e.kind when 0 then 'issue' when 1 then 'usage' when 2 then 'late_usage' when 3 then 'overage'
            when 4 then 'repay' when 5 then 'expire' when 6 then 'carry' when 7 then 'return'
            when 8 then 'return_expired' when 9 then 'bill' when 10 then 'forgive' when 11 then 'void'
            when 12 then 'reset' when 13 then 'reversal' when 14 then 'reverse_overage' when 15 then 'unrepay'
            when 16 then 'credit_due' when 17 then 'unforgive' end as kind,
        e.unit,
        case when e.kind = 0 then 'grants'
            when e.kind in (1, 4, 5, 6, 7, 11, 12) then 'lot:' || e.lot
            when e.kind in (2, 8) then 'expired'
            when e.kind in (3, 15, 16, 17) then 'overage'
            when e.kind = 9 then 'billed'
            when e.kind = 10 then 'forgiven'
            when e.kind in (13, 14) then 'usage' end as debit,
        case when e.kind in (0, 13, 15) then 'lot:' || e.lot
            when e.kind in (1, 2, 3) then 'usage'
            when e.kind in (4, 9, 10, 14) then 'overage'
            when e.kind in (5, 12) then 'expired'
            when e.kind in (6, 7, 8) then 'lot:' || e.other_lot
            when e.kind = 11 then 'voided'
            when e.kind = 16 then 'credit_due'
            when e.kind = 17 then 'forgiven' end as credit,
        e.amount, e.available_after,
        strftime('%Y-%m-%dT%H:%M:%S', e.effective_at / 1000000000, 'unixepoch')
        || rtrim(rtrim(printf('.%09d', e.effective_at % 1000000000), '0'), '.') || 'Z' as effective_at,
        strftime('%Y-%m-%dT%H:%M:%S', e.booked_at / 1000000000, 'unixepoch')
        || rtrim(rtrim(printf('.%09d', e.booked_at % 1000000000), '0'), '.') || 'Z' as booked_at,
        e.lot, e.subject, e.feature, e.price, e.month
    from entry e join wallet w on w.no = e.wallet;

drop view outcomes;
create view outcomes as
    select w.id as wallet, r.partition || ':' || r.offset as position,
        case r.kind when 0 then 'genesis' when 1 then 'catalogue' when 2 then 'wallet' when 3 then 'grant'
            when 4 then 'usage' when 5 then 'timer' when 6 then 'void' when 7 then 'reversal' when 8 then 'rerating'
            when 9 then 'reset' when 10 then 'clearing' when 11 then 'change' when 12 then 'suspension'
            when 13 then 'resumption' end as kind,
        r.source, r.id,
        case r.outcome when 0 then 'none' when 1 then 'applied' when 2 then 'duplicate'
            when 3 then 'conflict' when 4 then 'rejected' end as outcome,
        r.detail, r.partition || ':' || r.earlier as earlier,
        strftime('%Y-%m-%dT%H:%M:%S', r.recorded_at / 1000000000, 'unixepoch')
        || rtrim(rtrim(printf('.%09d', r.recorded_at % 1000000000), '0'), '.') || 'Z' as recorded_at
    from record r left join wallet w on w.no = r.wallet
    where r.outcome <> 0;
