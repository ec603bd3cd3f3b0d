"""Tables with odd names, kinds and texts, and addresses that nobody would type. The environment reaches a database with the extension."""
import html, re, sys
from urllib.parse import quote

from harness import Server, check, finish, psql, tested

ODD = '"we""ird s"."Ta\'ble; --"'
EIGHT = "(SELECT array_agg(random() - 0.5)::vector FROM generate_series(1, 8) WHERE i > 0)"


def plain(text):
    return quote(text, safe="")


def names_with_quotes_and_texts_from_right_to_left():
    psql(f"""DROP SCHEMA IF EXISTS "we""ird s" CASCADE; CREATE SCHEMA "we""ird s"; SELECT setseed(0.1);
             CREATE TABLE {ODD} ("ke""y'k" text PRIMARY KEY, "tit le" text, "Fil'ter" text, "emb""ed" vector(8));
             INSERT INTO {ODD} SELECT 'k''"' || i, 'עברית שלום 漢字 ' || i, CASE WHEN i % 2 = 0 THEN 'o''dd"' ELSE '\\back' END, {EIGHT} FROM generate_series(1, 300) i;
             CREATE INDEX ON {ODD} USING hnsw ("emb""ed" vector_l2_ops);
             CREATE TABLE "we""ird s"."W words" ("te""xt" text, "vec tor" vector(8));
             INSERT INTO "we""ird s"."W words" SELECT 'it''s "w" ' || i, {EIGHT} FROM generate_series(1, 30) i; ANALYZE""")
    with Server("--table", ODD, "--vocabulary", '"we""ird s"."W words"("te""xt", vec tor)', "--allow-where") as page:
        keys = page.ask().keys
        check("a table with odd names has random rows", len(keys) == 24, keys)
        like = "/?fold=0&like=" + plain(keys[0])
        answer = page.ask(like)
        check("and is searched", len(answer.keys) == 24 and keys[0] not in answer.keys)
        check("its texts say themselves where they begin", 'dir="auto">עברית' in answer.text)
        answer = page.ask(like + "&compare=1&not=" + plain(keys[1] + ":it's \"w\" 3") + "&text=" + plain("it's \"w\" 5"))
        check("a reason and a text with quotes", answer.status == 200 and answer.says("because: it's \"w\" 3"), answer.status)
        answer = page.ask(like + "&where=" + plain("Fil'ter:o'dd\""))
        sql = html.unescape(re.search(r'id="sql-search"[^>]*>(.*?)</pre>', answer.text, re.S)[1])
        check("its SQL can be copied", psql(sql).split("\n") == answer.keys, sql)
        check("and its keys exported", page.ask("/export.csv?like=" + plain(keys[0])).text.startswith("key,margin\r\n"))
        odd = ["like=" + "1," * 5000, "like=%00", "like=%FF%FE", "text=%E2%80%AE%D7%A9", "by=nonsense", "after=x", "after=nan:1:2", f"after=1e999:24:{plain(keys[0])}",
               "shuffle=99999999999999999999", "shuffle=-1", "like=a*99", "like=a*0", "not=:::", "where=none:1", "where=a", "fold=2", "compare=%00", "&&&===", "like=" + "x" * 3000]
        odd += ["like=" + plain(keys[0]) + "&sql=" + plain(sql) for sql in ["1=1) OR (1=1", "(SELECT 1/0) = 1", "$1 IS NULL", "'unfinished", "/* open"]]
        for address in odd:
            status = page.ask("/?" + address).status
            check(f"{address[:30]} is answered", status in (200, 303, 400, 414), status)
        check("and the page goes on", page.ask().status == 200)
    psql('DROP SCHEMA "we""ird s" CASCADE')


def tables_small_large_and_without_an_index():
    psql(f"""DROP TABLE IF EXISTS lone, long_texts, bare CASCADE; SELECT setseed(0.2);
             CREATE TABLE lone (id int PRIMARY KEY, embedding vector(3)); INSERT INTO lone VALUES (1, '[1,2,3]');
             CREATE TABLE long_texts (id bigint PRIMARY KEY, body text, embedding halfvec(8)) PARTITION BY HASH (id);
             CREATE TABLE long_texts1 PARTITION OF long_texts FOR VALUES WITH (MODULUS 2, REMAINDER 0);
             CREATE TABLE long_texts2 PARTITION OF long_texts FOR VALUES WITH (MODULUS 2, REMAINDER 1);
             INSERT INTO long_texts SELECT i, repeat('long text ', 5000), {EIGHT}::halfvec FROM generate_series(1, 100) i;
             CREATE INDEX ON long_texts USING hnsw (embedding halfvec_cosine_ops);
             CREATE TABLE bare (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), body text, embedding vector(8));
             INSERT INTO bare (embedding) SELECT {EIGHT} FROM generate_series(1, 100) i; INSERT INTO bare (body) VALUES ('no vector');
             CREATE MATERIALIZED VIEW bare_view AS SELECT * FROM bare; ANALYZE""")
    for table, *options in [("lone",), ("long_texts",), ("bare",), ("bare_view", "--key", "id"), ("lone", "--fit", "client"), ("long_texts", "--fit", "client"), ("bare", "--fit", "client")]:
        name = " ".join((table, *options))
        with Server("--table", table, *options) as page:
            start = page.ask()
            check(f"{name}: a start page of no great size", start.keys and len(start.body) < 100_000, len(start.body))
            like = "/?like=" + plain(start.keys[0])
            for more in ["", "&not=" + plain(start.keys[-1]), "&compare=1", "&diverse=1", "&by=neighbour"]:
                answer = page.ask(like + more)
                check(f"{name}: a search{more[:9]}", answer.status == 200 and (answer.keys or table == "lone"), answer.status)
            for link in re.findall(r'href="(/\?[^"]*after=[^"]*)"', page.ask(like).text)[:1]:
                check(f"{name}: the next page", page.ask(html.unescape(link)).keys)
            check(f"{name}: an export", page.ask("/export.json" + like[1:]).status == 200)
            check(f"{name}: rows are counted", table != "lone" or start.says("1 row") and not start.says("1 rows"))
    psql("DROP TABLE lone, long_texts, bare CASCADE")


def main():
    for test in [names_with_quotes_and_texts_from_right_to_left, tables_small_large_and_without_an_index]:
        tested(test)
    return finish()


if __name__ == "__main__":
    sys.exit(main())
