"""The workbench in a real browser, as a person uses it. Makes the manual's pictures too.

usage: python clicks.py PICTURES [AXE]        (PICTURES: where the manual's pictures go; AXE: axe-core's script, if it is there)

The environment reaches a database with the demo's data.
"""
import pathlib, statistics, subprocess, sys, tempfile, time, urllib.parse

from browser import Driver, wait_until
from harness import ROOT, Server, check, finish, psql, tested

DEMO = ["--table", "packages", "--text", "name,description", "--vocabulary", "tags(words, hint)"]
# Measured from the click to the frame after the one that shows the new rows.
CLICK_TO_PAINTED = """
const done = arguments[arguments.length - 1], link = document.querySelector(arguments[0]), start = performance.now();
new MutationObserver((_, observer) => {
    observer.disconnect();
    requestAnimationFrame(() => setTimeout(() => done(performance.now() - start)));
}).observe(document.getElementById("main"), { childList: true });
link.click();
"""


class Tests:
    def __init__(self, driver, demo, shapes, pictures, axe):
        self.driver, self.demo, self.shapes, self.pictures, self.axe = driver, demo, shapes, pathlib.Path(pictures), axe
        self.window = driver.window()

    def open(self, query="", page=None, window=None):
        window = window or self.window
        window.open((page or self.demo).url + "/" + (f"?{query}" if query else ""))
        window.settled()
        return window

    def state(self, window=None):
        return dict(urllib.parse.parse_qsl(urllib.parse.urlsplit((window or self.window).url).query, keep_blank_values=True))

    def shot(self, name, whole=False):
        self.window.run("document.activeElement.blur()")
        self.window.picture(self.pictures / f"{name}.png", whole)
        size = (self.pictures / f"{name}.png").stat().st_size
        check(f"the picture {name} is small", 5_000 < size < 300_000, size)

    def likes_rejections_and_history(self):
        w = self.open()
        start = w.keys_shown()
        check("a start page has rows", len(start) == 24 and w.text("#results").startswith("Random rows"))
        w.click(".tile .more")
        liked = w.keys_shown()
        check("a click likes a row", self.state() == {"like": start[0]} and w.keys_shown(".strip .example") == [start[0]] and start[0] not in liked and len(liked) == 24, self.state())
        w.click(".tile:nth-child(2) .more", alt=True)
        rejected = w.keys_shown()
        check("a click with Alt rejects one", self.state() == {"like": start[0], "not": liked[1]} and liked[1] not in rejected, self.state())
        chips = w.texts(".chip:not(.none)")
        check("reasons are guessed", 1 <= len(chips) <= 5, chips)
        w.press("1", follow=True)
        reasoned = w.keys_shown()
        check("a number key chooses one", self.state()["not"].startswith(liked[1] + ":") and self.state()["not"].split(":", 1)[1] in chips[0], self.state())
        check("and the order changes", reasoned != rejected)
        w.click(".example .weight")
        check("a weight is raised", self.state()["like"] == start[0] + "*2", self.state())
        for expected in (reasoned, rejected, liked, start):
            w.back()
            check("back is undo", w.keys_shown() == expected, self.state())
        w.forward(), w.forward()
        check("forward is redo", w.keys_shown() == rejected)
        w.call("POST", "/refresh")
        w.settled()
        check("a reload gives the same rows", w.keys_shown() == rejected)
        other = self.driver.window()
        other.open(w.url)
        other.settled()
        check("another browser too", other.keys_shown() == rejected)
        other.click(".tile .more")
        check("two windows do not disturb one another", w.keys_shown() == rejected and len(self.state(other)["like"].split(",")) == 2)
        other.close()
        w.click(".rejected .forget")
        check("an example can be forgotten", self.state() == {"like": start[0]}, self.state())
        check("nothing was complained of", not w.complaints())

    def a_click_far_down_shows_the_best(self):
        w = self.open("like=42")
        w.click(".tile:last-child .more")
        top = w.run("return document.getElementById('results').getBoundingClientRect().top")
        check("after a click far down the best rows are in sight", 0 <= top < 600, top)

    def everything_by_keyboard(self):
        w = self.open()
        w.press("/")
        w.press(*"puzzle game")
        w.press("Enter", follow=True)
        check("a text by keyboard", self.state() == {"text": "puzzle game"} and w.run("return document.activeElement.id") == "text", self.state())
        w.press("Escape")
        w.press("Right", "Right", "Down")
        focused = "return document.activeElement.closest('.tile')?.dataset.key"
        key = w.run(focused)
        check("arrows go from tile to tile", key and key in w.keys_shown(), key)
        at = w.keys_shown().index(key)
        w.press("Enter", follow=True)
        check("Enter likes", self.state().get("like") == key, self.state())
        check("focus stays where it was", w.run(focused) == w.keys_shown()[at], w.run(focused))
        key = w.run(focused)
        w.press("n", follow=True)
        check("N rejects", self.state().get("not") == key and w.run(focused), self.state())
        w.press("r")
        check("R goes to the reason", w.run("return document.activeElement.name") == "reason")
        w.press(*"strategy game")
        w.press("Enter", follow=True)
        check("a reason is typed", self.state()["not"] == key + ":strategy game", self.state())
        w.run("document.activeElement.blur()")
        w.press("s")
        check("S shows the SQL", w.run("return document.getElementById('sql').open"))
        w.run("document.activeElement.blur()")
        w.press("?")
        check("? shows the keys", not w.run("return document.getElementById('help').hidden"))
        w.press("Escape")
        check("Escape ends that", w.run("return document.getElementById('help').hidden"))
        w.press("c", follow=True)
        check("C compares", self.state().get("compare") == "1" and len(w.find_all(".compared section")) == 3)
        w.press("u", follow=True)
        check("U undoes", "compare" not in self.state())

    def texts(self):
        w = self.open()
        w.type("#text", "puzz")
        options = wait_until(lambda: w.run("return [...document.querySelectorAll('#vocabulary option')].map(o => o.value)"), "suggestions")
        check("what is typed is completed", options == ["puzzle game"], options)
        for text in ['it\'s "quoted"', "<script>document.title='taken'</script>", "é 漢字", "x" * 2000]:
            self.open(urllib.parse.urlencode({"text": text, "like": "42"}))
            check(f"text {text[:10]!r} stays a text", w.run("return document.getElementById('text').value") == text and w.run("return document.title") != "taken" and len(w.keys_shown()) == 24)
        self.open("text=puzle+game")
        check("a misspelt text is answered with the right one", "puzzle game" in w.text(".said .warning"), w.text(".said .warning"))
        check("nothing was complained of", not w.complaints())

    def without_scripts(self):
        w = self.driver.window()
        w.cdp("Emulation.setScriptExecutionDisabled", value=True)
        w.open(self.demo.url + "/")
        link = lambda selector: w.call("POST", f"/element/{w.find(selector)}/click")
        link(".tile .more")
        wait_until(lambda: "like=" in w.url, "the like")
        link(".tile .not")
        wait_until(lambda: "not=" in w.url, "the rejection")
        link(".chip")
        wait_until(lambda: "%3A" in w.url or ":" in self.state(w)["not"], "the reason")
        check("without scripts rows are liked, rejected and explained", {"like", "not"} <= self.state(w).keys(), w.url)
        w.call("POST", f"/element/{w.find('#text')}/value", {"text": "puzzle game"})
        link(".texts button")
        wait_until(lambda: "text=puzzle" in w.url, "the text")
        check("and texts typed", self.state(w)["text"] == "puzzle game")
        w.close()

    def sql_is_what_ran(self):
        w = self.open("like=42*2,17&not=99:mail+filters,12&text=puzzle+game&avoid=board+game&where=area:game&fold=0")
        shown, sql = w.keys_shown(), w.text("#sql-search")
        check("the copied SQL gives the same rows", psql(sql).split() == shown, sql[:300])
        check("what ran is shown with parameters", "$1" in w.text("#sql-ran") and len(w.texts(".values li")) > 3)
        for method in ("neighbour", "text"):
            self.open(f"like=42&text=puzzle+game&fold=0&by={method}")
            check(f"so it is by {method}", psql(w.text("#sql-search")).split() == w.keys_shown())

        self.open("like=1,2&text=ring&not=3:circle&where=colour:red&fold=0", self.shapes)
        found = [line.split("|")[0] for line in psql(w.text("#sql-search")).split()]
        check("and through an index", "hinted_exemplar_search" in w.text("#sql-search") and found == w.keys_shown(), w.text("#sql-search")[:300])

    def compare_fold_and_spread(self):
        w = self.open("like=42&text=puzzle+game")
        w.click("[data-tool=compare]")
        columns = [w.run("return [...document.querySelectorAll(`.compared section:nth-child(${arguments[0]}) .tile`)].map(t => t.dataset.key)", i) for i in (1, 2, 3)]
        check("three methods side by side", [len(column) for column in columns] == [12, 12, 12] and len({tuple(column) for column in columns}) == 3)
        self.open("like=42&compare=1")
        check("without a text there is no column of texts", w.texts(".compared h3") == ["ours", "neighbour"], w.texts(".compared h3"))
        self.open("like=42")
        top = w.keys_shown()
        w.click("[data-tool=spread]")
        check("spreading shows other rows", w.keys_shown() != top and set(w.keys_shown()) & set(top))
        self.open("like=65")
        wanted = [float(margin.replace("−", "-")) > 0 for margin in w.texts(".tile .margin")]
        w.click("[data-tool=spread]")
        check("where wanted rows fill a page, spreading shows no others", all(wanted) and len(w.keys_shown()) == 24 and not w.find_all(".tile.beyond"), wanted)
        self.open("like=42")
        w.click(".next")
        check("the next page has other rows", not set(w.keys_shown()) & set(top) and len(w.keys_shown()) == 24)
        w.run("const s = document.querySelector('select'); s.value = 'game'; s.dispatchEvent(new Event('change', { bubbles: true }))")
        wait_until(lambda: "where=" in w.url, "the filter")
        check("a filter is chosen", self.state() == {"like": "42", "where": "area:game"}, self.state())

    def pictures_load(self):
        w = self.open(page=self.shapes)
        wait_until(lambda: w.run("return document.querySelectorAll('.tile img').length === 24 && [...document.querySelectorAll('.tile img')].slice(0, 6).every(i => i.naturalWidth === 96)"), "the pictures")
        check("pictures are shown", True)
        psql("UPDATE shapes SET path = 'none.png' WHERE id = 7")
        w.cdp("Network.setCacheDisabled", cacheDisabled=True)
        self.open("like=7", self.shapes)
        wait_until(lambda: w.run("return document.querySelector('.example img').classList.contains('broken')"), "the broken picture")
        check("a missing picture shows its row's name", True)
        psql("UPDATE shapes SET path = (SELECT path FROM shapes WHERE id = 2) WHERE path = 'none.png'")
        w.cdp("Network.setCacheDisabled", cacheDisabled=False)
        w.complaints()

    def narrow_zoomed_and_named(self):
        w = self.window
        for name, width, height in [("a phone", 390, 844), ("200 % zoom", 640, 450), ("a narrow phone", 320, 640)]:
            for query in ["", "like=42&not=99&text=puzzle+game", "like=42&text=puzzle+game&compare=1", "like=abc"]:
                w.size(width, height, mobile=width < 600)
                self.open(query)
                check(f"nothing is wider than {name} ({query[:12]})", w.run("return document.documentElement.scrollWidth <= innerWidth"), w.run("return document.documentElement.scrollWidth"))
        w.size(1280, 900)
        if not self.axe:
            print("        axe-core is not there: names and contrast are not checked")
            return
        axe = pathlib.Path(self.axe).read_text()
        for dark in (False, True):
            w.dark(dark)
            pages = [(self.demo, query) for query in ["", "like=42&not=99,98:mail+filters&text=puzzle+game", "like=42&text=puzzle+game&compare=1", "like=abc", "text=nonsense", "not=42", "like=42&where=area:none"]]
            pages += [(self.shapes, query) for query in ["", "like=1,2&text=ring&not=3:circle", "like=1,2&text=ring&compare=1"]]
            for page, query in pages:
                self.open(query, page)
                w.run("document.querySelectorAll('details').forEach(d => d.open = true); document.getElementById('help').hidden = arguments[0] !== 'not=42'", query)
                w.run(axe + "; document.body.dataset.axe = ''; axe.run().then(r => document.body.dataset.axe = JSON.stringify(r.violations.map(v => [v.id, v.nodes[0].html.slice(0, 120)])))")
                found = wait_until(lambda: w.run("return document.body.dataset.axe"), "axe")
                check(f"axe finds nothing ({'dark' if dark else 'light'}, {query[:24]}{', pictures' if page is self.shapes else ''})", found == "[]", found)
        w.dark(False)

    def clicks_are_fast(self):
        w, times = self.window, []
        for i in range(9):
            self.open(f"shuffle={i}")
            times.append(w.call("POST", "/execute/async", {"script": CLICK_TO_PAINTED, "args": [".tile .more"]}))
        median = statistics.median(times)
        print(f"        click to painted: median {median:.0f} ms, from {min(times):.0f} to {max(times):.0f}")
        # A machine that is busy with other things is slower; the goal is 150 ms.
        check("a click is painted soon", median < 1500, times)

    def the_manuals_pictures(self):
        w = self.window
        w.size(1120, 760)
        self.open(page=self.demo)
        self.shot("workbench-start")
        doom, mixer = psql("SELECT string_agg(id::text, ' ' ORDER BY name) FROM packages WHERE name IN ('chocolate-doom', 'mixxx')").split()
        self.open(f"like={doom}&text=first+person+shooter+game")
        if "not in the vocabulary" in (w.text("aside") or ""):
            self.open(f"like={doom}&text=" + urllib.parse.quote_plus(psql("SELECT words FROM tags WHERE tag = 'game::fps'")))
        self.shot("workbench-like")
        arcade = psql("SELECT id FROM packages WHERE name = 'ii-esu'")
        w.click(f".tile[data-key='{arcade}'] .not")
        self.shot("workbench-why")
        self.open(f"like={mixer}&text=" + urllib.parse.quote_plus(psql("SELECT words FROM tags WHERE tag = 'sound::mixer'")) + "&compare=1")
        self.shot("workbench-compare")
        w.dark(True)
        ids = psql("SELECT string_agg(id::text, ',') FROM (SELECT id FROM shapes WHERE path LIKE '%red-ring%' ORDER BY id LIMIT 2) s")
        no = psql("SELECT id FROM shapes WHERE path LIKE '%large-red-circle%' ORDER BY id LIMIT 1")
        self.open(f"like={ids}&not={no}&text=ring", self.shapes)
        self.shot("workbench-dark")
        w.dark(False)
        w.size(390, 780, mobile=True)
        self.open(f"like={ids}&text=ring", self.shapes)
        self.shot("workbench-phone")
        w.size(1280, 900)


def main():
    pictures, axe = sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else None
    with tempfile.TemporaryDirectory() as place:
        psql("DROP TABLE IF EXISTS shapes, words; " + subprocess.run([sys.executable, str(ROOT / "tests/web/pictures.py"), place], capture_output=True, text=True, check=True).stdout)
        shapes = ["--table", "shapes", "--image-root", place, "--vocabulary", "words(word, embedding)"]
        with Driver() as driver, Server(*DEMO) as demo, Server(*shapes) as shapes:
            tests = Tests(driver, demo, shapes, pictures, axe)
            for test in [tests.likes_rejections_and_history, tests.a_click_far_down_shows_the_best, tests.everything_by_keyboard, tests.texts, tests.without_scripts, tests.sql_is_what_ran, tests.compare_fold_and_spread,
                         tests.pictures_load, tests.narrow_zoomed_and_named, tests.clicks_are_fast, tests.the_manuals_pictures]:
                if len(sys.argv) < 4 or test.__name__ in sys.argv[3:]:
                    tested(test)
    return finish()


if __name__ == "__main__":
    sys.exit(main())
