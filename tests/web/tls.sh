#!/usr/bin/env bash
# A private server with a certificate, for tls.py; run by tests/web.sh.

# shellcheck source=tests/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/../lib.sh"

place=$(mktemp -d /tmp/hinted_exemplar.XXXXXX)
trap 'rm -rf "$place"; "$ROOT/scripts/cluster.sh" stop web-tls' EXIT
# The certificate names the first of these addresses alone.
openssl req -new -x509 -nodes -days 1 -subj /CN=web-tls -addext subjectAltName=IP:127.77.0.3 \
    -keyout "$place/server.key" -out "$place/server.crt" 2>/dev/null
SETTINGS="listen_addresses = '127.77.0.3, 127.77.0.4'" "$ROOT/scripts/cluster.sh" start web-tls
reach=$("$ROOT/scripts/cluster.sh" env web-tls)
eval "$reach"
data=$(query "SHOW data_directory")
for file in server.crt server.key; do
    cp "$place/$file" "$data/$file"
    chown --reference="$data" "$data/$file"
    chmod 600 "$data/$file"
done
if ! query "ALTER SYSTEM SET ssl = on" >/dev/null 2>"$place/refusal"; then
    grep -q "SSL is not supported by this build" "$place/refusal" || { cat "$place/refusal" && exit 1; }
    echo "skipped: this Postgres is built without TLS"
    finish
    exit
fi
query "SELECT pg_reload_conf()" >/dev/null
"$ROOT/scripts/web_data.sh"
python3 "$ROOT/tests/web/tls.py" "$place"
