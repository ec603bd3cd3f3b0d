//! The aggregate `average_precision`.

use pgrx::prelude::*;
use pgrx::{Internal, PgMemoryContexts};

use super::error::Error;
use crate::metric::AveragePrecision;

/// A null is a row that nobody has judged, and counts as not relevant.
#[pg_extern(immutable, parallel_safe)]
fn average_precision_accum(
    mut state: Internal,
    relevant: Option<bool>,
    fcinfo: pg_sys::FunctionCallInfo,
) -> Result<Internal, pg_sys::panic::ErrorReport> {
    let mut context = std::ptr::null_mut();
    // SAFETY: Postgres passes a call of this function and says whether an aggregate makes it.
    if unsafe { pg_sys::AggCheckCallContext(fcinfo, &mut context) } == 0 {
        return Err(Error::NotInAggregate.into());
    }
    // SAFETY: the state is null or was made here, in the context that lives as long as the aggregate.
    let precision = unsafe {
        PgMemoryContexts::For(context).switch_to(|_| state.get_or_insert_with(AveragePrecision::default))
    };
    precision.push(relevant.unwrap_or(false));
    Ok(state)
}

#[pg_extern(immutable, parallel_safe)]
fn average_precision_final(state: Internal) -> Option<f64> {
    // SAFETY: the state is null or was made by average_precision_accum.
    unsafe { state.get::<AveragePrecision>() }.and_then(AveragePrecision::value)
}

extension_sql_file!(
    "../../sql/average_precision.sql",
    name = "average_precision",
    requires = [average_precision_accum, average_precision_final]
);
