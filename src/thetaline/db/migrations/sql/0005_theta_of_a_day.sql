-- Whether a learner's topics moved although the general θ did not is told by one number beside it.
alter table ability add column topic_checksum double precision;
comment on column ability.topic_checksum is
    'sum over the topics written with it of √topic_no · (θ + 2 se); null: none were written';

-- As before, but general θ is looked for only where the topic has none of its own, and the run's state is looked up for
-- the rows that come in order: joined, it can become the outer side of a loop over all runs when statistics are old.
create or replace function theta_on(learner integer, topic integer, day date)
returns table (theta double precision, se double precision, source text)
language sql stable
begin atomic
    select found.known[1], found.known[2], case when found.known[3] = 1 then 'topic' else 'general' end
    from (
        select coalesce(
            (
                select array[topic_ability.theta, topic_ability.se, 1]
                from topic_ability
                where topic_ability.learner_no = learner and topic_ability.topic_no = topic
                  and topic_ability.as_of <= day
                  and (select run.state from run where run.run_id = topic_ability.run_id) = 'published'
                order by topic_ability.as_of desc, topic_ability.fitted_at desc, topic_ability.version desc
                limit 1
            ),
            (
                select array[ability.theta, ability.se, 2]
                from ability
                where ability.learner_no = learner and ability.as_of <= day
                  and (select run.state from run where run.run_id = ability.run_id) = 'published'
                order by ability.as_of desc, ability.fitted_at desc, ability.version desc
                limit 1
            )
        ) as known
        offset 0  -- else the three columns above would each look again
    ) as found
    where found.known is not null;
end;
