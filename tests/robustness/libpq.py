"""The little of libpq that these tests need, through ctypes: whoever has psql has it, so that nothing need be installed."""

import ctypes
import ctypes.util
import os
import select
import subprocess
import time

_FATAL, _BAD_RESPONSE = 7, 5
_FIELDS = {"severity": "V", "state": "C", "message": "M", "detail": "D", "hint": "H", "context": "W"}


def _library():
    names = []
    try:
        folder = subprocess.run(["pg_config", "--libdir"], capture_output=True, text=True, check=True).stdout.strip()
        names = [os.path.join(folder, name) for name in ("libpq.so.5", "libpq.5.dylib")]
    except (OSError, subprocess.CalledProcessError):
        pass
    for name in [*names, "libpq.so.5", ctypes.util.find_library("pq")]:
        try:
            return ctypes.CDLL(name)
        except (OSError, TypeError):
            continue
    raise SystemExit("libpq is not found")


_pq = _library()
_RECEIVER = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_void_p)
for _name, _result, _arguments in [
    ("PQconnectdb", "p", "s"), ("PQfinish", None, "p"), ("PQstatus", "i", "p"), ("PQerrorMessage", "s", "p"),
    ("PQsendQuery", "i", "ps"), ("PQconsumeInput", "i", "p"), ("PQisBusy", "i", "p"), ("PQgetResult", "p", "p"),
    ("PQsocket", "i", "p"), ("PQbackendPID", "i", "p"), ("PQresultStatus", "i", "p"), ("PQclear", None, "p"),
    ("PQresultErrorField", "s", "pi"), ("PQresultErrorMessage", "s", "p"), ("PQntuples", "i", "p"), ("PQnfields", "i", "p"),
    ("PQfname", "s", "pi"), ("PQftype", "u", "pi"), ("PQgetvalue", "s", "pii"), ("PQgetisnull", "i", "pii"),
    ("PQgetCancel", "p", "p"), ("PQcancel", "i", "psi"), ("PQfreeCancel", None, "p"),
]:
    _types = {"p": ctypes.c_void_p, "s": ctypes.c_char_p, "i": ctypes.c_int, "u": ctypes.c_uint, None: None}
    _function = getattr(_pq, _name)
    _function.restype, _function.argtypes = _types[_result], [_types[letter] for letter in _arguments]
_pq.PQsetNoticeReceiver.restype = ctypes.c_void_p
_pq.PQsetNoticeReceiver.argtypes = [ctypes.c_void_p, _RECEIVER, ctypes.c_void_p]


class Lost(Exception):
    """The connection is gone."""


class Hung(Exception):
    """The server did not answer within the time that the client gives it."""


class Message:
    """An error or a notice."""

    def __init__(self, result):
        for name, letter in _FIELDS.items():
            setattr(self, name, (_pq.PQresultErrorField(result, ord(letter)) or b"").decode("utf8", "replace"))
        if not self.message:
            self.message = (_pq.PQresultErrorMessage(result) or b"").decode("utf8", "replace").strip()

    def __str__(self):
        parts = (("DETAIL", self.detail), ("HINT", self.hint), ("CONTEXT", self.context))
        return f"{self.severity} {self.state}: {self.message}" + "".join(f"\n    {name}: {text}" for name, text in parts if text)


class Result:
    """What one statement gave: names and types of the columns, rows of texts and None, or an error."""

    def __init__(self, result):
        self.error = Message(result) if _pq.PQresultStatus(result) in (_FATAL, _BAD_RESPONSE) else None
        columns = range(_pq.PQnfields(result))
        self.names = [_pq.PQfname(result, i).decode() for i in columns]
        self.types = [_pq.PQftype(result, i) for i in columns]

        def value(row, i):
            return None if _pq.PQgetisnull(result, row, i) else _pq.PQgetvalue(result, row, i).decode("utf8", "replace")

        self.rows = [tuple(value(row, i) for i in columns) for row in range(_pq.PQntuples(result))]


class Connection:
    """A session. `parameters` are those of a connection string; the environment gives the rest."""

    def __init__(self, **parameters):
        text = " ".join(f"{name}='{value}'" for name, value in parameters.items())
        self._connection = _pq.PQconnectdb(text.encode())
        if _pq.PQstatus(self._connection) != 0:
            message = (_pq.PQerrorMessage(self._connection) or b"").decode("utf8", "replace").strip()
            _pq.PQfinish(self._connection)
            self._connection = None
            raise Lost(message)
        self.notices = []
        # Kept, or it would be freed while libpq has it.
        self._receiver = _RECEIVER(lambda _, result: self.notices.append(Message(result)))
        _pq.PQsetNoticeReceiver(self._connection, self._receiver, None)
        self.pid = _pq.PQbackendPID(self._connection)

    def send(self, sql):
        """Sends statements without waiting for them."""
        self.notices = []
        if not _pq.PQsendQuery(self._connection, sql.encode()):
            raise Lost((_pq.PQerrorMessage(self._connection) or b"").decode("utf8", "replace"))

    def results(self, patience=None):
        """The results of what was sent, one for each statement; Hung after `patience` seconds, Lost if the server went away."""
        results, until = [], None if patience is None else time.monotonic() + patience
        while True:
            while _pq.PQisBusy(self._connection):
                left = None if until is None else max(0.0, until - time.monotonic())
                if not select.select([_pq.PQsocket(self._connection)], [], [], left)[0]:
                    raise Hung
                if not _pq.PQconsumeInput(self._connection):
                    break
            result = _pq.PQgetResult(self._connection)
            if not result:
                break
            results.append(Result(result))
            _pq.PQclear(result)
        if _pq.PQstatus(self._connection) != 0:
            raise Lost("; ".join(str(result.error) for result in results if result.error) or "connection lost")
        return results

    def execute(self, sql, patience=None):
        """Sends statements and waits for their results."""
        self.send(sql)
        return self.results(patience)

    def query(self, sql):
        """The rows of the last statement; an error is raised."""
        results = self.execute(sql)
        for result in results:
            if result.error:
                raise RuntimeError(f"{result.error}\nSQL: {sql[:2000]}")
        return results[-1].rows if results else []

    def value(self, sql):
        """The first value of the first row."""
        return self.query(sql)[0][0]

    def cancel(self):
        """Asks the server to cancel what runs, as Ctrl+C does."""
        handle, buffer = _pq.PQgetCancel(self._connection), ctypes.create_string_buffer(256)
        _pq.PQcancel(handle, buffer, 256)
        _pq.PQfreeCancel(handle)

    def close(self):
        """Ends the session; may be called twice."""
        if self._connection:
            _pq.PQfinish(self._connection)
            self._connection = None


def connect_patiently():
    """A session that answers; waits for a server that is starting again."""
    for _ in range(600):
        try:
            session = Connection()
            session.query("SELECT 1")
            return session
        except Lost:
            time.sleep(0.1)
    raise SystemExit("the server does not come back")
