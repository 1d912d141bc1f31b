-- θ of single ISO weeks: each from the first answers of that week alone, all weeks of a run on the same item parameters.
-- No foreign keys, as in topic_ability: the writer has read the learners in the same transaction and holds the run.
create table weekly_ability (
    run_id text not null,
    learner_no integer not null,
    week_start date not null constraint week_of_an_ability_is_a_monday check (extract(isodow from week_start) = 1),
    theta double precision not null,
    se double precision not null check (se > 0),
    n integer not null check (n > 0),
    model text not null,
    fitted_at timestamptz not null,
    primary key (run_id, learner_no, week_start)
);

-- The contract's name: every published run. A reader takes one run, whose weeks share a scale: see newest_weekly_theta.
create view weekly_theta as
select learner.user_id, stored.week_start, stored.run_id, stored.theta, stored.se, stored.n, stored.model, stored.fitted_at
from weekly_ability as stored
join learner using (learner_no)
join run using (run_id)
where run.state = 'published';

-- The published run of weekly θ that is newest on a day.
create function newest_weekly_theta(day date)
returns text
language sql stable
begin atomic
    select run.run_id
    from run
    where run.job = 'weekly_theta' and run.state = 'published' and run.as_of <= day
    order by run.as_of desc, run.started_at desc
    limit 1;
end;
