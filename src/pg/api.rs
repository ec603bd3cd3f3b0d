//! The SQL functions: unpack, call, pack.

use pgrx::pg_sys::panic::ErrorReport;
use pgrx::prelude::*;

use super::args;
use super::cache;
use super::error::Error;
use super::sample::{self, Drawn};
use super::source::{Name, Regclass, Source};
use super::vector::{NewVector, Vector, VectorArray};
use crate::svm::{self, Dimensions, Fit, FitError, Named, Params, Problem, TrainingSet};

/// `w / |w|` for the `w` that minimises J of [`svm`] over the exemplars, the hints and `sample_size` rows of
/// `source`, drawn uniformly from those that the caller sees; with hints alone, their mean direction.
///
/// # Arguments
/// * `source`, `embedding`: a table or materialized view and its column of type `vector`, of d dimensions.
/// * `exemplar` and `exemplars`, united: what is wanted, each of d dimensions and not zero; any length.
///   A null `exemplar` is an error; left out, or null or empty `exemplars`, is none.
/// * `hint` and `hints`, united: embedded texts of it, each of d dimensions and not zero; null is none.
/// * `sample_size`: >= 1, rows. More are slower and make the answer depend less on `seed`.
/// * `lambda`, `hint_weight`, `tol`, `max_iter`: see [`Params`].
/// * `seed`: any; another one draws other rows. The same data, arguments and seed give the same bits.
///
/// # Errors
/// See [`Error`]. Not converged is a warning, fewer rows than `sample_size` and zero vectors are notices.
#[pg_extern(stable, parallel_restricted, cost = 1000000)]
#[expect(clippy::too_many_arguments, reason = "the arguments of the SQL function")]
fn hinted_exemplar(
    source: Option<Regclass>,
    embedding: Option<Name>,
    exemplar: default!(Option<Vector>, "'[0]'"),
    hint: default!(Option<Vector>, "NULL"),
    exemplars: default!(Option<VectorArray>, "NULL"),
    hints: default!(Option<VectorArray>, "NULL"),
    sample_size: default!(Option<i32>, 1000),
    lambda: default!(Option<f64>, 1.0),
    hint_weight: default!(Option<f64>, 2.0),
    seed: default!(Option<i64>, 0),
    tol: default!(Option<f64>, 0.000001),
    max_iter: default!(Option<i32>, 100),
    fcinfo: pg_sys::FunctionCallInfo,
) -> Result<NewVector, ErrorReport> {
    let source = args::required("source", source)?;
    let embedding = args::required("embedding", embedding)?;
    let params = args::params(lambda, hint_weight, tol, max_iter)?;
    let sample_size = args::at_least_one("sample_size", sample_size)?;
    let seed = args::required("seed", seed)?;
    let exemplars = args::exemplars(&exemplar, &exemplars)?;
    let hints = args::hints(&hint, &hints)?;
    let key = args::bytes(&source, &embedding, &exemplars, &hints, sample_size, seed, &params);
    let fit = || {
        // SAFETY: Postgres passes a call of this function.
        let vector_type = unsafe { pg_sys::get_func_rettype((*(*fcinfo).flinfo).fn_oid) };
        let source = Source::open(source, embedding, vector_type)?;
        fit_source(&source, &exemplars, &hints, sample_size, seed, params).map(|fit| fit.weights)
    };
    // SAFETY: as above; only the cache uses fn_extra.
    let weights = unsafe { cache::fitted_once(fcinfo, key, fit) }?;
    Ok(NewVector(weights))
}

