#!/usr/bin/env bash
# Private throwaway clusters: reached only through a Unix socket in a directory of their own, run by a user other than root, made anew at
# each start. They are this clone's; no other cluster is ever touched.
#
# usage: scripts/cluster.sh start NAME            (an old one of that name is removed first; its database is called NAME too;
#                                                 SETTINGS="name = value" adds lines to postgresql.conf)
#        scripts/cluster.sh standby NAME PRIMARY (a hot standby of the running cluster PRIMARY, by streaming replication)
#        scripts/cluster.sh restart NAME
#        scripts/cluster.sh stop NAME | stop-all
#        scripts/cluster.sh status NAME
#        scripts/cluster.sh log NAME              (prints the name of its log)
#        scripts/cluster.sh env NAME              (prints the environment that reaches it: eval "$(scripts/cluster.sh env NAME)")
#        scripts/cluster.sh psql NAME [ARGUMENT...]
# PROGRAMS=directory takes the programs of another Postgres than this clone's.

# shellcheck source=scripts/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

# A server that outlives this run must not keep its lock.
[ -z "${HINTED_EXEMPLAR_LOCKED:-}" ] || exec {HINTED_EXEMPLAR_LOCKED}>&-

CLUSTERS=${CLUSTERS:-$RUN}
PORT=5432

# server_of DATA: the process id of the server that runs there. Process ids are used again: a server's directory is its data directory.
server_of() {
    local pid
    pid=$(head -n 1 "$1/postmaster.pid" 2>/dev/null) && [ -n "$pid" ] &&
        [ "$(readlink "/proc/$pid/cwd")" = "$(readlink -f "$1")" ] && echo "$pid"
}

# end_server DATA: a fast shutdown, and after 20 seconds an immediate one.
end_server() {
    local pid signal
    pid=$(server_of "$1") || return 0
    for signal in INT QUIT; do
        kill "-$signal" "$pid" 2>/dev/null || return 0
        for _ in {1..200}; do
            kill -0 "$pid" 2>/dev/null || return 0
            sleep 0.1
        done
    done
    die "the server with process id $pid does not stop"
}

# What is below a cluster's directory: data, log and socket, the name of the socket's directory. pgrx's tests keep several there.
stop() {
    local place=$CLUSTERS/$1 data socket
    [ -e "$place" ] || return 0
    for data in "$place" "$place"/*/; do end_server "${data%/}"; done
    socket=$(cat "$place/socket" 2>/dev/null || true)
    case $socket in /tmp/"$EXTENSION".??????) rm -rf "$socket" ;; esac
    rm -rf "$place"
}

stop_all() {
    local place
    for place in "$CLUSTERS"/*/; do
        place=${place%/}
        [ ! -e "$place" ] || stop "${place##*/}"
    done
}

configuration() {
    cat <<END
listen_addresses = ''
port = $PORT
unix_socket_directories = '$1'
fsync = off
synchronous_commit = off
full_page_writes = off
shared_buffers = 256MB
maintenance_work_mem = 256MB
max_wal_size = 4GB
checkpoint_timeout = 30min
END
    # Containers often have next to no shared memory, and a parallel index build takes as much as maintenance_work_mem.
    if [ "$(df -m --output=avail /dev/shm 2>/dev/null | tail -n 1)" -lt 512 ] 2>/dev/null; then
        echo "dynamic_shared_memory_type = mmap"
    fi
    printf '%s\n' "${SETTINGS:-}"
}

# make_place NAME: its directory and that of its socket, whose name goes to the variable socket.
make_place() {
    stop "$1"
    mkdir -p "$CLUSTERS/$1"
    socket=$(mktemp -d "/tmp/$EXTENSION.XXXXXX")
    echo "$socket" >"$CLUSTERS/$1/socket"
    if is_root; then chown "$SERVER_USER" "$CLUSTERS/$1" "$socket"; fi
}

