//! What a source consists of: tables whose rows have places, and what only a query can read.

use std::cell::Cell;
use std::ffi::CStr;

use pgrx::{PgList, PgRelation, pg_sys};

use crate::heap::page;
use crate::heap::table::{self, RowState, Table, Visitor};
use crate::postgres::relation::Relation;
use crate::postgres::snapshot::Snapshot;
use crate::source::Source;
use crate::source::verdict::Reading;
use row_sampling::{self, Candidates, Part};

impl Visitor for Candidates<'_, RowState> {
    fn wanted(&self, index: usize, largest: u16, offsets: &mut Vec<u16>) {
        offsets.extend(self.of(index, largest));
    }

    fn found(&mut self, index: usize, offset: u16, row: RowState) {
        self.take(index, offset, row);
    }
}

/// Blocks with rows whose filling stands for all of a table, and most first or random blocks looked at to find them.
const BLOCKS_TO_JUDGE_BY: usize = 4;
const BLOCKS_TO_LOOK_AT: usize = 64;

/// Line pointers of a page of Postgres' usual size, at most.
const MOST_OFFSETS: u16 = 291;

/// Line pointers that are worth asking for where a page has so many rows on average.
fn most_offsets_for(per_block: f64) -> u16 {
    (3.0 * per_block + 24.0).min(f64::from(MOST_OFFSETS)) as u16
}

/// A table here or, through postgres_fdw, elsewhere.
pub enum Piece<'a> {
    Here(Table<'a>),
    Elsewhere(Foreign),
}

/// A foreign table whose rows can be asked for by their places on the other server.
pub struct Foreign {
    pub relation: Relation,
    pub server: pg_sys::Oid,
    pages: u32,
    rows: f64,
    /// The largest offset worth asking for, once rows have shown what there is.
    most_offsets: Cell<u16>,
}

/// A table whose rows have no places, so that they are read one after another.
pub struct Other {
    pub relation: Relation,
    /// About how many rows it has, if that is known.
    pub rows: Option<f64>,
    /// Whether its rows are those that the source gives, and not all.
    pub through_source: bool,
    /// Whether they are on another server.
    pub is_foreign: bool,
}

/// What rows are drawn from.
pub struct Parts<'a> {
    pub pieces: Vec<Piece<'a>>,
    pub others: Vec<Other>,
    /// Whether rows are read by a query on the source, which applies policies and conditions and computes values, and
    /// not from the pieces themselves.
    pub by_query: bool,
    pub snapshot: &'a Snapshot,
}

impl<'a> Parts<'a> {
    /// The parts of `source` that the caller, who may read its column, can draw rows from by their places;
    /// `None` if all that can be done is to read the source from its start.
    pub fn of(source: &Source, snapshot: &'a Snapshot) -> Option<Self> {
        if source.is_view() {
            // What it has may be in the query itself and in no table.
            return None;
        }
        let by_query = source.has_policies() || source.condition.is_some() || !source.stored;
        let mut parts = Parts { pieces: Vec::new(), others: Vec::new(), by_query, snapshot };
        let inheritors = inheritors(&source.relation);
        let is_clear = source.verdict().is_clear(inheritors.iter().map(|relation| relation.oid()));
        if !is_clear || by_query && !may_select(&source.relation, None) {
            return None;
        }
        for relation in inheritors {
            // The planner knows which parts have no rows for this caller.
            if let Some((reading, rows)) = source.verdict().reading(relation.oid()) {
                parts.add(source, relation, reading, rows)?;
            }
        }
        Some(parts)
    }

    /// Adds one relation; `None` if it cannot be read but with all of the source.
    fn add(&mut self, source: &Source, relation: Relation, reading: Reading, rows: f64) -> Option<()> {
        let attribute = source.attribute_of(&relation)?;
        let is_source = relation.oid() == source.relation.oid();
        let is_foreign = reading == Reading::Foreign;
        let (relation, rows) = match reading {
            Reading::Stored => match Table::new(relation, attribute, self.snapshot) {
                Ok(table) => {
                    self.pieces.push(Piece::Here(table));
                    return Some(());
                }
                // What has no rows that anybody may read is for Postgres to say.
                Err(relation) if !table::has_own_access_method(&relation) => return None,
                Err(relation) => (relation, Some(rows)),
            },
            Reading::Foreign => match Foreign::new(relation) {
                // A query on a foreign partition itself is up to the caller's privileges on it.
                Ok(foreign) if self.by_query || may_select(&foreign.relation, None) => {
                    self.pieces.push(Piece::Elsewhere(foreign));
                    return Some(());
                }
                Ok(Foreign { relation, .. }) | Err(relation) => {
                    let rows = estimated_rows(&relation);
                    (relation, rows)
                }
            },
            Reading::Custom => (relation, Some(rows)),
        };
        let through_source = self.by_query || !may_select(&relation, Some(attribute));
        self.others.push(Other { relation, rows, through_source, is_foreign });
        (!is_source || !is_foreign).then_some(())
    }

