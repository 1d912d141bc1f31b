-- name: general_theta
select learner_no, newest.theta, newest.se
from unnest(cast(%(learners)s as integer[])) as learner_no
cross join lateral ability_on(learner_no, cast(%(as_of)s as date)) as newest

-- name: goals
-- θ of each goal's topic; a goal without a level of its own aims at the default, one without a priority counts once.
select
    learner.learner_no,
    coalesce(interest_goal.target_level, cast(%(default_target)s as float8)) as target,
    greatest(coalesce(interest_goal.priority, 1), 0)::float8 as priority,
    found.theta,
    found.se,
    found.source = 'topic' as has_topic
from interest_goal
join learner using (user_id)
left join topic using (topic_id)
cross join lateral theta_on(learner.learner_no, coalesce(topic.topic_no, 0), cast(%(as_of)s as date)) as found
where learner.learner_no = any(cast(%(learners)s as integer[]))

-- name: goal_from_growth
select learner_no, probability
from goal_from_growth(cast(%(as_of)s as date))
where learner_no = any(cast(%(learners)s as integer[]))

-- name: last_inactivity_parameters
select summary -> 'habit'
from run
where job = 'compute_daily_kpis' and state = 'done' and summary ? 'habit' and as_of <= cast(%(as_of)s as date)
order by as_of desc, started_at desc
limit 1
