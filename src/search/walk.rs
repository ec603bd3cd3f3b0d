//! Walks through an index: scans in order of distance from a point, as wide as they are asked to be, or read on until they
//! bring nothing.

use std::ffi::CStr;

use pgrx::{FromDatum, IntoDatum, PgRelation, pg_sys};

use crate::error::Error;
use crate::postgres::settings::Settings;
use crate::postgres::spi::{Connection, Cursor, Plan, Rows};
use crate::postgres::vector::NewVector;
use crate::search::Wanted;
use crate::search::found::Candidates;
use crate::source::Source;
use crate::source::order::Order;
use crate::source::searching::Searched;

/// How an index is searched: by walks through a graph of rows, as wide as they are asked to be, or by reading some of the
/// lists that it has put the rows into.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    Graph,
    /// How many lists there are.
    Lists(u64),
}

/// Rows that a first walk through a graph keeps in view: few more than are wanted.
const LEAST_WIDTH: u64 = 40;
const MOST_BESIDE: u64 = 200;

/// How many times as many rows are in view of a first walk by way of an exemplar.
const FIRST_BY_EXEMPLAR: u64 = 3;

/// Rows that a walk which is read on gives first, and then as many again each time.
const FIRST_READ: u64 = 400;

/// Rows in view of all walks together that end them.
const MOST_IN_VIEW: u64 = 6_000;

/// How many times work_mem a walk may take that is read on, and how many rows it may have seen: they are what limits it
/// where no condition leaves out rows.
const MEMORY: u64 = 16;
const MOST_SEEN: u64 = 1_000_000;

/// How many more lists each reading takes than the one before. The first takes half of the square root of their number.
const MORE_LISTS: u64 = 3;

/// Rows that a walk is asked for where a condition leaves out others, for each row wanted: an index that has to go on
/// gives them out of order.
const CANDIDATES_PER_ROW: u64 = 4;

/// The largest value of hnsw.ef_search.
const LARGEST_EF_SEARCH: u64 = 1000;

/// Blocks of an index that is small: all rows are read in about the time that wide walks take.
const SMALL: u64 = 16_384;

/// How many times as many rows are asked for where these share keys.
const SHARED: u64 = 4;

/// How much a row counts beside the weight vector in the point that a walk goes to: enough to end near the row, and
/// little enough that rows there come in nearly the order of the weight vector.
const ROW_WEIGHT: f32 = 0.5;

/// Scans for one search, and the settings that they run with.
pub struct Walker<'a> {
    source: &'a Source,
    connection: &'a Connection,
    settings: Settings,
    plan: Plan<'a>,
    order: Order,
    w: &'a [f32],
    unit: &'a [f32],
    wanted: &'a Wanted<'a>,
    pub method: Method,
    /// Rows in view, or lists read.
    width: u64,
    pub walks: usize,
    /// Rows that walks through a graph have kept in view, all of them together.
    in_view: u64,
    /// Down to which row, counted from the nearest, walks find nearly all that there are.
    depth: u64,
}

/// A walk towards the weight vector through a graph, that goes on as long as it is read.
pub struct Reading<'a> {
    cursor: Cursor<'a>,
    /// Rows that were read.
    rows: u64,
    pub has_more: bool,
}

impl<'a> Walker<'a> {
    /// Plans scans for the rows of `source` nearest to `w`, which `unit` is at unit length.
    pub fn new(
        source: &'a Source,
        connection: &'a Connection,
        (w, unit): (&'a [f32], &'a [f32]),
        wanted: &'a Wanted,
    ) -> Self {
        source.load_vector_library();
        let settings = Settings::open();
        let order = Order::of(source, wanted.metric, unit.len());
        let rows = first_width(wanted);
        let searched = searched(wanted, rows, &order, unit.len());
        let plan = prepare(source, connection, &source.query_for_probe(&searched, &order), 2);
        let lists = plan.ordering_indexes().into_iter().map(lists_of).collect::<Option<Vec<_>>>();
        let method = match lists.and_then(|lists| lists.into_iter().max()) {
            Some(lists) => Method::Lists(lists),
            None => Method::Graph,
        };
        let width = match method {
            Method::Graph => rows,
            Method::Lists(lists) => (lists.isqrt() / 2).max(1),
        };
        let mut walker = Walker {
            source,
            connection,
            settings,
            plan,
            order,
            w,
            unit,
            wanted,
            method,
            width,
            walks: 0,
            in_view: 0,
            depth: rows,
        };
        walker.set_width(width);
        walker
    }

    /// Whether an index gives the order.
    pub fn has_index(&self) -> bool {
        !self.plan.sorts_all_rows()
    }

    /// Whether the indexes that give the order are small.
    pub fn is_small(&self) -> bool {
        self.plan.ordering_indexes().into_iter().map(blocks_of).sum::<u64>() <= SMALL
    }

    /// Whether walks have taken so much that no more should be made.
    pub fn is_spent(&self) -> bool {
        self.in_view >= MOST_IN_VIEW
    }

    /// Down to which row, counted from the nearest, walks find nearly all that there are.
    pub fn depth(&self) -> usize {
        self.depth as usize
    }

