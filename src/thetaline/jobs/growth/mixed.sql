-- name: newest_weekly_run
select run.run_id, run.summary ->> 'items_run'
from run
where run.run_id = newest_weekly_theta(cast(%(as_of)s as date)) and run.as_of = cast(%(as_of)s as date)

-- name: weekly_scores
select learner_no, week_start, theta, se
from weekly_ability
where run_id = cast(%(run_id)s as text) and week_start > cast(%(last_week)s as date) - 7 * cast(%(weeks)s as integer)

-- name: lock_weekly_run
select state = 'published' from run where run_id = cast(%(run_id)s as text) for key share
