//! hinted_exemplar: search your own pgvector table by example and by words at once.
//!
//! Layers, in one direction: the pure core ([`svm`], [`sampling`], [`positions`], [`metric`]) knows nothing of
//! Postgres; `pg` maps types, rows and errors; its `api` holds the SQL functions.

pub mod metric;
pub mod positions;
pub mod sampling;
pub mod svm;

#[cfg(feature = "postgres")]
mod pg;

/// What `cargo pgrx test` asks of a crate.
#[cfg(all(test, feature = "pg_test"))]
pub mod pg_test {
    pub fn setup(_options: Vec<&str>) {}

    #[must_use]
    pub fn postgresql_conf_options() -> Vec<&'static str> {
        vec![]
    }
}
