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

use crate::kernel::{self, GROUP, TILE};

/// Rows whose nearest is looked for. All of a thousand are worth .002 mAP more than these.
const ROWS: usize = 256;

/// Among how many rows: enough for near ones, and few beside the fit.
const AMONG: usize = 4096;

/// With fewer rows than this, the nearest is not near.
const LEAST_ROWS: usize = 12;

/// The nearest row is looked for by so many coordinates first, in runs of a cache line, and then among candidates.
const COORDINATES: usize = 32;
const RUN: usize = 16;

/// How often what rows are drawn by goes round for a difference of 1.
const TURNS: f64 = 100.0;

/// Candidates, the row itself among them.
const CANDIDATES: usize = 9;

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
}

impl NearRows {
    /// `values` are unit rows of `d` dimensions. `None` where there are too few, or all are copies of each other.
    pub fn of(values: &[f32], d: usize, interrupt: &mut dyn FnMut()) -> Option<Self> {
        let n = values.len() / d;
        if n < LEAST_ROWS {
            return None;
        }
        let rows = Rows::of(values, d);
        let coarse = Coarse::of(&rows);
        let places: Vec<usize> = (0..rows.looked_at.len().min(ROWS)).collect();
        let (mut differences, mut total) = (Vec::with_capacity(places.len() * d), 0.0);
        for group in places.chunks(GROUP) {
            for (&place, candidates) in group.iter().zip(coarse.nearest(group)) {
                let own = rows.at(place);
                let others = candidates.iter().filter(|&&other| other < rows.looked_at.len());
                let others = others.map(|&other| rows.at(other));
                if let Some(nearest) = nearest_other(own, others) {
                    let from = differences.len();
                    differences.extend(own.iter().zip(nearest).map(|(a, b)| a - b));
                    total += kernel::dot(&differences[from..], &differences[from..]);
                }
            }
            interrupt();
        }
        (total > 0.0).then(|| NearRows { differences, factor: STRENGTH * d as f64 / total })
    }

    /// `(I + C / 10)^-1 w`, by a fixed number of steps of conjugate gradients.
    pub fn smoothed(&self, w: &[f64]) -> Vec<f64> {
        let mut smooth = vec![0.0; w.len()];
        let (mut residual, mut direction) = (w.to_vec(), w.to_vec());
        let mut square = kernel::inner(w, w);
        for _ in 0..STEPS {
            let mut curved = direction.clone();
            let rows = (0..).zip(self.differences.chunks_exact(w.len()));
            kernel::accumulate(rows, &direction, &mut curved, |_, score| self.factor * score);
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

/// The rows that are looked at.
struct Rows<'a> {
    values: &'a [f32],
    d: usize,
    /// The coordinates by which near ones are found.
    coordinates: Vec<usize>,
    /// Their numbers, drawn and ordered by a sum of these coordinates that goes round many times: a choice that hangs neither on the
    /// order of the rows, nor on the last bits of their values, nor for one row on the others.
    looked_at: Vec<usize>,
}

impl<'a> Rows<'a> {
    fn of(values: &'a [f32], d: usize) -> Self {
        let runs = spread(d / RUN, COORDINATES / RUN).flat_map(|run| run * RUN..(run + 1) * RUN);
        let coordinates: Vec<usize> = if d < COORDINATES { (0..d).collect() } else { runs.collect() };
        let lot = |row: &[f32]| {
            let sum = (1..)
                .zip(&coordinates)
                .map(|(weight, &k)| f64::from(weight) * f64::from(row[k]))
                .sum::<f64>();
            let turns = TURNS * sum;
            (turns - turns.round()).abs()
        };
        let mut drawn: Vec<(f64, usize)> = values.chunks_exact(d).map(lot).zip(0..).collect();
        drawn.sort_unstable_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
        drawn.truncate(AMONG);
        let looked_at = drawn.into_iter().map(|(_, row)| row).collect();
        Rows { values, d, coordinates, looked_at }
    }

    fn at(&self, place: usize) -> &'a [f32] {
        let from = self.looked_at[place] * self.d;
        &self.values[from..from + self.d]
    }
}

/// `most` of `n` numbers, evenly apart.
fn spread(n: usize, most: usize) -> impl Iterator<Item = usize> {
    (0..most).map(move |i| i * n / most)
}

/// The row nearest to `own`, the first of equally near ones; `None` if all are copies of it.
fn nearest_other<'a>(own: &[f32], others: impl Iterator<Item = &'a [f32]>) -> Option<&'a [f32]> {
    let apart = others.map(|other| (1.0 - kernel::dot_roughly(own, other), other));
    let nearest = apart.filter(|(half, _)| *half > COPIES).min_by(|a, b| a.0.total_cmp(&b.0))?;
    Some(nearest.1)
}

/// Some coordinates of rows, by which near ones are found fast.
struct Coarse {
    /// All rows' first coordinates, then all their second ones; rows of 0 make them whole tiles.
    columns: Vec<f32>,
    /// Half of each row's squared length; infinite for those.
    halves: Vec<f32>,
}

impl Coarse {
    fn of(rows: &Rows) -> Self {
        let padded = rows.looked_at.len().next_multiple_of(TILE);
        let mut columns = vec![0.0; rows.coordinates.len() * padded];
        let mut halves = vec![f32::INFINITY; padded];
        for (place, half) in halves.iter_mut().enumerate().take(rows.looked_at.len()) {
            let (row, mut square) = (rows.at(place), 0.0);
            for (k, &from) in rows.coordinates.iter().enumerate() {
                columns[k * padded + place] = row[from];
                square += row[from] * row[from];
            }
            *half = square / 2.0;
        }
        Coarse { columns, halves }
    }

    /// The places of the rows nearest to those at each of `places`, themselves among them.
    fn nearest(&self, places: &[usize]) -> [[usize; CANDIDATES]; GROUP] {
        let own = |column: &[f32]| std::array::from_fn(|k| column[places[k.min(places.len() - 1)]]);
        let vectors: Vec<[f32; GROUP]> = self.columns.chunks_exact(self.halves.len()).map(own).collect();
        kernel::highest_products(&self.columns, &self.halves, &vectors)
    }
}
