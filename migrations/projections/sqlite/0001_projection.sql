-- A projection: what the fold made of a log. It can be dropped and rebuilt.
--
-- Instants are nanoseconds since 1970, amounts are decimal text, digests are raw bytes. Rows that only ever are added
-- come in the order of the log, so that a commit writes at the end of few pages.

create table head (
    partition integer primary key,
    log       text    not null,
    next      integer not null, -- the offset of the next record to fold
    chain     blob    not null,
    last      blob    not null,
    digest    blob    not null,
    epoch     integer not null, -- which acquisition may write
    clock     integer not null,
    applied integer not null, duplicate integer not null, conflict integer not null, rejected integer not null,
    quarantined integer not null, timers integer not null, unpriced integer not null,
    wallets   integer not null, -- how many wallet numbers were given
    fold      integer not null,
    trailed   integer not null default 0 -- the trail holds the records below this offset
) strict;

create table catalogue (
    partition integer primary key,
    document  text not null
) strict;

create table wallet (
    no          integer primary key,
    partition   integer not null,
    id          text    not null unique,
    as_of       integer not null, -- the document is true after all records below this offset
    clock       integer not null,
    next_due_at integer,
    claimed     integer not null,
    unpriced    integer not null,
    digest      blob    not null,
    doc         text    not null
) strict;
create index wallet_of_partition on wallet (partition, no);
create index wallet_due on wallet (partition, next_due_at) where next_due_at is not null;

create table record (
    partition   integer not null,
    offset      integer not null,
    wallet      integer,
    kind        integer not null,
    outcome     integer not null,
    detail      text,
    earlier     integer,
    id          text    not null,
    source      text    not null,
    subject     text,
    at          integer not null,
    recorded_at integer not null,
    feature     text,
    data        text,
    primary key (partition, offset)
) strict, without rowid;

-- Where each wallet's records are, as far as head.trailed: written for many records at once, in the order of the wallets.
create table trail (
    wallet integer not null,
    offset integer not null,
    primary key (wallet, offset)
) strict, without rowid;

-- Found by the wallet's records: each offset that has entries has a record.
create table entry (
    partition       integer not null,
    offset          integer not null,
    line            integer not null,
    wallet          integer not null,
    kind            integer not null,
    unit            text    not null,
    lot             text,
    other_lot       text,
    amount          text    not null,
    available_after text    not null,
    effective_at    integer not null,
    booked_at       integer not null,
    subject         text,
    feature         text,
    price           text,
    primary key (partition, offset, line)
) strict, without rowid;

-- Ids are 40 bytes each (key, content, offset), many to a blob: written in the order of the log while few, then sorted
-- by key once there are enough, so that a commit never writes all over an index of random keys.
create table id_segment (
    partition integer not null,
    segment   integer not null,
    parts     integer not null, -- how many sorted parts there are
    open      integer not null, -- how many ids await sorting
    primary key (partition, segment)
) strict, without rowid;
create table id_open (
    partition integer not null,
    segment   integer not null,
    since     integer not null, -- the first offset of the batch that brought them
    ids       blob    not null,
    primary key (partition, segment, since)
) strict;
create table id_part (
    partition integer not null,
    segment   integer not null,
    bucket    integer not null, -- the first ten bits of the keys
    part      integer not null,
    ids       blob    not null,
    primary key (partition, segment, bucket, part)
) strict;

create table filter (
    partition integer not null,
    segment   integer not null,
    bits      blob    not null,
    primary key (partition, segment)
) strict;

create table lot (
    wallet       integer not null,
    lot          text    not null,
    grant        text    not null,
    unit         text    not null,
    origin       text,
    issued text not null, remaining text not null, held text not null, consumed text not null, expired text not null,
    voided text not null, rolled_over text not null, returned text not null, moved text not null,
    starts_at    integer not null,
    ends_at      integer,
    priority     integer not null,
    category     text    not null,
    cost         text,
    currency     text,
    primary key (wallet, lot)
) strict, without rowid;

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
    primary key (wallet, offset)
) strict;

create table counter (
    wallet integer not null,
    price  text    not null,
    charge text    not null,
    period integer not null,
    value  text    not null,
    primary key (wallet, price, charge, period)
) strict, without rowid;

create table quarantine (
    partition integer not null,
    offset    integer not null,
    digest    blob    not null,
    reason    text    not null,
    primary key (partition, offset)
) strict, without rowid;
