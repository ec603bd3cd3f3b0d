-- The demo's tables. Run in a database of its own: load.sql refills them, and everything can be dropped with the database.
CREATE EXTENSION IF NOT EXISTS vector;
CREATE EXTENSION IF NOT EXISTS hinted_exemplar;

-- Debian packages, each with the embedding of its short description.
CREATE TABLE packages (
    id          int PRIMARY KEY,
    name        text NOT NULL UNIQUE,
    description text NOT NULL,
    embedding   vector(384) NOT NULL
);

-- Categories, each with its plain-English name and the embedding of that name: the hint.
CREATE TABLE tags (
    id    int PRIMARY KEY,
    tag   text NOT NULL UNIQUE,
    words text NOT NULL,
    hint  vector(384) NOT NULL
);

-- Which packages are in which category: what a search for the category should find.
CREATE TABLE package_tags (
    package_id int REFERENCES packages,
    tag_id     int REFERENCES tags,
    PRIMARY KEY (tag_id, package_id)
);

-- The three searches that demo.sql shows; searches.sql fills it.
CREATE TABLE searches (
    id      int PRIMARY KEY,
    title   text NOT NULL,
    package text NOT NULL REFERENCES packages (name),
    tag     text NOT NULL REFERENCES tags (tag)
);
