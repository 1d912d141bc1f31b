-- name: topic_abilities
-- Of each learner and topic the θ that is newest on the day; in the order in which topic_ability_on finds it.
select given.learner_no, given.topic_no, found.run_id, found.theta, found.se
from unnest(cast(%(learners)s as integer[]), cast(%(topics)s as integer[])) as given (learner_no, topic_no)
cross join lateral (
    select stored.run_id, stored.theta, stored.se
    from topic_ability as stored
    where stored.learner_no = given.learner_no and stored.topic_no = given.topic_no
      and stored.as_of <= cast(%(as_of)s as date)
      and (select run.state from run where run.run_id = stored.run_id) = 'published'
    order by stored.as_of desc, stored.fitted_at desc, stored.version desc
    limit 1
) as found

-- name: topics
select topic_no, topic_id from topic order by topic_id