# Back traces are on, as a server's owner may have them, so that tests see any that reaches a message.
run_server() {
    as_server env RUST_BACKTRACE=1 "$(command -v pg_ctl)" -D "$1/data" -w -l "$1/log" start >/dev/null 2>&1 </dev/null
}

start() {
    local name=$1 place=$CLUSTERS/$1 locale=C socket since=$EPOCHREALTIME
    load_environment
    PATH=${PROGRAMS:+$PROGRAMS:}$PATH
    if locale -a 2>/dev/null | grep -ix 'C\.utf-\?8' >/dev/null; then locale=C.UTF-8; fi
    make_place "$name"
    step "starting a private PostgreSQL $PG_MAJOR ($name)"
    if ! {
        as_server "$(command -v initdb)" -D "$place/data" -A trust -U postgres -E UTF8 --locale="$locale" -N >"$place/initdb.log" 2>&1 &&
            configuration "$socket" | as_server tee -a "$place/data/postgresql.conf" >/dev/null &&
            run_server "$place" &&
            createdb -h "$socket" -p "$PORT" -U postgres "$name"
    }; then
        tail -n 20 "$place/initdb.log" "$place/log" >&2 2>/dev/null || true
        stop "$name"
        die "the private cluster did not start"
    fi
    say "    done in $(elapsed "$since") s"
}

restart() {
    server_of "$CLUSTERS/$1/data" >/dev/null || die "no private cluster \"$1\" is running"
    load_environment
    end_server "$CLUSTERS/$1/data"
    run_server "$CLUSTERS/$1" || die "the private cluster did not start again"
}

standby() {
    local name=$1 place=$CLUSTERS/$1 primary socket since=$EPOCHREALTIME
    load_environment
    server_of "$CLUSTERS/$2/data" >/dev/null || die "no private cluster \"$2\" is running"
    primary=$(cat "$CLUSTERS/$2/socket")
    make_place "$name"
    step "starting a hot standby of $2 ($name)"
    if ! {
        as_server "$(command -v pg_basebackup)" -h "$primary" -p "$PORT" -U postgres -D "$place/data" -R -c fast >"$place/initdb.log" 2>&1 &&
            configuration "$socket" | as_server tee -a "$place/data/postgresql.conf" >/dev/null &&
            run_server "$place"
    }; then
        tail -n 20 "$place/initdb.log" "$place/log" >&2 2>/dev/null || true
        stop "$name"
        die "the standby did not start"
    fi
    say "    done in $(elapsed "$since") s"
}

environment() {
    server_of "$CLUSTERS/$1/data" >/dev/null || die "no private cluster \"$1\" is running"
    load_environment
    printf 'export PGHOST=%q PGPORT=%q PGUSER=postgres PGDATABASE=%q PATH=%q\n' \
        "$(cat "$CLUSTERS/$1/socket")" "$PORT" "$1" "$PATH"
}

case ${1:-} in
standby) [ -n "${3:-}" ] || die "which clusters? scripts/cluster.sh standby NAME PRIMARY" ;;
start | restart | stop | status | log | env | psql) [ -n "${2:-}" ] || die "which cluster? scripts/cluster.sh $1 NAME" ;;
stop-all) ;;
*) die "usage: scripts/cluster.sh start|restart|stop|status|log|env|psql NAME, standby NAME PRIMARY, or stop-all" ;;
esac

case $1 in
start) start "$2" ;;
standby) standby "$2" "$3" ;;
restart) restart "$2" ;;
stop) stop "$2" ;;
stop-all) stop_all ;;
status) if server_of "$CLUSTERS/$2/data" >/dev/null; then echo running; else echo stopped; fi ;;
log) echo "$CLUSTERS/$2/log" ;;
env) environment "$2" ;;
psql)
    reach=$(environment "$2")
    eval "$reach"
    shift 2
    unset PSQLRC
    exec psql "$@"
    ;;
esac
