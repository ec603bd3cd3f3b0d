//! Where what is wanted is taken to end: the bias with which the margin of a row is 0 there.
//!
//! The bias that minimises the loss ranks no row, and puts 0 where exemplars and negatives weigh the same. That is no
//! place where the wanted rows end: one exemplar lies far beyond its like, since a fit knows it by heart. So a fit ends with the bias
//!
//! ```text
//! b = -(m + f e)        e = median of w.x over the exemplars - m        m = mean of w.x over the negatives
//! f = max(min(0.4 + 0.15 ln K + 0.1 g, 0.62), 0.65 min(1, t / e))       t = max of w.x over the negatives - m
//! ```
//!
//! K is the exemplars' total weight, at least 1, and g the trust in the hint, 0 without one. The first part holds where few
//! rows are wanted, or none in the sample; the second where the sample has some: then they are its best rows, and the cut falls
//! among them. Where the wanted share is given, and the sample has rows enough to tell, `-b` is the score above which so many of
//! its rows are.

use crate::objective;
use crate::problem::Problem;

/// How far from the background's mean to the exemplars' median the cut is, for one exemplar.
const OF_ONE: f64 = 0.4;

/// How much further for e times as many: a fit knows several by what they share, so that others of their like come nearer to them.
const OF_MORE: f64 = 0.15;
const OF_MANY: f64 = 0.62;

/// How much further for a hint that is fully trusted.
const OF_HINT: f64 = 0.1;

/// How far from the background's mean to its best row it is at least.
const OF_BEST: f64 = 0.65;

/// The bias of this `w`, along which the negatives have these scores; `None` where the exemplars do not stand out, or there is nothing
/// that they stand out from.
pub(crate) fn bias(
    problem: &Problem,
    w: &[f64],
    mut negatives: Vec<f64>,
    interrupt: &mut dyn FnMut(),
) -> Option<f64> {
    let set = &problem.set;
    let given = set.given_exemplars();
    let mut exemplars = objective::scores(&set.exemplar_values()[..given * set.dimensions()], w, interrupt);
    if exemplars.is_empty() || negatives.is_empty() {
        return None;
    }
    if let Some(b) = problem.params.expected_share.and_then(|share| bias_of_share(share, &mut negatives)) {
        return Some(b);
    }
    exemplars.sort_unstable_by(f64::total_cmp);
    let median = (exemplars[(given - 1) / 2] + exemplars[given / 2]) / 2.0;
    let mean = negatives.iter().sum::<f64>() / negatives.len() as f64;
    let best = negatives.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let evidence: f64 = set.exemplar_weights()[..given].iter().sum();
    let part = part(median - mean, best - mean, evidence, problem.hint_trust().unwrap_or(0.0));
    (median > mean).then(|| -(mean + part * (median - mean)))
}

/// The bias that leaves a share of the scores above 0; `None` where that is none of them or all.
fn bias_of_share(share: f64, scores: &mut [f64]) -> Option<f64> {
    let wanted = (share * scores.len() as f64).round() as usize;
    if wanted == 0 || wanted >= scores.len() {
        return None;
    }
    scores.sort_unstable_by(|a, b| b.total_cmp(a));
    Some(-(scores[wanted - 1] + scores[wanted]) / 2.0)
}

/// Which part of the way from the background's mean to the exemplars the cut is; both distances are from that mean.
fn part(exemplars: f64, best: f64, evidence: f64, trust: f64) -> f64 {
    let by_evidence = OF_ONE + OF_MORE * evidence.max(1.0).ln() + OF_HINT * trust;
    by_evidence.min(OF_MANY).max(OF_BEST * (best / exemplars).min(1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cut_is_between_the_background_and_the_exemplars() {
        // Few rows are wanted: nothing in the sample comes near the exemplars.
        assert_eq!(part(4.0, 1.0, 1.0, 0.0), OF_ONE);
        assert!(part(4.0, 1.0, 3.0, 0.0) > part(4.0, 1.0, 1.0, 0.0));
        assert_eq!(part(4.0, 1.0, 1000.0, 0.0), OF_MANY);
        assert_eq!(part(4.0, 1.0, 1.0, 1.0), OF_ONE + OF_HINT);
        // A weight below 1 is no reason to be less strict than with one exemplar.
        assert_eq!(part(4.0, 1.0, 0.01, 0.0), OF_ONE);
        // The sample has rows that are wanted, up to the exemplars themselves and beyond.
        assert_eq!(part(4.0, 3.6, 1.0, 0.0), 0.9 * OF_BEST);
        assert_eq!(part(4.0, 4.0, 1.0, 0.0), OF_BEST);
        assert_eq!(part(4.0, 9.0, 1.0, 0.0), OF_BEST);
        assert_eq!(part(4.0, 0.0, 1.0, 0.0), OF_ONE);
    }

    #[test]
    fn a_share_that_is_known_is_what_is_above_the_cut() {
        let mut scores = [0.1, 0.9, 0.5, 0.3];
        assert_eq!(bias_of_share(0.25, &mut scores), Some(-0.7));
        assert_eq!(bias_of_share(0.5, &mut scores), Some(-0.4));
        assert_eq!(bias_of_share(0.1, &mut scores), None);
        assert_eq!(bias_of_share(0.9, &mut scores), None);
    }
}
