//! The glue: types, rows, errors and SQL functions.

mod aggregate;
mod api;
mod args;
mod cache;
mod cast;
mod chunks;
mod error;
mod filter;
mod fitting;
mod nearest;
mod page;
mod parts;
mod planner;
mod report;
mod reuse;
mod sample;
mod search;
mod settings;
mod source;
mod spi;
mod table;
#[cfg(feature = "pg_test")]
mod tests;
mod toast;
mod vector;

pgrx::pg_module_magic!(name, version);

/// Postgres' own errors pass through Rust as panics; without this they would carry a Rust back trace
/// in their DETAIL when the server runs with RUST_BACKTRACE.
#[pgrx::pg_guard]
pub extern "C-unwind" fn _PG_init() {
    std::panic::set_hook(Box::new(|_| ()));
}
