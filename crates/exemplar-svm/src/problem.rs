//! One fit's problem: rows, weights, pulls and parameters, checked.

use std::str::FromStr;

use crate::error::FitError;
use crate::kernel;
use crate::loss::Loss;
use crate::prior::{self, Prior};
use crate::query::Query;
use crate::text::Texts;
use crate::training::TrainingSet;

/// Which J is minimised.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Form {
    /// Size and hint measured in the background's own spread, a convex J: see [`prior`](super::prior).
    #[default]
    Adaptive,
    /// The constants published for CLIP in 2024: lambda 1 and `1000 (1 - cos(w, q))`, whatever the embedding space.
    Cosine,
}

impl Form {
    /// Names that [`Form::from_str`] knows.
    pub const NAMES: &str = "'adaptive' or 'cosine'";
}

impl FromStr for Form {
    type Err = ();

    fn from_str(name: &str) -> Result<Self, ()> {
        match name {
            "adaptive" => Ok(Form::Adaptive),
            "cosine" => Ok(Form::Cosine),
            _ => Err(()),
        }
    }
}

/// The weight of `1 - cos(w, q)`.
const PUBLISHED_LAMBDA_Q: f64 = 1000.0;

/// The weight of counter-hints beside that of the hint, for the cosine form.
const COUNTER_HINT_SHARE: f64 = 0.2;

/// What a counter-exemplar weighs beside an exemplar, for the adaptive form.
const COUNTER_EXEMPLAR_SHARE: f64 = 0.05;

/// The parameters of a fit.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Params {
    /// Weight of the size term, 1e-12 to 1e12, in units of the form's own. Larger values keep `w` nearer to the hint,
    /// or without a hint to the difference of the means.
    pub lambda: f64,
    /// Weight of the hint, 0 to 1e12, in units of the form's own. Larger values pull `w` towards the hint;
    /// 0 ignores it.
    pub hint_weight: f64,
    /// Weight of counter-hints and reasons, 0 to 1e12. Larger values push `w` away from them; 0 ignores them.
    pub counter_hint_weight: f64,
    /// How much of the neutral direction is removed from each text, 0 (nothing) to 1 (all).
    pub neutral_fraction: f64,
    /// The share of the rows searched that is wanted, above 0 and below 1; `None` where it is not known.
    pub expected_share: Option<f64>,
    pub loss: Loss,
    pub form: Form,
    /// The fit has converged when the length of the gradient of J is at most `tol` times the total
    /// weight of the rows. 1e-12 to 1e12.
    pub tol: f64,
    /// Most Newton steps, >= 1.
    pub max_iter: usize,
}

impl Default for Params {
    fn default() -> Self {
        Params {
            lambda: 1.0,
            hint_weight: 1.0,
            counter_hint_weight: 1.0,
            neutral_fraction: 0.5,
            expected_share: None,
            loss: Loss::default(),
            form: Form::default(),
            tol: 1e-6,
            max_iter: 100,
        }
    }
}

impl Params {
    /// # Errors
    /// [`FitError::InvalidParameter`] for the first parameter outside its range.
    pub fn check(&self) -> Result<(), FitError> {
        let invalid = |name, value, range| Err(FitError::InvalidParameter { name, value, range });
        // Wider than any use, and far from where products of them overflow or vanish.
        for (name, value) in [("lambda", self.lambda), ("tol", self.tol)] {
            if !(1e-12..=1e12).contains(&value) {
                return invalid(name, value, "between 1e-12 and 1e12");
            }
        }
        for (name, value) in
            [("hint_weight", self.hint_weight), ("counter_hint_weight", self.counter_hint_weight)]
        {
            if !(0.0..=1e12).contains(&value) {
                return invalid(name, value, "between 0 and 1e12");
            }
        }
        if !(0.0..=1.0).contains(&self.neutral_fraction) {
            return invalid("neutral_fraction", self.neutral_fraction, "between 0 and 1");
        }
        if let Some(share) = self.expected_share.filter(|share| !(*share > 0.0 && *share < 1.0)) {
            return invalid("expected_share", share, "greater than 0 and less than 1");
        }
        if self.max_iter < 1 {
            return invalid("max_iter", self.max_iter as f64, "1 or greater");
        }
        Ok(())
    }
}

/// The term `weight (1 - cos(w, direction))`.
#[derive(Debug, Clone)]
pub(crate) struct CosineTerm {
    pub direction: Vec<f64>,
    pub weight: f64,
}

