-- Who may do what. Two roles that nobody logs in as are named after the database: members of "<database>_projector" fold, members
-- of "<database>_reader" look. Neither makes, changes or drops a table, and nobody, the owner included, changes or takes away
-- what the ledger has: a rebuild drops the schema as a whole, which only its owner can.

do $$
declare
    role text;
begin
    -- Roles belong to the whole server: another schema of this database may have made them.
    foreach role in array array[current_database() || '_projector', current_database() || '_reader'] loop
        if not exists (select from pg_roles where rolname = role) then
            execute format('create role %I nologin', role);
        end if;
        execute format('grant usage on schema %I to %I', current_schema(), role);
        execute format('grant select on all tables in schema %I to %I', current_schema(), role);
    end loop;
    role := current_database() || '_projector';
    execute format('grant insert on record, entry, trail, granted, quarantine, id_part to %I', role);
    execute format('grant insert, update on head, wallet, lot, departed, counter, filter, catalogue, id_segment to %I', role);
    execute format('grant insert, delete on id_open to %I', role);
    execute format('grant insert, update, delete on node, lease to %I', role);
    execute format('revoke all on all tables in schema %I from public', current_schema());
end $$;

create function refuse_change() returns trigger language plpgsql as $$
begin
    raise exception 'what is in the ledger stays: rows of % are only ever added', tg_table_name
        using errcode = 'insufficient_privilege', hint = 'to start anew, rebuild the projection';
end $$;
comment on function refuse_change() is 'Refuses to change or take away what the ledger has.';

create trigger stays before update or delete or truncate on record execute function refuse_change();
create trigger stays before update or delete or truncate on entry execute function refuse_change();

create function open_partition(partition integer) returns void
language plpgsql security definer as $$
declare
    parent   text;
    child    text;
    grantee  text;
    right_to text;
begin
    if to_regclass(format('entry_%s', partition)) is not null then
        return;
    end if;
    perform pg_advisory_xact_lock(hashtextextended(current_schema(), 0));
    if to_regclass(format('entry_%s', partition)) is not null then
        return;
    end if;
    foreach parent in array array['record', 'entry'] loop
        child := format('%s_%s', parent, partition);
        execute format('create table %I partition of %I for values in (%s)', child, parent, partition);
        execute format('comment on table %I is %L', child, format('The rows of %s that are of partition %s.', parent, partition));
        execute format('create trigger stays before update or delete or truncate on %I execute function refuse_change()', child);
        -- As on the parent: databases and roles may have been renamed since.
        for grantee, right_to in
            select a.grantee::regrole, a.privilege_type from pg_class c, aclexplode(c.relacl) a
            where c.oid = parent::regclass and a.grantee not in (c.relowner, 0)
        loop
            execute format('grant %s on %I to %s', right_to, child, grantee);
        end loop;
    end loop;
end $$;
comment on function open_partition(integer) is
    'Makes the places for a partition''s records and entries, where they are missing. The one change to tables that a projector causes.';

-- It acts with the rights of its owner: it may see no other names than those of its schema.
do $$
begin
    execute format('alter function open_partition(integer) set search_path = %I, pg_temp', current_schema());
    execute 'revoke all on function open_partition(integer) from public';
    execute format('grant execute on function open_partition(integer) to %I', current_database() || '_projector');
end $$;
