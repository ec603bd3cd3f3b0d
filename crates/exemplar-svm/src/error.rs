//! What can be wrong with the input of a fit.

use std::fmt;

/// Why a fit cannot be made. `Display` is the primary message, in Postgres' style; `name` is what the
/// caller calls a vector, for instance `exemplars[2]`.
#[derive(Debug, Clone, PartialEq)]
pub enum FitError {
    /// Neither an exemplar nor a hint was given, so nothing says what is wanted.
    NothingWanted,
    /// There are exemplars, but no row to tell them apart from.
    NoNegatives,
    /// A vector has other dimensions than `reference` says.
    DifferentDimensions { name: String, found: usize, reference: String, expected: usize },
    /// A zero vector stands where a direction is needed.
    ZeroVector { name: String },
    /// Normalised texts, of the kind `name`, add up to the zero vector.
    TextsCancel { name: &'static str },
    /// A text says no more than the neutral hints do.
    OnlyNeutral { name: String },
    /// The same row is wanted and unwanted.
    Contradiction { exemplar: String, counter: String },
    /// The rows do not fit into memory.
    OutOfMemory { rows: usize, dimensions: usize },
    /// A parameter is outside its range.
    InvalidParameter { name: &'static str, value: f64, range: &'static str },
}

impl fmt::Display for FitError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            FitError::NothingWanted => write!(f, "neither an exemplar nor a hint was given"),
            FitError::NoNegatives => write!(f, "there are no negatives to fit against"),
            FitError::DifferentDimensions { expected, found, .. } => {
                write!(f, "different vector dimensions {expected} and {found}")
            }
            FitError::ZeroVector { name } => write!(f, "{name} must not be the zero vector"),
            FitError::TextsCancel { name } => write!(f, "{name} must not cancel each other out"),
            FitError::OnlyNeutral { name } => write!(f, "nothing is left of {name} without the neutral hint"),
            FitError::Contradiction { exemplar, counter } => {
                write!(f, "{exemplar} and {counter} are the same vector")
            }
            FitError::OutOfMemory { .. } => write!(f, "out of memory"),
            FitError::InvalidParameter { name, range, .. } => write!(f, "{name} must be {range}"),
        }
    }
}

impl std::error::Error for FitError {}

impl FitError {
    /// The facts of this very case, a full sentence.
    pub fn detail(&self) -> Option<String> {
        match self {
            FitError::DifferentDimensions { name, found, reference, expected } => {
                Some(format!("{name} has {found} dimensions, {reference} has {expected}."))
            }
            FitError::InvalidParameter { name, value, .. } => Some(match value {
                v if v.is_infinite() => format!("{name} is infinite."),
                v => format!("{name} is {v}."),
            }),
            FitError::TextsCancel { name } => {
                Some(format!("The mean of the normalised {name} is the zero vector."))
            }
            FitError::Contradiction { .. } => Some("A row cannot be wanted and unwanted at once.".into()),
            FitError::NoNegatives => Some("Every row is an exemplar or the zero vector.".into()),
            FitError::OutOfMemory { rows, dimensions } => {
                Some(format!("{rows} rows of {dimensions} dimensions do not fit."))
            }
            FitError::NothingWanted | FitError::ZeroVector { .. } | FitError::OnlyNeutral { .. } => None,
        }
    }

    /// What the user can do about it, a full sentence.
    pub fn remedy(&self) -> Option<&'static str> {
        match self {
            FitError::NothingWanted => {
                Some("Give exemplar, exemplars, hint or hints. A sub-select that finds no row gives NULL.")
            }
            FitError::NoNegatives => Some("A fit needs other rows to tell the exemplars apart from."),
            FitError::DifferentDimensions { .. } => {
                Some("All vectors, hints among them, must come from the same embedding model.")
            }
            FitError::ZeroVector { .. } => {
                Some("A zero vector has no direction; it is often a placeholder for a missing embedding.")
            }
            FitError::TextsCancel { .. } => {
                Some("Give texts that point in similar directions, or fewer of them.")
            }
            FitError::OnlyNeutral { .. } => {
                Some("Lower neutral_fraction, or give a neutral hint that is not itself what you search for.")
            }
            FitError::Contradiction { .. } => Some(
                "Keep it on one side. Rows with equal embeddings, such as copies of one picture, count as one.",
            ),
            FitError::OutOfMemory { .. } => Some("Fit against fewer rows."),
            FitError::InvalidParameter { .. } => None,
        }
    }
}
