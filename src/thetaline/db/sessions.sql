-- name: insert
insert into exam_results (session_id, user_id, status, result_json, created_at, updated_at)
select given.session_id, given.user_id, 'completed', jsonb_build_object('questions', given.questions),
       cast(%(now)s as timestamptz), cast(%(now)s as timestamptz)
from unnest(cast(%(session_ids)s as text[]), cast(%(user_ids)s as text[]), cast(%(questions)s as jsonb[]))
    as given (session_id, user_id, questions)
order by given.session_id
on conflict (session_id) do nothing
returning session_id;

-- name: get
select session_id, user_id, result_json -> 'questions' from exam_results
where session_id = any(cast(%(session_ids)s as text[]));
