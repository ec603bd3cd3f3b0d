"""Hostile and unlucky input, without a browser. The environment reaches a database with the demo's data."""
import http.server, json, os, pathlib, re, socket, sys, tempfile, threading, time

from harness import Server, check, finish, psql, refusal_to_start, tested

DEMO = ["--table", "packages", "--text", "name,description", "--vocabulary", "tags(words, hint)"]
PNG = b"\x89PNG\r\n\x1a\n"


def other_names_and_other_sites():
    psql("DROP TABLE IF EXISTS kept; CREATE TABLE kept (name text PRIMARY KEY, search text NOT NULL)")
    with Server(*DEMO, "--save-into", "kept", "--allow-host", "search.example") as page:
        for host, status in [("evil.example", 421), ("evil.example:80", 421), ("localhost.evil.example", 421), ("127.0.0.1@evil.example", 421), ("", 421),
                             ("localhost", 200), (f"127.0.0.1:{page.port}", 200), ("[::1]:80", 200), ("Search.Example", 200)]:
            answer = page.ask(headers={"Host": host})
            check(f"Host {host!r} is answered {status}", answer.status == status, answer.status)
        form = {"Content-Type": "application/x-www-form-urlencoded"}
        own = f"127.0.0.1:{page.port}"
        for name, headers in [("no Origin", {}), ("a foreign Origin", {"Origin": "http://evil.example"}), ("Origin null", {"Origin": "null"}),
                              ("cross-site", {"Origin": f"http://{own}", "Sec-Fetch-Site": "cross-site"})]:
            answer = page.ask("/save", "POST", {**form, **headers}, "name=stolen&search=like%3D1")
            check(f"a post with {name} is refused", answer.status == 403, answer.status)
        answer = page.ask("/save", "POST", {**form, "Origin": f"http://{own}", "Sec-Fetch-Site": "same-origin"}, "name=mine&search=like%3D1%26text%3Dpuzzle+game")
        check("one's own post saves", answer.status == 303 and psql("SELECT search FROM kept") == "text=puzzle+game&like=1", answer.status)
        check("and is on the page", page.ask().says("mine"))
        answer = page.ask("/save", "POST", {**form, "Origin": f"http://{own}"}, "name=mine&search=like%3D2")
        check("a name twice is an error in words", answer.status >= 400 and answer.says("duplicate key"), answer.status)
        answer = page.ask("/save", "POST", {**form, "Origin": f"http://{own}"}, "name=" + "x" * 100_000)
        check("a huge form is refused", answer.status == 413, answer.status)
        policy = page.ask().headers["content-security-policy"]
        check("scripts and frames are kept out", "default-src 'self'" in policy and "frame-ancestors 'none'" in policy and "unsafe" not in policy, policy)
    with Server(*DEMO) as page:
        answer = page.ask("/save", "POST", {"Origin": f"http://127.0.0.1:{page.port}"}, "name=a&search=")
        check("nothing is saved unless that is on", answer.status == 403, answer.status)


def scripts_stay_text():
    odd = "<script>alert(1)</script>\"'&🐎"
    psql("DROP TABLE IF EXISTS odd; CREATE TABLE odd (id text PRIMARY KEY, title text, embedding vector(2))")
    rows = ", ".join(f"($$<img src=x onerror=alert({i})>,:*%{i}$$, $${odd}$$, '[{i},1]')" for i in range(30))
    psql(f"INSERT INTO odd VALUES {rows}")
    with Server("--table", "odd") as page:
        answer = page.ask()
        check("texts and keys of rows are escaped", "<script>alert" not in answer.text and "<img src=x" not in answer.text and answer.says(odd), answer.status)
        key = answer.keys[0]
        encoded = "".join(f"%{ord(c):02X}" if c in "%,:*" else c for c in key)
        liked = page.ask(like=encoded)
        check("any key can be liked", liked.status == 200 and key not in liked.keys and "<img src=x" not in liked.text and len(liked.keys) > 1, liked.status)
        check("and rejected with a reason", page.ask(**{"like": encoded, "not": "1"}).says("Row 1 is no longer there"))
    with Server(*DEMO) as page:
        for text in ["it's \"quoted\" <script>alert(1)</script>", "🐎 emoji", "x" * 2000, "a;b;c", "%00", "\\", "'; DROP TABLE packages; --"]:
            answer = page.ask(text=text, avoid=text)
            check(f"text {text[:12]!r} is told of", answer.status == 200 and answer.says("is not in the vocabulary") and "<script>alert" not in answer.text, answer.status)
        for query in ["text=%00", "text=" + "x" * 5000, "after=1", "after=1e999:1:1", "like=" + ",".join(map(str, range(300)))]:
            answer = page.ask("/?" + query)
            check(f"{query[:14]} is refused in words", answer.status == 400 and answer.says("cannot be understood"), answer.status)
        for query in ["like=%FF%FE", "like=,,,&not=:::&where=x", "where=area:'%20OR%201=1", "by=nonsense&fold=7&diverse=x", "like=1*99999999999999999999", "not=1:" + "%25" * 50,
                      "like=99999999999999999999", "like=42&after=0.5:-1:1", "like=42&after=0:0:x"]:
            answer = page.ask("/?" + query)
            check(f"{query[:24]} does no harm", answer.status in (200, 400), answer.status)
        check("a huge address is refused", page.ask("/?text=" + "x" * 100_000).status == 414)
        check("a condition counts only where it is allowed", page.ask(like=42, sql="1 / 0 = 1").status == 200)


