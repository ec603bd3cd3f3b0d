//! Postgres' own interfaces: queries, relations, settings, vectors, errors that pass.

pub mod gucs;
pub mod memory;
pub mod passing;
pub mod relation;
pub mod settings;
pub mod snapshot;
pub mod spi;
pub mod unwind;
pub mod vector;

/// Lets a cancel, a timeout or an end of the connection stop what runs.
pub fn check_interrupts() {
    pgrx::check_for_interrupts!();
}
