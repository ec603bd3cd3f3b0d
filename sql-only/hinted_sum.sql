-- hinted_sum: search by example and by words with pgvector alone, for servers that take no extension of yours.
--
--     \i hinted_sum.sql
--     SELECT id FROM images ORDER BY embedding <#> (SELECT hinted_sum('images', 'embedding', exemplars => ARRAY[$1], hint => $2)) LIMIT 20;
--
-- It is a weighted sum, not a fit: each direction is divided by its spread over a sample of your rows, the hint counts as far as it is
-- believed, and rejected rows are moved away from a little. With one exemplar and a hint it ranks nearly as well as hinted_exemplar; with
-- several and with reasons for rejections it does not, and there is no margin. Needs pgvector 0.7 or newer. It writes nothing, and reads as the
-- caller.

CREATE OR REPLACE FUNCTION hinted_sum (
    source regclass,
    embedding name,
    exemplars vector[] DEFAULT NULL,
    hint vector DEFAULT NULL,
    counter_exemplars vector[] DEFAULT NULL,
    neutral_hint vector DEFAULT NULL,
    sample_size int DEFAULT 1000,
    seed int DEFAULT 0
) RETURNS vector
LANGUAGE plpgsql STABLE AS $function$
DECLARE
    background vector[];
    mu vector;        -- mean of the sample
    x vector;         -- mean direction of the exemplars
    xc vector;        -- the same, seen from the mean of the sample
    q vector;         -- the hint without half of its neutral part
    w vector;
    d int;
    spread_x float8;
    spread_q float8;
    spread_u float8;  -- of a unit vector along xc
    z float8;         -- standard deviations that the exemplars stand out under the hint
    skewness float8;
    trust float8 := 1;
    c vector;
BEGIN
    IF hint IS NULL AND coalesce(cardinality(exemplars), 0) = 0 THEN
        RAISE 'neither an exemplar nor a hint was given' USING ERRCODE = 'invalid_parameter_value';
    END IF;
    SELECT l2_normalize(avg(l2_normalize(v))) INTO x FROM unnest(exemplars) v;
    d := vector_dims(coalesce(x, hint));
    IF hint IS NOT NULL THEN
        q := l2_normalize(hint);
        IF neutral_hint IS NOT NULL THEN
            q := l2_normalize(q - l2_normalize(neutral_hint) * array_fill(0.5 * -(q <#> l2_normalize(neutral_hint)), ARRAY[d])::vector);
        END IF;
    END IF;
    IF x IS NULL THEN
        RETURN q;
    END IF;
    background := hinted_sum_sample(source, embedding, sample_size, seed);
    SELECT avg(v) INTO mu FROM unnest(background) v;
    IF mu IS NULL THEN
        RETURN coalesce(q, x);
    END IF;
    xc := x - mu;
    SELECT stddev_pop(v <#> xc), stddev_pop(v <#> l2_normalize(xc)) INTO spread_x, spread_u FROM unnest(background) v;
    IF coalesce(spread_x, 0) = 0 THEN
        RETURN coalesce(q, x);
    END IF;
    w := xc * array_fill(1 / spread_x, ARRAY[d])::vector;
    IF q IS NOT NULL THEN
        SELECT stddev_pop(s), (-(x <#> q) - avg(s)) / nullif(stddev_pop(s), 0), coalesce(avg((s - m) ^ 3) / nullif(avg((s - m) ^ 2), 0) ^ 1.5, 0)
        INTO spread_q, z, skewness
        FROM (SELECT s, avg(s) OVER () AS m FROM (SELECT -(v <#> q) AS s FROM unnest(background) v) scores) centred;
        IF coalesce(spread_q, 0) > 0 THEN
            -- A hint that the exemplars do not stand out under, or that hardly tells rows apart, is hardly believed.
            z := greatest(z, 0) * (1 + least(greatest(2 * skewness, -0.5), 0));
            trust := 0.05 + 0.95 / (1 + exp(-(2 * (z + ln(spread_q / spread_u)) - 1.5)));
            w := w + q * array_fill(trust / spread_q, ARRAY[d])::vector;
        END IF;
    END IF;
    IF coalesce(cardinality(counter_exemplars), 0) > 0 THEN
        -- Only what the rejected rows do not share with what is wanted is pushed away.
        SELECT avg(l2_normalize(v)) - mu INTO c FROM unnest(counter_exemplars) v;
        c := c - l2_normalize(w) * array_fill(-(c <#> l2_normalize(w)), ARRAY[d])::vector;
        IF vector_norm(c) > 1e-6 THEN
            w := w - l2_normalize(c) * array_fill(0.1 * vector_norm(w), ARRAY[d])::vector;
        END IF;
    END IF;
    RETURN l2_normalize(w);
END
$function$;
COMMENT ON FUNCTION hinted_sum IS 'weight vector by example and by words with pgvector alone; rank by embedding <#> it';

-- About sample_size unit rows, the same for the same seed. Of a table they come from random places, so the cost does not grow with it.
CREATE OR REPLACE FUNCTION hinted_sum_sample (source regclass, embedding name, sample_size int, seed int) RETURNS vector[]
LANGUAGE plpgsql STABLE AS $function$
DECLARE
    rows vector[];
    has_places boolean;
    blocks bigint;
    per_block float8;
    places tid[];
BEGIN
    SELECT relkind IN ('r', 'm') AND reltuples > 2 * sample_size, relpages, reltuples / nullif(relpages, 0)
    INTO has_places, blocks, per_block
    FROM pg_catalog.pg_class WHERE oid = source;
    IF has_places AND blocks > 0 THEN
        SELECT array_agg(DISTINCT format('(%s,%s)', block, place)::tid) INTO places
        FROM (SELECT (('x' || left(md5(seed || ' b ' || i), 8))::bit(32)::bigint % blocks) AS block,
                     1 + (('x' || left(md5(seed || ' o ' || i), 8))::bit(32)::bigint % ceil(per_block * 1.2)::bigint) AS place
              FROM generate_series(1, (sample_size * 1.6)::int) i) random;
        -- More are found than are wanted, in the order of their places: cut there, the table's end would be missing.
        EXECUTE format('SELECT array_agg(l2_normalize(%1$I::vector)) FROM (SELECT %1$I FROM %2$s WHERE ctid = ANY ($1) AND vector_norm(%1$I::vector) > 0
                        ORDER BY md5($3 || ctid::text) LIMIT $2) drawn',
                       embedding, source)
        INTO rows USING places, sample_size, seed::text;
    ELSE
        EXECUTE format('SELECT array_agg(l2_normalize(%1$I::vector)) FROM (SELECT %1$I FROM (SELECT %1$I FROM %2$s WHERE vector_norm(%1$I::vector) > 0 LIMIT 50 * $1) first
                        ORDER BY md5($2 || %1$I::text) LIMIT $1) drawn', embedding, source)
        INTO rows USING sample_size, seed::text;
    END IF;
    RETURN rows;
END
$function$;
COMMENT ON FUNCTION hinted_sum_sample IS 'unit rows of a relation, drawn at random';
