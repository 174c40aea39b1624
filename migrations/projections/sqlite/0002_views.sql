-- For people with SQL: words instead of codes, wallets by their id, instants as text. All of it follows from the tables.
-- To see one wallet's entries in a large projection, ask the program: it knows where they are.

create view wallets as
    select w.id as wallet, w.partition, w.partition || ':' || w.as_of as as_of,
        strftime('%Y-%m-%dT%H:%M:%S', w.clock / 1000000000, 'unixepoch')
        || rtrim(rtrim(printf('.%09d', w.clock % 1000000000), '0'), '.') || 'Z' as clock,
        strftime('%Y-%m-%dT%H:%M:%S', w.next_due_at / 1000000000, 'unixepoch')
        || rtrim(rtrim(printf('.%09d', w.next_due_at % 1000000000), '0'), '.') || 'Z' as next_due_at,
        w.claimed, w.unpriced, w.doc
    from wallet w;

create view entries as
    select w.id as wallet, e.partition || ':' || e.offset as position, e.line,
        case e.kind when 0 then 'issue' when 1 then 'usage' when 2 then 'late_usage' when 3 then 'overage'
            when 4 then 'repay' when 5 then 'expire' when 6 then 'carry' when 7 then 'return'
            when 8 then 'return_expired' when 9 then 'bill' when 10 then 'forgive' end as kind,
        e.unit,
        case when e.kind = 0 then 'grants'
            when e.kind in (1, 4, 5, 6, 7) then 'lot:' || e.lot
            when e.kind in (2, 8) then 'expired'
            when e.kind = 3 then 'overage'
            when e.kind = 9 then 'billed'
            when e.kind = 10 then 'forgiven' end as debit,
        case when e.kind = 0 then 'lot:' || e.lot
            when e.kind in (1, 2, 3) then 'usage'
            when e.kind in (4, 9, 10) then 'overage'
            when e.kind = 5 then 'expired'
            when e.kind in (6, 7, 8) then 'lot:' || e.other_lot end as credit,
        e.amount, e.available_after,
        strftime('%Y-%m-%dT%H:%M:%S', e.effective_at / 1000000000, 'unixepoch')
        || rtrim(rtrim(printf('.%09d', e.effective_at % 1000000000), '0'), '.') || 'Z' as effective_at,
        strftime('%Y-%m-%dT%H:%M:%S', e.booked_at / 1000000000, 'unixepoch')
        || rtrim(rtrim(printf('.%09d', e.booked_at % 1000000000), '0'), '.') || 'Z' as booked_at,
        e.lot, e.subject, e.feature, e.price
    from entry e join wallet w on w.no = e.wallet;

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
    where r.kind = 4;

create view outcomes as
    select w.id as wallet, r.partition || ':' || r.offset as position,
        case r.kind when 0 then 'genesis' when 1 then 'catalogue' when 2 then 'wallet' when 3 then 'grant'
            when 4 then 'usage' when 5 then 'timer' end as kind,
        r.source, r.id,
        case r.outcome when 0 then 'none' when 1 then 'applied' when 2 then 'duplicate'
            when 3 then 'conflict' when 4 then 'rejected' end as outcome,
        r.detail, r.partition || ':' || r.earlier as earlier,
        strftime('%Y-%m-%dT%H:%M:%S', r.recorded_at / 1000000000, 'unixepoch')
        || rtrim(rtrim(printf('.%09d', r.recorded_at % 1000000000), '0'), '.') || 'Z' as recorded_at
    from record r left join wallet w on w.no = r.wallet
    where r.outcome <> 0;

create view lots as
    select w.id as wallet, l.lot, l.grant, l.unit, l.origin, l.issued, l.remaining, l.held, l.consumed, l.expired,
        l.voided, l.rolled_over, l.returned, l.moved,
        strftime('%Y-%m-%dT%H:%M:%S', l.starts_at / 1000000000, 'unixepoch')
        || rtrim(rtrim(printf('.%09d', l.starts_at % 1000000000), '0'), '.') || 'Z' as starts_at,
        strftime('%Y-%m-%dT%H:%M:%S', l.ends_at / 1000000000, 'unixepoch')
        || rtrim(rtrim(printf('.%09d', l.ends_at % 1000000000), '0'), '.') || 'Z' as ends_at,
        l.priority, l.category, l.cost, l.currency
    from lot l join wallet w on w.no = l.wallet;

