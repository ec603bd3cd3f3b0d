//! Inner products and row updates: `f32` rows, `f64` sums, vectorised for the CPU at hand.
//!
//! Sums run in fixed lanes without fused multiply-add, so every CPU gives the same bits.

use std::hint::black_box;
use std::ops::{Add, AddAssign, Mul};

use pulp::{Arch, NullaryFnOnce};

const LANES: usize = 16;

/// Lanes of sums in single precision, whose latency is hidden by their number.
const ROUGH_LANES: usize = 4 * LANES;

/// Rows taken at a time, so that `w` and the sum are loaded once for all of them.
pub const GROUP: usize = 4;

/// What sums are made in: `f64` where the answer depends on it, `f32` where only the way there does.
pub trait Scalar:
    Copy + Default + From<f32> + Into<f64> + Mul<Output = Self> + Add<Output = Self> + AddAssign
{
}
impl Scalar for f32 {}
impl Scalar for f64 {}

/// `a . b`.
pub fn dot(a: &[f32], b: &[f32]) -> f64 {
    vectorised(
        #[inline(always)]
        || sum_lanes(a, b, |x, y| f64::from(x) * f64::from(y)),
    )
}

/// `a . b` in single precision.
pub fn dot_roughly(a: &[f32], b: &[f32]) -> f32 {
    vectorised(
        #[inline(always)]
        || {
            let ((a_chunks, a_rest), (b_chunks, b_rest)) =
                (a.as_chunks::<ROUGH_LANES>(), b.as_chunks::<ROUGH_LANES>());
            let mut lanes = [0.0; ROUGH_LANES];
            for (x, y) in a_chunks.iter().zip(b_chunks) {
                for k in 0..ROUGH_LANES {
                    lanes[k] += x[k] * y[k];
                }
            }
            let rest: f32 = a_rest.iter().zip(b_rest).map(|(x, y)| x * y).sum();
            let [a, b, c, d]: [&[f32; LANES]; 4] = std::array::from_fn(|i| &lanes.as_chunks().0[i]);
            total(std::array::from_fn(|k| (a[k] + b[k]) + (c[k] + d[k]))) + rest
        },
    )
}

/// `w . v` of wide vectors.
pub fn inner(w: &[f64], v: &[f64]) -> f64 {
    vectorised(
        #[inline(always)]
        || sum_lanes(w, v, |x, y| x * y),
    )
}

/// `sum_i v_i a_i b_i`.
pub fn inner_weighted(a: &[f64], b: &[f64], v: &[f64]) -> f64 {
    vectorised(
        #[inline(always)]
        || {
            let ((a_chunks, a_rest), (b_chunks, b_rest)) = (a.as_chunks::<LANES>(), b.as_chunks::<LANES>());
            let (v_chunks, v_rest) = v.as_chunks::<LANES>();
            let mut lanes = [0.0; LANES];
            for ((a, b), v) in a_chunks.iter().zip(b_chunks).zip(v_chunks) {
                for k in 0..LANES {
                    lanes[k] += v[k] * (a[k] * b[k]);
                }
            }
            for (lane, ((a, b), v)) in lanes.iter_mut().zip(a_rest.iter().zip(b_rest).zip(v_rest)) {
                *lane += v * (a * b);
            }
            total(lanes)
        },
    )
}

/// `y += a x`.
pub fn add_scaled(y: &mut [f64], a: f64, x: &[f64]) {
    vectorised(
        #[inline(always)]
        || y.iter_mut().zip(x).for_each(|(y, x)| *y += a * x),
    );
}

/// `y = a x`.
pub fn scale(y: &mut [f32], a: f64, x: &[f32]) {
    vectorised(
        #[inline(always)]
        || y.iter_mut().zip(x).for_each(|(y, &x)| *y = (a * f64::from(x)) as f32),
    );
}

/// By how much the values above `threshold` are above it, weighted and together, and how much they weigh.
pub fn excess(values: &[f64], weights: &[f64], threshold: f64) -> (f64, f64) {
    let above = |value: f64, weight: f64| if value > threshold { weight } else { 0.0 };
    vectorised(
        #[inline(always)]
        || {
            let (mut sums, mut counts) = ([0.0; LANES], [0.0; LANES]);
            let (chunks, rest) = values.as_chunks::<LANES>();
            let (weight_chunks, weight_rest) = weights.as_chunks::<LANES>();
            for (chunk, weights) in chunks.iter().zip(weight_chunks) {
                for k in 0..LANES {
                    let weight = above(chunk[k], weights[k]);
                    sums[k] += weight * (chunk[k] - threshold);
                    counts[k] += weight;
                }
            }
            for (k, (&value, &weight)) in rest.iter().zip(weight_rest).enumerate() {
                let weight = above(value, weight);
                sums[k] += weight * (value - threshold);
                counts[k] += weight;
            }
            (total(sums), total(counts))
        },
    )
}

