-- The risk that learners fall silent, by run. A run that could fit nothing has its reason here, and no learners.
create table survival_fit_meta (
    run_id text primary key references run,
    formula text not null,
    coefficients jsonb not null default '[]',
    hazard_ratios jsonb not null default '{}',
    concordance double precision check (concordance between 0 and 1),
    fitted_at timestamptz not null,
    in_force text check (in_force in ('landmark_hazard', 'inactivity')),
    metrics jsonb not null default '{}',
    status text not null check (status in ('fitted', 'not fitted')),
    reason text,
    intended_use text not null,
    check ((in_force is null) = (status = 'not fitted'))
);
comment on column survival_fit_meta.in_force is 'whose probability is the risk: the hazard model, or S of compute_daily_kpis';
comment on column survival_fit_meta.concordance is 'AUC of silence within the threshold, on the weeks held out';

-- Only learners at risk: who is silent for as long as the threshold is counted in survival_fit_meta. No foreign keys.
create table learner_risk (
    run_id text not null,
    learner_no integer not null,
    risk double precision not null check (risk between 0 and 1),
    hazard_ratio double precision not null check (hazard_ratio >= 0),
    rank_percentile double precision not null check (rank_percentile between 0 and 100),
    primary key (run_id, learner_no)
);

-- The contract's name: the newest published run. For staff: no learner's token reads it.
create view survival_risk as
select learner.user_id, stored.run_id, stored.risk, stored.hazard_ratio, stored.rank_percentile,
       meta.fitted_at as updated_at
from survival_fit_meta as meta
join learner_risk as stored using (run_id)
join learner using (learner_no)
where meta.run_id = (
    select run.run_id from run
    where run.job = 'fit_survival_churn' and run.state = 'published'
    order by run.as_of desc, run.started_at desc
    limit 1
);
