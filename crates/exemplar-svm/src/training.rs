//! The rows of a fit, of unit length: exemplars first, then counter-exemplars, then negatives.

use std::ops::Range;

use aligned_vec::{AVec, ConstAlign};

use crate::error::FitError;
use crate::kernel;
use crate::query::{Dimensions, Example, Query};

/// Rows one behind the other, the first at the start of a cache line, and so all rows of usual dimensions: wide loads
/// that cross from one line into the next take twice as long.
pub type Rows = AVec<f32, ConstAlign<CACHE_LINE>>;

const CACHE_LINE: usize = 64;

/// Two unit vectors whose inner product is above this are the same row (f32 rounding, half precision
/// of the same value): an exemplar must never be its own negative.
const SAME_ROW: f64 = 1.0 - 1e-6;

/// The same of products that are summed in single precision: their rounding is far less.
const NEARLY_SAME_ROW: f32 = 1.0 - 1e-3;

/// What became of a vector that was offered as a negative.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Offered {
    /// It is a negative now.
    Kept,
    /// It has no direction.
    Zero,
    /// It is one of the exemplars or counter-exemplars.
    Example,
}

/// Open places of a [`TrainingSet`].
#[derive(Debug)]
pub struct Places {
    first: usize,
}

/// Unit rows of one dimension.
#[derive(Debug, Clone)]
pub struct TrainingSet {
    dimensions: Dimensions,
    exemplars: usize,
    counter_exemplars: usize,
    /// Of every exemplar and counter-exemplar; negatives count 1.
    weights: Vec<f64>,
    values: Rows,
}

