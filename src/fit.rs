//! From what is asked for to a fit: draw, fit, expand, and say so where something is amiss.

use std::time::{Duration, Instant};

use pgrx::pg_sys::panic::ErrorReport;
use pgrx::prelude::*;

use crate::cache::last_sample::Key;
use crate::error::Error;
use crate::postgres::check_interrupts;
use crate::postgres::memory::{self, ContextMemory};
use crate::sample::{self, Drawn};
use crate::search::nearest;
use crate::source::Source;
use crate::source::order::Metric;
use crate::sql::args::Sampling;
use exemplar_svm::report::COMPARED_EXEMPLARS;
use exemplar_svm::{Dimensions, Fit, FitError, Input, Params, Problem, Query, TrainingSet};

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
    let dimensions = dimensions(declared_by(source), query)?;
    // A hint alone needs no negatives; one row still shows that there are any, and may be read.
    let hint_alone = !sampling.always
        && query.exemplars.is_empty()
        && query.counter_exemplars.is_empty()
        && query.counter_hints.is_empty()
        && sampling.expand == 0;
    let wanted = if hint_alone { 1 } else { sampling.sample_size };
    let wanted = at_most_all(source, wanted, dimensions.count);
    check_memory(query, (wanted, "sample_size"), sampling.expand, dimensions.count)?;
    let set = training_set(dimensions, query)?;
    let Sampled { set, drawn, key } = sample(source, set, wanted, sampling.seed)?;
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

/// Rows of a source, beside the examples that they were drawn for.
pub struct Sampled {
    pub set: TrainingSet,
    drawn: Drawn,
    key: Option<Key>,
}

impl Sampled {
    /// What the source's rows are to be ranked by.
    pub fn metric(&self) -> Metric {
        self.drawn.metric()
    }

    /// Keeps the sample for another call.
    pub fn keep(self) {
        if let Some(key) = self.key {
            key.keep(self.set, self.drawn);
        }
    }
}

/// Rows of `source` for a search by `weights`.
///
/// # Errors
/// See [`Error`].
pub fn sample_source(source: &Source, weights: &[f32], sampling: Sampling) -> Result<Sampled, Error> {
    let own = Dimensions { count: weights.len(), reference: Input::Weights };
    let dimensions = declared_by(source).unwrap_or(own);
    dimensions.check(weights.len(), Input::Weights)?;
    let nothing = Query::default();
    let wanted = at_most_all(source, sampling.sample_size, dimensions.count);
    check_memory(&nothing, (wanted, "sample_size"), 0, dimensions.count)?;
    sample(source, training_set(dimensions, &nothing)?, wanted, sampling.seed)
}

/// Adds `wanted` rows of `source` to `set`: those of the last call, or else newly drawn ones.
fn sample(source: &Source, mut set: TrainingSet, wanted: usize, seed: i64) -> Result<Sampled, Error> {
    // One row only shows that there is any.
    let mut key = Key::of(source, wanted, seed).filter(|_| wanted > 1);
    let kept = key.as_mut().map(|key| key.take(source, &mut set)).transpose()?.flatten();
    let drawn = match kept {
        Some(drawn) => drawn,
        None => {
            // The rows are had first, and must leave room for their places.
            let rows = memory::bytes_of_rows(wanted, set.dimensions());
            memory::probe(bytes_of_places(wanted).saturating_add(rows))?;
            sample::draw(source, &mut set, wanted, seed)?
        }
    };
    Ok(Sampled { set, drawn, key })
}

fn declared_by(source: &Source) -> Option<Dimensions> {
    source.dimensions.map(|count| Dimensions { count, reference: Input::Declared })
}

