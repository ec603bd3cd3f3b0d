#!/usr/bin/env bash
# Writes tests/pg_regress/sql/readme.sql from README.md's blocks of SQL, so that each of them runs in a test. The first block, whose table is made
# only further down, comes last.
#
# usage: scripts/readme_sql.sh        (--check fails if the file is not what the README says, or the README leaves an argument out)

# shellcheck source=scripts/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

blocks() {
    awk -v which="$1" '/^```sql/ { n++; inside = 1; next } /^```/ { inside = 0 }
                       inside && ((which == "first") == (n == 1))' "$ROOT/README.md"
}

generate() {
    echo "-- Every block of SQL in README.md; written by scripts/readme_sql.sh."
    echo "SET client_min_messages = warning;"
    blocks others
    echo "\\set text_embedding '[0.7, 0.6, 0.1, 0.1]'"
    echo "INSERT INTO images VALUES (42, 'plum.jpg', '[0.9, 0.6, 0.2, 0.1]');"
    blocks first
}

# Arguments and columns that sql/functions.sql declares and no row of a table in the README names.
missing_from_tables() {
    local name
    sed -n 's/^    \([a-z_]*\) .*/\1/p' "$ROOT/sql/functions.sql" | sort -u | while read -r name; do
        grep "^| .*\`$name\`.* |" "$ROOT/README.md" >/dev/null || echo "$name"
    done
}

if [ "${1:-}" = --check ]; then
    missing=$(missing_from_tables | paste -sd ' ')
    [ -z "$missing" ] || die "README.md has no row for: $missing"
    diff -u "$ROOT/tests/pg_regress/sql/readme.sql" <(generate) || die "run scripts/readme_sql.sh: README.md has other SQL than tests/pg_regress/sql/readme.sql"
else
    generate >"$ROOT/tests/pg_regress/sql/readme.sql"
fi
