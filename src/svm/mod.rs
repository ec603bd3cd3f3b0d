//! The exemplar SVM with a text-hint term: the pure core, without Postgres.
//!
//! # The problem
//!
//! Given unit rows `x_i` with labels `y_i` (+1 for an exemplar, -1 for a negative), weights `s_i`
//! and a unit hint `q`, find `w` and `b` that minimise
//!
//! ```text
//! J(w, b) = sum_i s_i/2 max(0, 1 - y_i (w.x_i + b))^2     squared hinge
//!         + lambda/2 |w|^2                                size
//!         + lambda_q (1 - cos(w, q))                      hint
//! ```
//!
//! * `s_i` is balanced: exemplars and negatives each carry half of the total weight `n`, so that
//!   one exemplar against 1000 negatives weighs 500.5 and each negative 0.5005.
//! * `b` is not penalised. Only the direction of `w` ranks; `b` lets the fit put the background on
//!   one side of a margin.
//! * `lambda_q = hint_weight * reliability / var(q.B)` makes the hint's weight independent of the
//!   embedding space, see [`hint`].
//!
//! # Layers
//!
//! [`TrainingSet`] takes vectors and normalises them, [`Problem`] adds weights, the hint and
//! [`Params`], [`solver::fit`] descends to a [`Fit`] that carries the proof of its optimality.
//! Rows are `f32`, every sum is accumulated in `f64` in a fixed order: the same input gives the
//! same bits on every machine.
//!
//! # Source
//!
//! Malisiewicz, Gupta, Efros: Ensemble of Exemplar-SVMs, ICCV 2011 (one exemplar against many
//! negatives). Moll et al.: SeeSaw, SIGMOD 2023 (the text-alignment term).

mod bias;
pub mod error;
pub mod hint;
mod kernel;
pub mod objective;
pub mod problem;
pub mod solver;
mod start;
pub mod training;

#[cfg(test)]
mod tests;

pub use error::FitError;
pub use problem::{Params, Problem};
pub use solver::{Fit, fit};
pub use training::{Dimensions, Named, Offered, TrainingSet};
