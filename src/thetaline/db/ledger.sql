-- name: try_lock
select pg_try_advisory_lock(hashtext('thetaline'), hashtext(cast(%(job)s as text)))

-- name: holder
select activity.application_name, activity.backend_start, run.run_id, run.host, run.pid, run.started_at
from pg_locks as held
join pg_stat_activity as activity on activity.pid = held.pid
left join run on run.state = 'running'
    and run.job = cast(%(job)s as text)
    and activity.application_name = left('thetaline ' || run.job || ' ' || run.host || ':' || run.pid, 63)
where held.locktype = 'advisory'
  and held.granted
  and held.database = (select oid from pg_database where datname = current_database())
  and held.classid = cast(cast(hashtext('thetaline') as bigint) & 4294967295 as oid)
  and held.objid = cast(cast(hashtext(cast(%(job)s as text)) as bigint) & 4294967295 as oid)
  and held.pid <> pg_backend_pid()
order by run.started_at desc nulls last
limit 1

-- name: insert_run
insert into run (run_id, job, as_of, state, started_at, host, pid, settings)
values (cast(%(run_id)s as text), cast(%(job)s as text), cast(%(as_of)s as date), 'running',
        cast(%(started_at)s as timestamptz), cast(%(host)s as text), cast(%(pid)s as integer),
        cast(%(settings)s as jsonb))
on conflict (run_id) do nothing
returning run_id

-- name: close_run
update run
set state = cast(%(state)s as text),
    finished_at = greatest(clock_timestamp(), started_at),
    summary = cast(%(summary)s as jsonb),
    error = cast(%(error)s as text),
    reason = cast(%(reason)s as text)
where run_id = cast(%(run_id)s as text) and state = 'running'

-- name: jobs_under_way
select distinct job from run where state = 'running' order by job

-- name: close_orphans
update run
set state = 'failed',
    finished_at = greatest(clock_timestamp(), started_at),
    error = format('orphaned: process %%s on %%s ended without closing the run', pid, host)
where state = 'running'
  and job = cast(%(job)s as text)
returning run_id

-- name: unlock
select pg_advisory_unlock(hashtext('thetaline'), hashtext(cast(%(job)s as text)))
