//! The rows of a source nearest to a vector, for expansion.

use pgrx::{IntoDatum, pg_sys};

use crate::error::Error;
use crate::postgres::check_interrupts;
use crate::postgres::memory;
use crate::postgres::spi::Connection;
use crate::postgres::vector::{NewVector, Vector};
use crate::source::Source;
use crate::source::order::{Metric, Order};
use exemplar_svm::training::append_unit;
use exemplar_svm::{FitError, Input, TrainingSet};

/// The `k` rows of `source` nearest to `w`, those that are zero left out: unit vectors one behind the other. Through
/// an index if the planner takes one.
///
/// # Errors
/// `DifferentDimensions` for a row of other dimensions. Postgres' own errors pass through.
pub fn nearest(
    source: &Source,
    w: &[f32],
    k: usize,
    metric: Metric,
    set: &TrainingSet,
) -> Result<Vec<f32>, Error> {
    let connection = Connection::open();
    let order = Order::of(source, metric, w.len());
    let query = source.query_by_distance(metric, &order, w.len(), k as u64);
    let plan = connection.prepare(&query, &[source.vector_type()]);
    let argument = NewVector(w.to_vec()).into_datum().unwrap_or(pg_sys::Datum::null());
    // SAFETY: the query has one parameter, a vector.
    let rows = unsafe { plan.select(&mut [argument]) };
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
