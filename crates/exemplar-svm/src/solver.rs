//! A trust-region Newton method for J.
//!
//! J is smooth and, but for the cosine term, convex and piecewise quadratic: near the solution one
//! Newton step on the active rows is exact. Each step minimises the quadratic model
//! `g.p + p.H p / 2` within `|p| <= radius` by conjugate gradients, which need `H` only as a product,
//! one pass over the active rows; negative curvature of the cosine term is followed to the border.
//!
//! The bias is not left to the steps: at each point it is moved to its best value. Otherwise a step
//! that takes rows out of the margin lets `b` run away, and the trust region shrinks to nothing.
//!
//! The start is the same every time, hence so is the local minimum of a J that has several: see
//! [`start`](super::start).
//!
//! # Source
//! Steihaug, SIAM J. Numer. Anal. 20(3), 1983 (conjugate gradients in a trust region).
//! Lin, Weng, Keerthi, JMLR 9, 2008 (the radius rules and their constants, for L2-loss linear SVMs).

use crate::error::FitError;
use crate::kernel;
use crate::objective::{Evaluation, Objective, Value};
use crate::problem::Problem;
use crate::start::start;
use crate::{bias, blend, cut, objective};

/// A solution of a [`Problem`].
#[derive(Debug, Clone)]
pub struct Fit {
    /// `w / |w|`, of length d: what ranks.
    pub weights: Vec<f32>,
    /// `w` itself, in whose units the margins are 1.
    pub w: Vec<f64>,
    /// The bias: a row's margin is `w.x + b`, above 0 where it is taken to be wanted.
    pub b: f64,
    /// Where J is least: `w` before the adaptive form smooths it and adds what it believes to be wanted, and `b` before it says
    /// where that ends.
    pub minimum: (Vec<f64>, f64),
    /// J and its terms at the minimum.
    pub value: Value,
    /// `|grad J| / sum_i s_i`: 0 at an exact stationary point.
    pub violation: f64,
    /// Newton steps tried.
    pub iterations: usize,
    /// Passes over the rows: two to evaluate J, one for each product with its curvature.
    pub passes: usize,
    /// Whether `violation <= tol`.
    pub converged: bool,
}

impl Fit {
    /// `|w|`: a row's margin is `scale (weights.x) + b`.
    pub fn scale(&self) -> f64 {
        kernel::inner(&self.w, &self.w).sqrt()
    }
}

/// Minimises J from a fixed start. `interrupt` is called about every half megabyte of rows read and
/// may unwind.
///
/// Without exemplars or without negatives there is nothing to tell apart, and `w` is where texts and exemplars point.
///
/// # Errors
/// [`FitError::NoDirection`] if `w` is zero or not finite.
///
/// # Complexity
/// O(n d) time per pass, a few dozen passes; O(n + d) memory beside the rows.
pub fn fit(problem: &Problem, interrupt: &mut dyn FnMut()) -> Result<Fit, FitError> {
    let (mut fit, negatives) = match &problem.given {
        // Exemplars or negatives are missing, so there is nothing to cut between.
        Some(w) => (given(w), Vec::new()),
        None => {
            let fit = Newton::start(problem, interrupt).run();
            match &problem.prior {
                Some(prior) => blend::finished(problem, prior, fit, interrupt),
                None => {
                    let negatives = objective::scores(problem.set.negative_values(), &fit.w, interrupt);
                    (fit, negatives)
                }
            }
        }
    };
    if let Some(b) = cut::bias(problem, &fit.w, negatives, interrupt) {
        fit.b = b;
    } else if problem.prior.is_some() {
        let scores = objective::scores(problem.set.values(), &fit.w, interrupt);
        fit.b = bias::best(problem, &scores, fit.b);
    }
    let length = fit.weights.iter().map(|&v| f64::from(v) * f64::from(v)).sum::<f64>().sqrt();
    if (length - 1.0).abs() < 1e-3 { Ok(fit) } else { Err(FitError::NoDirection) }
}

