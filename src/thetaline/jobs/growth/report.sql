-- name: newest_run
select run.run_id, run.as_of
from run where run.run_id = newest_growth('fit_bayesian_growth', cast(%(as_of)s as date))

-- name: newest_reason
-- Why the newest run up to the day has no lines, where it has none.
select meta.reason
from growth_brms_meta as meta join run using (run_id)
where meta.status = 'not fitted' and run.as_of <= cast(%(as_of)s as date)
order by run.as_of desc, meta.fitted_at desc
limit 1

-- name: lines_with_goals
-- A row a learner and dated goal; one without goals where there is none.
select learner.user_id, line.level, line.level_se, line.slope, line.slope_se, line.n_weeks, line.bend_week,
       goal.topic_id, goal.target_level, goal.target_date, goal.probability, goal.ever_probability, goal.reason
from growth_line as line
join learner using (learner_no)
left join growth_goal as goal using (run_id, learner_no)
where line.run_id = cast(%(run_id)s as text)
  and (cast(%(users)s as text[]) is null or learner.user_id = any(cast(%(users)s as text[])))
order by learner.user_id, goal.topic_id
limit cast(%(most)s as integer)
