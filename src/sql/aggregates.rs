//! The aggregates `average_precision` and `exemplar_svm_agg`.

use pgrx::prelude::*;
use pgrx::{Internal, PgMemoryContexts};

use crate::error::Error;
use crate::fit;
use crate::postgres::vector::{NewVector, Vector};
use exemplar_svm::metric::AveragePrecision;
use exemplar_svm::training::same_direction;
use exemplar_svm::{Dimensions, Example, FitError, Named, Params, Query};

/// A null is a row that nobody has judged, and counts as not relevant.
#[pg_extern(immutable, parallel_safe)]
fn average_precision_accum(
    mut state: Internal,
    relevant: Option<bool>,
    fcinfo: pg_sys::FunctionCallInfo,
) -> Result<Internal, pg_sys::panic::ErrorReport> {
    // SAFETY: Postgres passes a call of this function, whose state was made here.
    let precision = unsafe { state_of::<AveragePrecision>(&mut state, fcinfo) }?;
    precision.push(relevant.unwrap_or(false));
    Ok(state)
}

#[pg_extern(immutable, parallel_safe)]
fn average_precision_final(state: Internal) -> Option<f64> {
    // SAFETY: the state is null or was made by average_precision_accum.
    unsafe { state.get::<AveragePrecision>() }.and_then(AveragePrecision::value)
}

/// Rows that `exemplar_svm_agg` has seen.
#[derive(Default)]
struct Judged {
    dimensions: Option<usize>,
    wanted: Vec<f32>,
    unwanted: Vec<f32>,
    unjudged: Vec<f32>,
    hint: Option<Vec<f32>>,
}

/// Keeps an embedding by its verdict, and the first hint; null embeddings are skipped.
#[pg_extern(sql = false)]
fn exemplar_svm_accum(fcinfo: pg_sys::FunctionCallInfo) -> Result<Internal, pg_sys::panic::ErrorReport> {
    // SAFETY: sql/exemplar_svm_agg.sql declares (internal, vector, boolean) and with a vector behind;
    // arguments outlive the call, and the state was made here.
    let (mut state, embedding, verdict, hint) = unsafe {
        let vector = |n: usize| {
            let datum = pgrx::fcinfo::pg_getarg::<pg_sys::Datum>(fcinfo, n);
            datum.map(|datum| Vector::from_datum(datum)).transpose()
        };
        let hint = if (*fcinfo).nargs > 3 { vector(3)? } else { None };
        let state = pgrx::fcinfo::pg_getarg::<Internal>(fcinfo, 0).unwrap_or_default();
        (state, vector(1)?, pgrx::fcinfo::pg_getarg::<bool>(fcinfo, 2), hint)
    };
    // SAFETY: as above.
    let judged = unsafe { state_of::<Judged>(&mut state, fcinfo) }?;
    if let (None, Some(hint)) = (&judged.hint, hint) {
        judged.hint = Some(hint.values().to_vec());
    }
    let Some(embedding) = embedding else { return Ok(state) };
    let count = *judged.dimensions.get_or_insert(embedding.values().len());
    let expected = Dimensions { count, reference: "the first row".into() };
    expected.check(embedding.values().len(), || "embedding".into()).map_err(Error::from)?;
    let kept = match verdict {
        Some(true) => &mut judged.wanted,
        Some(false) => &mut judged.unwanted,
        None => &mut judged.unjudged,
    };
    kept.extend_from_slice(embedding.values());
    Ok(state)
}

/// The fit over the rows, or null when none is wanted and there is no hint, or when there is nothing that
/// the wanted rows could be told apart from.
#[pg_extern(sql = false)]
fn exemplar_svm_final(
    fcinfo: pg_sys::FunctionCallInfo,
) -> Result<Option<NewVector>, pg_sys::panic::ErrorReport> {
    // SAFETY: sql/exemplar_svm_agg.sql declares (internal), null or made by exemplar_svm_accum.
    let state = unsafe { pgrx::fcinfo::pg_getarg::<Internal>(fcinfo, 0) };
    // SAFETY: as above.
    let Some(judged) = state.as_ref().and_then(|state| unsafe { state.get::<Judged>() }) else {
        return Ok(None);
    };
    let d = judged.dimensions.or(judged.hint.as_ref().map(Vec::len)).unwrap_or(1).max(1);
    let nonzero = |name: &str, values: &[f32]| -> Vec<Vec<f32>> {
        let zero = |row: &&[f32]| row.iter().all(|&v| v == 0.0);
        let zeros = values.chunks_exact(d).filter(zero).count();
        if zeros > 0 {
            notice!("skipped {zeros} {name} rows that are the zero vector");
        }
        values.chunks_exact(d).filter(|row| !zero(row)).map(<[f32]>::to_vec).collect()
    };
    let mut wanted = nonzero("wanted", &judged.wanted);
    let mut unwanted = nonzero("unwanted", &judged.unwanted);
    drop_contradictions(&mut wanted, &mut unwanted);
    let unjudged = nonzero("unjudged", &judged.unjudged);
    let query = Query {
        exemplars: named(&wanted).map(Example::from).collect(),
        counter_exemplars: named(&unwanted).map(Example::from).collect(),
        hints: judged.hint.iter().map(|values| Named { name: "hint".into(), values }).collect(),
        ..Query::default()
    };
    match fit::fit_given(&query, &named(&unjudged).collect::<Vec<_>>(), Params::default()) {
        Ok(fit) => Ok(Some(NewVector(fit.weights))),
        Err(Error::Fit(FitError::NothingWanted | FitError::NoNegatives)) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

fn named(rows: &[Vec<f32>]) -> impl Iterator<Item = Named<'_>> {
    rows.iter().map(|values| Named { name: "embedding".into(), values })
}

/// Leaves out rows that are both wanted and unwanted, and says so: which verdict is right is not known here.
fn drop_contradictions(wanted: &mut Vec<Vec<f32>>, unwanted: &mut Vec<Vec<f32>>) {
    let is_in = |rows: &[Vec<f32>], row: &[f32]| rows.iter().any(|other| same_direction(other, row));
    let both: Vec<Vec<f32>> = wanted.iter().filter(|row| is_in(unwanted, row)).cloned().collect();
    if both.is_empty() {
        return;
    }
    warning!("left out {} rows that are both wanted and unwanted", both.len());
    for rows in [wanted, unwanted] {
        rows.retain(|row| !is_in(&both, row));
    }
}

/// The state of an aggregate, made on the first call in the memory that lives as long as the aggregate.
///
/// # Errors
/// [`Error::NotInAggregate`].
///
/// # Safety
/// `fcinfo` is the current call, and `state` is null or was made here for the same `T`.
unsafe fn state_of<T: Default>(
    state: &mut Internal,
    fcinfo: pg_sys::FunctionCallInfo,
) -> Result<&mut T, Error> {
    let mut context = std::ptr::null_mut();
    // SAFETY: as above; Postgres says whether an aggregate makes the call.
    unsafe {
        if pg_sys::AggCheckCallContext(fcinfo, &mut context) == 0 {
            return Err(Error::NotInAggregate);
        }
        Ok(PgMemoryContexts::For(context).switch_to(|_| state.get_or_insert_with(T::default)))
    }
}

extension_sql_file!(
    "../../sql/average_precision.sql",
    name = "average_precision",
    requires = [average_precision_accum, average_precision_final]
);
extension_sql_file!(
    "../../sql/exemplar_svm_agg.sql",
    name = "exemplar_svm_agg",
    requires = [exemplar_svm_accum, exemplar_svm_final]
);
