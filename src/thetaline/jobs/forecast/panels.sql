-- name: items_run
-- The calibration that the newest weekly θ are of.
select summary ->> 'items_run' from run where run_id = newest_weekly_theta(cast(%(as_of)s as date))

-- name: weekly_theta
select learner_no, week_start, theta, se
from weekly_ability
where run_id = newest_weekly_theta(cast(%(as_of)s as date))
  and week_start >= cast(%(first_week)s as date) and week_start <= cast(%(as_of)s as date)

-- name: weekly_improvement
select learner.learner_no, weekly_kpi.week_start, cast(weekly_kpi.kpis ->> 'I_t' as float8) as improvement
from weekly_kpi
join learner using (user_id)
where weekly_kpi.week_start >= cast(%(first_week)s as date) and weekly_kpi.week_start <= cast(%(as_of)s as date)
  and weekly_kpi.kpis ->> 'I_t' is not null
