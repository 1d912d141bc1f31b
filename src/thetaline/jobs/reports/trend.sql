-- name: weekly_measures
select learner_no, week_start, theta, se, n
from weekly_ability
where run_id = cast(%(run_id)s as text) and learner_no = any(cast(%(learners)s as integer[]))
  and week_start > cast(%(week)s as date) - 7 * cast(%(weeks)s as integer) and week_start <= cast(%(week)s as date)
order by learner_no, week_start

-- name: growth_lines
select learner_no, level, level_se, slope, slope_se, coalesce(correlation, 0), n_weeks, bend_week
from growth_line
where run_id = cast(%(run_id)s as text) and learner_no = any(cast(%(learners)s as integer[]))
