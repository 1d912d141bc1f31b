-- One row per question of an exam result, kept by triggers; the exam app never sees this table.
-- It carries no foreign key: it is derived from exam_results alone, and ten million checks cost a minute.

create table answer (
    exam_result_id uuid not null,
    answered_at timestamptz not null,
    learner_no integer not null,
    item_no integer not null,
    ordinal integer not null,
    topic_no integer,
    response_time_ms integer,
    correct boolean,
    hint_used boolean,
    primary key (exam_result_id, ordinal)
);
create index answer_by_time on answer (answered_at);
create index answer_by_learner_and_item on answer (learner_no, item_no, answered_at);
comment on column answer.exam_result_id is 'the sitting: exam_results.id, one to one with session_id';
comment on column answer.correct is 'null: shown, not answered';

-- Readers of one JSON value. Each gives null for what it cannot read and raises nothing.

create function json_code(value jsonb) returns text language sql immutable as $$
    select case jsonb_typeof(value)
        when 'string' then
            case when length(value #>> '{}') <= 200 then nullif(btrim(value #>> '{}', E' \t\n\r'), '') end
        when 'number' then
            case when value::numeric between -9223372036854775808 and 9223372036854775807
                then case when value::numeric = trunc(value::numeric) then value::numeric::bigint::text end
            end
    end
$$;
comment on function json_code is 'an identifier: a string of 1 to 200 characters, or a whole number; 101, 101.0 and "101" are one';

create function json_boolean(value jsonb) returns boolean language sql immutable as $$
    select case when jsonb_typeof(value) = 'boolean' then value::boolean end
$$;

create function json_hint(value jsonb) returns boolean language sql immutable as $$
    select case jsonb_typeof(value)
        when 'boolean' then value::boolean
        when 'number' then value::numeric > 0
    end
$$;
comment on function json_hint is 'whether hints were used: a boolean, or their count';

create function json_milliseconds(seconds jsonb) returns integer language sql immutable as $$
    select case when jsonb_typeof(seconds) = 'number' then
        -- Compared before it is multiplied: JSON may hold 1e131000.
        case when seconds::numeric between 0 and 2147483 then round(seconds::numeric * 1000)::integer end
    end
$$;

create function json_instant(value jsonb) returns timestamptz language sql stable as $$
    select case
        -- The pattern keeps out 'now', 'tomorrow' and 'infinity', which PostgreSQL reads as times.
        when jsonb_typeof(value) = 'string'
            and value #>> '{}'
                ~ '^\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:[.]\d{1,9})?)?(?: ?(?:Z|[+-]\d\d(?::?\d\d)?))?)?$'
            and pg_input_is_valid(value #>> '{}', 'timestamptz')
        then case when (value #>> '{}')::timestamptz >= 'epoch' then (value #>> '{}')::timestamptz end
    end
$$;
comment on function json_instant is 'an ISO 8601 date or time from 1970 on; one without an offset is in the time zone of the session';

create function json_absent(value jsonb) returns boolean language sql immutable as $$
    select value is null or value in ('null'::jsonb, '""'::jsonb)
$$;

create function exam_results_to_answers() returns trigger language plpgsql security definer
    set search_path = public, pg_temp
    set timezone = 'UTC'
    -- A plan made for one row must not serve a hundred thousand; the constant below makes the statement take a parameter.
    set plan_cache_mode = force_custom_plan
as $$
declare
    no_questions constant jsonb := '[]';
begin
    if tg_op = 'UPDATE' then
        delete from answer using old_rows
        where answer.exam_result_id = old_rows.id
          and not exists (
              select from new_rows
              where new_rows.id = old_rows.id
                and (new_rows.result_json, new_rows.user_id, new_rows.created_at)
                    is not distinct from (old_rows.result_json, old_rows.user_id, old_rows.created_at)
          );
    end if;

    with shown as materialized (
        select
            new_rows.id,
            new_rows.user_id,
            entry.ordinal::integer as ordinal,
            json_code(entry.value -> 'question_id') as item_id,
            json_code(entry.value -> 'topic') as topic_id,
            case when json_absent(entry.value -> 'is_correct')
                then entry.value -> 'correct' else entry.value -> 'is_correct' end as verdict,
            case when json_absent(entry.value -> 'answered_at')
                then new_rows.created_at else json_instant(entry.value -> 'answered_at') end as answered_at,
            json_milliseconds(entry.value -> 'time_spent_sec') as response_time_ms,
            json_hint(entry.value -> 'used_hints') as hint_used
        from new_rows
        cross join lateral jsonb_array_elements(
            case when jsonb_typeof(new_rows.result_json -> 'questions') = 'array'
                then new_rows.result_json -> 'questions' else no_questions end
        ) with ordinality as entry (value, ordinal)
    ), sound as materialized (
        select shown.id, shown.user_id, shown.ordinal, shown.item_id, shown.answered_at, shown.response_time_ms,
               shown.hint_used, json_boolean(verdict) as correct,
               coalesce(shown.topic_id, json_code(to_jsonb(question.topic_id))) as topic_id
        from shown
        left join question on question.id = case when item_id ~ '^[0-9]{1,18}$' then item_id::bigint end
        where item_id is not null
          and answered_at is not null
          and (json_absent(verdict) or jsonb_typeof(verdict) = 'boolean')
    ), new_topic as (
        -- "do update" and not "do nothing": the row of a concurrent writer is invisible here but comes back from returning.
        insert into topic (topic_id)
        select distinct sound.topic_id from sound left join topic using (topic_id)
        where topic.topic_no is null and sound.topic_id is not null order by 1
        on conflict (topic_id) do update set topic_id = excluded.topic_id
        returning topic_no, topic_id
    ), new_item as (
        insert into item (item_id)
        select distinct sound.item_id from sound left join item using (item_id)
        where item.item_no is null order by 1
        on conflict (item_id) do update set item_id = excluded.item_id
        returning item_no, item_id
    ), new_learner as (
        insert into learner (user_id)
        select distinct sound.user_id from sound left join learner using (user_id)
        where learner.learner_no is null order by 1
        on conflict (user_id) do update set user_id = excluded.user_id
        returning learner_no, user_id
    )
    insert into answer (exam_result_id, answered_at, learner_no, item_no, ordinal, topic_no,
                        response_time_ms, correct, hint_used)
    select sound.id, sound.answered_at, coalesce(learner.learner_no, new_learner.learner_no),
           coalesce(item.item_no, new_item.item_no), sound.ordinal, coalesce(topic.topic_no, new_topic.topic_no),
           sound.response_time_ms, sound.correct, sound.hint_used
    from sound
    left join learner using (user_id)
    left join new_learner using (user_id)
    left join item using (item_id)
    left join new_item using (item_id)
    left join topic using (topic_id)
    left join new_topic using (topic_id)
    on conflict (exam_result_id, ordinal) do nothing;
    return null;
end
$$;

create function exam_results_forget_answers() returns trigger language plpgsql security definer
    set search_path = public, pg_temp
as $$
begin
    if tg_op = 'TRUNCATE' then
        truncate answer;
    else
        delete from answer using old_rows where answer.exam_result_id = old_rows.id;
    end if;
    return null;
end
$$;

create trigger exam_results_inserted after insert on exam_results
    referencing new table as new_rows
    for each statement execute function exam_results_to_answers();
create trigger exam_results_updated after update on exam_results
    referencing old table as old_rows new table as new_rows
    for each statement execute function exam_results_to_answers();
create trigger exam_results_deleted after delete on exam_results
    referencing old table as old_rows
    for each statement execute function exam_results_forget_answers();
create trigger exam_results_truncated after truncate on exam_results
    for each statement execute function exam_results_forget_answers();

-- `attempt_no` is a correlated count: a query that does not select it does not pay for it.
create view attempt as
select
    answer.exam_result_id::text || ':' || answer.ordinal as id,
    learner.user_id,
    item.item_id,
    answer.correct,
    answer.response_time_ms,
    answer.hint_used,
    answer.answered_at as started_at,
    answer.answered_at as completed_at,
    (
        select count(*) from answer as earlier
        where earlier.learner_no = answer.learner_no
          and earlier.item_no = answer.item_no
          and (earlier.answered_at, earlier.exam_result_id, earlier.ordinal)
              <= (answer.answered_at, answer.exam_result_id, answer.ordinal)
    )::integer as attempt_no,
    exam_results.session_id,
    topic.topic_id
from answer
join learner using (learner_no)
join item using (item_no)
left join topic using (topic_no)
left join exam_results on exam_results.id = answer.exam_result_id;

-- What is current: the newest row of a published run, found by one index look-up per item or learner.

create view mirt_item_params as
select item.item_id, newest.model, newest.params, newest.version, newest.run_id, newest.fitted_at
from item
cross join lateral (
    select item_param.* from item_param join run using (run_id)
    where item_param.item_no = item.item_no and run.state = 'published'
    order by item_param.as_of desc, item_param.fitted_at desc
    limit 1
) as newest;

create view mirt_ability as
select learner.user_id, newest.theta, newest.se, newest.model, newest.version, newest.run_id, newest.fitted_at
from learner
cross join lateral (
    select ability.* from ability join run using (run_id)
    where ability.learner_no = learner.learner_no and run.state = 'published'
    order by ability.as_of desc, ability.fitted_at desc, ability.version desc
    limit 1
) as newest;

create view student_topic_theta as
select learner.user_id, topic.topic_id, newest.theta, newest.se, newest.model, newest.version, newest.run_id,
       newest.fitted_at
from learner
cross join topic
cross join lateral (
    select topic_ability.* from topic_ability join run using (run_id)
    where topic_ability.learner_no = learner.learner_no
      and topic_ability.topic_no = topic.topic_no
      and run.state = 'published'
    order by topic_ability.as_of desc, topic_ability.fitted_at desc, topic_ability.version desc
    limit 1
) as newest;

create view mirt_fit_meta as
select run.run_id, coalesce(calibration.model_spec, '{}') as model_spec, coalesce(calibration.metrics, '{}') as metrics,
       coalesce(calibration.fitted_at, run.finished_at, run.started_at) as fitted_at, run.state, run.as_of
from run
left join calibration using (run_id)
where run.job = 'mirt_calibrate';
