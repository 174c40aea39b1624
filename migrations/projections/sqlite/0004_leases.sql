-- Who folds which partition, for a while. Instants are milliseconds since 1970, on the clock of the file's machine.

create table node (
    node  text    primary key,
    until integer not null
) strict, without rowid;

-- A partition without a row is free.
create table lease (
    partition integer primary key,
    owner     text    not null,
    until     integer not null
) strict;