def pictures_only_from_below_the_root():
    with tempfile.TemporaryDirectory() as place:
        root = pathlib.Path(place, "root")
        (root / "folder").mkdir(parents=True)
        pathlib.Path(place, "secret.png").write_bytes(PNG + b"secret")
        (root / "good.png").write_bytes(PNG + b"good")
        (root / "scripted.svg").write_text("<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>")
        (root / "broken.jpg").write_bytes(b"\xff\xd8\xff" + b"\0" * 100)
        (root / "empty.png").touch()
        (root / "<script>alert(1).png").write_bytes(PNG + b"odd")
        with open(root / "huge.png", "wb") as file:
            file.write(PNG)
            file.truncate(30 << 20)
        os.symlink("../secret.png", root / "link.png")
        os.symlink("/etc", root / "etc")
        os.mkfifo(root / "pipe.png")
        paths = {"good.png": 200, "/good.png": 200, "<script>alert(1).png": 200, "broken.jpg": 200, "../secret.png": 404, "folder/../../secret.png": 404, "link.png": 404, "etc/passwd": 404,
                 "/etc/passwd": 404, "../../../../../etc/passwd": 404, "folder": 404, "pipe.png": 404, "none.png": 404, "": 404, "scripted.svg": 415, "empty.png": 415, "huge.png": 413}
        psql("DROP TABLE IF EXISTS files; CREATE TABLE files (id int PRIMARY KEY, path text, embedding vector(2))")
        for i, path in enumerate(paths):
            psql(f"INSERT INTO files VALUES ({i}, $${path}$$, '[{i},1]')")
        psql("INSERT INTO files VALUES (99, NULL, '[1,1]')")
        with Server("--table", "files", "--image-root", str(root)) as page:
            for i, (path, status) in enumerate(paths.items()):
                before = time.monotonic()
                answer = page.ask("/picture", key=i)
                check(f"path {path!r} is answered {status}", answer.status == status and b"secret" not in answer.body and time.monotonic() - before < 5, answer.status)
            check("a path that is null has no picture", page.ask("/picture", key=99).status == 404)
            check("nor has a row that is not there", page.ask("/picture", key=12345).status == 404)
            check("a picture is asked for by key alone", page.ask("/picture?path=good.png").status in (400, 404) and page.ask("/picture", key="../secret.png").status == 400)
            answer = page.ask("/picture", key=0)
            check("its type is its bytes'", answer.headers["content-type"] == "image/png" and answer.headers["x-content-type-options"] == "nosniff")
            check("names of files are escaped", "<script>alert" not in page.ask().text)
    psql("""DROP TABLE IF EXISTS blobs; CREATE TABLE blobs (id int PRIMARY KEY, picture bytea, embedding vector(2));
            INSERT INTO blobs SELECT i, CASE i WHEN 2 THEN decode(repeat('00', 3000), 'hex') WHEN 3 THEN NULL ELSE decode('89504e470d0a1a0a', 'hex') END, format('[%s,1]', i)::vector
            FROM generate_series(1, 5) i""")
    with Server("--table", "blobs", "--max-picture", "1000") as page:
        statuses = [page.ask("/picture", key=i).status for i in (1, 2, 3)]
        check("pictures in the table: sent, too large, none", statuses == [200, 413, 404], statuses)


