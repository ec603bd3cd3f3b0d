//! The best bias for given scores.

use crate::problem::Problem;

/// The `b` that minimises the rows' loss at the scores `z_i + b`, searched from `b`: Newton steps on the derivative,
/// which is increasing, kept between bounds that close in on its zero.
pub(crate) fn best(problem: &Problem, scores: &[f64], mut b: f64) -> f64 {
    let (mut low, mut high) = (f64::NEG_INFINITY, f64::INFINITY);
    // Finitely many pieces end the search long before this.
    for _ in 0..200 {
        let (slope, curvature) = problem.slope(scores, b);
        if slope < 0.0 {
            low = b;
        } else {
            high = b;
        }
        let newton = b - slope / curvature;
        let next = if newton > low && newton < high { newton } else { low / 2.0 + high / 2.0 };
        if slope == 0.0 || !next.is_finite() || (next - b).abs() <= 1e-15 * (1.0 + b.abs()) {
            break;
        }
        b = next;
    }
    b
}
