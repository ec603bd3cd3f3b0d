"""The workbench on a hot standby."""
import sys

from harness import Server, check, finish, tested


def a_standby_answers():
    with Server("--table", "packages", "--text", "name,description", "--vocabulary", "tags(words, hint)", "--save-into", "saved_searches") as page:
        answer = page.ask(like=42, text="puzzle game")
        check("a standby answers", answer.status == 200 and len(answer.keys) == 24, answer.status)
        check("and is called one", answer.says("standby"))
        answer = page.ask("/save", "POST", {"Origin": f"http://127.0.0.1:{page.port}"}, "name=a&search=like%3D1")
        check("nothing can be saved there, in words", answer.status == 400 and answer.says("recovery"), answer.text[-500:])


tested(a_standby_answers)
sys.exit(finish())
