-- name: periods
select first_day, last_day, kind, name, source
from school_calendar
order by first_day, last_day, name

-- name: delete_source
delete from school_calendar where source = cast(%(source)s as text)

-- name: insert_period
insert into school_calendar (source, first_day, last_day, kind, name)
values (cast(%(source)s as text), cast(%(first_day)s as date), cast(%(last_day)s as date), cast(%(kind)s as text),
        cast(%(name)s as text))
