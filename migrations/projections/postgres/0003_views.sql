-- For people with SQL: words instead of codes, wallets by their id, instants as timestamptz (to the microsecond), documents as
-- jsonb. All of it follows from the tables. Days and months are those of UTC. To see one wallet's entries in a large
-- projection, ask for wallet_entries('its id'), which knows where they are.

create function instant(ns bigint) returns timestamptz language sql immutable strict parallel safe
    return to_timestamp((ns / 1000) / 1000000.0::double precision);
comment on function instant(bigint) is 'Nanoseconds since 1970 as an instant, to the microsecond below.';

create function as_json(document text) returns jsonb language plpgsql immutable strict parallel safe as $$
begin
    return document::jsonb;
exception when data_exception or program_limit_exceeded then
    return null;
end $$;
comment on function as_json(text) is 'A document as jsonb; null where jsonb cannot hold it (U+0000 in a text) or it is none.';

create function entry_kind(code smallint) returns text language sql immutable strict parallel safe
    return case code when 0 then 'issue' when 1 then 'usage' when 2 then 'late_usage' when 3 then 'overage'
        when 4 then 'repay' when 5 then 'expire' when 6 then 'carry' when 7 then 'return'
        when 8 then 'return_expired' when 9 then 'bill' when 10 then 'forgive' when 11 then 'void'
        when 12 then 'reset' when 13 then 'reversal' when 14 then 'reverse_overage' when 15 then 'unrepay'
        when 16 then 'credit_due' when 17 then 'unforgive' end;
comment on function entry_kind(smallint) is 'The word for an entry''s kind.';

create function record_kind(code smallint) returns text language sql immutable strict parallel safe
    return case code when 0 then 'genesis' when 1 then 'catalogue' when 2 then 'wallet' when 3 then 'grant'
        when 4 then 'usage' when 5 then 'timer' when 6 then 'void' when 7 then 'reversal' when 8 then 'rerating'
        when 9 then 'reset' when 10 then 'clearing' when 11 then 'change' when 12 then 'suspension'
        when 13 then 'resumption' end;
comment on function record_kind(smallint) is 'The word for a record''s kind.';

create function outcome_word(code smallint) returns text language sql immutable strict parallel safe
    return case code when 0 then 'none' when 1 then 'applied' when 2 then 'duplicate' when 3 then 'conflict'
        when 4 then 'rejected' end;
comment on function outcome_word(smallint) is 'The word for what became of a record.';

create view wallets as
    select id as wallet, partition, partition || ':' || as_of as as_of, instant(clock) as clock,
        instant(next_due_at) as next_due_at, claimed, unpriced, as_json(doc) as doc
    from wallet;
comment on view wallets is
    'One row a wallet: its document after all records below as_of, its clock, and when time alone changes it next.';

-- All entries, wherever they are kept.
create view every_entry as
    select partition, "offset", 0 as line, wallet, entry as kind, unit, lot, other_lot, amount, available_after,
        at as effective_at, recorded_at as booked_at, subject, coalesce(charged, feature) as feature, price,
        null::text collate "C" as month
    from record where entry is not null
    union all
    select partition, "offset", line, wallet, kind, unit, lot, other_lot, amount, available_after, effective_at,
        booked_at, subject, feature, price, month
    from entry;
comment on view every_entry is
    'The ledger''s entries with codes and nanoseconds, whichever table keeps them. The view entries is the readable one.';

create view entries as
    select w.id as wallet, e.partition || ':' || e."offset" as position, e.line, entry_kind(e.kind) as kind, e.unit,
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
        e.amount, e.available_after, instant(e.effective_at) as effective_at, instant(e.booked_at) as booked_at,
        e.lot, e.subject, e.feature, e.price, e.month, e.partition, e."offset" as log_offset
    from every_entry e join wallet w on w.no = e.wallet;
comment on view entries is
    'The ledger: each row moves amount from the account debit to the account credit, so each unit sums to zero. Only ever added to.';

