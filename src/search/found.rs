//! Rows that were found: each once, in one order, and returned as a set.

use std::cmp::Ordering;
use std::collections::HashMap;
use std::collections::hash_map::Entry;

use pgrx::{FromDatum, IntoDatum, pg_sys};

use crate::error::Error;
use crate::postgres::spi::{self, Rows};
use crate::postgres::vector::Vector;
use crate::sample::RowId;
use crate::search::diversity;
use crate::search::key::Key;
use crate::search::{Results, Wanted};
use crate::source::Source;

/// Columns of a query for rows before those of the key.
const TABLE: usize = 0;
const TID: usize = 1;
const DISTANCE: usize = 2;
const COSINE: usize = 3;
const KEY: usize = 4;

/// A row that was found.
#[derive(Debug, Clone)]
pub struct Found {
    /// Which row it is, if it has a TID.
    pub row: Option<RowId>,
    /// Its key as text, if there is one.
    pub key: Option<String>,
    /// `embedding <#> w`, or `<=>` where rows are ranked by their cosine.
    pub distance: f64,
    /// `cos(embedding, w)`.
    pub cosine: f64,
    /// The walks that have found it, a bit each, the last one for all beyond.
    pub walks: u64,
    /// Where in the answers of the queries it is.
    place: (usize, usize),
}

/// What several queries have found.
pub struct Candidates<'a> {
    source: &'a Source,
    key: Option<&'a Key>,
    answers: Vec<Rows<'a>>,
    found: Vec<Found>,
}

impl<'a> Candidates<'a> {
    pub fn new(source: &'a Source, key: Option<&'a Key>) -> Self {
        Candidates { source, key, answers: Vec::new(), found: Vec::new() }
    }

    /// Adds the rows that the walk of this number has found, but for those without a direction, which no cosine ranks.
    ///
    /// # Errors
    /// [`Error::NoTids`] for a row that nothing names.
    pub fn add(&mut self, rows: Rows<'a>, walk: usize) -> Result<(), Error> {
        self.found.reserve(rows.len());
        for row in 0..rows.len() {
            let found = self.found_at(&rows, row, 1 << walk.min(63))?;
            if !found.distance.is_nan() {
                self.found.push(found);
            }
        }
        self.answers.push(rows);
        Ok(())
    }

    fn found_at(&self, rows: &Rows, row: usize, walks: u64) -> Result<Found, Error> {
        let (table, tid) = (rows.get(row, TABLE), rows.get(row, TID));
        // SAFETY: the query's first columns are an oid, a tid and two float8, then a text if there is a key.
        let (id, distance, cosine, key) = unsafe {
            let number = |column| rows.get(row, column).and_then(|value| f64::from_datum(value, false));
            let id = table.zip(tid).map(|(table, tid)| (spi::oid(table), spi::place(tid)));
            let key = self.key.and_then(|_| rows.get(row, KEY));
            let key = key.and_then(|key| String::from_datum(key, false));
            (id, number(DISTANCE).unwrap_or(f64::NAN), number(COSINE).unwrap_or(f64::NAN), key)
        };
        let id = id.filter(|&(_, (_, offset))| offset > 0);
        if self.key.is_none() && id.is_none() {
            return Err(self.source.no_tids(if table.is_some() { "foreign table" } else { "relation" }));
        }
        let row_id = id.map(|(table, (block, offset))| RowId { table, block, offset });
        Ok(Found { row: row_id, key, distance, cosine, walks, place: (self.answers.len(), row) })
    }

    /// Puts the rows in order of distance, key and TID, each once: of those with one key, the nearest.
    pub fn put_in_order(&mut self) {
        let mut found = std::mem::take(&mut self.found);
        found.sort_by(|a, b| self.compare(a, b));
        let mut kept: Vec<Found> = Vec::with_capacity(found.len());
        let mut at: HashMap<_, usize> = HashMap::with_capacity(found.len());
        for found in found {
            let row = found.row.filter(|_| self.key.is_none());
            match at.entry((row, found.key.clone())) {
                Entry::Occupied(first) => kept[*first.get()].walks |= found.walks,
                Entry::Vacant(place) => {
                    place.insert(kept.len());
                    kept.push(found);
                }
            }
        }
        self.found = kept;
    }

