//! The rows at given places, from pages here or by a query.

use std::collections::{BTreeMap, BinaryHeap, HashMap};

use pgrx::{PgRelation, pg_sys};

use crate::error::Error;
use crate::heap::table::RowState;
use crate::heap::toast::Toast;
use crate::heap::toast_pointer::ToastPointer;
use crate::postgres::settings::Settings;
use crate::postgres::snapshot::Snapshot;
use crate::postgres::spi::{self, Connection, Plan, Rows};
use crate::sample::RowId;
use crate::sample::parts::{Foreign, Parts, Piece};
use crate::sample::stream::ROWS_AT_A_TIME;
use crate::source::Source;
use exemplar_svm::Offered;
use row_sampling::{Place, Position};

/// Rows of a foreign table that show how large offsets are there.
const ROWS_TO_JUDGE_OFFSETS_BY: usize = 16;

/// Foreign tables of one server that one query asks for: as many as the planner joins without much thought.
const TABLES_OF_A_QUERY: usize = 8;

/// What a walk over pieces needs to fetch rows.
pub struct Fetcher<'a, 'b> {
    pub parts: &'a mut Parts<'b>,
    /// A query for the rows at given places: one on the source, or one for each piece elsewhere.
    pub by_query: Option<Plan<'a>>,
    elsewhere: Vec<Elsewhere<'a>>,
    /// Tables of values that are stored out of line, by their OIDs; `None` for one that only Postgres can read.
    toasts: HashMap<pg_sys::Oid, Option<Toast<'b>>>,
    snapshot: &'b Snapshot,
}

/// A query for rows of a few foreign tables of one server.
struct Elsewhere<'a> {
    /// The pieces that these are.
    parts: Vec<u32>,
    plan: Plan<'a>,
}

/// What was found at a place.
#[derive(Clone, Copy)]
pub enum Fetched {
    /// The snapshot sees no row there.
    Nothing,
    Null,
    Offered(Offered),
    /// A vector of this many dimensions, not as many as the others.
    OtherDimensions(usize),
}

/// Hands a value of the column to `place`, if it can be one of the negatives.
pub fn fetch_value(
    source: &Source,
    dimensions: usize,
    value: Option<pg_sys::Datum>,
    place: impl FnOnce(&[f32]) -> Offered,
) -> Result<Fetched, Error> {
    let Some(value) = value else { return Ok(Fetched::Null) };
    let fetched = |vector: &[f32]| match vector.len() {
        found if found == dimensions => Fetched::Offered(place(vector)),
        found => Fetched::OtherDimensions(found),
    };
    // SAFETY: a value of the column, whose type Source::open has found the cast for.
    unsafe { source.cast.with_elements(value, fetched) }
}

/// Rows that were asked for by their places: for each, in which result, row and column its value is.
pub struct Queried<'a> {
    rows: Vec<Rows<'a>>,
    at: HashMap<RowId, (usize, usize, usize)>,
}

impl Queried<'_> {
    /// The value of a row that was found; the inner `None` is a null.
    pub fn value(&self, row: RowId) -> Option<Option<pg_sys::Datum>> {
        self.at.get(&row).map(|&(rows, row, column)| self.rows[rows].get(row, column))
    }
}

impl<'a, 'b> Fetcher<'a, 'b> {
    pub fn new(source: &Source, connection: &'a Connection, parts: &'a mut Parts<'b>) -> Self {
        let tids = pg_sys::Oid::from(pg_sys::BuiltinOid::TIDARRAYOID);
        let by_query =
            parts.by_query.then(|| connection.prepare(&source.query_by_tid(&source.relation), &[tids]));
        let mut servers: BTreeMap<u32, Vec<(u32, &Foreign)>> = BTreeMap::new();
        for (index, piece) in (0..).zip(&parts.pieces) {
            if let Piece::Elsewhere(foreign) = piece
                && by_query.is_none()
            {
                servers.entry(foreign.server.to_u32()).or_default().push((index, foreign));
            }
        }
        let mut elsewhere = Vec::new();
        for tables in servers.values().flat_map(|tables| tables.chunks(TABLES_OF_A_QUERY)) {
            let relations: Vec<&PgRelation> = tables.iter().map(|(_, foreign)| &*foreign.relation).collect();
            let plan = connection.prepare(&source.query_elsewhere(&relations), &vec![tids; tables.len()]);
            elsewhere.push(Elsewhere { parts: tables.iter().map(|&(index, _)| index).collect(), plan });
        }
        let snapshot = parts.snapshot;
        Fetcher { parts, by_query, elsewhere, toasts: HashMap::new(), snapshot }
    }

