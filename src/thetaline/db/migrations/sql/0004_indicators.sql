-- What the jobs between a calibration and the weekly indicators read and write.

-- Three look-ups a row were three quarters of the time to append a night of topic abilities (400,000 rows: 6.2 s with the
-- foreign keys, 1.8 s without). Its writers have read learner and topic in the same transaction.
alter table topic_ability
    drop constraint topic_ability_run_id_fkey,
    drop constraint topic_ability_learner_no_fkey,
    drop constraint topic_ability_topic_no_fkey;

-- Answers as fixed-width columns without nulls, for bulk reads into arrays: −1 is "not known", topic 0 "none".
create view coded_answer as
select
    learner_no,
    item_no,
    coalesce(topic_no, 0) as topic_no,
    ordinal,
    case when correct then 1 when not correct then 0 else -1 end::smallint as correct,
    case when hint_used then 1 when not hint_used then 0 else -1 end::smallint as hint,
    coalesce(response_time_ms, -1) as time_ms,
    uuid_hash(exam_result_id) as session,
    answered_at
from answer;

-- Topic θ of that day or earlier, else general θ of that day or earlier. A plain query, so that PostgreSQL inlines it.
create function theta_on(learner integer, topic integer, day date)
returns table (theta double precision, se double precision, source text)
language sql stable
begin atomic
    select found.theta, found.se, found.source
    from (
        (
            select topic_ability.theta, topic_ability.se, 'topic' as source, 1 as choice
            from topic_ability join run using (run_id)
            where topic_ability.learner_no = learner and topic_ability.topic_no = topic
              and topic_ability.as_of <= day and run.state = 'published'
            order by topic_ability.as_of desc, topic_ability.fitted_at desc, topic_ability.version desc
            limit 1
        )
        union all
        (
            select ability.theta, ability.se, 'general', 2
            from ability join run using (run_id)
            where ability.learner_no = learner and ability.as_of <= day and run.state = 'published'
            order by ability.as_of desc, ability.fitted_at desc, ability.version desc
            limit 1
        )
    ) as found
    order by found.choice
    limit 1;
end;
