// node-postgres: vectors as JSON texts, arrays of them, errors.
import process from "node:process";

// [docs
import pg from "pg";

const SEARCH = `
  SELECT id, path
  FROM   images
  ORDER  BY embedding <#> hinted_exemplar('images', 'embedding',
                          exemplar => (SELECT embedding FROM images WHERE id = $1),
                          hint     => $2)
  LIMIT  5`;

async function search(client, id, hint) {
  const { rows } = await client.query(SEARCH, [id, JSON.stringify(hint)]);
  return rows;
}
// docs]

const HINT = [0.7, 0.6, 0.1, 0.1];
const EXPECTED = JSON.parse(process.env.EXPECTED);
let passed = 0;
let failed = 0;
function check(what, good) {
  if (good) passed += 1;
  else failed += 1;
  console.log(good ? "ok     " : "FAILED ", what);
}
const same = (rows) => JSON.stringify(rows.map((row) => [Number(row.id), row.path])) === JSON.stringify(EXPECTED);

const client = new pg.Client();
await client.connect();
check("node-postgres", same(await search(client, 7, HINT)));

let prepared = true;
for (let i = 0; i < 8; i += 1) {
  const { rows } = await client.query({ name: "search", text: SEARCH, values: [7, JSON.stringify(HINT)] });
  prepared = prepared && same(rows);
}
check("node-postgres, prepared", prepared);

// [docs
// Arrays of vectors.
const { rows: [{ w }] } = await client.query(
  `SELECT hinted_exemplar('images', 'embedding', exemplars => $1, counter_exemplars => $2, reasons => $3) AS w`,
  [
    [JSON.stringify([0.9, 0.1, 0.3, 0.1]), JSON.stringify([0.8, 0.5, 0.3, 0.1])],
    [JSON.stringify([0.1, 0.1, 0.9, 0.2]), JSON.stringify([0.2, 0.8, 0.5, 0.1])],
    [JSON.stringify([0.7, 0.6, 0.1, 0.1]), null],
  ],
);
// docs]
check("node-postgres, arrays of vectors with a null among the reasons", Math.abs(JSON.parse(w).reduce((sum, x) => sum + x * x, 0) - 1) < 1e-5);

let state = "";
// [docs
try {
  await search(client, 7, [0.5, 0.5]);
} catch (error) {
  state = error.code; // the SQLSTATE; error.hint says what to do
}
// docs]
check("node-postgres, an error by its SQLSTATE", state.startsWith("22"));
try {
  await client.query(SEARCH, [7, HINT]);
} catch (error) {
  console.log(`first error\tnode-postgres\t${error.message}`);
}
await client.end();
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed > 0 ? 1 : 0;
