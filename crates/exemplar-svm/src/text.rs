//! Texts as directions: hints, counter-hints and reasons, without what every text shares.

use crate::error::FitError;
use crate::kernel;
use crate::query::{Dimensions, Input, InputVector, Query};
use crate::same_row::norm;

/// A sum of unit vectors that is shorter than this, per vector, has no direction.
const NO_DIRECTION: f64 = 1e-6;

/// The directions of a query's texts, all of unit length d.
#[derive(Debug, Clone, Default)]
pub struct Texts {
    /// `q`: the normalised mean of the normalised hints.
    pub hint: Option<Vec<f64>>,
    /// The counter-hints, each by itself.
    pub counter_hints: Vec<Vec<f64>>,
    /// The reason of each counter-exemplar, in their order.
    pub reasons: Vec<Option<Vec<f64>>>,
}

impl Texts {
    /// All texts of what is not wanted: counter-hints and reasons.
    pub fn unwanted(&self) -> impl Iterator<Item = &Vec<f64>> {
        self.counter_hints.iter().chain(self.reasons.iter().flatten())
    }

    /// The texts of `query`, each after `neutral_fraction` of its part along the neutral direction `m`
    /// is removed: `q - neutral_fraction (q.m) m`, normalised.
    ///
    /// # Errors
    /// [`FitError::DifferentDimensions`] and [`FitError::ZeroVector`], naming the text;
    /// [`FitError::HintsCancel`] and [`FitError::NeutralHintsCancel`] when a mean has no direction; [`FitError::OnlyNeutral`] for a text that
    /// says no more than the neutral hints.
    pub fn of(query: &Query, dimensions: &Dimensions, neutral_fraction: f64) -> Result<Self, FitError> {
        let neutral = mean_direction(dimensions, &query.neutral_hints, FitError::NeutralHintsCancel)?;
        let without_neutral = |mut text: Vec<f64>, input: Input| {
            if let Some(m) = &neutral {
                let along = kernel::inner(&text, m);
                kernel::add_scaled(&mut text, -neutral_fraction * along, m);
            }
            unit(text).ok_or(FitError::OnlyNeutral { input })
        };
        let single = |text: &InputVector| without_neutral(unit_of(dimensions, text)?, text.input);
        let hint = mean_direction(dimensions, &query.hints, FitError::HintsCancel)?;
        Ok(Texts {
            hint: hint.map(|q| without_neutral(q, Input::Hint(0))).transpose()?,
            counter_hints: query.counter_hints.iter().map(single).collect::<Result<_, _>>()?,
            reasons: query
                .counter_exemplars
                .iter()
                .map(|example| example.reason.as_ref().map(single).transpose())
                .collect::<Result<_, _>>()?,
        })
    }
}

/// The normalised mean of the normalised `texts`, or `None` without texts.
fn mean_direction(
    dimensions: &Dimensions,
    texts: &[InputVector],
    cancel: FitError,
) -> Result<Option<Vec<f64>>, FitError> {
    if texts.is_empty() {
        return Ok(None);
    }
    let mut sum = vec![0.0; dimensions.count];
    for text in texts {
        kernel::add_scaled(&mut sum, 1.0, &unit_of(dimensions, text)?);
    }
    if kernel::inner(&sum, &sum).sqrt() < NO_DIRECTION * texts.len() as f64 {
        return Err(cancel);
    }
    Ok(unit(sum))
}

fn unit_of(dimensions: &Dimensions, text: &InputVector) -> Result<Vec<f64>, FitError> {
    dimensions.check(text.values.len(), text.input)?;
    let length = norm(text.values);
    if !(length > 0.0 && length.is_finite()) {
        return Err(FitError::ZeroVector { input: text.input });
    }
    Ok(text.values.iter().map(|&value| f64::from(value) / length).collect())
}

/// `v` at length 1; `None` where it is all but 0 and its direction means nothing.
pub(crate) fn unit(mut v: Vec<f64>) -> Option<Vec<f64>> {
    let length = kernel::inner(&v, &v).sqrt();
    v.iter_mut().for_each(|v| *v /= length);
    (length > NO_DIRECTION).then_some(v)
}
