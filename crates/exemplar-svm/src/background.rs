//! The negatives as a cloud: its mean, and how widely it spreads along a direction.

use crate::kernel;
use crate::objective::chunks;

/// The least variance of scores that is believed; below it all rows look alike.
const LEAST_VARIANCE: f64 = 1e-9;

/// Unit rows `x_1..x_n` with weights `v_i` of sum 1, seen from their weighted mean: `z_i = x_i - mu`. Every moment is
/// weighted.
pub(crate) struct Background<'a> {
    values: &'a [f32],
    /// As they were given, not of sum 1 yet, and the rows' sum with these.
    given: Vec<f64>,
    sum: Vec<f64>,
    weights: Vec<f64>,
    mean: Vec<f64>,
    interrupt: &'a mut dyn FnMut(),
}

/// `z_i.v` of every row of a background, of weighted mean 0.
#[derive(Debug, Clone, Default)]
pub(crate) struct Scores(pub Vec<f64>);

/// A direction `v` and the scores of the rows along it.
pub(crate) struct Direction {
    pub v: Vec<f64>,
    pub scores: Scores,
}

impl<'a> Background<'a> {
    /// `values` holds at least one row of `d` dimensions, all of one weight. One pass over the rows does for their mean and
    /// the scores along all directions.
    pub fn new(
        values: &'a [f32],
        d: usize,
        directions: impl IntoIterator<Item = Vec<f64>>,
        interrupt: &'a mut dyn FnMut(),
    ) -> (Self, Vec<Direction>) {
        let n = values.len() / d;
        let begin = |v| Direction { v, scores: Scores(Vec::with_capacity(n)) };
        let mut directions: Vec<_> = directions.into_iter().map(begin).collect();
        let mut sum = vec![0.0; d];
        for (start, rows) in chunks(values, d) {
            kernel::combine((start..).zip(rows.chunks_exact(d)), |_| 1.0, &mut sum);
            for Direction { v, scores } in &mut directions {
                kernel::append_dots(rows, v, &mut scores.0);
            }
            interrupt();
        }
        let mut background = Background {
            values,
            given: vec![1.0; n],
            sum,
            weights: vec![0.0; n],
            mean: vec![0.0; d],
            interrupt,
        };
        background.weigh(&mut directions);
        (background, directions)
    }

    /// Gives the rows other weights, not all of them 0, and sees the directions' scores from the new mean. Reads the rows whose
    /// weight changes.
    pub fn reweigh(&mut self, given: &[f64], directions: &mut [Direction]) {
        let d = self.mean.len();
        for (start, rows) in chunks(self.values, d) {
            let changed = |&(i, _): &(usize, &[f32])| given[i] != self.given[i];
            let changed = (start..).zip(rows.chunks_exact(d)).filter(changed);
            kernel::combine(changed, |i| given[i] - self.given[i], &mut self.sum);
            (self.interrupt)();
        }
        self.given.copy_from_slice(given);
        self.weigh(directions);
    }

    /// Takes the given weights, at a sum of 1, and the mean with them.
    fn weigh(&mut self, directions: &mut [Direction]) {
        let total: f64 = self.given.iter().sum();
        self.weights.iter_mut().zip(&self.given).for_each(|(weight, given)| *weight = given / total);
        self.mean.iter_mut().zip(&self.sum).for_each(|(mean, sum)| *mean = sum / total);
        directions.iter_mut().for_each(|direction| self.centre(&mut direction.scores));
    }

    /// `mu`
    pub fn mean(&self) -> &[f64] {
        &self.mean
    }

    /// Of each row.
    pub fn dimensions(&self) -> usize {
        self.mean.len()
    }

    /// The mean of unit `rows` with `weights`, seen from the background's mean.
    pub fn centred_mean(&self, rows: &[f32], weights: &[f64]) -> Vec<f64> {
        let total: f64 = weights.iter().sum();
        let mut centred: Vec<f64> = self.mean.iter().map(|mu| -mu).collect();
        for (row, weight) in rows.chunks_exact(self.mean.len()).zip(weights) {
            centred.iter_mut().zip(row).for_each(|(c, &x)| *c += weight / total * f64::from(x));
        }
        centred
    }

