//! The rows nearest to a weight vector, none of them missed for want of a good start.
//!
//! A weight vector lies outside the rows that an HNSW graph was built of, and a walk towards it may end in a region far
//! from all of them. So other walks go by way of a row that is known to be near: the best exemplar, or the best of the
//! sampled rows. A graph of rows finds these easily, and what all walks find is ranked by the exact distance.
//!
//! The sample also tells what was missed. The distances of its rows are known, so a sampled row that is nearer than
//! rows that were found, and was not found, proves a miss and is the next place to start from. The walks themselves
//! tell as well: rows that only one of them finds mean that there may be more. Effort follows both, and ends with a
//! scan of all rows.
//!
//! Half of the sample is held out meanwhile. As the walks know nothing of it, the share of it that they have found is an
//! unbiased measure of their recall. Only then are the walks that it asks for made, which can but raise it.

mod diversity;
pub mod filter;
pub mod found;
pub mod key;
pub mod known;
pub mod nearest;
mod walk;

use pgrx::debug1;

use crate::error::Error;
use crate::postgres::spi::Connection;
use crate::search::found::{Candidates, Found};
use crate::search::key::Key;
use crate::search::known::Known;
use crate::search::walk::Walker;
use crate::source::Source;
use crate::source::order::Metric;

/// Sampled rows that walks start from, one after the other, before all rows are looked at.
const MOST_MISSED: usize = 8;

/// Numbers of the starts of walks, beside 0 for the weight vector itself.
const EXEMPLAR: usize = 1;
const BEST_GUIDE: usize = 2;
const NEXT_GUIDE: usize = 3;
const BARE_EXEMPLAR: usize = 4;
const MISSED: usize = 5;

/// The share of the rows wanted, or of so many at least, that two walks must have found.
const CONFIRMED: f64 = 0.95;
const LEAST_CONFIRMED: usize = 20;

/// Which rows are wanted, how many of them, and how they are named.
pub struct Wanted<'a> {
    pub k: usize,
    pub filter: Option<&'a str>,
    pub key: Option<&'a Key>,
    pub metric: Metric,
    /// How much each must differ from those before it, between 0 and 1: it is then taken from several times as many.
    pub diversity: f64,
}

/// Rows to choose from, for each that is wanted, where they shall differ.
const CHOICE: usize = 5;

impl Wanted<'_> {
    /// How many rows to find.
    pub fn candidates(&self) -> usize {
        if self.diversity > 0.0 { self.k.saturating_mul(CHOICE) } else { self.k }
    }
}

/// The rows that a search has found, nearest first, and how many of the rows held out that are as near it has found.
pub struct Results {
    pub found: Vec<Found>,
    /// Between 0 and 1; 1 where all rows were looked at, `None` where no row held out is as near.
    pub recall: Option<f64>,
    /// What the rows are ranked by.
    pub metric: Metric,
}

/// The `k` rows of `source` nearest to `w`, a unit vector with any length that `given` has, that satisfy the filter: in
/// order of distance and key, or without a key of table and TID.
///
/// # Errors
/// [`Error::NoTids`]. Postgres' own errors pass through.
pub fn search<'a>(
    source: &'a Source,
    connection: &'a Connection,
    (given, unit): (&'a [f32], &'a [f32]),
    known: Known,
    wanted: &'a Wanted<'a>,
) -> Result<Results, Error> {
    let walker = Walker::new(source, connection, (given, unit), wanted);
    let found = Candidates::new(source, wanted.key);
    let mut search = Search { walker, known, found, k: wanted.candidates(), recall: None };
    let by_index = search.walker.has_index() && search.by_index()?;
    if !by_index {
        search.walker.everywhere(&mut search.found)?;
        search.found.put_in_order();
    }
    let recall = if by_index { search.recall } else { Some(1.0) };
    let scan = if by_index { "" } else { ", then all rows" };
    debug1!("found {} rows in {} walks{scan}", search.found.found().len(), search.walker.walks);
    let found = search.found.best(wanted)?;
    Ok(Results { found, recall, metric: wanted.metric })
}

