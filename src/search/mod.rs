//! The rows nearest to a weight vector, none of them missed for want of a good start.
//!
//! A weight vector lies outside the rows that an HNSW graph was built of, and a walk towards it may end in a region far
//! from all of them. So a second walk goes by way of a row that is known to be near: the best exemplar, or the best of the
//! sampled rows. A graph of rows finds these easily, and what all walks find is ranked by the exact distance.
//!
//! Where both walks find the same, the answer stands. Else effort follows need: one more walk is read on, each time as far
//! again, until that brings none of the nearest rows. The sample also tells what was missed. The distances of its rows are
//! known, so one that is nearer than rows that were found, and was not found itself, proves a miss and is the next place to
//! start from. Of an index of lists more are read until that changes nothing.
//!
//! The larger an index, the more rows a walk passes by without a sign. So on large ones more rows than are wanted must be
//! found by both walks, and be left as they are by the last part of a walk that is read on.
//!
//! All rows are looked at where an index gives fewer than are wanted, and on small tables where a row is known to be missing
//! in the end, or the walk was still bringing some when it ended.
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
use crate::search::known::{Known, contains};
use crate::search::walk::{Method, Walker};
use crate::source::Source;
use crate::source::order::Metric;

/// Sampled rows that walks go by way of, those that were missed and others, and how many of these may bring nothing before
/// no more are tried.
const MOST_MISSED: usize = 8;
const MOST_GUIDES: usize = 8;
const MOST_IDLE: usize = 2;

/// The rows wanted, or so many at least, must be found by both first walks, and twice as many must not change when a walk
/// goes on.
const CONFIRMED: usize = 20;
const CONFIRMED_IF_LARGE: usize = 40;

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
    let confirmed = if walker.is_small() { CONFIRMED } else { CONFIRMED_IF_LARGE };
    let mut search =
        Search { walker, known, found, k: wanted.candidates(), confirmed, is_settled: true, recall: None };
    let by_index = search.walker.has_index() && search.by_index()?;
    if !by_index {
        search.walker.everywhere(&mut search.found)?;
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
    /// Rows that must be found by both first walks.
    confirmed: usize,
    /// Whether walks that were read on ended since they brought nothing.
    is_settled: bool,
    recall: Option<f64>,
}

impl Search<'_, '_> {
    /// Walks until nothing tells that rows are missing, or nothing that can be tried brings more; whether the answer stands
    /// without a look at all rows.
    fn by_index(&mut self) -> Result<bool, Error> {
        self.walk_from_known()?;
        if self.is_doubtful() {
            self.go_on()?;
        }
        self.measure();
        if self.misses() && self.follow_misses()? > 0 {
            self.go_on()?;
        }
        let cosines = self.cosines();
        let Some(&floor) = cosines.get(self.k - 1) else { return Ok(false) };
        let is_all = self.is_settled && !self.known.misses(floor, &cosines);
        Ok(is_all || !self.walker.is_small())
    }

    /// Walks towards the weight vector, and through a graph by way of the best exemplar, or else the best sampled row.
    fn walk_from_known(&mut self) -> Result<(), Error> {
        self.walker.towards_weights(&mut self.found)?;
        if self.walker.method == Method::Graph {
            if let Some(exemplar) = self.known.exemplar {
                self.walker.widely_by_way_of(exemplar, &mut self.found)?;
            } else if let Some(guide) = self.known.best_guide() {
                self.walker.by_way_of(guide, &mut self.found)?;
            }
        }
        self.found.put_in_order();
        Ok(())
    }

    /// Looks at more rows while that brings more of the nearest.
    fn go_on(&mut self) -> Result<(), Error> {
        match self.walker.method {
            Method::Graph => self.read_on(),
            Method::Lists(_) => self.read_lists(),
        }
    }

    /// Reads a walk on while that brings more of the nearest rows, and goes by way of sampled rows where it ends before.
    fn read_on(&mut self) -> Result<(), Error> {
        let mut reading = self.walker.read_on();
        self.walker.read(&mut reading, &mut self.found)?;
        self.found.put_in_order();
        self.is_settled = false;
        while reading.has_more {
            let before = self.walker.walks;
            let rows = self.walker.read(&mut reading, &mut self.found)?;
            self.found.put_in_order();
            self.is_settled = rows > 0 && self.is_settled_since(before) && !self.misses();
            if self.is_settled {
                return Ok(());
            }
        }
        self.follow_guides()
    }

    /// Reads more lists while that brings more of the nearest rows.
    fn read_lists(&mut self) -> Result<(), Error> {
        while self.walker.widen() {
            let before = self.walker.walks;
            self.walker.towards_weights(&mut self.found)?;
            self.found.put_in_order();
            if self.is_settled_since(before) {
                break;
            }
        }
        Ok(())
    }

    /// Whether walks from this number on have brought none of the nearest rows.
    fn is_settled_since(&self, walk: usize) -> bool {
        let found = self.found.found();
        found.len() >= self.k && self.brought_since(walk, self.k.max(2 * self.confirmed)) == 0
    }

    fn follow_guides(&mut self) -> Result<(), Error> {
        let mut idle = 0;
        for _ in 0..MOST_GUIDES {
            let before = self.walker.walks;
            if idle == MOST_IDLE || self.walker.is_spent() {
                break;
            }
            let Some(row) = self.known.next_guide() else { break };
            self.walker.by_way_of(row, &mut self.found)?;
            self.found.put_in_order();
            idle = if self.brought_since(before, self.k) == 0 { idle + 1 } else { 0 };
        }
        Ok(())
    }

    /// Walks from sampled rows that were missed, the best first, and before that by way of them, until that brings nothing;
    /// how many of the rows wanted that has brought.
    fn follow_misses(&mut self) -> Result<usize, Error> {
        let (first, mut idle) = (self.walker.walks, 0);
        for _ in 0..MOST_MISSED {
            if idle == MOST_IDLE || self.walker.is_spent() {
                break;
            }
            let before = self.walker.walks;
            let cosines = self.cosines();
            let Some((missed, cosine)) = self.known.next_missed(self.floor(&cosines), &cosines) else {
                break;
            };
            self.walker.by_way_of(missed, &mut self.found)?;
            self.found.put_in_order();
            if !contains(&self.cosines(), cosine) {
                self.walker.to(missed, &mut self.found)?;
                self.found.put_in_order();
            }
            idle = if self.brought_since(before, self.k) == 0 { idle + 1 } else { 0 };
        }
        Ok(self.brought_since(first, self.k))
    }

    /// How many of the nearest rows were found by walks from this number on alone.
    fn brought_since(&self, walk: usize, nearest: usize) -> usize {
        let best = self.found.found().iter().take(nearest);
        best.filter(|found| found.walks.trailing_zeros() as usize >= walk.min(63)).count()
    }

    fn measure(&mut self) {
        let cosines = self.cosines();
        let floor = self.floor(&cosines);
        self.recall = self.known.measure(floor, &cosines);
        let rows = cosines.iter().take_while(|cosine| **cosine >= floor).count();
        debug1!("found {:?} of the rows held out, and {rows} rows down to a cosine of {floor}", self.recall);
    }

    /// Whether a sampled row was missed, or one of the rows wanted was found by one walk alone. A single walk is never enough.
    fn is_doubtful(&self) -> bool {
        let found = self.found.found();
        let best = &found[..self.k.max(self.confirmed).min(found.len())];
        best.len() < self.k || best.iter().any(|found| found.walks.count_ones() == 1) || self.misses()
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
