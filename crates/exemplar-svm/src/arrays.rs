//! The fit on ndarray's views: all that is asked for and the negatives as arrays.

use ndarray::{ArrayView1, ArrayView2};

use crate::error::FitError;
use crate::problem::{Params, Problem};
use crate::query::{Dimensions, Example, Input, InputVector, Query};
use crate::report::Report;
use crate::solver::{Fit, fit};
use crate::training::{Offered, TrainingSet};

/// What is asked for, each matrix of shape (rows, d) and in standard layout, every part optional.
#[derive(Debug, Clone, Default)]
pub struct Arrays<'a> {
    /// Rows like those that are wanted.
    pub exemplars: Option<ArrayView2<'a, f32>>,
    /// How much each of them counts, all 1 by default; 2 as if given twice, 0 as if left out.
    pub exemplar_weights: Option<ArrayView1<'a, f64>>,
    /// Rows that are not wanted.
    pub counter_exemplars: Option<ArrayView2<'a, f32>>,
    /// How much each of them counts.
    pub counter_exemplar_weights: Option<ArrayView1<'a, f64>>,
    /// For each counter-exemplar the text of why it is not wanted, or none; empty for none at all.
    pub reasons: Vec<Option<ArrayView1<'a, f32>>>,
    /// Texts of what is wanted.
    pub hints: Option<ArrayView2<'a, f32>>,
    /// Texts of what is not wanted.
    pub counter_hints: Option<ArrayView2<'a, f32>>,
    /// Texts that say nothing.
    pub neutral_hints: Option<ArrayView2<'a, f32>>,
}

/// A fit and what it made of its input.
#[derive(Debug, Clone)]
pub struct Explained {
    pub fit: Fit,
    pub report: Report,
    /// For each row of `negatives`, whether it is one in the fit: zero rows and examples are not.
    pub is_negative: Vec<bool>,
}

/// Fits what is asked for against `negatives`, of shape (n, d); `interrupt` is called meanwhile and may unwind.
///
/// # Errors
/// See [`FitError`].
pub fn fit_arrays(
    asked: &Arrays,
    negatives: ArrayView2<f32>,
    params: Params,
    interrupt: &mut dyn FnMut(),
) -> Result<Explained, FitError> {
    params.check()?;
    let query = asked.query()?;
    if query.exemplars.is_empty() && query.hints.is_empty() {
        return Err(FitError::NothingWanted);
    }
    let first = query.vectors().next().ok_or(FitError::NothingWanted)?;
    let dimensions = Dimensions { count: first.values.len(), reference: first.input };
    for vector in query.vectors() {
        dimensions.check(vector.values.len(), vector.input)?;
    }
    let mut set = TrainingSet::new(dimensions, &query)?;
    set.reserve(negatives.nrows())?;
    let mut is_negative = Vec::with_capacity(negatives.nrows());
    for row in vectors(Some(negatives), Input::Negative)? {
        let offered = set.offer_negative(row.values, is_negative.len())?;
        is_negative.push(offered == Offered::Kept);
        interrupt();
    }
    let problem = Problem::new(set, &query, params, interrupt)?;
    let fit = fit(&problem, interrupt)?;
    let mut report = Report::of(&problem, &fit, interrupt);
    report.conflicts.iter_mut().for_each(|conflict| *conflict = conflict.as_given(&query));
    Ok(Explained { fit, report, is_negative })
}

impl<'a> Arrays<'a> {
    /// The same as a [`Query`].
    ///
    /// # Errors
    /// [`FitError::NotContiguous`], [`FitError::LengthsDiffer`] and [`FitError::InvalidWeight`].
    pub fn query(&self) -> Result<Query<'a>, FitError> {
        let counters = vectors(self.counter_exemplars, Input::CounterExemplar)?;
        let mut reasons = vec![None; counters.len()];
        if !self.reasons.is_empty() {
            check_length(self.reasons.len(), counters.len(), Input::Reason(0))?;
            for (i, reason) in self.reasons.iter().enumerate() {
                reasons[i] = reason.map(|reason| vector(reason, Input::Reason(i))).transpose()?;
            }
        }
        let exemplars = vectors(self.exemplars, Input::Exemplar)?;
        let exemplars = weighted(exemplars, self.exemplar_weights, Input::Exemplar(0))?;
        let mut counters = weighted(counters, self.counter_exemplar_weights, Input::CounterExemplar(0))?;
        for (counter, reason) in counters.iter_mut().zip(reasons) {
            counter.reason = reason;
        }
        let query = Query {
            exemplars,
            counter_exemplars: counters,
            hints: vectors(self.hints, Input::Hint)?,
            counter_hints: vectors(self.counter_hints, Input::CounterHint)?,
            neutral_hints: vectors(self.neutral_hints, Input::NeutralHint)?,
        };
        query.without_weightless()
    }
}

