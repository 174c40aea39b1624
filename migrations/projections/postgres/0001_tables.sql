-- A projection: what the fold made of a log. It can be dropped and rebuilt.
--
-- Instants that the program reads back are nanoseconds since 1970, amounts are numeric with the places they were given,
-- documents are text so that they come back byte for byte; the views have timestamptz and jsonb. Names sort by their bytes.
-- Rows that only ever are added come in the order of the log. See docs/decisions/0027-postgres-rows.md.

create table head (
    partition   integer primary key,
    log         text not null,
    next        bigint not null,
    chain       bytea not null,
    last        bytea not null,
    digest      bytea not null,
    epoch       bigint not null,
    clock       bigint not null,
    applied     bigint not null,
    duplicate   bigint not null,
    conflict    bigint not null,
    rejected    bigint not null,
    quarantined bigint not null,
    timers      bigint not null,
    unpriced    bigint not null,
    wallets     bigint not null,
    fold        bigint not null,
    trailed     bigint not null default 0
) with (fillfactor = 30);
comment on table head is
    'How far each partition of the log is folded, and the proof of what was folded. One row a partition.';
comment on column head.partition is 'the partition of the log';
comment on column head.log is 'the id of the log that is folded here, as its genesis names it';
comment on column head.next is 'the offset of the next record to fold; all below it are folded';
comment on column head.chain is 'the SHA-256 chain over the raw records below next';
comment on column head.last is 'the SHA-256 of the last applied record';
comment on column head.digest is 'the sum of the wallets digests modulo 2^256';
comment on column head.epoch is 'which acquisition of the partition may write; a commit of another one is refused';
comment on column head.clock is 'the largest instant recorded so far, nanoseconds since 1970';
comment on column head.applied is 'how many records took effect';
comment on column head.duplicate is 'how many records had been seen before';
comment on column head.conflict is 'how many records bore the id of another one, with other content';
comment on column head.rejected is 'how many records a rule refused';
comment on column head.quarantined is 'how many records could not be read';
comment on column head.timers is 'how many records were the passing of time';
comment on column head.unpriced is 'how many usages took effect without a price';
comment on column head.wallets is 'how many wallet numbers were given';
comment on column head.fold is 'the version of the fold in force';
comment on column head.trailed is 'the table trail holds the records below this offset';

create table node (
    node  text primary key,
    until timestamptz not null
);
comment on table node is
    'The processes that fold this log, each registered anew by every beat of its heart.';
comment on column node.node is 'the name that the process gave itself';
comment on column node.until is 'it is taken for dead when this has passed without another beat';

create table lease (
    partition integer primary key,
    owner     text not null,
    until     timestamptz not null
);
comment on table lease is
    'Who folds which partition. A partition without a row is free.';
comment on column lease.partition is 'the partition of the log';
comment on column lease.owner is 'the node that folds it';
comment on column lease.until is 'anybody may take the partition when this has passed';

create table catalogue (
    partition integer primary key,
    document  text not null
);
comment on table catalogue is
    'The catalogue (units, prices, plans …) as each partition has it.';
comment on column catalogue.partition is 'the partition of the log';
comment on column catalogue.document is 'the catalogue, JSON';

create table wallet (
    no          bigint primary key,
    as_of       bigint not null,
    clock       bigint not null,
    next_due_at bigint,
    unpriced    bigint not null,
    partition   integer not null,
    claimed     boolean not null,
    id          text collate "C" not null unique,
    digest      bytea not null,
    doc         text not null
) with (fillfactor = 60);
comment on table wallet is
    'One row a wallet: its document, and the columns that are searched. Written over by every batch that touches it.';
