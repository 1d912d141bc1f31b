-- Which published θ is the newest of a day is said here and nowhere else. The views of the contract stay as they are: a
-- function in a view needs rights that a reader of the view does not have.

-- Plain queries, so that PostgreSQL inlines them. The run's state is looked up for the rows that come in order: joined,
-- it can become the outer side of a loop over all runs when statistics are old.
create function ability_on(learner integer, day date)
returns table (run_id text, theta double precision, se double precision, n_answers integer, topic_checksum double precision)
language sql stable rows 1
begin atomic
    select ability.run_id, ability.theta, ability.se, ability.n_answers, ability.topic_checksum
    from ability
    where ability.learner_no = learner and ability.as_of <= day
      and (select run.state from run where run.run_id = ability.run_id) = 'published'
    order by ability.as_of desc, ability.fitted_at desc, ability.version desc
    limit 1;
end;

create function topic_ability_on(learner integer, topic integer, day date)
returns table (theta double precision, se double precision)
language sql stable rows 1
begin atomic
    select topic_ability.theta, topic_ability.se
    from topic_ability
    where topic_ability.learner_no = learner and topic_ability.topic_no = topic and topic_ability.as_of <= day
      and (select run.state from run where run.run_id = topic_ability.run_id) = 'published'
    order by topic_ability.as_of desc, topic_ability.fitted_at desc, topic_ability.version desc
    limit 1;
end;

-- As before: general θ is looked for only where the topic has none of its own.
create or replace function theta_on(learner integer, topic integer, day date)
returns table (theta double precision, se double precision, source text)
language sql stable
begin atomic
    select found.known[1], found.known[2], case when found.known[3] = 1 then 'topic' else 'general' end
    from (
        select coalesce(
            (select array[newest.theta, newest.se, 1] from topic_ability_on(learner, topic, day) as newest),
            (select array[newest.theta, newest.se, 2] from ability_on(learner, day) as newest)
        ) as known
        offset 0  -- else the three columns above would each look again
    ) as found
    where found.known is not null;
end;

-- What the service shows of an item: its current parameters, its topic, those of its tags that are text or numbers.
create view bank_item as
select params.item_id, params.model, params.params, params.version, params.run_id, params.fitted_at, question.topic_id,
       coalesce(
           jsonb_path_query_array(
               question.meta,
               'strict $.tags ? (@.type() == "array")[*] ? (@.type() == "string" || @.type() == "number")',
               silent => true
           ),
           '[]'
       ) as tags
from mirt_item_params as params
left join question on question.id = case when params.item_id ~ '^[0-9]{1,18}$' then params.item_id::bigint end;
