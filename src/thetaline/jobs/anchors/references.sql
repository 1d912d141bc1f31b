-- name: anchors
select cast(id as text), meta -> 'irt' from question where meta -> 'tags' @> cast('["anchor"]' as jsonb) order by question.id
