#!/usr/bin/env bash
# Every row is as likely to be drawn as any other, on tables that only VACUUM makes: Pearson's statistic over many seeds, about 1 per degree
# of freedom. What was drawn is read from the likely false negatives of a fit whose second exemplar, of next to no weight, scores below all rows.

# shellcheck source=tests/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

new_database uniform
query "CREATE EXTENSION hinted_exemplar CASCADE
;      CREATE FUNCTION ratio(source regclass, seeds int) RETURNS float8 LANGUAGE plpgsql AS \$\$
       DECLARE rows bigint; ratio float8;
       BEGIN
           EXECUTE format('CREATE TEMP TABLE drawn AS SELECT t.ctid AS place, count(row) AS times
                           FROM %s t LEFT JOIN (
                               SELECT unnest(f.false_negative_ctids) AS row
                               FROM generate_series(1, %s) seed, LATERAL hinted_exemplar_fit(%L, ''v'',
                                    exemplars => ARRAY[''[0,0.2,1]'', ''[1,0.2,-1]'']::vector[], exemplar_weights => ''{1,0.000001}'', sample_size => 100, seed => seed) f
                           ) sampled ON row = t.ctid GROUP BY 1', source, seeds, source);
           SELECT count(*) INTO rows FROM drawn;
           SELECT sum((times - seeds * 100.0 / rows) ^ 2) / (seeds * 100.0 / rows * (1 - 100.0 / rows)) / rows INTO ratio FROM drawn;
           ASSERT (SELECT sum(times) FROM drawn) = seeds * 100, 'not every drawn row is a likely false negative';
           DROP TABLE drawn;
           RETURN ratio;
       END \$\$"

# What a row says beside its place does not matter: all point the same way, none is an exemplar.
vector="ARRAY[1, 0.3 + random() / 10, random() / 10]::vector"
uniform() { check "$1" is_true "ratio('t', 300) BETWEEN 0.85 AND 1.15"; }
table() { query "DROP TABLE IF EXISTS t; CREATE TABLE t (id int, pad text, v vector) WITH (fillfactor = ${1:-100}, autovacuum_enabled = off)"; }

table
query "INSERT INTO t SELECT i, NULL, $vector FROM generate_series(1, 2000) i"
uniform "freshly loaded"
query "DELETE FROM t WHERE id % 2 = 0 AND id < 1000 OR id > 1500"
uniform "half deleted, not vacuumed"
query "VACUUM t"
uniform "half deleted and vacuumed"
query "INSERT INTO t SELECT i, NULL, $vector FROM generate_series(1, 700) i"
uniform "filled again where rows had been"
table 40
query "INSERT INTO t SELECT i, repeat('x', i % 7 * 30), $vector FROM generate_series(1, 1500) i"
for _ in 1 2 3; do query "UPDATE t SET v = $vector WHERE id % 3 = 0"; done
uniform "updated in place, with chains of versions"
query "VACUUM t"
query "UPDATE t SET v = $vector WHERE id % 5 = 0"
uniform "updated in place, vacuumed and updated again"
finish
