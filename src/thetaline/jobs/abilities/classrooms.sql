-- name: classrooms
-- Of each learner the class of the newest session that has one.
select distinct on (learner.learner_no) learner.learner_no, session.classroom_id
from session
join learner using (user_id)
where session.classroom_id is not null and session.started_at < cast(%(stop)s as timestamptz)
order by learner.learner_no, session.started_at desc
