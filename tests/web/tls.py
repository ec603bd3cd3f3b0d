"""TLS to the database and to an encoder.

usage: python tls.py DIRECTORY        (DIRECTORY has server.crt and server.key, of a certificate that signs itself for NAMED)

The environment reaches a database with the demo's data whose server has that certificate and listens at NAMED and at UNNAMED, on PGPORT.
"""
import http.server, json, os, pathlib, ssl, subprocess, sys, threading

from harness import Server, check, finish, psql, refusal_to_start, tested

DEMO = ["--table", "packages", "--text", "name,description", "--vocabulary", "tags(words, hint)"]
NAMED, UNNAMED = "127.77.0.3", "127.77.0.4"
PLACE = pathlib.Path(sys.argv[1])
ROOT, OTHER = PLACE / "server.crt", PLACE / "other.crt"


def sessions():
    """Whether the page's connections have TLS."""
    return psql("SELECT string_agg(DISTINCT ssl::text, ',') FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) WHERE application_name = 'hinted-exemplar-web'")


def to_the_database():
    for name, connection, has in [
        ("preferred", f"host={NAMED}", "true"),
        ("required, certificate unknown", f"host={UNNAMED} sslmode=require", "true"),
        ("required by a URL", f"postgresql://postgres@{NAMED}/{os.environ['PGDATABASE']}?sslmode=require", "true"),
        ("its signer checked", f"host={UNNAMED} sslmode=verify-ca sslrootcert='{ROOT}'", "true"),
        ("all checked", f"host={NAMED} sslmode=verify-full sslrootcert={ROOT}", "true"),
        ("all checked, by a URL", f"postgresql://postgres@{NAMED}/{os.environ['PGDATABASE']}?sslmode=verify-full&sslrootcert={ROOT}", "true"),
        ("disabled", f"host={NAMED} sslmode=disable", "false"),
        ("required of a socket, which has none", "sslmode=verify-full", "false"),
    ]:
        with Server(*DEMO, connection) as page:
            answer, found = page.ask(like=42), sessions()
            check(f"TLS {name}", answer.status == 200 and len(answer.keys) == 24 and found == has, found)
    for name, connection, said in [
        ("another's name", f"host={UNNAMED} sslmode=verify-full sslrootcert={ROOT}", "mismatch"),
        ("another signer", f"host={NAMED} sslmode=verify-full sslrootcert={OTHER}", "certificate verify failed"),
        ("a signer that the system does not know", f"host={NAMED} sslmode=verify-full", "certificate verify failed"),
        ("another signer, though not asked for", f"host={NAMED} sslmode=require sslrootcert={OTHER}", "certificate verify failed"),
        ("no file of signers", f"host={NAMED} sslmode=verify-ca sslrootcert=/nowhere.crt", "sslrootcert /nowhere.crt"),
        ("a mode that is none", f"host={NAMED} sslmode=maybe", "sslmode cannot be"),
    ]:
        words = refusal_to_start(*DEMO, connection)
        check(f"TLS refused: {name}", said in words, words)


class Encoder(http.server.BaseHTTPRequestHandler):
    asked_with = None

    def do_POST(self):
        Encoder.asked_with = self.headers["authorization"]
        self.rfile.read(int(self.headers["content-length"]))
        self.send_response(200)
        self.end_headers()
        self.wfile.write(json.dumps({"data": [{"embedding": [float(i == 3) for i in range(384)]}]}).encode())

    def log_message(self, *_):
        pass


def to_an_encoder():
    server = http.server.ThreadingHTTPServer((NAMED, 0), Encoder)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(ROOT, PLACE / "server.key")
    server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    url = f"https://{NAMED}:{server.server_port}/v1/embeddings"
    with Server(*DEMO, "--embed-url", url, environment={"SSL_CERT_FILE": str(ROOT), "EMBED_API_KEY": "sesame"}) as page:
        answer = page.ask(text="anything", like=42)
        check("an encoder by https", len(answer.keys) == 24 and not answer.says("gave no vector"), answer.status)
        check("is given its key, which nobody else is", Encoder.asked_with == "Bearer sesame" and not answer.says("sesame"), Encoder.asked_with)
    with Server(*DEMO, "--embed-url", url) as page:
        answer = page.ask(text="anything", like=42)
        check("one that nobody vouches for is not asked", answer.says("cannot be trusted") and len(answer.keys) == 24)
    server.shutdown()


def main():
    subprocess.run(["openssl", "req", "-new", "-x509", "-nodes", "-days", "1", "-subj", "/CN=other", "-keyout", PLACE / "other.key", "-out", OTHER],
                   check=True, capture_output=True)
    tested(to_the_database)
    tested(to_an_encoder)
    return finish()


sys.exit(main())
