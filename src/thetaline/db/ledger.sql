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

-- name: close_orphans
update run
set state = 'failed',
    finished_at = greatest(clock_timestamp(), started_at),
    error = format('orphaned: process %%s on %%s ended without closing the run', pid, host)
where state = 'running'
  and job = cast(%(job)s as text)
returning run_id
