-- Fills the demo's tables from the files in demo/data.
--
-- usage: psql -d DATABASE -v ON_ERROR_STOP=1 -v data=DIRECTORY -f load.sql        (data: demo/data unless given)
\if :{?data}
\else
  \set data demo/data
\endif
\encoding UTF8

BEGIN;
TRUNCATE packages, tags, package_tags, searches;

-- On disk the vectors have half precision, to keep the files small.
CREATE TEMP TABLE packages_half (id int, name text, description text, embedding halfvec(384)) ON COMMIT DROP;
CREATE TEMP TABLE tags_half (id int, tag text, words text, hint halfvec(384)) ON COMMIT DROP;
CREATE TEMP TABLE package_tags_half (package_id int, tag_id int) ON COMMIT DROP;

-- \copy takes no variables in its file name, \cd does.
\set here `pwd`
\cd :data
\copy packages_half from 'packages.bin' with (format binary)
\copy tags_half from 'tags.bin' with (format binary)
\copy package_tags_half from 'package_tags.bin' with (format binary)
\cd :here

-- Half precision moves a vector slightly off the unit sphere; <#> ranks by cosine only on it.
INSERT INTO packages SELECT id, name, description, l2_normalize(embedding::vector) FROM packages_half ORDER BY id;
INSERT INTO tags SELECT id, tag, words, l2_normalize(hint::vector) FROM tags_half ORDER BY id;
INSERT INTO package_tags SELECT package_id, tag_id FROM package_tags_half ORDER BY tag_id, package_id;
COMMIT;

VACUUM ANALYZE packages, tags, package_tags;
