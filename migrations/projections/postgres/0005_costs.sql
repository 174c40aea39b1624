-- What usage cost at vendors, and what is left of what customers paid. A vendor cost is read by reports alone, so no fold books
-- it: `drawdown costs` reckons it from records and catalogue, and writes it here. Nothing else depends on these tables.

create table vendor_cost (
    wallet    bigint not null,
    usages    bigint not null,
    day       date not null,
    partition integer not null,
    cost      numeric not null,
    currency  text collate "C" not null,
    feature   text collate "C" not null,
    model     text collate "C"
);
comment on table vendor_cost is
    'What usage cost at vendors, as it was last reckoned; there may be several rows of one day, wallet, feature, model and currency: the view vendor_cost_by_day has their sums.';
comment on column vendor_cost.wallet is 'the number of the wallet';
comment on column vendor_cost.usages is 'how many usages it is of';
comment on column vendor_cost.day is 'the day that the usage counts as of, in UTC';
comment on column vendor_cost.partition is 'the partition of the log';
comment on column vendor_cost.cost is 'what they cost, in currency';
comment on column vendor_cost.currency is 'the currency of cost';
comment on column vendor_cost.feature is 'what was used, as the vendor cost names it; otherwise the events own type';
comment on column vendor_cost.model is 'the member model of the events data';
create index vendor_cost_of_partition on vendor_cost (partition);

create table vendor_cost_as_of (
    partition   integer primary key,
    next        bigint not null,
    reckoned_at timestamptz not null
);
comment on table vendor_cost_as_of is
    'Up to where vendor costs are reckoned. A partition without a row was never reckoned.';
comment on column vendor_cost_as_of.partition is 'the partition of the log';
comment on column vendor_cost_as_of.next is 'the costs are those of all records below this offset';
comment on column vendor_cost_as_of.reckoned_at is 'when that was';

create view vendor_cost_by_day as
    select c.day, w.id as wallet, c.feature, c.model, c.currency, sum(c.usages)::bigint as usages,
        trim_scale(sum(c.cost)) as cost, a.partition || ':' || a.next as as_of, a.reckoned_at
    from vendor_cost c join wallet w on w.no = c.wallet join vendor_cost_as_of a on a.partition = c.partition
    group by c.day, w.no, c.feature, c.model, c.currency, a.partition;
comment on view vendor_cost_by_day is
    'What usage cost at vendors by the day it counts as of, wallet, feature, model and currency, after all records below as_of. `drawdown costs` reckons it anew.';

create view earned_by_month as
    with by_lot as (
        select date_trunc('month', instant(e.effective_at) at time zone 'UTC')::date as month, e.wallet, e.lot,
            sum(case when e.kind in (13, 15) then -e.amount else e.amount end) as consumed
        from every_entry e
        where e.kind in (1, 2, 4, 13, 15, 19)
        group by 1, e.wallet, e.lot
    )
    select b.month, w.id as wallet, l.unit, l.currency, trim_scale(sum(b.consumed)) as consumed,
        trim_scale(round(sum(b.consumed * l.cost / l.issued), 9)) as earned
    from by_lot b join lot l on l.wallet = b.wallet and l.lot = b.lot join wallet w on w.no = b.wallet
    where l.cost is not null and l.issued > 0
    group by b.month, w.no, l.unit, l.currency;
comment on view earned_by_month is
    'What was paid for credits that were used up, by the month the use counts as of (that of a reversal and of a repayment is its own), wallet, unit and currency; of lots that were paid for. The sum of all months is earned of the view credits_sold.';

create view cost_and_margin as
    with earned as (
        select month, wallet, currency, sum(earned) as earned from earned_by_month group by month, wallet, currency
    ),
    cost as (
        select date_trunc('month', day)::date as month, wallet, currency, sum(cost) as cost
        from vendor_cost_by_day group by 1, wallet, currency
    )
    select month, wallet, currency, trim_scale(coalesce(e.earned, 0)) as earned,
        case when a.partition is not null then trim_scale(coalesce(c.cost, 0)) end as cost,
        case when a.partition is not null then trim_scale(coalesce(e.earned, 0) - coalesce(c.cost, 0)) end as margin,
        a.partition || ':' || a.next as as_of, a.reckoned_at
    from earned e full join cost c using (month, wallet, currency)
    join wallet w on w.id = wallet left join vendor_cost_as_of a on a.partition = w.partition;
comment on view cost_and_margin is
    'What was paid for the credits that were used up (earned), what that usage cost at vendors, and what is left (margin), by month in UTC, wallet and currency. Costs are those of all records below as_of: `drawdown costs` reckons them; cost and margin are null where it never did. What overage is billed is in no lot, and not in it.';

comment on view credits_sold is
    'What was paid for credits (sold), and which part of that was used up (earned), can still be used (owed), or expired or was voided (lapsed). By month, and beside what the usage cost: the view cost_and_margin.';

-- Whoever may read the tables may read these; whoever may commit may write them.
do $$
declare
    one     text;
    grantee text;
    writes  boolean;
begin
    for grantee, writes in
        select a.grantee::regrole, bool_or(a.privilege_type = 'INSERT') from pg_class c, aclexplode(c.relacl) a
        where c.oid = 'head'::regclass and a.grantee not in (c.relowner, 0) group by 1
    loop
        foreach one in array array['vendor_cost', 'vendor_cost_as_of', 'vendor_cost_by_day', 'earned_by_month', 'cost_and_margin'] loop
            execute format('grant select on %I to %s', one, grantee);
        end loop;
        if writes then
            execute format('grant insert, delete on vendor_cost to %s', grantee);
            execute format('grant insert, update on vendor_cost_as_of to %s', grantee);
        end if;
    end loop;
end $$;