comment on column wallet.no is 'its number: sequence × partitions + partition';
comment on column wallet.as_of is 'the document is true after all records of its partition below this offset';
comment on column wallet.clock is 'its clock, nanoseconds since 1970';
comment on column wallet.next_due_at is 'when time alone changes it next, nanoseconds since 1970; null: never';
comment on column wallet.unpriced is 'how many of its usages await a price';
comment on column wallet.partition is 'the partition its records are in';
comment on column wallet.claimed is 'whether somebody configured it; false: usage or a grant alone opened it';
comment on column wallet.id is 'its id, as records name it';
comment on column wallet.digest is 'the SHA-256 of its values';
comment on column wallet.doc is 'its document, JSON, as it was written';
-- The numbers of a partition's wallets rise with time, and neither column ever changes.
create index wallet_of_partition on wallet (partition, no);
create index wallet_due on wallet (partition, next_due_at, no) where next_due_at is not null;

create table record (
    "offset"        bigint not null,
    wallet          bigint,
    at              bigint not null,
    recorded_at     bigint not null,
    earlier         bigint,
    partition       integer not null,
    kind            smallint not null,
    outcome         smallint not null,
    entry           smallint,
    amount          numeric,
    available_after numeric,
    id              text collate "C" not null,
    source          text collate "C" not null,
    subject         text collate "C",
    feature         text collate "C",
    data            text,
    detail          text collate "C",
    unit            text collate "C",
    lot             text collate "C",
    other_lot       text collate "C",
    charged         text collate "C",
    price           text collate "C",
    primary key (partition, "offset")
) partition by list (partition);
comment on table record is
    'One row a record of the log and what became of it; with its entry, where it has exactly one that shares its wallet, subject and instants (entry is null where it has none, several, or one that differs: those are in the table entry). Read the views entries, usage and outcomes.';
comment on column record."offset" is 'where it stands in its partition';
comment on column record.wallet is 'the number of its wallet; null for genesis and catalogue records';
comment on column record.at is 'the time it counts as of, and its entrys effective_at; nanoseconds since 1970';
comment on column record.recorded_at is 'when it was appended, and its entrys booked_at; nanoseconds since 1970';
comment on column record.earlier is 'the record that first bore its id (duplicate, conflict), or the usage that an applied correction is about';
comment on column record.partition is 'the partition of the log';
comment on column record.kind is 'what it is, a code: the view outcomes has the words';
comment on column record.outcome is 'what became of it, a code: the view outcomes has the words';
comment on column record.entry is 'the kind of its one entry, a code: the view entries has the words; null where no entry is kept in this row';
comment on column record.amount is 'how much its entry moves';
comment on column record.available_after is 'what the wallets open lots of the unit hold after its entry';
comment on column record.id is 'its id within the source';
comment on column record.source is 'who sent it';
comment on column record.subject is 'who used';
comment on column record.feature is 'usage: the events own type';
comment on column record.data is 'usage: the events data as sent; of a correction: what it says';
comment on column record.detail is 'the reason of a refusal, why usage has no price, or free: and the price of usage that books nothing';
comment on column record.unit is 'what its entry moves';
comment on column record.lot is 'the lot that its entry leaves or enters';
comment on column record.other_lot is 'the lot that its entry enters, where it moves between two';
comment on column record.charged is 'the feature that its entry names; null where that is the records own';
comment on column record.price is 'the price of its entry and its revision';
-- Few records are found by these: each row that is inserted is held against one test of one column.
create index record_of_usage on record (partition, earlier, "offset") where earlier is not null;
create index record_corrects on record (partition, wallet) where kind > 5;
create index record_unpriced on record (partition, "offset") where detail is not null;

create table entry (
    "offset"        bigint not null,
    wallet          bigint not null,
    effective_at    bigint not null,
    booked_at       bigint not null,
    line            integer not null,
    partition       integer not null,
    kind            smallint not null,
    amount          numeric not null,
    available_after numeric not null,
    unit            text collate "C" not null,
    lot             text collate "C",
    other_lot       text collate "C",
    subject         text collate "C",
    feature         text collate "C",
    price           text collate "C",
    month           text collate "C",
    primary key (partition, "offset", line)
) partition by list (partition);
comment on table entry is
    'The ledger entries that are not kept in their records row: those of records with several. A transfer between two accounts; the view entries has all of them, with the accounts by name.';
