//! hinted_exemplar: search your own pgvector table by example and by words at once.
//!
//! # The rooms
//!
//! Each room uses only those below it. The fit and the sampler are crates of their own and know no Postgres.
//!
//! ```text
//! sql        functions, args, aggregates, report: what SQL sees
//! planner    the support functions: a call that is the same for every row runs once
//! search     the nearest rows to a weight vector, and the filter on them
//! fit        draw, fit, expand
//! cache      what a call site or a connection keeps from one call to the next
//! sample     which way the rows of a source are drawn, and the drawing
//! source     the relation, its column, the queries on it, the cast to vector
//! heap       heap and TOAST pages
//! postgres   SPI, settings, vectors: Postgres' own interfaces
//! error      SQLSTATEs and words
//! ----------
//! crates/exemplar-svm    the fit
//! crates/row-sampling    which rows to draw
//! ```
//!
//! # The way of a call
//!
//! `sql::functions` unpacks the arguments, `cache::call_site` answers an equal call at once, `fit` opens the
//! `source`, takes its rows from `sample` and gives them to `exemplar_svm`; `sql::report` explains the answer.
//!
//! # The way of a row
//!
//! `sample` chooses its TID, `heap` finds it on its page and its value in the TOAST table, `source::cast` makes it a
//! vector, and [`exemplar_svm::TrainingSet`] brings it to unit length as a negative.

use std::ffi::CStr;

mod cache;
mod error;
mod fit;
mod heap;
mod planner;
mod postgres;
mod sample;
mod search;
mod source;
mod sql;
#[cfg(feature = "pg_test")]
mod tests;

pgrx::pg_module_magic!(name = c"hinted_exemplar", version = VERSION);

/// pgrx's own `version` would put it in the place of the name.
const VERSION: &CStr = match CStr::from_bytes_with_nul(concat!(env!("CARGO_PKG_VERSION"), "\0").as_bytes()) {
    Ok(version) => version,
    Err(_) => panic!("a version has no NUL"),
};

pgrx::extension_sql_file!("../sql/preflight.sql", name = "preflight", bootstrap);

#[pgrx::pg_guard]
pub extern "C-unwind" fn _PG_init() {
    std::panic::set_hook(Box::new(postgres::passing::on_panic));
    postgres::gucs::define();
    cache::discard::install();
    cache::last_sample::install();
}

/// What `cargo pgrx test` asks of a crate.
#[cfg(all(test, feature = "pg_test"))]
pub mod pg_test {
    pub fn setup(_options: Vec<&str>) {}

    #[must_use]
    pub fn postgresql_conf_options() -> Vec<&'static str> {
        vec![]
    }
}
