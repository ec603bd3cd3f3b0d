//! J, its gradient and its curvature at a point.

use crate::bias;
use crate::kernel;
use crate::problem::{CosineTerm, Problem};
use crate::start::Start;

/// Rows times dimensions that are taken at a time, between two calls of the interrupt check: little enough to stay
/// in a processor's cache where several things are done with each.
const ELEMENTS_PER_CHUNK: usize = 1 << 16;

/// The value of J and of each of its terms.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Value {
    /// `sum_i s_i loss(y_i (w.x_i + b))`
    pub loss: f64,
    /// `lambda/2 |w - w0|^2`
    pub regularization: f64,
    /// `lambda_q (1 - cos(w, q))`, of the cosine form
    pub hint: f64,
}

impl Value {
    /// J, the sum of the terms.
    pub fn total(&self) -> f64 {
        self.loss + self.regularization + self.hint
    }
}

/// Where J was evaluated last: the point `(w, b)` as one vector of length d + 1, the gradient there
/// and what its curvature needs. All memory of a fit beside its rows.
pub(crate) struct Evaluation {
    pub value: Value,
    pub gradient: Vec<f64>,
    /// `s_i loss''`: 0 for rows that do not bend J.
    active: Vec<f64>,
    /// `w.x_i`, then the rows' coefficients in the gradient.
    scores: Vec<f64>,
    cosine: Cosine,
}

/// `cos(w, q)` and the vectors its derivatives are made of.
#[derive(Default, Clone)]
struct Cosine {
    value: f64,
    length: f64,
    unit: Vec<f64>,
}

pub(crate) struct Objective<'a> {
    problem: &'a Problem,
    interrupt: &'a mut dyn FnMut(),
    /// The rows that bend J, weighted by how much they do, their sum and their mean: see [`Objective::look_from`].
    weights: Vec<f64>,
    sum: Vec<f64>,
    centre: Vec<f32>,
    /// `v` and the rows' part of `H v` in single precision.
    direction: Vec<f32>,
    product: Vec<f32>,
}

impl<'a> Objective<'a> {
    pub fn new(problem: &'a Problem, interrupt: &'a mut dyn FnMut()) -> Self {
        let d = problem.set.dimensions();
        let zeros = vec![0.0; d];
        Objective {
            problem,
            interrupt,
            weights: vec![0.0; problem.weights.len()],
            sum: vec![0.0; d],
            centre: zeros.clone(),
            direction: zeros.clone(),
            product: zeros,
        }
    }

    pub fn evaluation(&self) -> Evaluation {
        let d = self.problem.set.dimensions();
        Evaluation {
            value: Value::default(),
            gradient: vec![0.0; d + 1],
            active: vec![0.0; self.problem.weights.len()],
            scores: Vec::with_capacity(self.problem.weights.len()),
            cosine: Cosine { unit: vec![0.0; d], ..Cosine::default() },
        }
    }

    /// Moves `b`, the last element of `point`, to where J is least for its `w`, and evaluates J and its
    /// gradient there:
    ///
    /// ```text
    /// grad_w = sum_i s_i y_i loss'(m_i) x_i + lambda (w - w0) - lambda_q (q - cos u) / |w|,  u = w / |w|
    /// grad_b = sum_i s_i y_i loss'(m_i),                    m_i = y_i (w.x_i + b)
    /// ```
    pub fn evaluate(&mut self, point: &mut [f64], at: &mut Evaluation) {
        let Problem { set, .. } = self.problem;
        at.scores.clear();
        append_scores(set.values(), &point[..set.dimensions()], &mut at.scores, self.interrupt);
        self.evaluate_scores(point, at);
    }

    /// As [`evaluate`](Self::evaluate) where the rows' scores `w.x` are known.
    pub fn evaluate_from(&mut self, Start { point, scores }: &mut Start, at: &mut Evaluation) {
        at.scores.clear();
        at.scores.append(scores);
        self.evaluate_scores(point, at);
    }

    fn evaluate_scores(&mut self, point: &mut [f64], at: &mut Evaluation) {
        let Problem { set, lambda, cosine, .. } = self.problem;
        let d = set.dimensions();
        let (w, b) = point.split_at_mut(d);
        b[0] = bias::best(self.problem, &at.scores, b[0]);
        let (mut loss, mut gradient_b) = (0.0, 0.0);
        for (i, residual) in at.scores.iter_mut().enumerate() {
            let (value, first, second) = self.problem.loss(i, *residual + b[0]);
            loss += value;
            *residual = first;
            at.active[i] = second;
            gradient_b += first;
        }
        at.gradient.fill(0.0);
        for (start, rows) in chunks(set.values(), d) {
            let felt = (start..).zip(rows.chunks_exact(d)).filter(|&(i, _)| at.scores[i] != 0.0);
            kernel::combine(felt, |i| at.scores[i], &mut at.gradient[..d]);
            (self.interrupt)();
        }
        at.gradient[d] = gradient_b;
        let w = &*w;
        kernel::add_scaled(&mut at.gradient[..d], *lambda, w);
        let mut square = kernel::inner(w, w);
        if let Some(w0) = self.problem.w0() {
            kernel::add_scaled(&mut at.gradient[..d], -lambda, w0);
            square = w.iter().zip(w0).map(|(w, w0)| (w - w0) * (w - w0)).sum();
        }
        at.value = Value { loss, regularization: 0.5 * lambda * square, hint: 0.0 };
        if let Some(CosineTerm { direction, weight }) = cosine {
            at.cosine.set(w, direction);
            let Cosine { value: cosine, length, unit } = &at.cosine;
            at.value.hint = weight * (1.0 - cosine);
            let pull = weight / length;
            kernel::add_scaled(&mut at.gradient[..d], -pull, direction);
            kernel::add_scaled(&mut at.gradient[..d], pull * cosine, unit);
        }
    }

