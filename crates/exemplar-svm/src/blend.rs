//! What is added to the solution where much is believed to be wanted.
//!
//! ```text
//! w <- w + beta e        e = x' + g q        beta = 2 rho / K  std(z.w) / std(z.e)
//! ```
//!
//! `x'` is the exemplars' normalised mean, `q` the hint, `rho` the belief, K the exemplars' weight. Where half of the
//! table is wanted, hardly any row is safely a negative, and the plain sum `e` is hard to beat. The more exemplars there are,
//! the less is left for it to add.

use crate::background::Background;
use crate::problem::Problem;
use crate::solver::{Fit, unit};
use crate::{bias, kernel, objective};

/// The share of the sum's scores beside the solution's, for full belief and one exemplar.
const STRENGTH: f64 = 2.0;

/// The sum of exemplar and hint, and how much of it is added.
#[derive(Debug, Clone)]
pub(crate) struct Blend {
    e: Vec<f64>,
    /// `beta / std(z.w)`
    strength: f64,
}

impl Blend {
    /// Of the exemplars' mean and the hint with its trust; `belief` is that of one exemplar of the same evidence.
    pub fn new(
        mean: &[f64],
        hint: Option<(&[f64], f64)>,
        belief: f64,
        background: &mut Background,
    ) -> Option<Self> {
        let length = kernel::inner(mean, mean).sqrt();
        let mut e: Vec<f64> = mean.iter().map(|x| x / length.max(f64::MIN_POSITIVE)).collect();
        if let Some((q, g)) = hint {
            kernel::add_scaled(&mut e, g, q);
        }
        let scores = background.scores(&e, &mut []);
        let strength = STRENGTH * belief / background.deviation(&scores);
        (strength > 0.0).then_some(Blend { e, strength })
    }
}

impl Blend {
    /// `fit` with the sum added, at the bias that is best for it. Reads the rows twice.
    pub fn apply(&self, problem: &Problem, fit: Fit, interrupt: &mut dyn FnMut()) -> Fit {
        let values = problem.set.values();
        let scores = objective::scores(values, &fit.w, interrupt);
        let examples = scores.len() - problem.set.negatives();
        let (negatives, weights) = (&scores[examples..], &problem.weights[examples..]);
        let total: f64 = weights.iter().sum();
        let mean = kernel::inner(negatives, weights) / total;
        let centred: Vec<f64> = negatives.iter().map(|score| score - mean).collect();
        let deviation = (kernel::inner_weighted(&centred, &centred, weights) / total).sqrt();
        let mut w = fit.w.clone();
        kernel::add_scaled(&mut w, self.strength * deviation, &self.e);
        let scores = objective::scores(values, &w, interrupt);
        let b = bias::best(problem, &scores, fit.b);
        Fit { weights: unit(&w), w, b, passes: fit.passes + 2, ..fit }
    }
}