impl TrainingSet {
    /// Starts with the exemplars and counter-exemplars of `query`. None at all is allowed and means a
    /// search by hints.
    ///
    /// # Errors
    /// [`FitError::DifferentDimensions`] and [`FitError::ZeroVector`], naming the vector;
    /// [`FitError::Contradiction`] for an exemplar that is a counter-exemplar too.
    pub fn new(dimensions: Dimensions, query: &Query) -> Result<Self, FitError> {
        let mut set = TrainingSet {
            dimensions,
            exemplars: query.exemplars.len(),
            counter_exemplars: query.counter_exemplars.len(),
            weights: Vec::new(),
            values: rows(0),
        };
        for Example { vector, weight, .. } in query.exemplars.iter().chain(&query.counter_exemplars) {
            set.dimensions.check(vector.values.len(), || vector.name.clone())?;
            if !push_unit(&mut set.values, vector.values) {
                return Err(FitError::ZeroVector { name: vector.name.clone() });
            }
            set.weights.push(*weight);
        }
        let first_counter = set.exemplars;
        for (i, counter) in query.counter_exemplars.iter().enumerate() {
            if let Some(same) = set.find(set.row(first_counter + i), 0..first_counter) {
                let exemplar = query.exemplars[same].vector.name.clone();
                return Err(FitError::Contradiction { exemplar, counter: counter.vector.name.clone() });
            }
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
        let rows = self.len() + rows;
        let out_of_memory = |_| FitError::OutOfMemory { rows, dimensions: self.dimensions.count };
        self.values.try_reserve_exact(values).map_err(out_of_memory)
    }

    /// Adds a negative, unless it is a zero vector or one of the examples.
    ///
    /// # Errors
    /// [`FitError::DifferentDimensions`], calling it `name()`.
    pub fn offer_negative(
        &mut self,
        vector: &[f32],
        name: impl FnOnce() -> String,
    ) -> Result<Offered, FitError> {
        self.dimensions.check(vector.len(), name)?;
        if !push_unit(&mut self.values, vector) {
            return Ok(Offered::Zero);
        }
        let last = self.len() - 1;
        if self.find(self.row(last), 0..self.weights.len()).is_some() {
            self.values.truncate(last * self.dimensions.count);
            return Ok(Offered::Example);
        }
        Ok(Offered::Kept)
    }

    /// Opens `count` places behind the rows there are, for negatives that come in another order than they are to have.
    /// [`close`](Self::close) comes next but for [`place`](Self::place).
    ///
    /// # Errors
    /// [`FitError::OutOfMemory`].
    pub fn open(&mut self, count: usize) -> Result<Places, FitError> {
        self.reserve(count)?;
        let first = self.len();
        self.values.resize((first + count) * self.dimensions.count, 0.0);
        Ok(Places { first })
    }

    /// Puts a negative, of as many dimensions as the others, into an open place, as
    /// [`offer_negative`](Self::offer_negative) does behind the last row.
    pub fn place(&mut self, places: &Places, index: usize, vector: &[f32]) -> Offered {
        let norm = norm(vector);
        if norm == 0.0 {
            return Offered::Zero;
        }
        let (row, d) = (places.first + index, self.dimensions.count);
        kernel::scale(&mut self.values[row * d..(row + 1) * d], 1.0 / norm, vector);
        match self.find(self.row(row), 0..self.weights.len()) {
            Some(_) => Offered::Example,
            None => Offered::Kept,
        }
    }

    /// Closes the places, of which those whose indexes `kept` gives, in order, stay.
    pub fn close(&mut self, places: Places, kept: impl Iterator<Item = usize>) {
        let (mut end, d) = (places.first, self.dimensions.count);
        for row in kept.map(|index| places.first + index) {
            if row != end {
                self.values.copy_within(row * d..(row + 1) * d, end * d);
            }
            end += 1;
        }
        self.values.truncate(end * d);
    }

    /// The set with `extra` exemplars of the given weight more: unit rows of the same source. Those that
    /// are examples already are left out, and negatives that are one of them are negatives no more; the
    /// numbers of the others are returned too.
    ///
    /// # Errors
    /// [`FitError::OutOfMemory`].
    pub fn expanded(&self, extra: &[f32], weight: f64) -> Result<(Self, Vec<usize>), FitError> {
        let d = self.dimensions.count;
        let (dimensions, weights) = (self.dimensions.clone(), self.weights.clone());
        let mut set = TrainingSet { dimensions, weights, values: rows(0), ..*self };
        set.reserve(self.len() + extra.len() / d)?;
        set.values.extend_from_slice(&self.values[..self.exemplars * d]);
        for row in extra.chunks_exact(d) {
            if self.find(row, 0..self.weights.len()).is_none() {
                set.values.extend_from_slice(row);
                set.weights.insert(set.exemplars, weight);
                set.exemplars += 1;
            }
        }
        set.values.extend_from_slice(&self.values[self.exemplars * d..self.weights.len() * d]);
        let mut kept = Vec::with_capacity(self.negatives());
        for (i, row) in self.negative_values().chunks_exact(d).enumerate() {
            if set.find(row, self.exemplars..set.exemplars).is_none() {
                set.values.extend_from_slice(row);
                kept.push(i);
            }
        }
        Ok((set, kept))
    }

    /// These examples with the negatives of `other`; `None` if they cannot be, or an example is one of them.
    pub fn with_negatives_of(&self, other: TrainingSet) -> Option<Self> {
        let d = self.dimensions.count;
        if other.dimensions.count != d {
            return None;
        }
        let mut negatives = other.negative_values().chunks_exact(d);
        if negatives.any(|row| self.find(row, 0..self.weights.len()).is_some()) {
            return None;
        }
        let (old, new, end) = (other.weights.len() * d, self.values.len(), other.values.len());
        let mut values = other.values;
        values.resize(end.max(end - old + new), 0.0);
        values.copy_within(old..end, new);
        values[..new].copy_from_slice(&self.values);
        values.truncate(end - old + new);
        Some(TrainingSet {
            values,
            weights: self.weights.clone(),
            dimensions: self.dimensions.clone(),
            ..*self
        })
    }

    /// How much memory the rows take.
    pub fn bytes(&self) -> usize {
        self.values.capacity() * size_of::<f32>()
    }

    /// Removes from `rows`, unit vectors one behind the other, those that are examples.
    pub fn drop_examples(&self, rows: &mut Rows) {
        let other = |row: &&[f32]| self.find(row, 0..self.weights.len()).is_none();
        let others = rows.chunks_exact(self.dimensions.count).filter(other).flatten();
        *rows = Rows::from_iter(CACHE_LINE, others.copied());
    }

    /// Makes the counter-exemplars negatives like any others, for a fit that has no others.
    pub fn counter_exemplars_as_negatives(&mut self) {
        self.weights.truncate(self.exemplars);
        self.counter_exemplars = 0;
    }

    /// The first of `rows` that is the unit vector `row`.
    fn find(&self, row: &[f32], mut rows: Range<usize>) -> Option<usize> {
        rows.find(|&i| {
            let other = self.row(i);
            kernel::dot_roughly(other, row) > NEARLY_SAME_ROW && kernel::dot(other, row) > SAME_ROW
        })
    }

    fn row(&self, i: usize) -> &[f32] {
        let d = self.dimensions.count;
        &self.values[i * d..(i + 1) * d]
    }

    fn len(&self) -> usize {
        self.values.len() / self.dimensions.count
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

    /// How many rows are counter-exemplars; they follow the exemplars.
    pub fn counter_exemplars(&self) -> usize {
        self.counter_exemplars
    }

    /// How many rows are negatives.
    pub fn negatives(&self) -> usize {
        self.len() - self.weights.len()
    }

    /// The exemplar and the negative with the largest inner product with `w`, the first of equals; none where there
    /// are no exemplars, or too few negatives to tell.
    pub fn nearest(&self, w: &[f32]) -> impl Iterator<Item = &[f32]> {
        let best = |rows| -> Option<&[f32]> {
            let rows = <[f32]>::chunks_exact(rows, self.dimensions.count);
            rows.rev().max_by(|a, b| kernel::dot(a, w).total_cmp(&kernel::dot(b, w)))
        };
        let negative = best(self.negative_values()).filter(|_| self.negatives() > 1);
        best(self.exemplar_values()).into_iter().chain(negative)
    }

    /// The weights of the exemplars.
    pub fn exemplar_weights(&self) -> &[f64] {
        &self.weights[..self.exemplars]
    }

    /// The weights of the counter-exemplars.
    pub fn counter_exemplar_weights(&self) -> &[f64] {
        &self.weights[self.exemplars..]
    }

    /// All rows, of shape (n, d).
    pub fn rows(&self) -> ndarray::ArrayView2<'_, f32> {
        ndarray::ArrayView2::from_shape((self.len(), self.dimensions.count), &self.values)
            .expect("values hold whole rows")
    }

    pub(crate) fn values(&self) -> &[f32] {
        &self.values
    }

    pub(crate) fn exemplar_values(&self) -> &[f32] {
        &self.values[..self.exemplars * self.dimensions.count]
    }

    pub(crate) fn counter_exemplar_values(&self) -> &[f32] {
        &self.values[self.exemplars * self.dimensions.count..self.weights.len() * self.dimensions.count]
    }

    pub(crate) fn negative_values(&self) -> &[f32] {
        &self.values[self.weights.len() * self.dimensions.count..]
    }
}

/// Whether two vectors, neither zero, have one direction and so are the same row of a fit.
pub fn same_direction(a: &[f32], b: &[f32]) -> bool {
    a.len() == b.len() && kernel::dot(a, b) > SAME_ROW * norm(a) * norm(b)
}

/// No rows, with room for so many values.
pub fn rows(capacity: usize) -> Rows {
    Rows::with_capacity(CACHE_LINE, capacity)
}

/// Appends `vector` at unit length to `rows`, unless it is zero; whether it did.
pub fn push_unit(rows: &mut Rows, vector: &[f32]) -> bool {
    let norm = norm(vector);
    if norm == 0.0 {
        return false;
    }
    let start = rows.len();
    rows.resize(start + vector.len(), 0.0);
    kernel::scale(&mut rows[start..], 1.0 / norm, vector);
    true
}

/// Euclidean length.
pub fn norm(vector: &[f32]) -> f64 {
    kernel::dot(vector, vector).sqrt()
}
