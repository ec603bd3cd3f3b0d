//! The statements of a page.

use crate::catalog::{Catalog, Column, Picture};
use crate::encoder::TextVector;
use crate::sql::{Sql, Value, identifier, literal};
use crate::state::{After, State};

/// How many of the best rows are looked at, to find where the wanted ones end.
const LOOK: usize = 300;
/// Candidates for each tile, of which near duplicates are folded.
pub const CANDIDATES: usize = 3;
/// How many likely false negatives are shown.
pub const ALSO_WANTED: usize = 6;
/// The longest texts that are shown, in characters.
const TITLE: usize = 200;
const BODY: usize = 600;

/// The texts of a search, as vectors.
#[derive(Debug, Clone, Default)]
pub struct Texts {
    pub wanted: Vec<TextVector>,
    pub unwanted: Vec<TextVector>,
    /// For each rejected row the reason, where there is one.
    pub reasons: Vec<Option<TextVector>>,
}

fn vector_of(text: &TextVector) -> Value {
    Value::Vector { values: text.values.clone(), written: text.written.clone() }
}

/// How far a page looks.
#[derive(Debug, Clone, Copy)]
pub struct Looks {
    /// Of the best rows so many.
    pub rows: usize,
    /// Those with all that a tile shows.
    pub full: usize,
    /// Whether a page never looks at more.
    pub most: bool,
}

/// Writes the statements about one table.
pub struct Writer<'a> {
    pub catalog: &'a Catalog,
    pub allow_where: bool,
    pub sample_size: usize,
    pub neutral: Option<(&'a [f32], String)>,
}