comment on column entry."offset" is 'the record that caused it';
comment on column entry.wallet is 'the number of its wallet';
comment on column entry.effective_at is 'the instant it counts as of, nanoseconds since 1970';
comment on column entry.booked_at is 'when it became known, nanoseconds since 1970';
comment on column entry.line is 'its place among the records entries, counted from 0';
comment on column entry.partition is 'the partition of the log';
comment on column entry.kind is 'its kind, a code: the view entries has the words';
comment on column entry.amount is 'how much';
comment on column entry.available_after is 'what the wallets open lots of the unit hold afterwards';
comment on column entry.unit is 'what is moved';
comment on column entry.lot is 'the lot it leaves or enters';
comment on column entry.other_lot is 'the lot it enters, where it moves between two';
comment on column entry.subject is 'who used';
comment on column entry.feature is 'what was used';
comment on column entry.price is 'the price and its revision, name@revision';
comment on column entry.month is 'of overage: the month of the usage, as in 2026-01';
-- What paid back, billed or forgave overage, and what undid that.
create index entry_paid on entry (wallet, month, "offset", line) where month is not null;

create table trail (
    wallet  bigint not null,
    since   bigint not null,
    offsets bigint[] not null,
    primary key (wallet, since)
);
comment on table trail is
    'Where each wallets records are, up to head.trailed: written for many records at once, in the order of the wallets.';
comment on column trail.wallet is 'the number of the wallet';
comment on column trail.since is 'the first offset of the stretch that the row is about';
comment on column trail.offsets is 'the offsets of the wallets records in that stretch, in order';

create table id_segment (
    partition integer not null,
    segment   bigint not null,
    parts     bigint not null,
    open      bigint not null,
    primary key (partition, segment)
) with (fillfactor = 30);
comment on table id_segment is
    'Identities of records are kept by segment: a stretch that one stored filter answers for.';
comment on column id_segment.partition is 'the partition of the log';
comment on column id_segment.segment is 'the segment';
comment on column id_segment.parts is 'how many sorted parts it has';
comment on column id_segment.open is 'how many identities await sorting';
create index id_segment_open on id_segment (partition, segment) where open > 0;

create table id_open (
    partition integer not null,
    segment   bigint not null,
    since     bigint not null,
    ids       bytea not null,
    primary key (partition, segment, since)
);
comment on table id_open is
    'Identities in the order of the log, until there are enough to sort: 40 bytes each (key, content, offset).';
comment on column id_open.partition is 'the partition of the log';
comment on column id_open.segment is 'the segment';
comment on column id_open.since is 'the first offset of the batch that brought them';
comment on column id_open.ids is 'the identities of the batch';
alter table id_open alter ids set storage external;

create table id_part (
    partition integer not null,
    segment   bigint not null,
    bucket    integer not null,
    part      bigint not null,
    ids       bytea not null,
    primary key (partition, segment, bucket, part)
);
comment on table id_part is
    'Identities sorted by key into buckets, as in id_open.';
comment on column id_part.partition is 'the partition of the log';
comment on column id_part.segment is 'the segment';
comment on column id_part.bucket is 'the first bits of the keys';
comment on column id_part.part is 'the sorted part they belong to';
comment on column id_part.ids is 'the identities, by key';
alter table id_part alter ids set storage external;

create table filter (
    partition integer not null,
    segment   bigint not null,
    bits      bytea not null,
    primary key (partition, segment)
);
comment on table filter is
    'What tells identities that are surely not in a segment.';
comment on column filter.partition is 'the partition of the log';
comment on column filter.segment is 'the segment';
comment on column filter.bits is 'the filter, as the program wrote it';
alter table filter alter bits set storage external;

create table lot (
    wallet      bigint not null,
    starts_at   bigint not null,
    ends_at     bigint,
    priority    smallint not null,
    issued      numeric not null,
    remaining   numeric not null,
    held        numeric not null,
    consumed    numeric not null,
    expired     numeric not null,
    voided      numeric not null,
    rolled_over numeric not null,
    returned    numeric not null,
    moved       numeric not null,
    lot         text collate "C" not null,
    grant_id    text collate "C" not null,
    unit        text collate "C" not null,
    origin      text collate "C",
    category    text collate "C" not null,
    cost        numeric,
    currency    text collate "C",
    primary key (wallet, lot)
) with (fillfactor = 60);
comment on table lot is
    'One row a parcel of a grant, with where its credits are: issued is the sum of the amounts that follow it.';
