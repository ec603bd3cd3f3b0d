//! Where the fit is pulled to, and how strongly: the adaptive objective's `w0` and `lambda`.
//!
//! All lengths are measured in standard deviations of scores over the background, so that the same
//! constants serve every embedding space. With `mu` the background's mean, `z = x - mu` and
//! `xc = mean of the exemplars - mu`, K the exemplars' total weight:
//!
//! ```text
//! lambda = 4/K var(z.xc) / |xc|^2                               per unit of an exemplar class's weight
//! q~     = (cov(z) + lambda I)^-1 q, two conjugate-gradient steps
//! w0     = kappa g q~ / std(z.q~)
//! kappa  = 2 / (g max(0, xc.q~) / std(z.q~) + 0.7 sqrt(K) |xc|^2 / std(z.xc))
//! ```
//!
//! * `lambda` falls as exemplars are added: more evidence, less pull.
//! * `q~` plays down the part of the text along which all rows vary alike.
//! * `g`, the trust in the hint, is how far it lets its own exemplars stand out, see [`trust`].
//! * `kappa` puts the exemplars' mean two margins above the background's, for the hint and the exemplars
//!   together; as K grows the exemplars' part grows and the hint's fades.

use super::background::{Background, Scores};
use super::kernel;
use super::problem::Params;
use super::text::Texts;
use super::training::TrainingSet;

/// Pull towards `w0`, in variances of the background along the exemplars, for one exemplar.
const PULL: f64 = 4.0;

/// Influence of one exemplar beside that of a trusted hint.
const EXEMPLAR_SHARE: f64 = 0.7;

/// Conjugate-gradient steps that whiten a text.
const WHITENING_STEPS: usize = 2;

/// Least trust in a hint.
const LEAST_TRUST: f64 = 0.1;

/// How far counter-hints and reasons together move `w0`, in standard deviations of its scores.
const COUNTER_HINT_SHARE: f64 = 0.2;

/// Least `var(z.xc) / |xc|^2` that is believed, so that few or equal rows do not end the pull.
const LEAST_SPREAD: f64 = 1e-6;

/// The pull of the adaptive objective.
#[derive(Debug, Clone)]
pub(super) struct Prior {
    /// Where to; `None` without texts, which is 0.
    pub w0: Option<Vec<f64>>,
    /// How strongly, per unit of the weight that the exemplars carry together.
    pub lambda: f64,
    /// How far the exemplars stand out under the hint, in standard deviations.
    pub z: Option<f64>,
}

/// The pull for `set`, which has at least one exemplar and one negative.
pub(super) fn prior(set: &TrainingSet, texts: &Texts, params: &Params, interrupt: &mut dyn FnMut()) -> Prior {
    let mut background = Background::new(set.negative_values(), set.dimensions(), interrupt);
    let evidence: f64 = set.exemplar_weights().iter().sum();
    let xc = background.centred_mean(set.exemplar_values(), set.exemplar_weights());
    let xc_square = kernel::inner(&xc, &xc).max(f64::MIN_POSITIVE);
    let along_xc = background.scores(&xc);
    let lambda = PULL * (along_xc.covariance(&along_xc) / xc_square).max(LEAST_SPREAD) / evidence;
    let exemplar_pull = EXEMPLAR_SHARE * evidence.sqrt() * xc_square / along_xc.deviation();
    let mut prior = Prior { w0: None, lambda, z: None };
    // What unwanted texts are measured against: the hint's part of w, without a hint the exemplars'.
    let (mut w0, mut scores) = match &texts.hint {
        Some(q) if params.hint_weight > 0.0 => {
            let along_q = background.scores(q);
            let z = kernel::inner(&xc, q) / along_q.deviation();
            prior.z = Some(z);
            let g = params.hint_weight * trust(z, along_q.skewness());
            let q = background.whiten(q, lambda, WHITENING_STEPS);
            let scores = background.scores(&q);
            let scale = g / scores.deviation();
            let kappa = 2.0 / (scale * kernel::inner(&xc, &q).max(0.0) + exemplar_pull);
            (scaled(&q, kappa * scale), Scores(scaled(&scores.0, kappa * scale)))
        }
        _ => {
            let kappa = 2.0 / exemplar_pull;
            let scale = kappa * EXEMPLAR_SHARE * evidence.sqrt() / along_xc.deviation();
            (vec![0.0; xc.len()], Scores(scaled(&along_xc.0, scale)))
        }
    };
    if texts.hint.is_some() && params.hint_weight > 0.0 || texts.unwanted().count() > 0 {
        push_away(&mut background, &mut w0, &mut scores, texts, params, lambda);
        prior.w0 = Some(w0);
    }
    prior
}

/// The direction of a search by texts alone: the hint, pushed away from the counter-hints.
pub(super) fn texts_alone(
    set: &TrainingSet,
    q: &[f64],
    texts: &Texts,
    params: &Params,
    interrupt: &mut dyn FnMut(),
) -> Vec<f64> {
    let mut w = q.to_vec();
    if texts.unwanted().count() == 0 || set.negatives() == 0 {
        return w;
    }
    let mut background = Background::new(set.negative_values(), set.dimensions(), interrupt);
    let mut scores = background.scores(q);
    let ridge = PULL * scores.covariance(&scores).max(LEAST_SPREAD);
    push_away(&mut background, &mut w, &mut scores, texts, params, ridge);
    w
}

/// Moves `w`, whose scores are `scores`, away from each text that is not wanted: from the part of its whitened
/// direction whose scores do not follow those of `w`, so that what is wanted is not pushed away with it.
fn push_away(
    background: &mut Background,
    w: &mut [f64],
    scores: &mut Scores,
    texts: &Texts,
    params: &Params,
    ridge: f64,
) {
    let (start, start_scores) = (w.to_vec(), scores.clone());
    let variance = start_scores.covariance(&start_scores);
    if variance == 0.0 {
        return;
    }
    let share = COUNTER_HINT_SHARE * params.counter_hint_weight / texts.unwanted().count() as f64;
    for r in texts.unwanted() {
        let mut r = background.whiten(r, ridge, WHITENING_STEPS);
        let mut along = background.scores(&r);
        let shared = along.covariance(&start_scores) / variance;
        kernel::add_scaled(&mut r, -shared, &start);
        along.add_scaled(-shared, &start_scores);
        let step = -share * (variance / along.covariance(&along).max(f64::MIN_POSITIVE)).sqrt();
        kernel::add_scaled(w, step, &r);
        scores.add_scaled(step, &along);
    }
}

/// Trust in a hint under which the exemplars stand `z` standard deviations above the background:
/// `1 - 1/z'^2`, at least 0.1, where `z' = z (1 + clip(2 skewness, -0.5, 1))` believes a hint more whose
/// scores have a long upper tail, as those of a text have that few rows answer.
fn trust(z: f64, skewness: f64) -> f64 {
    let z = z * (1.0 + (2.0 * skewness).clamp(-0.5, 1.0));
    if z <= 0.0 { LEAST_TRUST } else { (1.0 - 1.0 / (z * z)).max(LEAST_TRUST) }
}

fn scaled(v: &[f64], factor: f64) -> Vec<f64> {
    v.iter().map(|v| v * factor).collect()
}
