-- name: other_rows
-- Tables with rows that come neither from the demo's import nor from a job on it, and how many. A table that refers to
-- a learner, an item or a run by a foreign key needs no count of its own.
with demo_result as materialized (
    select id, session_id, user_id, updated_at from exam_results
    where result_json -> 'source' ->> 'file' = cast(%(file)s as text)
), demo_user as materialized (
    select distinct user_id from demo_result
), demo_answer as materialized (
    select distinct answer.item_no, answer.topic_no
    from answer join demo_result on demo_result.id = answer.exam_result_id
), demo_start as materialized (
    select coalesce(
        least(
            (select min(updated_at) from demo_result),
            (select min(started_at) from run where job = 'demo')
        ), 'infinity') as started_at
), other as (
    select 'exam_results' as table_name from exam_results where id not in (select id from demo_result)
    union all
    select 'answer' from answer where exam_result_id not in (select id from demo_result)
    union all
    select 'learner' from learner where user_id not in (select user_id from demo_user)
    union all
    select 'item' from item where item_no not in (select item_no from demo_answer)
    union all
    select 'topic' from topic where not exists (select from demo_answer where demo_answer.topic_no = topic.topic_no)
    union all
    select 'question' from question
    where id::text not in (select item.item_id from item join demo_answer using (item_no))
    union all
    select 'classroom' from classroom
    where not exists (
        select from session join demo_result using (session_id) where session.classroom_id = classroom.classroom_id
    )
    union all
    select 'session' from session
    where not exists (select from demo_result where demo_result.session_id = session.session_id)
    union all
    select 'interest_goal' from interest_goal where user_id not in (select user_id from demo_user)
    union all
    select 'run' from run where started_at < (select started_at from demo_start)
    union all
    select 'topic_ability' from topic_ability
    where learner_no not in (select learner_no from learner join demo_user using (user_id))
    union all
    select 'weekly_ability' from weekly_ability
    where learner_no not in (select learner_no from learner join demo_user using (user_id))
    union all
    select 'growth_line' from growth_line
    where learner_no not in (select learner_no from learner join demo_user using (user_id))
    union all
    select 'growth_goal' from growth_goal
    where learner_no not in (select learner_no from learner join demo_user using (user_id))
    union all
    select 'learner_risk' from learner_risk
    where learner_no not in (select learner_no from learner join demo_user using (user_id))
    union all
    select 'forecast_series' from forecast_series
    where learner_no not in (select learner_no from learner join demo_user using (user_id))
    union all
    select 'learner_segment' from learner_segment
    where learner_no not in (select learner_no from learner join demo_user using (user_id))
    union all
    select 'features_topic_daily' from features_topic_daily where user_id not in (select user_id from demo_user)
    union all
    select 'weekly_kpi' from weekly_kpi where user_id not in (select user_id from demo_user)
    union all
    select 'stored_report' from stored_report where about = 'learner' and owner not in (select user_id from demo_user)
)
select table_name, count(*) from other group by table_name order by table_name

-- name: give_up_reports
-- Their files are deleted when reports are made the next time.
insert into report_deletion
select distinct store, object_key, cast(%(now)s as timestamptz), 'erased' from stored_report where store is not null
on conflict do nothing