create view grants as
    select w.id as wallet, g.grant, w.partition || ':' || g.offset as position, g.unit, g.amount, g.category, g.priority,
        strftime('%Y-%m-%dT%H:%M:%S', g.effective_at / 1000000000, 'unixepoch')
        || rtrim(rtrim(printf('.%09d', g.effective_at % 1000000000), '0'), '.') || 'Z' as effective_at,
        strftime('%Y-%m-%dT%H:%M:%S', g.expires_at / 1000000000, 'unixepoch')
        || rtrim(rtrim(printf('.%09d', g.expires_at % 1000000000), '0'), '.') || 'Z' as expires_at,
        g.purchase, g.body
    from grant g join wallet w on w.no = g.wallet;

create view counters as
    select w.id as wallet, c.price, c.charge,
        strftime('%Y-%m-%dT%H:%M:%S', c.period / 1000000000, 'unixepoch')
        || rtrim(rtrim(printf('.%09d', c.period % 1000000000), '0'), '.') || 'Z' as period,
        c.value
    from counter c join wallet w on w.no = c.wallet;

create view quarantined as
    select q.partition || ':' || q.offset as position, lower(hex(q.digest)) as digest, q.reason
    from quarantine q;

-- What the open lots hold, as of the wallet's clock; overage is not taken off. SQLite knows no decimals, and a sum of
-- billionths does not fit its integers: billions, units and billionths are summed apart and carried at the end.
create view balances as
    with split as (
        select l.wallet, l.unit, w.id, w.clock,
            cast(substr(l.remaining, 1, instr(l.remaining || '.', '.') - 1) as integer) as available_whole,
            cast(substr(substr(l.remaining, instr(l.remaining || '.', '.') + 1) || '000000000', 1, 9) as integer) as available_parts,
            cast(substr(l.held, 1, instr(l.held || '.', '.') - 1) as integer) as held_whole,
            cast(substr(substr(l.held, instr(l.held || '.', '.') + 1) || '000000000', 1, 9) as integer) as held_parts
        from lot l join wallet w on w.no = l.wallet
        where l.starts_at <= w.clock and (l.ends_at is null or l.ends_at > w.clock)
    ),
    summed as (
        select wallet, unit, id, clock,
            sum(available_whole / 1000000000) as available_high,
            sum(available_whole % 1000000000) + sum(available_parts) / 1000000000 as available_low,
            sum(available_parts) as available_parts,
            sum(held_whole / 1000000000) as held_high,
            sum(held_whole % 1000000000) + sum(held_parts) / 1000000000 as held_low,
            sum(held_parts) as held_parts
        from split group by wallet, unit
    ),
    carried as (
        select id, unit, clock,
            available_high + available_low / 1000000000 as available_high, available_low % 1000000000 as available_low,
            available_parts,
            held_high + held_low / 1000000000 as held_high, held_low % 1000000000 as held_low, held_parts
        from summed
    )
    select id as wallet, unit,
        case when available_high > 0 then printf('%d%09d', available_high, available_low) else printf('%d', available_low) end
            || rtrim(rtrim(printf('.%09d', available_parts % 1000000000), '0'), '.') as available,
        case when held_high > 0 then printf('%d%09d', held_high, held_low) else printf('%d', held_low) end
            || rtrim(rtrim(printf('.%09d', held_parts % 1000000000), '0'), '.') as held,
        strftime('%Y-%m-%dT%H:%M:%S', clock / 1000000000, 'unixepoch')
        || rtrim(rtrim(printf('.%09d', clock % 1000000000), '0'), '.') || 'Z' as as_of
    from carried;
