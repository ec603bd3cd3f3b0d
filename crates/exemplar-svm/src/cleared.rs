//! A background cleared of the rows that look wanted, and the exemplars seen from it.
//!
//! In each of two rounds, three for a share that is given, every row gets a score, in standard deviations along the exemplars and
//! the hint, and by it a weight, with which all is measured anew:
//!
//! * Of a wanted share that is given or believed in, that part of the rows, those of the highest scores, weigh nothing. Their
//!   normalised mean stands in for another exemplar, of weight K for a share that is given. For another it weighs
//!   `K min(1, 2 rho)^2`, and half an exemplar as far as the exemplars and the hint [confirm](share::confirmed) each other.
//! * Where it is not given, the scores are split in two, and the upper part's rows weigh 0.2 or less: see
//!   [`weights`](share::weights). Where little is wanted these are hardly ever wanted rows, and the fit hardly misses them.

use crate::background::{Background, Direction};
use crate::kernel;
use crate::share::{self, Split, Together, UnderHint};
use crate::training::TrainingSet;
use crate::view::{HintGiven, View};

/// How often the background is cleared: what is measured on the first one tells better which rows look wanted. Where it is
/// known how many they are, once more still helps.
const ROUNDS: usize = 2;
const ROUNDS_FOR_SHARE: usize = 3;

/// What a known share is believed for, beside its power 3/2.
const BELIEF_BY_SHARE: f64 = 10.0;

/// How many exemplars the mean of what is cleared away is worth where the hint confirms it.
const CONFIRMED: f64 = 0.5;

/// What is asked for, as far as it can be seen from a background.
pub(crate) struct Asked {
    /// The exemplars' weighted mean.
    pub mean: Vec<f64>,
    /// K, the exemplars' total weight.
    pub evidence: f64,
    /// The hint, if there is one: the first of the directions then.
    pub hint: Option<HintGiven>,
    pub expected_share: Option<f64>,
    /// How [crowded](crate::crowding) it is around the exemplars.
    pub crowding: f64,
    pub together: Option<Together>,
}

pub(crate) struct Cleared {
    pub view: View,
    /// K, with what stands in for exemplars.
    pub evidence: f64,
    /// What each row weighs, 0 to 1.
    pub weights: Vec<f64>,
    /// Belief that the rows cleared away are the wanted class; of a share `p` that is known, `10 p^1.5`.
    pub belief: f64,
    /// How far the exemplars and the hint [confirm](share::confirmed) each other, 0 to 1; 0 without a hint.
    pub confirmed: f64,
    /// What share of the rows is cleared away for wanted.
    pub wanted_share: f64,
}

impl Cleared {
    /// `background` is that of the negatives of `set`, all of one weight.
    pub fn of(
        set: &TrainingSet,
        asked: &Asked,
        background: &mut Background,
        directions: &mut [Direction],
    ) -> Self {
        let view = View::of(&asked.mean, background, directions, asked.hint);
        let (weights, evidence) = (vec![1.0; set.negatives()], asked.evidence);
        let confirmed = view.hint.as_ref().map_or(0.0, |hint| share::confirmed(hint.g));
        let mut cleared = Cleared { view, evidence, weights, belief: 0.0, confirmed, wanted_share: 0.0 };
        let rounds = if asked.expected_share.is_some() { ROUNDS_FOR_SHARE } else { ROUNDS };
        for round in 0..rounds {
            let looks = cleared.view.looks(directions);
            let Some(split) = Split::of(&looks) else { break };
            if let Some(share) = asked.expected_share {
                (cleared.belief, cleared.wanted_share) = (BELIEF_BY_SHARE * share * share.sqrt(), share);
                cleared.weights.fill(1.0);
            } else {
                if round == 0 {
                    cleared.believe(&split, &looks, asked, directions);
                }
                cleared.weights = share::weights(&split, &looks, share::discount(cleared.belief));
            }
            let mean = cleared.without_wanted(set, asked, &looks);
            background.reweigh(&cleared.weights, directions);
            cleared.view = View::of(&mean, background, directions, asked.hint);
        }
        cleared
    }

    /// How far what is cleared away is taken for the wanted class: `min(1, 2 rho)`, and 1 where it is confirmed or its share
    /// is given.
    pub fn believed(&self, asked: &Asked) -> f64 {
        if asked.expected_share.is_some() { 1.0 } else { self.if_confirmed(1.0, share::taken(self.belief)) }
    }

    /// What the mean of what is cleared away weighs beside the exemplars.
    fn stand_in(&self, asked: &Asked) -> f64 {
        if asked.expected_share.is_some() {
            return 1.0;
        }
        let taken = share::taken(self.belief);
        self.if_confirmed(CONFIRMED / asked.evidence.max(1.0), taken * taken)
    }

    fn if_confirmed(&self, confirmed: f64, other: f64) -> f64 {
        self.confirmed * confirmed + (1.0 - self.confirmed) * other
    }

    fn believe(&mut self, split: &Split, looks: &[f64], asked: &Asked, directions: &[Direction]) {
        let hint = self.view.hint.as_ref().map(|hint| {
            let scores = &directions[0].scores.0;
            let (low, high) = split.means(looks, scores);
            let place = (hint.z * hint.deviation - low) / (high - low);
            let place = if place.is_finite() { place } else { 1.0 };
            UnderHint { place, trust: hint.g, kurtosis: share::kurtosis(scores) }
        });
        self.belief = share::belief(asked.crowding, hint, asked.together);
        let confirmed = share::confirmed_share(self.belief, asked.evidence);
        self.wanted_share = self.if_confirmed(confirmed, self.belief * split.upper);
    }

    /// Takes the weight of the wanted share of the rows, those that look wanted most, and returns the exemplars' mean with
    /// theirs, as far as that [stands in](Self::stand_in).
    fn without_wanted(&mut self, set: &TrainingSet, asked: &Asked, looks: &[f64]) -> Vec<f64> {
        let (wanted, d) = (share::highest(looks, self.wanted_share), set.dimensions());
        let stand_in = self.stand_in(asked);
        self.evidence = asked.evidence;
        wanted.iter().for_each(|&row| self.weights[row] = 0.0);
        let mut sum = vec![0.0; d];
        let rows = wanted.iter().map(|&row| (row, &set.negative_values()[row * d..(row + 1) * d]));
        kernel::combine(rows, |_| 1.0, &mut sum);
        let length = kernel::inner(&sum, &sum).sqrt();
        if length < 1e-6 {
            return asked.mean.clone();
        }
        self.evidence *= 1.0 + stand_in;
        let with = |(x, sum): (&f64, &f64)| (x + stand_in * sum / length) / (1.0 + stand_in);
        asked.mean.iter().zip(&sum).map(with).collect()
    }
}