    /// How many rows a walk is asked for.
    fn rows(&self) -> u64 {
        match self.method {
            Method::Graph => self.width,
            Method::Lists(_) => first_width(self.wanted),
        }
    }

    /// Has the next walks read more lists; whether they can.
    pub fn widen(&mut self) -> bool {
        let Method::Lists(lists) = self.method else { return false };
        let width = self.width.saturating_mul(MORE_LISTS).min(lists);
        let wider = width > self.width;
        if wider {
            self.view(width);
        }
        wider
    }

    /// Starts a walk towards the weight vector that can be read on, where the index can: pgvector's graphs can since version
    /// 0.8. Walks that come after it are as wide as its first part.
    pub fn read_on(&mut self) -> Reading<'a> {
        let candidates = self.order.candidates();
        let goes_on = Settings::get(c"hnsw.iterative_scan").is_some();
        let first = if goes_on { FIRST_READ } else { LARGEST_EF_SEARCH } / candidates;
        self.view(first.max(self.width));
        if self.wanted.filter.is_none() {
            self.raise(c"hnsw.max_scan_tuples", MOST_SEEN);
        }
        self.raise(c"hnsw.scan_mem_multiplier", MEMORY);
        let searched = Searched { limit: self.most_read(), ..self.searched(self.width) };
        let query = self.source.query_for_probe(&searched, &self.order);
        let plan = prepare(self.source, self.connection, &query, 2);
        // The planner would rather sort all rows than have so many in order, of which few may be read.
        let before = Settings::get(c"enable_sort").unwrap_or_default();
        self.settings.set(c"enable_sort", "off");
        let mut values = values_of(&[self.w, self.w]);
        // SAFETY: the query has two parameters, both vectors.
        let cursor = unsafe { plan.open_with(&mut values) };
        self.settings.set(c"enable_sort", &before);
        Reading { cursor, rows: 0, has_more: true }
    }

    /// Reads the next rows, at first some and then always as many as so far; how many there were.
    pub fn read(&mut self, reading: &mut Reading<'a>, found: &mut Candidates<'a>) -> Result<u64, Error> {
        let count = if reading.rows == 0 { self.searched(self.width).limit } else { reading.rows };
        let count = count.min(self.most_read() - reading.rows);
        let answer = reading.cursor.fetch(i32::try_from(count).unwrap_or(i32::MAX));
        let rows = answer.len() as u64;
        reading.rows += rows;
        reading.has_more = rows == count && reading.rows < self.most_read();
        self.in_view += rows;
        self.depth = self.depth.max(reading.rows / self.order.candidates() / 2);
        self.walks += 1;
        found.add(answer, self.walks - 1)?;
        Ok(rows)
    }

    /// How many rows a walk gives in the end that is read on.
    fn most_read(&self) -> u64 {
        MOST_IN_VIEW.max(2 * first_width(self.wanted) * self.order.candidates())
    }

    /// Has the next walks look at so many rows, or read so many lists.
    fn view(&mut self, width: u64) {
        self.set_width(width);
        if self.method == Method::Graph {
            let searched = self.searched(self.rows());
            let query = self.source.query_for_probe(&searched, &self.order);
            self.plan = prepare(self.source, self.connection, &query, 2);
        }
    }

    /// Raises what decides how many rows an index looks at. Settings that are larger already are left as they are.
    fn set_width(&mut self, width: u64) {
        self.width = width;
        match self.method {
            Method::Graph => {
                let rows = width.saturating_mul(self.order.candidates());
                self.raise(c"hnsw.ef_search", rows.min(LARGEST_EF_SEARCH));
            }
            Method::Lists(_) => self.raise(c"ivfflat.probes", width),
        }
        // Since version 0.8 of pgvector an index goes on where a condition leaves too few.
        for name in [c"hnsw.iterative_scan", c"ivfflat.iterative_scan"] {
            if Settings::get(name).is_some_and(|value| value == "off") {
                self.settings.set(name, "relaxed_order");
            }
        }
    }

    /// Raises a setting that is a number and lower.
    fn raise(&self, name: &CStr, wanted: u64) {
        let value = Settings::get(name).and_then(|value| value.parse::<f64>().ok());
        if value.is_some_and(|value| value < wanted as f64) {
            self.settings.set(name, &wanted.to_string());
        }
    }

    /// What a walk is asked for that keeps so many rows in view.
    fn searched(&self, rows: u64) -> Searched<'a> {
        searched(self.wanted, rows, &self.order, self.unit.len())
    }

    /// Walks towards the weight vector.
    pub fn towards_weights(&mut self, found: &mut Candidates<'a>) -> Result<(), Error> {
        self.to(self.w, found)
    }

    /// Walks towards the weight vector by way of a row.
    pub fn by_way_of(&mut self, row: &[f32], found: &mut Candidates<'a>) -> Result<(), Error> {
        let towards: Vec<f32> = self.unit.iter().zip(row).map(|(w, x)| w + ROW_WEIGHT * x).collect();
        self.to(&towards, found)
    }

    /// The same with more rows in view, for this walk.
    pub fn widely_by_way_of(&mut self, row: &[f32], found: &mut Candidates<'a>) -> Result<(), Error> {
        let width = self.width;
        let wider = (width * FIRST_BY_EXEMPLAR).min(LARGEST_EF_SEARCH / self.order.candidates());
        if wider > width {
            self.view(wider);
        }
        self.by_way_of(row, found)?;
        self.width = width;
        Ok(())
    }

    /// Walks towards a point.
    pub fn to(&mut self, point: &[f32], found: &mut Candidates<'a>) -> Result<(), Error> {
        self.walks += 1;
        if self.method == Method::Graph {
            self.in_view += self.width;
        }
        found.add(run(&self.plan, &[self.w, point]), self.walks - 1)
    }

    /// Looks at all rows for the nearest, until they have as many keys as are wanted: rows may share one.
    pub fn everywhere(&self, found: &mut Candidates<'a>) -> Result<(), Error> {
        let wanted = self.wanted.candidates();
        let mut limit = wanted as u64;
        loop {
            let searched = Searched { limit, ..self.searched(limit) };
            let plan = prepare(self.source, self.connection, &self.source.query_for_all(&searched), 1);
            let rows = run(&plan, &[self.w]);
            let is_all = (rows.len() as u64) < limit;
            found.clear();
            found.add(rows, 0)?;
            found.put_in_order();
            if is_all || found.found().len() >= wanted {
                return Ok(());
            }
            limit = limit.saturating_mul(SHARED);
        }
    }
}

