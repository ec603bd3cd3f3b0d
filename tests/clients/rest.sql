-- A function for web users, as a REST layer like PostgREST exposes it: they may call it, and nothing else of the extension.
-- [docs
CREATE ROLE web_user;
CREATE SCHEMA api;
CREATE FUNCTION api.search(like_id bigint, words vector, many integer DEFAULT 5) RETURNS TABLE (id bigint, path text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
BEGIN ATOMIC
    SELECT i.id, i.path
    FROM   public.images i
    ORDER  BY i.embedding <#> (SELECT hinted_exemplar('public.images', 'embedding',
                                   exemplar => (SELECT e.embedding FROM public.images e WHERE e.id = like_id), hint => words))
    LIMIT  least(many, 100);
END;
REVOKE EXECUTE ON FUNCTION api.search FROM PUBLIC;
GRANT USAGE ON SCHEMA api TO web_user;
GRANT EXECUTE ON FUNCTION api.search TO web_user;
-- docs]
