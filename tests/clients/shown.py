"""Whether every block of a client's language in the manual is run by a client: shown.py clients.md FOLDER. With a file of first errors, as
the clients print them: whether the manual's table has each, word for word, in its client's row."""

import pathlib
import re
import sys
import textwrap

LANGUAGES = {"python", "js", "java", "rust", "pgsql"}


def marked(path: pathlib.Path) -> list[str]:
    """What stands between "[docs" and "docs]" of one client, without the indentation that it has there."""
    blocks, inside = [], None
    for line in path.read_text().splitlines():
        if line.strip().endswith("[docs"):
            inside = []
        elif line.strip().endswith("docs]"):
            blocks.append(textwrap.dedent("\n".join(inside)).strip())
            inside = None
        elif inside is not None:
            inside.append(line)
    return blocks


def compare_errors(page: pathlib.Path, printed: pathlib.Path) -> None:
    rows = [[cell.strip() for cell in line.strip("|").split(" | ")] for line in page.read_text().splitlines() if line.startswith("| ")]
    wrong = False
    for line in printed.read_text().splitlines():
        _, client, message = line.split("\t")
        if not any(row[0] == client and message.strip("` ") == cell.strip("` ") for row in rows for cell in row):
            print(f"--- not in the manual's table: {client}: {message}")
            wrong = True
    sys.exit(1 if wrong else 0)


def main() -> None:
    page, folder = map(pathlib.Path, sys.argv[1:3])
    if len(sys.argv) > 3:
        compare_errors(page, pathlib.Path(sys.argv[3]))
    shown = [textwrap.dedent(code).strip() for language, code in re.findall(r"^```(\w+)\n(.*?)^```$", page.read_text(), re.MULTILINE | re.DOTALL)
             if language in LANGUAGES]
    run = {block for path in folder.rglob("*") if path.is_file() for block in marked(path)}
    strange = [block for block in shown if block not in run]
    missing = [block for block in run if block not in shown]
    for what, blocks in (("shown and not run", strange), ("run and not shown", missing)):
        for block in blocks:
            print(f"--- {what}:\n{block}")
    sys.exit(1 if strange or missing or not shown else 0)


if __name__ == "__main__":
    main()
