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
const BELIEF: f64 = 7.1;
const BELIEF_BY_CROWDING: f64 = 1.33;
const BELIEF_BY_HINT: f64 = -2.8;
const BELIEF_BY_KURTOSIS: f64 = -1.38;

/// The trust in a hint from which on it and the exemplars confirm each other, and that from which on they do fully: see
/// [`confirmed`].
const LEAST_CONFIRMING: f64 = 0.2;
const FULLY_CONFIRMING: f64 = 0.5;

/// The share that is cleared away where they do: see [`confirmed_share`].
const LEAST_CONFIRMED: f64 = 0.02;
const CONFIRMED_BY_BELIEF: f64 = 0.35;

/// Where crowding begins to tell: as much as a sample holds by chance.
const LEAST_CROWDING: f64 = 0.02;

/// What several exemplars tell without a hint: see [`belief`].
const BELIEF_BY_RANK: f64 = 0.75;
const TYPICAL_RANK: f64 = 0.08;
const LEAST_BY_RANK: f64 = -1.5;

/// The kurtosis of a normal distribution.
const NORMAL: f64 = 3.0;

/// How the exemplars and the rows lie under a hint.
#[derive(Debug, Clone, Copy)]
pub(crate) struct UnderHint {
    /// Where the exemplars lie, 1 at the upper part's mean.
    pub place: f64,
    pub trust: f64,
    /// Of the rows' scores, 1 or more.
    pub kurtosis: f64,
}

/// Several exemplars and their [rank](crate::crowding) among the rows.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Together {
    pub count: usize,
    pub rank: f64,
}

/// Belief that the upper part is the wanted class and no tail of the others, from 0 to 1:
/// `sigmoid(7.1 + 1.33 ln(c + 0.02) - 2.8 h - 1.38 ln k + s)`.
///
/// * `c` is the [crowding](crate::crowding) around the exemplars, 1/32 around a typical row: a large class is close to its own.
/// * `h = 1 + g (p - 1)`, where the exemplars lie under the hint alone as far as it is trusted; 1 without one. `p`, from 0 to 4, is
///   1 at the upper part's mean. Exemplars of a small class lie far beyond it.
/// * `k` is the kurtosis of the rows' scores under the hint, 3 without one: below 2 where they are of two kinds, half and half, and
///   large where few stand out.
/// * `s = max(0.75 sqrt(K - 1) ln(r / 0.08), -1.5)` without a hint, where K exemplars have the rank `r`; else 0. It is bounded below
///   because exemplars that were picked from one ranking are closer together than their class.
///
/// The constants fit `min(1, (share - 0.03) / 0.35)` on tables of 1 to 50 % wanted rows; left out, no set moves one by more than a quarter.
pub(crate) fn belief(crowding: f64, hint: Option<UnderHint>, together: Option<Together>) -> f64 {
    let (place, kurtosis) = hint.map_or((1.0, NORMAL), |UnderHint { place, trust, kurtosis }| {
        (1.0 + trust.min(1.0) * (place.clamp(0.0, 4.0) - 1.0), kurtosis)
    });
    let by_rank = together.filter(|_| hint.is_none()).map_or(0.0, |Together { count, rank }| {
        let by_rank = BELIEF_BY_RANK * (count as f64 - 1.0).sqrt() * (rank / TYPICAL_RANK).ln();
        by_rank.max(LEAST_BY_RANK)
    });
    let by_crowding = BELIEF_BY_CROWDING * (crowding + LEAST_CROWDING).ln();
    sigmoid(BELIEF + by_crowding + BELIEF_BY_HINT * place + BELIEF_BY_KURTOSIS * kurtosis.ln() + by_rank)
}

/// The kurtosis of some scores, 1 or more: 3 for a normal distribution, and where all are equal.
pub(crate) fn kurtosis(scores: &[f64]) -> f64 {
    let n = scores.len() as f64;
    let mean = scores.iter().sum::<f64>() / n;
    let squares = scores.iter().map(|score| (score - mean) * (score - mean));
    let (second, fourth) = squares.fold((0.0, 0.0), |(second, fourth), s| (second + s, fourth + s * s));
    let kurtosis = n * fourth / (second * second);
    if kurtosis.is_finite() { kurtosis.max(1.0) } else { NORMAL }
}

/// How far the exemplars and a hint of this trust confirm each other, from 0 to 1: what both point at is hardly ever wrong, even
/// where little is wanted.
pub(crate) fn confirmed(trust: f64) -> f64 {
    ((trust - LEAST_CONFIRMING) / (FULLY_CONFIRMING - LEAST_CONFIRMING)).clamp(0.0, 1.0)
}

/// The share of the rows that is taken for wanted where exemplars of this weight K and a hint confirm each other: `0.35 rho`, as
/// [`belief`] is fitted, and `0.02 / K`: with more exemplars a negative near them tells more.
pub(crate) fn confirmed_share(belief: f64, evidence: f64) -> f64 {
    LEAST_CONFIRMED / evidence.max(1.0) + CONFIRMED_BY_BELIEF * belief
}

/// How far the upper part is taken for the wanted class: `min(1, 2 rho)`.
pub(crate) fn taken(belief: f64) -> f64 {
    (2.0 * belief).min(1.0)
}

/// By how much the rows of the upper part weigh less at most: 0.8, and 1 for what is taken for the wanted class.
pub(crate) fn discount(belief: f64) -> f64 {
    LEAST_DISCOUNT + (1.0 - LEAST_DISCOUNT) * taken(belief)
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
