//! How much of the background is wanted, as far as its scores tell, and what its rows should weigh for that.

use crate::view::sigmoid;

/// The two parts into which scores fall.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Split {
    /// Mean score of the lower and of the upper part.
    pub low: f64,
    pub high: f64,
    /// The least score of the upper part, and its share of all.
    pub cut: f64,
    pub upper: f64,
}

impl Split {
    /// The split with the largest variance between its parts; `None` where all scores are equal. Sorts the scores.
    ///
    /// # Source
    /// Otsu, IEEE Trans. SMC 9(1), 1979.
    pub fn of(scores: &[f64]) -> Option<Self> {
        let n = scores.len() as f64;
        let mut sorted = scores.to_vec();
        sorted.sort_unstable_by(f64::total_cmp);
        let mean = sorted.iter().sum::<f64>() / n;
        let (mut best, mut below, mut found) = (0.0, 0.0, None);
        for (i, pair) in sorted.windows(2).enumerate() {
            below += pair[0] - mean;
            // Equal scores stay together.
            if pair[0] == pair[1] {
                continue;
            }
            let count = (i + 1) as f64;
            let between = below * below / (count * (n - count));
            if between > best {
                best = between;
                let (low, high) = (mean + below / count, mean - below / (n - count));
                found = Some(Split { low, high, cut: pair[1], upper: 1.0 - count / n });
            }
        }
        found
    }

    /// The mean of other scores of the same rows in the lower and in the upper part.
    pub fn means(&self, scores: &[f64], others: &[f64]) -> (f64, f64) {
        let n = scores.len() as f64;
        let part = |upper: bool| scores.iter().zip(others).filter(move |&(&s, _)| (s >= self.cut) == upper);
        let sum = |upper| part(upper).map(|(_, other)| other).sum::<f64>();
        (sum(false) / (n * (1.0 - self.upper)), sum(true) / (n * self.upper))
    }

    /// Where a score lies: 0 at the lower part's mean, 1 at the upper one's.
    pub fn place(&self, score: f64) -> f64 {
        (score - self.low) / (self.high - self.low)
    }
}

/// How little a row of the upper part weighs for one exemplar at least, see [`discount`].
const LEAST_DISCOUNT: f64 = 0.8;

/// What the belief goes by: see [`belief`].
const BELIEF: f64 = 3.5;
const BELIEF_BY_DISTANCE: f64 = -2.5;
const BELIEF_BY_HINT: f64 = -1.0;

/// Belief that the upper part is the wanted class and no tail of the others, from 0 to 1: `sigmoid(3.5 - 2.5 ln T - h)`.
///
/// * `T = 1 + K (own - 1)`, at least 1/2: how far out a single exemplar lies, 1 at the mean of the upper part. An
///   exemplar's likeness to itself lifts the mean of K exemplars by a K-th of what it lifts one. T is about 2 where a large class
///   is the upper part, 3 to 6 where a few rows are wanted.
/// * `h = 1 + g (p - 1)`: the same for the hint alone, as far as it is trusted; 1 without one. `p`, from 0 to 4, is where
///   the exemplars lie under the hint, 1 at the upper part's mean.
///
/// `own` is the exemplars' [`place`](Split::place), `evidence` K.
pub(crate) fn belief(own: f64, evidence: f64, hint: Option<(f64, f64)>) -> f64 {
    let distance = (1.0 + evidence * (own - 1.0)).max(0.5);
    let by_hint = hint.map_or(1.0, |(place, trust)| 1.0 + trust.min(1.0) * (place.clamp(0.0, 4.0) - 1.0));
    sigmoid(BELIEF + BELIEF_BY_DISTANCE * distance.ln() + BELIEF_BY_HINT * by_hint)
}

/// By how much the rows of the upper part weigh less at most: 0.8, and 1 for what is believed to be the wanted class.
pub(crate) fn discount(belief: f64) -> f64 {
    LEAST_DISCOUNT + (1.0 - LEAST_DISCOUNT) * (2.0 * belief).min(1.0)
}

/// What rows weigh by their scores: 1 up to a quarter of the way from the lower part's mean to the upper one's, `1 - discount`
/// from half of it on.
pub(crate) fn weights(split: &Split, scores: &[f64], discount: f64) -> Vec<f64> {
    scores.iter().map(|&s| 1.0 - discount * (4.0 * split.place(s) - 1.0).clamp(0.0, 1.0)).collect()
}

/// The numbers of the `share` of rows with the highest scores, as [`best`] has them; not of all rows.
pub(crate) fn highest(scores: &[f64], share: f64) -> Vec<usize> {
    let count = (share * scores.len() as f64).round() as usize;
    best(scores, count.min(scores.len() - 1))
}

/// The numbers of the `count` highest scores, in descending order, the first of equals first.
pub(crate) fn best(scores: &[f64], count: usize) -> Vec<usize> {
    let descending = |&a: &usize, &b: &usize| scores[b].total_cmp(&scores[a]).then(a.cmp(&b));
    let mut rows: Vec<usize> = (0..scores.len()).collect();
    if count < rows.len() {
        rows.select_nth_unstable_by(count, descending);
        rows.truncate(count);
    }
    rows.sort_unstable_by(descending);
    rows
}
