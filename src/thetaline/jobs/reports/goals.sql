-- name: goals
-- A goal with a date is the one that the growth run read, as it was then; without a run, and one without a date, as it
-- is now. θ is the topic's, else the general one.
with made as (
    select learner_no, topic_id, target_level, target_date, probability, ever_probability, reason
    from growth_goal
    where run_id = cast(%(run_id)s as text) and learner_no = any(cast(%(learners)s as integer[]))
), now as (
    select learner.learner_no, goal.topic_id, goal.target_level, goal.target_date, goal.priority
    from interest_goal as goal join learner using (user_id)
    where learner.learner_no = any(cast(%(learners)s as integer[]))
)
select coalesce(made.learner_no, now.learner_no), coalesce(made.topic_id, now.topic_id),
       case when made.learner_no is null then now.target_level else made.target_level end,
       case when made.learner_no is null then now.target_date else made.target_date end,
       coalesce(now.priority, 1), made.probability, made.ever_probability, made.reason, found.theta, found.se, found.source
from made
full join now on now.learner_no = made.learner_no and now.topic_id = made.topic_id
left join topic on topic.topic_id = coalesce(made.topic_id, now.topic_id)
left join lateral theta_on(coalesce(made.learner_no, now.learner_no), coalesce(topic.topic_no, 0),
                           cast(%(as_of)s as date)) as found on true
order by 1, 5 desc, 2