    /// Prepares [`curve`](Self::curve) for its use at `at`.
    pub fn look_from(&mut self, at: &Evaluation) {
        let Problem { set, .. } = self.problem;
        let d = set.dimensions();
        for (start, rows) in chunks(set.values(), d) {
            // Few rows change from one point to the next.
            let changed = |&(i, _): &(usize, &[f32])| at.active[i] != self.weights[i];
            let changed = (start..).zip(rows.chunks_exact(d)).filter(changed);
            kernel::combine(changed, |i| at.active[i] - self.weights[i], &mut self.sum);
            (self.interrupt)();
        }
        self.weights.copy_from_slice(&at.active);
        let total = at.active.iter().sum::<f64>().max(f64::MIN_POSITIVE);
        self.centre.iter_mut().zip(&self.sum).for_each(|(c, s)| *c = (s / total) as f32);
    }

    /// How the best bias moves with `w`, to first order: by minus this for a step `p` of `w`.
    pub fn bias_along(&self, p: &[f64]) -> f64 {
        self.centre.iter().zip(p).map(|(&c, p)| f64::from(c) * p).sum()
    }

    /// `out = H v`, the product with the generalised Hessian at `at` of J as a function of `w` alone, with the
    /// bias that is best for each:
    ///
    /// ```text
    /// H = sum_i s_i loss''(m_i) (x_i - c)(x_i - c)^T + lambda I
    ///   + lambda_q/|w|^2 (u q^T + q u^T + cos (I - 3 u u^T)),     c = the mean of x weighted by s loss''
    /// ```
    ///
    /// The rows' part is summed in single precision: it shapes steps, not the point they lead to.
    pub fn curve(&mut self, at: &Evaluation, v: &[f64], out: &mut [f64]) {
        let Problem { set, lambda, cosine, .. } = self.problem;
        let d = set.dimensions();
        self.direction.iter_mut().zip(v).for_each(|(single, &v)| *single = v as f32);
        self.product.fill(0.0);
        let along_centre = self.bias_along(v);
        for (start, rows) in chunks(set.values(), d) {
            let active = (start..).zip(rows.chunks_exact(d)).filter(|&(i, _)| at.active[i] != 0.0);
            kernel::accumulate(active, &self.direction, &mut self.product, |i, score| {
                (at.active[i] * (f64::from(score) - along_centre)) as f32
            });
            (self.interrupt)();
        }
        out.iter_mut().zip(&self.product).for_each(|(out, &single)| *out = single.into());
        kernel::add_scaled(out, *lambda, v);
        if let Some(CosineTerm { direction, weight }) = cosine {
            let Cosine { value: cosine, length, unit } = &at.cosine;
            let scale = weight / (length * length);
            let (qv, uv) = (kernel::inner(direction, v), kernel::inner(unit, v));
            kernel::add_scaled(out, scale * (qv - 3.0 * cosine * uv), unit);
            kernel::add_scaled(out, scale * uv, direction);
            kernel::add_scaled(out, scale * cosine, v);
        }
    }
}

impl Cosine {
    fn set(&mut self, w: &[f64], q: &[f64]) {
        // A w of length 0 has no cosine; the smallest length keeps the numbers finite there.
        self.length = kernel::inner(w, w).sqrt().max(f64::MIN_POSITIVE.sqrt());
        self.unit.iter_mut().zip(w).for_each(|(u, w)| *u = w / self.length);
        self.value = kernel::inner(&self.unit, q);
    }
}

/// `row . w` for every row, with the interrupt check between chunks of them.
pub(crate) fn scores(values: &[f32], w: &[f64], interrupt: &mut dyn FnMut()) -> Vec<f64> {
    let mut scores = Vec::with_capacity(values.len() / w.len().max(1));
    append_scores(values, w, &mut scores, interrupt);
    scores
}

pub(crate) fn append_scores(values: &[f32], w: &[f64], scores: &mut Vec<f64>, interrupt: &mut dyn FnMut()) {
    for (_, rows) in chunks(values, w.len()) {
        kernel::append_dots(rows, w, scores);
        interrupt();
    }
}

/// Whole rows in chunks of limited size, each with the number of its first row.
pub(crate) fn chunks(values: &[f32], d: usize) -> impl Iterator<Item = (usize, &[f32])> {
    let rows = (ELEMENTS_PER_CHUNK / d).max(1);
    values.chunks(rows * d).enumerate().map(move |(i, chunk)| (i * rows, chunk))
}
