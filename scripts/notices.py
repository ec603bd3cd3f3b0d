#!/usr/bin/env python3
"""Prints the licence and the licence texts of every crate that ends up in the library, for the packages that contain it.

usage: scripts/notices.py FEATURE...        of the extension, built with these features
       scripts/notices.py --python          of the Python package
"""

import json
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
# What a package of the PostgreSQL licence may link without more than a notice; deny.toml has the same list.
ALLOWED = {
    "0BSD", "Apache-2.0", "Apache-2.0 WITH LLVM-exception", "BSD-2-Clause", "BSD-3-Clause", "ISC", "MIT", "MIT-0",
    "PostgreSQL", "Unicode-3.0", "Unlicense", "Zlib", "CC0-1.0", "BSL-1.0",
}
TEXTS = re.compile(r"^(licen[cs]e|copying|copyright|notice|unlicense)([-._].*)?$", re.IGNORECASE)


def run(*command: str) -> str:
    return subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True).stdout


def linked(chosen: list[str]) -> list[dict]:
    """The crates in the library: reached by normal dependencies of what is chosen, without procedural macros, which run while compiling."""
    tree = run("cargo", "tree", "--locked", *chosen, "--edges", "normal,no-proc-macro", "--prefix", "none", "--format", "{p}")
    reached = {tuple(line.split()[:2]) for line in tree.splitlines() if line}
    graph = json.loads(run("cargo", "metadata", "--format-version", "1", "--locked"))
    own = set(graph["workspace_members"])
    packages = [package for package in graph["packages"] if (package["name"], f"v{package['version']}") in reached and package["id"] not in own]
    return sorted(packages, key=lambda package: (package["name"], package["version"]))


def is_allowed(expression: str) -> bool:
    """Whether one of the alternatives of an SPDX expression (or a crate's old "A/B") needs only licences of the list."""
    alternatives = re.sub(r"\s*/\s*", " OR ", expression).replace("(", "").replace(")", "").split(" OR ")
    return any(all(part.strip() in ALLOWED for part in alternative.split(" AND ")) for alternative in alternatives)


def texts(package: dict) -> list[pathlib.Path]:
    folder = pathlib.Path(package["manifest_path"]).parent
    return sorted(path for path in folder.iterdir() if path.is_file() and TEXTS.match(path.name))


def main() -> None:
    python = sys.argv[1:] == ["--python"]
    packages = linked(["--package", "hinted-exemplar-python"] if python else ["--no-default-features", "--features", ",".join(sys.argv[1:])])
    refused = [f"{package['name']} {package['version']}: {package['license']}" for package in packages if not is_allowed(package["license"] or "")]
    if refused:
        sys.exit("a licence that is not allowed:\n  " + "\n  ".join(refused))
    seen: dict[str, str] = {}
    print("The library of hinted_exemplar contains the crates below, each under the licence that is named, and Rust's standard library,")
    print("which is under MIT OR Apache-2.0.\n")
    for package in packages:
        name = f"{package['name']} {package['version']}"
        print(f"{'=' * 100}\n{name}\n  licence: {package['license']}\n  from:    {package['repository'] or 'crates.io'}")
        if package["authors"]:
            print(f"  by:      {', '.join(package['authors'])}")
        for path in texts(package):
            text = path.read_text(errors="replace").strip()
            if text in seen:
                print(f"  {path.name}: as that of {seen[text]}")
            else:
                seen[text] = f"{name} ({path.name})"
                print(f"\n--- {path.name}\n\n{text}\n")


if __name__ == "__main__":
    main()
