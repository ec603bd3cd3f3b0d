//! The aggregates `average_precision` and `exemplar_svm_agg`.

use pgrx::prelude::*;
use pgrx::{Internal, PgMemoryContexts};

use crate::error::Error;
use crate::error::names::Names;
use crate::fit;
use crate::postgres::check_interrupts;
use crate::postgres::memory::{self, ContextMemory};
use crate::postgres::vector::{NewVector, Vector};
use exemplar_svm::memory::RowMemory;
use exemplar_svm::metric::AveragePrecision;
use exemplar_svm::same_row::contradictions;
use exemplar_svm::{Dimensions, Example, FitError, Input, InputVector, Params, Query};

/// A null is a row that nobody has judged, and counts as not relevant.
#[pg_extern(immutable, parallel_safe)]
fn average_precision_accum(
    mut state: Internal,
    relevant: Option<bool>,
    fcinfo: pg_sys::FunctionCallInfo,
) -> Result<Internal, pg_sys::panic::ErrorReport> {
    // SAFETY: Postgres passes a call of this function, whose state was made here.
    let precision = unsafe { state_of(&mut state, fcinfo, |_| AveragePrecision::default()) }?;
    precision.push(relevant.unwrap_or(false));
    Ok(state)
}

#[pg_extern(immutable, parallel_safe)]
fn average_precision_final(state: Internal) -> Option<f64> {
    // SAFETY: the state is null or was made by average_precision_accum.
    unsafe { state.get::<AveragePrecision>() }.and_then(AveragePrecision::value)
}

/// Rows that `exemplar_svm_agg` has seen, in the aggregate's memory.
struct Judged {
    dimensions: Option<usize>,
    wanted: Verdict,
    unwanted: Verdict,
    unjudged: Verdict,
    hint: Option<Vec<f32>>,
}

/// Rows of one verdict.
struct Verdict {
    rows: ContextMemory,
    /// Rows that are zero are not kept.
    zeros: u64,
}

impl Judged {
    /// # Safety
    /// `context` lives as long as the aggregate.
    unsafe fn new(context: pg_sys::MemoryContext) -> Self {
        // SAFETY: the caller's.
        let verdict = || Verdict { rows: unsafe { ContextMemory::within(context) }, zeros: 0 };
        let (wanted, unwanted, unjudged) = (verdict(), verdict(), verdict());
        Judged { dimensions: None, wanted, unwanted, unjudged, hint: None }
    }

    /// # Errors
    /// `DifferentDimensions`, [`Error::MemoryLimit`], `OutOfMemory`.
    fn push(&mut self, embedding: &[f32], verdict: Option<bool>) -> Result<(), Error> {
        let count = *self.dimensions.get_or_insert(embedding.len());
        Dimensions { count, reference: Input::Declared }.check(embedding.len(), Input::Exemplar(0))?;
        let values =
            [&self.wanted, &self.unwanted, &self.unjudged].map(|verdict| verdict.rows.values().len());
        let bytes = memory::bytes_of_rows(values.iter().sum::<usize>() + embedding.len(), 1);
        memory::check_limit(bytes, "the number of rows")?;
        let verdict = match verdict {
            Some(true) => &mut self.wanted,
            Some(false) => &mut self.unwanted,
            None => &mut self.unjudged,
        };
        if embedding.iter().all(|&v| v == 0.0) {
            verdict.zeros += 1;
            return Ok(());
        }
        verdict.rows.append(embedding).map_err(|_| Error::OutOfMemory { bytes })
    }
}

impl Verdict {
    fn report_zeros(&self, name: &str) {
        if self.zeros > 0 {
            notice!("skipped {} {name} rows that are the zero vector", self.zeros);
        }
    }
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
    // SAFETY: Postgres passes a call of this function, whose state was made here.
    let judged = unsafe { state_of(&mut state, fcinfo, |context| Judged::new(context)) }?;
    if let (None, Some(hint)) = (&judged.hint, hint) {
        judged.hint = Some(hint.values().to_vec());
    }
    if let Some(embedding) = embedding {
        judged.push(embedding.values(), verdict).map_err(|error| error.called(Names::Aggregate))?;
    }
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
    // SAFETY: an aggregate's state is no other than that of its accum function.
    let Some(judged) = state.as_ref().and_then(|state| unsafe { state.get::<Judged>() }) else {
        return Ok(None);
    };
    match fit_judged(judged) {
        Ok(weights) => Ok(Some(NewVector(weights))),
        Err(Error::Fit { error: FitError::NothingWanted, .. }) => Ok(None),
        Err(error) => Err(error.called(Names::Aggregate).into()),
    }
}

fn fit_judged(judged: &Judged) -> Result<Vec<f32>, Error> {
    let d = judged.dimensions.or(judged.hint.as_ref().map(Vec::len)).unwrap_or(1).max(1);
    judged.wanted.report_zeros("wanted");
    judged.unwanted.report_zeros("unwanted");
    let (wanted, unwanted) = (judged.wanted.rows.values(), judged.unwanted.rows.values());
    let on_both_sides = contradictions(wanted, unwanted, d, &mut check_interrupts);
    let out_of_memory =
        |_| FitError::OutOfMemory { rows: (wanted.len() + unwanted.len()) / d, dimensions: d };
    let (wanted_too, unwanted_too) = on_both_sides.map_err(out_of_memory)?;
    // Which verdict on them is right is not known here.
    let left_out = wanted_too.iter().filter(|&&is_on_both| is_on_both).count();
    if left_out > 0 {
        warning!("left out {left_out} rows that are both wanted and unwanted");
    }
    judged.unjudged.report_zeros("unjudged");
    let query = Query {
        exemplars: examples(wanted, &wanted_too, d, Input::Exemplar)?,
        counter_exemplars: examples(unwanted, &unwanted_too, d, Input::CounterExemplar)?,
        hints: judged.hint.iter().map(|values| InputVector { input: Input::Hint(0), values }).collect(),
        ..Query::default()
    };
    let negatives = judged.unjudged.rows.values().chunks_exact(d);
    Ok(fit::fit_given(&query, negatives, Params::default())?.weights)
}

/// Rows of `d` values that are not left out.
fn examples<'a>(
    rows: &'a [f32],
    left_out: &[bool],
    d: usize,
    input: fn(usize) -> Input,
) -> Result<Vec<Example<'a>>, Error> {
    let mut examples = memory::with_room(left_out.len())?;
    let kept = rows.chunks_exact(d).zip(left_out).filter(|&(_, left_out)| !left_out);
    examples.extend(kept.enumerate().map(|(i, (values, _))| InputVector { input: input(i), values }.into()));
    Ok(examples)
}

/// The state of an aggregate, made on the first call in the memory that lives as long as the aggregate.
///
/// # Errors
/// [`Error::NotInAggregate`].
///
/// # Safety
/// `fcinfo` is the current call, and `state` is null or was made here for the same `T`.
unsafe fn state_of<T>(
    state: &mut Internal,
    fcinfo: pg_sys::FunctionCallInfo,
    new: impl FnOnce(pg_sys::MemoryContext) -> T,
) -> Result<&mut T, Error> {
    let mut context = std::ptr::null_mut();
    // SAFETY: the caller's; Postgres says whether an aggregate makes the call.
    unsafe {
        if pg_sys::AggCheckCallContext(fcinfo, &mut context) == 0 {
            return Err(Error::NotInAggregate);
        }
        Ok(PgMemoryContexts::For(context).switch_to(|_| state.get_or_insert_with(|| new(context))))
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
