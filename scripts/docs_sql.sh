#!/usr/bin/env bash
# Writes tests/pg_regress/sql/docs_PAGE.sql for each page of the manual that has blocks of SQL, so that each of them runs in a test. A page
# that creates the extension or the table `images` starts without them, others have them.
#
# usage: scripts/docs_sql.sh        (--check fails if a file is not what its page says, or the reference leaves an argument or a column out)

# shellcheck source=scripts/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

cd "$ROOT" || exit
TESTS=tests/pg_regress/sql
[ "${1:-}" = --check ] && OUT=$(mktemp -d) || OUT=$TESTS

# blocks FILE: the page's blocks of SQL; the one that creates the extension first.
blocks() {
    local which
    for which in 1 0; do
        awk -v first="$which" '/^```sql/ { inside = 1; block = ""; next }
            /^```/ && inside { inside = 0; if ((block ~ /CREATE EXTENSION hinted_exemplar/) == first) printf "%s", block; next }
            inside { block = block $0 "\n" }' "$1"
    done
}

generate() {
    echo "-- Every block of SQL in $1; written by scripts/docs_sql.sh."
    echo "SET client_min_messages = warning;"
    echo "\\set text_embedding '[0.7, 0.6, 0.1, 0.1]'"
    if ! grep -q '^CREATE TABLE images' <(blocks "$1"); then
        echo "\\set ECHO none"
        grep -q '^CREATE EXTENSION hinted_exemplar' <(blocks "$1") && echo "CREATE EXTENSION vector;" || echo "CREATE EXTENSION hinted_exemplar CASCADE;"
        cat tests/tools/docs_tables.sql
        echo "\\set ECHO all"
    fi
    blocks "$1"
}

pages() { grep -l '^```sql' README.md docs/*.md docs/how-to/*.md | LC_ALL=C sort; }

for page in $(pages); do
    name=$(basename "$page" .md)
    generate "$page" >"$OUT/docs_$(printf '%s' "$name" | tr 'A-Z-' 'a-z_').sql"
done
[ "${1:-}" = --check ] || exit 0

for file in "$TESTS"/docs_*.sql "$OUT"/*.sql; do
    name=$(basename "$file")
    diff -u "$TESTS/$name" "$OUT/$name" || die "run scripts/docs_sql.sh: the manual has other SQL than $TESTS/$name"
done
rm -r "$OUT"
# Arguments and columns that sql/ declares and no row of a table in the reference names.
missing=$(sed -n 's/^    \(OUT \)\{0,1\}\([a-z_]*\) .*/\2/p' sql/functions.sql | sort -u | while read -r name; do
    grep "^| .*\`$name\`.* |" docs/reference.md >/dev/null || echo "$name"
done | paste -sd ' ')
[ -z "$missing" ] || die "docs/reference.md has no row for: $missing"
# Links between pages lead somewhere.
dead=$(grep -oE '\]\([^)#:]+(\.md|\.png|\.svg|\.sql|/)' README.md docs/*.md docs/how-to/*.md CONTRIBUTING.md SECURITY.md RELEASING.md python/README.md crates/*/README.md |
    sed 's/:\](/ /' | while read -r page link; do [ -e "$(dirname "$page")/$link" ] || echo "$page: $link"; done)
[ -z "$dead" ] || die "links that lead nowhere: $dead"