/// With `e = before + t along + b`, over those that are above 0: half the sum of `v e^2`, its first derivatives by `t` and `b`, and its
/// second ones by `t t`, `t b` and `b b`. `v` is `weights`.
pub fn excess_along(before: &[f64], along: &[f64], weights: &[f64], t: f64, b: f64) -> [f64; 6] {
    #[inline(always)]
    fn one(before: f64, along: f64, weight: f64, t: f64, b: f64) -> [f64; 6] {
        let excess = before + t * along + b;
        let weight = if excess > 0.0 { weight } else { 0.0 };
        let (first, second) = (weight * excess, weight * along);
        [0.5 * first * excess, first * along, first, second * along, second, weight]
    }
    vectorised(
        #[inline(always)]
        || {
            let mut sums = [[0.0; LANES]; 6];
            let (chunks, rest) = before.as_chunks::<LANES>();
            let (along_chunks, along_rest) = along.as_chunks::<LANES>();
            let (weight_chunks, weight_rest) = weights.as_chunks::<LANES>();
            for ((before, along), weights) in chunks.iter().zip(along_chunks).zip(weight_chunks) {
                for k in 0..LANES {
                    let terms = one(before[k], along[k], weights[k], t, b);
                    for (sums, term) in sums.iter_mut().zip(terms) {
                        sums[k] += term;
                    }
                }
            }
            for (k, ((&before, &along), &weight)) in rest.iter().zip(along_rest).zip(weight_rest).enumerate()
            {
                let terms = one(before, along, weight, t, b);
                for (sums, term) in sums.iter_mut().zip(terms) {
                    sums[k] += term;
                }
            }
            sums.map(total)
        },
    )
}

/// For each numbered row, of the length of `w`: `c = coefficient(number, row.w)` and `sum += c row`. One
/// pass, each row read once.
pub fn accumulate<'a, S: Scalar>(
    mut rows: impl Iterator<Item = (usize, &'a [f32])>,
    w: &[S],
    sum: &mut [S],
    mut coefficient: impl FnMut(usize, S) -> S,
) {
    vectorised(
        #[inline(always)]
        || {
            while let Some(Group { numbers, rows: group, filled }) = next_group(&mut rows) {
                let scores = dot_group(group, w);
                let mut c = [S::default(); GROUP];
                for k in 0..filled {
                    c[k] = coefficient(numbers[k], scores[k]);
                }
                add_group(sum, c, group);
            }
        },
    );
}

/// `row . w` of each of some rows, in single precision.
fn dots_roughly(rows: [&[f32]; GROUP], w: &[f32]) -> [f32; GROUP] {
    vectorised(
        #[inline(always)]
        || dot_group(rows, w),
    )
}

/// `row . w` of rows that lie apart, in single precision.
pub fn dots_of<'a>(rows: impl Iterator<Item = &'a [f32]>, w: &[f32]) -> Vec<f32> {
    let rows: Vec<&[f32]> = rows.collect();
    let groups = rows.chunks(GROUP).flat_map(|group| {
        let dots = dots_roughly(std::array::from_fn(|k| group[k.min(group.len() - 1)]), w);
        dots.into_iter().take(group.len())
    });
    groups.collect()
}

/// Appends `row . w` for every row, summed in the precision of `w`.
pub fn append_dots<S: Scalar>(rows: &[f32], w: &[S], dots: &mut Vec<f64>) {
    vectorised(
        #[inline(always)]
        || {
            let mut groups = rows.chunks_exact(GROUP * w.len());
            for group in groups.by_ref() {
                let group = std::array::from_fn(|k| &group[k * w.len()..(k + 1) * w.len()]);
                dots.extend(dot_group(group, w).map(Into::into));
            }
            let rest = groups.remainder().chunks_exact(w.len());
            dots.extend(rest.map(|row| dot_group([row; GROUP], w)[0].into()));
        },
    );
}

/// `sum += coefficient(number) row` for each numbered row.
pub fn combine<'a, S: Scalar>(
    mut rows: impl Iterator<Item = (usize, &'a [f32])>,
    coefficient: impl Fn(usize) -> S,
    sum: &mut [S],
) {
    vectorised(
        #[inline(always)]
        || {
            while let Some(Group { numbers, rows: group, filled }) = next_group(&mut rows) {
                let mut c = [S::default(); GROUP];
                for k in 0..filled {
                    c[k] = coefficient(numbers[k]);
                }
                add_group(sum, c, group);
            }
        },
    );
}