    fn compare(&self, a: &Found, b: &Found) -> Ordering {
        let by_key = |key: &Key| {
            let column =
                |found: &Found, i: usize| self.answers[found.place.0].get(found.place.1, KEY + 1 + i);
            key.compare(|i| column(a, i), |i| column(b, i)).then_with(|| a.key.cmp(&b.key))
        };
        let tid = |found: &Found| found.row.map(|row| (row.table.to_u32(), row.block, row.offset));
        let order = a.distance.total_cmp(&b.distance);
        order.then_with(|| self.key.map_or(Ordering::Equal, by_key)).then_with(|| tid(a).cmp(&tid(b)))
    }

    /// The rows, in the order that [`put_in_order`](Self::put_in_order) has made.
    pub fn found(&self) -> &[Found] {
        &self.found
    }

    /// The rows that are wanted, in order of distance, or as they are chosen where they shall differ.
    ///
    /// # Errors
    /// What reading a vector fails with.
    pub fn best(mut self, wanted: &Wanted) -> Result<Vec<Found>, Error> {
        self.found.truncate(wanted.candidates());
        if wanted.diversity == 0.0 {
            return Ok(self.found);
        }
        let (rows, answers) = (self.found.iter(), &self.answers);
        let column = self.key.map_or(KEY, |key| KEY + 1 + key.columns());
        let rows = rows.map(|found| match answers[found.place.0].get(found.place.1, column) {
            // SAFETY: the query's last column is a vector, alive as long as its answer.
            Some(vector) => Ok(unit(unsafe { Vector::from_datum(vector) }?.values())),
            None => Ok(Vec::new()),
        });
        let rows = rows.collect::<Result<Vec<_>, Error>>()?;
        let relevance: Vec<_> = self.found.iter().map(|found| found.cosine).collect();
        let chosen = diversity::diverse(&rows, &relevance, wanted.diversity, wanted.k);
        Ok(chosen.into_iter().map(|row| self.found[row].clone()).collect())
    }

    pub fn clear(&mut self) {
        self.found.clear();
        self.answers.clear();
    }
}

fn unit(vector: &[f32]) -> Vec<f32> {
    let length = vector.iter().map(|&value| f64::from(value).powi(2)).sum::<f64>().sqrt();
    let scale = if length > 0.0 { 1.0 / length } else { 0.0 };
    vector.iter().map(|&value| (f64::from(value) * scale) as f32).collect()
}

/// A plane that cuts what is wanted from what is not: the margin of x is `scale cos(x, w) + bias`.
#[derive(Debug, Clone, Copy)]
pub struct Plane {
    pub scale: f64,
    pub bias: f64,
}

/// Returns `results` as the rows of the current call, of the columns `tableoid`, `ctid`, `key`, `distance`, `margin`,
/// `recall` and `metric`.
///
/// # Safety
/// `fcinfo` is the current call of a function that SQL declares to return a set of these.
pub unsafe fn return_rows(
    fcinfo: pg_sys::FunctionCallInfo,
    Results { found, recall, metric }: &Results,
    plane: Option<Plane>,
) {
    let margin =
        |cosine: f64| plane.map(|plane| plane.scale * cosine + plane.bias).filter(|margin| !margin.is_nan());
    // SAFETY: InitMaterializedSRF raises where the caller takes no set, and else makes a tuplestore and its row
    // description, whose columns have these types.
    unsafe {
        pg_sys::InitMaterializedSRF(fcinfo, 0);
        let result = (*fcinfo).resultinfo.cast::<pg_sys::ReturnSetInfo>();
        for Found { row, key, distance, cosine, .. } in found {
            let values = [
                row.and_then(|row| row.table.into_datum()),
                row.and_then(|row| row.tid().into_datum()),
                key.as_deref().and_then(IntoDatum::into_datum),
                distance.into_datum(),
                margin(*cosine).and_then(IntoDatum::into_datum),
                recall.and_then(IntoDatum::into_datum),
                metric.name().into_datum(),
            ];
            let mut nulls = values.map(|value| value.is_none());
            let mut values = values.map(|value| value.unwrap_or(pg_sys::Datum::null()));
            let (store, description) = ((*result).setResult, (*result).setDesc);
            pg_sys::tuplestore_putvalues(store, description, values.as_mut_ptr(), nulls.as_mut_ptr());
        }
    }
}
