"""From a click in the workbench to the painted page, in a real browser; prints a table.

usage: python web.py DATABASE_WITH_DEMO DATABASE_WITH_CLIP        (WORKBENCH names the program, RUNS=7 takes fewer runs; PGHOST and so on find the server)

Measured by the page itself, from the click to the frame after the one that shows the new rows. `answer` is the part until the last byte of
the server's answer has come. Pictures come after that, each once it is in sight; the next click waits for them, as a person does.
"""
import os
import pathlib
import statistics
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent / "tests" / "web"))
from browser import Driver, there  # noqa: E402
from harness import Server  # noqa: E402
from pictures import COLOURS, GROUNDS, SHAPES, png  # noqa: E402

RUNS = int(os.environ.get("RUNS", "21"))
CLICK = """
const done = arguments[arguments.length - 1], link = document.querySelector(arguments[0]);
performance.clearResourceTimings();
const start = performance.now();
new MutationObserver((_, observer) => {
    observer.disconnect();
    requestAnimationFrame(() => setTimeout(() => {
        const now = performance.now(), answer = performance.getEntriesByType("resource").find((entry) => entry.initiatorType === "fetch");
        done([now - start, answer.responseEnd - start, ...answer.serverTiming.map((part) => part.duration)]);
    }));
}).observe(document.getElementById("main"), { childList: true });
link.click();
"""
CLICKS = {"more, from random rows": ".tile .more", "more, of what was found": ".tile:nth-child(3) .more", "not": ".tile:nth-child(2) .not"}


def measure(window, page):
    """For each click the times of every run: all, answer, and what the server says of its parts."""
    times = {name: [] for name in CLICKS}
    for run in range(RUNS + 2):
        window.open(f"{page.url}/?shuffle={run}")
        window.settled()
        for name, selector in CLICKS.items():
            window.wait_for("[...document.images].every(i => i.complete || i.getBoundingClientRect().top > innerHeight)", "the pictures")
            times[name].append(window.call("POST", "/execute/async", {"script": CLICK, "args": [selector]}))
    return {name: taken[2:] for name, taken in times.items()}


def draw_pictures(place):
    """The 96 that the rows name."""
    kinds = [(colour, shape, ground, size) for colour in COLOURS for shape in SHAPES for ground in GROUNDS for size in ("small", "large")]
    for number, kind in enumerate(kinds):
        (pathlib.Path(place) / f"{number:03}.png").write_bytes(png(*kind, (0, 0)))


def main(demo, large):
    if not there():
        print("Clicks were not measured: chromium and chromium-driver are not here.")
        return
    print("| workbench, click to painted | click | median, ms | slowest of 20 | until the answer is there | fit and search say |")
    print("|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as place, Driver() as driver:
        draw_pictures(place)
        tables = {
            "the demo's 8,145 packages": ["--table", "packages", "--text", "name,description", "--vocabulary", "tags(words, hint)", f"dbname={demo}"],
            "200,000 rows like CLIP's, 512 dimensions, HNSW": [
                "--table", "clip", "--image", "path", "--image-root", place, "--vocabulary", "words(words, embedding)", f"dbname={large}"],
        }
        window = driver.window()
        for table, options in tables.items():
            with Server(*options) as page:
                for name, taken in measure(window, page).items():
                    middle = [statistics.median(column) for column in zip(*taken)]
                    slow = sorted(times[0] for times in taken)[int(len(taken) * 0.95)]
                    parts = " + ".join(f"{part:.0f}" for part in middle[2:4])
                    print(f"| {table} | {name} | {middle[0]:.0f} | {slow:.0f} | {middle[1]:.0f} | {parts} |", flush=True)


main(*sys.argv[1:])