/// `w / |w|` for the `w` that minimises J of [`svm`] over the given vectors.
///
/// # Arguments
/// * `exemplars`, `negatives`: what is wanted and what it is told apart from, each of the first exemplar's
///   dimensions. Negatives that are zero or one of the exemplars are left out; at least one must be left.
/// * `hints`, `lambda`, `hint_weight`, `tol`, `max_iter`: as for `hinted_exemplar`.
///
/// # Errors
/// See [`Error`]. Not converged is a warning.
#[pg_extern(immutable, parallel_safe, cost = 1000000)]
fn exemplar_svm(
    exemplars: Option<VectorArray>,
    negatives: Option<VectorArray>,
    hints: default!(Option<VectorArray>, "NULL"),
    lambda: default!(Option<f64>, 1.0),
    hint_weight: default!(Option<f64>, 2.0),
    tol: default!(Option<f64>, 0.000001),
    max_iter: default!(Option<i32>, 100),
) -> Result<NewVector, ErrorReport> {
    let exemplars = args::required("exemplars", exemplars)?;
    let negatives = args::required("negatives", negatives)?;
    let params = args::params(lambda, hint_weight, tol, max_iter)?;
    let exemplars = args::elements("exemplars", &exemplars)?;
    let negatives = args::elements("negatives", &negatives)?;
    let hints = args::hints(&None, &hints)?;
    let mut set = training_set(None, &exemplars, &hints)?;
    set.reserve(negatives.len()).map_err(Error::from)?;
    for negative in &negatives {
        set.offer_negative(negative.values, || negative.name.clone()).map_err(Error::from)?;
    }
    let fit = fit(set, &hints, params)?;
    Ok(NewVector(fit.weights))
}

fn fit_source(
    source: &Source,
    exemplars: &[Named],
    hints: &[Named],
    sample_size: usize,
    seed: i64,
    params: Params,
) -> Result<Fit, Error> {
    let declared = source.dimensions.map(|count| Dimensions { count, reference: source.column_named() });
    let mut set = training_set(declared, exemplars, hints)?;
    // A hint alone needs no negatives; one row still shows that there are any, and may be read.
    let wanted = if exemplars.is_empty() { 1 } else { sample_size };
    let drawn = sample::draw(source, &mut set, wanted, seed)?;
    report_sample(source, &drawn, wanted)?;
    fit(set, hints, params)
}

fn training_set(
    declared: Option<Dimensions>,
    exemplars: &[Named],
    hints: &[Named],
) -> Result<TrainingSet, Error> {
    let first = exemplars.first().or(hints.first()).ok_or(FitError::NothingWanted)?;
    let of_first = || Dimensions { count: first.values.len(), reference: first.name.clone() };
    let dimensions = declared.unwrap_or_else(of_first);
    for hint in hints {
        dimensions.check(hint.values.len(), || hint.name.clone())?;
    }
    Ok(TrainingSet::new(dimensions, exemplars)?)
}

fn report_sample(source: &Source, drawn: &Drawn, wanted: usize) -> Result<(), Error> {
    let relation = source.relation.name().to_string();
    let Drawn { rows, nulls, zeros, .. } = *drawn;
    if rows == zeros {
        return Err(Error::NoRows { column: source.column.clone(), relation, nulls, zeros });
    }
    if zeros > 0 {
        notice!("skipped {zeros} sampled rows of relation \"{relation}\" that are the zero vector");
    }
    if drawn.exhausted && rows - zeros < wanted as u64 {
        let found = rows - zeros;
        notice!("relation \"{relation}\" has only {found} rows to sample, fewer than sample_size");
    }
    Ok(())
}

fn fit(set: TrainingSet, hints: &[Named], params: Params) -> Result<Fit, Error> {
    let mut interrupt = || {
        pgrx::check_for_interrupts!();
    };
    let problem = Problem::new(set, hints, params, &mut interrupt)?;
    let fit = svm::fit(&problem, &mut interrupt);
    debug1!("fitted an exemplar SVM in {} iterations", fit.iterations);
    if !fit.converged {
        ErrorReport::new(
            PgSqlErrorCode::ERRCODE_WARNING,
            "exemplar SVM did not converge, its best answer is used",
            "hinted_exemplar",
        )
        .set_detail(format!(
            "The gradient is {:.1e} after {} iterations, tol is {:.1e}.",
            fit.violation, fit.iterations, params.tol
        ))
        .set_hint("Raise max_iter, tol or lambda.")
        .report(PgLogLevel::WARNING);
    }
    Ok(fit)
}

extension_sql_file!("../../sql/comments.sql", name = "comments", finalize);