class Encoder(http.server.BaseHTTPRequestHandler):
    """An encoder that does what `behaviour` says."""

    behaviour = "good"

    def do_POST(self):
        length = int(self.headers["content-length"])
        asked = json.loads(self.rfile.read(length))["input"]
        if self.behaviour == "slow":
            time.sleep(6)
        values = {"dimensions": [1.0, 2.0], "nan": [float("nan")] * 384, "words": ["x"] * 384}.get(self.behaviour, [float(i == len(asked) % 384) for i in range(384)])
        body = b"<html>" if self.behaviour == "html" else json.dumps({"data": [{"embedding": values}]}).encode()
        self.send_response(500 if self.behaviour == "error" else 200)
        self.end_headers()
        try:
            self.wfile.write(body * (100_000 if self.behaviour == "huge" else 1))
        except OSError:
            pass

    def log_message(self, *_):
        pass


def encoders_fail_gently():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Encoder)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{server.server_port}/v1/embeddings"
    with Server(*DEMO, "--embed-url", url, "--template", "a tool for {}") as page:
        check("a typed text is encoded", len(page.ask(text="drawing pictures").keys) == 24)
        check("the template is shown", page.ask().says("a tool for {}"))
        check("a negation is warned of", page.ask(text="editor without colours").says("encoders read"))
        for behaviour, said in [("dimensions", "2 dimensions"), ("html", "not JSON"), ("error", "500"), ("words", "than numbers"), ("huge", "gave no vector"), ("slow", "did not answer")]:
            Encoder.behaviour = behaviour
            before = time.monotonic()
            answer = page.ask(text=f"text for {behaviour}", like=42)
            check(f"an encoder with {behaviour}: the examples work", answer.status == 200 and len(answer.keys) == 24 and answer.says(said), answer.status)
            check(f"an encoder with {behaviour}: it takes no longer", time.monotonic() - before < 5.5)
        Encoder.behaviour = "error"
        check("what was encoded is remembered", not page.ask(text="drawing pictures").says("gave no vector"))
        check("a text of the vocabulary needs no encoder", not page.ask(text="puzzle game").says("gave no vector"))
        server.shutdown()
        server.server_close()
        answer = page.ask(text="something new", like=42)
        check("without an encoder the examples work", answer.says("cannot be reached") and len(answer.keys) == 24)
    with Server(*DEMO, "--embed-sql", "SELECT CASE WHEN $1 = 'bad' THEN NULL ELSE (SELECT hint FROM tags WHERE id = 1 + length($1) % 200) END") as page:
        check("SQL makes vectors", len(page.ask(text="anything at all").keys) == 24)
        check("and may give none", page.ask(text="bad", like=42).says("gave no vector"))
    with Server(*DEMO, "--embed-sql", "WITH x AS (INSERT INTO kept VALUES ($1, 'x') RETURNING 1) SELECT hint FROM tags LIMIT 1") as page:
        answer = page.ask(text="write!", like=42)
        check("SQL cannot write", answer.status == 200 and len(answer.keys) == 24 and psql("SELECT count(*) FROM kept WHERE name = 'write!'") == "0", answer.status)


def slow_statements_end():
    with Server(*DEMO, "--timeout", "0.3", "--allow-where") as page:
        before = time.monotonic()
        answer = page.ask(like=42, sql="pg_sleep(0.05) IS NOT NULL")
        check("a slow statement ends in time, in words", answer.status == 504 and answer.says("took too long") and answer.says("statement timeout") and time.monotonic() - before < 3, answer.status)
        check("and the next one works", page.ask(like=42).status == 200)
        wrong = page.ask(like=42, sql="nonsense")
        check("a wrong condition is an error in words", wrong.says("column \"nonsense\" does not exist"))
        check("and can be mended", 'name="sql" value="nonsense"' in wrong.text)
        check("a comment in it stays inside", len(page.ask(like=42, sql="id > 10 -- )").keys) == 24)
        check("it cannot end the statement", page.ask(like=42, sql="true); DROP TABLE tags; --").status == 400 and psql("SELECT count(*) > 0 FROM tags") == "t")
        check("it cannot write", page.ask(like=42, sql="setval('nothing', 1) > 0").status in (400, 500))
    with Server(*DEMO, "--connections", "2", "--allow-where") as page:
        answers = []
        slow = [threading.Thread(target=lambda: answers.append(page.ask(like=42, sql="pg_sleep(0.001) IS NOT NULL").status)) for _ in range(6)]
        [thread.start() for thread in slow]
        [thread.join() for thread in slow]
        check("more requests than connections wait or are told", len(answers) == 6 and all(status in (200, 503, 504) for status in answers), answers)
        gone = socket.create_connection(("127.0.0.1", page.port))
        gone.send(b"GET /?like=42&sql=pg_sleep(0.001)+IS+NOT+NULL HTTP/1.1\r\nHost: localhost\r\n\r\n")
        time.sleep(0.2)
        gone.close()
        time.sleep(0.2)
        check("who goes away leaves no transaction behind", all(page.ask(like=42).status == 200 for _ in range(4)))
        time.sleep(0.5)
        check("nor does anybody else", psql("SELECT count(*) FROM pg_stat_activity WHERE application_name = 'hinted-exemplar-web' AND datname = current_database() AND state LIKE 'idle in transaction%'") == "0")