/// A problem that has a solution: exemplars and negatives, or texts alone.
#[derive(Debug)]
pub struct Problem {
    pub(crate) set: TrainingSet,
    /// `s_i`.
    pub(crate) weights: Vec<f64>,
    /// How far inside its margin a counter-exemplar may lie at no cost: it need only be on its side.
    slack: f64,
    /// Of the size term `lambda/2 |w - w0|^2`.
    pub(crate) lambda: f64,
    pub(crate) prior: Option<Prior>,
    /// `w` where there is nothing to fit.
    pub(crate) given: Option<Vec<f64>>,
    pub(crate) cosine: Option<CosineTerm>,
    pub(crate) params: Params,
    texts: Texts,
}

impl Problem {
    /// Combines a training set with the texts of the `query` that it was started with, under `params`;
    /// reads the rows a few times to weigh a hint and calls `interrupt` meanwhile, which may unwind.
    ///
    /// # Errors
    /// Every [`FitError`] but those that [`TrainingSet`] and [`Query`] report.
    pub fn new(
        mut set: TrainingSet,
        query: &Query,
        params: Params,
        interrupt: &mut dyn FnMut(),
    ) -> Result<Self, FitError> {
        params.check()?;
        let texts = Texts::of(query, set.expected_dimensions(), params.neutral_fraction)?;
        if set.negatives() == 0 {
            set.counter_exemplars_as_negatives();
        }
        let mut problem = Problem {
            set,
            weights: Vec::new(),
            slack: 0.0,
            lambda: params.lambda,
            prior: None,
            given: None,
            cosine: None,
            params,
            texts,
        };
        if problem.set.exemplars() == 0 {
            problem.search_without_exemplars(interrupt)?;
        } else if problem.set.negatives() == 0 {
            problem.given = Some(prior::without_negatives(&problem.set, &problem.texts, params.hint_weight));
        } else {
            match params.form {
                Form::Adaptive => problem.adapt(interrupt),
                Form::Cosine => problem.publish(),
            }
        }
        Ok(problem)
    }

    fn search_without_exemplars(&mut self, interrupt: &mut dyn FnMut()) -> Result<(), FitError> {
        let q = self.texts.hint.as_ref().ok_or(FitError::NothingWanted)?;
        self.given = Some(prior::without_exemplars(&self.set, q, &self.texts, &self.params, interrupt));
        Ok(())
    }

    fn adapt(&mut self, interrupt: &mut dyn FnMut()) {
        let prior = prior::prior(&self.set, &self.texts, &self.params, interrupt);
        self.weights = self.balanced_weights(Some(COUNTER_EXEMPLAR_SHARE), Some(&prior.weights));
        self.slack = 1.0;
        let half: f64 = self.weights[..self.set.exemplars()].iter().sum();
        self.lambda = self.params.lambda * prior.lambda * half;
        self.prior = Some(prior);
    }

    fn publish(&mut self) {
        self.weights = self.balanced_weights(None, None);
        let (hint_weight, counter_weight) = (self.params.hint_weight, self.params.counter_hint_weight);
        let mut direction = vec![0.0; self.set.dimensions()];
        if let Some(q) = &self.texts.hint {
            kernel::add_scaled(&mut direction, PUBLISHED_LAMBDA_Q * hint_weight, q);
        }
        let unwanted = self.texts.unwanted().count() as f64;
        for r in self.texts.unwanted() {
            let along = self.texts.hint.as_ref().map_or(0.0, |q| kernel::inner(q, r));
            let share = COUNTER_HINT_SHARE * PUBLISHED_LAMBDA_Q * counter_weight / unwanted;
            kernel::add_scaled(&mut direction, -share, r);
            if let Some(q) = &self.texts.hint {
                kernel::add_scaled(&mut direction, share * along, q);
            }
        }
        // A sum of cosines with several directions is one cosine with their weighted sum, but for a constant.
        let weight = kernel::inner(&direction, &direction).sqrt();
        if weight > 0.0 {
            direction.iter_mut().for_each(|v| *v /= weight);
            self.cosine = Some(CosineTerm { direction, weight });
        }
    }

