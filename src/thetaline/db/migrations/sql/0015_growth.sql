-- Growth of learners, by run. A run that could fit nothing has its reason here, and no learners.

create table growth_glmm_meta (
    run_id text primary key references run,
    formula text not null,
    fixed_effects jsonb not null default '[]',
    random_effects_summary jsonb not null default '{}',
    fit_metrics jsonb not null default '{}',
    fitted_at timestamptz not null,
    status text not null check (status in ('fitted', 'simplified', 'not fitted')),
    reason text
);

create table growth_brms_meta (
    run_id text primary key references run,
    formula text not null,
    priors jsonb not null default '{}',
    posterior_summary jsonb not null default '{}',
    diagnostics jsonb not null default '{}',
    fitted_at timestamptz not null,
    status text not null check (status in ('fitted', 'simplified', 'not fitted')),
    reason text
);

-- Level in the run's last week, and slope a week, on the θ scale. No foreign keys, as in weekly_ability.
create table growth_line (
    run_id text not null,
    learner_no integer not null,
    level double precision not null,
    level_se double precision not null check (level_se >= 0),
    slope double precision not null,
    slope_se double precision not null check (slope_se >= 0),
    correlation double precision,
    n_weeks integer not null,
    bend_week date,
    primary key (run_id, learner_no)
);
comment on table growth_line is 'of fit_growth_glmm and fit_bayesian_growth; bend_week: from when on θ stays level';

-- Of each dated goal, as it was when the run read it; a probability that is withheld has its reason.
create table growth_goal (
    run_id text not null,
    learner_no integer not null,
    topic_id text not null,
    target_level double precision,
    target_date date not null,
    probability double precision check (probability between 0 and 1),
    ever_probability double precision check (ever_probability between 0 and 1),
    reason text,
    primary key (run_id, learner_no, topic_id),
    check ((probability is null) = (reason is not null))
);

-- The run of a growth job whose lines are current on a day.
create function newest_growth(wanted text, day date)
returns text
language sql stable
begin atomic
    select run.run_id
    from run
    where run.job = wanted and run.state = 'published' and run.as_of <= day
    order by run.as_of desc, run.started_at desc
    limit 1;
end;

-- P of learners whose every goal has a probability from growth that is at most a week old and was made for the goal as
-- it is now: their mean, weighted by priority.
create function goal_from_growth(day date)
returns table (learner_no integer, probability double precision)
language sql stable
begin atomic
    select learner.learner_no,
           sum(greatest(coalesce(goal.priority, 1), 0) * made.probability)
               / nullif(sum(greatest(coalesce(goal.priority, 1), 0)), 0)
    from interest_goal as goal
    join learner using (user_id)
    left join growth_goal as made
        on made.run_id = (
            select run.run_id from run
            where run.run_id = newest_growth('fit_bayesian_growth', day) and run.as_of >= day - 7
        )
       and made.learner_no = learner.learner_no and made.topic_id = goal.topic_id
       and made.target_level is not distinct from goal.target_level and made.target_date = goal.target_date
    group by learner.learner_no
    having bool_and(made.probability is not null) and sum(greatest(coalesce(goal.priority, 1), 0)) > 0;
end;