def roles_see_what_is_theirs():
    psql("""DROP TABLE IF EXISTS owned; DROP ROLE IF EXISTS web_reader; DROP ROLE IF EXISTS web_stranger;
            CREATE ROLE web_reader LOGIN; CREATE ROLE web_stranger LOGIN;
            CREATE TABLE owned (id int PRIMARY KEY, owner text, picture bytea, embedding vector(2));
            INSERT INTO owned SELECT i, CASE WHEN i % 2 = 0 THEN 'web_reader' ELSE 'other' END, decode('89504e470d0a1a0a', 'hex'), format('[%s,1]', i)::vector FROM generate_series(1, 40) i;
            ALTER TABLE owned ENABLE ROW LEVEL SECURITY; CREATE POLICY own ON owned USING (owner = current_user); GRANT SELECT ON owned TO web_reader; ANALYZE owned""")
    for name, options in [("connected as it", ["user=web_reader"]), ("by --role", ["--role", "web_reader"])]:
        with Server("--table", "owned", *options) as page:
            answer = page.ask(like=2)
            check(f"row security counts ({name})", answer.status == 200 and answer.keys and all(int(key) % 2 == 0 for key in answer.keys), answer.keys)
            start = page.ask()
            check(f"random rows too ({name})", start.keys and all(int(key) % 2 == 0 for key in start.keys), start.keys)
            check(f"a hidden row has no picture ({name})", page.ask("/picture", key=3).status == 404 and page.ask("/picture", key=2).status == 200)
            check(f"a hidden row is no example ({name})", page.ask(like=3).says("Row 3 is no longer there, or not for this role"))
            check(f"the role is named ({name})", answer.says("as web_reader, read only"))
    said = refusal_to_start("--table", "owned", "user=web_stranger")
    check("a role without rights is told at once", "permission denied for table owned" in said, said)
    with Server("--table", "owned", "user=web_reader") as page:
        psql("REVOKE SELECT ON owned FROM web_reader")
        answer = page.ask(like=2)
        check("lost rights are told in words", answer.status == 403 and answer.says("Permission denied for table owned") and answer.says("grant SELECT"), answer.status)
        check("the search is kept in sight", answer.says("not this") or "data-key=\"2\"" in answer.text)
    psql("DROP TABLE owned; DROP ROLE web_reader; DROP ROLE web_stranger")


def marked(section):
    """Of a column of `twins` the groups of three alike rows, and whether it says that they are in no other."""
    tiles = re.split(r'data-key="(\d+)"', section)[1:]
    groups = {}
    for key, rest in zip(tiles[::2], tiles[1::2]):
        group = (int(key) - 1) // 3
        groups[group] = groups.get(group, False) or "only here" in rest
    return groups