    /// The balanced weights `s_i`, in the order of the rows and with the number of rows as their sum:
    /// exemplars carry one half, the others the other. With a share, a counter-exemplar carries that share
    /// of an exemplar's weight beside the negatives; without, it is one of them.
    fn balanced_weights(&self, counter_share: Option<f64>, negative_weights: Option<&[f64]>) -> Vec<f64> {
        let (positive, counter) = (self.set.exemplar_weights(), self.set.counter_exemplar_weights());
        let (positive_sum, counter_sum) = (positive.iter().sum::<f64>(), counter.iter().sum::<f64>());
        let negatives = self.set.negatives() as f64;
        let half = (positive_sum + negatives + if counter_share.is_some() { 0.0 } else { counter_sum }) / 2.0;
        let weighted: f64 = negative_weights.map_or(negatives, |v| v.iter().sum());
        let negative_sum = if counter_share.is_some() { weighted } else { weighted + counter_sum };
        let counter_scale = half * counter_share.map_or(1.0 / negative_sum, |share| share / positive_sum);
        let positive = positive.iter().map(|weight| weight * half / positive_sum);
        let counter = counter.iter().map(|weight| weight * counter_scale);
        let negative =
            (0..self.set.negatives()).map(|i| negative_weights.map_or(1.0, |v| v[i]) * half / negative_sum);
        positive.chain(counter).chain(negative).collect()
    }

    /// `y_i`: +1 for an exemplar, -1 for the others.
    #[inline]
    fn label(&self, row: usize) -> f64 {
        if row < self.set.exemplars() { 1.0 } else { -1.0 }
    }

    /// Loss of row `i` at score `w.x_i + b` and its first two derivatives by that score, weighted.
    #[inline]
    pub(crate) fn loss(&self, i: usize, score: f64) -> (f64, f64, f64) {
        let (y, s) = (self.label(i), self.weights[i]);
        let counter = i.wrapping_sub(self.set.exemplars()) < self.set.counter_exemplars();
        let slack = if counter { self.slack } else { 0.0 };
        let (value, first, second) = self.params.loss.at(y * score + slack);
        (s * value, s * y * first, s * second)
    }

    /// How many rows, the first ones, have a loss that is not a negative's squared hinge: that is the square of what a score is above -1.
    pub(crate) fn with_loss_of_their_own(&self) -> usize {
        match self.params.loss {
            Loss::SquaredHinge => self.weights.len() - self.set.negatives(),
            Loss::Logistic => self.weights.len(),
        }
    }

    /// The first two derivatives of all rows' loss by the bias, at the scores `z_i + b`.
    pub(crate) fn slope(&self, scores: &[f64], b: f64) -> (f64, f64) {
        let (mut slope, mut curvature) = (0.0, 0.0);
        let examples = self.with_loss_of_their_own();
        for (i, z) in scores[..examples].iter().enumerate() {
            let (_, first, second) = self.loss(i, z + b);
            slope += first;
            curvature += second;
        }
        let (excess, weight) = kernel::excess(&scores[examples..], &self.weights[examples..], -1.0 - b);
        slope += excess;
        curvature += weight;
        (slope, curvature)
    }

    /// Where the size term is 0; `None` for the origin.
    pub(crate) fn w0(&self) -> Option<&[f64]> {
        self.prior.as_ref()?.w0.as_deref()
    }

    /// The rows of the fit, which ends here.
    pub fn into_set(self) -> TrainingSet {
        self.set
    }

    /// The rows of the fit.
    pub fn set(&self) -> &TrainingSet {
        &self.set
    }

    /// The unit direction of the hint, if there is one.
    pub fn hint(&self) -> Option<&[f64]> {
        self.texts.hint.as_deref()
    }

    /// The unit directions of the counter-hints.
    pub fn counter_hints(&self) -> &[Vec<f64>] {
        &self.texts.counter_hints
    }

    /// How many standard deviations of the background the exemplars stand out under the hint, the background without rows
    /// that look wanted: 2 to 7 for good hints, below 1 for wrong ones.
    pub fn hint_z(&self) -> Option<f64> {
        self.prior.as_ref()?.hint_z
    }

    /// How far the hint is trusted, from 0.05 to 1, if there are exemplars too.
    pub fn hint_trust(&self) -> Option<f64> {
        self.prior.as_ref()?.hint_trust
    }

    /// The share of the background that is believed to be wanted, from 0 to 1; the expected share where that is given.
    pub fn wanted_share(&self) -> Option<f64> {
        self.prior.as_ref().map(|prior| prior.wanted_share)
    }
}
