-- The log: each row is a run of one partition's records, appended together. Rows are only ever added, and a
-- partition's rows follow each other without holes: `first` is the `first + count` of the row before.
create table segment (
    partition integer not null,
    -- The offset of the row's first record.
    first integer not null check (first >= 0),
    count integer not null check (count > 0),
    -- The length of each record (u32, little endian), then the records' bytes.
    records blob not null,
    primary key (partition, first)
) strict;