    /// The pieces as parts of a walk.
    pub fn for_walk(&self, source: &Source) -> Vec<Part> {
        self.pieces.iter().map(|piece| piece.for_walk(source)).collect()
    }

    /// About how many rows the pieces have.
    pub fn estimated_rows(&self, parts: &[Part]) -> f64 {
        let rows = |(piece, part): (&Piece, &Part)| match piece {
            Piece::Here(table) => {
                let by_blocks = f64::from(part.blocks) * part.per_block;
                estimated_rows(table.relation()).unwrap_or(by_blocks)
            }
            Piece::Elsewhere(foreign) => foreign.rows,
        };
        self.pieces.iter().zip(parts).map(rows).sum()
    }

    /// About how many of the places that are asked for have rows.
    pub fn expected_yield(&self, parts: &[Part]) -> f64 {
        let (mut rows, mut places) = (0.0, 0.0);
        for (piece, part) in self.pieces.iter().zip(parts) {
            let of_part = f64::from(part.blocks) * part.per_block;
            rows += of_part;
            places += match piece {
                Piece::Here(_) => of_part,
                Piece::Elsewhere(foreign) => f64::from(part.blocks) * f64::from(foreign.most_offsets.get()),
            };
        }
        if places > 0.0 { (rows / places).clamp(0.01, 1.0) } else { 1.0 }
    }

    /// Whether some rows are on other servers.
    pub fn has_elsewhere(&self) -> bool {
        self.pieces.iter().any(|piece| matches!(piece, Piece::Elsewhere(_)))
    }

    /// The piece that a table is.
    pub fn index_of(&self, table: pg_sys::Oid) -> Option<u32> {
        let index = self.pieces.iter().position(|piece| piece.relation().oid() == table)?;
        u32::try_from(index).ok()
    }
}

impl Piece<'_> {
    pub fn relation(&self) -> &PgRelation {
        match self {
            Piece::Here(table) => table.relation(),
            Piece::Elsewhere(foreign) => &foreign.relation,
        }
    }

    /// Takes the candidates in `blocks` whose line pointers may be those of rows, as [`Table::look`].
    pub fn look(&self, blocks: &[u32], candidates: &mut Candidates<RowState>) {
        match self {
            Piece::Here(table) => table.look(blocks, candidates),
            Piece::Elsewhere(foreign) => {
                for index in 0..blocks.len() {
                    let offsets: Vec<u16> = candidates.of(index, foreign.most_offsets.get()).collect();
                    offsets.into_iter().for_each(|offset| candidates.take(index, offset, RowState::Unread));
                }
            }
        }
    }

    fn for_walk(&self, source: &Source) -> Part {
        let relation = self.relation();
        let key = match relation.oid() == source.relation.oid() {
            true => 0,
            false => row_sampling::key_of(&format!("{}.{}", relation.namespace(), relation.name())),
        };
        match self {
            Piece::Here(table) => {
                let part = Part { key, blocks: table.blocks(), per_block: 1.0 };
                Part { per_block: visible_per_block(table, part), ..part }
            }
            Piece::Elsewhere(foreign) => {
                let per_block = foreign.rows / f64::from(foreign.pages);
                Part { key, blocks: foreign.pages, per_block }
            }
        }
    }
}

/// How many rows the snapshot sees in a block where it sees any: in the first blocks, or where these are empty, in
/// random ones. A table grows at its end, so what others add in the meantime changes nothing.
fn visible_per_block(table: &Table, part: Part) -> f64 {
    let (mut offsets, mut blocks) = (Vec::new(), 0);
    let first = (0..part.blocks).take(BLOCKS_TO_LOOK_AT);
    let random = row_sampling::blocks_to_judge_by(part).take(BLOCKS_TO_LOOK_AT);
    for (index, block) in first.chain(random).enumerate() {
        if blocks == BLOCKS_TO_JUDGE_BY || (index >= BLOCKS_TO_LOOK_AT && blocks > 0) {
            break;
        }
        let before = offsets.len();
        table.visible(block, &mut offsets);
        blocks += usize::from(offsets.len() > before);
    }
    offsets.len() as f64 / blocks.max(1) as f64
}

