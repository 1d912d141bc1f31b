-- name: contents
select count(*) filter (where result_json -> 'source' ->> 'file' = %(file)s) as demo_results,
       count(*) filter (where result_json -> 'source' ->> 'file' is distinct from %(file)s) as other_results,
       (select count(*) from run where job = 'mirt_calibrate' and state = 'published') as published_runs,
       (select count(distinct user_id) from exam_results) as learners,
       (select count(*) from question) as questions,
       (select count(*) from answer) as answers,
       min(created_at) as first_at,
       max(created_at) as last_at
from exam_results

-- name: newest_demo
select state, settings from run where job = 'demo' order by started_at desc, run_id desc limit 1

-- name: add_classrooms
insert into classroom (classroom_id, name)
select distinct class, 'Class ' || class from unnest(cast(%(class)s as text[])) as class
on conflict (classroom_id) do nothing

-- name: assign_classrooms
update session set classroom_id = assigned.class
from unnest(cast(%(user_id)s as text[]), cast(%(class)s as text[])) as assigned (user_id, class)
where session.user_id = assigned.user_id and session.classroom_id is null

-- name: describe_questions
-- What a question asks, where the import says nothing of it.
update question
set content = format('Simulated question %s on %s', substring(meta ->> 'external_id' from '[0-9]+$'), topic_id)
where content is null and meta ? 'external_id'

-- name: add_goals
insert into interest_goal (user_id, topic_id, target_level, priority, target_date)
select * from unnest(
    cast(%(user_id)s as text[]), cast(%(topic_id)s as text[]), cast(%(target_level)s as float8[]),
    cast(%(priority)s as integer[]), cast(%(target_date)s as date[]))
on conflict (user_id, topic_id) do nothing

-- name: published_items
select coalesce(question.meta ->> 'external_id', mirt_item_params.item_id) as code,
       (params ->> 'a')::float8 as a, (params ->> 'b')::float8 as b
from mirt_item_params join question on question.id::text = mirt_item_params.item_id

-- name: published_abilities
-- Of the run itself, because a snapshot replaces them in mirt_ability.
select learner.user_id, ability.theta
from ability join learner using (learner_no)
where ability.run_id = cast(%(run_id)s as text)

-- name: fit
select model_spec, metrics from mirt_fit_meta where run_id = %(run_id)s

-- name: anchors
select id::text, meta ->> 'external_id' from question where meta -> 'tags' @> '["anchor"]'::jsonb

-- name: weekly_kpis
select user_id, (kpis ->> 'I_t')::float8, kpis ->> 'method', (kpis ->> 'reliable_change')::integer,
       (kpis ->> 'delta_theta_se')::float8
from weekly_kpi
where week_start = cast(%(week_start)s as date)

-- name: growth_lines
select learner.user_id, line.slope, line.slope_se
from growth_line as line join learner using (learner_no)
where line.run_id = newest_growth(cast(%(job)s as text), cast(%(as_of)s as date))

-- name: growth_goals
select learner.user_id, coalesce(goal.target_level, 0), goal.target_date, goal.probability
from growth_goal as goal join learner using (learner_no)
where goal.run_id = newest_growth('fit_bayesian_growth', cast(%(as_of)s as date)) and goal.probability is not null

-- name: features_with_theta
select count(*) from features_topic_daily where theta_estimate is not null

-- name: example_reports
-- A page of each kind: of the learner with a goal whose growth is surest, and of the first class.
(select stored.about, stored.owner, stored.store, stored.object_key
 from stored_report as stored
 left join learner on learner.user_id = stored.owner
 left join growth_line as line using (learner_no)
 where stored.about = 'learner' and stored.superseded_at is null
 order by stored.week_start desc, exists (select from interest_goal where user_id = stored.owner) desc,
          line.slope / nullif(line.slope_se, 0) desc nulls last, stored.owner
 limit 1)
union all
(select about, owner, store, object_key
 from stored_report
 where about = 'class' and superseded_at is null
 order by week_start desc, owner
 limit 1)

-- name: newest_churn
select in_force, cast(metrics -> 'accuracy' -> in_force ->> 'auc' as float8),
       cast(metrics -> 'accuracy' -> in_force ->> 'brier' as float8), reason
from survival_fit_meta
order by fitted_at desc
limit 1

-- name: newest_segments
select centers, reason from segment_meta order by fitted_at desc limit 1

-- name: newest_forecasts
-- Of the newest run: series with a forecast, alarms, and why a metric has none.
select metric,
       cast(metrics -> 'learners' ->> 'n_forecast' as integer) + cast(metrics -> 'cohorts' ->> 'n_forecast' as integer),
       cast(metrics -> 'learners' ->> 'n_anomalies' as integer)
       + cast(metrics -> 'cohorts' ->> 'n_anomalies' as integer),
       reason
from prophet_fit_meta
where run_id = (select run_id from prophet_fit_meta order by fitted_at desc limit 1)
order by metric
