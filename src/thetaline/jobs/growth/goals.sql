-- name: dated_goals
-- A topic with an ability of its own lies `shift` above the general one, with `more_variance` beside the general one's.
select learner.learner_no, goal.topic_id, goal.target_level,
       coalesce(goal.target_level, cast(%(default_target)s as float8)), goal.target_date,
       case when found.source = 'topic' then found.theta - general.theta end,
       case when found.source = 'topic' then greatest(found.se * found.se - general.se * general.se, 0) end
from interest_goal as goal
join learner using (user_id)
left join topic using (topic_id)
left join lateral ability_on(learner.learner_no, cast(%(as_of)s as date)) as general on true
left join lateral theta_on(learner.learner_no, coalesce(topic.topic_no, 0), cast(%(as_of)s as date)) as found on true
where goal.target_date is not null
order by learner.learner_no, goal.topic_id

-- name: yield_to_growth
-- P of the week's rows, by the job that owns it; of the next week's too, where a night came before this fit.
update weekly_kpi as stored
set kpis = stored.kpis || jsonb_build_object('P', made.probability, 'P_source', 'fit_bayesian_growth')
from goal_from_growth(cast(%(as_of)s as date)) as made
join learner using (learner_no)
where stored.user_id = learner.user_id and stored.kpis ? 'P'
  and (stored.week_start = cast(%(week_start)s as date)
       or (stored.week_start = cast(%(week_start)s as date) + 7
           and (select newest_growth('fit_bayesian_growth', cast(%(as_of)s as date) + 7))
             = (select newest_growth('fit_bayesian_growth', cast(%(as_of)s as date)))))
