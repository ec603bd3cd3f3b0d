//! A uniform sample of the rows that a query gives.

use pgrx::pg_sys;

use crate::error::Error;
use crate::postgres::spi::{self, Rows, ScansFromStart};
use crate::postgres::{check_interrupts, memory};
use crate::sample::{Drawing, Lengths, RowId};
use crate::source::sampling::Part;
use exemplar_svm::FitError;
use row_sampling::bottom_k::{BottomK, ValueKey, ValueKeys};
use row_sampling::{Place, Position, Walk};

/// Rows that a query's cursor hands over at a time.
pub const ROWS_AT_A_TIME: i32 = 500;

/// The walk that rows are put in the order of, and the tables that its parts are.
pub struct InOrder<'a> {
    pub walk: &'a Walk,
    pub index_of: &'a dyn Fn(pg_sys::Oid) -> Option<u32>,
}

/// What a sample of a stream is taken of.
pub struct Stream<'a> {
    pub part: Part<'a>,
    /// The order of its rows where these have places: then the sample is that of a walk.
    pub in_order: Option<InOrder<'a>>,
    /// Most rows to read, and to keep.
    pub limit: u64,
    pub slots: usize,
}

impl Stream<'_> {
    /// What a sample takes beside its rows, for as many of them as most relations have.
    fn bytes_beside_rows(&self) -> usize {
        const BYTES_OF_A_SLOT: usize = 256;
        const BYTES_OF_A_VALUE: usize = 32;
        let most = 1_000_000;
        self.slots.min(most) * BYTES_OF_A_SLOT + self.limit.min(most as u64) as usize * BYTES_OF_A_VALUE
    }
}

/// Where in the sample a row comes.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Order {
    ByPlace(Position),
    ByValue(ValueKey),
}

/// Vectors kept from a stream of rows.
pub struct Sample {
    bottom: BottomK<Order>,
    keys: ValueKeys,
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
    /// Whether all streams were read to their ends.
    pub is_complete: bool,
}

impl Drawing<'_> {
    /// A uniform sample of the rows of a stream.
    ///
    /// # Errors
    /// `OutOfMemory`.
    pub(super) fn sample(&self, stream: &Stream) -> Result<Sample, Error> {
        let mut sample = self.no_rows(stream.slots);
        self.read_into(&mut sample, stream)?;
        Ok(sample)
    }

    /// A sample of nothing, to which streams can be added.
    pub(super) fn no_rows(&self, slots: usize) -> Sample {
        Sample::new(self.seed, slots, self.set.dimensions())
    }

    /// Makes `sample`, with `stream.slots`, one of the rows of this stream too; how many rows that gave.
    ///
    /// # Errors
    /// `OutOfMemory`.
    pub(super) fn read_into(&self, sample: &mut Sample, stream: &Stream) -> Result<u64, Error> {
        memory::probe(stream.bytes_beside_rows())?;
        let before = sample.read();
        let _from_start = ScansFromStart::new();
        let query = self.source.query_for_values(stream.part, stream.in_order.is_some(), stream.limit);
        let plan = self.connection.prepare(&query, &[]);
        let mut cursor = plan.open();
        loop {
            let rows = cursor.fetch(ROWS_AT_A_TIME);
            for row in 0..rows.len() {
                self.keep(sample, &rows, row, stream.in_order.as_ref())?;
            }
            if rows.len() == 0 {
                break;
            }
        }
        let read = sample.read() - before;
        sample.is_complete &= read < stream.limit;
        Ok(read)
    }

    fn keep(
        &self,
        sample: &mut Sample,
        rows: &Rows,
        row: usize,
        in_order: Option<&InOrder>,
    ) -> Result<(), Error> {
        let Some(value) = rows.get(row, 0) else {
            sample.nulls += 1;
            return Ok(());
        };
        let id = in_order.and_then(|_| id_of(rows, row));
        let position = in_order.zip(id).and_then(|(InOrder { walk, index_of }, id)| {
            let RowId { table, block, offset } = id;
            Some(walk.position(Place { part: index_of(table)?, block, offset }))
        });
        let dimensions = self.set.dimensions();
        let keep = |elements: &[f32]| {
            if elements.len() != dimensions {
                (sample.others, sample.other_dimensions) = (sample.others + 1, elements.len());
                return Ok(());
            }
            sample.lengths.observe(elements);
            let order = match position {
                Some(position) => Order::ByPlace(position),
                None => Order::ByValue(sample.keys.next(elements)),
            };
            let Some(slot) = sample.bottom.slot(order) else { return Ok(()) };
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

/// Table and place of a row of a query for these beside values.
fn id_of(rows: &Rows, row: usize) -> Option<RowId> {
    let (table, place) = (rows.get(row, 1)?, rows.get(row, 2)?);
    // SAFETY: the query's columns are value, table and place.
    let (table, (block, offset)) = unsafe { (spi::oid(table), spi::place(place)) };
    Some(RowId { table, block, offset })
}

impl Sample {
    fn new(seed: u64, slots: usize, dimensions: usize) -> Self {
        Sample {
            bottom: BottomK::new(slots),
            keys: ValueKeys::new(seed),
            dimensions,
            values: Vec::new(),
            ids: Vec::new(),
            nulls: 0,
            others: 0,
            other_dimensions: 0,
            lengths: Lengths::default(),
            order: Vec::new(),
            given: 0,
            is_complete: true,
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
