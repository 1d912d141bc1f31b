-- How the answers of a week agree with an item's reference: sums of the score of its location and its information, and
-- the mean θ of those who answered. Weeks do not overlap, so that their evidence adds up.
create table drift_score (
    item_no integer not null references item,
    week date not null constraint week_of_a_score_is_a_monday check (extract(isodow from week) = 1),
    as_of date not null,
    reference text not null,
    n_answers integer not null check (n_answers > 0),
    score double precision not null,
    information double precision not null check (information > 0),
    location double precision not null,
    primary key (item_no, week)
);
create index drift_score_by_week on drift_score (week);
