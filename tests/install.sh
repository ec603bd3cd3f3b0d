#!/usr/bin/env bash
# make install: what it writes and where, as packagers and administrators expect of an extension, and a library that is replaced under
# sessions that use it.

# shellcheck source=tests/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

config=$(command -v pg_config)
library=$(pg_config --pkglibdir) extensions=$(pg_config --sharedir)/extension
place=$(mktemp -d)
trap '[ ! -e "$place/vector.control" ] || mv "$place/vector.control" "$extensions/"; rm -rf "$place"' EXIT
# The run that called this test holds the lock of the clone; make finds all built.
install() { make -s -C "$ROOT" "$@" >"$place/log" 2>&1; }
says() { grep -q "$1" "$place/log"; }

# The script of this version, and those of versions that were released.
scripts=("$extensions/hinted_exemplar--$(sed -n "s/^default_version *= *'\(.*\)'/\1/p" "$extensions/hinted_exemplar.control").sql")
for script in "$ROOT/sql"/hinted_exemplar--*.sql; do [ ! -e "$script" ] || scripts+=("$extensions/${script##*/}"); done
check "make install takes the pg_config of the PATH" install install PG_CONFIG= DESTDIR="$place/root"
check "and says which Postgres that is" says "for $(pg_config --version), whose pg_config is $config"
check "all goes below DESTDIR" [ "$(cd "$place/root" && find . -type f | sed 's/^\.//' | sort)" = "$(printf '%s\n' \
    "$library/hinted_exemplar.so" "$extensions/hinted_exemplar.control" "${scripts[@]}" | sort -u)" ]
check "nothing else may write there" [ -z "$(find "$place/root" -type f ! -perm 644 -print)" ]
check "a program that is no pg_config is an error" [ "$(install install PG_CONFIG=/nowhere/pg_config && echo installed)" = "" ]
check "which names it" says "there is no program /nowhere/pg_config"
# A server without its headers, or none behind that pg_config.
mkdir "$place/bin"
printf '#!/bin/sh\ncase $1 in --version) echo PostgreSQL 15.1 ;; *) echo /nowhere ;; esac\n' >"$place/bin/pg_config"
chmod 755 "$place/bin/pg_config"
check "a Postgres that nothing can be built for is an error" [ "$(install build PG_CONFIG="$place/bin/pg_config" && echo built)" = "" ]
check "which names the packages" says "postgresql-server-dev-NN"
check "make uninstall takes it away" install uninstall PG_CONFIG="$config" DESTDIR="$place/root"
check "all of it" [ -z "$(find "$place/root" -type f)" ]
check "no folder of its builder is in the library" [ "$(strings -n 4 "$library/hinted_exemplar.so" |
    grep -cF -e "$ROOT" -e "$HOME/" -e "${CARGO_HOME:-$HOME/.cargo}" || true)" = 0 ]

# Without pgvector the extension can't be created: that is said, with what helps.
mv "$extensions/vector.control" "$place/"
check "it installs where pgvector is missing" install install PG_CONFIG="$config"
mv "$place/vector.control" "$extensions/"
check "and says what brings it" says "make install-pgvector PG_CONFIG=$config"
check "which knows when there is one" install install-pgvector PG_CONFIG="$config"
check "and leaves that alone" says "It has pgvector already"

# A session that has the library mapped, before and after another one takes its place.
new_database installed
query "CREATE EXTENSION hinted_exemplar CASCADE;
       CREATE TABLE items AS SELECT i AS id, ('[' || i % 7 || ',' || i % 5 || ',1]')::vector AS v FROM generate_series(1, 300) i" >/dev/null
call="SELECT md5(vector_send(hinted_exemplar('items', 'v', exemplar => '[1,2,1]', hint => '[0,1,0]')))"
mkfifo "$place/commands"
psql -X -q -A -t -v ON_ERROR_STOP=1 <"$place/commands" >"$place/answers" 2>&1 &
session=$!
exec {commands}>"$place/commands"
# asks COUNT: one more call, which is waited for.
asks() {
    echo "$call;" >&"$commands"
    for _ in {1..200}; do
        [ "$(grep -c . "$place/answers")" -ge "$1" ] && return
        kill -0 "$session" 2>/dev/null || return 1
        sleep 0.05
    done
    return 1
}
inode() { stat -c %i "$library/hinted_exemplar.so"; }
check "a session fits" asks 1
before=$(inode)
check "the library is installed anew" install install PG_CONFIG="$config"
check "as another file, so that what is mapped stays as it was" [ "$before" != "$(inode)" ]
check "the session that has the old one goes on" asks 2
check "and goes on" asks 3
exec {commands}>&-
wait "$session" || true
check "with the same answers" [ "$(sort -u "$place/answers" | grep -c '^[0-9a-f]\{32\}$')" = 1 ]
check "a new session has the same" [ "$(query "$call")" = "$(head -n 1 "$place/answers")" ]
check "nothing is left of the install" [ -z "$(find "$library" "$extensions" -name '*.new*')" ]
finish
