//! From what is asked for to a fit: draw, fit, expand, and say so where something is amiss.

use std::time::{Duration, Instant};

use pgrx::pg_sys::panic::ErrorReport;
use pgrx::prelude::*;

use crate::cache::last_sample::Key;
use crate::error::Error;
use crate::sample::{self, Drawn};
use crate::search::nearest;
use crate::source::Source;
use crate::sql::args::Sampling;
use exemplar_svm::{Dimensions, Fit, FitError, Named, Params, Problem, Query, TrainingSet};

/// What all rows that expansion adds weigh together, beside an exemplar.
const EXPANSION_WEIGHT: f64 = 0.6;

/// A fit and all that it came from.
pub struct Outcome {
    pub problem: Problem,
    pub fit: Fit,
    pub drawn: Drawn,
    /// Rows that expansion added to the exemplars.
    pub expanded: usize,
    pub sampling: Duration,
    pub solving: Duration,
    /// What the sample of the problem can be kept by.
    key: Option<Key>,
}

impl Outcome {
    /// The answer alone. The sample is kept for another call.
    pub fn into_weights(self) -> Vec<f32> {
        if let Some(key) = self.key {
            key.keep(self.problem.into_set(), self.drawn);
        }
        self.fit.weights
    }
}

/// Fits `query` against rows drawn from `source`.
///
/// # Errors
/// See [`Error`].
pub fn fit_source(
    source: &Source,
    query: &Query,
    sampling: Sampling,
    params: Params,
) -> Result<Outcome, Error> {
    let started = Instant::now();
    let declared = source.dimensions.map(|count| Dimensions { count, reference: source.column_named() });
    let mut set = training_set(declared, query)?;
    // A hint alone needs no negatives; one row still shows that there are any, and may be read.
    let hint_alone = query.exemplars.is_empty()
        && query.counter_exemplars.is_empty()
        && query.counter_hints.is_empty()
        && sampling.expand == 0;
    let wanted = if hint_alone { 1 } else { sampling.sample_size };
    let key = Key::of(source, wanted, sampling.seed).filter(|_| !hint_alone);
    let drawn = match key.as_ref().and_then(|key| key.take(source, &set)) {
        Some((with_negatives, drawn)) => {
            set = with_negatives;
            drawn
        }
        None => sample::draw(source, &mut set, wanted, sampling.seed)?,
    };
    report_sample(source, &drawn, wanted)?;
    let sampled = started.elapsed();
    let Fitted { problem, fit } = fit(set, query, params)?;
    let mut outcome =
        Outcome { problem, fit, drawn, expanded: 0, sampling: sampled, solving: Duration::ZERO, key };
    if sampling.expand > 0 {
        expand(source, query, sampling.expand, params, &mut outcome)?;
    }
    outcome.solving = started.elapsed() - sampled;
    Ok(outcome)
}

/// Fits `query` against the given negatives.
///
/// # Errors
/// See [`Error`].
pub fn fit_given(query: &Query, negatives: &[Named], params: Params) -> Result<Fit, Error> {
    let mut set = training_set(None, query)?;
    set.reserve(negatives.len())?;
    for negative in negatives {
        set.offer_negative(negative.values, || negative.name.clone())?;
    }
    Ok(fit(set, query, params)?.fit)
}

/// Fits once more, with the `k` best rows of the source under the first fit as light exemplars.
fn expand(
    source: &Source,
    query: &Query,
    k: usize,
    params: Params,
    outcome: &mut Outcome,
) -> Result<(), Error> {
    let set = outcome.problem.set();
    // The examples themselves are among the best rows, and add nothing.
    let rows = k + query.exemplars.len() + query.counter_exemplars.len();
    let mut best = nearest::nearest(source, &outcome.fit.weights, rows, set)?;
    set.drop_examples(&mut best);
    best.truncate(k * set.dimensions());
    let (expanded, kept) = set.expanded(&best, EXPANSION_WEIGHT / k as f64)?;
    outcome.expanded = expanded.exemplars() - set.exemplars();
    let row_ids = kept.iter().map(|&row| outcome.drawn.row_ids[row]).collect();
    let drawn = Drawn { row_ids, ..outcome.drawn.clone() };
    let Fitted { problem, fit } = fit(expanded, query, params)?;
    let sample = std::mem::replace(&mut outcome.problem, problem).into_set();
    let all_drawn = std::mem::replace(&mut outcome.drawn, drawn);
    outcome.fit = fit;
    if let Some(key) = outcome.key.take() {
        key.keep(sample, all_drawn);
    }
    Ok(())
}

fn training_set(declared: Option<Dimensions>, query: &Query) -> Result<TrainingSet, Error> {
    if query.exemplars.is_empty() && query.hints.is_empty() {
        return Err(FitError::NothingWanted.into());
    }
    let first = query.vectors().next().ok_or(FitError::NothingWanted)?;
    let of_first = || Dimensions { count: first.values.len(), reference: first.name.clone() };
    let dimensions = declared.unwrap_or_else(of_first);
    for vector in query.vectors() {
        dimensions.check(vector.values.len(), || vector.name.clone())?;
    }
    Ok(TrainingSet::new(dimensions, query)?)
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

struct Fitted {
    problem: Problem,
    fit: Fit,
}

fn fit(set: TrainingSet, query: &Query, params: Params) -> Result<Fitted, Error> {
    let mut interrupt = || {
        pgrx::check_for_interrupts!();
    };
    let problem = Problem::new(set, query, params, &mut interrupt)?;
    let fit = exemplar_svm::fit(&problem, &mut interrupt);
    debug1!("fitted an exemplar SVM in {} iterations, {} passes over the rows", fit.iterations, fit.passes);
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
    Ok(Fitted { problem, fit })
}
