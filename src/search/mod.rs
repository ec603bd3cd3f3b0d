//! The rows nearest to a weight vector, none of them missed for want of a good start.
//!
//! A weight vector lies outside the rows that an HNSW graph was built of, and a walk towards it may end in a region far
//! from all of them. So others go towards the sum of the weight vector and a row that is known to be near: the exemplar,
//! and the best of the rows that were sampled. A graph of rows finds these easily, and what they find is ranked by the
//! exact distance to the weight vector itself.

pub mod filter;
pub mod nearest;

use std::ffi::CStr;

use pgrx::prelude::*;
use pgrx::{FromDatum, IntoDatum};

use crate::error::Error;
use crate::postgres::settings::Settings;
use crate::postgres::spi::{self, Connection, Plan};
use crate::postgres::vector::NewVector;
use crate::sample::RowId;
use crate::source::Source;

/// How much a row that is known to be near counts beside the weight vector: enough to end there, and little enough
/// that those found there come in nearly the same order.
const START_WEIGHT: f32 = 0.5;

/// Rows that a walk keeps in view at least, and for each row wanted.
const LEAST_WIDTH: u64 = 100;
const WIDTH_PER_ROW: u64 = 2;

/// Rows that a walk is asked for where a condition leaves out others, for each row wanted: an index that has to go on
/// gives them out of order.
const CANDIDATES_PER_ROW: u64 = 4;

/// How much wider a walk is that has no others beside it.
const ALONE: u64 = 4;

/// The largest value of hnsw.ef_search.
const LARGEST_EF_SEARCH: u64 = 1000;

/// A row that was found.
#[derive(Debug, Clone, Copy)]
pub struct Found {
    pub row: RowId,
    /// `embedding <#> w`.
    pub distance: f64,
}

/// The `k` rows of `source` nearest to `w` that satisfy `filter`, in order of distance, table and place; `starts`
/// are rows that are known to be near.
///
/// # Errors
/// [`Error::NoPlaces`]. Postgres' own errors pass through.
pub fn search(
    source: &Source,
    connection: &Connection,
    w: &[f32],
    starts: &[&[f32]],
    k: usize,
    filter: Option<&str>,
) -> Result<Vec<Found>, Error> {
    let settings = Settings::open();
    let (condition, candidates) = match filter {
        Some(filter) => (filter, k as u64 * CANDIDATES_PER_ROW),
        None => ("true", k as u64),
    };
    let width = (k as u64 * WIDTH_PER_ROW).max(LEAST_WIDTH) * if starts.is_empty() { ALONE } else { 1 };
    walk_far_enough(&settings, source, width);
    let types = [source.vector_type(), source.vector_type()];
    let walk = connection.prepare_once(&source.query_for_probe(condition, candidates), &types);
    let by_index = !walk.sorts_all_rows();
    let (mut found, mut walks) = (Vec::new(), 0);
    if by_index {
        run(&walk, &[w, w], source, &mut found)?;
        for start in starts {
            let towards: Vec<f32> = w.iter().zip(*start).map(|(w, x)| w + START_WEIGHT * x).collect();
            run(&walk, &[w, &towards], source, &mut found)?;
        }
        put_in_order(&mut found);
        walks = 1 + starts.len();
    }
    let (walked, mut looked) = (found.len(), 0);
    if walked < k {
        // An index may have ended before there were enough, and there is not always one.
        let all = connection.prepare_once(&source.query_for_all(condition, k as u64), &types[..1]);
        found.clear();
        run(&all, &[w], source, &mut found)?;
        put_in_order(&mut found);
        looked = found.len();
    }
    debug1!("found {walked} rows by index in {walks} walks, {looked} by looking at all rows");
    found.truncate(k);
    Ok(found)
}

/// Has an HNSW index look at `candidates` rows at once, and both kinds of index go on where a condition leaves too few.
fn walk_far_enough(settings: &Settings, source: &Source, width: u64) {
    source.load_vector_library();
    let wanted = width.min(LARGEST_EF_SEARCH);
    let number = |name: &CStr| Settings::get(name).and_then(|value| value.parse::<u64>().ok());
    if number(c"hnsw.ef_search").is_some_and(|ef_search| ef_search < wanted) {
        settings.set(c"hnsw.ef_search", &wanted.to_string());
    }
    // Since version 0.8 of pgvector.
    for name in [c"hnsw.iterative_scan", c"ivfflat.iterative_scan"] {
        if Settings::get(name).is_some_and(|value| value == "off") {
            settings.set(name, "relaxed_order");
        }
    }
}

fn run(plan: &Plan, vectors: &[&[f32]], source: &Source, found: &mut Vec<Found>) -> Result<(), Error> {
    let datum = |vector: &&[f32]| NewVector(vector.to_vec()).into_datum();
    let mut values: Vec<_> = vectors.iter().filter_map(datum).collect();
    // SAFETY: the query has as many parameters, all vectors.
    let rows = unsafe { plan.select(&mut values) };
    found.reserve(rows.len());
    for row in 0..rows.len() {
        let (table, place, distance) = (rows.get(row, 0), rows.get(row, 1), rows.get(row, 2));
        // SAFETY: the query's columns are an oid, a tid and a float8.
        let (table, place, distance) = unsafe {
            (
                table.map(|t| spi::oid(t)),
                place.map(|p| spi::place(p)),
                distance.map(|d| f64::from_datum(d, false)),
            )
        };
        let (Some(table), Some((block, offset)), Some(Some(distance))) = (table, place, distance) else {
            return Err(source.no_places("relation"));
        };
        if offset == 0 {
            return Err(source.no_places("foreign table"));
        }
        found.push(Found { row: RowId { table, block, offset }, distance });
    }
    Ok(())
}

fn put_in_order(found: &mut Vec<Found>) {
    let place = |found: &Found| (found.row.table.to_u32(), found.row.block, found.row.offset);
    found.sort_unstable_by(|a, b| a.distance.total_cmp(&b.distance).then(place(a).cmp(&place(b))));
    found.dedup_by_key(|found| found.row);
}

/// Returns `found` as the rows of the current call, of the columns `tableoid`, `ctid` and `distance`.
///
/// # Safety
/// `fcinfo` is the current call of a function that SQL declares to return a set of these.
pub unsafe fn return_rows(fcinfo: pg_sys::FunctionCallInfo, found: &[Found]) {
    // SAFETY: InitMaterializedSRF raises where the caller takes no set, and else makes a tuplestore and its row
    // description, which has three columns of these types.
    unsafe {
        pg_sys::InitMaterializedSRF(fcinfo, 0);
        let result = (*fcinfo).resultinfo.cast::<pg_sys::ReturnSetInfo>();
        let null = pg_sys::Datum::null();
        for Found { row, distance } in found {
            let values = [row.table.into_datum(), row.tid().into_datum(), distance.into_datum()];
            let mut values = values.map(|value| value.unwrap_or(null));
            let mut nulls = [false; 3];
            pg_sys::tuplestore_putvalues(
                (*result).setResult,
                (*result).setDesc,
                values.as_mut_ptr(),
                nulls.as_mut_ptr(),
            );
        }
    }
}
