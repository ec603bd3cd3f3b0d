//! The best bias for given scores.

use super::problem::Problem;

/// The `b` that minimises `sum_i s_i/2 max(0, 1 - y_i (z_i + b))^2`, searched from `b`: Newton steps on the
/// derivative, which is increasing and piecewise linear, kept between bounds that close in on its zero.
pub(super) fn best(problem: &Problem, scores: &[f64], mut b: f64) -> f64 {
    let (mut low, mut high) = (f64::NEG_INFINITY, f64::INFINITY);
    // Finitely many pieces end the search long before this.
    for _ in 0..200 {
        let (mut slope, mut curvature) = (0.0, 0.0);
        for (z, y, s) in problem.labelled(scores) {
            let slack = 1.0 - y * (z + b);
            if slack > 0.0 {
                slope -= s * y * slack;
                curvature += s;
            }
        }
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
