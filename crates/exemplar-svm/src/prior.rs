//! Where the fit is pulled to, how strongly, and what it is told apart from: the adaptive objective's `w0`, `lambda` and
//! weights of the negatives.
//!
//! All lengths are measured in standard deviations of scores over the background, so that the same
//! constants serve every embedding space. With `mu` the background's mean, `z = x - mu`,
//! `xc = mean of the exemplars - mu`, and K the exemplars' total weight:
//!
//! ```text
//! lambda = 4/K var(z.xc) / |xc|^2                               per unit of an exemplar class's weight
//! q~     = (cov(z) + lambda I)^-1 q, two conjugate-gradient steps
//! w0     = kappa g q~ / std(z.q~)
//! kappa  = 2 / (g max(0, xc.q~) / std(z.q~) + 0.65 K^(3/4) |xc|^2 / std(z.xc))
//! ```
//!
//! * `lambda` falls as exemplars are added: more evidence, less pull.
//! * `q~` plays down the part of the text along which all rows vary alike.
//! * `g`, the trust in the hint, is low for a text that does not know the exemplars: see [`trust`](crate::view::trust).
//! * `kappa` puts the exemplars' mean two margins above the background's, for the hint and the exemplars
//!   together; as K grows the exemplars' part grows and the hint's fades.
//!
//! Wanted rows among the negatives would bend all of this: rows that look wanted weigh less, in every moment and in J,
//! see [`cleared`](crate::cleared). The solution is smoothed, see [`near_rows`](crate::near_rows), and where much is believed to be
//! wanted, a sum of exemplar and hint is added to it, see [`blend`](crate::blend).
//!
//! Unwanted texts `r`, counter-hints and reasons, move `w0` by 0.2 of its own spread, away from the part of their
//! mean direction whose scores do not follow those of the hint.

use crate::background::{Background, Direction, Scores};
use crate::blend::Blend;
use crate::cleared::{Asked, Cleared};
use crate::problem::Params;
use crate::share::Together;
use crate::text::Texts;
use crate::training::TrainingSet;
use crate::view::{HintGiven, View, agreement, generic};
use crate::{crowding, kernel};

/// Pull towards `w0`, in variances of the background along the exemplars, for one exemplar.
const PULL: f64 = 4.0;

/// Influence of one exemplar beside that of a trusted hint.
const EXEMPLAR_SHARE: f64 = 0.65;

/// How far unwanted texts together move `w0`, in standard deviations of its scores.
const COUNTER_HINT_SHARE: f64 = 0.2;

/// The same beside that without a hint, where they were not seen to help.
const WITHOUT_HINT: f64 = 0.25;

/// Least part of an unwanted text's scores that counts as its own: one that says what the hint says does little.
const LEAST_OWN_PART: f64 = 0.3;

/// Least `var(z.xc) / |xc|^2` that is believed, so that few or equal rows do not end the pull.
const LEAST_SPREAD: f64 = 1e-6;

/// The pull of the adaptive objective, and its background.
#[derive(Debug, Clone)]
pub(crate) struct Prior {
    /// Where to; `None` without texts, which is 0.
    pub w0: Option<Vec<f64>>,
    /// How strongly, per unit of the weight that the exemplars carry together.
    pub lambda: f64,
    /// How far the exemplars stand out under the hint, in standard deviations.
    pub hint_z: Option<f64>,
    /// Trust in the hint, 0.05 to 1.
    pub hint_trust: Option<f64>,
    /// What each negative weighs, 0 to 1.
    pub weights: Vec<f64>,
    /// The share of the background that is believed to be wanted.
    pub wanted_share: f64,
    pub blend: Option<Blend>,
    pub known: Known,
}

/// What weighing the texts found out that saves the solver passes over the rows.
#[derive(Debug, Clone)]
pub(crate) struct Known {
    pub xc: Vec<f64>,
    /// `x.xc` and `x.w0` of the negatives.
    pub along_xc: Vec<f64>,
    pub along_w0: Option<Vec<f64>>,
}

/// A part of `w0` and its scores over the background.
struct Pull {
    w: Vec<f64>,
    scores: Scores,
}

