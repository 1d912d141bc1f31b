-- name: succeeded
select run.job, max(run.finished_at)
from run
join unnest(cast(%(jobs)s as text[]), cast(%(days)s as date[]), cast(%(over_at)s as timestamptz[]))
    as wanted (job, day, over_at) on run.job = wanted.job and run.as_of = wanted.day
where run.state in ('done', 'published') and run.started_at >= wanted.over_at
group by run.job
