-- name: answers_in_window
select learner_no, item_no, ordinal, correct, answered_at
from answer
where correct is not null
  and answered_at >= cast(%(start)s as timestamptz)
  and answered_at < cast(%(stop)s as timestamptz)

-- name: learners
select learner_no, user_id from learner where learner_no = any(cast(%(numbers)s as integer[])) order by learner_no

-- name: items
select item_no, item_id from item where item_no = any(cast(%(numbers)s as integer[])) order by item_no
