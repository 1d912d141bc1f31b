-- Forecasts of weekly series, by run and metric. A metric that could not be forecast has its reason here, and no rows below.
create table prophet_fit_meta (
    run_id text not null references run,
    metric text not null check (metric in ('theta', 'I_t', 'accuracy', 'activity')),
    changepoints jsonb not null default '[]',
    forecast jsonb not null default '{}',
    metrics jsonb not null default '{}',
    fitted_at timestamptz not null,
    status text not null check (status in ('fitted', 'not fitted')),
    reason text,
    intended_use text not null,
    primary key (run_id, metric),
    check ((reason is null) = (status = 'fitted'))
);
comment on column prophet_fit_meta.changepoints is 'of everybody and of classrooms: week_start, size in the units of the metric, p; those of learners stand in forecast_series';
comment on column prophet_fit_meta.forecast is 'of everybody and of classrooms, by week ahead';

-- A series of a learner, of a classroom, or of everybody (both null). No foreign keys below, as in weekly_ability.
create table forecast_series (
    run_id text not null,
    series_no integer not null,
    metric text not null,
    learner_no integer,
    classroom_id text,
    weeks_known smallint not null check (weeks_known >= 0),
    reason text,
    changed_on date,
    change double precision,
    change_p double precision check (change_p between 0 and 1),
    primary key (run_id, series_no),
    check (learner_no is null or classroom_id is null)
);
comment on column forecast_series.reason is 'why there is no forecast: the series is too short';
comment on column forecast_series.changed_on is 'Monday of the week from which on the level is another';

create table forecast_value (
    run_id text not null,
    series_no integer not null,
    horizon smallint not null check (horizon between 1 and 4),
    mean double precision not null,
    sd double precision not null check (sd >= 0),
    low_95 double precision not null,
    low_80 double precision not null,
    high_80 double precision not null,
    high_95 double precision not null,
    primary key (run_id, series_no, horizon),
    check (low_95 <= low_80 and low_80 <= high_80 and high_80 <= high_95)
);

-- The alarms of a run's newest week alone.
create table forecast_anomaly (
    run_id text not null,
    series_no integer not null,
    value double precision not null,
    expected double precision not null,
    anomaly_score double precision not null,
    p_value double precision not null check (p_value between 0 and 1),
    primary key (run_id, series_no)
);
comment on column forecast_anomaly.anomaly_score is 'error of the forecast of a week before, in standard deviations of it';

-- For each metric and week the newest published run that could forecast it.
create view forecast_run as
select distinct on (meta.metric, run.as_of) meta.run_id, meta.metric, run.as_of, meta.fitted_at
from prophet_fit_meta as meta
join run using (run_id)
where run.state = 'published' and meta.status = 'fitted'
order by meta.metric, run.as_of, run.started_at desc;

-- What is foretold now: of each metric the newest run that could. For staff: no learner's token reads it.
create view forecast_weekly as
select series.metric, learner.user_id, series.classroom_id,
       newest.as_of + 1 + 7 * (stored.horizon - 1) as week_start,
       stored.horizon, stored.mean, stored.sd, stored.low_95, stored.low_80, stored.high_80, stored.high_95,
       newest.run_id
from (select distinct on (metric) * from forecast_run order by metric, as_of desc) as newest
join forecast_series as series on series.run_id = newest.run_id and series.metric = newest.metric
join forecast_value as stored on stored.run_id = series.run_id and stored.series_no = series.series_no
left join learner on learner.learner_no = series.learner_no;

-- The contract's name: the alarms of every week. A week that was forecast again has those of its newest run.
create view prophet_anomalies as
select of_week.run_id, of_week.as_of - 6 as week_start, series.metric, stored.value, stored.expected,
       stored.anomaly_score, of_week.fitted_at as detected_at, stored.p_value, learner.user_id, series.classroom_id
from forecast_run as of_week
join forecast_series as series on series.run_id = of_week.run_id and series.metric = of_week.metric
join forecast_anomaly as stored on stored.run_id = series.run_id and stored.series_no = series.series_no
left join learner on learner.learner_no = series.learner_no;