    /// Whether some rows come by queries.
    pub fn has_queries(&self) -> bool {
        self.by_query.is_some() || !self.elsewhere.is_empty()
    }

    pub fn row_id(&self, place: Place) -> RowId {
        let Place { part, block, offset } = place;
        RowId { table: self.parts.pieces[part as usize].relation().oid(), block, offset }
    }

    /// Hands the vectors of the rows at those of `places` that no query reads to `put`, with the place's index, and
    /// says what was found at each. They are fetched in the order in which they are stored, which is
    /// faster.
    pub fn fetch(
        &mut self,
        source: &Source,
        dimensions: usize,
        places: &[(Place, RowState)],
        mut put: impl FnMut(usize, &[f32]) -> Offered,
    ) -> Result<Vec<Fetched>, Error> {
        let mut fetched = vec![Fetched::Nothing; places.len()];
        if self.by_query.is_some() {
            return Ok(fetched);
        }
        let mut stored: Vec<usize> = (0..places.len()).collect();
        stored.sort_unstable_by_key(|&index| places[index].0);
        let mut elsewhere: HashMap<pg_sys::Oid, (Vec<usize>, Vec<ToastPointer>)> = HashMap::new();
        for index in stored {
            pgrx::check_for_interrupts!();
            let (place, mut seen) = places[index];
            if let RowState::Unread = seen
                && let Piece::Here(table) = &mut self.parts.pieces[place.part as usize]
            {
                let value = |value: Option<pg_sys::Datum>| {
                    // SAFETY: a value of the column, whose type is a varlena.
                    if let Some(pointer) = value.and_then(|value| unsafe { ToastPointer::of(value) }) {
                        seen = RowState::Toasted(pointer);
                        return Ok(Fetched::Nothing);
                    }
                    fetch_value(source, dimensions, value, |vector| put(index, vector))
                };
                if let Some(found) = table.fetch(place.block, place.offset, value).transpose()? {
                    fetched[index] = found;
                }
            }
            match seen {
                RowState::Invisible | RowState::Unread => (),
                RowState::Null => fetched[index] = Fetched::Null,
                RowState::Toasted(pointer) => {
                    let (indexes, pointers) = elsewhere.entry(pointer.table).or_default();
                    indexes.push(index);
                    pointers.push(pointer);
                }
            }
        }
        for (table, (indexes, pointers)) in elsewhere {
            let mut found = |of: usize, value| {
                let index = indexes[of];
                fetched[index] = fetch_value(source, dimensions, Some(value), |vector| put(index, vector))?;
                Ok(())
            };
            match self.toasts.entry(table).or_insert_with(|| Toast::open(table, self.snapshot)) {
                Some(toast) => toast.read(&pointers, &mut found)?,
                None => (0..pointers.len()).try_for_each(|of| found(of, pointers[of].as_datum()))?,
            }
        }
        Ok(fetched)
    }

