//! Inner products and row updates: `f32` rows, `f64` sums, vectorised for the CPU at hand.
//!
//! Sums run in 16 fixed lanes without fused multiply-add, so every CPU gives the same bits.

const LANES: usize = 16;

/// `a . b`.
pub fn dot(a: &[f32], b: &[f32]) -> f64 {
    pulp::Arch::new().dispatch(
        #[inline(always)]
        || sum_lanes(a, b, |x, y| f64::from(x) * f64::from(y)),
    )
}

/// `row . w`.
pub fn dot_wide(row: &[f32], w: &[f64]) -> f64 {
    pulp::Arch::new().dispatch(
        #[inline(always)]
        || dot_lanes(row, w),
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

/// For each row `i` of `rows`: `coefficient(i, row.w)`, and `sum += coefficient row` where that is
/// not 0. One pass over the rows, each read once.
pub fn accumulate(rows: &[f32], w: &[f64], sum: &mut [f64], mut coefficient: impl FnMut(usize, f64) -> f64) {
    pulp::Arch::new().dispatch(
        #[inline(always)]
        || {
            for (i, row) in rows.chunks_exact(w.len()).enumerate() {
                let c = coefficient(i, dot_lanes(row, w));
                if c != 0.0 {
                    sum.iter_mut().zip(row).for_each(|(s, &x)| *s += c * f64::from(x));
                }
            }
        },
    );
}

/// The same over the rows with `weight != 0` alone, `coefficient(weight, row.w)`.
pub fn accumulate_active(
    rows: &[f32],
    w: &[f64],
    weights: &[f64],
    sum: &mut [f64],
    mut coefficient: impl FnMut(f64, f64) -> f64,
) {
    pulp::Arch::new().dispatch(
        #[inline(always)]
        || {
            for (row, &weight) in rows.chunks_exact(w.len()).zip(weights) {
                if weight != 0.0 {
                    let c = coefficient(weight, dot_lanes(row, w));
                    sum.iter_mut().zip(row).for_each(|(s, &x)| *s += c * f64::from(x));
                }
            }
        },
    );
}

#[inline(always)]
fn dot_lanes(row: &[f32], w: &[f64]) -> f64 {
    sum_lanes(row, w, |x, y| f64::from(x) * y)
}

#[inline(always)]
fn sum_lanes<A: Copy, B: Copy>(a: &[A], b: &[B], product: impl Fn(A, B) -> f64) -> f64 {
    let mut lanes = [0.0; LANES];
    let (mut a_chunks, mut b_chunks) = (a.chunks_exact(LANES), b.chunks_exact(LANES));
    for (x, y) in a_chunks.by_ref().zip(b_chunks.by_ref()) {
        for k in 0..LANES {
            lanes[k] += product(x[k], y[k]);
        }
    }
    let rest = a_chunks.remainder().iter().zip(b_chunks.remainder());
    for (lane, (&x, &y)) in lanes.iter_mut().zip(rest) {
        *lane += product(x, y);
    }
    lanes.iter().sum()
}
