//! From where J is least to what ranks: near rows are made to score alike, and where much is believed to be wanted, a sum is added.
//!
//! ```text
//! w <- w + beta e        e = x' + g q        beta = 4 rho m / K  std(z.w) / std(z.e)
//! x' = ((1 - conf) x / |x| + conf xc / |xc| + (x - mu) / |x - mu|) / 2
//! ```
//!
//! `x` is the exemplars' mean, `mu` that of the rows that do not look wanted, `xc` the difference with
//! [what stands in for exemplars](crate::cleared), `q` the hint and `g` its trust, `rho` the belief, K the exemplars' weight, `conf` how
//! far exemplars and hint [confirm](crate::share::confirmed) each other, and `m = conf + (1 - conf) min(1, 2 rho)`. Where half of the
//! table is wanted, hardly any row is safely a negative, and a plain sum is hard to beat. The more exemplars there are, the less is
//! left for it to add. What all rows have in common helps a little where half is wanted and hurts where belief is mistaken, so half
//! of `x'` is without it.
//!
//! Of a share `p` that is given `rho` is `10 p^1.5`, and beta falls only with that; what looks wanted is known to be, so that `x'` is
//! `xc / |xc|` then.

use crate::background::{Background, Direction};
use crate::cleared::Asked;
use crate::near_rows::NearRows;
use crate::prior::Prior;
use crate::problem::Problem;
use crate::solver::{Fit, unit};
use crate::view::View;
use crate::{kernel, objective, text};

/// The share of the sum's scores beside the solution's, for full belief and one exemplar.
const STRENGTH: f64 = 4.0;

/// The sum of exemplar and hint, and how much of it is added.
#[derive(Debug, Clone)]
pub(crate) struct Blend {
    e: Vec<f64>,
    /// `x.e` of the negatives.
    along_e: Vec<f64>,
    /// `beta / std(z.w)`
    strength: f64,
}

impl Blend {
    /// Of the exemplars as they are asked with and as they are seen, and the hint with its trust; `belief` is that of one exemplar
    /// of the same evidence, `confirmed` how far exemplars and hint confirm each other.
    pub fn new(
        asked: &Asked,
        view: &View,
        hint: Option<(&Direction, f64)>,
        belief: f64,
        confirmed: f64,
        background: &mut Background,
    ) -> Self {
        let direction = |v: Vec<f64>| text::unit(v).unwrap_or_else(|| vec![0.0; background.dimensions()]);
        let mut e = direction(view.xc.clone());
        if asked.expected_share.is_none() {
            let alone =
                direction(asked.mean.clone()).into_iter().zip(direction(background.centred(&asked.mean)));
            for (v, (plain, centred)) in e.iter_mut().zip(alone) {
                *v = ((1.0 - confirmed) * plain + confirmed * *v + centred) / 2.0;
            }
        }
        if let Some((hint, g)) = hint {
            kernel::add_scaled(&mut e, g, &hint.v);
        }
        let scores = background.scores(&e);
        let strength = STRENGTH * belief / background.deviation(&scores);
        let along_e = background.uncentred(&scores, &e);
        Blend { e, along_e, strength }
    }

    /// Adds the sum to a `w` and its scores over the background, which have this standard deviation.
    fn add(&self, w: &mut [f64], scores: &mut [f64], deviation: f64) {
        kernel::add_scaled(w, self.strength * deviation, &self.e);
        kernel::add_scaled(scores, self.strength * deviation, &self.along_e);
    }
}

/// What ranks, from where J is least: that smoothed, with the sum added; and the negatives' scores `w.x`, for which they are read
/// once. The bias is left as it was.
pub(crate) fn finished(
    problem: &Problem,
    prior: &Prior,
    fit: Fit,
    interrupt: &mut dyn FnMut(),
) -> (Fit, Vec<f64>) {
    let mut w = match problem.set.near_rows(interrupt) {
        Some(near) => smoothed(near, &fit.w, &prior.known.xc),
        None => fit.w.clone(),
    };
    let mut scores = objective::scores(problem.set.negative_values(), &w, interrupt);
    if let Some(blend) = &prior.blend {
        let deviation = background_deviation(problem, &scores);
        blend.add(&mut w, &mut scores, deviation);
    }
    (Fit { weights: unit(&w), w, passes: fit.passes + 1, ..fit }, scores)
}

/// `w` smoothed, and scaled so that the exemplars stand out from the background's mean as they did.
fn smoothed(near: &NearRows, w: &[f64], xc: &[f64]) -> Vec<f64> {
    let mut smooth = near.smoothed(w);
    let scale = kernel::inner(xc, w) / kernel::inner(xc, &smooth);
    if scale > 0.0 && scale.is_finite() {
        smooth.iter_mut().for_each(|v| *v *= scale);
    }
    smooth
}

/// The standard deviation of the negatives' scores, weighted as in J.
fn background_deviation(problem: &Problem, scores: &[f64]) -> f64 {
    let weights = &problem.weights[problem.weights.len() - scores.len()..];
    let total: f64 = weights.iter().sum();
    let mean = kernel::inner(scores, weights) / total;
    let centred: Vec<f64> = scores.iter().map(|score| score - mean).collect();
    (kernel::inner_weighted(&centred, &centred, weights) / total).sqrt()
}