    /// `v` seen from the background's mean.
    pub fn centred(&self, v: &[f64]) -> Vec<f64> {
        v.iter().zip(&self.mean).map(|(v, mu)| v - mu).collect()
    }

    /// The scores along `v`, in single precision: what is measured by them is no better known.
    pub fn scores(&mut self, v: &[f64]) -> Scores {
        let mut scores = Scores(Vec::with_capacity(self.weights.len()));
        let single: Vec<f32> = v.iter().map(|&v| v as f32).collect();
        for (_, rows) in chunks(self.values, v.len()) {
            kernel::append_dots(rows, &single, &mut scores.0);
            (self.interrupt)();
        }
        let offset = kernel::inner(&self.mean, v);
        scores.0.iter_mut().for_each(|score| *score -= offset);
        scores
    }

    /// `x_i.v` from the scores along `v`.
    pub fn uncentred(&self, scores: &Scores, v: &[f64]) -> Vec<f64> {
        let offset = kernel::inner(&self.mean, v);
        scores.0.iter().map(|score| score + offset).collect()
    }

    /// Sees scores from the mean, whatever they were seen from.
    fn centre(&self, scores: &mut Scores) {
        let offset = kernel::inner(&scores.0, &self.weights);
        scores.0.iter_mut().for_each(|score| *score -= offset);
    }

    pub fn covariance(&self, a: &Scores, b: &Scores) -> f64 {
        kernel::inner_weighted(&a.0, &b.0, &self.weights)
    }

    pub fn deviation(&self, scores: &Scores) -> f64 {
        self.covariance(scores, scores).max(LEAST_VARIANCE).sqrt()
    }

    /// `C v` without its part along `v`: its unit direction and its length.
    fn across(&mut self, v: &[f64], scores: &[f64]) -> (Vec<f64>, f64) {
        let mut across = vec![0.0; v.len()];
        for (start, rows) in chunks(self.values, v.len()) {
            let weighted = |&(i, _): &(usize, &[f32])| self.weights[i] > 0.0;
            let weighted = (start..).zip(rows.chunks_exact(v.len())).filter(weighted);
            kernel::combine(weighted, |i| scores[i] * self.weights[i], &mut across);
            (self.interrupt)();
        }
        let along = kernel::inner(&across, v) / kernel::inner(v, v);
        kernel::add_scaled(&mut across, -along, v);
        let length = kernel::inner(&across, &across).sqrt();
        across.iter_mut().for_each(|a| *a /= length.max(f64::MIN_POSITIVE));
        (across, length)
    }

    /// An approximation of `(C + ridge I)^-1 v`, where `C = sum_i v_i z_i z_i'`: `v` with the directions along which all rows
    /// vary played down, and its scores. It is the one that two steps of conjugate gradients find, the best in the span of
    /// `v` and `C v`. Reads the rows twice.
    pub fn whitened(&mut self, Direction { v, scores }: &Direction, ridge: f64) -> (Vec<f64>, Scores) {
        let square = kernel::inner(v, v);
        let (across, length) = self.across(v, &scores.0);
        let across_scores = self.scores(&across);
        // The system in the basis of v and across.
        let vv = self.covariance(scores, scores) + ridge * square;
        let aa = self.covariance(&across_scores, &across_scores) + ridge;
        let (along_v, along_across) = match length > 0.0 {
            true => {
                let determinant = vv * aa - length * length;
                (aa * square / determinant, -length * square / determinant)
            }
            false => (square / vv, 0.0),
        };
        let combine = |a: &[f64], b: &[f64]| {
            a.iter().zip(b).map(|(a, b)| along_v * a + along_across * b).collect::<Vec<f64>>()
        };
        (combine(v, &across), Scores(combine(&scores.0, &across_scores.0)))
    }
}

impl Scores {
    /// `self + factor * other`
    pub fn add_scaled(&mut self, factor: f64, other: &Scores) {
        kernel::add_scaled(&mut self.0, factor, &other.0);
    }

    pub fn scaled(&self, factor: f64) -> Scores {
        Scores(self.0.iter().map(|score| score * factor).collect())
    }
}
