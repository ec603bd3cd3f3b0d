//! Inner products and row updates: `f32` rows, `f64` sums, vectorised for the CPU at hand.
//!
//! Sums run in fixed lanes without fused multiply-add, so every CPU gives the same bits.

use std::ops::{Add, AddAssign, Mul};

const LANES: usize = 16;

/// Rows taken at a time, so that `w` and the sum are loaded once for all of them.
const GROUP: usize = 4;

/// `a . b`.
pub fn dot(a: &[f32], b: &[f32]) -> f64 {
    pulp::Arch::new().dispatch(
        #[inline(always)]
        || sum_lanes(a, b, |x, y| f64::from(x) * f64::from(y)),
    )
}

/// `w . v` of wide vectors.
pub fn inner(w: &[f64], v: &[f64]) -> f64 {
    pulp::Arch::new().dispatch(
        #[inline(always)]
        || sum_lanes(w, v, |x, y| x * y),
    )
}

/// `y += a x`.
pub fn add_scaled(y: &mut [f64], a: f64, x: &[f64]) {
    y.iter_mut().zip(x).for_each(|(y, x)| *y += a * x);
}

/// What sums are made in: `f64` where the answer depends on it, `f32` where only the way there does.
pub trait Scalar: Copy + Default + From<f32> + Mul<Output = Self> + Add<Output = Self> + AddAssign {}
impl Scalar for f32 {}
impl Scalar for f64 {}

/// For each numbered row, of the length of `w`: `c = coefficient(number, row.w)` and `sum += c row`. One
/// pass, each row read once.
pub fn accumulate<'a, S: Scalar>(
    mut rows: impl Iterator<Item = (usize, &'a [f32])>,
    w: &[S],
    sum: &mut [S],
    mut coefficient: impl FnMut(usize, S) -> S,
) {
    pulp::Arch::new().dispatch(
        #[inline(always)]
        || loop {
            let mut group: [(usize, &[f32]); GROUP] = [(0, &[]); GROUP];
            let mut filled = 0;
            while filled < GROUP
                && let Some(row) = rows.next()
            {
                group[filled] = row;
                filled += 1;
            }
            if filled == GROUP {
                let vectors = group.map(|(_, row)| row);
                let scores = dot_group(vectors, w);
                let c = std::array::from_fn(|k| coefficient(group[k].0, scores[k]));
                add_group(sum, c, vectors);
                continue;
            }
            for &(number, row) in &group[..filled] {
                let [score, ..] = dot_group([row; GROUP], w);
                let c = coefficient(number, score);
                sum.iter_mut().zip(row).for_each(|(s, &x)| *s += c * S::from(x));
            }
            break;
        },
    );
}

/// Appends `row . w` for every row.
pub fn append_dots(rows: &[f32], w: &[f64], dots: &mut Vec<f64>) {
    pulp::Arch::new().dispatch(
        #[inline(always)]
        || {
            let mut groups = rows.chunks_exact(GROUP * w.len());
            for group in groups.by_ref() {
                dots.extend(dot_group(std::array::from_fn(|k| &group[k * w.len()..(k + 1) * w.len()]), w));
            }
            dots.extend(groups.remainder().chunks_exact(w.len()).map(|row| dot_group([row; GROUP], w)[0]));
        },
    );
}

/// `sum += coefficients[number] row` for each numbered row.
pub fn combine<'a>(
    mut rows: impl Iterator<Item = (usize, &'a [f32])>,
    coefficients: &[f64],
    sum: &mut [f64],
) {
    pulp::Arch::new().dispatch(
        #[inline(always)]
        || {
            while let Some((number, row)) = rows.next() {
                let mut group = [row; GROUP];
                let mut c = [0.0; GROUP];
                c[0] = coefficients[number];
                for k in 1..GROUP {
                    let Some((number, row)) = rows.next() else { break };
                    (group[k], c[k]) = (row, coefficients[number]);
                }
                add_group(sum, c, group);
            }
        },
    );
}

/// `row . w` of each row.
#[inline(always)]
fn dot_group<S: Scalar>(rows: [&[f32]; GROUP], w: &[S]) -> [S; GROUP] {
    let (w_chunks, w_rest) = w.as_chunks::<LANES>();
    let [(a, a_rest), (b, b_rest), (c, c_rest), (d, d_rest)] = rows.map(|row| row.as_chunks::<LANES>());
    let mut lanes = [[S::default(); LANES]; GROUP];
    for ((((w, a), b), c), d) in w_chunks.iter().zip(a).zip(b).zip(c).zip(d) {
        for k in 0..LANES {
            lanes[0][k] += S::from(a[k]) * w[k];
            lanes[1][k] += S::from(b[k]) * w[k];
            lanes[2][k] += S::from(c[k]) * w[k];
            lanes[3][k] += S::from(d[k]) * w[k];
        }
    }
    for (lanes, rest) in lanes.iter_mut().zip([a_rest, b_rest, c_rest, d_rest]) {
        for ((lane, &x), &w) in lanes.iter_mut().zip(rest).zip(w_rest) {
            *lane += S::from(x) * w;
        }
    }
    lanes.map(|lanes| lanes.into_iter().fold(S::default(), |sum, lane| sum + lane))
}

/// `sum += c[0] rows[0] + c[1] rows[1] + ...`
#[inline(always)]
fn add_group<S: Scalar>(sum: &mut [S], c: [S; GROUP], rows: [&[f32]; GROUP]) {
    let [w, x, y, z] = rows;
    for ((((s, &w), &x), &y), &z) in sum.iter_mut().zip(w).zip(x).zip(y).zip(z) {
        *s += (c[0] * S::from(w) + c[1] * S::from(x)) + (c[2] * S::from(y) + c[3] * S::from(z));
    }
}

#[inline(always)]
fn sum_lanes<A: Copy, B: Copy>(a: &[A], b: &[B], product: impl Fn(A, B) -> f64) -> f64 {
    let mut lanes = [0.0; LANES];
    let ((a_chunks, a_rest), (b_chunks, b_rest)) = (a.as_chunks::<LANES>(), b.as_chunks::<LANES>());
    for (x, y) in a_chunks.iter().zip(b_chunks) {
        for k in 0..LANES {
            lanes[k] += product(x[k], y[k]);
        }
    }
    for ((lane, &x), &y) in lanes.iter_mut().zip(a_rest).zip(b_rest) {
        *lane += product(x, y);
    }
    lanes.iter().sum()
}
