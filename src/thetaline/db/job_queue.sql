-- name: add
insert into service_job (kind, token_name, content_type, options, request_key)
values (%(kind)s, %(token_name)s, %(content_type)s, cast(%(options)s as jsonb), cast(%(request_key)s as text))
on conflict (token_name, request_key) where request_key is not null do nothing
returning job_id;

-- name: same_request
select job_id from service_job where token_name = %(token_name)s and request_key = cast(%(request_key)s as text);

-- name: add_chunk
insert into service_job_body (job_id, part, chunk_no, data)
values (%(job_id)s, %(part)s, %(chunk_no)s, %(data)s);

-- name: read_chunk
select data from service_job_body
where job_id = %(job_id)s and part = %(part)s and chunk_no = %(chunk_no)s;

-- name: forget_body
delete from service_job_body where job_id = %(job_id)s and part = %(part)s;

-- name: get
select job_id, kind, state, token_name, content_type, options, attempts, progress, error, cancel_requested,
       created_at, started_at, finished_at
from service_job where job_id = %(job_id)s;

-- name: count_by_state
select state, count(*) from service_job group by state;

-- name: claim
update service_job set
    state = 'running',
    attempts = attempts + 1,
    progress = null,
    leased_by = %(worker)s,
    leased_until = now() + make_interval(secs => %(lease_secs)s),
    started_at = coalesce(started_at, now())
where job_id = (
    select job_id from service_job
    where (state = 'queued' or (state = 'running' and leased_until < now()))
      and attempts < %(max_attempts)s
      and not cancel_requested
    order by created_at
    for update skip locked
    limit 1
)
returning job_id, kind, state, token_name, content_type, options, attempts, progress, error, cancel_requested,
          created_at, started_at, finished_at;

-- name: bury
-- What nobody may take up any more: too often started, or cancelled while its worker was gone.
with buried as (
    update service_job set
        state = case when cancel_requested then 'cancelled' else 'failed' end,
        error = case when cancel_requested then error else coalesce(
            error, jsonb_build_object('error', 'the fit ended its worker ' || attempts || ' times', 'detail', null)) end,
        finished_at = now(), leased_by = null, leased_until = null
    where (state = 'queued' or (state = 'running' and leased_until < now()))
      and (attempts >= %(max_attempts)s or cancel_requested)
    returning job_id
)
delete from service_job_body as body using buried where body.job_id = buried.job_id and body.part = 'request';

-- name: extend
update service_job set
    leased_until = now() + make_interval(secs => %(lease_secs)s),
    progress = coalesce(cast(%(progress)s as jsonb), progress)
where job_id = %(job_id)s and state = 'running' and leased_by = %(worker)s
returning cancel_requested;

-- name: close
update service_job set
    state = %(state)s, error = cast(%(error)s as jsonb), finished_at = now(), leased_by = null, leased_until = null
where job_id = %(job_id)s and state = 'running' and leased_by = %(worker)s
returning job_id;

-- name: requeue
update service_job set
    state = 'queued', progress = null, leased_by = null, leased_until = null,
    attempts = attempts - cast(%(forgiven)s as integer)
where job_id = %(job_id)s and state = 'running' and leased_by = %(worker)s;

-- name: cancel
with asked as (
    update service_job set
        cancel_requested = true,
        state = case when state = 'queued' then 'cancelled' else state end,
        finished_at = case when state = 'queued' then now() else finished_at end
    where job_id = %(job_id)s and state in ('queued', 'running')
    returning job_id, state
)
delete from service_job_body as body using asked
where body.job_id = asked.job_id and asked.state = 'cancelled' and body.part = 'request';

-- name: forget
delete from service_job where finished_at < now() - make_interval(days => %(days)s);