fn given(w: &[f64]) -> Fit {
    Fit {
        weights: unit(w),
        w: w.to_vec(),
        b: 0.0,
        minimum: (w.to_vec(), 0.0),
        value: Value::default(),
        violation: 0.0,
        iterations: 0,
        passes: 0,
        converged: true,
    }
}

pub(crate) fn unit(w: &[f64]) -> Vec<f32> {
    let length = kernel::inner(w, w).sqrt();
    w.iter().map(|v| (v / length) as f32).collect()
}

struct Newton<'a> {
    objective: Objective<'a>,
    problem: &'a Problem,
    point: Vec<f64>,
    at: Evaluation,
    radius: f64,
    /// Whether this is the start, whose scores may be known in single precision only.
    is_rough: bool,
    passes: usize,
    cg: ConjugateGradients,
}

/// The vectors of one inner solve, all of length d, allocated once.
struct ConjugateGradients {
    step: Vec<f64>,
    residual: Vec<f64>,
    direction: Vec<f64>,
    curved: Vec<f64>,
}

impl<'a> Newton<'a> {
    fn start(problem: &'a Problem, interrupt: &'a mut dyn FnMut()) -> Self {
        let mut start = start(problem, interrupt);
        let zeros = vec![0.0; problem.set.dimensions()];
        let mut objective = Objective::new(problem, interrupt);
        let mut at = objective.evaluation();
        objective.evaluate_from(&mut start, &mut at);
        let point = start.point;
        let radius = norm(&point[..zeros.len()]).max(1.0);
        let cg = ConjugateGradients {
            step: zeros.clone(),
            residual: zeros.clone(),
            direction: zeros.clone(),
            curved: zeros,
        };
        Newton { objective, problem, point, at, radius, is_rough: true, passes: 1, cg }
    }

    fn run(mut self) -> Fit {
        let total_weight: f64 = self.problem.weights.iter().sum();
        let target = self.problem.params.tol * total_weight;
        if norm(&self.at.gradient) <= target {
            self.look_closely();
        }
        let first = norm(&self.at.gradient);
        let mut trial = self.objective.evaluation();
        let mut trial_point = self.point.clone();
        let (d, mut iterations) = (self.cg.step.len(), 0);
        while norm(&self.at.gradient) > target && iterations < self.problem.params.max_iter {
            if self.collapsed() {
                break;
            }
            iterations += 1;
            let forcing = (norm(&self.at.gradient) / first).min(0.05);
            let predicted = self.solve_model(forcing, 0.5 * target);
            trial_point.copy_from_slice(&self.point);
            trial_point[d] -= self.objective.bias_along(&self.cg.step);
            kernel::add_scaled(&mut trial_point[..d], 1.0, &self.cg.step);
            self.objective.evaluate(&mut trial_point, &mut trial);
            self.passes += 2;
            let change = trial.value.total() - self.at.value.total();
            // Below this a change is rounding, and only the gradient can tell progress.
            let rounding = change.abs() <= 1e-13 * self.at.value.total();
            let smaller = norm(&trial.gradient) < norm(&self.at.gradient);
            let ratio = if rounding && smaller { 1.0 } else { change / predicted };
            if self.is_rough && (ratio.is_nan() || ratio <= 1e-4) {
                self.look_closely();
                continue;
            }
            self.resize(ratio);
            if ratio > 1e-4 {
                self.is_rough = false;
                std::mem::swap(&mut self.point, &mut trial_point);
                std::mem::swap(&mut self.at, &mut trial);
            } else if self.radius < 1e-14 * norm(&self.point) {
                break;
            }
        }
        if self.collapsed() || self.problem.cosine.is_some() && self.at.value.total() > self.value_at_zero() {
            return self.finish_at_zero(iterations);
        }
        self.finish(iterations, total_weight, target)
    }

    /// Evaluates J with exact scores at the start, whose own may be in single precision.
    fn look_closely(&mut self) {
        self.objective.evaluate(&mut self.point, &mut self.at);
        self.is_rough = false;
        self.passes += 1;
    }

    /// Grows or shrinks the trust region by the ratio of the true change to the model's.
    fn resize(&mut self, ratio: f64) {
        let length = norm(&self.cg.step);
        if !ratio.is_finite() || ratio < 0.25 {
            self.radius = 0.25 * length.min(self.radius);
        } else if ratio > 0.75 {
            self.radius = self.radius.max(4.0 * length);
        }
    }

