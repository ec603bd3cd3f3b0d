#!/usr/bin/env bash
# Negatives of hypertables of which some chunks are compressed. TIMESCALEDB names the folder of an installation: `make install DESTDIR=folder`.

# shellcheck source=tests/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
# shellcheck source=tests/engine.sh
. "$ROOT/tests/engine.sh"

if [ -z "${TIMESCALEDB:-}" ]; then
    echo "skipped: TIMESCALEDB does not name an installation of TimescaleDB"
    finish
    exit
fi
start_engine timescaledb "$TIMESCALEDB"
query "CREATE TABLE items (at timestamptz NOT NULL, id int, v vector(3));
       SELECT create_hypertable('items', 'at', chunk_time_interval => interval '1 day');
       INSERT INTO items SELECT timestamptz '2026-01-01' + i * interval '1 minute', i, ARRAY[cos(i / 5000), sin(i / 5000), 0.01 * (i % 97)]::vector
       FROM generate_series(1, 28800) i;
       CREATE TABLE plain AS SELECT * FROM items;
       ALTER TABLE items SET (timescaledb.compress, timescaledb.compress_orderby = 'at')" >/dev/null
all="hinted_exemplar('SOURCE', 'v', exemplar => '[1,0.5,0.2]', sample_size => 100000)"
same() { is_true "${all/SOURCE/$1} <=> ${all/SOURCE/$2} < 1e-6"; }
check "a hypertable's rows are all drawn" same items plain
query "SELECT compress_chunk(c) FROM show_chunks('items') WITH ORDINALITY s(c, n) WHERE n <= 12" >/dev/null
check "those of compressed chunks too" same items plain
query "ANALYZE items" >/dev/null
check "after ANALYZE too" same items plain
query "INSERT INTO items SELECT timestamptz '2026-01-02' + i * interval '1 second', -i, ARRAY[i % 7, -1, i % 5]::vector FROM generate_series(1, 500) i;
       INSERT INTO plain SELECT * FROM items WHERE id < 0"
check "and rows that came after a chunk was compressed" same items plain
check "one seed gives one answer" is_true "$(fit items) = $(fit items)"
check "samples are like those of a plain table" is_true "(SELECT count(*) FROM generate_series(1, 20) seed
    WHERE hinted_exemplar('items', 'v', exemplar => '[1,0.5,0.2]', seed => seed) <=> hinted_exemplar('plain', 'v', exemplar => '[1,0.5,0.2]', seed => seed + 100) > 0.02) = 0"
query "SELECT compress_chunk(c, if_not_compressed => true) FROM show_chunks('items') c" >/dev/null
check "with all chunks compressed" same items plain
check "without a key a search says what to do" grep -q "key => 'id'" <<<"$(query "SELECT * FROM hinted_exemplar_search('items', 'v', exemplar => '[1,0.5,0.2]')" 2>&1)"
search() { echo "(SELECT array_agg(key::int) FROM hinted_exemplar_search('$1', 'v', key => 'id', k => 20, exemplar => '[1,0.5,0.2]', sample_size => 100000${2:-}))"; }
check "with one it finds those of a plain table" is_true "$(search items) = $(search plain)"
check "so it does with a filter" is_true "$(search items ", filter => 'id % 3 = 0'") = $(search plain ", filter => 'id % 3 = 0'")"

# Chunks longer than a sample's first rows, of which the older are compressed.
query "CREATE TABLE long (at timestamptz NOT NULL, id int, v vector(3));
       SELECT create_hypertable('long', 'at', chunk_time_interval => interval '30 days');
       INSERT INTO long SELECT timestamptz '2026-01-01' + i * interval '1 minute', i, ARRAY[cos(i / 20000), sin(i / 20000), 0.01 * (i % 97)]::vector FROM generate_series(1, 120000) i;
       CREATE TABLE flat AS SELECT * FROM long;
       ALTER TABLE long SET (timescaledb.compress, timescaledb.compress_orderby = 'at');
       SELECT compress_chunk(c) FROM show_chunks('long', older_than => timestamptz '2026-03-01') c" >/dev/null
query "VACUUM ANALYZE long" >/dev/null
check "samples are of all rows of long chunks, not of the first" are_alike long flat
january="hinted_exemplar('SOURCE', 'v', exemplar => '[1,0.5,0.2]', sample_size => 100000, source_filter => 'at < ''2026-02-01''')"
check "a condition on time reaches the chunks" is_true "${january/SOURCE/long} <=> ${january/SOURCE/flat} < 1e-6"
query "DROP ROLE IF EXISTS reader; CREATE ROLE reader; GRANT SELECT ON long TO reader"
check "a role that may read the hypertable may draw from its chunks" [ "$(query "SET ROLE reader; SELECT vector_dims($(fit long))")" = 3 ]
query "REVOKE SELECT ON long FROM reader"
check "one that may not read it may not" grep -q 'permission denied' <<<"$(query "SET ROLE reader; SELECT vector_dims($(fit long))" 2>&1)"
finish
