-- name: limit_statements
select set_config('statement_timeout', cast(%(milliseconds)s as text), true);

-- name: ability
select user_id, theta, se, model, version, run_id, fitted_at from mirt_ability where user_id = %(user_id)s;

-- name: topic_abilities
select topic_id, theta, se, model, version, run_id, fitted_at
from student_topic_theta where user_id = %(user_id)s order by topic_id;

-- name: ability_history
select ability.theta, ability.se, ability.model, ability.version, ability.run_id, ability.fitted_at
from ability join learner using (learner_no) join run using (run_id)
where learner.user_id = %(user_id)s and run.state = 'published'
order by ability.as_of desc, ability.fitted_at desc, ability.version desc
limit %(most)s;

-- name: topic_ability_history
select topic_ability.theta, topic_ability.se, topic_ability.model, topic_ability.version, topic_ability.run_id,
       topic_ability.fitted_at
from topic_ability join learner using (learner_no) join topic using (topic_no) join run using (run_id)
where learner.user_id = %(user_id)s and topic.topic_id = %(topic_id)s and run.state = 'published'
order by topic_ability.as_of desc, topic_ability.fitted_at desc, topic_ability.version desc
limit %(most)s;

-- name: kpis
select week_start, kpis, updated_at from weekly_kpi
where user_id = %(user_id)s order by week_start desc limit %(weeks)s;

-- name: bank_page
select * from bank_item where item_id > %(after)s order by item_id limit %(most)s;

-- name: bank_item
select * from bank_item where item_id = %(item_id)s;

-- name: bank
select item_id, model, params from mirt_item_params order by item_id;

-- name: item_history
select item_param.model, item_param.params, item_param.version, item_param.run_id, item_param.fitted_at
from item_param join item using (item_no) join run using (run_id)
where item.item_id = %(item_id)s and run.state = 'published'
order by item_param.as_of desc, item_param.fitted_at desc
limit %(most)s;

-- name: item_codes
select item_id, code from item_code where item_id = any(cast(%(item_ids)s as text[]));

-- name: answered_items
select distinct item.item_id from answer join learner using (learner_no) join item using (item_no)
where learner.user_id = %(user_id)s and answer.correct is not null;

-- name: runs
select run_id, job, as_of, state, started_at, finished_at, summary, error, reason
from run
where job = coalesce(cast(%(job)s as text), job) and run_id = coalesce(cast(%(run_id)s as text), run_id)
order by started_at desc, run_id desc
limit %(most)s;

-- name: gate
select check_name, passed, value, limit_text, message from gate_result where run_id = %(run_id)s order by check_name;

-- name: drift_alerts
select drift_alert.run_id, item.item_id, item_code.code, drift_alert.is_anchor, drift_alert.severity,
       drift_alert.statistics, drift_alert.proposal, drift_alert.created_at
from drift_alert join item using (item_no) join item_code using (item_id)
where drift_alert.resolved_at is null
order by drift_alert.created_at desc, item.item_id
limit %(most)s;

-- name: newest_published_run
select run_id from run where job = 'mirt_calibrate' and state = 'published'
order by as_of desc, finished_at desc limit 1;

-- name: gate_counts
select check_name || case when passed then '/passed' else '/failed' end as outcome, count(*)
from gate_result join run using (run_id)
where run.started_at >= now() - interval '30 days'
group by 1;
