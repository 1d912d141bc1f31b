-- What a person decided about a drifted item outlives the night; what the job closed by itself does not.

alter table drift_alert
    add column resolved_by text check (resolved_by in ('person', 'job')),
    add constraint only_what_is_resolved_has_a_resolver check (resolved_by is null or resolved_at is not null);

update drift_alert
set resolved_by = case when resolution like any (array['replaced by irt\_drift-%', 'drifts no more in irt\_drift-%'])
        then 'job' else 'person' end
where resolved_at is not null;

-- The newest day for which a check tested an item: one of an earlier day says nothing about the item as it is now.
create table newest_drift_test (
    item_no integer primary key references item,
    run_id text not null references run,
    as_of date not null
);

insert into newest_drift_test (item_no, run_id, as_of)
select distinct on (drift_alert.item_no) drift_alert.item_no, run.run_id, run.as_of
from drift_alert join run using (run_id)
order by drift_alert.item_no, run.as_of desc, run.started_at desc;
