//! The words of the fit's own errors.

use exemplar_svm::{FitError, Input};
use pgrx::PgSqlErrorCode;

use crate::error::names::Names;

pub fn sqlstate(error: &FitError) -> PgSqlErrorCode {
    match error {
        FitError::DifferentDimensions { .. } => PgSqlErrorCode::ERRCODE_DATA_EXCEPTION,
        FitError::OutOfMemory { .. } => PgSqlErrorCode::ERRCODE_OUT_OF_MEMORY,
        _ => PgSqlErrorCode::ERRCODE_INVALID_PARAMETER_VALUE,
    }
}

pub fn message(error: &FitError, names: &Names) -> String {
    let name = |input: &Input| names.of(*input);
    match error {
        FitError::DifferentDimensions { expected, found, .. } => {
            format!("different vector dimensions {expected} and {found}")
        }
        FitError::ZeroVector { input } => format!("{} must not be the zero vector", name(input)),
        FitError::OnlyNeutral { input } => {
            format!("nothing is left of {} without the neutral hint", name(input))
        }
        FitError::Contradiction { exemplar, counter } => {
            format!("{} and {} are the same vector", name(exemplar), name(counter))
        }
        FitError::OutOfMemory { .. } => "out of memory".into(),
        FitError::InvalidParameter { name, range, .. } => format!("{name} must be {range}"),
        FitError::InvalidWeight { input, .. } => {
            format!("{} must be 0 or between 1e-9 and 1e9", names.of_weight(*input).0)
        }
        FitError::NothingWanted
        | FitError::HintsCancel
        | FitError::NeutralHintsCancel
        | FitError::NoDirection
        | FitError::LengthsDiffer { .. }
        | FitError::NotContiguous { .. } => error.to_string(),
    }
}

/// The facts of this very case.
pub fn detail(error: &FitError, names: &Names) -> Option<String> {
    let is = |name: &str, value: f64| match value {
        v if v.is_infinite() => format!("{name} is infinite."),
        v if v != 0.0 && !(1e-5..1e15).contains(&v.abs()) && !v.is_nan() => format!("{name} is {v:e}."),
        v => format!("{name} is {v}."),
    };
    Some(match error {
        FitError::DifferentDimensions { input, found, reference, expected } => {
            let (input, reference) = (names.of(*input), names.of(*reference));
            format!("{input} has {found} dimensions, {reference} has {expected}.")
        }
        FitError::InvalidParameter { name, value, .. } => is(name, *value),
        FitError::InvalidWeight { input, value } => is(&names.of_weight(*input).1, *value),
        FitError::HintsCancel => "The mean of the normalised hints is the zero vector.".into(),
        FitError::NeutralHintsCancel => "The mean of the normalised neutral hints is the zero vector.".into(),
        FitError::Contradiction { .. } => "A row cannot be wanted and unwanted at once.".into(),
        FitError::OutOfMemory { rows, dimensions } => {
            format!("{rows} rows of {dimensions} dimensions do not fit.")
        }
        FitError::NoDirection => "The weight vector is zero or not finite.".into(),
        FitError::NothingWanted
        | FitError::ZeroVector { .. }
        | FitError::OnlyNeutral { .. }
        | FitError::LengthsDiffer { .. }
        | FitError::NotContiguous { .. } => return None,
    })
}

/// What the user can do about it.
pub fn hint(error: &FitError) -> Option<&'static str> {
    Some(match error {
        FitError::NothingWanted => {
            "Give exemplar, exemplars, hint or hints. A sub-select that finds no row gives NULL."
        }
        FitError::DifferentDimensions { .. } => {
            "All vectors, hints among them, must come from the same embedding model."
        }
        FitError::ZeroVector { .. } => {
            "A zero vector has no direction; it is often a placeholder for a missing embedding."
        }
        FitError::HintsCancel | FitError::NeutralHintsCancel => {
            "Give texts that point in similar directions, or fewer of them."
        }
        FitError::OnlyNeutral { .. } => {
            "Lower neutral_fraction, or give a neutral hint that is not itself what you search for."
        }
        FitError::Contradiction { .. } => {
            "Keep it on one side. Rows with equal embeddings, such as copies of one picture, count as one."
        }
        FitError::OutOfMemory { .. } => "Fit against fewer rows.",
        FitError::NoDirection => "Give parameters that are nearer to their defaults, or other texts.",
        FitError::InvalidParameter { .. }
        | FitError::InvalidWeight { .. }
        | FitError::LengthsDiffer { .. }
        | FitError::NotContiguous { .. } => return None,
    })
}
