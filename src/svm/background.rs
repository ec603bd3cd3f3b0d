//! The negatives as a cloud: its mean, and how widely it spreads along a direction.

use super::kernel;
use super::objective::{append_scores, chunks};

/// The least variance of scores that is believed; below it all rows look alike.
const LEAST_VARIANCE: f64 = 1e-9;

/// Unit rows `x_1..x_n`, seen from their mean: `z_i = x_i - mu`.
pub(super) struct Background<'a> {
    values: &'a [f32],
    pub mean: Vec<f64>,
    interrupt: &'a mut dyn FnMut(),
}

/// `z_i.v` of every row of a background, mean 0.
#[derive(Clone)]
pub(super) struct Scores(pub Vec<f64>);

impl<'a> Background<'a> {
    /// `values` holds at least one row of `d` dimensions.
    pub fn new(values: &'a [f32], d: usize, interrupt: &'a mut dyn FnMut()) -> Self {
        let n = values.len() / d;
        let mut mean = vec![0.0; d];
        let equal = 1.0 / n as f64;
        for (start, rows) in chunks(values, d) {
            kernel::combine((start..).zip(rows.chunks_exact(d)), |_| equal, &mut mean);
            interrupt();
        }
        Background { values, mean, interrupt }
    }

    pub fn len(&self) -> usize {
        self.values.len() / self.mean.len()
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

    pub fn scores(&mut self, v: &[f64]) -> Scores {
        let mut scores = Vec::with_capacity(self.len());
        append_scores(self.values, v, &mut scores, self.interrupt);
        let offset = kernel::inner(&self.mean, v);
        scores.iter_mut().for_each(|score| *score -= offset);
        Scores(scores)
    }

    /// An approximation of `(Z'Z/n + ridge I)^-1 v` by `steps` steps of conjugate gradients: `v` with the
    /// directions along which all rows vary played down.
    pub fn whiten(&mut self, v: &[f64], ridge: f64, steps: usize) -> Vec<f64> {
        let mut solution = vec![0.0; v.len()];
        let mut residual = v.to_vec();
        let mut direction = v.to_vec();
        let mut square = kernel::inner(&residual, &residual);
        for _ in 0..steps {
            if square == 0.0 {
                break;
            }
            let curved = self.covariance_product(&direction, ridge);
            let length = square / kernel::inner(&direction, &curved);
            kernel::add_scaled(&mut solution, length, &direction);
            kernel::add_scaled(&mut residual, -length, &curved);
            let next = kernel::inner(&residual, &residual);
            let beta = next / square;
            square = next;
            direction.iter_mut().zip(&residual).for_each(|(d, r)| *d = r + beta * *d);
        }
        solution
    }

    fn covariance_product(&mut self, v: &[f64], ridge: f64) -> Vec<f64> {
        let (d, n) = (v.len(), self.len() as f64);
        let offset = kernel::inner(&self.mean, v);
        let mut product: Vec<f64> = v.iter().map(|v| ridge * v).collect();
        for (start, rows) in chunks(self.values, d) {
            let rows = (start..).zip(rows.chunks_exact(d));
            kernel::accumulate(rows, v, &mut product, |_, score| (score - offset) / n);
            (self.interrupt)();
        }
        product
    }
}

impl Scores {
    pub fn deviation(&self) -> f64 {
        self.covariance(self).max(LEAST_VARIANCE).sqrt()
    }

    pub fn covariance(&self, other: &Scores) -> f64 {
        self.0.iter().zip(&other.0).map(|(a, b)| a * b).sum::<f64>() / self.0.len() as f64
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
}
