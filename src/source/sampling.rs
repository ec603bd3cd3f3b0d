//! The queries by which rows are drawn.

use pgrx::PgRelation;

use crate::source::{Source, quoted};

/// Which rows a query for values reads.
#[derive(Clone, Copy)]
pub enum Part<'a> {
    /// All that the source gives.
    Source,
    /// Those of a table that the source is or inherits to.
    Table(&'a PgRelation),
    /// Those that the source gives of such a table.
    TableOfSource(&'a PgRelation),
    /// Each row with a chance of so many percent, and then one of so many by a hash of table, place and seed.
    Bernoulli { percent: f64, one_of: u32, seed: i32 },
}

impl Source {
    /// The query for the values of the first `limit` rows of a part; `with_ids` for their tables and places too.
    pub fn query_for_values(&self, part: Part, with_ids: bool, limit: u64) -> String {
        let ids = if with_ids { ", tableoid, ctid" } else { "" };
        let from = match part {
            Part::Source | Part::TableOfSource(_) => quoted(&self.relation),
            Part::Table(relation) => quoted(relation),
            Part::Bernoulli { percent, seed, .. } => format!(
                "{} TABLESAMPLE pg_catalog.bernoulli ({percent}) REPEATABLE ({seed})",
                quoted(&self.relation)
            ),
        };
        let mut conditions: Vec<String> = self.condition().into_iter().collect();
        if let Part::TableOfSource(relation) = part {
            let oid = relation.oid().to_u32();
            conditions.push(format!("tableoid OPERATOR(pg_catalog.=) {oid}::pg_catalog.oid"));
        }
        if let Part::Bernoulli { one_of, seed, .. } = part {
            conditions.push(format!(
                "pg_catalog.hashtidextended(ctid, tableoid::pg_catalog.int8 OPERATOR(pg_catalog.#) ({seed})::pg_catalog.int8) \
                 OPERATOR(pg_catalog.%) {one_of}::pg_catalog.int8 OPERATOR(pg_catalog.=) 0::pg_catalog.int8"
            ));
        }
        let condition = if conditions.is_empty() {
            String::new()
        } else {
            format!(" WHERE {}", conditions.join(" AND "))
        };
        format!("SELECT {}{ids} FROM {from}{condition} LIMIT {limit}", self.quoted_column())
    }

    /// The query whose plan shows how the source is read: all of it, or what satisfies its condition.
    pub fn query_for_plan(&self, with_condition: bool) -> String {
        let condition = self.condition().filter(|_| with_condition);
        let condition = condition.map(|condition| format!(" WHERE {condition}")).unwrap_or_default();
        format!("SELECT {} FROM {}{condition}", self.quoted_column(), quoted(&self.relation))
    }

    /// The query for how many rows there are, in so many per cent of the blocks, always the same, or in all.
    pub fn query_for_count(&self, percent: Option<f64>) -> String {
        let sample =
            percent.map(|percent| format!(" TABLESAMPLE pg_catalog.system ({percent}) REPEATABLE (0)"));
        let condition = self.condition().map(|condition| format!(" WHERE {condition}")).unwrap_or_default();
        let sample = sample.unwrap_or_default();
        format!("SELECT pg_catalog.count(*) FROM {}{sample}{condition}", quoted(&self.relation))
    }

    /// The query for table, place and value of the rows of `relation`, which is the source or inherits
    /// from it, at the places of its parameter of type `tid[]`.
    pub fn query_by_tid(&self, relation: &PgRelation) -> String {
        let (relation, column) = (quoted(relation), self.quoted_column());
        let condition = self.condition().map(|condition| format!(" AND {condition}")).unwrap_or_default();
        format!(
            "SELECT tableoid, ctid, {column} FROM {relation} WHERE ctid OPERATOR(pg_catalog.=) ANY ($1){condition}"
        )
    }

    /// The query for place and value, one pair of columns for each of `relations`, of the rows at the places of its
    /// parameters, each of type `tid[]`. Tables of one server that are joined fully are asked for in one query; what row
    /// comes beside which other does not matter.
    pub fn query_elsewhere(&self, relations: &[&PgRelation]) -> String {
        let column = self.quoted_column();
        let (mut columns, mut from) = (Vec::new(), String::new());
        for (number, relation) in (1..).zip(relations) {
            let relation = quoted(relation);
            columns.push(format!("t{number}.place, t{number}.value"));
            let join = if number == 1 { "" } else { " FULL JOIN " };
            let on = match number {
                1 => String::new(),
                _ => format!(" ON t1.place OPERATOR(pg_catalog.=) t{number}.place"),
            };
            from += &format!(
                "{join}(SELECT ctid AS place, {column} AS value FROM {relation} \
                 WHERE ctid OPERATOR(pg_catalog.=) ANY (${number})) AS t{number}{on}"
            );
        }
        format!("SELECT {} FROM {from}", columns.join(", "))
    }

    /// The query for the places of all rows with a value.
    pub fn query_for_places(&self) -> String {
        let (relation, column) = (quoted(&self.relation), self.quoted_column());
        let condition = self.condition().map(|condition| format!(" AND {condition}")).unwrap_or_default();
        format!("SELECT tableoid, ctid FROM {relation} WHERE {column} IS NOT NULL{condition}")
    }

    /// The condition on rows in parentheses, which a comment in it does not end.
    fn condition(&self) -> Option<String> {
        self.condition.as_ref().map(|condition| format!("({condition}\n)"))
    }
}
