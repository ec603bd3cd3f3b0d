//! The SQL functions: unpack, call, pack. sql/functions.sql declares them and documents their arguments.

use pgrx::pg_sys::panic::ErrorReport;
use pgrx::prelude::*;

use crate::cache::call_site::{Answer, CallSite};
use crate::error::Error;
use crate::fit;
#[expect(unused_imports, reason = "named in `requires` below")]
use crate::planner::{hinted_exemplar_search_support, hinted_exemplar_support};
use crate::postgres::memory;
use crate::postgres::spi::Connection;
use crate::postgres::vector::NewVector;
use crate::search::found::{self, Plane};
use crate::search::key::Key;
use crate::search::known::Known;
use crate::search::{self, Results, Wanted, filter};
use crate::source::{Name, Regclass, Source};
use crate::sql::args::{self, Call, Sampling, StoredWeights};
use crate::sql::report::{FitReport, NewRow};

/// What a row that was found takes, in the several forms that it is in.
const BYTES_OF_A_ROW: usize = 256;

/// The version of the library that answers; `pg_extension.extversion` is that of the SQL objects.
#[pg_extern(stable, parallel_safe)]
fn hinted_exemplar_version() -> &'static str {
    env!("CARGO_PKG_VERSION")
}

/// `w / |w|` for the `w` that minimises J of [`exemplar_svm`] over what is asked for and `sample_size` rows
/// of `source`, drawn uniformly from those that the caller sees.
///
/// # Errors
/// See [`Error`]. Not converged is a warning, fewer rows than `sample_size` and zero vectors are notices.
#[pg_extern(sql = false)]
fn hinted_exemplar(fcinfo: pg_sys::FunctionCallInfo) -> Result<NewVector, ErrorReport> {
    // SAFETY: Postgres passes a call of this function; only the cache uses its fn_extra.
    let call_site = unsafe { CallSite::of(fcinfo) };
    if let Some(weights) = call_site.again() {
        return Ok(NewVector(weights));
    }
    // SAFETY: sql/functions.sql declares these arguments.
    let call = unsafe { Call::new(fcinfo, args::HINTED_EXEMPLAR) };
    let (source, column) = call.source()?;
    let (params, sampling) = (call.params()?, call.sampling()?);
    let vectors = call.vector_arguments()?;
    let query = call.query(&vectors)?;
    let filter = call.source_filter();
    let key = args::bytes(&source, (&column, filter.as_deref()), &query, sampling, &params)?;
    let names = vectors.names(Some(&column));
    let fit = || -> Result<_, Error> {
        let source = source_of(source, column, call, filter)?;
        let outcome = fit::fit_source(&source, &query, sampling, params).map_err(|e| e.called(names))?;
        Ok(Answer { weights: outcome.into_weights(), keep: source.is_fixed_by_snapshot() })
    };
    Ok(NewVector(call_site.fitted_once(key, fit)?))
}

/// The same fit as one row that explains it: see [`FitReport`].
///
/// # Errors
/// As [`hinted_exemplar`].
#[pg_extern(sql = false)]
fn hinted_exemplar_fit(fcinfo: pg_sys::FunctionCallInfo) -> Result<NewRow, ErrorReport> {
    Ok(NewRow(explained(fcinfo)?))
}

/// The same row as a JSON object.
///
/// # Errors
/// As [`hinted_exemplar`].
#[pg_extern(sql = false)]
fn hinted_exemplar_report(fcinfo: pg_sys::FunctionCallInfo) -> Result<pgrx::JsonB, ErrorReport> {
    let value = serde_json::to_value(explained(fcinfo)?);
    Ok(pgrx::JsonB(value.unwrap_or_default()))
}

/// The rows nearest to that vector or to a given one, as a set of `tableoid`, `ctid`, `key`, `distance`, `margin`,
/// `recall` and `metric`: see [`search`].
///
/// # Errors
/// As [`hinted_exemplar`], and for a `filter` that is not one expression, and a source whose rows neither have TIDs nor
/// are named by `key`.
#[pg_extern(sql = false)]
fn hinted_exemplar_search(fcinfo: pg_sys::FunctionCallInfo) -> Result<(), ErrorReport> {
    let (results, plane) = found(fcinfo)?;
    // SAFETY: sql/functions.sql declares this function to return a set of these rows.
    unsafe { found::return_rows(fcinfo, &results, plane) };
    Ok(())
}

