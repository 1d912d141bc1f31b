-- name: answers_of_all
select learner_no, item_no, topic_no, ordinal, correct, hint, time_ms, session, answered_at
from coded_answer
where answered_at >= cast(%(start)s as timestamptz) and answered_at < cast(%(stop)s as timestamptz)

-- name: answers_of_learners
select learner_no, item_no, topic_no, ordinal, correct, hint, time_ms, session, answered_at
from coded_answer
where answered_at >= cast(%(start)s as timestamptz) and answered_at < cast(%(stop)s as timestamptz)
  and learner_no = any(cast(%(learners)s as integer[]))

-- name: learner_numbers
select user_id, learner_no from learner where user_id = any(cast(%(user_ids)s as text[]))
