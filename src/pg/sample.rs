//! Draws negatives from a source, uniformly, as the caller and under the caller's snapshot.

use std::collections::HashMap;

use pgrx::pg_sys;

use super::error::Error;
use super::heap;
use super::source::Source;
use super::spi::{self, Connection, Plan};
use super::vector::Vector;
use crate::sampling::{Place, Walk};
use crate::svm::{Offered, TrainingSet};

/// Blocks at the start of a table whose filling stands for all.
const BLOCKS_TO_JUDGE_BY: u32 = 16;

/// Most row places asked for in one query.
const LARGEST_BATCH: usize = 20_000;

/// Which row of which table: `tableoid` and `ctid`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct RowId {
    pub table: pg_sys::Oid,
    pub block: u32,
    pub offset: u16,
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
    /// Whether every row was seen.
    pub exhausted: bool,
    /// For each negative, in order, which row it is; `None` where rows have no place, as in a view.
    pub row_ids: Vec<Option<RowId>>,
}

/// Adds `wanted` rows of `source` to `set` as negatives, or all where there are fewer.
///
/// # Errors
/// `DifferentDimensions` for a row of other dimensions. Postgres' own errors, a missing
/// privilege for one, pass through.
pub fn draw(source: &Source, set: &mut TrainingSet, wanted: usize, seed: i64) -> Result<Drawn, Error> {
    let connection = Connection::open();
    let query = source.query_by_tid();
    let plan = connection.prepare(&query, &[pg_sys::Oid::from(pg_sys::BuiltinOid::TIDARRAYOID)]);
    let blocks = heap::blocks(&source.relation);
    let mut walk = Walk::new(seed as u64, blocks, rows_per_block(source, blocks));
    let mut drawn = Drawn::default();
    let mut asked = 0;
    while set.negatives() < wanted && !drawn.exhausted {
        let batch = batch_size(wanted - set.negatives(), set.negatives(), asked);
        let line_pointers = |block, offsets: &mut Vec<u16>| {
            pgrx::check_for_interrupts!();
            heap::line_pointers(&source.relation, block, offsets);
        };
        let places = walk.next(batch, line_pointers);
        asked += places.len();
        drawn.exhausted = places.len() < batch;
        set.reserve(places.len().min(wanted - set.negatives()))?;
        offer(source, &plan, &places, set, wanted, &mut drawn)?;
    }
    Ok(drawn)
}

fn rows_per_block(source: &Source, blocks: u32) -> f64 {
    let mut offsets = Vec::new();
    let judged = blocks.min(BLOCKS_TO_JUDGE_BY);
    (0..judged).for_each(|block| heap::line_pointers(&source.relation, block, &mut offsets));
    offsets.len() as f64 / f64::from(judged.max(1))
}

/// How many places to ask for to get `missing` more rows when `kept` of `asked` were kept so far.
fn batch_size(missing: usize, kept: usize, asked: usize) -> usize {
    let yielded = if asked == 0 { 1.0 } else { (kept as f64 / asked as f64).max(0.01) };
    let enough = (missing as f64 / yielded * 1.05) as usize + 8;
    enough.min(LARGEST_BATCH)
}

/// Fetches the rows at `places` and offers them in that order, so that the order in which the query
/// returns them does not matter.
fn offer(
    source: &Source,
    plan: &Plan,
    places: &[Place],
    set: &mut TrainingSet,
    wanted: usize,
    drawn: &mut Drawn,
) -> Result<(), Error> {
    // SAFETY: the query has one parameter, of type tid[].
    let rows = unsafe { plan.select(&mut [spi::tid_array(places)]) };
    let mut row_at = HashMap::with_capacity(rows.len());
    // SAFETY: column 0 of the query is a ctid.
    row_at.extend((0..rows.len()).filter_map(|row| Some((unsafe { spi::place(rows.get(row, 0)?) }, row))));
    for (&(block, offset), &row) in places.iter().filter_map(|place| Some((place, row_at.get(place)?))) {
        if set.negatives() == wanted {
            drawn.exhausted = false;
            break;
        }
        pgrx::check_for_interrupts!();
        let Some(embedding) = rows.get(row, 1) else {
            drawn.nulls += 1;
            continue;
        };
        // SAFETY: a value of the column, whose type Source::open has checked.
        let vector = unsafe { Vector::from_datum(embedding) }?;
        drawn.rows += 1;
        match set.offer_negative(vector.values(), || format!("a row of column \"{}\"", source.column))? {
            Offered::Kept => {
                drawn.row_ids.push(Some(RowId { table: source.relation.oid(), block, offset }));
            }
            Offered::Zero => drawn.zeros += 1,
            Offered::Example => drawn.examples += 1,
        }
    }
    Ok(())
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
        // SAFETY: regclassout takes any OID and returns a palloc'd, NUL-terminated string.
        unsafe {
            let name = pg_sys::OidFunctionCall1Coll(
                pg_sys::F_REGCLASSOUT.into(),
                pg_sys::InvalidOid,
                self.table.into(),
            );
            std::ffi::CStr::from_ptr(name.cast_mut_ptr()).to_string_lossy().into_owned()
        }
    }
}
