//! Text hints: their direction, and how much they count in a given space.

use super::error::FitError;
use super::kernel;
use super::objective::scores;
use super::training::{Dimensions, Named, TrainingSet, norm};

/// The least variance of hint scores that is believed; below it all rows look alike to the hint.
const LEAST_VARIANCE: f64 = 1e-6;

/// The direction of one or more hints: the normalised mean of the normalised hints, of length d, or
/// `None` without hints.
///
/// # Errors
/// [`FitError::DifferentDimensions`] and [`FitError::ZeroVector`], naming the hint;
/// [`FitError::HintsCancel`] when the mean has no direction.
pub fn direction(dimensions: &Dimensions, hints: &[Named]) -> Result<Option<Vec<f64>>, FitError> {
    if hints.is_empty() {
        return Ok(None);
    }
    let mut mean = vec![0.0; dimensions.count];
    for hint in hints {
        dimensions.check(hint.values.len(), || hint.name.clone())?;
        let length = norm(hint.values);
        if length == 0.0 {
            return Err(FitError::ZeroVector { name: hint.name.clone() });
        }
        for (sum, &value) in mean.iter_mut().zip(hint.values) {
            *sum += f64::from(value) / length;
        }
    }
    let length = kernel::inner(&mean, &mean).sqrt();
    if length < 1e-6 * hints.len() as f64 {
        return Err(FitError::HintsCancel);
    }
    Ok(Some(mean.into_iter().map(|v| v / length).collect()))
}

/// What the scores `q.x` of a hint over a training set say about the hint.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct HintScores {
    /// Variance of `q.x` over the negatives: how widely this space spreads hint scores
    /// (about 0.0006 for CLIP text on images, 0.01 for sentence models).
    pub variance: f64,
    /// How many standard deviations the exemplars stand out from the negatives under the hint;
    /// 2.5 to 4.5 for good hints, below 1 for wrong ones.
    pub z: f64,
}

impl HintScores {
    /// Scores of the unit hint `q`, of length d, over `set`, which must have exemplars and negatives.
    pub fn of(q: &[f64], set: &TrainingSet, interrupt: &mut dyn FnMut()) -> Self {
        let scores = scores(set.values(), q, interrupt);
        let (exemplars, negatives) = scores.split_at(set.exemplars());
        let mean = mean(negatives);
        let variance =
            negatives.iter().map(|s| (s - mean) * (s - mean)).sum::<f64>() / negatives.len() as f64;
        let variance = variance.max(LEAST_VARIANCE);
        HintScores { variance, z: (self::mean(exemplars) - mean) / variance.sqrt() }
    }

    /// How far the hint is trusted: `clip(z / 3, 0.05, 1.5)`. A hint that does not recognise its own
    /// exemplars is a bad hint.
    pub fn reliability(&self) -> f64 {
        (self.z / 3.0).clamp(0.05, 1.5)
    }

    /// The weight of the hint term, `hint_weight * reliability / variance`.
    pub fn lambda_q(&self, hint_weight: f64) -> f64 {
        hint_weight * self.reliability() / self.variance
    }
}

fn mean(scores: &[f64]) -> f64 {
    scores.iter().sum::<f64>() / scores.len() as f64
}
