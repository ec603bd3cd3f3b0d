//! The exemplar SVM with text hints: the pure core, without Postgres.
//!
//! # The problem
//!
//! Given unit rows `x_i` with labels `y_i` (+1 for an exemplar, -1 for a counter-exemplar or a negative) and
//! weights `s_i`, find `w` and `b` that minimise
//!
//! ```text
//! J(w, b) = sum_i s_i loss(y_i (w.x_i + b))      loss(m) = max(0, 1 - m)^2 / 2, or logistic
//!         + lambda/2 |w - w0|^2                  adaptive form; w0 = 0 in the cosine one
//!         + lambda_q (1 - cos(w, q))             cosine form only
//! ```
//!
//! * `s_i` is balanced: exemplars and negatives each carry half of the total weight, so that one
//!   exemplar against 1000 negatives weighs 500.5 and each negative 0.5005.
//! * `b` is not penalised. Only the direction of `w` ranks; `b` lets the fit put the background on
//!   one side of a margin.
//! * In the adaptive form, `lambda` and `w0` are measured in the background's own spread: see [`prior`].
//!   It is convex, and one set of constants serves every embedding space.
//!
//! # Layers
//!
//! [`Query`] is what is asked for; [`TrainingSet`] takes its vectors and the negatives and normalises them;
//! [`Problem`] adds weights, pulls and [`Params`]; [`solver::fit`] descends to a [`Fit`] that carries the proof
//! of its optimality; [`Report`] says what the fit made of its input. Rows are `f32`, J is
//! summed in `f64`, what weighs the background in `f32`, all in a fixed order: the same input gives the same bits on every machine.
//!
//! # Source
//!
//! Malisiewicz, Gupta, Efros: Ensemble of Exemplar-SVMs, ICCV 2011 (one exemplar against many
//! negatives). Moll et al.: SeeSaw, SIGMOD 2023 (the text-alignment term). Silva-Rodriguez et al.: CLAP,
//! CVPR 2024 (a pull towards the text in place of the origin).

#![forbid(unsafe_code)]

pub mod arrays;
mod background;
mod bias;
mod blend;
mod cleared;
mod crowding;
mod cut;
mod drawn;
pub mod error;
mod highest;
mod kernel;
pub mod loss;
pub mod memory;
pub mod metric;
mod near_rows;
pub mod objective;
pub mod prior;
pub mod problem;
pub mod query;
pub mod report;
pub mod same_row;
mod share;
pub mod solver;
mod start;
pub mod text;
pub mod training;
mod view;

#[cfg(test)]
mod tests;

pub use arrays::{Arrays, Explained, fit_arrays};
pub use error::FitError;
pub use loss::Loss;
pub use problem::{Form, Params, Problem};
pub use query::{Dimensions, Example, Input, InputVector, Query};
pub use report::Report;
pub use solver::{Fit, fit};
pub use training::{Offered, TrainingSet};

/// The example in the README.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
mod readme {}
