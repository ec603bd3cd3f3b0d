//! What is asked for: examples and texts, wanted and unwanted, as the caller gave them.

use std::fmt;

use crate::error::FitError;

/// Which vector of the input, for errors: what it is for, and its index among those, from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Input {
    /// A row like those that are wanted.
    Exemplar(usize),
    /// A row that is not wanted.
    CounterExemplar(usize),
    /// The text of why the counter-exemplar of this index is not wanted.
    Reason(usize),
    /// A text of what is wanted.
    Hint(usize),
    /// A text of what is not wanted.
    CounterHint(usize),
    /// A text that says nothing.
    NeutralHint(usize),
    /// A row that the wanted ones are told apart from.
    Negative(usize),
    /// A vector that was fitted before.
    Weights,
    /// No vector, but what says beforehand how many dimensions all of them have.
    Declared,
}

impl fmt::Display for Input {
    /// For people, who count from 1.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (what, index) = match self {
            Input::Exemplar(index) => ("exemplar", index),
            Input::CounterExemplar(index) => ("counter-exemplar", index),
            Input::Reason(index) => ("the reason of counter-exemplar", index),
            Input::Hint(index) => ("hint", index),
            Input::CounterHint(index) => ("counter-hint", index),
            Input::NeutralHint(index) => ("neutral hint", index),
            Input::Negative(index) => ("negative", index),
            Input::Weights => return write!(f, "the weights"),
            Input::Declared => return write!(f, "the declaration"),
        };
        write!(f, "{what} {}", index + 1)
    }
}

/// A vector, and which of the input it is.
#[derive(Debug, Clone, Copy)]
pub struct InputVector<'a> {
    pub input: Input,
    pub values: &'a [f32],
}

/// An exemplar or a counter-exemplar.
#[derive(Debug, Clone)]
pub struct Example<'a> {
    pub vector: InputVector<'a>,
    /// How much it counts: weight k counts as k copies. 0, which leaves it out, or within [`WEIGHTS`](Self::WEIGHTS).
    pub weight: f64,
    /// For a counter-exemplar, the text of why it is not wanted.
    pub reason: Option<InputVector<'a>>,
}

impl Example<'_> {
    /// The range of weights beside 0: wider than any use, and far from where sums and products of weights overflow.
    pub const WEIGHTS: std::ops::RangeInclusive<f64> = 1e-9..=1e9;
}

impl<'a> From<InputVector<'a>> for Example<'a> {
    /// An example of weight 1 without a reason.
    fn from(vector: InputVector<'a>) -> Self {
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
    pub hints: Vec<InputVector<'a>>,
    /// Texts of what is not wanted.
    pub counter_hints: Vec<InputVector<'a>>,
    /// Texts that say nothing; what the other texts share with them is removed.
    pub neutral_hints: Vec<InputVector<'a>>,
}

impl<'a> Query<'a> {
    /// Without the examples of weight 0.
    ///
    /// # Errors
    /// [`FitError::InvalidWeight`] for a weight outside its range.
    pub fn without_weightless(mut self) -> Result<Self, FitError> {
        for examples in [&mut self.exemplars, &mut self.counter_exemplars] {
            let is_valid = |weight: f64| weight == 0.0 || Example::WEIGHTS.contains(&weight);
            if let Some(bad) = examples.iter().find(|e| !is_valid(e.weight)) {
                return Err(FitError::InvalidWeight { input: bad.vector.input, value: bad.weight });
            }
            examples.retain(|example| example.weight > 0.0);
        }
        Ok(self)
    }

    /// Every vector, those first that say how many dimensions the others should have.
    pub fn vectors(&self) -> impl Iterator<Item = InputVector<'a>> {
        let examples = self.exemplars.iter().chain(&self.counter_exemplars);
        let reasons = self.counter_exemplars.iter().filter_map(|example| example.reason);
        let texts = self.hints.iter().chain(&self.counter_hints).chain(&self.neutral_hints);
        examples.map(|example| example.vector).chain(texts.copied()).chain(reasons)
    }
}

/// How many dimensions all vectors of a fit must have, and what says so.
#[derive(Debug, Clone, Copy)]
pub struct Dimensions {
    pub count: usize,
    pub reference: Input,
}

impl Dimensions {
    /// # Errors
    /// [`FitError::DifferentDimensions`] if `input`, of `found` dimensions, differs.
    pub fn check(&self, found: usize, input: Input) -> Result<(), FitError> {
        if found == self.count {
            return Ok(());
        }
        let Dimensions { reference, count: expected } = *self;
        Err(FitError::DifferentDimensions { input, found, reference, expected })
    }
}
