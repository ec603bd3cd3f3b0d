//! The rows of a fit: exemplars first, then negatives, all of unit length.

use super::error::FitError;
use super::kernel;

/// Two unit vectors whose inner product is above this are the same row (f32 rounding, half precision
/// of the same value): an exemplar must never be its own negative.
const SAME_ROW: f64 = 1.0 - 1e-6;

/// A vector and what the caller calls it, for errors.
#[derive(Debug, Clone)]
pub struct Named<'a> {
    pub name: String,
    pub values: &'a [f32],
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

/// What became of a vector that was offered as a negative.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Offered {
    /// It is a negative now.
    Kept,
    /// It has no direction.
    Zero,
    /// It is one of the exemplars.
    Exemplar,
}

/// Unit rows of one dimension, row-major in one allocation: the exemplars first, the negatives behind.
#[derive(Debug, Clone)]
pub struct TrainingSet {
    dimensions: Dimensions,
    exemplars: usize,
    weights: Vec<f64>,
    values: Vec<f32>,
}

impl TrainingSet {
    /// Starts with the exemplars, each of weight 1. No exemplar at all is allowed and means a search
    /// by hint alone.
    ///
    /// # Errors
    /// [`FitError::DifferentDimensions`] and [`FitError::ZeroVector`], naming the exemplar.
    pub fn new(dimensions: Dimensions, exemplars: &[Named]) -> Result<Self, FitError> {
        Self::weighted(dimensions, exemplars, &vec![1.0; exemplars.len()])
    }

    /// The same with a weight for each exemplar, a finite number > 0: weight k counts as k copies.
    ///
    /// # Errors
    /// As [`TrainingSet::new`]; [`FitError::InvalidParameter`] for a weight outside its range.
    pub fn weighted(dimensions: Dimensions, exemplars: &[Named], weights: &[f64]) -> Result<Self, FitError> {
        let mut set = TrainingSet { dimensions, exemplars: 0, weights: Vec::new(), values: Vec::new() };
        for (exemplar, &weight) in exemplars.iter().zip(weights) {
            set.dimensions.check(exemplar.values.len(), || exemplar.name.clone())?;
            if !(weight.is_finite() && weight > 0.0) {
                let range = "a finite number greater than 0";
                return Err(FitError::InvalidParameter { name: "exemplar weight", value: weight, range });
            }
            if !set.push_unit(exemplar.values, weight) {
                return Err(FitError::ZeroVector { name: exemplar.name.clone() });
            }
            set.exemplars += 1;
        }
        Ok(set)
    }

    /// Makes room for `rows` more rows.
    ///
    /// # Errors
    /// [`FitError::OutOfMemory`].
    pub fn reserve(&mut self, rows: usize) -> Result<(), FitError> {
        // One more, since a row is looked at in its place before it is kept or dropped.
        let values = (rows + 1).saturating_mul(self.dimensions.count);
        let room = self.values.try_reserve(values).and_then(|()| self.weights.try_reserve(rows + 1));
        let rows = self.weights.len() + rows;
        room.map_err(|_| FitError::OutOfMemory { rows, dimensions: self.dimensions.count })
    }

    /// Adds a negative of weight 1, unless it is a zero vector or one of the exemplars.
    ///
    /// # Errors
    /// [`FitError::DifferentDimensions`], calling it `name()`.
    pub fn offer_negative(
        &mut self,
        vector: &[f32],
        name: impl FnOnce() -> String,
    ) -> Result<Offered, FitError> {
        self.dimensions.check(vector.len(), name)?;
        if !self.push_unit(vector, 1.0) {
            return Ok(Offered::Zero);
        }
        let d = self.dimensions.count;
        let (before, row) = self.values.split_at(self.values.len() - d);
        if before.chunks_exact(d).take(self.exemplars).any(|x| kernel::dot(x, row) > SAME_ROW) {
            self.values.truncate(self.values.len() - d);
            self.weights.pop();
            return Ok(Offered::Exemplar);
        }
        Ok(Offered::Kept)
    }

    fn push_unit(&mut self, vector: &[f32], weight: f64) -> bool {
        let norm = norm(vector);
        if norm == 0.0 {
            return false;
        }
        self.values.extend(vector.iter().map(|&v| (f64::from(v) / norm) as f32));
        self.weights.push(weight);
        true
    }

    /// Dimensions of each row.
    pub fn dimensions(&self) -> usize {
        self.dimensions.count
    }

    /// Dimensions of each row, and what says so.
    pub fn expected_dimensions(&self) -> &Dimensions {
        &self.dimensions
    }

    /// How many rows are exemplars; they are the first ones.
    pub fn exemplars(&self) -> usize {
        self.exemplars
    }

    /// How many rows are negatives.
    pub fn negatives(&self) -> usize {
        self.weights.len() - self.exemplars
    }

    /// All rows, exemplars first, of shape (n, d).
    pub fn rows(&self) -> ndarray::ArrayView2<'_, f32> {
        ndarray::ArrayView2::from_shape((self.weights.len(), self.dimensions.count), &self.values)
            .expect("values hold whole rows")
    }

    pub(super) fn values(&self) -> &[f32] {
        &self.values
    }

    /// The balanced weights `s_i`: exemplars carry half of the total weight, negatives the other.
    pub fn balanced_weights(&self) -> Vec<f64> {
        let (positive, negative) = self.weights.split_at(self.exemplars);
        let (positive_sum, negative_sum) = (positive.iter().sum::<f64>(), negative.iter().sum::<f64>());
        let half = (positive_sum + negative_sum) / 2.0;
        let scaled = |weights: &[f64], sum: f64| -> Vec<f64> {
            weights.iter().map(|weight| weight * half / sum).collect()
        };
        [scaled(positive, positive_sum), scaled(negative, negative_sum)].concat()
    }
}

/// Euclidean length.
pub fn norm(vector: &[f32]) -> f64 {
    kernel::dot(vector, vector).sqrt()
}
