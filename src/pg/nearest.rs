//! The rows of a source with the largest inner product with a vector.

use std::ffi::CStr;

use pgrx::{IntoDatum, pg_sys};

use super::error::Error;
use super::source::Source;
use super::spi::Connection;
use super::vector::{NewVector, Vector};
use crate::svm::TrainingSet;

/// The `k` rows of `source` with the largest inner product with `w`, those that are zero left out: unit
/// vectors one behind the other. Through an index if the planner takes one.
///
/// # Errors
/// `DifferentDimensions` for a row of other dimensions. Postgres' own errors pass through.
pub fn nearest(
    source: &Source,
    vector_type: pg_sys::Oid,
    w: &[f32],
    k: usize,
    set: &TrainingSet,
) -> Result<Vec<f32>, Error> {
    let connection = Connection::open();
    let plan = connection
        .prepare(&source.query_by_distance(&schema_of(vector_type)), &[vector_type, pg_sys::INT8OID]);
    let arguments = (NewVector(w.to_vec()).into_datum(), (k as i64).into_datum());
    let null = pg_sys::Datum::null();
    // SAFETY: the query has two parameters, a vector and an int8.
    let rows = unsafe { plan.select(&mut [arguments.0.unwrap_or(null), arguments.1.unwrap_or(null)]) };
    let mut units = Vec::with_capacity(rows.len() * w.len());
    for row in (0..rows.len()).filter_map(|row| rows.get(row, 0)) {
        // SAFETY: the query casts its column to vector.
        let vector = unsafe { Vector::from_datum(row) }?;
        let named = || format!("a row of column \"{}\"", source.column);
        set.expected_dimensions().check(vector.values().len(), named)?;
        let length = crate::svm::training::norm(vector.values());
        if length > 0.0 {
            units.extend(vector.values().iter().map(|&v| (f64::from(v) / length) as f32));
        }
    }
    Ok(units)
}

/// The schema that a type is in, quoted.
fn schema_of(vector_type: pg_sys::Oid) -> String {
    // SAFETY: format_type_extended pallocs a NUL-terminated string, here qualified as "schema.type"; the
    // schema's name is looked up by the type's own row.
    unsafe {
        let tuple = pg_sys::SearchSysCache1(pg_sys::SysCacheIdentifier::TYPEOID as i32, vector_type.into());
        if tuple.is_null() {
            return "pg_catalog".into();
        }
        let row = pg_sys::heap_tuple_get_struct::<pg_sys::FormData_pg_type>(tuple);
        let namespace = (*row).typnamespace;
        pg_sys::ReleaseSysCache(tuple);
        let name = pg_sys::get_namespace_name(namespace);
        let name = if name.is_null() { c"pg_catalog" } else { CStr::from_ptr(name) };
        pgrx::spi::quote_identifier(name.to_string_lossy())
    }
}