create function wallet_entries(wallet_id text) returns setof entries language sql stable parallel safe as $$
    with one as (select no, partition from wallet where id = wallet_id),
    place as (
        select one.partition, t.place from one, trail, unnest(trail.offsets) as t(place) where trail.wallet = one.no
        union all
        select r.partition, r."offset" from one join head h on h.partition = one.partition
            join record r on r.partition = one.partition and r."offset" >= h.trailed and r.wallet = one.no
    )
    select e.* from place, lateral (
        select * from entries x where x.partition = place.partition and x.log_offset = place.place
        and x.wallet = wallet_id offset 0
    ) as e order by e.log_offset, e.line
$$;
comment on function wallet_entries(text) is 'The entries of one wallet, by its id, in the order of the log; found without a scan.';

create view usage as
    select w.id as wallet, r.partition || ':' || r."offset" as position, r.source, r.id, r.subject, r.feature,
        instant(r.at) as at, instant(r.recorded_at) as recorded_at, outcome_word(r.outcome) as outcome, r.detail,
        as_json(r.data) as data, r.data as data_as_sent
    from record r join wallet w on w.no = r.wallet
    where r.kind = 4;
comment on view usage is
    'What products reported, with its data, and what became of it. detail says why it was refused or has no price.';

create view outcomes as
    select w.id as wallet, r.partition || ':' || r."offset" as position, record_kind(r.kind) as kind, r.source, r.id,
        outcome_word(r.outcome) as outcome, r.detail, r.partition || ':' || r.earlier as earlier,
        instant(r.recorded_at) as recorded_at
    from record r left join wallet w on w.no = r.wallet
    where r.outcome <> 0;
comment on view outcomes is
    'What became of each record. earlier is the record that first bore its id, or the usage that a correction is about.';

create view lots as
    select w.id as wallet, l.lot, l.grant_id, l.unit, l.origin, l.issued, l.remaining, l.held, l.consumed, l.expired,
        l.voided, l.rolled_over, l.returned, l.moved, instant(l.starts_at) as starts_at, instant(l.ends_at) as ends_at,
        l.priority, l.category, l.cost, l.currency
    from lot l join wallet w on w.no = l.wallet;
comment on view lots is 'Parcels of grants with where their credits are: issued is the sum of remaining up to moved.';

create view grants as
    select w.id as wallet, g.grant_id, w.partition || ':' || g."offset" as position, g.unit, g.amount, g.category,
        g.priority, instant(g.effective_at) as effective_at, instant(g.expires_at) as expires_at, g.purchase,
        as_json(g.body) as body
    from granted g join wallet w on w.no = g.wallet;
comment on view grants is 'Grants as they were recorded.';

create view counters as
    select w.id as wallet, c.price, c.charge, instant(c.period) as period, c.value
    from counter c join wallet w on w.no = c.wallet;
comment on view counters is 'How much each wallet used under charges with tiers, by period.';

create view quarantined as
    select q.partition || ':' || q."offset" as position, encode(q.digest, 'hex') as digest, q.reason
    from quarantine q;
comment on view quarantined is 'Records that could not be read, with the reason.';

create view partitions as
    select h.partition, h.log, h.next, instant(h.clock) as clock, h.epoch, l.owner, l.until as owned_until,
        coalesce(l.until > now(), false) as lives, h.applied, h.duplicate, h.conflict, h.rejected, h.quarantined,
        h.timers, h.unpriced, h.wallets, h.fold, encode(h.digest, 'hex') as digest
    from head h left join lease l on l.partition = h.partition;
comment on view partitions is 'How far each partition of the log is folded, what became of its records, and who folds it now.';

create view balances as
    select w.id as wallet, l.unit, trim_scale(sum(l.remaining)) as available, trim_scale(sum(l.held)) as held,
        instant(w.clock) as as_of
    from lot l join wallet w on w.no = l.wallet
    where l.starts_at <= w.clock and (l.ends_at is null or l.ends_at > w.clock)
    group by w.no, l.unit;
comment on view balances is
    'What the open lots of each wallet hold, by unit, as of the wallet''s clock. Overage is not taken off: see the view overages.';

