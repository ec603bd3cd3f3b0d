#!/bin/sh
# Stands in for sudo where the caller is root already: sudo [-u USER] [NAME=VALUE...] COMMAND...
if [ "$1" = -u ]; then
    user=$2
    shift 2
    exec runuser -u "$user" -- env "$@"
fi
exec env "$@"
