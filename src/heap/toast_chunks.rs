//! The table in which Postgres keeps the chunks of values that are stored out of line: its pages and its index.

use pgrx::{PgList, PgRelation, pg_sys};

use crate::heap::page::{self, PINNED_AT_ONCE, Page, Row, prefetch};
use crate::heap::read_ahead::ReadAhead;
use crate::postgres::gucs;
use crate::postgres::relation::Relation;
use crate::postgres::snapshot::Snapshot;
use crate::postgres::unwind;

/// Bytes of a page's line pointers that are asked for ahead: chunks are large, so there are few.
const LINE_POINTERS_AHEAD: usize = 128;

/// Rows of a page that are asked for ahead, which has few where it is full of large chunks.
const MOST_ROWS_AHEAD: u16 = 16;

/// Bytes of a chunk's row with all but the chunk's own: the row's header, number and sequence.
const HEAD: usize = 32;

/// A table of chunks, to be read under a snapshot.
pub struct ChunkTable<'a> {
    // Dropped in this order: a scan ends before what it scans is closed.
    index: Index,
    relation: Relation,
    blocks: u32,
    ahead: ReadAhead,
    snapshot: &'a Snapshot,
}

/// Its index, open for look-ups.
struct Index {
    scan: pg_sys::IndexScanDesc,
    _relation: Relation,
}

/// What a page has for a value.
#[derive(Default)]
pub struct Looked {
    pub chunks: Vec<Chunk>,
    /// How far into the page the first of them is.
    pub fraction: f64,
    /// The least and the largest number of any value.
    pub numbers: Option<(u32, u32)>,
    /// How many chunks of any value there are.
    pub rows: u32,
}

/// A part of a value, in a row that the snapshot sees, of a page that is pinned.
pub struct Chunk {
    pub sequence: i32,
    pub start: *const u8,
    pub size: usize,
}

impl<'a> ChunkTable<'a> {
    /// `None` if this is not a heap with an index, which only Postgres can read.
    pub fn open(table: pg_sys::Oid, snapshot: &'a Snapshot) -> Option<Self> {
        // SAFETY: a value's toast pointer names its table, which is there as long as the value can be seen. An open
        // table has storage, an index its pg_index row.
        unsafe {
            let relation = Relation::open(table)?;
            if !page::is_heap(&relation) || !gucs::read_pages() {
                return None;
            }
            let indexes = PgList::<pg_sys::Oid>::from_pg(pg_sys::RelationGetIndexList(relation.as_ptr()));
            let mut opened = indexes.iter_oid().filter_map(Relation::open);
            let index = Index::open(&relation, opened.find(|index| (*index.rd_index).indisvalid)?, snapshot);
            let (blocks, ahead) = (page::blocks(&relation), ReadAhead::of(&relation));
            Some(ChunkTable { index, relation, blocks, ahead, snapshot })
        }
    }

    /// The page with the first chunk of a value, by the index.
    pub fn block_of(&mut self, number: u32) -> Option<u32> {
        self.index.block_of(number)
    }

    /// Asks for the memory of the heads of a page's chunks.
    pub fn prefetch(page: &Page) {
        let rows = 1..=page.offsets_roughly().min(MOST_ROWS_AHEAD);
        rows.for_each(|offset| page.prefetch_row(offset, HEAD));
    }

    /// Asks for pages that are read soon, as [`ReadAhead::ask`].
    pub fn read_ahead(&mut self, block: impl Fn(usize) -> Option<u32>, asked: &mut usize, read: usize) {
        let last = self.blocks.saturating_sub(1);
        if self.blocks > 0 {
            // SAFETY: as for `page`.
            unsafe { self.ahead.ask(&self.relation, |i| block(i).map(|block| block.min(last)), asked, read) }
        }
    }

    /// A page, if there is one.
    pub fn page(&self, block: u32) -> Option<Page> {
        // SAFETY: the table has had this block since before this was opened, under a lock.
        (block < self.blocks).then(|| unsafe { Page::read(&self.relation, block, LINE_POINTERS_AHEAD) })
    }

