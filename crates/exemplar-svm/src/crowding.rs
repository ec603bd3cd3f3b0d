//! How crowded it is around the exemplars, which tells how much of a table is wanted.
//!
//! ```text
//! c = the share of the rows that are nearer to an exemplar than a typical row's nearest 32nd part of all
//! ```
//!
//! A typical row has 1/32 of the rows so near. An exemplar of a class that is a third of the table has more, and one of a few
//! rows hardly any. What is near is measured on the table itself, so that c hangs neither on the space nor on the number of rows.
//!
//! Several exemplars tell more:
//!
//! ```text
//! r = the geometric mean, over the exemplars, of 0.01 + the share of the rows that look more like the others than it does
//! ```
//!
//! where looks are scores along the others' mean, seen from the rows'. Those of a class that is half of the table do no better there
//! than every fourth row; those of a few rows stand above nearly all.

use crate::drawn::Drawn;
use crate::kernel;

/// The part of the rows that a typical row has near it, by definition.
pub(crate) const TYPICAL: f64 = 1.0 / 32.0;

/// Among how many rows what is near is measured and counted, and how often for typical rows: for 16 of many, for all of few.
const AMONG: usize = 512;
const PRODUCTS: usize = 16 * AMONG;

/// How many exemplars are looked at.
pub(crate) const EXEMPLARS: usize = 16;

/// What is added to each share of `r`, about what can be told among so few rows.
const LEAST_RANK: f64 = 0.01;

/// What is near in a table.
#[derive(Debug, Clone)]
pub(crate) struct Crowding {
    /// The numbers of the rows among which it is counted.
    among: Vec<usize>,
    /// The least `x.x'` of two near rows.
    near: f32,
}

impl Crowding {
    /// Of unit rows, two at least.
    pub fn of(rows: &Drawn) -> Self {
        let among: Vec<usize> = (0..rows.len().min(AMONG)).collect();
        let part = (TYPICAL * among.len() as f64).round().max(1.0) as usize - 1;
        let least = |place: usize| {
            let others = among.iter().filter(|&&other| other != place).map(|&other| rows.at(other));
            let mut products = kernel::dots_of(others, rows.at(place));
            *products.select_nth_unstable_by(part, |a, b| b.total_cmp(a)).1
        };
        let mut typical: Vec<f32> =
            among.iter().take(PRODUCTS / among.len()).map(|&place| least(place)).collect();
        typical.sort_unstable_by(f32::total_cmp);
        Crowding { among: rows.first(AMONG).to_vec(), near: typical[(typical.len() - 1) / 2] }
    }

    /// `c` around exemplars of these weights among the same rows, all of length 1 and `d` dimensions: the mean of their own.
    pub fn around(&self, exemplars: &[f32], weights: &[f64], rows: &[f32], d: usize) -> f64 {
        let (mut near, mut total) = (0.0, 0.0);
        for &exemplar in Drawn::of(exemplars, d).first(EXEMPLARS) {
            let products = kernel::dots_of(self.among(rows, d), &exemplars[exemplar * d..(exemplar + 1) * d]);
            let count = products.into_iter().filter(|&product| product > self.near).count();
            near += weights[exemplar] * count as f64;
            total += weights[exemplar];
        }
        near / (total * self.among.len() as f64)
    }

    /// `r` of two or more [distinct] exemplars among the rows given to [`around`](Self::around).
    pub fn rank(&self, exemplars: &[(&[f32], f64)], rows: &[f32], d: usize) -> f64 {
        let (n, total) = (self.among.len() as f64, exemplars.iter().map(|(_, weight)| weight).sum::<f64>());
        let (mut mean, mut together) = (vec![0.0; d], vec![0.0; d]);
        kernel::combine((0..).zip(self.among(rows, d)), |_| 1.0 / n, &mut mean);
        let numbered = exemplars.iter().enumerate().map(|(i, (row, _))| (i, *row));
        kernel::combine(numbered, |i| exemplars[i].1, &mut together);
        let logarithm = |&(exemplar, weight): &(&[f32], f64)| {
            let other = |(k, together): (usize, &f64)| {
                (together - weight * f64::from(exemplar[k]) - (total - weight) * mean[k]) as f32
            };
            let others: Vec<f32> = together.iter().enumerate().map(other).collect();
            let own = kernel::dots_of(std::iter::once(exemplar), &others)[0];
            let above =
                kernel::dots_of(self.among(rows, d), &others).into_iter().filter(|&score| score > own);
            weight * (above.count() as f64 / n + LEAST_RANK).ln()
        };
        (exemplars.iter().map(logarithm).sum::<f64>() / total).exp()
    }

    /// The rows among which it is counted.
    fn among<'a>(&'a self, rows: &'a [f32], d: usize) -> impl Iterator<Item = &'a [f32]> {
        self.among.iter().map(move |&row| &rows[row * d..(row + 1) * d])
    }

    /// How much memory it takes beside itself.
    pub fn bytes(&self) -> usize {
        self.among.capacity() * size_of::<usize>()
    }
}

/// Rows of some weight, copies as one that weighs what they do together; no more than [`EXEMPLARS`] are looked for.
pub(crate) fn distinct<'a>(rows: &'a [f32], weights: &[f64], d: usize) -> Vec<(&'a [f32], f64)> {
    let mut found: Vec<(&[f32], f64)> = Vec::new();
    for (row, &weight) in rows.chunks_exact(d).zip(weights).filter(|&(_, &weight)| weight > 0.0) {
        match found.iter().position(|(other, _)| *other == row) {
            Some(place) => found[place].1 += weight,
            None if found.len() == EXEMPLARS => break,
            None => found.push((row, weight)),
        }
    }
    found
}
