-- name: unchanged
-- What is stored of a week and in force, by owner and format.
select owner, format, content_hash
from stored_report
where about = cast(%(about)s as text) and week_start = cast(%(week)s as date) and superseded_at is null
  and store = cast(%(store)s as text) and owner = any(cast(%(owners)s as text[]))

-- name: record
-- A page that has moved to another store is to be deleted where it was.
with made as (
    select *
    from jsonb_to_recordset(cast(%(rows)s as jsonb)) as one (
        about text, owner text, week_start date, format text, url text, generated_at timestamptz, store text,
        object_key text, language text, content_hash text, sources text[])
), moved as (
    insert into report_deletion
    select before.store, before.object_key, made.generated_at, 'superseded'
    from made join stored_report as before using (about, owner, week_start, format)
    where (before.store, before.object_key) <> (made.store, made.object_key)
    on conflict do nothing
)
insert into stored_report as stored (
    about, owner, week_start, format, url, generated_at, store, object_key, language, content_hash, sources)
select about, owner, week_start, format, url, generated_at, store, object_key, language, content_hash, sources
from made
on conflict (about, owner, week_start, format) do update
set url = excluded.url, generated_at = excluded.generated_at, store = excluded.store, object_key = excluded.object_key,
    language = excluded.language, content_hash = excluded.content_hash, sources = excluded.sources, superseded_at = null

-- name: keep_objects
-- What was written again is not to be deleted any more.
delete from report_deletion as waiting
using jsonb_to_recordset(cast(%(rows)s as jsonb)) as made (store text, object_key text)
where waiting.store = made.store and waiting.object_key = made.object_key

-- name: supersede_late
-- A run that was retracted while its reports were made.
with late as (
    update stored_report as stored set superseded_at = cast(%(now)s as timestamptz)
    from run
    where stored.superseded_at is null and stored.week_start = cast(%(week)s as date)
      and run.state = 'retracted' and run.run_id = any(stored.sources)
    returning stored.store, stored.object_key
)
insert into report_deletion
select distinct store, object_key, cast(%(now)s as timestamptz), 'superseded' from late where store is not null
on conflict do nothing

-- name: give_up
-- Of one learner, or of weeks before a date.
with gone as (
    delete from stored_report
    where store is not null
      and (cast(%(owner)s as text) is null or (about = 'learner' and owner = cast(%(owner)s as text)))
      and (cast(%(before)s as date) is null or week_start < cast(%(before)s as date))
    returning store, object_key
), asked as (
    insert into report_deletion
    select store, object_key, cast(%(now)s as timestamptz), cast(%(reason)s as text) from gone
    on conflict do nothing
)
select count(*) from gone

-- name: count_given_up
select count(*)
from stored_report
where store is not null
  and (cast(%(owner)s as text) is null or (about = 'learner' and owner = cast(%(owner)s as text)))
  and (cast(%(before)s as date) is null or week_start < cast(%(before)s as date))

-- name: waiting_deletions
-- An object that a row names again stays.
select waiting.store, waiting.object_key
from report_deletion as waiting
where not exists (
    select from stored_report as stored
    where stored.store = waiting.store and stored.object_key = waiting.object_key and stored.superseded_at is null)
order by waiting.asked_at, waiting.object_key
limit 1000

-- name: deleted
delete from report_deletion where store = cast(%(store)s as text) and object_key = any(cast(%(keys)s as text[]))

-- name: stored
select about, owner, week_start, format, language, url, generated_at, store, object_key, superseded_at
from stored_report
where store is not null
  and (cast(%(about)s as text) is null or about = cast(%(about)s as text))
  and (cast(%(owner)s as text) is null or owner = cast(%(owner)s as text))
  and (cast(%(week)s as date) is null or week_start = cast(%(week)s as date))
  and (cast(%(format)s as text) is null or format = cast(%(format)s as text))
order by week_start desc, about desc, owner, format
limit cast(%(most)s as integer)

-- name: keys_of_store
select object_key, superseded_at is not null from stored_report where store = cast(%(store)s as text)

-- name: forget_missing
delete from stored_report
where store = cast(%(store)s as text) and object_key = any(cast(%(keys)s as text[])) and superseded_at is null