impl Foreign {
    /// A table of postgres_fdw that ANALYZE has told the size of; else gives `relation` back.
    fn new(relation: Relation) -> Result<Self, Relation> {
        // SAFETY: an open relation has its pg_class row, where ANALYZE puts the other server's figures.
        let pages = u32::try_from(unsafe { (*relation.rd_rel).relpages }).unwrap_or(0);
        match estimated_rows(&relation) {
            Some(rows) if pages > 0 && is_of_postgres_fdw(&relation) => {
                let most_offsets = Cell::new(most_offsets_for(rows / f64::from(pages)));
                // SAFETY: a foreign table has a server.
                let server = unsafe { (*pg_sys::GetForeignTable(relation.oid())).serverid };
                Ok(Foreign { relation, server, pages, rows, most_offsets })
            }
            _ => Err(relation),
        }
    }

    /// Takes note of the largest offset among enough rows: others are hardly ever much larger.
    pub fn saw_offset(&self, largest: u16) {
        let most = largest.saturating_add(largest / 2).saturating_add(8);
        self.most_offsets.set(most.min(MOST_OFFSETS));
    }
}

fn is_of_postgres_fdw(relation: &PgRelation) -> bool {
    // SAFETY: a foreign table has a server, and that a wrapper; get_func_name returns null or a palloc'd string.
    unsafe {
        let server = pg_sys::GetForeignServer((*pg_sys::GetForeignTable(relation.oid())).serverid);
        let handler = (*pg_sys::GetForeignDataWrapper((*server).fdwid)).fdwhandler;
        let name = pg_sys::get_func_name(handler);
        !name.is_null() && CStr::from_ptr(name) == c"postgres_fdw_handler"
    }
}

/// What ANALYZE or VACUUM has counted, if it has.
fn estimated_rows(relation: &PgRelation) -> Option<f64> {
    // SAFETY: an open relation has its pg_class row.
    let rows = f64::from(unsafe { (*relation.rd_rel).reltuples });
    (rows >= 0.0).then_some(rows)
}

/// Whether the caller may SELECT all of a relation, its system columns too, or at least the given column.
fn may_select(relation: &PgRelation, attribute: Option<i32>) -> bool {
    let select = pg_sys::AclMode::from(pg_sys::ACL_SELECT);
    // SAFETY: catalog look-ups of an existing relation and column.
    unsafe {
        let (oid, caller) = (relation.oid(), pg_sys::GetUserId());
        let may = |result| result == pg_sys::AclResult::ACLCHECK_OK;
        may(pg_sys::pg_class_aclcheck(oid, caller, select))
            || attribute.is_some_and(|attribute| {
                may(pg_sys::pg_attribute_aclcheck(oid, attribute as i16, caller, select))
            })
    }
}

/// How many rows the source has at most, if it is known: what fits into the blocks of heaps.
pub fn most_rows(source: &Source) -> Option<usize> {
    let mut most = 0;
    for relation in inheritors(&source.relation) {
        // SAFETY: an open relation has its pg_class row.
        let kind = unsafe { (*relation.rd_rel).relkind } as u8;
        if kind != pg_sys::RELKIND_PARTITIONED_TABLE {
            if !page::is_heap(&relation) {
                return None;
            }
            // SAFETY: a heap has storage.
            let blocks = unsafe { page::blocks(&relation) };
            most += blocks as usize * usize::from(MOST_OFFSETS);
        }
    }
    Some(most)
}

/// The relation itself and all that inherit from it, partitions too, open and locked for reading.
fn inheritors(relation: &PgRelation) -> Vec<Relation> {
    let lock = pg_sys::AccessShareLock as pg_sys::LOCKMODE;
    // SAFETY: the relation exists. find_all_inheritors locks what it returns, a list of OIDs.
    unsafe {
        let find = || find_all_inheritors(relation.oid(), lock, std::ptr::null_mut());
        let oids = pg_sys::ffi::pg_guard_ffi_boundary(find);
        let oids = PgList::<pg_sys::Oid>::from_pg(oids);
        oids.iter_oid().filter_map(Relation::open).collect()
    }
}

unsafe extern "C-unwind" {
    /// From catalog/pg_inherits.h, which pgrx does not bind; the same in Postgres 15 to 18.
    fn find_all_inheritors(
        parent: pg_sys::Oid,
        lock: pg_sys::LOCKMODE,
        parents: *mut *mut pg_sys::List,
    ) -> *mut pg_sys::List;
}