struct Search<'a, 'k> {
    walker: Walker<'a>,
    known: Known<'k>,
    found: Candidates<'a>,
    k: usize,
    recall: Option<f64>,
}

impl Search<'_, '_> {
    /// Walks until nothing tells that rows are missing; whether there are enough and none is known to be missing.
    fn by_index(&mut self) -> Result<bool, Error> {
        self.walk_from_known()?;
        self.mend()?;
        self.measure();
        if self.misses() {
            self.mend()?;
            self.follow_misses()?;
        }
        let cosines = self.cosines();
        let floor = cosines.get(self.k - 1).copied();
        Ok(floor.is_some_and(|floor| !self.known.misses(floor, &cosines)))
    }

    /// Walks wider while that is in doubt.
    fn mend(&mut self) -> Result<(), Error> {
        while self.is_doubtful() && self.walker.widen() {
            self.walk_from_known()?;
            if let Some(exemplar) = self.known.exemplar {
                self.walker.to(exemplar, BARE_EXEMPLAR, &mut self.found)?;
            }
            self.follow_misses()?;
        }
        Ok(())
    }

    fn measure(&mut self) {
        let cosines = self.cosines();
        let floor = self.floor(&cosines);
        self.recall = self.known.measure(floor, &cosines);
        let rows = cosines.iter().take_while(|cosine| **cosine >= floor).count();
        debug1!("found {:?} of the rows held out, and {rows} rows down to a cosine of {floor}", self.recall);
    }

    /// Walks towards the weight vector, and by way of the best exemplar and the best sampled row, without an exemplar
    /// the two best.
    fn walk_from_known(&mut self) -> Result<(), Error> {
        self.walker.towards_weights(&mut self.found)?;
        let mut guides = [BEST_GUIDE, NEXT_GUIDE].into_iter().zip(self.known.guides());
        let exemplar = self.known.exemplar.map(|exemplar| (EXEMPLAR, exemplar));
        let others = [exemplar.or_else(|| guides.next()), guides.next()];
        for (start, row) in others.into_iter().flatten() {
            self.walker.by_way_of(row, start, &mut self.found)?;
        }
        self.found.put_in_order();
        Ok(())
    }

    /// Walks from sampled rows that were missed, while there are any.
    fn follow_misses(&mut self) -> Result<(), Error> {
        self.found.put_in_order();
        for start in MISSED..MISSED + MOST_MISSED {
            let cosines = self.cosines();
            let Some(missed) = self.known.next_missed(self.floor(&cosines), &cosines) else { break };
            self.walker.by_way_of(missed, start, &mut self.found)?;
            self.walker.to(missed, start, &mut self.found)?;
            self.found.put_in_order();
        }
        Ok(())
    }

    /// Whether a sampled row was missed, or too many of the rows wanted were found by one walk alone.
    fn is_doubtful(&self) -> bool {
        let found = self.found.found();
        let best = &found[..self.k.max(LEAST_CONFIRMED).min(found.len())];
        let confirmed = best.iter().filter(|found| found.walks.count_ones() > 1).count();
        best.len() < self.k || (confirmed as f64) < CONFIRMED * best.len() as f64 || self.misses()
    }

    /// Whether a sampled row was missed that is nearer than most of those found.
    fn misses(&self) -> bool {
        let cosines = self.cosines();
        self.known.misses(self.floor(&cosines), &cosines)
    }

    /// Cosines of the rows found, the largest first.
    fn cosines(&self) -> Vec<f64> {
        let mut cosines: Vec<_> = self.found.found().iter().map(|found| found.cosine).collect();
        cosines.sort_by(|a, b| b.total_cmp(a));
        cosines
    }

    /// The cosine down to which walks find nearly all rows.
    fn floor(&self, cosines: &[f64]) -> f64 {
        let last = cosines.len().min(self.walker.depth());
        last.checked_sub(1).map_or(f64::INFINITY, |last| cosines[last])
    }
}