    /// Minimises the quadratic model within the radius, to a residual of `forcing` times the gradient or `enough`;
    /// leaves the step in `cg.step` and returns the model's change, a negative number.
    fn solve_model(&mut self, forcing: f64, enough: f64) -> f64 {
        let ConjugateGradients { step, residual, direction, curved } = &mut self.cg;
        self.objective.look_from(&self.at);
        self.passes += 1;
        step.fill(0.0);
        for (r, g) in residual.iter_mut().zip(&self.at.gradient) {
            *r = -g;
        }
        direction.copy_from_slice(residual);
        let mut residual_square = kernel::inner(residual, residual);
        let enough = (forcing * forcing * residual_square).max(enough * enough);
        for _ in 0..step.len().max(10) {
            self.objective.curve(&self.at, direction, curved);
            self.passes += 1;
            let curvature = kernel::inner(direction, curved);
            let length = residual_square / curvature;
            let to_border = distance_to_border(step, direction, self.radius);
            if curvature <= 0.0 || length >= to_border {
                kernel::add_scaled(step, to_border, direction);
                kernel::add_scaled(residual, -to_border, curved);
                break;
            }
            kernel::add_scaled(step, length, direction);
            kernel::add_scaled(residual, -length, curved);
            let next = kernel::inner(residual, residual);
            if next <= enough {
                break;
            }
            let beta = next / residual_square;
            residual_square = next;
            direction.iter_mut().zip(&*residual).for_each(|(d, r)| *d = r + beta * *d);
        }
        // With residual = -g - H p the model is p.(g - residual) / 2.
        0.5 * (kernel::inner(step, &self.at.gradient[..step.len()]) - kernel::inner(step, residual))
    }

    /// Whether `w` shrinks to 0, where J has no gradient: a hint that ranks the exemplars below the
    /// negatives and yet outweighs them is best obeyed by no length at all.
    fn collapsed(&self) -> bool {
        let d = self.problem.set.dimensions();
        self.problem.cosine.is_some() && norm(&self.point[..d]) < 1e-4
    }

    /// J in the limit `w -> 0` along the hint, with `b = 0`.
    fn value_at_zero(&self) -> f64 {
        let total_weight: f64 = self.problem.weights.iter().sum();
        total_weight * self.problem.params.loss.at(0.0).0
    }

    /// The limit `w -> 0` along the hint, with `b = 0`: the infimum that a collapse approaches.
    fn finish_at_zero(self, iterations: usize) -> Fit {
        let q = self.problem.cosine.as_ref().map_or(&[][..], |hint| &hint.direction);
        let value = Value { loss: self.value_at_zero(), ..Value::default() };
        Fit {
            value,
            iterations,
            passes: self.passes,
            w: vec![0.0; q.len()],
            minimum: (vec![0.0; q.len()], 0.0),
            ..given(q)
        }
    }

    fn finish(self, iterations: usize, total_weight: f64, target: f64) -> Fit {
        let d = self.problem.set.dimensions();
        let gradient = norm(&self.at.gradient);
        Fit {
            weights: unit(&self.point[..d]),
            w: self.point[..d].to_vec(),
            b: self.point[d],
            minimum: (self.point[..d].to_vec(), self.point[d]),
            value: self.at.value,
            violation: gradient / total_weight,
            iterations,
            passes: self.passes,
            converged: gradient <= target,
        }
    }
}

/// The `t >= 0` at which `|step + t direction| = radius`.
fn distance_to_border(step: &[f64], direction: &[f64], radius: f64) -> f64 {
    let (dd, sd) = (kernel::inner(direction, direction), kernel::inner(step, direction));
    let room = (radius * radius - kernel::inner(step, step)).max(0.0);
    let root = (sd * sd + dd * room).sqrt();
    if sd > 0.0 { room / (sd + root) } else { (root - sd) / dd }
}

fn norm(v: &[f64]) -> f64 {
    kernel::inner(v, v).sqrt()
}