create view overages as
    select w.id as wallet, e.unit, e.month,
        trim_scale(sum(case when e.kind in (3, 15, 16, 17) then e.amount else -e.amount end)) as open
    from entry e join wallet w on w.no = e.wallet
    where e.month is not null and e.kind in (3, 4, 9, 10, 14, 15, 16, 17)
    group by w.no, e.unit, e.month;
comment on view overages is
    'Usage that no lot covered and nothing has paid, billed or forgiven since, by wallet, unit and month of the usage.';

create view usage_by_day as
    select (instant(e.effective_at) at time zone 'UTC')::date as day, w.id as wallet, e.feature,
        as_json(u.data) ->> 'model' as model, e.unit, count(distinct u."offset") as usages,
        trim_scale(sum(case when e.kind in (13, 14) then -e.amount else e.amount end)) as charged,
        trim_scale(coalesce(sum(case e.kind when 3 then e.amount when 14 then -e.amount end), 0)) as of_it_overage
    from every_entry e
    join wallet w on w.no = e.wallet
    join record r on r.partition = e.partition and r."offset" = e."offset"
    join record u on u.partition = r.partition
        and u."offset" = case when r.kind in (7, 8) then r.earlier else r."offset" end
    where e.kind in (1, 2, 3, 13, 14)
    group by 1, w.no, e.feature, 4, e.unit;
comment on view usage_by_day is
    'What usage was charged by the day it counts as of, wallet, feature, model (the member of that name in its data) and unit. Corrections are taken off the day of the usage. Usage that cost nothing or has no price is in the view usage alone.';

create view movements_by_month as
    select date_trunc('month', instant(e.booked_at) at time zone 'UTC')::date as month, w.id as wallet, e.unit,
        entry_kind(e.kind) as kind, count(*) as entries, trim_scale(sum(e.amount)) as amount
    from every_entry e join wallet w on w.no = e.wallet
    group by 1, w.no, e.unit, e.kind;
comment on view movements_by_month is
    'How much was moved by entries of each kind, by the month they were booked in. A closed month does not change.';

create view expiry_schedule as
    select instant(l.ends_at) as ends_at, w.id as wallet, l.unit, l.category, l.lot, trim_scale(l.remaining) as remaining,
        trim_scale(l.held) as held, trim_scale(round(l.cost * (l.remaining + l.held) / nullif(l.issued, 0), 9)) as value,
        l.currency
    from lot l join wallet w on w.no = l.wallet
    where l.ends_at > w.clock and l.remaining + l.held > 0;
comment on view expiry_schedule is
    'What open and coming lots hold that end, each with the instant of its end, and what was paid for that. What a grant''s rollover will carry over is not taken off: it is decided at the end.';

create view credits_sold as
    select w.id as wallet, l.unit, l.category, l.currency,
        trim_scale(coalesce(sum(l.cost) filter (where l.origin is null), 0)) as sold,
        trim_scale(round(coalesce(sum(l.cost * l.consumed / nullif(l.issued, 0)), 0), 9)) as earned,
        trim_scale(round(coalesce(sum(l.cost * (l.remaining + l.held) / nullif(l.issued, 0)), 0), 9)) as owed,
        trim_scale(round(coalesce(sum(l.cost * (l.expired + l.voided) / nullif(l.issued, 0)), 0), 9)) as lapsed
    from lot l join wallet w on w.no = l.wallet
    where l.cost is not null
    group by w.no, l.unit, l.category, l.currency;
comment on view credits_sold is
    'What was paid for credits (sold), and which part of that was used up (earned), can still be used (owed), or expired or was voided (lapsed). What the usage cost us at vendors is priced from the catalogue when it is asked for and stands in no row: the program''s usage report has it, and margin is earned less that.';

-- Whoever may read the tables may read the views.
do $$
declare
    one     text;
    grantee text;
begin
    for one, grantee in
        select v.viewname, a.grantee::regrole from pg_views v, pg_class c, aclexplode(c.relacl) a
        where v.schemaname = current_schema() and c.oid = 'head'::regclass and a.privilege_type = 'SELECT'
            and a.grantee not in (c.relowner, 0)
    loop
        execute format('grant select on %I to %s', one, grantee);
    end loop;
end $$;
