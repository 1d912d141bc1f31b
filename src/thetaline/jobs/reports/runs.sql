-- name: runs_of_week
-- The runs that were newest at the end of the week; what is fitted once a week is not told when it is older than that.
with given as (
    select cast(%(as_of)s as date) as day
), newest as (
    select day, newest_weekly_theta(day) as weekly_theta, newest_growth('fit_bayesian_growth', day) as growth,
           newest_growth('fit_survival_churn', day) as churn, newest_segments(day) as segments
    from given
)
select weekly_theta, growth.run_id, growth.as_of, churn.run_id, segments.run_id
from newest
left join run as growth on growth.run_id = newest.growth and growth.as_of >= newest.day - 7
left join run as churn on churn.run_id = newest.churn and churn.as_of >= newest.day - 7
left join run as segments on segments.run_id = newest.segments and segments.as_of >= newest.day - 7

-- name: measurement
select calibration.model_spec, calibration.fitted_at, run.as_of,
       (select count(*) from item_param where item_param.run_id = run.run_id),
       (select count(*) from ability where ability.run_id = run.run_id)
from calibration join run using (run_id)
where run.run_id = cast(%(run_id)s as text)
