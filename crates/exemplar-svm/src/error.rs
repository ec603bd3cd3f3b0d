//! What can be wrong with the input of a fit.

use std::fmt;

use crate::query::Input;

/// Why a fit cannot be made.
#[derive(Debug, Clone, PartialEq)]
pub enum FitError {
    /// Neither an exemplar nor a hint was given, so nothing says what is wanted.
    NothingWanted,
    /// A vector has other dimensions than `reference` says.
    DifferentDimensions { input: Input, found: usize, reference: Input, expected: usize },
    /// A vector without a direction, zero or not finite, stands where one is needed.
    ZeroVector { input: Input },
    /// Normalised hints add up to the zero vector.
    HintsCancel,
    /// Normalised neutral hints add up to the zero vector.
    NeutralHintsCancel,
    /// A text says no more than the neutral hints do.
    OnlyNeutral { input: Input },
    /// The same row is wanted and unwanted.
    Contradiction { exemplar: Input, counter: Input },
    /// The rows do not fit into memory.
    OutOfMemory { rows: usize, dimensions: usize },
    /// A parameter is outside its range.
    InvalidParameter { name: &'static str, value: f64, range: &'static str },
    /// The weight of an example is outside its range.
    InvalidWeight { input: Input, value: f64 },
    /// The answer is zero or not finite.
    NoDirection,
    /// There are not as many weights or reasons as vectors that they are for.
    LengthsDiffer { of: Input, found: usize, expected: usize },
    /// The rows of an array are not one behind the other.
    NotContiguous { input: Input },
}

impl fmt::Display for FitError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            FitError::NothingWanted => write!(f, "neither an exemplar nor a hint was given"),
            FitError::DifferentDimensions { input, found, reference, expected } => {
                write!(f, "{input} has {found} dimensions, {reference} has {expected}")
            }
            FitError::ZeroVector { input } => write!(f, "{input} must not be the zero vector"),
            FitError::HintsCancel => write!(f, "hints must not cancel each other out"),
            FitError::NeutralHintsCancel => write!(f, "neutral hints must not cancel each other out"),
            FitError::OnlyNeutral { input } => {
                write!(f, "nothing is left of {input} without the neutral hint")
            }
            FitError::Contradiction { exemplar, counter } => {
                write!(f, "{exemplar} and {counter} are the same vector")
            }
            FitError::OutOfMemory { rows, dimensions } => {
                write!(f, "{rows} rows of {dimensions} dimensions do not fit into memory")
            }
            FitError::InvalidParameter { name, value, range } => {
                write!(f, "{name} is {value}, it must be {range}")
            }
            FitError::InvalidWeight { input, value } => {
                write!(f, "the weight of {input} is {value}, it must be 0 or between 1e-9 and 1e9")
            }
            FitError::NoDirection => write!(f, "the fit has no direction"),
            FitError::LengthsDiffer { of: Input::Reason(_), found, expected } => {
                write!(f, "there are {found} reasons for {expected} counter-exemplars")
            }
            FitError::LengthsDiffer { found, expected, .. } => {
                write!(f, "there are {found} weights for {expected} examples")
            }
            FitError::NotContiguous { input } => {
                write!(f, "the array of {input} must be in standard layout")
            }
        }
    }
}

impl std::error::Error for FitError {}
