#!/bin/sh
# Prints hinted_sum.sql as a trusted language extension, for a database that has pg_tle: sql-only/as_tle.sh | psql
set -eu
cd "$(dirname "$0")"
printf '%s\n' "SELECT pgtle.install_extension('hinted_sum', '0.1.0', 'search by example and by words with pgvector alone', \$_pgtle_\$"
cat hinted_sum.sql
printf '%s\n' "\$_pgtle_\$, ARRAY['vector']);"
