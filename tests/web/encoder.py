"""Typed text by a real encoder: examples/text_encoder.py, run by the Python that is named.

usage: python encoder.py PYTHON        (one that has the encoder's packages)
"""
import json, subprocess, sys, urllib.request

from harness import ROOT, Server, check, finish, psql, tested


def embedding(url, text):
    request = urllib.request.Request(url, json.dumps({"input": text}).encode(), {"content-type": "application/json"})
    with urllib.request.urlopen(request, timeout=30) as answer:
        return json.load(answer)["data"][0]["embedding"]


def typed_text_is_searched_by():
    with subprocess.Popen([sys.argv[1], str(ROOT / "examples/text_encoder.py")], stdout=subprocess.PIPE, text=True) as encoder:
        try:
            url = encoder.stdout.readline().strip()
            words, stored = psql("SELECT words || '|' || hint::text FROM tags WHERE tag = 'game::puzzle'").split("|")
            cosine = sum(a * b for a, b in zip(embedding(url, words), json.loads(stored)))
            check("the encoder gives the demo's vectors", cosine > 0.9999, cosine)
            try:
                embedding(url, [])
                refused = False
            except urllib.error.HTTPError as error:
                refused = error.code == 400
            check("and refuses what is no text", refused)
            with Server("--table", "packages", "--text", "name,description", "--vocabulary", "tags(words, hint)", "--embed-url", url) as page:
                answer = page.ask(text="put the falling blocks in order")
                shown = psql(f"SELECT count(*) FROM packages WHERE id IN ({','.join(answer.keys)}) AND area = 'game'")
                check("a text that is in no vocabulary finds what it says", len(answer.keys) == 24 and int(shown) >= 8, shown)
                reasoned = page.ask("/", **{"text": "put the falling blocks in order", "like": answer.keys[0], "not": answer.keys[1] + ":looks like a clone of an old console game"})
                check("and reasons can be typed too", reasoned.status == 200 and len(reasoned.keys) == 24 and not reasoned.says("gave no vector"), reasoned.status)
        finally:
            encoder.terminate()


tested(typed_text_is_searched_by)
sys.exit(finish())