impl Writer<'_> {
    fn key(&self, key: &str) -> Value {
        Value::Key(key.into(), self.catalog.key.kind.clone())
    }

    /// The column as something that vectors can be compared with.
    fn embedding(&self) -> String {
        let column = self.catalog.embedding.quoted();
        if self.catalog.embedding.base.starts_with('_') { format!("{column}::vector") } else { column }
    }

    /// The cast that a `vector` needs to be compared with the column.
    fn cast(&self) -> &'static str {
        match self.catalog.embedding.base.as_str() {
            "halfvec" => "::halfvec",
            "sparsevec" => "::sparsevec",
            _ => "",
        }
    }

    /// The texts of a row, cut, as an array; `prefix` is the row's name and a dot, or nothing.
    pub fn texts(&self, prefix: &str) -> String {
        let cut = |(i, column): (usize, &Column)| {
            let (name, most) = (column.quoted(), if i == 0 { TITLE } else { BODY });
            match &self.catalog.picture {
                // The name of the file, without its folders.
                Some(Picture::Path(path)) if path == column => {
                    format!("left(regexp_replace({prefix}{name}, '^.*/', ''), {most})")
                }
                _ => format!("left({prefix}{name}::text, {most})"),
            }
        };
        let texts: Vec<_> = self.catalog.texts.iter().enumerate().map(cut).collect();
        format!("ARRAY[{}]::text[]", texts.join(", "))
    }

    /// What names the columns that a tile needs.
    fn payload(&self, prefix: &str) -> String {
        self.catalog.texts.iter().map(|column| format!(", {prefix}{}", column.quoted())).collect()
    }

    /// A `vector` of one row, by key.
    fn row_vector(&self, sql: &mut Sql, key: &str) {
        let Catalog { relation, embedding, key: column, .. } = self.catalog;
        let cast = if embedding.base == "vector" { "" } else { "::vector" };
        sql.push(&format!(
            "(SELECT {}{cast} FROM {relation} WHERE {} = ",
            embedding.quoted(),
            column.quoted()
        ));
        sql.value(self.key(key)).push(")");
    }

    fn row_vectors<'k>(&self, sql: &mut Sql, keys: impl Iterator<Item = &'k str>) {
        sql.push("ARRAY[");
        for (i, key) in keys.enumerate() {
            sql.push(if i == 0 { "" } else { ",\n            " });
            self.row_vector(sql, key);
        }
        sql.push("]");
    }

    /// The rows of these keys: key, texts, vector.
    pub fn examples(&self, keys: &[String]) -> Sql {
        let Catalog { relation, embedding, key, .. } = self.catalog;
        let (name, texts, column) = (key.quoted(), self.texts(""), embedding.quoted());
        let mut sql = Sql::new(&format!(
            "SELECT {name}::text, {texts}, vector_send({column}::vector) FROM {relation}\nWHERE {name} = ANY ("
        ));
        sql.value(Value::Texts(keys.to_vec())).push(&format!("::{}[])", key.kind));
        sql
    }

    /// The arguments of a fit behind `function(`, a line each.
    fn fit_call(&self, function: &str, state: &State, texts: &Texts) -> Sql {
        let Catalog { relation, embedding, .. } = self.catalog;
        let mut sql = Sql::new(&format!("{function}({}, {}", literal(relation), literal(&embedding.name)));
        let argument = |sql: &mut Sql, name: &str| {
            sql.push(&format!(",\n        {name} => "));
        };
        if !state.likes.is_empty() {
            argument(&mut sql, "exemplars");
            self.row_vectors(&mut sql, state.likes.iter().map(|like| like.key.as_str()));
        }
        if state.likes.iter().any(|like| like.weight > 1) {
            argument(&mut sql, "exemplar_weights");
            sql.value(Value::Numbers(state.likes.iter().map(|like| f64::from(like.weight)).collect()));
        }
        if !state.rejections.is_empty() {
            argument(&mut sql, "counter_exemplars");
            self.row_vectors(&mut sql, state.rejections.iter().map(|rejection| rejection.key.as_str()));
        }
        if texts.reasons.iter().any(Option::is_some) {
            argument(&mut sql, "reasons");
            sql.push("ARRAY[");
            for (i, reason) in texts.reasons.iter().enumerate() {
                sql.push(if i == 0 { "" } else { ", " });
                match reason {
                    Some(text) => sql.value(vector_of(text)),
                    None => sql.push("NULL"),
                };
            }
            sql.push("]::vector[]");
        }
        for (texts, one, many) in [(&texts.wanted, "hint", "hints"), (&texts.unwanted, "", "counter_hints")] {
            match texts.as_slice() {
                [] => {}
                [text] if !one.is_empty() => {
                    argument(&mut sql, one);
                    sql.value(vector_of(text));
                }
                texts => {
                    argument(&mut sql, many);
                    vectors(&mut sql, texts);
                }
            }
        }
        let has_texts = !texts.wanted.is_empty()
            || !texts.unwanted.is_empty()
            || texts.reasons.iter().any(Option::is_some);
        if let Some((values, written)) = self.neutral.as_ref().filter(|_| has_texts) {
            argument(&mut sql, "neutral_hint");
            sql.value(Value::Vector { values: values.to_vec(), written: Some(written.clone()) });
        }
        if self.sample_size != 1000 {
            argument(&mut sql, "sample_size");
            sql.push(&self.sample_size.to_string());
        }
        sql.push(")");
        sql
    }

    /// What gives the columns of `fit`, in the database.
    pub fn fit(&self, state: &State, texts: &Texts) -> Sql {
        let mut sql = Sql::new("SELECT * FROM ");
        sql.append(self.fit_call("hinted_exemplar_fit", state, texts));
        sql
    }

    /// The search as a person would write it, for a copy.
    pub fn written(&self, direction: Sql, state: &State, limit: usize) -> Sql {
        let Catalog { relation, key, operator, .. } = self.catalog;
        let mut sql = Sql::new(&format!("SELECT {}\nFROM   {relation}", key.quoted()));
        self.conditions(&mut sql, state, "");
        sql.push(&format!("\nORDER  BY {} {operator} ", self.embedding()));
        sql.append(direction).push(&format!("{}\nLIMIT  {limit};\n", self.cast()));
        sql
    }

    /// The call whose answer ranks, for [`written`](Self::written).
    pub fn weights_call(&self, state: &State, texts: &Texts) -> Sql {
        self.fit_call("hinted_exemplar", state, texts)
    }

    /// Conditions that results fulfil. `direction` is what they are ranked by, where pages are turned.
    fn conditions(&self, sql: &mut Sql, state: &State, direction: &str) {
        let key = self.catalog.key.quoted();
        let mut and = "\nWHERE  ";
        let mut begin = |sql: &mut Sql| {
            sql.push(std::mem::replace(&mut and, "\n  AND  "));
        };
        let examples = examples_of(state);
        if !examples.is_empty() {
            begin(sql);
            sql.push(&format!("{key} NOT IN ("));
            self.key_list(sql, &examples);
            sql.push(")");
        }
        for (name, value) in &state.filters {
            if let Some(filter) = self.catalog.filters.iter().find(|filter| filter.column.name == *name) {
                begin(sql);
                sql.push(&format!("{} = ", filter.column.quoted()));
                sql.value(Value::Key(value.clone(), filter.column.kind.clone()));
            }
        }
        if self.allow_where && !state.condition.is_empty() {
            begin(sql);
            // A comment in the condition must not reach what comes after it.
            sql.push("(").push(&state.condition).push("\n       )");
        }
        if let (Some(After { distance, key: last, .. }), false) = (&state.after, direction.is_empty()) {
            begin(sql);
            sql.push(&format!(
                "({} {} {direction}{}, {key}) > (",
                self.embedding(),
                self.catalog.operator,
                self.cast()
            ));
            sql.value(Value::Number(*distance)).push(", ").value(self.key(last)).push(")");
        }
    }

    /// A named query of the best rows by `direction`.
    fn ranked(&self, name: &str, direction: &str, state: &State, limit: usize) -> Sql {
        let Catalog { relation, embedding, key, operator, .. } = self.catalog;
        let by = format!("{} {operator} {direction}{}", self.embedding(), self.cast());
        let mut sql = Sql::new(&format!(
            "{name} AS MATERIALIZED (\n    SELECT {}, {}{}, {by} AS distance\n    FROM {relation}",
            key.quoted(),
            embedding.quoted(),
            self.payload("")
        ));
        self.conditions(&mut sql, state, direction);
        sql.push(&format!("\n    ORDER BY {by}\n    LIMIT {limit}\n)"));
        sql
    }

    /// The best rows by the extension's search, which finds what a plain scan of an index may miss and tells how much it found.
    /// Examples are left out of what it finds: a filter that names them would change with each click, and with it the sample.
    fn searched(&self, state: &State, limit: usize) -> Sql {
        let Catalog { relation, embedding, key, .. } = self.catalog;
        let (name, column, payload) = (key.quoted(), embedding.quoted(), self.payload("part."));
        let filter = self.filter(&State { likes: Vec::new(), rejections: Vec::new(), ..state.clone() });
        let examples = examples_of(state);
        let mut sql = Sql::new(&format!(
            "nearest AS MATERIALIZED (
    SELECT part.{name}, part.{column}{payload}, found.distance, found.recall
    FROM hinted_exemplar_search({}, {}, weights => (SELECT weights FROM fit), k => {}",
            literal(relation),
            literal(&embedding.name),
            limit + examples.len()
        ));
        if !filter.is_empty() {
            sql.push(", filter => ").value(Value::Text(filter));
        }
        sql.push(&format!(
            ") AS found,
         LATERAL (SELECT * FROM {relation} WHERE ctid = found.ctid OFFSET 0) AS part"
        ));
        if !examples.is_empty() {
            sql.push(&format!("\n    WHERE part.{name} NOT IN ("));
            self.key_list(&mut sql, &examples);
            sql.push(")");
        }
        sql.push(&format!("\n    ORDER BY found.distance, part.{name}\n    LIMIT {limit}\n)"));
        sql
    }

    fn key_list(&self, sql: &mut Sql, keys: &[&String]) {
        for (i, key) in keys.iter().enumerate() {
            sql.push(if i == 0 { "" } else { ", " }).value(self.key(key));
        }
    }

    /// The conditions as the argument `filter` takes them.
    fn filter(&self, state: &State) -> String {
        let mut sql = Sql::default();
        self.conditions(&mut sql, state, "");
        let sql = sql.with_literals();
        sql.trim_start().strip_prefix("WHERE").unwrap_or(&sql).trim_start().to_owned()
    }

    /// The extension's search as a person would write it, for a copy. It is given the weights: with examples and a filter of its
    /// own, a search takes its negatives under the filter.
    pub fn written_search(&self, state: &State, texts: &Texts, limit: usize) -> Sql {
        let Catalog { relation, embedding, key, .. } = self.catalog;
        let mut sql = Sql::new(&format!(
            "SELECT key, distance\nFROM   hinted_exemplar_search({}, {},\n    weights => (SELECT ",
            literal(relation),
            literal(&embedding.name)
        ));
        sql.append(self.weights_call(state, texts));
        sql.push(&format!("),\n    key => {}, k => {limit}", literal(&key.quoted())));
        let filter = self.filter(state);
        if !filter.is_empty() {
            sql.push(&format!(",\n    filter => {}", literal(&filter)));
        }
        sql.push(");\n");
        sql
    }

    /// Whether the first page can be found by the extension's search.
    pub fn can_search(&self, state: &State) -> bool {
        let Catalog { indexed, has_places, extension, embedding, .. } = self.catalog;
        *indexed && *has_places && extension.is_some() && embedding.base == "vector" && state.after.is_none()
    }

    /// Rows of a named query, of which the first have all that a tile shows.
    fn rows(&self, kind: &str, name: &str, direction: &str, full: usize) -> String {
        let (key, column) = (self.catalog.key.quoted(), self.catalog.embedding.quoted());
        let texts = self.texts("");
        format!(
            "SELECT '{kind}' AS kind, place, {key}::text AS key, distance,
       1 - ({column}::vector <=> {direction}) AS cosine,
       CASE WHEN place <= {full} THEN {texts} END AS texts,
       CASE WHEN place <= {full} THEN vector_send({column}::vector) END AS vector, NULL AS report
FROM (SELECT row_number() OVER (ORDER BY distance, {key}) AS place, * FROM {name}) AS {name}
WHERE distance IS NOT NULL"
        )
    }

    /// How many of the best rows a page looks at, of which how many have all that a tile shows. The extension's search makes sure of
    /// each, so it is asked for few, and one more that tells whether there are others; `again`, for all that a plain ranking gives.
    pub fn looks_at(&self, state: &State, page_size: usize, reported: bool, again: bool) -> Looks {
        let most = page_size * CANDIDATES;
        if !(reported && self.can_search(state)) {
            return Looks { rows: most.max(LOOK), full: most, most: true };
        }
        let full = if again || state.diverse { most } else { page_size + page_size / 2 };
        Looks { rows: full + 1, full, most: full == most }
    }

    /// The one statement of a page: the fit, the best rows, the report and what may be wanted too.
    pub fn page(&self, fit: Sql, state: &State, looks: Looks, reported: bool) -> Sql {
        let direction = "(SELECT weights FROM fit)";
        let mut sql = Sql::new("WITH fit AS MATERIALIZED (\n    ");
        sql.append(fit).push("\n), ");
        let searched = reported && self.can_search(state);
        sql.append(match searched {
            true => self.searched(state, looks.rows),
            false => self.ranked("nearest", direction, state, looks.rows),
        });
        sql.push("\n").push(&self.rows("row", "nearest", direction, looks.full));
        if reported {
            let recall = if searched { "(SELECT max(recall) FROM nearest)" } else { "NULL" };
            sql.push(&format!(
                "\nUNION ALL\nSELECT 'report', 0, NULL, NULL, NULL, NULL, NULL,
       (to_jsonb(fit) - 'weights' || jsonb_build_object('recall', {recall}))::text FROM fit"
            ));
            if self.catalog.has_places && state.after.is_none() {
                sql.push("\nUNION ALL\n").push(&self.also_wanted());
            }
        }
        sql
    }

    fn also_wanted(&self) -> String {
        let Catalog { relation, key, .. } = self.catalog;
        let (name, texts) = (key.quoted(), self.texts("wanted."));
        format!(
            "SELECT 'also', likely.place, wanted.{name}::text, NULL, likely.margin, {texts}, NULL, NULL
FROM fit, unnest(false_negative_tables, false_negative_ctids, false_negative_margins) WITH ORDINALITY AS likely (part, at, margin, place),
     LATERAL (SELECT * FROM {relation} WHERE ctid = likely.at OFFSET 0) AS wanted
WHERE likely.place <= {}",
            ALSO_WANTED * 3
        )
    }

    /// A plain ranking by a vector, as another column beside the page or in its place.
    pub fn ranking(&self, vector: Value, state: &State, limit: usize) -> Sql {
        let mut fit = Sql::new("SELECT ");
        fit.value(vector).push("::vector AS weights");
        let direction = "(SELECT weights FROM fit)";
        let mut sql = Sql::new("WITH fit AS MATERIALIZED (");
        sql.append(fit).push("), ").append(self.ranked("nearest", direction, state, limit));
        sql.push("\n").push(&self.rows("row", "nearest", direction, limit));
        sql
    }

    /// All rows in order, for an export: key, distance and cosine.
    pub fn export(&self, fit: Sql, state: &State, limit: usize) -> Sql {
        let direction = "(SELECT weights FROM fit)";
        let (name, column) = (self.catalog.key.quoted(), self.catalog.embedding.quoted());
        let mut sql = Sql::new("WITH fit AS MATERIALIZED (\n    ");
        sql.append(fit).push("\n), ").append(self.ranked("nearest", direction, state, limit));
        sql.push(&format!(
            "\nSELECT {name}::text, 1 - ({column}::vector <=> {direction}), NULL FROM nearest WHERE distance IS NOT NULL
UNION ALL
SELECT NULL, NULL, (to_jsonb(fit) - 'weights')::text FROM fit
ORDER BY 2 DESC NULLS FIRST, 1"
        ));
        sql
    }
}

