//! The negatives as a cloud: its mean, and how widely it spreads along a direction.

use crate::kernel;
use crate::objective::chunks;

/// The least variance of scores that is believed; below it all rows look alike.
const LEAST_VARIANCE: f64 = 1e-9;

/// Unit rows `x_1..x_n` with weights `v_i` of sum 1, seen from their weighted mean: `z_i = x_i - mu`. Every moment is
/// weighted.
pub(crate) struct Background<'a> {
    values: &'a [f32],
    weights: Vec<f64>,
    mean: Vec<f64>,
    interrupt: &'a mut dyn FnMut(),
}

/// `z_i.v` of every row of a background, of weighted mean 0.
#[derive(Debug, Clone, Default)]
pub(crate) struct Scores(pub Vec<f64>);

/// A direction `v` and how the rows spread along it: what whitening it takes.
pub(crate) struct Direction {
    pub v: Vec<f64>,
    pub scores: Scores,
    /// `C v`, where `C = sum_i v_i z_i z_i'`, without its part along `v`: its unit direction, its length and its scores.
    across: Vec<f64>,
    length: f64,
    across_scores: Scores,
}

impl<'a> Background<'a> {
    /// `values` holds at least one row of `d` dimensions, all of one weight. The directions that are to be whitened are
    /// given here, so that one pass over the rows does for them and the mean.
    pub fn new(
        values: &'a [f32],
        d: usize,
        directions: impl IntoIterator<Item = Vec<f64>>,
        interrupt: &'a mut dyn FnMut(),
    ) -> (Self, Vec<Direction>) {
        let n = values.len() / d;
        let begin = |v| Direction {
            v,
            scores: Scores::default(),
            across: vec![0.0; d],
            length: 0.0,
            across_scores: Scores::default(),
        };
        let mut directions: Vec<_> = directions.into_iter().map(begin).collect();
        let weights = vec![1.0 / n as f64; n];
        let mut background = Background { values, weights, mean: vec![0.0; d], interrupt };
        background.look(&mut directions, true);
        (background, directions)
    }

    /// Gives the rows other weights, not all of them 0, and measures the directions anew.
    pub fn reweigh(&mut self, weights: &[f64], directions: &mut [Direction]) {
        let total: f64 = weights.iter().sum();
        self.weights.iter_mut().zip(weights).for_each(|(own, weight)| *own = weight / total);
        self.look(directions, false);
    }

    /// One pass for the mean and what `directions` have to know first; their scores too where they are `new`.
    fn look(&mut self, directions: &mut [Direction], new: bool) {
        let d = self.mean.len();
        self.mean.fill(0.0);
        directions.iter_mut().for_each(|direction| direction.across.fill(0.0));
        for (start, rows) in chunks(self.values, d) {
            let numbered = || (start..).zip(rows.chunks_exact(d)).filter(|&(i, _)| self.weights[i] > 0.0);
            kernel::combine(numbered(), |i| self.weights[i], &mut self.mean);
            for Direction { v, scores: Scores(scores), across, .. } in &mut *directions {
                if new {
                    kernel::append_dots(rows, v, scores);
                }
                kernel::combine(numbered(), |i| scores[i] * self.weights[i], across);
            }
            (self.interrupt)();
        }
        for Direction { v, scores, across, length, across_scores } in directions {
            // The sum of weighted scores is that of x.v, or of z.v from the mean before.
            let offset = kernel::inner(&scores.0, &self.weights);
            scores.0.iter_mut().for_each(|score| *score -= offset);
            kernel::add_scaled(across, -offset, &self.mean);
            let along = kernel::inner(across, v) / kernel::inner(v, v);
            kernel::add_scaled(across, -along, v);
            *length = kernel::inner(across, across).sqrt();
            across.iter_mut().for_each(|a| *a /= length.max(f64::MIN_POSITIVE));
            across_scores.0.clear();
        }
    }

    /// Of each row.
    pub fn dimensions(&self) -> usize {
        self.mean.len()
    }

    /// What is to be called between passes.
    pub fn interrupt(&mut self) -> &mut dyn FnMut() {
        self.interrupt
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

    /// The scores along `v`, and in the same pass what is left to know of `directions`.
    pub fn scores(&mut self, v: &[f64], directions: &mut [Direction]) -> Scores {
        let mut scores = Scores::default();
        for (_, rows) in chunks(self.values, v.len()) {
            kernel::append_dots(rows, v, &mut scores.0);
            for direction in &mut *directions {
                kernel::append_dots(rows, &direction.across, &mut direction.across_scores.0);
            }
            (self.interrupt)();
        }
        self.centre(&mut scores, v);
        for direction in directions {
            self.centre(&mut direction.across_scores, &direction.across);
        }
        scores
    }

    /// `x_i.v` from the scores along `v`.
    pub fn uncentred(&self, scores: &Scores, v: &[f64]) -> Vec<f64> {
        let offset = kernel::inner(&self.mean, v);
        scores.0.iter().map(|score| score + offset).collect()
    }

    /// Makes scores of `x_i.v`.
    fn centre(&self, scores: &mut Scores, v: &[f64]) {
        let offset = kernel::inner(&self.mean, v);
        scores.0.iter_mut().for_each(|score| *score -= offset);
    }

    pub fn covariance(&self, a: &Scores, b: &Scores) -> f64 {
        kernel::inner_weighted(&a.0, &b.0, &self.weights)
    }

    pub fn deviation(&self, scores: &Scores) -> f64 {
        self.covariance(scores, scores).max(LEAST_VARIANCE).sqrt()
    }

    /// An approximation of `(C + ridge I)^-1 v`, `v` with the directions along which all rows vary played down, and
    /// its scores: the one that two steps of conjugate gradients find, the best in the span of `v` and `C v`.
    /// [`scores`](Self::scores) has seen the direction since it was last weighed.
    pub fn whitened(&self, direction: &Direction, ridge: f64) -> (Vec<f64>, Scores) {
        let Direction { v, scores, across, length, across_scores } = direction;
        let square = kernel::inner(v, v);
        // The system in the basis of v and across.
        let vv = self.covariance(scores, scores) + ridge * square;
        let aa = self.covariance(across_scores, across_scores) + ridge;
        let (along_v, along_across) = match *length > 0.0 {
            true => {
                let determinant = vv * aa - length * length;
                (aa * square / determinant, -length * square / determinant)
            }
            false => (square / vv, 0.0),
        };
        let combine = |a: &[f64], b: &[f64]| {
            a.iter().zip(b).map(|(a, b)| along_v * a + along_across * b).collect::<Vec<f64>>()
        };
        (combine(v, across), Scores(combine(&scores.0, &across_scores.0)))
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
