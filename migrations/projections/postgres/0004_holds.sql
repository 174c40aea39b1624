-- Words for what holds do: kinds of entries and records, and the answers to requests. A settlement is usage too.

create or replace function entry_kind(code smallint) returns text language sql immutable strict parallel safe
    return case code when 0 then 'issue' when 1 then 'usage' when 2 then 'late_usage' when 3 then 'overage'
        when 4 then 'repay' when 5 then 'expire' when 6 then 'carry' when 7 then 'return'
        when 8 then 'return_expired' when 9 then 'bill' when 10 then 'forgive' when 11 then 'void'
        when 12 then 'reset' when 13 then 'reversal' when 14 then 'reverse_overage' when 15 then 'unrepay'
        when 16 then 'credit_due' when 17 then 'unforgive' when 18 then 'hold' when 19 then 'held_usage'
        when 20 then 'release' when 21 then 'hold_overdraft' when 22 then 'release_overdraft' end;

create or replace function record_kind(code smallint) returns text language sql immutable strict parallel safe
    return case code when 0 then 'genesis' when 1 then 'catalogue' when 2 then 'wallet' when 3 then 'grant'
        when 4 then 'usage' when 5 then 'timer' when 6 then 'void' when 7 then 'reversal' when 8 then 'rerating'
        when 9 then 'reset' when 10 then 'clearing' when 11 then 'change' when 12 then 'suspension'
        when 13 then 'resumption' when 14 then 'hold' when 15 then 'extension' when 16 then 'settlement'
        when 17 then 'hold_void' end;

create or replace function outcome_word(code smallint) returns text language sql immutable strict parallel safe
    return case code when 0 then 'none' when 1 then 'applied' when 2 then 'duplicate' when 3 then 'conflict'
        when 4 then 'rejected' when 5 then 'approved' when 6 then 'declined' end;

create or replace view entries as
    select w.id as wallet, e.partition || ':' || e."offset" as position, e.line, entry_kind(e.kind) as kind, e.unit,
        case when e.kind = 0 then 'grants'
            when e.kind in (1, 4, 5, 6, 7, 11, 12, 18) then 'lot:' || e.lot
            when e.kind in (19, 20, 22) then 'hold:' || e.other_lot
            when e.kind = 21 then 'overdraft'
            when e.kind in (2, 8) then 'expired'
            when e.kind in (3, 15, 16, 17) then 'overage'
            when e.kind = 9 then 'billed'
            when e.kind = 10 then 'forgiven'
            when e.kind in (13, 14) then 'usage' end as debit,
        case when e.kind in (0, 13, 15, 20) then 'lot:' || e.lot
            when e.kind in (18, 21) then 'hold:' || e.other_lot
            when e.kind = 22 then 'overdraft'
            when e.kind in (1, 2, 3, 19) then 'usage'
            when e.kind in (4, 9, 10, 14) then 'overage'
            when e.kind in (5, 12) then 'expired'
            when e.kind in (6, 7, 8) then 'lot:' || e.other_lot
            when e.kind = 11 then 'voided'
            when e.kind = 16 then 'credit_due'
            when e.kind = 17 then 'forgiven' end as credit,
        e.amount, e.available_after, instant(e.effective_at) as effective_at, instant(e.booked_at) as booked_at,
        e.lot, e.subject, e.feature, e.price, e.month, e.partition, e."offset" as log_offset
    from every_entry e join wallet w on w.no = e.wallet;

create or replace view usage as
    select w.id as wallet, r.partition || ':' || r."offset" as position, r.source, r.id, r.subject, r.feature,
        instant(r.at) as at, instant(r.recorded_at) as recorded_at, outcome_word(r.outcome) as outcome, r.detail,
        as_json(r.data) as data, r.data as data_as_sent
    from record r join wallet w on w.no = r.wallet
    where r.kind in (4, 16);

create or replace view usage_by_day as
    select (instant(e.effective_at) at time zone 'UTC')::date as day, w.id as wallet, e.feature,
        as_json(u.data) ->> 'model' as model, e.unit, count(distinct u."offset") as usages,
        trim_scale(sum(case when e.kind in (13, 14) then -e.amount else e.amount end)) as charged,
        trim_scale(coalesce(sum(case e.kind when 3 then e.amount when 14 then -e.amount end), 0)) as of_it_overage
    from every_entry e
    join wallet w on w.no = e.wallet
    join record r on r.partition = e.partition and r."offset" = e."offset"
    join record u on u.partition = r.partition
        and u."offset" = case when r.kind in (7, 8) then r.earlier else r."offset" end
    where e.kind in (1, 2, 3, 13, 14, 19)
    group by 1, w.no, e.feature, 4, e.unit;

comment on view outcomes is
    'What became of each record. earlier is the record that first bore its id, or the usage that a correction is about. detail is the answer to a hold''s request.';

comment on column record.other_lot is
    'the lot that its entry enters, where it moves between two; the hold, where that is set aside or free again';
comment on column entry.other_lot is
    'the lot it enters, where it moves between two; the hold, where it is set aside or free again';