def tables_of_all_kinds():
    psql("""DROP TABLE IF EXISTS halves, arrays, doubles, parts, nokey, none CASCADE;
            CREATE TABLE halves (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), title text, embedding halfvec(3));
            INSERT INTO halves (title, embedding) SELECT 'row ' || i, format('[%s,1,%s]', i, i % 3)::halfvec FROM generate_series(1, 60) i;
            CREATE INDEX ON halves USING hnsw (embedding halfvec_cosine_ops);
            CREATE TABLE arrays (id int PRIMARY KEY, embedding real[]); INSERT INTO arrays SELECT i, ARRAY[i, 1, i % 3]::real[] FROM generate_series(1, 60) i;
            CREATE TABLE doubles (id int PRIMARY KEY, embedding float8[]); INSERT INTO doubles SELECT i, ARRAY[i, 1, i % 3]::float8[] FROM generate_series(1, 60) i;
            CREATE TABLE parts (id int, embedding vector(3), PRIMARY KEY (id)) PARTITION BY RANGE (id);
            CREATE TABLE parts1 PARTITION OF parts FOR VALUES FROM (0) TO (30); CREATE TABLE parts2 PARTITION OF parts FOR VALUES FROM (30) TO (100);
            INSERT INTO parts SELECT i, format('[%s,1,%s]', i, i % 3)::vector FROM generate_series(1, 60) i;
            CREATE VIEW seen AS SELECT * FROM parts; CREATE TABLE nokey (embedding vector(3)); CREATE TABLE none (id int PRIMARY KEY, embedding vector(3), other vector(2));
            ANALYZE halves, arrays, parts""")
    for table in ["halves", "arrays", "doubles", "parts", "seen"]:
        with Server("--table", table) as page:
            start = page.ask()
            check(f"{table}: random rows", len(start.keys) == 24, len(start.keys))
            answer = page.ask(like=start.keys[0], fold=0)
            check(f"{table}: like one", len(answer.keys) == 24 and start.keys[0] not in answer.keys, answer.text[-900:])
    psql("""DROP TABLE IF EXISTS twins; SELECT setseed(0.5); CREATE TABLE twins AS SELECT row_number() OVER (ORDER BY i) AS id, embedding
            FROM (SELECT i, array_agg(random() - 0.5)::vector(16) AS embedding FROM generate_series(1, 200) i, generate_series(1, 16) GROUP BY i) AS one, generate_series(1, 3);
            ALTER TABLE twins ADD PRIMARY KEY (id); CREATE INDEX ON twins USING hnsw (embedding vector_ip_ops); ANALYZE twins""")
    with Server("--table", "twins") as page:
        answer = page.ask(like=1)
        folded = [int(number) for number in re.findall(r"near duplicates[^>]*>\+(\d+)<", answer.text)]
        sections = [marked(section) for section in page.ask(like=1, compare=1).text.split("<section")[1:]]
        columns = [groups for groups in sections if len(groups) > 1]
        elsewhere = lambda own: {group for i, column in enumerate(columns) if i != own for group in column}
        wrong = [group for i, column in enumerate(columns) for group, mark in column.items() if mark == (group in elsewhere(i))]
        check("what one method folds is not said to be found by the other alone", len(columns) > 1 and not wrong, (columns, wrong))
        check("near duplicates are folded, and the page is full all the same", len(answer.keys) == 24 and "1" not in answer.keys and folded.count(2) >= 23, (len(answer.keys), folded))
    check("no key is told at once", "give --key" in refusal_to_start("--table", "nokey"))
    check("several columns of vectors are told at once", "give --embedding, one of embedding, other" in refusal_to_start("--table", "none"))
    check("no table is told at once", "does not exist" in refusal_to_start("--table", "nowhere"))
    check("no server is told at once", "cannot be reached" in refusal_to_start("--table", "x", "host=127.0.0.1 port=1"))
    with Server("--table", "none", "--embedding", "embedding") as page:
        check("an empty table says so", page.ask().says("no rows with a vector"))
        check("and so does a search in it", page.ask(like=1).says("no longer there"))


def the_database_goes_and_comes():
    psql("DROP DATABASE IF EXISTS web_down WITH (FORCE)")
    psql("CREATE DATABASE web_down")
    psql("CREATE EXTENSION vector; CREATE EXTENSION hinted_exemplar; CREATE TABLE t (id int PRIMARY KEY, embedding vector(2)); INSERT INTO t SELECT i, format('[%s,1]', i)::vector FROM generate_series(1, 50) i", "web_down")
    with Server("--table", "t", "dbname=web_down password=sesame") as page:
        check("up", page.ask(like=1).status == 200)
        psql("ALTER DATABASE web_down ALLOW_CONNECTIONS false; SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'web_down'")
        answer = page.ask(like=1)
        check("down is told in words", answer.status == 503 and answer.says("The database cannot be reached"), answer.status)
        check("no secret is told", not answer.says("sesame") and not answer.says(os.environ["PGHOST"]))
        check("its health says so", page.ask("/health").status == 503)
        psql("ALTER DATABASE web_down ALLOW_CONNECTIONS true")
        check("up again", page.ask(like=1).status == 200 and page.ask("/health").status == 200)
        psql("DROP TABLE t", "web_down")
        check("a table that is gone is told", page.ask(like=1).says("does not exist"))
    psql("DROP DATABASE web_down WITH (FORCE)")


