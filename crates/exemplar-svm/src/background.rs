//! The negatives as a cloud: its mean, and how widely it spreads along a direction.

use crate::kernel;
use crate::objective::chunks;

/// The least variance of scores that is believed; below it all rows look alike.
const LEAST_VARIANCE: f64 = 1e-9;

/// Unit rows `x_1..x_n`, seen from their mean: `z_i = x_i - mu`.
pub(crate) struct Background<'a> {
    values: &'a [f32],
    mean: Vec<f64>,
    interrupt: &'a mut dyn FnMut(),
}

/// `z_i.v` of every row of a background, mean 0.
#[derive(Debug, Clone, Default)]
pub(crate) struct Scores(pub Vec<f64>);

/// A direction `v` and how the rows spread along it: what whitening it takes.
pub(crate) struct Direction {
    v: Vec<f64>,
    pub scores: Scores,
    /// `C v`, where `C = Z'Z/n`, without its part along `v`: its unit direction, its length and its scores.
    across: Vec<f64>,
    length: f64,
    across_scores: Scores,
}

impl<'a> Background<'a> {
    /// `values` holds at least one row of `d` dimensions. The directions that are to be whitened are given here, so
    /// that one pass over the rows does for them and the mean.
    pub fn new(
        values: &'a [f32],
        d: usize,
        directions: impl IntoIterator<Item = Vec<f64>>,
        interrupt: &'a mut dyn FnMut(),
    ) -> (Self, Vec<Direction>) {
        let n = values.len() as f64 / d as f64;
        let mut mean = vec![0.0; d];
        let begin = |v| Direction {
            v,
            scores: Scores::default(),
            across: vec![0.0; d],
            length: 0.0,
            across_scores: Scores::default(),
        };
        let mut directions: Vec<_> = directions.into_iter().map(begin).collect();
        for (start, rows) in chunks(values, d) {
            let numbered = || (start..).zip(rows.chunks_exact(d));
            kernel::combine(numbered(), |_| 1.0 / n, &mut mean);
            for Direction { v, scores: Scores(scores), across, .. } in &mut directions {
                kernel::append_dots(rows, v, scores);
                kernel::combine(numbered(), |i| scores[i] / n, across);
            }
            interrupt();
        }
        let background = Background { values, mean, interrupt };
        for Direction { v, scores, across, length, .. } in &mut directions {
            let offset = background.centre(scores, v);
            kernel::add_scaled(across, -offset, &background.mean);
            let along = kernel::inner(across, v) / kernel::inner(v, v);
            kernel::add_scaled(across, -along, v);
            *length = kernel::inner(across, across).sqrt();
            across.iter_mut().for_each(|a| *a /= length.max(f64::MIN_POSITIVE));
        }
        (background, directions)
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

    /// Makes scores of `x_i.v`, and returns by how much they were more.
    fn centre(&self, scores: &mut Scores, v: &[f64]) -> f64 {
        let offset = kernel::inner(&self.mean, v);
        scores.0.iter_mut().for_each(|score| *score -= offset);
        offset
    }
}

impl Direction {
    /// An approximation of `(C + ridge I)^-1 v`, `v` with the directions along which all rows vary played down, and
    /// its scores: the one that two steps of conjugate gradients find, the best in the span of `v` and `C v`.
    /// [`Background::scores`] has seen the direction before.
    pub fn whitened(&self, ridge: f64) -> (Vec<f64>, Scores) {
        let square = kernel::inner(&self.v, &self.v);
        // The system in the basis of v and across.
        let vv = self.scores.covariance(&self.scores) + ridge * square;
        let aa = self.across_scores.covariance(&self.across_scores) + ridge;
        let (along_v, along_across) = match self.length > 0.0 {
            true => {
                let va = self.length;
                let determinant = vv * aa - va * va;
                (aa * square / determinant, -va * square / determinant)
            }
            false => (square / vv, 0.0),
        };
        let combine = |a: &[f64], b: &[f64]| {
            a.iter().zip(b).map(|(a, b)| along_v * a + along_across * b).collect::<Vec<f64>>()
        };
        (combine(&self.v, &self.across), Scores(combine(&self.scores.0, &self.across_scores.0)))
    }
}

impl Scores {
    pub fn deviation(&self) -> f64 {
        self.covariance(self).max(LEAST_VARIANCE).sqrt()
    }

    pub fn covariance(&self, other: &Scores) -> f64 {
        kernel::inner(&self.0, &other.0) / self.0.len() as f64
    }

    /// The third standardised moment: above 0 when a few rows score far above the others.
    pub fn skewness(&self) -> f64 {
        let deviation = self.deviation();
        self.0.iter().map(|s| (s / deviation).powi(3)).sum::<f64>() / self.0.len() as f64
    }

    /// `self + factor * other`
    pub fn add_scaled(&mut self, factor: f64, other: &Scores) {
        kernel::add_scaled(&mut self.0, factor, &other.0);
    }

    pub fn scaled(&self, factor: f64) -> Scores {
        Scores(self.0.iter().map(|score| score * factor).collect())
    }
}
