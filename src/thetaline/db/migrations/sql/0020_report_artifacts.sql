-- Stored reports of learners and classes with what each was made of; objects that no row names any more wait in
-- report_deletion.

alter table report_artifacts rename to stored_report;
alter table stored_report rename column user_id to owner;
alter table stored_report
    add column about text not null default 'learner' check (about in ('learner', 'class')),
    add column store text,
    add column object_key text,
    add column language text check (language in ('ko', 'en')),
    add column content_hash text,
    add column sources text[] not null default '{}',
    add column superseded_at timestamptz,
    add constraint stored_report_has_store_and_key check ((store is null) = (object_key is null)),
    drop constraint report_artifacts_pkey,
    add primary key (about, owner, week_start, format);
alter index report_artifacts_by_time rename to stored_report_by_time;
comment on column stored_report.owner is 'user_id or classroom_id';
comment on column stored_report.format is 'html or pdf of the learner; teacher.html, family.pdf, … of other readers';
comment on column stored_report.url is 'store and key; private, never a link that opens by itself';
comment on column stored_report.content_hash is 'of the values and of the templates: equal is unchanged';
comment on column stored_report.sources is 'the runs that any number of the page comes from';
comment on column stored_report.superseded_at is 'when one of its sources was retracted; it is not given out any more';

create view report_artifacts as
select owner as user_id, week_start, format, url, generated_at, language
from stored_report
where about = 'learner' and superseded_at is null;

create table report_deletion (
    store text not null,
    object_key text not null,
    asked_at timestamptz not null,
    reason text not null check (reason in ('superseded', 'expired', 'erased')),
    primary key (store, object_key)
);
comment on table report_deletion is 'written in the transaction that gives up a report; emptied as the objects are deleted';

create function supersede_reports()
returns trigger
language plpgsql
as $$
begin
    with superseded as (
        update stored_report set superseded_at = clock_timestamp()
        where superseded_at is null and sources @> array[new.run_id]
        returning store, object_key
    )
    insert into report_deletion
    select store, object_key, clock_timestamp(), 'superseded' from superseded where store is not null
    on conflict do nothing;
    return null;
end;
$$;

create trigger reports_follow_a_retraction
after update of state on run
for each row when (new.state = 'retracted' and old.state is distinct from 'retracted')
execute function supersede_reports();
