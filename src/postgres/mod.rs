//! Postgres' own interfaces: queries, settings, vectors.

pub mod settings;
pub mod snapshot;
pub mod spi;
pub mod vector;
