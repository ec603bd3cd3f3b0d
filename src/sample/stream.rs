//! A uniform sample of the rows that a query gives.

use crate::error::Error;
use crate::postgres::check_interrupts;
use crate::postgres::spi::ScansFromStart;
use crate::sample::Drawing;
use crate::source::Source;
use exemplar_svm::{FitError, Input, Offered, TrainingSet};
use row_sampling::Reservoir;

/// Rows that a query's cursor hands over at a time.
pub const ROWS_AT_A_TIME: i32 = 500;

impl Drawing<'_> {
    /// A uniform sample of the rows of a query for values, a few more than `wanted`.
    pub(super) fn sample(&mut self, query: &str, wanted: usize) -> Result<Sample, Error> {
        let slots = wanted + wanted / 10 + 16;
        let mut sample = Sample::new(self.seed, slots, self.set.dimensions());
        let limit = self.most_rows_read();
        let mut nulls = 0;
        let _from_start = ScansFromStart::new();
        let plan = self.connection.prepare(query, &[]);
        let mut cursor = plan.open();
        loop {
            let rows = cursor.fetch(ROWS_AT_A_TIME);
            for row in 0..rows.len() {
                let Some(value) = rows.get(row, 0) else {
                    nulls += 1;
                    continue;
                };
                let Some(slot) = sample.reservoir.slot() else { continue };
                let source = self.source;
                let expected = self.set.expected_dimensions();
                let keep = |elements: &[f32]| {
                    if elements.len() != expected.count && sample.reservoir.seen() > 1 {
                        return Err(source.mixed_dimensions(expected.count, elements.len()));
                    }
                    expected.check(elements.len(), Input::Negative(0))?;
                    Ok(sample.keep(slot, elements)?)
                };
                // SAFETY: a value of the column, whose type Source::open has found the cast for.
                unsafe { source.cast.with_elements(value, keep) }??;
            }
            if rows.len() == 0 {
                break;
            }
        }
        self.drawn.nulls += nulls;
        sample.is_complete = sample.reservoir.seen() + nulls < limit;
        Ok(sample)
    }

    /// Offers rows of `sample` until `wanted` of them are negatives.
    pub(super) fn offer_sample(&mut self, sample: &mut Sample, wanted: usize) -> Result<(), Error> {
        let enough = self.missing() - wanted;
        self.set.reserve(wanted.min(sample.reservoir.used()))?;
        while self.missing() > enough {
            let Some(elements) = sample.next() else { break };
            let offered = offer(self.source, self.set, elements)?;
            check_interrupts();
            self.count(offered, None);
        }
        Ok(())
    }
}

fn offer(source: &Source, set: &mut TrainingSet, elements: &[f32]) -> Result<Offered, Error> {
    let expected = set.expected_dimensions().count;
    if elements.len() != expected && set.negatives() > 0 {
        return Err(source.mixed_dimensions(expected, elements.len()));
    }
    Ok(set.offer_negative(elements, 0)?)
}
/// Vectors kept from a stream of rows.
pub struct Sample {
    pub reservoir: Reservoir,
    dimensions: usize,
    values: Vec<f32>,
    /// The slots in random order, once the stream has ended, and how many were given away.
    order: Vec<usize>,
    given: usize,
    /// Whether the stream was read to its end.
    pub is_complete: bool,
}

impl Sample {
    fn new(seed: u64, slots: usize, dimensions: usize) -> Self {
        let reservoir = Reservoir::new(seed, slots);
        Sample { reservoir, dimensions, values: Vec::new(), order: Vec::new(), given: 0, is_complete: false }
    }

    fn keep(&mut self, slot: usize, elements: &[f32]) -> Result<(), FitError> {
        let d = self.dimensions;
        if self.values.len() == slot * d {
            return append(&mut self.values, elements);
        }
        self.values[slot * d..][..d].copy_from_slice(elements);
        Ok(())
    }

    /// Whether no row of the stream was let pass or replaced.
    pub fn has_all(&self) -> bool {
        self.reservoir.used() as u64 == self.reservoir.seen()
    }

    /// The next vector in random order.
    fn next(&mut self) -> Option<&[f32]> {
        if self.given == 0 {
            self.order = self.reservoir.shuffled_slots();
        }
        let slot = *self.order.get(self.given)?;
        self.given += 1;
        Some(&self.values[slot * self.dimensions..][..self.dimensions])
    }
}

/// # Errors
/// `OutOfMemory`.
fn append(elements: &mut Vec<f32>, vector: &[f32]) -> Result<(), FitError> {
    let room = elements.try_reserve(vector.len());
    let dimensions = vector.len().max(1);
    room.map_err(|_| FitError::OutOfMemory { rows: elements.len() / dimensions + 1, dimensions })?;
    elements.extend_from_slice(vector);
    Ok(())
}
