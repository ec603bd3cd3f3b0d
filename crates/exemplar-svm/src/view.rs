//! The exemplars and the hint as they stand out from a background, and how far the hint is trusted.

use crate::background::{Background, Direction, Scores};
use crate::kernel;

/// Least trust in a hint.
const LEAST_TRUST: f64 = 0.05;

/// What trust goes by: see [`trust`].
const BY_Z: f64 = 1.4;
const BY_SPREAD: f64 = 1.1;
const BY_CORRELATION: f64 = -4.6;
const OFFSET: f64 = -0.9;

/// The exemplars seen from the mean of a background's rows.
pub(crate) struct View {
    /// The exemplars' mean.
    pub xc: Vec<f64>,
    /// `|xc|^2`.
    pub square: f64,
    pub along_xc: Scores,
    /// The standard deviation of the scores along `xc`.
    pub deviation: f64,
    pub hint: Option<HintView>,
}

/// A hint as the background's rows and the exemplars score under it.
pub(crate) struct HintView {
    /// How far the exemplars stand out, in standard deviations.
    pub z: f64,
    pub trust: f64,
    /// Trust times the hint's weight.
    pub g: f64,
    /// The standard deviation of the background's scores.
    pub deviation: f64,
}

impl View {
    /// `mean` is the exemplars' mean; the hint, if its weight is given, the first of `directions`.
    pub fn of(
        mean: &[f64],
        background: &mut Background,
        directions: &mut [Direction],
        hint_weight: Option<f64>,
    ) -> Self {
        let xc = background.centred(mean);
        let square = kernel::inner(&xc, &xc).max(f64::MIN_POSITIVE);
        let along_xc = background.scores(&xc, directions);
        let deviation = background.deviation(&along_xc);
        let hint = directions.first().zip(hint_weight).map(|(hint, weight)| {
            let spread = background.deviation(&hint.scores);
            let z = kernel::inner(&xc, &hint.v) / spread;
            let relative = spread * square.sqrt() / deviation;
            let correlation = background.covariance(&hint.scores, &along_xc) / (spread * deviation);
            let trust = trust(z, relative, correlation);
            HintView { z, trust, g: weight * trust, deviation: spread }
        });
        View { xc, square, along_xc, deviation, hint }
    }

    /// How much each row looks wanted, its scores along the exemplars and, as far as it is trusted, along the hint, both in
    /// standard deviations; and the same of the exemplars themselves.
    pub fn looks(&self, directions: &[Direction]) -> (Vec<f64>, f64) {
        let mut looks = self.along_xc.scaled(1.0 / self.deviation);
        let mut own = self.square / self.deviation;
        if let Some(hint) = &self.hint {
            looks.add_scaled(hint.g / hint.deviation, &directions[0].scores);
            own += hint.g * hint.z;
        }
        (looks.0, own)
    }
}

/// Trust in a hint, from 0.05 to 1: `0.05 + 0.95 sigmoid(1.4 z + 1.1 ln r - 4.6 c - 0.9)`.
///
/// * `z`: standard deviations that the exemplars stand out under the hint. One that does not know its own exemplars is wrong.
/// * `r`: the spread of the rows' scores under the hint, of that along the exemplars' direction. About 1 where texts and
///   rows are of one kind, 0.3 for texts beside images, less for a text that has nothing to say about these rows.
/// * `c`: the correlation of the rows' scores under the hint and along the exemplars. Under a hint of which all that is
///   like the exemplars has something, they stand out for that alone.
pub(crate) fn trust(z: f64, r: f64, c: f64) -> f64 {
    let reliable = BY_Z * z + BY_SPREAD * r.max(f64::MIN_POSITIVE).ln() + BY_CORRELATION * c + OFFSET;
    LEAST_TRUST + (1.0 - LEAST_TRUST) * sigmoid(reliable)
}

pub(crate) fn sigmoid(x: f64) -> f64 {
    1.0 / (1.0 + (-x).exp())
}
