//! The rows nearest to a weight vector, none of them missed for want of a good start.
//!
//! A weight vector lies outside the rows that an HNSW graph was built of, and a walk towards it may end in a region far
//! from all of them. So others go towards the sum of the weight vector and a row that is known to be near: the exemplar,
//! and the best of the rows that were sampled. A graph of rows finds these easily, and what they find is ranked by the
//! exact distance to the weight vector itself.

pub mod filter;
pub mod found;
pub mod key;
pub mod nearest;

use std::ffi::CStr;

use pgrx::IntoDatum;
use pgrx::prelude::*;

use crate::error::Error;
use crate::postgres::settings::Settings;
use crate::postgres::spi::{Connection, Plan, Rows};
use crate::postgres::vector::NewVector;
use crate::search::found::{Candidates, Found};
use crate::search::key::Key;
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

/// Which rows are wanted, how many of them, and how they are named.
pub struct Wanted<'a> {
    pub k: usize,
    pub filter: Option<&'a str>,
    pub key: Option<&'a Key>,
}

/// The `k` rows of `source` nearest to `w` that satisfy the filter, in order of distance and key, or without a key of
/// table and TID; `starts` are rows that are known to be near.
///
/// # Errors
/// [`Error::NoTids`]. Postgres' own errors pass through.
pub fn search(
    source: &Source,
    connection: &Connection,
    w: &[f32],
    starts: &[&[f32]],
    wanted: &Wanted,
) -> Result<Vec<Found>, Error> {
    let Wanted { k, filter, key } = *wanted;
    let settings = Settings::open();
    let (condition, candidates) = match filter {
        Some(filter) => (filter, k as u64 * CANDIDATES_PER_ROW),
        None => ("true", k as u64),
    };
    let width = (k as u64 * WIDTH_PER_ROW).max(LEAST_WIDTH) * if starts.is_empty() { ALONE } else { 1 };
    walk_far_enough(&settings, source, width);
    let types = [source.vector_type(), source.vector_type()];
    let walk = connection.prepare_once(&source.query_for_probe(condition, candidates, key), &types);
    let by_index = !walk.sorts_all_rows();
    let (mut found, mut walks) = (Candidates::new(source, key), 0);
    if by_index {
        found.add(run(&walk, &[w, w]))?;
        for start in starts {
            let towards: Vec<f32> = w.iter().zip(*start).map(|(w, x)| w + START_WEIGHT * x).collect();
            found.add(run(&walk, &[w, &towards]))?;
        }
        found.put_in_order();
        walks = 1 + starts.len();
    }
    let (walked, mut looked) = (found.found().len(), 0);
    if walked < k {
        // An index may have ended before there were enough, and there is not always one.
        let all = connection.prepare_once(&source.query_for_all(condition, k as u64, key), &types[..1]);
        found.clear();
        found.add(run(&all, &[w]))?;
        found.put_in_order();
        looked = found.found().len();
    }
    debug1!("found {walked} rows by index in {walks} walks, {looked} by looking at all rows");
    let mut found = found.into_found();
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

fn run<'a>(plan: &Plan<'a>, vectors: &[&[f32]]) -> Rows<'a> {
    let datum = |vector: &&[f32]| NewVector(vector.to_vec()).into_datum();
    let mut values: Vec<_> = vectors.iter().filter_map(datum).collect();
    // SAFETY: the query has as many parameters, all vectors.
    unsafe { plan.select(&mut values) }
}
