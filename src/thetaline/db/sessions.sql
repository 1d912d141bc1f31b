-- name: insert
insert into exam_results (session_id, user_id, status, result_json, created_at, updated_at)
values (%(session_id)s, %(user_id)s, 'completed', cast(%(result)s as jsonb), cast(%(now)s as timestamptz),
        cast(%(now)s as timestamptz))
on conflict (session_id) do nothing
returning id;

-- name: get
select user_id, result_json -> 'questions' = cast(%(questions)s as jsonb)
from exam_results where session_id = %(session_id)s;
