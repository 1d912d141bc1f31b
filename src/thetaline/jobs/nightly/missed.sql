-- name: newest_runs
select as_of, job, state = 'held' as held, max(started_at)
from run
where job = any(cast(%(jobs)s as text[])) and state in ('done', 'published', 'held')
  and as_of >= cast(%(first)s as date) and as_of <= cast(%(last)s as date)
group by 1, 2, 3