    /// The chunks of a value on a page.
    pub fn look(&self, page: &Page, number: u32) -> Looked {
        page.locked(|locked| {
            let mut looked = Looked::default();
            for (offset, row) in locked.rows() {
                // SAFETY: a row of a table of chunks, on a page that is locked.
                let Some((other, chunk)) = (unsafe { chunk(row) }) else { continue };
                let (least, most) = looked.numbers.unwrap_or((other, other));
                looked.numbers = Some((least.min(other), most.max(other)));
                looked.rows += 1;
                // SAFETY: the row is that of this offset, and the snapshot lives as long as this.
                let is_visible = || unsafe {
                    let mut tuple = locked.tuple(row, offset, &self.relation);
                    locked.is_visible(&mut tuple, self.snapshot.as_ptr())
                };
                if other == number && is_visible() {
                    if chunk.sequence == 0 {
                        looked.fraction = f64::from(offset - 1) / f64::from(locked.offsets());
                    }
                    prefetch(chunk.start, chunk.size);
                    looked.chunks.push(chunk);
                }
            }
            looked
        })
    }

    /// Adds the chunks on the pages behind one that has the first of them; returns these pages, which hold them.
    pub fn look_further(
        &self,
        mut block: u32,
        number: u32,
        size: usize,
        chunks: &mut Vec<Chunk>,
    ) -> Vec<Page> {
        let mut pages = Vec::new();
        let has = |chunks: &[Chunk]| chunks.iter().map(|chunk| chunk.size).sum::<usize>();
        let has_first = chunks.iter().any(|chunk| chunk.sequence == 0);
        while has_first && has(chunks) < size && pages.len() < PINNED_AT_ONCE {
            block += 1;
            let Some(page) = self.page(block) else { break };
            let more = self.look(&page, number).chunks;
            pages.push(page);
            if more.is_empty() {
                break;
            }
            chunks.extend(more);
        }
        pages
    }
}

impl Index {
    /// The valid index of a table of chunks, a btree on number and sequence.
    fn open(table: &PgRelation, index: Relation, snapshot: &Snapshot) -> Self {
        let (keys, orders) = (1, 0);
        // SAFETY: table and index are open and stay so, the snapshot lives as long as the scan.
        let scan = unsafe {
            let (table, index, snapshot) = (table.as_ptr(), index.as_ptr(), snapshot.as_ptr());
            #[cfg(not(feature = "pg18"))]
            let scan = pg_sys::index_beginscan(table, index, snapshot, keys, orders);
            #[cfg(feature = "pg18")]
            let scan = pg_sys::index_beginscan(table, index, snapshot, std::ptr::null_mut(), keys, orders);
            scan
        };
        Index { scan, _relation: index }
    }

    /// The page with the first chunk of a value.
    fn block_of(&mut self, number: u32) -> Option<u32> {
        let mut key = pg_sys::ScanKeyData::default();
        let (first_column, equal) = (1, pg_sys::BTEqualStrategyNumber as u16);
        // SAFETY: the scan has one key, on the index's first column, an oid. It returns null or a place.
        unsafe {
            let number = pg_sys::Oid::from(number).into();
            pg_sys::ScanKeyInit(&mut key, first_column, equal, pg_sys::F_OIDEQ.into(), number);
            pg_sys::index_rescan(self.scan, &mut key, 1, std::ptr::null_mut(), 0);
            let forward = pg_sys::ScanDirection::ForwardScanDirection;
            let place = pg_sys::index_getnext_tid(self.scan, forward);
            place.as_ref().map(|&place| pgrx::itemptr::item_pointer_get_both(place).0)
        }
    }
}

impl Drop for Index {
    fn drop(&mut self) {
        // SAFETY: begun by `open`, ended once.
        unwind::close(|| unsafe { pg_sys::index_endscan(self.scan) });
    }
}

/// The number of the value that a row of a table of chunks belongs to, and its part of it.
///
/// # Safety
/// The row lies on a page that is locked.
unsafe fn chunk(Row { start, length }: Row) -> Option<(u32, Chunk)> {
    // SAFETY: the caller's. Under the lock others write nothing but hints, none of which is read here.
    let row = unsafe { std::slice::from_raw_parts(start, length) };
    let stored_bytes::Chunk { value_id, sequence, data } = stored_bytes::chunk(row)?;
    Some((value_id, Chunk { sequence, start: row[data.start..].as_ptr(), size: data.len() }))
}
