-- Words for what holds do: kinds of entries and records, and the answers to requests. A settlement is usage too.

drop view entries;
create view entries as
    select w.id as wallet, e.partition || ':' || e.offset as position, e.line,
        case e.kind when 0 then 'issue' when 1 then 'usage' when 2 then 'late_usage' when 3 then 'overage'
            when 4 then 'repay' when 5 then 'expire' when 6 then 'carry' when 7 then 'return'
            when 8 then 'return_expired' when 9 then 'bill' when 10 then 'forgive' when 11 then 'void'
            when 12 then 'reset' when 13 then 'reversal' when 14 then 'reverse_overage' when 15 then 'unrepay'
            when 16 then 'credit_due' when 17 then 'unforgive' when 18 then 'hold' when 19 then 'held_usage'
            when 20 then 'release' when 21 then 'hold_overdraft' when 22 then 'release_overdraft' end as kind,
        e.unit,
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
            when 13 then 'resumption' when 14 then 'hold' when 15 then 'extension' when 16 then 'settlement'
            when 17 then 'hold_void' end as kind,
        r.source, r.id,
        case r.outcome when 0 then 'none' when 1 then 'applied' when 2 then 'duplicate'
            when 3 then 'conflict' when 4 then 'rejected' when 5 then 'approved' when 6 then 'declined' end as outcome,
        r.detail, r.partition || ':' || r.earlier as earlier,
        strftime('%Y-%m-%dT%H:%M:%S', r.recorded_at / 1000000000, 'unixepoch')
        || rtrim(rtrim(printf('.%09d', r.recorded_at % 1000000000), '0'), '.') || 'Z' as recorded_at
    from record r left join wallet w on w.no = r.wallet
    where r.outcome <> 0;

drop view usage;
create view usage as
    select w.id as wallet, r.partition || ':' || r.offset as position, r.source, r.id, r.subject, r.feature,
        strftime('%Y-%m-%dT%H:%M:%S', r.at / 1000000000, 'unixepoch')
        || rtrim(rtrim(printf('.%09d', r.at % 1000000000), '0'), '.') || 'Z' as at,
        strftime('%Y-%m-%dT%H:%M:%S', r.recorded_at / 1000000000, 'unixepoch')
        || rtrim(rtrim(printf('.%09d', r.recorded_at % 1000000000), '0'), '.') || 'Z' as recorded_at,
        case r.outcome when 0 then 'none' when 1 then 'applied' when 2 then 'duplicate'
            when 3 then 'conflict' when 4 then 'rejected' end as outcome,
        r.detail, r.data
    from record r join wallet w on w.no = r.wallet
    where r.kind in (4, 16);
