-- name: one_import_at_a_time
select pg_advisory_xact_lock(hashtext('thetaline'), hashtext('import'))

-- name: create_staged
create temporary table staged (
    row_no bigint generated always as identity,
    line bigint not null,
    user_id text not null,
    item_code text not null,
    topics text[] not null,
    session_key text not null,
    answer_text text,
    correct boolean,
    response text,
    answered_at timestamptz not null,
    response_time_ms integer,
    hint_used boolean
) on commit drop

-- name: copy_staged
copy staged (line, user_id, item_code, topics, session_key, answer_text, correct, response, answered_at,
             response_time_ms, hint_used)
from stdin (format csv)

-- name: analyze_staged
analyze staged

-- name: known_items
-- Questions of these codes that came with another file, or from elsewhere.
select count(*) as known, min(code.item_code) as first,
       coalesce(min(question.meta ->> 'file'), 'elsewhere') as other
from (select distinct item_code from staged) as code
join question on question.meta ->> 'external_id' = code.item_code
    or (question.meta ->> 'external_id' is null and question.id::text = code.item_code)
where question.meta ->> 'file' is distinct from %(file)s

-- name: known_users
-- Learners of these ids whose first answers came with another file, or from elsewhere.
select count(*) as known, min(known.user_id) as first, coalesce(min(known.file), 'elsewhere') as other
from (select distinct user_id from staged) as code
cross join lateral (
    select exam_results.user_id, exam_results.result_json -> 'source' ->> 'file' as file
    from exam_results where exam_results.user_id = code.user_id
    order by created_at limit 1
) as known
where known.file is distinct from %(file)s

-- name: create_repeated
create temporary table repeated on commit drop as
select user_id, session_key, item_code, answered_at, min(row_no) as first_row, min(line) as first_line,
       count(distinct coalesce(correct::text, 'unanswered')) > 1 as contradictory,
       count(distinct topics) > 1 as several_topics
from staged
group by user_id, session_key, item_code, answered_at
having count(*) > 1

-- name: merge_topics
-- Rows that differ in their topics alone are one answer with several topics: the first row gets them all.
with apart as (
    select repeated.first_row, min(staged.row_no) as row_no, staged.topics
    from staged join repeated using (user_id, session_key, item_code, answered_at)
    where repeated.several_topics and not repeated.contradictory
    group by repeated.first_row, staged.topics
), topic as (
    select apart.first_row, named.topic, min(apart.row_no) as row_no
    from apart cross join lateral unnest(apart.topics) as named (topic)
    group by apart.first_row, named.topic
), together as (
    select first_row, array_agg(topic order by row_no) as topics from topic group by first_row
), merged as (
    delete from staged using apart where staged.row_no = apart.row_no and apart.row_no > apart.first_row
    returning 1
), kept as (
    update staged set topics = together.topics from together where staged.row_no = together.first_row
)
select count(*) as rows_with_another_topic from merged

-- name: take_repeated
-- Of equal answers the first stays, of contradictory ones none.
delete from staged using repeated
where staged.user_id = repeated.user_id
  and staged.session_key = repeated.session_key
  and staged.item_code = repeated.item_code
  and staged.answered_at = repeated.answered_at
  and (repeated.contradictory or staged.row_no > repeated.first_row)
returning staged.line,
    case when repeated.contradictory then 'contradictory answers to one question at one instant'
         else 'the same answer as an earlier line' end as kind,
    case when repeated.contradictory then '' else 'the same answer as line ' || repeated.first_line end as reason,
    staged.user_id, staged.item_code, array_to_string(staged.topics, ', ') as topic, staged.session_key,
    staged.answer_text, to_json(staged.answered_at) #>> '{}' as answered_at, staged.response_time_ms, staged.hint_used

-- name: create_staged_item
-- A code of digits is the question's own id, unless that id went to a question of another source.
create temporary table staged_item on commit drop as
select code.item_code, code.topic_id, code.numeric_id,
       coalesce(by_code.id, case when by_id.meta ->> 'external_id' is null then by_id.id end) as question_id,
       by_id.id is not null as id_is_taken
from (
    select item_code, mode() within group (order by topics[1]) as topic_id,
           case when item_code ~ '^[1-9][0-9]{0,17}$' then item_code::bigint end as numeric_id
    from staged
    group by item_code
) as code
left join question as by_code on by_code.meta ->> 'external_id' = code.item_code
left join question as by_id on by_id.id = code.numeric_id