def many_requests_leave_nothing_behind():
    count = int(os.environ.get("REQUESTS") or 500)
    with Server(*DEMO, "--connections", "4") as page:
        paths = ["/", "/?like=42", "/?text=puzzle+game&like=42&not=99", "/suggest?q=game", "/?like=nonsense", "/export.csv?like=42"]
        statuses = []

        def some(first, last):
            for i in range(first, last):
                statuses.append(page.ask(paths[i % len(paths)]).status)

        def round_of(requests):
            threads = [threading.Thread(target=some, args=(i * requests // 4, (i + 1) * requests // 4)) for i in range(4)]
            [thread.start() for thread in threads]
            [thread.join() for thread in threads]

        round_of(count // 3)
        before = page.resident_kilobytes()
        round_of(count - count // 3)
        grown = page.resident_kilobytes() - before
        check(f"{count} requests are all answered", set(statuses) == {200, 400} and len(statuses) == count // 3 + count - count // 3, set(statuses))
        check("and leave no memory behind", grown < 8192, f"{grown} kB")
        time.sleep(0.5)
        check("and no open transaction", psql("SELECT count(*) FROM pg_stat_activity WHERE application_name = 'hinted-exemplar-web' AND datname = current_database() AND xact_start IS NOT NULL") == "0")


def who_says_nothing_is_not_waited_for():
    psql("DROP TABLE IF EXISTS kept; CREATE TABLE kept (name text PRIMARY KEY, search text NOT NULL)")
    with Server(*DEMO, "--save-into", "kept") as page:

        def sent(what):
            connection = socket.create_connection(("127.0.0.1", page.port), timeout=25)
            connection.sendall(what)
            return connection

        def ends(connection, quiet=b""):
            """What is answered until the end, and when that came; `quiet` is sent on, a byte a second."""
            connection.settimeout(1)
            answer, quiet = b"", list(quiet)
            while time.monotonic() - began < 20:
                try:
                    if quiet:
                        connection.send(bytes([quiet.pop(0)]))
                    more = connection.recv(1 << 16)
                    if not more:
                        return answer, time.monotonic() - began
                    answer += more
                except TimeoutError:
                    pass
                except OSError:
                    return answer, time.monotonic() - began
            return answer, None

        before, began = page.resident_kilobytes(), time.monotonic()
        own = "Host: localhost\r\nOrigin: http://localhost\r\n".encode()
        kinds = {
            "nothing at all": (b"", b""),
            "half a line": (b"GET /?like=4", b""),
            "half of the headers": (b"GET / HTTP/1.1\r\nHost: localhost\r\nX: ", b""),
            "headers a byte a second": (b"GET / HTTP/1.1\r\nHost: localhost\r\nX: ", b"y" * 60),
            "half a form": (b"POST /save HTTP/1.1\r\nContent-Length: 1000\r\n" + own + b"\r\nname=", b""),
            "a form a byte a second": (b"POST /save HTTP/1.1\r\nContent-Length: 1000\r\n" + own + b"\r\nname=", b"y" * 60),
            "half a form for no page": (b"POST / HTTP/1.1\r\nContent-Length: 1000\r\n" + own + b"\r\nname=", b""),
            "a request, and then nothing": (b"GET /icon.svg HTTP/1.1\r\nHost: localhost\r\n\r\n", b""),
        }
        crowd = [sent(b"GET /?like=4") for _ in range(200)]
        started = time.monotonic()
        answer = page.ask(like=42)
        check("200 that say nothing keep nobody out", answer.status == 200 and time.monotonic() - started < 5, answer.status)
        check("and take little", page.resident_kilobytes() - before < 16384, page.resident_kilobytes() - before)
        found = {}
        threads = [threading.Thread(target=lambda name=name, first=first, quiet=quiet: found.update({name: ends(sent(first), quiet)})) for name, (first, quiet) in kinds.items()]
        [thread.start() for thread in threads]
        [thread.join() for thread in threads]
        for name, (said, after) in found.items():
            check(f"{name}: is ended", after is not None and after < 17, (said[:60], after))
        check("a form that does not come is told so", b" 408 " in found["half a form"][0], found["half a form"][0][:60])
        check("the crowd too", all(ends(connection)[1] for connection in crowd))
        many = []
        for _ in range(600):
            try:
                many.append(sent(b"GET /?like=4"))
            except OSError:
                break
        started = time.monotonic()
        check("with more than there are places one waits, and no longer than that", page.ask(like=42).status == 200 and time.monotonic() - started < 15, len(many))
        big = b"GET /?text=" + b"x" * 40_000 + b" HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
        began = time.monotonic()
        said = ends(sent(big))[0]
        check("a long address is read, and answered in words", b" 400 " in said[:20] and b"longer than" in said, said[:60])
        began = time.monotonic()
        check("endless headers are not", b" 431 " in ends(sent(b"GET / HTTP/1.1\r\nHost: localhost\r\n" + b"X: y\r\n" * 40_000))[0][:20])
        idle = sent(b"GET /icon.svg HTTP/1.1\r\nHost: localhost\r\n\r\n")
        started = time.monotonic()
        page.process.terminate()
        page.process.wait(15)
        check("the end does not wait for who says nothing", time.monotonic() - started < 12 and page.process.returncode == 0, page.process.returncode)
        idle.close()


def exports_and_pages():
    with Server(*DEMO) as page:
        answer = page.ask("/export.csv", like=42, text="puzzle game")
        lines = answer.text.splitlines()
        check("an export has keys and margins above 0", lines[0] == "key,margin" and len(lines) > 1 and all(float(line.rsplit(",", 1)[1]) > 0 for line in lines[1:]), lines[:3])
        rows = json.loads(page.ask("/export.json", like=42, text="puzzle game").text)
        check("as JSON the same", [row["key"] for row in rows] == [line.split(",")[0].strip('"') for line in lines[1:]])
        check("without a search there is none", page.ask("/export.csv").status == 400)
        first = page.ask("/", like=42, fold=0)
        second_url = [part for part in first.text.split('"') if part.startswith("/?") and "after=" in part][0].replace("&amp;", "&")
        psql(f"CREATE TEMP TABLE gone AS SELECT * FROM packages WHERE id = {first.keys[-1]}")
        second = page.ask(second_url)
        check("the line is not told of twice", first.text.count("about here it ends") + first.text.count("No row surely") == 1 and "about here it ends" not in page.ask("/", like=42, text="puzzle game", after="-0.1:24:0").text)
        check("pages neither skip nor repeat a row", len(set(first.keys) | set(second.keys)) == 48, (first.keys[-1], second.keys[0]))
        psql(f"""BEGIN; DELETE FROM package_tags WHERE package_id = {first.keys[3]}; CREATE TABLE removed AS SELECT * FROM packages WHERE id = {first.keys[3]};
                 DELETE FROM packages WHERE id = {first.keys[3]}; COMMIT""")
        again = page.ask(second_url)
        check("though one is deleted meanwhile", len(again.keys) == 24 and len(set(again.keys) & set(second.keys)) > 20, len(set(again.keys) & set(second.keys)))
        psql("INSERT INTO packages SELECT * FROM removed; DROP TABLE removed")
        games = page.ask("/", like=42, where="area:game")
        rows = psql(f"SELECT DISTINCT area FROM packages WHERE id IN ({','.join(games.keys)})")
        check("a filter filters", rows == "game", rows)
        check("no row is left is said", page.ask("/", like=42, where="area:nothing").says("No row is left under this filter"))
        check("a rejected row before any like is told of", page.ask("/", **{"not": 42}).says("only said what is not wanted"))
        alike = [page.ask("/", like="42,17", text="puzzle game").keys for _ in range(2)]
        check("the same address gives the same rows", alike[0] == alike[1] and alike[0])
        sixty = page.ask("/", like=",".join(str(i) for i in range(1, 61)))
        check("60 likes", sixty.status == 200 and len(sixty.keys) == 24, sixty.status)


def main():
    for test in [other_names_and_other_sites, scripts_stay_text, pictures_only_from_below_the_root, encoders_fail_gently, slow_statements_end, roles_see_what_is_theirs,
                 tables_of_all_kinds, who_says_nothing_is_not_waited_for, exports_and_pages, the_database_goes_and_comes, many_requests_leave_nothing_behind]:
        if len(sys.argv) < 2 or test.__name__ in sys.argv[1:]:
            tested(test)
    return finish()


if __name__ == "__main__":
    sys.exit(main())
