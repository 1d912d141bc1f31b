-- name: active_learners
-- Who answered within the weeks before `stop`.
select learner.learner_no, learner.user_id
from learner
where learner.learner_no in (
    select answer.learner_no from answer
    where answer.answered_at >= cast(%(start)s as timestamptz) and answer.answered_at < cast(%(stop)s as timestamptz)
)
order by learner.user_id

-- name: classes_of
-- Of each learner the class of the newest session of the last weeks that has one.
select distinct on (learner.learner_no) learner.learner_no, session.classroom_id, classroom.name
from session
join learner using (user_id)
join classroom using (classroom_id)
where session.started_at >= cast(%(start)s as timestamptz) and session.started_at < cast(%(stop)s as timestamptz)
order by learner.learner_no, session.started_at desc, session.session_id

-- name: abilities
-- θ of the day with the run that it comes from, of those who have one.
select learner_no, found.run_id, found.theta, found.se, found.n_answers
from unnest(cast(%(learners)s as integer[])) as learner_no
cross join lateral ability_on(learner_no, cast(%(as_of)s as date)) as found
