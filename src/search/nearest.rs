//! The rows of a source with the largest inner product with a vector.

use pgrx::{IntoDatum, pg_sys};

use crate::error::Error;
use crate::postgres::check_interrupts;
use crate::postgres::memory;
use crate::postgres::spi::Connection;
use crate::postgres::vector::{NewVector, Vector};
use crate::source::Source;
use exemplar_svm::training::append_unit;
use exemplar_svm::{FitError, Input, TrainingSet};

/// The `k` rows of `source` with the largest inner product with `w`, those that are zero left out: unit
/// vectors one behind the other. Through an index if the planner takes one.
///
/// # Errors
/// `DifferentDimensions` for a row of other dimensions. Postgres' own errors pass through.
pub fn nearest(source: &Source, w: &[f32], k: usize, set: &TrainingSet) -> Result<Vec<f32>, Error> {
    let connection = Connection::open();
    let plan = connection.prepare(&source.query_by_distance(), &[source.vector_type(), pg_sys::INT8OID]);
    let arguments = (NewVector(w.to_vec()).into_datum(), (k as i64).into_datum());
    let null = pg_sys::Datum::null();
    // SAFETY: the query has two parameters, a vector and an int8.
    let rows = unsafe { plan.select(&mut [arguments.0.unwrap_or(null), arguments.1.unwrap_or(null)]) };
    let mut units = memory::with_room(rows.len() * w.len())?;
    for row in 0..rows.len() {
        let Some(row) = rows.get(row, 0) else { continue };
        // SAFETY: the query casts its column to vector.
        let vector = unsafe { Vector::from_datum(row) }?;
        set.expected_dimensions().check(vector.values().len(), Input::Negative(0))?;
        append_unit(&mut units, vector.values())
            .map_err(|_| FitError::OutOfMemory { rows: rows.len(), dimensions: w.len() })?;
        check_interrupts();
    }
    Ok(units)
}
