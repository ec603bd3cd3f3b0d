//! Near rows should score alike.
//!
//! ```text
//! w <- (I + C / 10)^-1 w        C = sum_i d_i d_i', scaled to a mean of 1 on its diagonal
//! ```
//!
//! `d_i` is the difference of a row of the background and the row nearest to it. Such rows mostly mean the same, so what they
//! differ by is noise: of the picture's crop, of the wording, of the model. The result is the `w` nearest to the one given that lets
//! rows differ little in score where they hardly differ, `min |w' - w|^2 + sum_i (w'.d_i)^2 / 10` in the units of C. No label is
//! needed, and one exemplar, whose own noise J cannot know, gains most.
//!
//! # Source
//! Belkin, Niyogi, Sindhwani, JMLR 7, 2006 (penalties on how much a function varies between near points).

use crate::crowding::Crowding;
use crate::drawn::Drawn;
use crate::highest::{TILE, highest_products};
use crate::kernel::{self, GROUP};

/// Rows whose nearest is looked for, by some coordinates first and then among candidates. All of a thousand are worth .002 mAP more.
const ROWS: usize = 256;

/// With fewer rows than this, the nearest is not near.
const LEAST_ROWS: usize = 12;

/// Candidates, the row itself among them: two groups and that.
const CANDIDATES: usize = 2 * GROUP + 1;

/// Rows of unit length nearer than this (half their squared distance) are copies, which say nothing.
const COPIES: f32 = 1e-6;

/// What C weighs beside I. A twentieth to a fifth do nearly as well.
const STRENGTH: f64 = 0.1;

/// Steps of conjugate gradients; more change nothing that shows in mAP.
const STEPS: usize = 4;

/// The differences of rows and the rows nearest to them.
#[derive(Debug, Clone)]
pub(crate) struct NearRows {
    differences: Vec<f32>,
    /// What scales the sum of their outer products to a mean of [`STRENGTH`] on its diagonal.
    factor: f64,
    pub crowding: Crowding,
}

impl NearRows {
    /// `values` are unit rows of `d` dimensions. `None` where there are too few, or all are copies of each other.
    pub fn of(values: &[f32], d: usize, interrupt: &mut dyn FnMut()) -> Option<Self> {
        let n = values.len() / d;
        if n < LEAST_ROWS {
            return None;
        }
        let rows = Drawn::of(values, d);
        let (coarse, mut products) = (Coarse::of(&rows), Default::default());
        let places: Vec<usize> = (0..rows.len().min(ROWS)).collect();
        let (mut differences, mut total) = (Vec::with_capacity(places.len() * d), 0.0);
        for group in places.chunks(GROUP) {
            for (&place, candidates) in group.iter().zip(coarse.nearest(group, &mut products)) {
                if let Some(nearest) = nearest(&rows, place, &candidates) {
                    let from = differences.len();
                    differences.extend(rows.at(place).iter().zip(nearest).map(|(a, b)| a - b));
                    total += kernel::dot(&differences[from..], &differences[from..]);
                }
            }
            interrupt();
        }
        (total > 0.0).then(|| NearRows {
            differences,
            factor: STRENGTH * d as f64 / total,
            crowding: Crowding::of(&rows),
        })
    }

    /// How much memory they take.
    pub fn bytes(&self) -> usize {
        self.differences.capacity() * size_of::<f32>() + self.crowding.bytes()
    }

    /// `(I + C / 10)^-1 w`, by a fixed number of steps of conjugate gradients.
    pub fn smoothed(&self, w: &[f64]) -> Vec<f64> {
        let mut smooth = vec![0.0; w.len()];
        let (mut residual, mut direction) = (w.to_vec(), w.to_vec());
        let mut square = kernel::inner(w, w);
        let factor = self.factor as f32;
        for _ in 0..STEPS {
            // In single precision, as precise as w will be.
            let single: Vec<f32> = direction.iter().map(|&v| v as f32).collect();
            let mut product = vec![0.0; w.len()];
            let rows = (0..).zip(self.differences.chunks_exact(w.len()));
            kernel::accumulate(rows, &single, &mut product, |_, score| factor * score);
            let curved: Vec<f64> = direction.iter().zip(product).map(|(d, p)| d + f64::from(p)).collect();
            let curvature = kernel::inner(&direction, &curved);
            if curvature <= 0.0 || curvature.is_nan() {
                break;
            }
            let step = square / curvature;
            kernel::add_scaled(&mut smooth, step, &direction);
            kernel::add_scaled(&mut residual, -step, &curved);
            let left = kernel::inner(&residual, &residual);
            direction.iter_mut().zip(&residual).for_each(|(d, r)| *d = r + left / square * *d);
            square = left;
        }
        smooth
    }
}

/// The candidate nearest to the row at `place`, the first of equally near ones; `None` if all are copies of it.
fn nearest<'a>(rows: &Drawn<'a>, place: usize, candidates: &[usize]) -> Option<&'a [f32]> {
    let own = rows.at(place);
    let mut nearest: Option<(f32, &[f32])> = None;
    let others = candidates.iter().filter(|&&other| other != place && other < rows.len());
    let others: Vec<&[f32]> = others.map(|&other| rows.at(other)).collect();
    for (&other, score) in others.iter().zip(kernel::dots_of(others.iter().copied(), own)) {
        let half = 1.0 - score;
        if half > COPIES && nearest.is_none_or(|(least, _)| half < least) {
            nearest = Some((half, other));
        }
    }
    nearest.map(|(_, row)| row)
}

/// Some coordinates of rows, by which near ones are found fast.
struct Coarse {
    /// Of [`TILE`] rows the first coordinates, the second ones and so on, then those of the next rows.
    columns: Vec<f32>,
    /// Half of each row's squared length; infinite for those that make whole tiles.
    halves: Vec<f32>,
    coordinates: usize,
}

impl Coarse {
    fn of(rows: &Drawn) -> Self {
        let (padded, coordinates) = (rows.len().next_multiple_of(TILE), rows.coordinates.len());
        let mut columns = vec![0.0; coordinates * padded];
        let mut halves = vec![f32::INFINITY; padded];
        for (place, half) in halves.iter_mut().enumerate().take(rows.len()) {
            let (row, mut square) = (rows.at(place), 0.0);
            let column = &mut columns[place / TILE * TILE * coordinates + place % TILE..];
            for (value, &from) in column.iter_mut().step_by(TILE).zip(&rows.coordinates) {
                *value = row[from];
                square += row[from] * row[from];
            }
            *half = square / 2.0;
        }
        Coarse { columns, halves, coordinates }
    }

    /// The places of the rows nearest to those at each of `places`, themselves among them.
    fn nearest(
        &self,
        places: &[usize],
        products: &mut [Vec<[f32; TILE]>; GROUP],
    ) -> [[usize; CANDIDATES]; GROUP] {
        let value = |place: usize, i: usize| {
            self.columns[(place / TILE * self.coordinates + i) * TILE + place % TILE]
        };
        let own = |i| std::array::from_fn(|k| value(places[k.min(places.len() - 1)], i));
        let vectors: Vec<[f32; GROUP]> = (0..self.coordinates).map(own).collect();
        highest_products(&self.columns, &self.halves, &vectors, products)
    }
}