-- name: create_pending
-- Answers that are not stored yet, with their session.
create temporary table pending on commit drop as
select staged.*, derived.session_id, answer.exam_result_id is not null as stored,
       answer.exam_result_id is not null and answer.correct is distinct from staged.correct as contradicts
from staged
join staged_item using (item_code)
cross join lateral (select 'import-' || md5(staged.user_id || chr(31) || staged.session_key) as session_id) as derived
left join learner using (user_id)
left join item on item.item_id = staged_item.question_id::text
left join lateral (
    select answer.exam_result_id, answer.correct
    from answer join exam_results on exam_results.id = answer.exam_result_id
    where answer.learner_no = learner.learner_no
      and answer.item_no = item.item_no
      and answer.answered_at = staged.answered_at
      and left(exam_results.session_id, 39) = derived.session_id
    limit 1
) as answer on true

-- name: take_contradictions
delete from pending where contradicts
returning line, 'contradicts the stored answer to this question at this instant' as kind, '' as reason, user_id, item_code,
    array_to_string(topics, ', ') as topic, session_key, answer_text, to_json(answered_at) #>> '{}' as answered_at, response_time_ms, hint_used

-- name: take_stored
delete from pending where stored

-- name: analyze_pending
analyze pending

-- name: counts
select count(*) as answers,
       count(*) filter (where correct is null) as unanswered,
       count(distinct session_id) as sessions,
       count(distinct user_id) as learners,
       count(distinct item_code) as items,
       count(*) filter (where cardinality(topics) > 1) as with_several_topics,
       percentile_disc(0.5) within group (order by response_time_ms) as median_response_time_ms,
       min(answered_at) as first_answer,
       max(answered_at) as last_answer
from pending

-- name: count_new_questions
select count(*) as questions from staged_item where question_id is null

-- name: add_numbered_questions
with added as (
    insert into question (id, topic_id, meta)
    select numeric_id, topic_id, jsonb_build_object('file', cast(%(file)s as text)) from staged_item
    where question_id is null and numeric_id is not null and not id_is_taken
    returning id
)
update staged_item set question_id = added.id from added where staged_item.numeric_id = added.id

-- name: skip_used_ids
select setval(pg_get_serial_sequence('question', 'id'), greatest(max(id), nextval(pg_get_serial_sequence('question', 'id'))))
from question

-- name: add_coded_questions
with added as (
    insert into question (topic_id, meta)
    select topic_id, jsonb_build_object('external_id', item_code, 'file', cast(%(file)s as text)) from staged_item
    where question_id is null
    order by item_code
    returning id, meta ->> 'external_id' as item_code
)
update staged_item set question_id = added.id from added where staged_item.item_code = added.item_code

-- name: add_exam_results
with new_session as (
    select pending.user_id, pending.session_key, pending.session_id as base,
           count(*) filter (where correct) as score_raw,
           min(answered_at) as started_at, max(answered_at) as ended_at,
           md5(string_agg(item_code || answered_at, ',' order by item_code, answered_at)) as content,
           jsonb_agg(jsonb_strip_nulls(jsonb_build_object(
               'question_id', question_id, 'is_correct', correct, 'topic', topics[1],
               'topics', case when cardinality(topics) > 1 then to_jsonb(topics) end, 'response', response,
               'time_spent_sec', response_time_ms / 1000.0, 'used_hints', hint_used, 'answered_at', answered_at
           )) order by answered_at, row_no) as questions
    from pending join staged_item using (item_code)
    group by pending.user_id, pending.session_key, pending.session_id
), named as (
    -- Later answers of a stored session become a row of their own: what is stored is not changed.
    select new_session.*, base || case when exam_results.session_id is null then '' else '+' || content end as session_id
    from new_session left join exam_results on exam_results.session_id = new_session.base
), added_session as (
    insert into session (session_id, user_id, started_at, ended_at)
    select session_id, user_id, started_at, ended_at from named
    on conflict (session_id) do nothing
)
insert into exam_results (id, session_id, user_id, status, result_json, score_raw, created_at, updated_at)
select md5(session_id)::uuid, session_id, user_id, 'completed',
       jsonb_build_object(
           'source', jsonb_build_object('file', cast(%(file)s as text), 'session', session_key), 'questions', questions),
       score_raw, ended_at, %(now)s
from named