/// Keys of the liked and the rejected rows.
fn examples_of(state: &State) -> Vec<&String> {
    let rejections = state.rejections.iter().map(|rejection| &rejection.key);
    state.likes.iter().map(|like| &like.key).chain(rejections).collect()
}

fn vectors(sql: &mut Sql, texts: &[TextVector]) {
    sql.push("ARRAY[");
    for (i, text) in texts.iter().enumerate() {
        sql.push(if i == 0 { "" } else { ", " }).value(vector_of(text));
    }
    sql.push("]::vector[]");
}

/// The saved searches of a table.
pub fn saved(table: &str) -> Sql {
    Sql::new(&format!("SELECT name::text, search::text FROM {table} ORDER BY name LIMIT 200"))
}

/// Keeps a search.
pub fn save(table: &str, name: &str, search: &str) -> Sql {
    let mut sql = Sql::new(&format!("INSERT INTO {table} (name, search) VALUES ("));
    sql.value(Value::Text(name.into())).push(", ").value(Value::Text(search.into())).push(")");
    sql
}

/// A table's name as the command line gives it, with a schema or without.
pub fn table_name(written: &str) -> String {
    written
        .split('.')
        .map(|part| if part.starts_with('"') { part.to_owned() } else { identifier(part) })
        .collect::<Vec<_>>()
        .join(".")
}