    /// The rows at those of `places` that only a query reads.
    pub fn query(&self, places: &[(Place, RowState)]) -> Queried<'a> {
        let mut queried = Queried { rows: Vec::new(), at: HashMap::new() };
        let tids = |asked: &dyn Fn(Place) -> bool| {
            let places = places.iter().map(|&(place, _)| place).filter(|&place| asked(place));
            spi::tid_array(places.map(|place| (place.block, place.offset)))
        };
        if let Some(plan) = &self.by_query {
            // SAFETY: the query has one parameter, of type tid[]; its columns are table, place and value.
            let rows = unsafe { plan.select(&mut [tids(&|_| true)]) };
            for row in 0..rows.len() {
                let (Some(table), Some(tid)) = (rows.get(row, 0), rows.get(row, 1)) else { continue };
                // SAFETY: the first columns are an oid and a tid.
                let (table, (block, offset)) = unsafe { (spi::oid(table), spi::place(tid)) };
                queried.at.insert(RowId { table, block, offset }, (0, row, 2));
            }
            queried.rows.push(rows);
        }
        for Elsewhere { parts, plan } in &self.elsewhere {
            if !places.iter().any(|(place, _)| parts.contains(&place.part)) {
                continue;
            }
            let mut values: Vec<_> =
                parts.iter().map(|&part| tids(&|place: Place| place.part == part)).collect();
            // The other server is to join its tables, which takes one query: the planner would rather ask for each table.
            let settings = Settings::open();
            settings.set(c"enable_hashjoin", "off");
            settings.set(c"enable_mergejoin", "off");
            // SAFETY: the query has a parameter of type tid[] for each part, and columns of place and value.
            let rows = unsafe { plan.select(&mut values) };
            for row in 0..rows.len() {
                for (index, &part) in parts.iter().enumerate() {
                    let Some(tid) = rows.get(row, 2 * index) else { continue };
                    // SAFETY: the first of a table's two columns is a tid.
                    let (block, offset) = unsafe { spi::place(tid) };
                    let found = (queried.rows.len(), row, 2 * index + 1);
                    queried.at.insert(self.row_id(Place { part, block, offset }), found);
                }
            }
            queried.rows.push(rows);
        }
        self.judge_offsets(|| places.iter().map(|(place, _)| place), &queried);
        queried
    }

    fn judge_offsets<'p, P: Iterator<Item = &'p Place>>(&self, places: impl Fn() -> P, queried: &Queried) {
        for (part, piece) in (0..).zip(&self.parts.pieces) {
            let Piece::Elsewhere(foreign) = piece else { continue };
            let table = foreign.relation.oid();
            let found = |place: &&Place| {
                let Place { block, offset, .. } = **place;
                place.part == part && queried.at.contains_key(&RowId { table, block, offset })
            };
            let offsets = || places().filter(found).map(|place| place.offset);
            if let Some(largest) = offsets().max().filter(|_| offsets().count() >= ROWS_TO_JUDGE_OFFSETS_BY) {
                foreign.saw_offset(largest);
            }
        }
    }

    /// The first `most` places of rows with a value for which `position` gives one, in its order.
    pub fn scan(
        &mut self,
        source: &Source,
        connection: &Connection,
        most: usize,
        mut position: impl FnMut(Place) -> Option<Position>,
    ) -> Vec<(Position, Place)> {
        let mut first = BinaryHeap::new();
        let mut visit = |place| {
            let Some(position) = position(place) else { return };
            if first.len() < most {
                first.push((position, place));
            } else if let Some(mut last) = first.peek_mut().filter(|last| (position, place) < **last) {
                *last = (position, place);
            }
        };
        if self.by_query.is_some() {
            let plan = connection.prepare(&source.query_for_places(), &[]);
            let mut cursor = plan.open();
            loop {
                let rows = cursor.fetch(ROWS_AT_A_TIME);
                for row in 0..rows.len() {
                    let (Some(table), Some(tid)) = (rows.get(row, 0), rows.get(row, 1)) else { continue };
                    // SAFETY: the query's columns are table and place.
                    let (table, (block, offset)) = unsafe { (spi::oid(table), spi::place(tid)) };
                    if let Some(part) = self.parts.index_of(table) {
                        visit(Place { part, block, offset });
                    }
                }
                if rows.len() == 0 {
                    break;
                }
            }
        } else {
            for (part, piece) in (0..).zip(&mut self.parts.pieces) {
                if let Piece::Here(table) = piece {
                    table.scan(|block, offset| visit(Place { part, block, offset }));
                }
            }
        }
        first.into_sorted_vec()
    }
}
