//! The exemplars and the hint as they stand out from a background, and how far the hint is trusted.

use crate::background::{Background, Direction, Scores};
use crate::kernel;
use crate::share::best;

/// Least trust in a hint.
const LEAST_TRUST: f64 = 0.05;

/// What trust goes by: see [`trust`].
const BY_Z: f64 = 0.45;
const BY_SPREAD: f64 = 1.45;
const BY_AGREEMENT: f64 = 1.3;
const BY_GENERIC: f64 = -1.0;
const OFFSET: f64 = -1.1;

/// So many standard deviations beyond the rows' mean a text is no more generic than many good ones.
const LEAST_GENERIC: f64 = 1.0;

/// How many of the rows that look most like the exemplars, and of those that fit the hint best, are compared: these parts of
/// all, in ascending order, but no fewer than so many.
const COMPARED: [usize; 3] = [50, 20, 10];
const LEAST_COMPARED: usize = 20;

/// A hint as it was given: its weight, its [`agreement`] with the exemplars, and how [`generic`] it is.
#[derive(Debug, Clone, Copy)]
pub(crate) struct HintGiven {
    pub weight: f64,
    pub agreement: f64,
    pub generic: f64,
}

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
    /// `mean` is the exemplars' mean; the hint, if there is one, the first of `directions`.
    pub fn of(
        mean: &[f64],
        background: &mut Background,
        directions: &[Direction],
        hint: Option<HintGiven>,
    ) -> Self {
        let xc = background.centred(mean);
        let square = kernel::inner(&xc, &xc).max(f64::MIN_POSITIVE);
        let along_xc = background.scores(&xc);
        let deviation = background.deviation(&along_xc);
        let hint =
            directions.first().zip(hint).map(|(direction, HintGiven { weight, agreement, generic })| {
                let spread = background.deviation(&direction.scores);
                let z = kernel::inner(&xc, &direction.v) / spread;
                let relative = spread * square.sqrt() / deviation;
                let trust = trust(z, relative, agreement, generic);
                HintView { z, trust, g: weight * trust, deviation: spread }
            });
        View { xc, square, along_xc, deviation, hint }
    }

    /// How much each row looks wanted, its scores along the exemplars and, as far as it is trusted, along the hint, both in
    /// standard deviations.
    pub fn looks(&self, directions: &[Direction]) -> Vec<f64> {
        let mut looks = self.along_xc.scaled(1.0 / self.deviation);
        if let Some(hint) = &self.hint {
            looks.add_scaled(hint.g / hint.deviation, &directions[0].scores);
        }
        looks.0
    }
}

/// Trust in a hint, from 0.05 to 1: `0.05 + 0.95 sigmoid(0.45 z + 1.45 ln r + 1.3 a - max(t - 1, 0) - 1.1)`.
///
/// * `z`: standard deviations that the exemplars stand out under the hint. One that does not know its own exemplars is wrong.
/// * `r`: the spread of the rows' scores under the hint, of that along the exemplars' direction. About 1 where texts and
///   rows are of one kind, 0.3 for texts beside images, less for a text that has nothing to say about these rows.
/// * `a`: the [`agreement`] of hint and exemplars.
/// * `t`: how [`generic`] the hint is.
pub(crate) fn trust(z: f64, r: f64, a: f64, t: f64) -> f64 {
    let reliable = BY_Z * z + BY_SPREAD * r.max(f64::MIN_POSITIVE).ln() + BY_AGREEMENT * a;
    let reliable = reliable + BY_GENERIC * (t - LEAST_GENERIC).max(0.0) + OFFSET;
    LEAST_TRUST + (1.0 - LEAST_TRUST) * sigmoid(reliable)
}

/// How far a text lies along the rows' mean beyond it, in standard deviations of the rows there: `(q.mu - |mu|^2) / std(x.mu)`.
/// One that lies farther along what all rows share than the rows do says little of which of them are wanted: 0 or less for most
/// good hints, 2 to 4 for the mean of many among texts, and far below 0 beside images.
pub(crate) fn generic(q: &[f64], background: &mut Background) -> f64 {
    let mean = background.mean().to_vec();
    let along_mean = background.scores(&mean);
    kernel::inner(&background.centred(q), &mean) / background.deviation(&along_mean)
}

/// How much more often than by chance a row among the best under the hint is among those most like the exemplars too: the mean of
/// `ln((c + 0.5) / (m^2/n + 0.5))`, where c of the m best of n rows are both, over a fiftieth, a twentieth and a tenth of all for m.
/// About 0 for a wrong hint, 1 to 3 for right ones. The few best tell of a small class, the many of a large one.
pub(crate) fn agreement(likeness: &[f64], hint: &[f64]) -> f64 {
    let n = hint.len();
    let compared = COMPARED.map(|part| (n / part).max(LEAST_COMPARED).min(n));
    let most = compared[COMPARED.len() - 1];
    let mut places = vec![n; n];
    best(likeness, most).into_iter().enumerate().for_each(|(place, row)| places[row] = place);
    let by_hint = best(hint, most);
    let alike = compared.map(|m| {
        let both = by_hint[..m].iter().filter(|&&row| places[row] < m).count() as f64;
        ((both + 0.5) / ((m * m) as f64 / n as f64 + 0.5)).ln()
    });
    alike.iter().sum::<f64>() / alike.len() as f64
}

pub(crate) fn sigmoid(x: f64) -> f64 {
    1.0 / (1.0 + (-x).exp())
}
