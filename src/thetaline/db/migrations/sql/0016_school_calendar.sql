-- Holidays, vacations and weeks of exams. An import replaces what came from the same source before.
create table school_calendar (
    source text not null,
    first_day date not null,
    last_day date not null,
    kind text not null check (kind in ('holiday', 'vacation', 'exam')),
    name text not null,
    primary key (source, first_day, last_day, kind, name),
    check (last_day >= first_day)
);
comment on table school_calendar is 'days from the first to the last; all but exam are free: silence on them is none';
