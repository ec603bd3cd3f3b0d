//! Draws negatives from a source, uniformly, as the caller and under the caller's snapshot.

mod fetch;
mod notices;
pub mod parts;
mod strategy;
mod stream;
mod walk;

use std::collections::HashSet;
use std::time::Instant;

use pgrx::pg_sys;

use crate::error::Error;
use crate::postgres::snapshot::Snapshot;
use crate::postgres::spi::Connection;
use crate::source::Source;
use crate::source::order::Metric;
use exemplar_svm::{Input, Offered, TrainingSet};

/// Which row of which table: `tableoid` and `ctid`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct RowId {
    pub table: pg_sys::Oid,
    pub block: u32,
    pub offset: u16,
}

impl RowId {
    /// Its `ctid`.
    pub fn tid(self) -> pg_sys::ItemPointerData {
        let mut tid = pg_sys::ItemPointerData::default();
        pgrx::itemptr::item_pointer_set_all(&mut tid, self.block, self.offset);
        tid
    }

    /// The name of its table as `regclass` writes it.
    pub fn table_name(self) -> String {
        let function = pg_sys::F_REGCLASSOUT.into();
        // SAFETY: regclassout takes any OID and returns a palloc'd, NUL-terminated string.
        unsafe {
            let name = pg_sys::OidFunctionCall1Coll(function, pg_sys::InvalidOid, self.table.into());
            std::ffi::CStr::from_ptr(name.cast_mut_ptr()).to_string_lossy().into_owned()
        }
    }
}

/// What was drawn, beside the negatives that are in the training set now.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Drawn {
    /// Rows seen with an embedding, whatever became of them.
    pub rows: u64,
    /// Rows skipped since their embedding is null.
    pub nulls: u64,
    /// Rows skipped since their embedding is the zero vector.
    pub zeros: u64,
    /// Rows skipped since they are an exemplar or a counter-exemplar.
    pub examples: u64,
    /// Rows skipped since their embedding has other dimensions, and how many one of them has.
    pub others: u64,
    pub other_dimensions: usize,
    /// How long the rows are.
    pub lengths: Lengths,
    /// Whether every row was seen.
    pub exhausted: bool,
    /// Whether the source was found to have few rows for its size.
    pub sparse: bool,
    /// For each negative, in order, which row it is; `None` where rows have no place, as in a view.
    pub row_ids: Vec<Option<RowId>>,
}

/// The shortest and the longest of some vectors that are not zero.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Lengths {
    shortest: f32,
    longest: f32,
}

impl Default for Lengths {
    fn default() -> Self {
        Lengths { shortest: f32::INFINITY, longest: 0.0 }
    }
}

impl Lengths {
    fn observe(&mut self, vector: &[f32]) {
        // Sums side by side, which a processor adds at once.
        let (mut sums, chunks) = ([0.0_f32; 8], vector.chunks_exact(8));
        let rest: f32 = chunks.remainder().iter().map(|value| value * value).sum();
        for chunk in chunks {
            sums.iter_mut().zip(chunk).for_each(|(sum, value)| *sum += value * value);
        }
        // Squares beyond single precision stand for the largest length there is.
        let length = (sums.iter().sum::<f32>() + rest).sqrt().min(f32::MAX);
        if length > 0.0 {
            self.include(Lengths { shortest: length, longest: length });
        }
    }

    fn include(&mut self, other: Lengths) {
        self.shortest = self.shortest.min(other.shortest);
        self.longest = self.longest.max(other.longest);
    }

    /// How many times the shortest the longest is, if there is any.
    pub fn spread(&self) -> Option<f64> {
        (self.longest > 0.0).then(|| f64::from(self.longest) / f64::from(self.shortest))
    }
}

/// Adds `wanted` rows of `source` to `set` as negatives, or all where there are fewer.
///
/// # Errors
/// `DifferentDimensions` where all rows have other dimensions, `OutOfMemory`. Postgres' own errors, a missing
/// privilege for one, pass through.
pub fn draw(source: &Source, set: &mut TrainingSet, wanted: usize, seed: i64) -> Result<Drawn, Error> {
    let start = Instant::now();
    let connection = Connection::open();
    source.check_privileges(&connection);
    let snapshot = Snapshot::active();
    let seed = seed as u64;
    let wanted = set.negatives() + wanted;
    let mut drawing = Drawing { source, connection: &connection, set, wanted, seed, drawn: Drawn::default() };
    drawing.draw(&snapshot)?;
    let drawn = drawing.drawn;
    if drawn.others > 0 && drawn.rows == 0 {
        set.expected_dimensions().check(drawn.other_dimensions, Input::Negative(0))?;
    }
    notices::report(source, &drawn, set.dimensions());
    // SAFETY: compares the level with two settings.
    if unsafe { pg_sys::message_level_is_interesting(pg_sys::DEBUG1 as i32) } {
        let ms = start.elapsed().as_secs_f64() * 1e3;
        let (rows, blocks) = (drawn.row_ids.len(), drawn.blocks_hit());
        pgrx::debug1!("drew {rows} rows of {blocks} blocks in {ms:.2} ms");
    }
    Ok(drawn)
}

impl Drawn {
    /// What the source's rows are to be ranked by.
    pub fn metric(&self) -> Metric {
        Metric::of(self.lengths.spread())
    }

    /// How many blocks the negatives lie in, where they have places.
    pub fn blocks_hit(&self) -> usize {
        let blocks = self.row_ids.iter().flatten().map(|row| (row.table, row.block));
        blocks.collect::<HashSet<_>>().len()
    }
}

struct Drawing<'a> {
    source: &'a Source,
    connection: &'a Connection,
    set: &'a mut TrainingSet,
    /// Negatives that the set shall have.
    wanted: usize,
    seed: u64,
    drawn: Drawn,
}
impl Drawing<'_> {
    fn missing(&self) -> usize {
        self.wanted - self.set.negatives().min(self.wanted)
    }

    fn count_other(&mut self, dimensions: usize) {
        self.drawn.others += 1;
        self.drawn.other_dimensions = dimensions;
    }

    fn count(&mut self, offered: Offered, row: Option<RowId>) {
        self.drawn.rows += 1;
        match offered {
            Offered::Kept => self.drawn.row_ids.push(row),
            Offered::Zero => self.drawn.zeros += 1,
            Offered::Example => self.drawn.examples += 1,
        }
    }
}
