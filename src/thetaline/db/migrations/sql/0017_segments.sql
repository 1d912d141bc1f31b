-- Segments of learners, by run. A run that could fit nothing has its reason here, and no learners.
create table segment_meta (
    run_id text primary key references run,
    method text not null,
    n_clusters integer not null check (n_clusters >= 0),
    centers jsonb not null default '[]',
    metrics jsonb not null default '{}',
    fitted_at timestamptz not null,
    status text not null check (status in ('fitted', 'not fitted')),
    reason text,
    intended_use text not null
);
comment on table segment_meta is 'centers: one object a segment, in its order of size';

-- No foreign keys, as in weekly_ability.
create table learner_segment (
    run_id text not null,
    learner_no integer not null,
    segment smallint not null check (segment >= 0),
    features jsonb not null,
    primary key (run_id, learner_no)
);
comment on table learner_segment is 'segment: position in segment_meta.centers; a learner of whom little is known has none';

create function newest_segments(day date)
returns text
language sql stable
begin atomic
    select run.run_id
    from run
    where run.job = 'cluster_segments' and run.state = 'published' and run.as_of <= day
    order by run.as_of desc, run.started_at desc
    limit 1;
end;

-- The contract's name: the newest published run. For staff: no learner's token reads it.
create view user_segment as
select learner.user_id,
       meta.centers -> stored.segment ->> 'label' as segment_label,
       stored.features as features_snapshot,
       meta.fitted_at as assigned_at,
       stored.run_id
from segment_meta as meta
join learner_segment as stored using (run_id)
join learner using (learner_no)
where meta.run_id = (
    select run.run_id from run
    where run.job = 'cluster_segments' and run.state = 'published'
    order by run.as_of desc, run.started_at desc
    limit 1
);
