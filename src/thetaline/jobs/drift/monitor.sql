-- name: newest_scores
select max(as_of) from drift_score

-- name: first_answers
-- The first answer of each learner to each item in the window, and whether it belongs to the week that is scored.
select distinct on (learner_no, item_no) learner_no, item_no, correct, answered_at >= cast(%(monday)s as timestamptz)
from answer
where correct is not null
  and answered_at >= cast(%(start)s as timestamptz)
  and answered_at < cast(%(stop)s as timestamptz)
  and item_no = any(cast(%(items)s as integer[]))
order by learner_no, item_no, answered_at, ordinal, correct

-- name: clear_week
delete from drift_score where week = cast(%(week)s as date)

-- name: insert_scores
insert into drift_score (item_no, week, as_of, reference, n_answers, score, information, location)
select item_no, cast(%(week)s as date), cast(%(as_of)s as date), reference, n_answers, score, information, location
from unnest(
    cast(%(items)s as integer[]), cast(%(references)s as text[]), cast(%(counts)s as integer[]),
    cast(%(scores)s as float8[]), cast(%(information)s as float8[]), cast(%(locations)s as float8[])
) as given (item_no, reference, n_answers, score, information, location)

-- name: scores
-- Against the reference that an item has now, of weeks that were over on the day or were scored up to it.
select item_no, week, n_answers, score, information, location
from drift_score
join unnest(cast(%(items)s as integer[]), cast(%(references)s as text[]), cast(%(after)s as date[]))
    as wanted (item_no, reference, after) using (item_no, reference)
where week > wanted.after
  and (as_of <= cast(%(as_of)s as date) or week + 6 <= cast(%(as_of)s as date))
order by item_no, week

-- name: names
select item_no, item_id from item where item_no = any(cast(%(items)s as integer[]))

-- name: newest_decisions
-- The last instant at which a person has resolved an alert of the item.
select item_no, max(resolved_at) from drift_alert where resolved_by = 'person' group by item_no