comment on column lot.wallet is 'the number of its wallet';
comment on column lot.starts_at is 'when it opens, nanoseconds since 1970';
comment on column lot.ends_at is 'when it ends, exclusive, nanoseconds since 1970; null: never';
comment on column lot.priority is 'lower burns first';
comment on column lot.issued is 'what it began with';
comment on column lot.remaining is 'what can still be spent';
comment on column lot.held is 'what is set aside for holds';
comment on column lot.consumed is 'what paid for usage and overage';
comment on column lot.expired is 'what its end took';
comment on column lot.voided is 'what an operator took';
comment on column lot.rolled_over is 'what went to the lots carried over from it';
comment on column lot.returned is 'what went back to the lot it was carried over from';
comment on column lot.moved is 'what went to another wallet';
comment on column lot.lot is 'its id within the wallet';
comment on column lot.grant_id is 'the grant it is of';
comment on column lot.unit is 'what it holds';
comment on column lot.origin is 'the lot it was carried over from';
comment on column lot.category is 'why it was granted, in a word';
comment on column lot.cost is 'what was paid for it, in currency';
comment on column lot.currency is 'the currency of cost';

create table granted (
    wallet       bigint not null,
    "offset"     bigint not null,
    effective_at bigint not null,
    expires_at   bigint,
    priority     smallint not null,
    amount       numeric not null,
    grant_id     text collate "C" not null,
    unit         text collate "C" not null,
    category     text collate "C" not null,
    purchase     text collate "C",
    body         text not null,
    primary key (wallet, "offset", grant_id)
);
comment on table granted is
    'One row a grant as it was recorded.';
comment on column granted.wallet is 'the number of its wallet';
comment on column granted."offset" is 'the record that issued it';
comment on column granted.effective_at is 'when it begins, nanoseconds since 1970';
comment on column granted.expires_at is 'when it ends, if it says so; exclusive, nanoseconds since 1970';
comment on column granted.priority is 'lower burns first';
comment on column granted.amount is 'how much, per lot';
comment on column granted.grant_id is 'its id within the wallet';
comment on column granted.unit is 'what it gives';
comment on column granted.category is 'why it was granted, in a word';
comment on column granted.purchase is 'the purchase behind it';
comment on column granted.body is 'the data as recorded, JSON';

create table departed (
    wallet   bigint not null,
    kind     smallint not null,
    key      text collate "C" not null,
    purchase text collate "C",
    doc      text not null,
    primary key (wallet, kind, key)
);
comment on table departed is
    'Lots and grants as they were when they left their wallets document: corrections look them up.';
comment on column departed.wallet is 'the number of the wallet';
comment on column departed.kind is '0: a lot; 1: a grant';
comment on column departed.key is 'the lots id, or the grants';
comment on column departed.purchase is 'the purchase behind a grant';
comment on column departed.doc is 'what it was, JSON';

create table counter (
    wallet bigint not null,
    period bigint not null,
    value  numeric not null,
    price  text collate "C" not null,
    charge text collate "C" not null,
    primary key (wallet, price, charge, period)
) with (fillfactor = 60);
comment on table counter is
    'How much a wallet used under a charge with tiers, in one period.';
comment on column counter.wallet is 'the number of the wallet';
comment on column counter.period is 'the start of the period, nanoseconds since 1970';
comment on column counter.value is 'the quantity so far';
comment on column counter.price is 'the prices name';
comment on column counter.charge is 'the charges name';

create table quarantine (
    partition integer not null,
    "offset"  bigint not null,
    digest    bytea not null,
    reason    text not null,
    primary key (partition, "offset")
);
comment on table quarantine is
    'Records that could not be read.';
comment on column quarantine.partition is 'the partition of the log';
comment on column quarantine."offset" is 'where it stands in its partition';
comment on column quarantine.digest is 'the SHA-256 of its bytes';
comment on column quarantine.reason is 'why it could not be read';
