"""What the workbench's tests share: servers of its, requests to them, SQL, and checks that count."""
import contextlib, html, http.client, os, pathlib, re, subprocess, time, traceback, urllib.parse

ROOT = pathlib.Path(__file__).resolve().parents[2]
PROGRAM = os.environ["WORKBENCH"]
passed = failed = 0


def check(what, condition, seen=""):
    """Counts, and says what was seen where it fails."""
    global passed, failed
    if condition:
        passed += 1
        print(f"ok      {what}", flush=True)
    else:
        failed += 1
        print(f"FAILED  {what}" + (f": {seen!r}"[:600] if seen != "" else ""), flush=True)


def tested(test, *arguments):
    """A test that breaks off is one that failed; the others go on."""
    global failed
    try:
        test(*arguments)
    except Exception:
        failed += 1
        print(f"FAILED  {test.__name__} broke off\n{traceback.format_exc()}", flush=True)


def psql(sql, database=None, user=None):
    command = ["psql", "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1"] + (["-d", database] if database else []) + (["-U", user] if user else [])
    done = subprocess.run(command, input=sql, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(done.stderr)
    return done.stdout.strip()


class Server:
    """A page that runs until the block ends."""

    def __init__(self, *options, environment=None):
        self.command = [PROGRAM, "--listen", "127.0.0.1:0", *options]
        self.environment = {**os.environ, **(environment or {})}

    def __enter__(self):
        self.log = open(os.environ.get("WORKBENCH_LOG", os.devnull), "ab")
        self.process = subprocess.Popen(self.command, stdout=subprocess.PIPE, stderr=self.log, text=True, env=self.environment)
        self.url = self.process.stdout.readline().strip().rstrip("/")
        if not self.url:
            raise RuntimeError(f"the page did not start: {self.command}")
        self.port = int(self.url.rsplit(":", 1)[1])
        return self

    def __exit__(self, *_):
        self.process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(10)
        self.process.kill()
        self.log.close()

    def ask(self, path="/", method="GET", headers=None, body=None, **fields):
        """Status, headers and text; fields become the query."""
        if fields:
            path += "?" + urllib.parse.urlencode(fields)
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            connection.request(method, path, body, headers or {})
            answer = connection.getresponse()
            return Answer(answer.status, answer.headers, answer.read())
        finally:
            connection.close()

    def resident_kilobytes(self):
        status = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(r"VmRSS:\s+(\d+)", status)[1])


class Answer:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    @property
    def text(self):
        return self.body.decode("utf-8", "replace")

    @property
    def keys(self):
        return [html.unescape(key) for key in re.findall(r'<li class="tile[^"]*" data-key="([^"]*)"', self.text)]

    def says(self, words):
        return words.lower() in html.unescape(self.text).lower()


def refusal_to_start(*options):
    """What a page that does not start says."""
    done = subprocess.run([PROGRAM, "--listen", "127.0.0.1:0", *options], capture_output=True, text=True, timeout=30)
    return done.stderr if done.returncode else ""


def finish():
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0
