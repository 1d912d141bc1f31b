-- name: limit
-- A migration that waits for a lock makes everybody wait who comes after it.
select set_config('lock_timeout', %(wait)s, true), set_config('search_path', 'public', true)

-- name: lock
-- A transaction's lock and not a session's: it holds behind a pooler too, and a killed migrator leaves none.
select pg_advisory_xact_lock(hashtext('thetaline'), hashtext('migrate'))

-- name: make_table
create table if not exists schema_migration (
    revision text primary key,
    name text not null,
    sha256 text not null,
    origin text not null default 'run' check (origin in ('run', 'stamped', 'alembic')),
    applied_at timestamptz default now(),
    applied_by text default current_user
)

-- name: take_over
-- Alembic kept the newest revision only: when and by whom each was run is unknown.
do $$
begin
    if to_regclass('alembic_version') is not null then
        insert into schema_migration (revision, name, sha256, origin, applied_at, applied_by)
        select file.revision, file.name, file.sha256, 'alembic', null, null
        from unnest(cast(%(revisions)s as text[]), cast(%(names)s as text[]), cast(%(sha256s)s as text[]))
                as file (revision, name, sha256)
        join alembic_version on file.revision <= alembic_version.version_num;
        drop table alembic_version;
    end if;
end
$$

-- name: guard
do $$
begin
    if (select coalesce(max(revision), '0000') from schema_migration) <> %(revision)s then
        raise exception 'the database is not at revision %%, and this migration needs it there', %(revision)s;
    end if;
end
$$

-- name: record
insert into schema_migration (revision, name, sha256) values (%(revision)s, %(name)s, %(sha256)s)

-- name: tables
select to_regclass('schema_migration') is not null, to_regclass('alembic_version') is not null

-- name: current
select max(revision) from schema_migration

-- name: applied
select revision, name, sha256, origin, applied_at, applied_by from schema_migration order by revision

-- name: stamp
insert into schema_migration (revision, name, sha256, origin)
select file.revision, file.name, file.sha256, 'stamped'
from unnest(cast(%(revisions)s as text[]), cast(%(names)s as text[]), cast(%(sha256s)s as text[]))
        as file (revision, name, sha256)
on conflict (revision) do update
set name = excluded.name, sha256 = excluded.sha256, origin = 'stamped', applied_at = now(), applied_by = current_user
where schema_migration.sha256 <> excluded.sha256

-- name: forget_after
delete from schema_migration where revision > %(revision)s