/// Fits `query` against the given negatives.
///
/// # Errors
/// See [`Error`].
pub fn fit_given<'a>(
    query: &Query,
    negatives: impl ExactSizeIterator<Item = &'a [f32]>,
    params: Params,
) -> Result<Fit, Error> {
    let dimensions = dimensions(None, query)?;
    check_memory(query, (negatives.len(), "the number of negatives"), 0, dimensions.count)?;
    let mut set = training_set(dimensions, query)?;
    set.reserve(negatives.len())?;
    for (index, negative) in negatives.enumerate() {
        set.offer_negative(negative, index)?;
        check_interrupts();
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
    let best = nearest::nearest(source, &outcome.fit.weights, rows, outcome.drawn.metric(), set)?;
    let (expanded, kept) = set.expanded(&best, k, EXPANSION_WEIGHT / k as f64, &mut check_interrupts)?;
    drop(best);
    outcome.expanded = expanded.exemplars() - set.exemplars();
    let mut row_ids = memory::with_room(kept.len())?;
    row_ids.extend(kept.iter().map(|&row| outcome.drawn.row_ids.get(row).copied().flatten()));
    let drawn = Drawn { row_ids, ..outcome.drawn };
    let Fitted { problem, fit } = fit(expanded, query, params)?;
    let sample = std::mem::replace(&mut outcome.problem, problem).into_set();
    let all_drawn = std::mem::replace(&mut outcome.drawn, drawn);
    outcome.fit = fit;
    if let Some(key) = outcome.key.take() {
        key.keep(sample, all_drawn);
    }
    Ok(())
}

/// What is `declared`, or else the first vector has; all have as many.
fn dimensions(declared: Option<Dimensions>, query: &Query) -> Result<Dimensions, Error> {
    if query.exemplars.is_empty() && query.hints.is_empty() {
        if !query.counter_exemplars.is_empty() || !query.counter_hints.is_empty() {
            return Err(Error::OnlyUnwanted);
        }
        return Err(FitError::NothingWanted.into());
    }
    let first = query.vectors().next().ok_or(FitError::NothingWanted)?;
    let of_first = Dimensions { count: first.values.len(), reference: first.input };
    let dimensions = declared.unwrap_or(of_first);
    for vector in query.vectors() {
        dimensions.check(vector.values.len(), vector.input)?;
    }
    Ok(dimensions)
}

fn training_set(dimensions: Dimensions, query: &Query) -> Result<TrainingSet, Error> {
    let memory = Box::new(ContextMemory::for_sample());
    Ok(TrainingSet::new_in(memory, dimensions, query, &mut check_interrupts)?)
}

/// As many rows as are wanted, or where these would take much memory, as there can be: who wants all rows asks for more
/// than there are.
fn at_most_all(source: &Source, wanted: usize, d: usize) -> usize {
    const MUCH: usize = 64 << 20;
    let bytes = memory::bytes_of_rows(wanted, d);
    if bytes <= MUCH && memory::check_limit(bytes, "").is_ok() {
        return wanted;
    }
    sample::parts::most_rows(source).map_or(wanted, |most| wanted.min(most.max(1)))
}

/// Refuses what takes more memory than it may, before any of it is asked for. Negatives come with what their number is
/// called.
fn check_memory(
    query: &Query,
    (negatives, called): (usize, &'static str),
    expand: usize,
    d: usize,
) -> Result<(), Error> {
    let examples = query.exemplars.len() + query.counter_exemplars.len();
    let what = match negatives.max(expand).max(examples) {
        most if most == negatives => called,
        most if most == expand => "expand",
        _ => "the number of exemplars",
    };
    let rows = negatives.saturating_add(expand).saturating_add(examples);
    memory::check_limit(memory::bytes_of_rows(rows, d), what)
}

/// What drawing needs beside the rows, at most, in lists that double as they grow: more for rows that are looked at together.
fn bytes_of_places(rows: usize) -> usize {
    const MOST_AT_A_TIME: usize = 20_000;
    const OF_A_PLACE: usize = 512;
    const OF_A_ROW: usize = 160;
    rows.min(MOST_AT_A_TIME) * OF_A_PLACE + rows.saturating_mul(OF_A_ROW)
}

/// What a fit and its report need beside the rows, at most: a few numbers for each row, some vectors and the texts.
fn bytes_beside_rows(set: &TrainingSet, query: &Query) -> usize {
    const NUMBERS_OF_A_ROW: usize = 24;
    // Among them 256 differences of near rows, in single precision.
    const VECTORS: usize = 170 + COMPARED_EXEMPLARS;
    let rows = set.exemplars() + set.counter_exemplars() + set.negatives();
    let vectors = VECTORS.saturating_add(2 * query.vectors().count()).saturating_mul(set.dimensions());
    rows.saturating_mul(NUMBERS_OF_A_ROW).saturating_add(vectors).saturating_mul(size_of::<f64>())
}

struct Fitted {
    problem: Problem,
    fit: Fit,
}

fn fit(set: TrainingSet, query: &Query, params: Params) -> Result<Fitted, Error> {
    memory::probe(bytes_beside_rows(&set, query))?;
    let problem = Problem::new(set, query, params, &mut check_interrupts)?;
    let fit = exemplar_svm::fit(&problem, &mut check_interrupts)?;
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
