//! What is asked for: examples and texts, wanted and unwanted, as the caller gave them.

use crate::error::FitError;

/// A vector and what the caller calls it, for errors.
#[derive(Debug, Clone)]
pub struct Named<'a> {
    pub name: String,
    pub values: &'a [f32],
}

/// An exemplar or a counter-exemplar.
#[derive(Debug, Clone)]
pub struct Example<'a> {
    pub vector: Named<'a>,
    /// How much it counts: weight k counts as k copies. Finite, 0 or greater; 0 leaves it out.
    pub weight: f64,
    /// For a counter-exemplar, the text of why it is not wanted.
    pub reason: Option<Named<'a>>,
}

impl<'a> From<Named<'a>> for Example<'a> {
    /// An example of weight 1 without a reason.
    fn from(vector: Named<'a>) -> Self {
        Example { vector, weight: 1.0, reason: None }
    }
}

/// All that a fit is given beside its negatives.
#[derive(Debug, Clone, Default)]
pub struct Query<'a> {
    /// Rows like those that are wanted.
    pub exemplars: Vec<Example<'a>>,
    /// Rows that are not wanted.
    pub counter_exemplars: Vec<Example<'a>>,
    /// Texts of what is wanted.
    pub hints: Vec<Named<'a>>,
    /// Texts of what is not wanted.
    pub counter_hints: Vec<Named<'a>>,
    /// Texts that say nothing; what the other texts share with them is removed.
    pub neutral_hints: Vec<Named<'a>>,
}

impl<'a> Query<'a> {
    /// Without the examples of weight 0.
    ///
    /// # Errors
    /// [`FitError::InvalidParameter`] for a weight outside its range.
    pub fn without_weightless(mut self) -> Result<Self, FitError> {
        for (examples, name) in [
            (&mut self.exemplars, "exemplar_weights"),
            (&mut self.counter_exemplars, "counter_exemplar_weights"),
        ] {
            if let Some(bad) = examples.iter().find(|e| !(e.weight.is_finite() && e.weight >= 0.0)) {
                let range = "finite numbers, 0 or greater";
                return Err(FitError::InvalidParameter { name, value: bad.weight, range });
            }
            examples.retain(|example| example.weight > 0.0);
        }
        Ok(self)
    }

    /// Every vector, those first that say how many dimensions the others should have.
    pub fn vectors(&self) -> impl Iterator<Item = &Named<'a>> {
        let examples = self.exemplars.iter().chain(&self.counter_exemplars);
        let reasons = self.counter_exemplars.iter().filter_map(|example| example.reason.as_ref());
        let texts = self.hints.iter().chain(&self.counter_hints).chain(&self.neutral_hints);
        examples.map(|example| &example.vector).chain(texts).chain(reasons)
    }
}

/// How many dimensions all vectors of a fit must have, and what says so.
#[derive(Debug, Clone)]
pub struct Dimensions {
    pub count: usize,
    pub reference: String,
}

impl Dimensions {
    /// # Errors
    /// [`FitError::DifferentDimensions`] if a vector of `found` dimensions, called `name()`, differs.
    pub fn check(&self, found: usize, name: impl FnOnce() -> String) -> Result<(), FitError> {
        if found == self.count {
            return Ok(());
        }
        let (reference, expected) = (self.reference.clone(), self.count);
        Err(FitError::DifferentDimensions { name: name(), found, reference, expected })
    }
}
