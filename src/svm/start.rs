//! Where the descent starts: the best multiple of a fixed direction.

use super::kernel;
use super::objective::scores;
use super::problem::Problem;

/// The point `(v, b)` of length d + 1 that the descent starts from. `v` is where the size term pulls to;
/// without that, the multiple `t > 0` of a fixed direction for which loss and size are least: the hint's, or
/// without a hint that ranks the exemplars above the negatives the one from the negatives' mean to the
/// exemplars' mean.
pub(super) fn start(problem: &Problem, interrupt: &mut dyn FnMut()) -> Vec<f64> {
    if let Some(w0) = &problem.w0 {
        return w0.iter().copied().chain([0.0]).collect();
    }
    let along_hint = problem.cosine.as_ref().map(|hint| best_multiple(problem, &hint.direction, interrupt));
    let (v, t, b) = match (&problem.cosine, along_hint) {
        (Some(hint), Some((t, b))) if t > 0.0 => (hint.direction.clone(), t, b),
        _ => {
            let v = difference_of_means(problem);
            let (t, b) = best_multiple(problem, &v, interrupt);
            (v, t.max(f64::EPSILON), b)
        }
    };
    v.iter().map(|v| v * t).chain([b]).collect()
}

fn best_multiple(problem: &Problem, w0: &[f64], interrupt: &mut dyn FnMut()) -> (f64, f64) {
    let scores = scores(problem.set.values(), w0, interrupt);
    line_fit(problem, &scores, interrupt)
}

fn difference_of_means(problem: &Problem) -> Vec<f64> {
    let set = &problem.set;
    let mut w0 = vec![0.0; set.dimensions()];
    for (i, row) in set.values().chunks_exact(set.dimensions()).enumerate() {
        let weight = -problem.loss(i, 0.0).1;
        w0.iter_mut().zip(row).for_each(|(w, &x)| *w += weight * f64::from(x));
    }
    let length = kernel::inner(&w0, &w0).sqrt();
    // Equal means leave no direction; any fixed one will do, the first exemplar's is at hand.
    if length < 1e-9 {
        return set.values()[..set.dimensions()].iter().map(|&v| f64::from(v)).collect();
    }
    w0.iter().map(|v| v / length).collect()
}

/// Minimises the rows' loss at the scores `t z_i + b` plus `lambda/2 t^2` over `t` and `b` by Newton
/// steps with halving; a rough answer is enough for a start.
fn line_fit(problem: &Problem, scores: &[f64], interrupt: &mut dyn FnMut()) -> (f64, f64) {
    let lambda = problem.lambda;
    let value = |t: f64, b: f64| {
        let rows: f64 = scores.iter().enumerate().map(|(i, z)| problem.loss(i, t * z + b).0).sum();
        rows + 0.5 * lambda * t * t
    };
    let (mut t, mut b) = (0.0, 0.0);
    let mut best = value(t, b);
    for _ in 0..30 {
        interrupt();
        let (mut g_t, mut g_b, mut h_tt, mut h_tb, mut h_bb) = (lambda * t, 0.0, lambda, 0.0, 0.0);
        for (i, z) in scores.iter().enumerate() {
            let (_, first, second) = problem.loss(i, t * z + b);
            g_t += first * z;
            g_b += first;
            h_tt += second * z * z;
            h_tb += second * z;
            h_bb += second;
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
