//! The queries by which rows are searched.

use pgrx::pg_sys;

use crate::search::key::Key;
use crate::source::order::{Metric, Order};
use crate::source::{Source, cast_to, namespace_of, quoted};

/// Which rows a query is for, and what it says of them.
pub struct Searched<'a> {
    /// The condition that they satisfy.
    pub condition: &'a str,
    /// How many of them at most.
    pub limit: u64,
    pub key: Option<&'a Key>,
    pub metric: Metric,
    /// Their dimensions.
    pub dimensions: usize,
    /// Whether the vectors themselves are asked for, as the last column.
    pub with_vectors: bool,
}

impl Source {
    /// The query for the values, cast to `vector`, of the `limit` rows nearest to the vector `$1`, of those that
    /// negatives may be drawn from.
    pub fn query_by_distance(&self, metric: Metric, order: &Order, dimensions: usize, limit: u64) -> String {
        let condition = self.condition.as_deref().unwrap_or("true");
        let (vector, distance) = (self.quoted_vector(), self.distance_by(metric, "$1"));
        let coarse = order.by("$1");
        let from = self.rows_of(condition, dimensions);
        if !order.is_coarse {
            return format!("SELECT {vector} {from} ORDER BY {coarse} LIMIT {limit}");
        }
        let several = limit.saturating_mul(order.candidates());
        format!(
            "SELECT vector FROM (SELECT {vector} AS vector, {distance} AS distance {from} ORDER BY {coarse} \
             LIMIT {several}) AS candidates ORDER BY distance LIMIT {limit}"
        )
    }

    /// The query for table, TID, distance to the vector `$1`, cosine with it and key of the rows nearest to the vector
    /// `$2` in this order.
    pub fn query_for_probe(&self, searched: &Searched, order: &Order) -> String {
        let Searched { condition, limit, metric, dimensions, .. } = *searched;
        let (distance, cosine_distance) =
            (self.distance_by(metric, "$1"), self.distance_by(Metric::Cosine, "$1"));
        let key: String = self.extra_columns(searched).iter().map(|column| format!(", {column}")).collect();
        format!(
            "SELECT {}, {distance}, 1::pg_catalog.float8 OPERATOR(pg_catalog.-) {cosine_distance}{key} {} \
             ORDER BY {} LIMIT {limit}",
            self.ids(),
            self.rows_of(condition, dimensions),
            order.by("$2")
        )
    }

    /// The query for the same of the rows nearest to `$1`, by looking at all of them.
    pub fn query_for_all(&self, searched: &Searched) -> String {
        let Searched { condition, limit, key, metric, dimensions, .. } = *searched;
        let distance = self.distance_by(metric, "$1");
        let order = key.map_or("tableoid, ctid".into(), |key| key.order(self.relation.name()));
        let columns = self.extra_columns(searched);
        let numbered = |(i, column): (usize, &String)| format!(", {column} AS k{i}");
        let inner: String = columns.iter().enumerate().map(numbered).collect();
        let outer: String = (0..columns.len()).map(|i| format!(", k{i}")).collect();
        let as_compared = cast_to("$1", self.vector_type, self.compared_type());
        // No index has the sum. The cosine is worth computing for the rows that are returned only.
        format!(
            "SELECT t, c, d, 1::pg_catalog.float8 OPERATOR(pg_catalog.-) (e OPERATOR({}.<=>) {as_compared}){outer} \
             FROM (SELECT {}, {distance} AS d, {} AS e{inner} {} \
             ORDER BY {distance} OPERATOR(pg_catalog.+) 0::pg_catalog.float8, {order} LIMIT {limit}) AS nearest",
            namespace_of(self.vector_type),
            self.ids(),
            self.column_as(self.compared_type()),
            self.rows_of(condition, dimensions),
        )
    }

    /// The key's columns, if there is one, and the vector, if it is asked for.
    fn extra_columns(&self, searched: &Searched) -> Vec<String> {
        let vector = searched.with_vectors.then(|| self.quoted_vector());
        searched.key.map_or(Vec::new(), Key::selected).into_iter().chain(vector).collect()
    }

    /// Table and TID of a row, or nulls where it has none.
    fn ids(&self) -> &'static str {
        match self.has_tids() {
            true => "tableoid AS t, ctid AS c",
            false => "NULL::pg_catalog.oid AS t, NULL::pg_catalog.tid AS c",
        }
    }

    /// The rows with a value that satisfy a condition. A column without dimensions may have others too.
    fn rows_of(&self, condition: &str, dimensions: usize) -> String {
        let (relation, column) = (quoted(&self.relation), self.quoted_column());
        let width = match self.dimensions {
            Some(_) => String::new(),
            None => format!(
                " AND {}.vector_dims({}) OPERATOR(pg_catalog.=) {dimensions}",
                namespace_of(self.vector_type),
                self.quoted_vector()
            ),
        };
        format!("FROM {relation} WHERE {column} IS NOT NULL AND ({condition}\n){width}")
    }

    /// The distance of the column to a vector, by the operator that an index of its type has. Both sides are of the
    /// type that the operator is declared for, so that no other in its schema can fit better.
    fn distance_by(&self, metric: Metric, vector: &str) -> String {
        let compared = self.compared_type();
        let (column, vector) = (self.column_as(compared), cast_to(vector, self.vector_type, compared));
        format!("({column} OPERATOR({}.{}) {vector})", namespace_of(self.vector_type), metric.operator())
    }

    /// The type of vectors that the column is compared as.
    pub(super) fn compared_type(&self) -> pg_sys::Oid {
        let is_array = matches!(self.base_type, pg_sys::FLOAT4ARRAYOID | pg_sys::FLOAT8ARRAYOID);
        if is_array { self.vector_type } else { self.base_type }
    }

    /// The order of a metric where no index is known to have one.
    pub(super) fn plain_order(&self, metric: Metric) -> (String, String) {
        let operator = format!("OPERATOR({}.{})", namespace_of(self.vector_type), metric.operator());
        (self.column_as(self.compared_type()), operator)
    }
}
