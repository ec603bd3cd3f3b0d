"""A mirror of PGXN that holds one archive, for its own client: pgxn_mirror.py ARCHIVE prints its address and serves until it is ended."""

import functools
import hashlib
import http.server
import json
import pathlib
import sys
import tempfile
import zipfile

TEMPLATES = {
    "dist": "/dist/{dist}.json",
    "download": "/dist/{dist}/{version}/{dist}-{version}.zip",
    "extension": "/extension/{extension}.json",
    "meta": "/dist/{dist}/{version}/META.json",
}


def lay_out(archive: pathlib.Path, place: pathlib.Path) -> None:
    with zipfile.ZipFile(archive) as content:
        folder = content.namelist()[0].split("/")[0]
        meta = json.loads(content.read(f"{folder}/META.json"))
    name, version, status = meta["name"], meta["version"], meta["release_status"]
    if archive.name != f"{name}-{version}.zip":
        sys.exit(f"{archive.name} is not the archive of {name} {version}")
    releases = {status: [{"version": version, "date": "2026-01-01T00:00:00Z"}]}
    newest = {"dist": name, "version": version}
    extensions = {extension: {"extension": extension, "latest": status, status: newest, "versions": {version: [newest]}}
                  for extension in meta["provides"]}
    release = place / "dist" / name / version
    release.mkdir(parents=True)
    (release / archive.name).write_bytes(archive.read_bytes())
    files = {
        "index.json": TEMPLATES,
        f"dist/{name}.json": {"name": name, "releases": releases},
        f"dist/{name}/{version}/META.json": {**meta, "user": "nobody", "sha1": hashlib.sha1(archive.read_bytes()).hexdigest()},
        **{f"extension/{extension}.json": entry for extension, entry in extensions.items()},
    }
    for path, entry in files.items():
        (place / path).parent.mkdir(parents=True, exist_ok=True)
        (place / path).write_text(json.dumps(entry))


class Handler(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


def main() -> None:
    with tempfile.TemporaryDirectory() as place:
        lay_out(pathlib.Path(sys.argv[1]), pathlib.Path(place))
        with http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Handler, directory=place)) as server:
            print(f"http://127.0.0.1:{server.server_port}", flush=True)
            server.serve_forever()


if __name__ == "__main__":
    main()
