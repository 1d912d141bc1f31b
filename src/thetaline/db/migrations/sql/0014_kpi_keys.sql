-- Who writes which key of weekly_kpi.kpis: here, and nowhere else. Another program registers its keys before it writes.
create table kpi_key (
    key text primary key,
    writer text not null
);
insert into kpi_key (writer, key)
select 'compute_daily_kpis', unnest(array[
    'I_t', 'method', 'delta_theta', 'delta_theta_se', 'delta_accuracy', 'delta_accuracy_se', 'n_recent', 'n_previous',
    'reliable_change', 'E_t', 'R_t', 'A_t', 'P', 'P_source', 'S', 'theta', 'theta_se', 'as_of'])
union all
select 'fit_growth_glmm', unnest(array['glmm_slope', 'glmm_slope_se', 'glmm_as_of'])
union all
select 'fit_bayesian_growth', unnest(array[
    'growth_level', 'growth_level_se', 'growth_slope', 'growth_slope_se', 'growth_trend', 'growth_as_of',
    'goal_probability', 'goal_ever_probability', 'goal_stopped']);

create function kpi_keys_of(wanted text)
returns text[]
language sql stable
begin atomic
    select coalesce(array_agg(kpi_key.key), '{}') from kpi_key where kpi_key.writer = wanted;
end;

-- A statement may add, change or remove keys of the writer that its transaction has declared, and no others:
-- set_config('thetaline.kpi_writer', …, true).
create function refuse_keys_of_other_writers()
returns trigger
language plpgsql
as $$
declare
    declared constant text := coalesce(current_setting('thetaline.kpi_writer', true), '');
    own constant text[] := kpi_keys_of(declared);
    wrong record;
begin
    if tg_op = 'INSERT' then
        select fresh.user_id, fresh.kpis - own as after, '{}'::jsonb as before into wrong
        from fresh where jsonb_typeof(fresh.kpis) = 'object' and fresh.kpis - own <> '{}' limit 1;
    else
        -- a row that was given to another learner or week is a new row there
        select fresh.user_id, fresh.kpis - own as after, coalesce(stale.kpis - own, '{}') as before into wrong
        from fresh left join stale using (user_id, week_start)
        where jsonb_typeof(fresh.kpis) = 'object' and coalesce(jsonb_typeof(stale.kpis), 'object') = 'object'
          and fresh.kpis - own <> coalesce(stale.kpis - own, '{}')
        limit 1;
    end if;
    if found then
        select key, coalesce(kpi_key.writer, 'nobody') as writer into wrong
        from (select jsonb_object_keys(wrong.after || wrong.before) as key) as named
        left join kpi_key using (key)
        where wrong.after -> key is distinct from wrong.before -> key
        order by key limit 1;
        raise exception using
            errcode = 'check_violation',
            message = format('weekly_kpi: key %L belongs to %s, and %s would change it', wrong.key, wrong.writer,
                             coalesce(nullif(declared, ''), 'a writer that has not declared itself')),
            hint = 'register keys in kpi_key, and declare the writer by '
                || 'set_config(''thetaline.kpi_writer'', its name, true) in the transaction';
    end if;
    return null;
end;
$$;

create trigger keys_of_inserted_kpis after insert on weekly_kpi
    referencing new table as fresh
    for each statement execute function refuse_keys_of_other_writers();
create trigger keys_of_updated_kpis after update on weekly_kpi
    referencing old table as stale new table as fresh
    for each statement execute function refuse_keys_of_other_writers();