/// The pull for `set`, which has at least one exemplar and one negative.
pub(crate) fn prior(set: &TrainingSet, texts: &Texts, params: &Params, interrupt: &mut dyn FnMut()) -> Prior {
    let hint = texts.hint.as_ref().filter(|_| params.hint_weight > 0.0);
    let (asked, mut background, mut directions) = asked(set, hint, texts, params, interrupt);
    let cleared = Cleared::of(set, &asked, &mut background, &mut directions);
    let summed = cleared.belief * cleared.believed(&asked) / asked.evidence;
    let Cleared { view, evidence: believed, confirmed, weights, wanted_share, .. } = cleared;
    let lambda = PULL * (view.deviation * view.deviation / view.square).max(LEAST_SPREAD) / believed;
    let exemplar_pull = EXEMPLAR_SHARE * believed.powf(0.75) * view.square / view.deviation;
    let (hint_direction, unwanted) = directions.split_at(usize::from(hint.is_some()));
    let trusted = view.hint.as_ref().map(|hint| hint.g);
    let hint_direction = hint_direction.first().zip(trusted);
    let towards = towards(&mut background, &view, hint_direction, lambda, exemplar_pull);
    let away = unwanted.first().and_then(|r| away_from(&mut background, r, &towards, params, lambda));
    let pull = match (&view.hint, away) {
        (Some(_), None) => Some(towards),
        (Some(_), Some(away)) => Some(towards.plus(&away)),
        (None, away) => away,
    };
    let blend =
        (summed > 0.0).then(|| Blend::new(&asked, &view, hint_direction, summed, confirmed, &mut background));
    // Of the exemplars alone: what stands in for them was chosen by the hint.
    let own = background.centred(&asked.mean);
    Prior {
        lambda,
        hint_z: view.hint.as_ref().zip(hint).map(|(seen, q)| kernel::inner(&own, q) / seen.deviation),
        hint_trust: view.hint.as_ref().map(|hint| hint.trust),
        weights,
        wanted_share,
        blend,
        known: Known {
            along_xc: background.uncentred(&view.along_xc, &view.xc),
            along_w0: pull.as_ref().map(|pull| background.uncentred(&pull.scores, &pull.w)),
            xc: view.xc,
        },
        w0: pull.map(|pull| pull.w),
    }
}

/// What is asked for, the negatives as its background, and the texts' directions on it, the hint's first.
fn asked<'a>(
    set: &'a TrainingSet,
    hint: Option<&Vec<f64>>,
    texts: &Texts,
    params: &Params,
    interrupt: &'a mut dyn FnMut(),
) -> (Asked, Background<'a>, Vec<Direction>) {
    let unwanted = mean_direction(texts.unwanted().cloned());
    let given = hint.cloned().into_iter().chain(unwanted);
    let mean = mean(set.exemplar_values(), set.exemplar_weights(), set.dimensions());
    let (crowding, together) = crowded(set, hint.is_some(), params, interrupt);
    // Only the hint's agreement asks for the rows' scores along the exemplars' mean.
    let likeness = hint.map(|_| mean.clone());
    let (mut background, mut directions) =
        Background::new(set.negative_values(), set.dimensions(), given.chain(likeness), interrupt);
    let hint = hint.map(|hint| {
        let likeness = directions.pop().expect("the exemplars' mean is the last").scores;
        let agreement = agreement(&likeness.0, &directions[0].scores.0);
        HintGiven { weight: params.hint_weight, agreement, generic: generic(hint, &mut background) }
    });
    let evidence = set.exemplar_weights().iter().sum();
    let asked = Asked { mean, evidence, hint, expected_share: params.expected_share, crowding, together };
    (asked, background, directions)
}

/// How [crowded](crate::crowding) it is around the exemplars, and how several rank where there is no hint; nothing is looked at for
/// a share that is given, or where there are too few rows. More than are looked at, with counter-exemplars, were hardly chosen but
/// from a ranking.
fn crowded(
    set: &TrainingSet,
    hinted: bool,
    params: &Params,
    interrupt: &mut dyn FnMut(),
) -> (f64, Option<Together>) {
    let near = if params.expected_share.is_none() { set.near_rows(interrupt) } else { None };
    let Some(near) = near else { return (crowding::TYPICAL, None) };
    let (exemplars, weights) = (set.exemplar_values(), set.exemplar_weights());
    let (rows, d) = (set.negative_values(), set.dimensions());
    let crowding = near.crowding.around(exemplars, weights, rows, d);
    if hinted {
        return (crowding, None);
    }
    let exemplars = crowding::distinct(exemplars, weights, d);
    let counters = crowding::distinct(set.counter_exemplar_values(), set.counter_exemplar_weights(), d);
    let chosen = exemplars.len() > 1 && exemplars.len() + counters.len() < crowding::EXEMPLARS;
    let together = || Together { count: exemplars.len(), rank: near.crowding.rank(&exemplars, rows, d) };
    (crowding, chosen.then(together))
}

/// What unwanted texts are measured against: the hint's part of `w0`, without a hint the exemplars'.
fn towards(
    background: &mut Background,
    view: &View,
    hint: Option<(&Direction, f64)>,
    lambda: f64,
    exemplar_pull: f64,
) -> Pull {
    let Some((hint, g)) = hint else {
        let scale = WITHOUT_HINT * 2.0 / exemplar_pull / view.deviation;
        return Pull { w: scaled(&view.xc, scale), scores: view.along_xc.scaled(scale) };
    };
    let (q, scores) = background.whitened(hint, lambda);
    let scale = g / background.deviation(&scores);
    let kappa = 2.0 / (scale * kernel::inner(&view.xc, &q).max(0.0) + exemplar_pull);
    Pull { w: scaled(&q, kappa * scale), scores: scores.scaled(kappa * scale) }
}