fn vector(row: ArrayView1<'_, f32>, input: Input) -> Result<InputVector<'_>, FitError> {
    let values = row.to_slice().ok_or(FitError::NotContiguous { input })?;
    Ok(InputVector { input, values })
}

fn vectors<'a>(
    rows: Option<ArrayView2<'a, f32>>,
    input: impl Fn(usize) -> Input,
) -> Result<Vec<InputVector<'a>>, FitError> {
    let Some(rows) = rows else { return Ok(Vec::new()) };
    let values = rows.to_slice().ok_or(FitError::NotContiguous { input: input(0) })?;
    let rows = values.chunks_exact(rows.ncols().max(1)).enumerate();
    Ok(rows.map(|(i, values)| InputVector { input: input(i), values }).collect())
}

fn weighted<'a>(
    vectors: Vec<InputVector<'a>>,
    weights: Option<ArrayView1<'_, f64>>,
    of: Input,
) -> Result<Vec<Example<'a>>, FitError> {
    let mut examples: Vec<Example> = vectors.into_iter().map(Example::from).collect();
    if let Some(weights) = weights {
        check_length(weights.len(), examples.len(), of)?;
        examples.iter_mut().zip(weights).for_each(|(example, &weight)| example.weight = weight);
    }
    Ok(examples)
}

fn check_length(found: usize, expected: usize, of: Input) -> Result<(), FitError> {
    if found == expected { Ok(()) } else { Err(FitError::LengthsDiffer { of, found, expected }) }
}

#[cfg(test)]
mod tests {
    use ndarray::{Array2, array, aview1};

    use super::*;
    use crate::report::Conflict;

    fn negatives() -> Array2<f32> {
        Array2::from_shape_fn((40, 3), |(i, j)| ((i * 7 + j * 3) as f32 * 0.61).sin() + 0.2)
    }

    #[test]
    fn arrays_and_rows_one_by_one_give_the_same_bits() {
        let (x, q) = (array![[1.0f32, 0.2, 0.1]], array![[0.8f32, 0.5, 0.0]]);
        let arrays = Arrays { exemplars: Some(x.view()), hints: Some(q.view()), ..Arrays::default() };
        let mut rows = negatives();
        rows.row_mut(3).assign(&x.row(0));
        rows.row_mut(5).fill(0.0);
        let explained = fit_arrays(&arrays, rows.view(), Params::default(), &mut || ()).unwrap();
        assert_eq!(explained.is_negative.iter().filter(|kept| !**kept).count(), 2);

        let query = arrays.query().unwrap();
        let dimensions = Dimensions { count: 3, reference: Input::Exemplar(0) };
        let mut set = TrainingSet::new(dimensions, &query).unwrap();
        for (i, row) in rows.rows().into_iter().enumerate() {
            set.offer_negative(row.as_slice().unwrap(), i).unwrap();
        }
        let problem = Problem::new(set, &query, Params::default(), &mut || ()).unwrap();
        assert_eq!(fit(&problem, &mut || ()).unwrap().weights, explained.fit.weights);
    }

    #[test]
    fn conflicts_count_what_has_no_weight() {
        let x = array![[1.0f32, 0.2, 0.1], [-0.5, 0.9, 0.0], [-1.0, -0.3, -0.2]];
        let weights = [1.0, 0.0, 1.0];
        let arrays = Arrays {
            exemplars: Some(x.view()),
            exemplar_weights: Some(aview1(&weights)),
            ..Arrays::default()
        };
        let explained = fit_arrays(&arrays, negatives().view(), Params::default(), &mut || ()).unwrap();
        assert_eq!(explained.report.conflicts, [Conflict::Exemplars(0, 2)]);
    }

    #[test]
    fn what_is_wrong_is_named() {
        let x = array![[1.0f32, 0.2, 0.1], [0.1, 0.2, 0.3]];
        let fits = |arrays: &Arrays| {
            fit_arrays(arrays, negatives().view(), Params::default(), &mut || ()).map(|_| ()).unwrap_err()
        };
        assert_eq!(fits(&Arrays::default()), FitError::NothingWanted);
        let weights = [1.0, 2.0, 3.0];
        let arrays = Arrays {
            exemplars: Some(x.view()),
            exemplar_weights: Some(aview1(&weights)),
            ..Arrays::default()
        };
        let of = Input::Exemplar(0);
        assert_eq!(fits(&arrays), FitError::LengthsDiffer { of, found: 3, expected: 2 });
        let turned = x.t();
        let arrays = Arrays { exemplars: Some(turned.view()), ..Arrays::default() };
        assert_eq!(fits(&arrays), FitError::NotContiguous { input: Input::Exemplar(0) });
    }
}
