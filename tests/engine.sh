# shellcheck shell=bash
# What the tests of other extensions that answer for tables share. Sourced behind tests/lib.sh.

# start_engine NAME FOLDER: a private cluster that preloads the extension NAME, which `make install DESTDIR=FOLDER` has put below FOLDER, for
# the same Postgres. What it needs is copied into this clone's Postgres until the end of the test.
start_engine() {
    local name=$1 folder=$2 file reach
    ENGINE=$name
    ENGINE_FILES=()
    trap end_engine EXIT
    while IFS= read -r file; do
        case $file in
        *.so) put_engine_file "$file" "$(pg_config --pkglibdir)" ;;
        *.control | *.sql) put_engine_file "$file" "$(pg_config --sharedir)/extension" ;;
        esac
    done < <(find "$folder" -type f \( -name '*.so' -o -name '*.control' -o -name '*.sql' \))
    ENGINE_SETTINGS="shared_preload_libraries = '$name'
max_prepared_transactions = 50
max_connections = 300
timescaledb.telemetry_level = off"
    SETTINGS=$ENGINE_SETTINGS "$ROOT/scripts/cluster.sh" start "$name"
    reach=$("$ROOT/scripts/cluster.sh" env "$name")
    eval "$reach"
    query "CREATE EXTENSION $name" >/dev/null
    query "CREATE EXTENSION hinted_exemplar CASCADE"
}

put_engine_file() {
    local to=$2/${1##*/}
    [ ! -e "$to" ] || return 0
    cp "$1" "$to"
    ENGINE_FILES+=("$to")
}

end_engine() {
    "$ROOT/scripts/cluster.sh" stop "$ENGINE"
    "$ROOT/scripts/cluster.sh" stop "$ENGINE-worker"
    rm -f "${ENGINE_FILES[@]}"
}

# fit SOURCE [SAMPLE_SIZE [SEED]]: a call.
fit() { echo "hinted_exemplar('$1', 'v', exemplar => '[1,0.5,0.2]', sample_size => ${2:-300}, seed => ${3:-0})"; }

# are_alike SOURCE PLAIN: whether fits of samples of the one differ from those of the other hardly more than these do among themselves.
are_alike() {
    local all="generate_series(1, 20) seed" of_plain
    of_plain=$(fit "$2" 200 "seed + 100")
    is_true "(SELECT sum($(fit "$1" 200 seed) <=> $of_plain) < 2 * sum($(fit "$2" 200 seed) <=> $of_plain) + 0.01 FROM $all)"
}
