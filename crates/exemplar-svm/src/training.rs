//! The rows of a fit, of unit length: exemplars first, then counter-exemplars, then negatives.

use std::cell::OnceCell;

use crate::error::FitError;
use crate::kernel;
use crate::memory::{Heap, OutOfMemory, RowMemory, with_room};
use crate::near_rows::NearRows;
use crate::query::{Dimensions, Example, Input, Query};
use crate::same_row::{RowIndex, is_same_row, norm};

/// What became of a vector that was offered as a negative.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Offered {
    /// It is a negative now.
    Kept,
    /// It has no direction: it is zero or not finite.
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
#[derive(Debug)]
pub struct TrainingSet {
    dimensions: Dimensions,
    exemplars: usize,
    /// How many of the exemplars, the last ones, an expansion has added.
    added: usize,
    counter_exemplars: usize,
    /// How many of the negatives, the first ones, are counter-exemplars that count like any others.
    rejected: usize,
    /// Of every exemplar and counter-exemplar; negatives count 1.
    weights: Vec<f64>,
    values: Box<dyn RowMemory>,
    /// Finds exemplars and counter-exemplars, rejected ones too.
    index: RowIndex,
    /// Of the negatives, once they were asked for; what changes the negatives lets go of them.
    near: OnceCell<Option<NearRows>>,
}

impl TrainingSet {
    /// Starts with the exemplars and counter-exemplars of `query`. None at all is allowed and means a
    /// search by hints.
    ///
    /// # Errors
    /// [`FitError::DifferentDimensions`], [`FitError::ZeroVector`], [`FitError::Contradiction`] for an exemplar that is
    /// a counter-exemplar too, [`FitError::OutOfMemory`].
    pub fn new(dimensions: Dimensions, query: &Query) -> Result<Self, FitError> {
        Self::new_in(Box::<Heap>::default(), dimensions, query, &mut || ())
    }

