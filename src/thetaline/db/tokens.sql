-- name: create
insert into api_token (token_id, name, secret_sha256, scopes, user_id, expires_at)
values (%(token_id)s, %(name)s, %(secret_sha256)s, %(scopes)s, %(user_id)s, cast(%(expires_at)s as timestamptz));

-- name: active
select token_id, name, secret_sha256, scopes, user_id, expires_at, created_at, revoked_at
from api_token
where revoked_at is null and (expires_at is null or expires_at > now());

-- name: any
select exists (select from api_token);

-- name: all
select token_id, name, secret_sha256, scopes, user_id, expires_at, created_at, revoked_at
from api_token
order by created_at, token_id;

-- name: revoke
update api_token set revoked_at = now()
where token_id = %(token_id)s and revoked_at is null
returning token_id;
