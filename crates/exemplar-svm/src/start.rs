//! Where the descent starts: the best point of a line.

use crate::kernel;
use crate::objective::{chunks, scores};
use crate::prior::Prior;
use crate::problem::Problem;

/// A point `(w, b)`, of length d + 1, and the rows' scores `w.x` there.
pub(crate) struct Start {
    pub point: Vec<f64>,
    pub scores: Vec<f64>,
}

/// Where the descent starts. In the adaptive form on the line from `w0`, or without one from 0, along
/// the difference between the means of exemplars and negatives. In the cosine one on the line through 0
/// along the hint, or without a hint that ranks the exemplars above the negatives that difference.
pub(crate) fn start(problem: &Problem, interrupt: &mut dyn FnMut()) -> Start {
    let set = &problem.set;
    if let Some(Prior { known, w0, .. }) = &problem.prior {
        // The rows' scores along both vectors are known, but for those of the examples.
        let examples = &set.values()[..set.values().len() - set.negative_values().len()];
        let along = |v: &[f64], negatives: &[f64]| {
            let mut along = Vec::with_capacity(problem.weights.len());
            kernel::append_dots(examples, v, &mut along);
            along.extend_from_slice(negatives);
            along
        };
        let from = match (w0, &known.along_w0) {
            (Some(w0), Some(along_w0)) => Some((&w0[..], along(w0, along_w0))),
            _ => None,
        };
        return Line::new(problem, from, &known.xc, along(&known.xc, &known.along_xc)).best(interrupt);
    }
    if let Some(hint) = &problem.cosine {
        let line =
            Line::new(problem, None, &hint.direction, scores(set.values(), &hint.direction, interrupt));
        let (t, b) = line.minimise(interrupt);
        if t > 0.0 {
            return line.at(t, b);
        }
    }
    let v = difference_of_means(problem, interrupt);
    let along = scores(set.values(), &v, interrupt);
    Line::new(problem, None, &v, along).best(interrupt)
}

fn difference_of_means(problem: &Problem, interrupt: &mut dyn FnMut()) -> Vec<f64> {
    let set = &problem.set;
    let mut v = vec![0.0; set.dimensions()];
    for (start, rows) in chunks(set.values(), set.dimensions()) {
        let rows = (start..).zip(rows.chunks_exact(set.dimensions()));
        kernel::combine(rows, |i| -problem.loss(i, 0.0).1, &mut v);
        interrupt();
    }
    let length = kernel::inner(&v, &v).sqrt();
    // Equal means leave no direction; any fixed one will do, the first exemplar's is at hand.
    if length < 1e-9 {
        return set.values()[..set.dimensions()].iter().map(|&v| f64::from(v)).collect();
    }
    v.iter().map(|v| v / length).collect()
}

/// The points `from + t v`, and the rows' scores along both.
struct Line<'a> {
    problem: &'a Problem,
    from: Option<(&'a [f64], Vec<f64>)>,
    v: &'a [f64],
    along: Vec<f64>,
}

impl<'a> Line<'a> {
    fn new(problem: &'a Problem, from: Option<(&'a [f64], Vec<f64>)>, v: &'a [f64], along: Vec<f64>) -> Self {
        Line { problem, from, v, along }
    }

    fn score(&self, i: usize, t: f64) -> f64 {
        self.from.as_ref().map_or(0.0, |(_, scores)| scores[i]) + t * self.along[i]
    }

    /// The point where loss and size are least, roughly; not 0 itself, which has no direction.
    fn best(&self, interrupt: &mut dyn FnMut()) -> Start {
        let (t, b) = self.minimise(interrupt);
        self.at(if self.from.is_none() { t.max(f64::EPSILON) } else { t }, b)
    }

    fn at(&self, t: f64, b: f64) -> Start {
        let scores = (0..self.along.len()).map(|i| self.score(i, t)).collect();
        let mut point: Vec<f64> = self.v.iter().map(|v| t * v).collect();
        if let Some((from, _)) = &self.from {
            kernel::add_scaled(&mut point, 1.0, from);
        }
        point.push(b);
        Start { point, scores }
    }

    /// Minimises the rows' loss plus `lambda/2 t^2 |v|^2` over `t` and `b` by Newton steps with halving; a
    /// rough answer is enough for a start.
    fn minimise(&self, interrupt: &mut dyn FnMut()) -> (f64, f64) {
        let lambda = self.problem.lambda * kernel::inner(self.v, self.v);
        let rows = || 0..self.along.len();
        let value = |t: f64, b: f64| {
            let rows: f64 = rows().map(|i| self.problem.loss(i, self.score(i, t) + b).0).sum();
            rows + 0.5 * lambda * t * t
        };
        let (mut t, mut b) = (0.0, 0.0);
        let mut best = value(t, b);
        for _ in 0..30 {
            interrupt();
            let (mut g_t, mut g_b, mut h_tt, mut h_tb, mut h_bb) = (lambda * t, 0.0, lambda, 0.0, 0.0);
            for i in rows() {
                let z = self.along[i];
                let (_, first, second) = self.problem.loss(i, self.score(i, t) + b);
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
}