/// Rows, their numbers and how many they are; the first one stands in for those that are missing.
struct Group<'a> {
    numbers: [usize; GROUP],
    rows: [&'a [f32]; GROUP],
    filled: usize,
}

#[inline(always)]
fn next_group<'a>(rows: &mut impl Iterator<Item = (usize, &'a [f32])>) -> Option<Group<'a>> {
    let (number, row) = rows.next()?;
    let mut group = Group { numbers: [number; GROUP], rows: [row; GROUP], filled: 1 };
    while group.filled < GROUP
        && let Some((number, row)) = rows.next()
    {
        (group.numbers[group.filled], group.rows[group.filled]) = (number, row);
        group.filled += 1;
    }
    Some(group)
}

/// `row . w` of each row.
#[inline(always)]
fn dot_group<S: Scalar>(rows: [&[f32]; GROUP], w: &[S]) -> [S; GROUP] {
    let (w_chunks, w_rest) = w.as_chunks::<LANES>();
    let [(a, a_rest), (b, b_rest), (c, c_rest), (d, d_rest)] = rows.map(|row| row.as_chunks::<LANES>());
    // Four variables and values, not an array and references: these stay in registers.
    let zero = [S::default(); LANES];
    let (mut a_sums, mut b_sums, mut c_sums, mut d_sums) = (zero, zero, zero, zero);
    for ((((w, a), b), c), d) in w_chunks.iter().zip(a).zip(b).zip(c).zip(d) {
        a_sums = plus_products(a_sums, a, w);
        b_sums = plus_products(b_sums, b, w);
        c_sums = plus_products(c_sums, c, w);
        d_sums = plus_products(d_sums, d, w);
    }
    let mut sums = [a_sums, b_sums, c_sums, d_sums];
    for (lanes, rest) in sums.iter_mut().zip([a_rest, b_rest, c_rest, d_rest]) {
        for ((lane, &x), &w) in lanes.iter_mut().zip(rest).zip(w_rest) {
            *lane += S::from(x) * w;
        }
    }
    // Seen through, the four totals are made side by side, and each row is shuffled for that, at thrice the time.
    sums.map(|lanes| total(black_box(lanes)))
}

#[inline(always)]
fn plus_products<S: Scalar>(sums: [S; LANES], x: &[f32; LANES], w: &[S; LANES]) -> [S; LANES] {
    let x = x.map(S::from);
    std::array::from_fn(|k| sums[k] + x[k] * w[k])
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
    total(lanes)
}

/// The sum of the lanes, by halves.
#[inline(always)]
fn total<S: Scalar>(lanes: [S; LANES]) -> S {
    let eight: [S; 8] = std::array::from_fn(|k| lanes[k] + lanes[k + 8]);
    let four: [S; 4] = std::array::from_fn(|k| eight[k] + eight[k + 4]);
    (four[0] + four[2]) + (four[1] + four[3])
}

/// A closure that pulp inlines into code for the CPU at hand. A closure alone it calls as `FnOnce`, through a
/// shim that is compiled for any CPU and not inlined.
struct Inlined<F>(F);

impl<R, F: FnMut() -> R> NullaryFnOnce for Inlined<F> {
    type Output = R;

    #[inline(always)]
    fn call(mut self) -> R {
        (self.0)()
    }
}

#[inline(always)]
pub fn vectorised<R>(kernel: impl FnMut() -> R) -> R {
    arch().dispatch(Inlined(kernel))
}

#[cfg(not(test))]
#[inline(always)]
fn arch() -> Arch {
    Arch::new()
}

#[cfg(test)]
thread_local! {
    /// The path that tests force.
    pub static FORCED: std::cell::Cell<Option<Arch>> = const { std::cell::Cell::new(None) };
}

#[cfg(test)]
fn arch() -> Arch {
    FORCED.get().unwrap_or_default()
}

/// All paths of this CPU.
#[cfg(test)]
pub fn paths() -> Vec<Arch> {
    #[cfg(target_arch = "x86_64")]
    let wide = [pulp::x86::V3::try_new().map(Arch::V3), pulp::x86::V4::try_new().map(Arch::V4)];
    #[cfg(target_arch = "aarch64")]
    let wide = [pulp::aarch64::Neon::try_new().map(Arch::Neon)];
    std::iter::once(Arch::Scalar).chain(wide.into_iter().flatten()).collect()
}