/// How many rows the first walk is asked for.
fn first_width(wanted: &Wanted) -> u64 {
    let k = wanted.candidates() as u64;
    k.saturating_mul(2).min(k.saturating_add(MOST_BESIDE)).max(LEAST_WIDTH)
}

/// What a walk is asked for that keeps so many rows in view.
fn searched<'a>(wanted: &'a Wanted, rows: u64, order: &Order, dimensions: usize) -> Searched<'a> {
    let k = wanted.candidates() as u64;
    let candidates = if wanted.filter.is_some() { k.saturating_mul(CANDIDATES_PER_ROW) } else { rows };
    let limit = candidates.saturating_mul(order.candidates());
    let condition = wanted.filter.unwrap_or("true");
    Searched {
        condition,
        limit,
        key: wanted.key,
        metric: wanted.metric,
        dimensions,
        with_vectors: wanted.diversity > 0.0,
    }
}

/// Plans a query on `source` with so many vectors as parameters.
fn prepare<'a>(source: &Source, connection: &'a Connection, query: &str, vectors: usize) -> Plan<'a> {
    let types = vec![source.vector_type(); vectors];
    match source.verdict().is_custom() {
        true => connection.prepare_each(query, &types),
        false => connection.prepare_once(query, &types),
    }
}

fn run<'a>(plan: &Plan<'a>, vectors: &[&[f32]]) -> Rows<'a> {
    let mut values = values_of(vectors);
    // SAFETY: the query has as many parameters, all vectors.
    unsafe { plan.select(&mut values) }
}

fn values_of(vectors: &[&[f32]]) -> Vec<pg_sys::Datum> {
    vectors.iter().filter_map(|vector| NewVector(vector.to_vec()).into_datum()).collect()
}

/// The lists of an IVFFlat index; `None` for one of another kind.
fn lists_of(index: pg_sys::Oid) -> Option<u64> {
    /// What an index has where nothing was said.
    const DEFAULT_LISTS: u64 = 100;
    // SAFETY: catalog look-ups of an index that a plan uses; the name is palloc'd and NUL-terminated.
    unsafe {
        let class = pg_sys::SearchSysCache1(pg_sys::SysCacheIdentifier::RELOID as i32, index.into());
        let method = (*pg_sys::heap_tuple_get_struct::<pg_sys::FormData_pg_class>(class)).relam;
        let name = pg_sys::get_am_name(method);
        let is_ivfflat = !name.is_null() && CStr::from_ptr(name) == c"ivfflat";
        let mut is_null = false;
        let (cache, attribute) =
            (pg_sys::SysCacheIdentifier::RELOID as i32, pg_sys::Anum_pg_class_reloptions as i16);
        let options = pg_sys::SysCacheGetAttr(cache, class, attribute, &mut is_null);
        let options =
            (!is_null).then(|| Vec::<String>::from_datum(options, false)).flatten().unwrap_or_default();
        pg_sys::ReleaseSysCache(class);
        let lists = options.iter().find_map(|option| option.strip_prefix("lists=")?.parse().ok());
        is_ivfflat.then(|| lists.unwrap_or(DEFAULT_LISTS))
    }
}

/// How many blocks an index has.
fn blocks_of(index: pg_sys::Oid) -> u64 {
    // SAFETY: an index that a plan uses is locked; without a lock of its own it is closed when dropped.
    let index = unsafe { PgRelation::open(index) };
    // SAFETY: an open index has storage, of which the main fork is counted.
    u64::from(unsafe {
        pg_sys::RelationGetNumberOfBlocksInFork(index.as_ptr(), pg_sys::ForkNumber::MAIN_FORKNUM)
    })
}