    /// As [`new`](Self::new) with its rows in `memory`, which holds none; `interrupt` is called for each and may unwind.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn new_in(
        memory: Box<dyn RowMemory>,
        dimensions: Dimensions,
        query: &Query,
        interrupt: &mut dyn FnMut(),
    ) -> Result<Self, FitError> {
        let (exemplars, counter_exemplars) = (query.exemplars.len(), query.counter_exemplars.len());
        let mut set = TrainingSet {
            dimensions,
            exemplars,
            added: 0,
            counter_exemplars,
            rejected: 0,
            weights: Vec::new(),
            values: memory,
            index: RowIndex::default(),
            near: OnceCell::new(),
        };
        let examples = exemplars + counter_exemplars;
        set.reserve(examples)?;
        set.weights = with_room(examples).map_err(|_| set.out_of_memory(examples))?;
        for Example { vector, weight, .. } in query.exemplars.iter().chain(&query.counter_exemplars) {
            set.dimensions.check(vector.values.len(), vector.input)?;
            if !set.push_unit(vector.values)? {
                return Err(FitError::ZeroVector { input: vector.input });
            }
            set.weights.push(*weight);
            interrupt();
        }
        set.index_rows(exemplars, interrupt)?;
        for (i, counter) in query.counter_exemplars.iter().enumerate() {
            if let Some(same) = set.first_example_like(set.row(exemplars + i)) {
                let exemplar = query.exemplars[same].vector.input;
                return Err(FitError::Contradiction { exemplar, counter: counter.vector.input });
            }
            interrupt();
        }
        if counter_exemplars > 0 {
            set.index_rows(examples, interrupt)?;
        }
        Ok(set)
    }

    /// Makes room for `rows` more rows.
    ///
    /// # Errors
    /// [`FitError::OutOfMemory`].
    pub fn reserve(&mut self, rows: usize) -> Result<(), FitError> {
        // One more, since a row is looked at in its place before it is kept or dropped.
        let values = rows.saturating_add(1).saturating_mul(self.dimensions.count);
        let room = self.values.reserve(values);
        room.map_err(|_| self.out_of_memory(self.len().saturating_add(rows)))
    }

    /// Adds a negative, unless it has no direction or is one of the examples. `index` is for errors alone.
    ///
    /// # Errors
    /// [`FitError::DifferentDimensions`], [`FitError::OutOfMemory`].
    pub fn offer_negative(&mut self, vector: &[f32], index: usize) -> Result<Offered, FitError> {
        self.dimensions.check(vector.len(), Input::Negative(index))?;
        if !self.push_unit(vector)? {
            return Ok(Offered::Zero);
        }
        let last = self.len() - 1;
        if self.is_example(self.row(last)) {
            self.resize(last)?;
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
        self.resize(first + count)?;
        Ok(Places { first })
    }

    /// Puts a negative, of as many dimensions as the others, into an open place, as
    /// [`offer_negative`](Self::offer_negative) does behind the last row.
    pub fn place(&mut self, places: &Places, index: usize, vector: &[f32]) -> Offered {
        let Some(length) = length(vector) else { return Offered::Zero };
        let (row, d) = (places.first + index, self.dimensions.count);
        kernel::scale(&mut self.values.values_mut()[row * d..(row + 1) * d], 1.0 / length, vector);
        if self.is_example(self.row(row)) { Offered::Example } else { Offered::Kept }
    }

    /// Closes the places, of which those whose indexes `kept` gives, in order, stay.
    pub fn close(&mut self, places: Places, kept: impl Iterator<Item = usize>) {
        let (mut end, d) = (places.first, self.dimensions.count);
        for row in kept.map(|index| places.first + index) {
            if row != end {
                self.values.values_mut().copy_within(row * d..(row + 1) * d, end * d);
            }
            end += 1;
        }
        // Fewer rows need no memory.
        let _ = self.resize(end);
    }

    /// The set with the first `k` rows of `best` that are no examples as exemplars of the given weight more. These are
    /// unit rows of the same source, one behind the other, the best first. Negatives that are one of the new exemplars
    /// are negatives no more; the numbers of the others, of those that were offered, are returned too.
    ///
    /// `interrupt` is called for each row and may unwind.
    ///
    /// # Errors
    /// [`FitError::OutOfMemory`].
    pub fn expanded(
        &self,
        best: &[f32],
        k: usize,
        weight: f64,
        interrupt: &mut dyn FnMut(),
    ) -> Result<(Self, Vec<usize>), FitError> {
        let d = self.dimensions.count;
        let out_of_memory = |_| self.out_of_memory(self.len() + best.len() / d);
        let mut new: Vec<&[f32]> = with_room(k.min(best.len() / d)).map_err(out_of_memory)?;
        for row in best.chunks_exact(d) {
            if new.len() == k {
                break;
            }
            if !self.is_example(row) {
                new.push(row);
            }
            interrupt();
        }
        let mut weights = with_room(self.weights.len() + new.len()).map_err(out_of_memory)?;
        weights.extend_from_slice(self.exemplar_weights());
        weights.extend(std::iter::repeat_n(weight, new.len()));
        weights.extend_from_slice(self.counter_exemplar_weights());
        let exemplars = self.exemplars + new.len();
        let (values, index, near) = (self.values.empty(), RowIndex::default(), OnceCell::new());
        let added = self.added + new.len();
        let mut set = TrainingSet { exemplars, added, weights, values, index, near, ..*self };
        set.reserve(self.len() + new.len())?;
        set.push_rows(self.exemplar_values())?;
        new.iter().try_for_each(|row| set.push_rows(row))?;
        let counters_and_rejected = &self.values()[self.exemplars * d..self.examples() * d];
        set.push_rows(counters_and_rejected)?;
        let added = RowIndex::new(new.iter().copied(), new.len(), d, interrupt).map_err(out_of_memory)?;
        let mut kept = with_room(self.len() - self.examples()).map_err(out_of_memory)?;
        for (i, row) in self.values()[self.examples() * d..].chunks_exact(d).enumerate() {
            if !added.candidates(row).any(|of| is_same_row(new[of], row)) {
                set.push_rows(row)?;
                kept.push(i);
            }
            interrupt();
        }
        set.index_rows(set.examples(), interrupt)?;
        Ok((set, kept))
    }

    /// Takes all negatives of `other`, and what is known of them, in the place of its own; false if they cannot be had, since
    /// they have other dimensions or an example is one of them. `interrupt` is called for each and may unwind.
    ///
    /// # Errors
    /// [`FitError::OutOfMemory`].
    pub fn take_negatives_of(
        &mut self,
        other: TrainingSet,
        interrupt: &mut dyn FnMut(),
    ) -> Result<bool, FitError> {
        let d = self.dimensions.count;
        if other.dimensions.count != d {
            return Ok(false);
        }
        for row in other.negative_values().chunks_exact(d) {
            if self.is_example(row) {
                return Ok(false);
            }
            interrupt();
        }
        let (old, new, end) = (other.weights.len() * d, self.weights.len() * d, other.values().len());
        let mut values = other.values;
        let len = end - old + new;
        values.resize(end.max(len)).map_err(|_| self.out_of_memory(len / d))?;
        values.values_mut().copy_within(old..end, new);
        values.values_mut()[..new].copy_from_slice(&self.values()[..new]);
        values.resize(len).map_err(|_| self.out_of_memory(len / d))?;
        self.values = values;
        self.near = other.near;
        Ok(true)
    }

    /// The memory that the rows are in.
    pub fn memory_mut(&mut self) -> &mut dyn RowMemory {
        &mut *self.values
    }

    /// How much memory the rows take, and what is known of them.
    pub fn bytes(&self) -> usize {
        let near = self.near.get().and_then(Option::as_ref).map_or(0, NearRows::bytes);
        self.values.capacity() * size_of::<f32>() + near
    }

    /// The near rows among the negatives, found once; `None` where there are too few, or all are copies of each other.
    pub(crate) fn near_rows(&self, interrupt: &mut dyn FnMut()) -> Option<&NearRows> {
        let find = || NearRows::of(self.negative_values(), self.dimensions.count, interrupt);
        self.near.get_or_init(find).as_ref()
    }

    /// Makes the counter-exemplars negatives like any others, for a fit that has no others.
    pub fn counter_exemplars_as_negatives(&mut self) {
        self.near.take();
        self.weights.truncate(self.exemplars);
        self.rejected += std::mem::take(&mut self.counter_exemplars);
    }

    /// Whether a unit vector is one of the examples.
    fn is_example(&self, row: &[f32]) -> bool {
        self.index.candidates(row).any(|i| is_same_row(self.row(i), row))
    }

    /// The first of the indexed examples that is the same as the unit vector `row`.
    fn first_example_like(&self, row: &[f32]) -> Option<usize> {
        self.index.candidates(row).filter(|&i| is_same_row(self.row(i), row)).min()
    }

    /// Has the first `rows` rows, and no others, be found as examples.
    fn index_rows(&mut self, rows: usize, interrupt: &mut dyn FnMut()) -> Result<(), FitError> {
        let d = self.dimensions.count;
        let first = self.values()[..rows * d].chunks_exact(d);
        self.index = RowIndex::new(first, rows, d, interrupt).map_err(|_| self.out_of_memory(self.len()))?;
        Ok(())
    }

    /// Appends `vector` at unit length, unless it has no direction; whether it did.
    fn push_unit(&mut self, vector: &[f32]) -> Result<bool, FitError> {
        let Some(length) = length(vector) else { return Ok(false) };
        let row = self.len();
        self.resize(row + 1)?;
        kernel::scale(&mut self.values.values_mut()[row * vector.len()..], 1.0 / length, vector);
        Ok(true)
    }

    fn push_rows(&mut self, rows: &[f32]) -> Result<(), FitError> {
        let end = self.values().len();
        self.resize((end + rows.len()) / self.dimensions.count)?;
        self.values.values_mut()[end..].copy_from_slice(rows);
        Ok(())
    }

    fn resize(&mut self, rows: usize) -> Result<(), FitError> {
        self.near.take();
        let values = rows.saturating_mul(self.dimensions.count);
        self.values.resize(values).map_err(|_| self.out_of_memory(rows))
    }

    fn out_of_memory(&self, rows: usize) -> FitError {
        FitError::OutOfMemory { rows, dimensions: self.dimensions.count }
    }

    fn row(&self, i: usize) -> &[f32] {
        let d = self.dimensions.count;
        &self.values()[i * d..(i + 1) * d]
    }

    fn len(&self) -> usize {
        self.values().len() / self.dimensions.count
    }

    /// How many rows are exemplars and counter-exemplars, those that count as negatives too; they are the first ones.
    fn examples(&self) -> usize {
        self.weights.len() + self.rejected
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

    /// How many of the exemplars were given, not added by an expansion; they are the first ones.
    pub fn given_exemplars(&self) -> usize {
        self.exemplars - self.added
    }

    /// How many rows are counter-exemplars; they follow the exemplars.
    pub fn counter_exemplars(&self) -> usize {
        self.counter_exemplars
    }

    /// How many rows are negatives.
    pub fn negatives(&self) -> usize {
        self.len() - self.weights.len()
    }

    /// The exemplar with the largest inner product with `w`, the first of equals.
    pub fn best_exemplar(&self, w: &[f32]) -> Option<&[f32]> {
        let rows = self.exemplar_values().chunks_exact(self.dimensions.count);
        rows.rev().max_by(|a, b| kernel::dot(a, w).total_cmp(&kernel::dot(b, w)))
    }

    /// The negatives, each with its inner product with `w`.
    pub fn scored_negatives(&self, w: &[f32]) -> impl Iterator<Item = (f64, &[f32])> {
        let rows = self.negative_values().chunks_exact(self.dimensions.count);
        rows.map(|row| (kernel::dot(row, w), row))
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
        ndarray::ArrayView2::from_shape((self.len(), self.dimensions.count), self.values())
            .expect("values hold whole rows")
    }

    pub(crate) fn values(&self) -> &[f32] {
        self.values.values()
    }

    pub(crate) fn exemplar_values(&self) -> &[f32] {
        &self.values()[..self.exemplars * self.dimensions.count]
    }

    pub(crate) fn counter_exemplar_values(&self) -> &[f32] {
        &self.values()[self.exemplars * self.dimensions.count..self.weights.len() * self.dimensions.count]
    }

    pub(crate) fn negative_values(&self) -> &[f32] {
        &self.values()[self.weights.len() * self.dimensions.count..]
    }
}

/// Appends `vector` at unit length to `rows`, unless it has no direction; whether it did.
///
/// # Errors
/// [`OutOfMemory`].
pub fn append_unit(rows: &mut Vec<f32>, vector: &[f32]) -> Result<bool, OutOfMemory> {
    let Some(length) = length(vector) else { return Ok(false) };
    rows.try_reserve(vector.len()).map_err(|_| OutOfMemory)?;
    let start = rows.len();
    rows.resize(start + vector.len(), 0.0);
    kernel::scale(&mut rows[start..], 1.0 / length, vector);
    Ok(true)
}

/// Euclidean length, if a direction goes with it.
fn length(vector: &[f32]) -> Option<f64> {
    Some(norm(vector)).filter(|norm| norm.is_finite() && *norm > 0.0)
}
