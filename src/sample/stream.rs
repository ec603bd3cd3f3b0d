//! A uniform sample of the rows that a query gives.

use crate::error::Error;
use crate::postgres::check_interrupts;
use crate::postgres::spi::{self, Rows, ScansFromStart};
use crate::sample::{Drawing, Lengths, RowId};
use crate::source::sampling::Part;
use exemplar_svm::FitError;
use row_sampling::bottom_k::BottomK;

/// Rows that a query's cursor hands over at a time.
pub const ROWS_AT_A_TIME: i32 = 500;

/// What a sample of a stream is taken of.
pub struct Stream<'a> {
    pub part: Part<'a>,
    /// Whether its rows have places.
    pub with_ids: bool,
    /// Most rows to read, and to keep.
    pub limit: u64,
    pub slots: usize,
}

/// Vectors kept from a stream of rows.
pub struct Sample {
    bottom: BottomK,
    dimensions: usize,
    values: Vec<f32>,
    ids: Vec<Option<RowId>>,
    nulls: u64,
    /// Rows of other dimensions, and how many one of them has.
    others: u64,
    other_dimensions: usize,
    lengths: Lengths,
    /// The slots in the order of the sample, once the stream has ended, and how many were given away.
    order: Vec<usize>,
    given: usize,
    /// Whether the stream was read to its end.
    pub is_complete: bool,
}

impl Drawing<'_> {
    /// A uniform sample of the rows of a stream.
    ///
    /// # Errors
    /// `OutOfMemory`.
    pub(super) fn sample(&self, stream: &Stream) -> Result<Sample, Error> {
        let mut sample = Sample::new(self.seed, stream.slots, self.set.dimensions());
        let _from_start = ScansFromStart::new();
        let query = self.source.query_for_values(stream.part, stream.with_ids, stream.limit);
        let plan = self.connection.prepare(&query, &[]);
        let mut cursor = plan.open();
        loop {
            let rows = cursor.fetch(ROWS_AT_A_TIME);
            for row in 0..rows.len() {
                self.keep(&mut sample, &rows, row)?;
            }
            if rows.len() == 0 {
                break;
            }
        }
        sample.is_complete = sample.read() < stream.limit;
        Ok(sample)
    }

    fn keep(&self, sample: &mut Sample, rows: &Rows, row: usize) -> Result<(), Error> {
        let Some(value) = rows.get(row, 0) else {
            sample.nulls += 1;
            return Ok(());
        };
        let dimensions = self.set.dimensions();
        let keep = |elements: &[f32]| {
            if elements.len() != dimensions {
                (sample.others, sample.other_dimensions) = (sample.others + 1, elements.len());
                return Ok(());
            }
            sample.lengths.observe(elements);
            let Some(slot) = sample.bottom.slot(elements) else { return Ok(()) };
            // SAFETY: the query's columns are value, table and place.
            let id = rows.get(row, 1).zip(rows.get(row, 2)).map(|(table, place)| unsafe {
                let (table, (block, offset)) = (spi::oid(table), spi::place(place));
                RowId { table, block, offset }
            });
            Ok(sample.put(slot, elements, id)?)
        };
        // SAFETY: a value of the column, whose type Source::open has found the cast for.
        unsafe { self.source.cast.with_elements(value, keep) }?
    }

    /// Offers rows of `sample` until `wanted` of them are negatives.
    pub(super) fn offer_sample(&mut self, sample: &mut Sample, wanted: usize) -> Result<(), Error> {
        let enough = self.missing() - wanted.min(self.missing());
        self.drawn.nulls += std::mem::take(&mut sample.nulls);
        self.drawn.lengths.include(sample.lengths);
        if sample.others > 0 {
            self.drawn.other_dimensions = sample.other_dimensions;
            self.drawn.others += std::mem::take(&mut sample.others);
        }
        self.set.reserve(wanted.min(sample.bottom.used()))?;
        while self.missing() > enough {
            let Some((elements, id)) = sample.next() else { break };
            let offered = self.set.offer_negative(elements, 0)?;
            check_interrupts();
            self.count(offered, id);
        }
        Ok(())
    }
}

impl Sample {
    fn new(seed: u64, slots: usize, dimensions: usize) -> Self {
        Sample {
            bottom: BottomK::new(seed, slots),
            dimensions,
            values: Vec::new(),
            ids: Vec::new(),
            nulls: 0,
            others: 0,
            other_dimensions: 0,
            lengths: Lengths::default(),
            order: Vec::new(),
            given: 0,
            is_complete: false,
        }
    }

    fn put(&mut self, slot: usize, elements: &[f32], id: Option<RowId>) -> Result<(), FitError> {
        let d = self.dimensions;
        if self.ids.len() == slot {
            append(&mut self.values, elements)?;
            self.ids.push(id);
            return Ok(());
        }
        self.values[slot * d..][..d].copy_from_slice(elements);
        self.ids[slot] = id;
        Ok(())
    }

    /// Rows of the stream with a value.
    pub fn seen(&self) -> u64 {
        self.bottom.seen()
    }

    /// All rows of the stream.
    pub fn read(&self) -> u64 {
        self.seen() + self.nulls + self.others
    }

    /// Whether no row of the stream was let pass or replaced.
    pub fn has_all(&self) -> bool {
        self.bottom.used() as u64 == self.seen()
    }

    /// The next vector in the order of the sample.
    fn next(&mut self) -> Option<(&[f32], Option<RowId>)> {
        if self.given == 0 {
            self.order = self.bottom.slots_in_order();
        }
        let slot = *self.order.get(self.given)?;
        self.given += 1;
        Some((&self.values[slot * self.dimensions..][..self.dimensions], self.ids[slot]))
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
