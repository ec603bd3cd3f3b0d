//! Where the descent starts: the best multiple of a fixed direction.

use super::kernel;
use super::objective::scores;
use super::problem::Problem;

/// The point `(t w0, b)` of length d + 1, `t > 0`, that minimises hinge and size over `t` and `b`:
/// `w0` is the hint, or without a hint that ranks the exemplars above the negatives the unit
/// direction from the negatives' mean to the exemplars' mean.
pub(super) fn start(problem: &Problem, interrupt: &mut dyn FnMut()) -> Vec<f64> {
    let along_hint = problem.hint.as_ref().map(|hint| best_multiple(problem, &hint.q, interrupt));
    let (w0, t, b) = match (&problem.hint, along_hint) {
        (Some(hint), Some((t, b))) if t > 0.0 => (hint.q.clone(), t, b),
        _ => {
            let w0 = difference_of_means(problem);
            let (t, b) = best_multiple(problem, &w0, interrupt);
            (w0, t.max(f64::EPSILON), b)
        }
    };
    w0.iter().map(|v| v * t).chain([b]).collect()
}

fn best_multiple(problem: &Problem, w0: &[f64], interrupt: &mut dyn FnMut()) -> (f64, f64) {
    let scores = scores(problem.set.values(), w0, interrupt);
    line_fit(problem, &scores, interrupt)
}

fn difference_of_means(problem: &Problem) -> Vec<f64> {
    let set = &problem.set;
    let mut w0 = vec![0.0; set.dimensions()];
    for (i, row) in set.values().chunks_exact(set.dimensions()).enumerate() {
        let weight = problem.label(i) * problem.weights[i];
        w0.iter_mut().zip(row).for_each(|(w, &x)| *w += weight * f64::from(x));
    }
    let length = kernel::inner(&w0, &w0).sqrt();
    // Equal means leave no direction; any fixed one will do, the first exemplar's is at hand.
    if length < 1e-9 {
        return set.values()[..set.dimensions()].iter().map(|&v| f64::from(v)).collect();
    }
    w0.iter().map(|v| v / length).collect()
}

/// Minimises `sum_i s_i/2 max(0, 1 - y_i (t z_i + b))^2 + lambda/2 t^2` over `t` and `b` by Newton
/// steps with halving; a rough answer is enough for a start.
fn line_fit(problem: &Problem, scores: &[f64], interrupt: &mut dyn FnMut()) -> (f64, f64) {
    let lambda = problem.params.lambda;
    let value = |t: f64, b: f64| {
        let hinge: f64 = problem
            .labelled(scores)
            .map(|(z, y, s)| 0.5 * s * (1.0 - y * (t * z + b)).max(0.0).powi(2))
            .sum();
        hinge + 0.5 * lambda * t * t
    };
    let (mut t, mut b) = (0.0, 0.0);
    let mut best = value(t, b);
    for _ in 0..30 {
        interrupt();
        let (mut g_t, mut g_b, mut h_tt, mut h_tb, mut h_bb) = (lambda * t, 0.0, lambda, 0.0, 0.0);
        for (z, y, s) in problem.labelled(scores) {
            let slack = 1.0 - y * (t * z + b);
            if slack > 0.0 {
                g_t -= s * y * slack * z;
                g_b -= s * y * slack;
                h_tt += s * z * z;
                h_tb += s * z;
                h_bb += s;
            }
        }
        let determinant = h_tt * h_bb - h_tb * h_tb;
        if determinant <= 0.0 {
            break;
        }
        let p_t = -(h_bb * g_t - h_tb * g_b) / determinant;
        let p_b = -(h_tt * g_b - h_tb * g_t) / determinant;
        let mut step = 1.0;
        while step > 1e-4 && value(t + step * p_t, b + step * p_b) >= best {
            step /= 2.0;
        }
        let next = value(t + step * p_t, b + step * p_b);
        if next >= best * (1.0 - 1e-6) {
            break;
        }
        (t, b, best) = (t + step * p_t, b + step * p_b, next);
    }
    (t, b)
}
