-- The covariance of a with b, and of an anchor, which is held at its reference, what the answers alone say:
-- {"a", "b", "c"?, "d"?, "se", "cov_ab"?}.
alter table item_param
    add column cov_ab double precision,
    add column free jsonb;