fn found(fcinfo: pg_sys::FunctionCallInfo) -> Result<(Results, Option<Plane>), Error> {
    // SAFETY: sql/functions.sql declares these arguments.
    let call = unsafe { Call::new(fcinfo, args::SEARCH) };
    let (source, column) = call.source()?;
    let (params, sampling) = (call.params()?, Sampling { always: true, ..call.sampling()? });
    let asked = call.search()?;
    let bytes = asked.k.saturating_mul(BYTES_OF_A_ROW);
    memory::check_limit(bytes, "k")?;
    let vectors = call.vector_arguments()?;
    let query = call.query(&vectors)?;
    let names = vectors.names(Some(&column));
    let stored = call.stored_weights(&query)?;
    let mut source = source_of(source, column, call, call.source_filter())?;
    let key = asked.key.as_deref().map(|key| Key::of(key, &source)).transpose()?;
    if key.is_none() && !source.has_tids() {
        return Err(source.no_tids(if source.is_view() { "view" } else { "relation" }));
    }
    let connection = Connection::open();
    if let Some(filter) = &asked.filter {
        filter::check("filter", filter, &source, &connection)?;
        source.condition.get_or_insert_with(|| filter.clone());
    }
    // A sample of other rows than those searched is no evidence of what was missed.
    let is_evidence = asked.filter.is_none() || asked.filter == source.condition;
    let wanted = |metric| Wanted {
        k: asked.k,
        filter: asked.filter.as_deref(),
        key: key.as_ref(),
        metric,
        diversity: asked.diversity,
    };
    if let Some(StoredWeights { weights, unit, plane }) = stored {
        let sampled = fit::sample_source(&source, &weights, sampling).map_err(|e| e.called(names))?;
        let known = Known::of(&sampled.set, &unit, is_evidence);
        memory::probe(bytes)?;
        let wanted = wanted(sampled.metric());
        let results = search::search(&source, &connection, (&weights, &unit), known, &wanted)?;
        sampled.keep();
        return Ok((results, plane));
    }
    let outcome = fit::fit_source(&source, &query, sampling, params).map_err(|e| e.called(names))?;
    let (w, set) = (&outcome.fit.weights, outcome.problem.set());
    let known = Known::of(set, w, is_evidence);
    memory::probe(bytes)?;
    let wanted = wanted(outcome.drawn.metric());
    let results = search::search(&source, &connection, (w, w), known, &wanted)?;
    // What is wanted alone, or texts alone, have no plane that tells rows apart.
    let plane = (set.exemplars() > 0 && set.negatives() > 0)
        .then(|| Plane { scale: outcome.fit.scale(), bias: outcome.fit.b });
    outcome.into_weights();
    Ok((results, plane))
}

/// The source of a fit, of which rows that satisfy `filter` count.
fn source_of(relation: Regclass, column: Name, call: Call, filter: Option<String>) -> Result<Source, Error> {
    let mut source = Source::open(relation, column, call.vector_type())?;
    if let Some(filter) = &filter {
        filter::check("source_filter", filter, &source, &Connection::open())?;
    }
    source.condition = filter;
    Ok(source)
}

fn explained(fcinfo: pg_sys::FunctionCallInfo) -> Result<FitReport, Error> {
    // SAFETY: sql/functions.sql declares these arguments for both functions that come here.
    let call = unsafe { Call::new(fcinfo, args::HINTED_EXEMPLAR) };
    let (source, column) = call.source()?;
    let (params, sampling) = (call.params()?, call.sampling()?);
    let vectors = call.vector_arguments()?;
    let query = call.query(&vectors)?;
    let names = vectors.names(Some(&column));
    let source = source_of(source, column, call, call.source_filter())?;
    let outcome = fit::fit_source(&source, &query, sampling, params).map_err(|e| e.called(names.clone()))?;
    Ok(FitReport::of(&query, &names, &outcome, source.may_select_tids()))
}

/// `w / |w|` for the `w` that minimises J of [`exemplar_svm`] over the given vectors.
///
/// # Errors
/// See [`Error`]. Not converged is a warning.
#[pg_extern(sql = false)]
fn exemplar_svm(fcinfo: pg_sys::FunctionCallInfo) -> Result<NewVector, ErrorReport> {
    // SAFETY: sql/functions.sql declares these arguments.
    let call = unsafe { Call::new(fcinfo, args::EXEMPLAR_SVM) };
    let params = call.params()?;
    let vectors = call.vector_arguments()?;
    let negatives = call.negatives(&vectors)?;
    let query = call.query(&vectors)?;
    let negatives = negatives.iter().map(|negative| negative.values);
    let fit = fit::fit_given(&query, negatives, params).map_err(|e| e.called(vectors.names(None)))?;
    Ok(NewVector(fit.weights))
}

extension_sql_file!(
    "../../sql/functions.sql",
    name = "functions",
    requires = [
        hinted_exemplar_support,
        hinted_exemplar_search_support,
        hinted_exemplar,
        hinted_exemplar_fit,
        hinted_exemplar_report,
        hinted_exemplar_search,
        exemplar_svm
    ]
);
extension_sql_file!("../../sql/comments.sql", name = "comments", finalize);
