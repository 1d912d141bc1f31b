-- What each role of docs/decisions/0403-roles.md may do, for the roles that exist and the tables that are there yet.
do $$
declare
    given record;
begin
    for given in
        select role, privilege, relation
        from (values
            ('thetaline_exam_app', 'select, insert, update on', array['exam_results', 'session', 'classroom', 'question']),
            ('thetaline_exam_app', 'usage on sequence', array['question_id_seq']),
            ('thetaline_jobs', 'select, insert, update, delete on', array[
                'ability', 'answer', 'api_token', 'calibration', 'classroom', 'drift_alert', 'drift_score', 'exam_results',
                'features_topic_daily', 'forecast_anomaly', 'forecast_series', 'forecast_value', 'gate_result',
                'growth_brms_meta', 'growth_glmm_meta', 'growth_goal', 'growth_line', 'interest_goal', 'item',
                'item_param', 'learner', 'learner_risk', 'learner_segment', 'newest_drift_test', 'prophet_fit_meta',
                'question', 'report_artifacts', 'report_deletion', 'run', 'school_calendar', 'segment_meta', 'service_job',
                'service_job_body', 'session', 'stored_report', 'survival_fit_meta', 'topic', 'topic_ability', 'weekly_ability', 'weekly_kpi']),
            ('thetaline_jobs', 'usage on sequence', array['question_id_seq']),
            ('thetaline_jobs', 'select on', array[
                'attempt', 'bank_item', 'coded_answer', 'forecast_run', 'forecast_weekly', 'item_code', 'kpi_key',
                'mirt_ability', 'mirt_fit_meta', 'mirt_item_params', 'prophet_anomalies', 'schema_migration',
                'student_topic_theta', 'survival_risk', 'user_segment', 'weekly_theta']),
            ('thetaline_reader', 'select on', array[
                'attempt', 'classroom', 'features_topic_daily', 'growth_brms_meta', 'growth_glmm_meta', 'interest_goal',
                'item_code', 'mirt_ability', 'mirt_fit_meta',
                'mirt_item_params', 'question', 'report_artifacts', 'school_calendar', 'session', 'student_topic_theta', 'weekly_kpi',
                'weekly_theta'])
        ) as wanted (role, privilege, relations)
        cross join unnest(relations) as relation
        where to_regrole(role) is not null and to_regclass(relation) is not null
    loop
        execute format('grant %s %I to %I', given.privilege, given.relation, given.role);
    end loop;
end
$$;
