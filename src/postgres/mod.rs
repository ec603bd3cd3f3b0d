//! Postgres' own interfaces: queries, relations, settings, vectors, errors that pass.

pub mod relation;
pub mod settings;
pub mod snapshot;
pub mod spi;
pub mod unwind;
pub mod vector;