impl Pull {
    fn plus(mut self, other: &Pull) -> Self {
        kernel::add_scaled(&mut self.w, 1.0, &other.w);
        self.scores.add_scaled(1.0, &other.scores);
        self
    }
}

/// The direction of a search without exemplars: the hint, moved away from unwanted texts and from
/// counter-exemplars, seen from the background's mean.
pub(crate) fn without_exemplars(
    set: &TrainingSet,
    q: &[f64],
    texts: &Texts,
    params: &Params,
    interrupt: &mut dyn FnMut(),
) -> Vec<f64> {
    let (d, mut w) = (set.dimensions(), q.to_vec());
    if set.negatives() == 0 || texts.unwanted().count() + set.counter_exemplars() == 0 {
        return w;
    }
    let (background, _) = Background::new(set.negative_values(), d, [], interrupt);
    let counters = set.counter_exemplar_values().chunks_exact(d).zip(set.counter_exemplar_weights());
    let counters: Vec<_> =
        counters.map(|(row, weight)| background.centred_mean(row, std::slice::from_ref(weight))).collect();
    let unwanted = [mean_direction(texts.unwanted().cloned()), mean_direction(counters.into_iter())];
    let (mut background, unwanted) =
        Background::new(set.negative_values(), d, unwanted.into_iter().flatten(), interrupt);
    let towards = Pull { w: q.to_vec(), scores: background.scores(q) };
    let ridge = PULL * background.covariance(&towards.scores, &towards.scores).max(LEAST_SPREAD);
    for away in unwanted.iter().filter_map(|r| away_from(&mut background, r, &towards, params, ridge)) {
        kernel::add_scaled(&mut w, 1.0, &away.w);
    }
    w
}

/// The direction of a search without negatives: the mean of the exemplars and the hint, which there is nothing to weigh
/// against each other by.
pub(crate) fn without_negatives(set: &TrainingSet, texts: &Texts, hint_weight: f64) -> Vec<f64> {
    let exemplars = set.exemplar_values().chunks_exact(set.dimensions()).zip(set.exemplar_weights());
    let weighted = |(row, &weight): (&[f32], &f64)| -> Vec<f64> {
        row.iter().map(|&value| f64::from(value) * weight).collect()
    };
    let mut w = vec![0.0; set.dimensions()];
    for row in exemplars.map(weighted) {
        kernel::add_scaled(&mut w, 1.0, &row);
    }
    let mut w = mean_direction(std::iter::once(w)).unwrap_or_else(|| vec![0.0; set.dimensions()]);
    if let Some(q) = &texts.hint {
        kernel::add_scaled(&mut w, hint_weight, q);
    }
    // Opposites cancel; the first exemplar is then as good an answer as any.
    let first = || set.exemplar_values()[..set.dimensions()].iter().map(|&value| f64::from(value)).collect();
    mean_direction(std::iter::once(w)).unwrap_or_else(first)
}

/// The step away from `r` for a `w`: away from the part of its whitened direction whose scores do not follow those of
/// `w`, so that what is wanted is not pushed away with it.
fn away_from(
    background: &mut Background,
    r: &Direction,
    towards: &Pull,
    params: &Params,
    ridge: f64,
) -> Option<Pull> {
    let variance = background.covariance(&towards.scores, &towards.scores);
    if variance == 0.0 || params.counter_hint_weight == 0.0 {
        return None;
    }
    let (mut w, mut scores) = background.whitened(r, ridge);
    let least = LEAST_OWN_PART * background.deviation(&scores);
    let shared = background.covariance(&scores, &towards.scores) / variance;
    kernel::add_scaled(&mut w, -shared, &towards.w);
    scores.add_scaled(-shared, &towards.scores);
    let share = COUNTER_HINT_SHARE * params.counter_hint_weight;
    let scale = -share * variance.sqrt() / background.deviation(&scores).max(least);
    Some(Pull { w: scaled(&w, scale), scores: scores.scaled(scale) })
}

/// The normalised mean of the normalised `vectors`, unless there is none or they cancel.
fn mean_direction(vectors: impl Iterator<Item = Vec<f64>>) -> Option<Vec<f64>> {
    let mut sum: Option<Vec<f64>> = None;
    for vector in vectors {
        let length = kernel::inner(&vector, &vector).sqrt();
        if length > 0.0 {
            let sum = sum.get_or_insert_with(|| vec![0.0; vector.len()]);
            kernel::add_scaled(sum, 1.0 / length, &vector);
        }
    }
    let sum = sum?;
    let length = kernel::inner(&sum, &sum).sqrt();
    (length > 1e-6).then(|| scaled(&sum, 1.0 / length))
}

/// The weighted mean of rows.
fn mean(rows: &[f32], weights: &[f64], d: usize) -> Vec<f64> {
    let (mut mean, total) = (vec![0.0; d], weights.iter().sum::<f64>());
    kernel::combine((0..).zip(rows.chunks_exact(d)), |i: usize| weights[i] / total, &mut mean);
    mean
}

fn scaled(v: &[f64], factor: f64) -> Vec<f64> {
    v.iter().map(|v| v * factor).collect()
}
