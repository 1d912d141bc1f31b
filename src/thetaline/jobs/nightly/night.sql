-- name: succeeded
select job, max(finished_at)
from run
where as_of = cast(%(as_of)s as date) and job = any(cast(%(jobs)s as text[])) and state in ('done', 'published')
  and started_at >= cast(%(over_at)s as timestamptz)
group by job
