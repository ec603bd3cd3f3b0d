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
    from: Option<&'a [f64]>,
    /// Scores at `from`, 0 without one.
    before: Vec<f64>,
    v: &'a [f64],
    along: Vec<f64>,
}

/// The rows' loss at a point `(t, b)` of a line plus the size term, its gradient and its curvature.
#[derive(Clone, Copy)]
struct Model {
    value: f64,
    slope: [f64; 2],
    /// By `t t`, `t b` and `b b`.
    curvature: [f64; 3],
}

impl<'a> Line<'a> {
    fn new(problem: &'a Problem, from: Option<(&'a [f64], Vec<f64>)>, v: &'a [f64], along: Vec<f64>) -> Self {
        let (from, before) = from.unzip();
        let before = before.unwrap_or_else(|| vec![0.0; along.len()]);
        Line { problem, from, before, v, along }
    }

    /// The point where loss and size are least, roughly; not 0 itself, which has no direction.
    fn best(&self, interrupt: &mut dyn FnMut()) -> Start {
        let (t, b) = self.minimise(interrupt);
        self.at(if self.from.is_none() { t.max(f64::EPSILON) } else { t }, b)
    }

    fn at(&self, t: f64, b: f64) -> Start {
        let mut scores = self.before.clone();
        kernel::add_scaled(&mut scores, t, &self.along);
        let mut point: Vec<f64> = self.v.iter().map(|v| t * v).collect();
        if let Some(from) = self.from {
            kernel::add_scaled(&mut point, 1.0, from);
        }
        point.push(b);
        Start { point, scores }
    }

    /// Minimises the rows' loss plus `lambda/2 t^2 |v|^2` over `t` and `b` by Newton steps with halving; a
    /// rough answer is enough for a start.
    fn minimise(&self, interrupt: &mut dyn FnMut()) -> (f64, f64) {
        let lambda = self.problem.lambda * kernel::inner(self.v, self.v);
        let (mut t, mut b) = (0.0, 0.0);
        let mut best = self.model(t, b, lambda);
        for _ in 0..30 {
            interrupt();
            let Model { slope: [g_t, g_b], curvature: [h_tt, h_tb, h_bb], .. } = best;
            let determinant = h_tt * h_bb - h_tb * h_tb;
            if determinant <= 0.0 {
                break;
            }
            let p_t = -(h_bb * g_t - h_tb * g_b) / determinant;
            let p_b = -(h_tt * g_b - h_tb * g_t) / determinant;
            let mut step = 1.0;
            let mut next = self.model(t + p_t, b + p_b, lambda);
            while step > 1e-4 && next.value >= best.value {
                step /= 2.0;
                next = self.model(t + step * p_t, b + step * p_b, lambda);
            }
            if next.value >= best.value * (1.0 - 1e-6) {
                break;
            }
            (t, b, best) = (t + step * p_t, b + step * p_b, next);
        }
        (t, b)
    }

    fn model(&self, t: f64, b: f64, lambda: f64) -> Model {
        let problem = self.problem;
        let mut model =
            Model { value: 0.5 * lambda * t * t, slope: [lambda * t, 0.0], curvature: [lambda, 0.0, 0.0] };
        let examples = problem.with_loss_of_their_own();
        for i in 0..examples {
            let z = self.along[i];
            let (value, first, second) = problem.loss(i, self.before[i] + t * z + b);
            model.add([value, first * z, first, second * z * z, second * z, second]);
        }
        let (before, along) = (&self.before[examples..], &self.along[examples..]);
        model.add(kernel::excess_along(before, along, &problem.weights[examples..], t, 1.0 + b));
        model
    }
}

impl Model {
    fn add(&mut self, [value, g_t, g_b, h_tt, h_tb, h_bb]: [f64; 6]) {
        self.value += value;
        self.slope = [self.slope[0] + g_t, self.slope[1] + g_b];
        self.curvature = [self.curvature[0] + h_tt, self.curvature[1] + h_tb, self.curvature[2] + h_bb];
    }
}
