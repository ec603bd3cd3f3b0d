#!/usr/bin/env bash
# Fills the database of the environment with the demo's data, an area of each package to filter by, and a place for saved searches.

# shellcheck source=scripts/lib.sh
set -euo pipefail
ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)

for file in schema load; do
    psql -X -q -v ON_ERROR_STOP=1 -v data="$ROOT/demo/data" -f "$ROOT/demo/$file.sql"
done
psql -X -q -v ON_ERROR_STOP=1 <<'END'
ALTER TABLE packages ADD COLUMN area text;
UPDATE packages SET area = (SELECT split_part(tag, '::', 1) FROM package_tags JOIN tags ON tags.id = tag_id WHERE package_id = packages.id
                            GROUP BY 1 ORDER BY count(*) DESC, 1 LIMIT 1);
CREATE TABLE saved_searches (name text PRIMARY KEY, search text NOT NULL);
VACUUM FULL packages;
ANALYZE packages;
END
