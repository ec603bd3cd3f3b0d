//! One fit's problem: rows, weights, hint and parameters, checked.

use super::error::FitError;
use super::hint::{self, HintScores};
use super::training::{Named, TrainingSet};

/// The parameters of a fit.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Params {
    /// Weight of the size term, > 0. Larger values keep `w` short, which lets more rows inside the
    /// margin and pulls `w` towards the difference of the means.
    pub lambda: f64,
    /// Weight of the hint, >= 0, in units of the inverse variance of the hint's scores, so that one
    /// value serves every embedding space. Larger values pull `w` towards the hint; 0 ignores it.
    pub hint_weight: f64,
    /// The fit has converged when the length of the gradient of J is at most `tol` times the total
    /// weight of the rows. > 0.
    pub tol: f64,
    /// Most Newton steps, >= 1.
    pub max_iter: usize,
}

impl Default for Params {
    fn default() -> Self {
        Params { lambda: 1.0, hint_weight: 2.0, tol: 1e-6, max_iter: 100 }
    }
}

impl Params {
    /// # Errors
    /// [`FitError::InvalidParameter`] for the first parameter outside its range.
    pub fn check(&self) -> Result<(), FitError> {
        let invalid = |name, value, range| Err(FitError::InvalidParameter { name, value, range });
        if !(self.lambda.is_finite() && self.lambda > 0.0) {
            return invalid("lambda", self.lambda, "a finite number greater than 0");
        }
        if !(self.hint_weight.is_finite() && self.hint_weight >= 0.0) {
            return invalid("hint_weight", self.hint_weight, "a finite number, 0 or greater");
        }
        if !(self.tol.is_finite() && self.tol > 0.0) {
            return invalid("tol", self.tol, "a finite number greater than 0");
        }
        if self.max_iter < 1 {
            return invalid("max_iter", self.max_iter as f64, "1 or greater");
        }
        Ok(())
    }
}

/// The hint term of J: the unit direction `q` and its weight `lambda_q`.
#[derive(Debug, Clone)]
pub struct HintTerm {
    pub q: Vec<f64>,
    pub lambda_q: f64,
}

/// A problem that has a solution: exemplars and negatives, or a hint alone.
#[derive(Debug, Clone)]
pub struct Problem {
    pub(super) set: TrainingSet,
    pub(super) weights: Vec<f64>,
    pub(super) hint: Option<HintTerm>,
    pub(super) params: Params,
}

impl Problem {
    /// Combines a training set with hints, each of length d, under `params`; reads the rows once to weigh
    /// a hint and calls `interrupt` meanwhile, which may unwind.
    ///
    /// # Errors
    /// Every [`FitError`] but those that [`TrainingSet`] reports.
    pub fn new(
        set: TrainingSet,
        hints: &[Named],
        params: Params,
        interrupt: &mut dyn FnMut(),
    ) -> Result<Self, FitError> {
        params.check()?;
        let q = hint::direction(set.expected_dimensions(), hints)?;
        if set.exemplars() == 0 {
            let q = q.ok_or(FitError::NothingWanted)?;
            let hint = Some(HintTerm { q, lambda_q: 0.0 });
            return Ok(Problem { weights: Vec::new(), set, hint, params });
        }
        if set.negatives() == 0 {
            return Err(FitError::NoNegatives);
        }
        let hint = q.filter(|_| params.hint_weight > 0.0).map(|q| {
            let lambda_q = HintScores::of(&q, &set, interrupt).lambda_q(params.hint_weight);
            HintTerm { q, lambda_q }
        });
        Ok(Problem { weights: set.balanced_weights(), set, hint, params })
    }

    /// `y_i`: +1 for an exemplar, -1 for a negative.
    pub(super) fn label(&self, row: usize) -> f64 {
        if row < self.set.exemplars() { 1.0 } else { -1.0 }
    }

    /// `(z_i, y_i, s_i)` of each row, given its score.
    pub(super) fn labelled(&self, scores: &[f64]) -> impl Iterator<Item = (f64, f64, f64)> {
        scores.iter().zip(&self.weights).enumerate().map(|(i, (&z, &s))| (z, self.label(i), s))
    }

    /// The rows of the fit.
    pub fn set(&self) -> &TrainingSet {
        &self.set
    }

    /// The hint term, if the fit has one.
    pub fn hint(&self) -> Option<&HintTerm> {
        self.hint.as_ref()
    }
}
