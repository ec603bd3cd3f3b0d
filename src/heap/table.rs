//! A table's rows by their places, through its access method: what a TID scan does, without a query.

use pgrx::itemptr::{item_pointer_get_both, item_pointer_set_all};
use pgrx::{PgRelation, pg_sys};

use crate::heap::page::{self, Locked, PINNED_AT_ONCE, Page, Row};
use crate::heap::read_ahead::ReadAhead;
use crate::heap::toast_pointer::ToastPointer;
use crate::postgres::gucs;
use crate::postgres::relation::Relation;
use crate::postgres::snapshot::Snapshot;
use crate::postgres::unwind;

/// Bytes of a page's line pointers and of a row that are asked for ahead.
const LINE_POINTERS_AHEAD: usize = 640;
const ROW_AHEAD: usize = 640;

/// What a line pointer that is in use leads to.
#[derive(Clone, Copy)]
pub enum RowState {
    /// A row that the snapshot does not see.
    Invisible,
    /// A row that it sees, without a value.
    Null,
    /// A row that it sees, whose value is stored out of line.
    Toasted(ToastPointer),
    /// To be [fetched](Table::fetch), which tells.
    Unread,
}

/// Who looks at line pointers: says which are wanted, and is told what they lead to. Blocks go by their index among those
/// that are looked at.
pub trait Visitor {
    /// Appends the offsets from 1 to `largest` that are wanted.
    fn wanted(&self, index: usize, largest: u16, offsets: &mut Vec<u16>);

    /// Takes a line pointer that is wanted and in use.
    fn found(&mut self, index: usize, offset: u16, row: RowState);
}

/// A table or materialized view whose pages are here. It is not this that checks privileges.
pub struct Table<'a> {
    relation: Relation,
    attribute: i32,
    is_heap: bool,
    /// Whether Postgres must know of each row that is read.
    must_fetch: bool,
    slot: *mut pg_sys::TupleTableSlot,
    snapshot: &'a Snapshot,
}

impl<'a> Table<'a> {
    /// `relation`, to read its column of number `attribute`; gives `relation` back if only a query can read it,
    /// or can say why not.
    pub fn new(relation: Relation, attribute: i32, snapshot: &'a Snapshot) -> Result<Self, Relation> {
        // SAFETY: an open relation has its pg_class row, and its access method's routines if it has one.
        let (class, access_method) = unsafe { (&*relation.rd_rel, relation.rd_tableam.as_ref()) };
        let Some(access_method) = access_method else { return Err(relation) };
        let is_heap = page::is_heap(&relation) && gucs::read_pages();
        let permanent = class.relpersistence as u8 == pg_sys::RELPERSISTENCE_PERMANENT;
        let readable = class.relispopulated
            && !is_of_other_session(&relation)
            // SAFETY: reads shared memory only.
            && (permanent || !unsafe { pg_sys::RecoveryInProgress() })
            && (is_heap || access_method.scan_set_tidrange.is_some());
        if !readable {
            return Err(relation);
        }
        // SAFETY: the relation is open; the slot is freed before it is closed.
        let slot = unsafe { pg_sys::table_slot_create(relation.as_ptr(), std::ptr::null_mut()) };
        // SAFETY: a setting of the transaction, which there is.
        let must_fetch =
            unsafe { pg_sys::XactIsoLevel } == pg_sys::XACT_SERIALIZABLE as i32 || may_lose_old_rows();
        Ok(Table { relation, attribute, is_heap, must_fetch, slot, snapshot })
    }

    pub fn relation(&self) -> &PgRelation {
        &self.relation
    }

    /// Blocks of the main fork.
    pub fn blocks(&self) -> u32 {
        // SAFETY: the relation is open and has storage.
        unsafe { page::blocks(&self.relation) }
    }

    /// Visits the line pointers in `blocks` that may be those of rows that the snapshot sees.
    pub fn look(&self, blocks: &[u32], visitor: &mut impl Visitor) {
        let (mut offsets, mut ahead, mut asked) = (Vec::new(), ReadAhead::of(&self.relation), 0);
        for (first, group) in (0..).step_by(PINNED_AT_ONCE).zip(blocks.chunks(PINNED_AT_ONCE)) {
            pgrx::check_for_interrupts!();
            if self.is_heap {
                // SAFETY: as for the pages themselves.
                unsafe {
                    ahead.ask(&self.relation, |i| blocks.get(i).copied(), &mut asked, first + group.len());
                }
                self.look_at_pages(first, group, &mut offsets, visitor);
                continue;
            }
            for (index, &block) in (first..).zip(group) {
                offsets.clear();
                self.visible(block, &mut offsets);
                let largest = offsets.iter().copied().max().unwrap_or(0);
                let mut wanted = Vec::new();
                visitor.wanted(index, largest, &mut wanted);
                let visible = wanted.into_iter().filter(|offset| offsets.contains(offset));
                visible.for_each(|offset| visitor.found(index, offset, RowState::Unread));
            }
        }
    }

    /// As [`look`](Self::look) at blocks of a heap, `first` being the index of the first of them.
    fn look_at_pages(
        &self,
        first: usize,
        blocks: &[u32],
        offsets: &mut Vec<u16>,
        visitor: &mut impl Visitor,
    ) {
        // SAFETY: the blocks exist, since the lock on the relation keeps it from being truncated.
        let read = |&block| unsafe { Page::read(&self.relation, block, LINE_POINTERS_AHEAD) };
        let pages: Vec<_> = blocks.iter().map(read).collect();
        offsets.clear();
        let mut wanted = Vec::with_capacity(pages.len());
        for (index, page) in (first..).zip(&pages) {
            let start = offsets.len();
            // What comes later is not for the snapshot to see.
            visitor.wanted(index, page.offsets_roughly(), offsets);
            offsets[start..].iter().for_each(|&offset| page.prefetch_row(offset, ROW_AHEAD));
            wanted.push(start..offsets.len());
        }
        for (index, (page, wanted)) in
            (first..).zip(pages.iter().zip(wanted)).filter(|(_, (_, w))| !w.is_empty())
        {
            page.locked(|page| {
                let used = offsets[wanted].iter().filter_map(|&offset| Some((offset, page.row(offset)?)));
                used.for_each(|(offset, row)| visitor.found(index, offset, self.see(&page, row, offset)));
            });
        }
    }

    /// What a row of a page of this heap is.
    fn see(&self, page: &Locked, row: Row, offset: u16) -> RowState {
        if self.must_fetch {
            return RowState::Unread;
        }
        // SAFETY: the row is that of this offset, the snapshot is alive, and the relation has this attribute, which is a
        // varlena.
        unsafe {
            let mut tuple = page.tuple(row, offset, &self.relation);
            if !page.is_visible(&mut tuple, self.snapshot.as_ptr()) {
                return RowState::Invisible;
            }
            let (mut null, attributes) = (false, self.relation.rd_att);
            let value = pg_sys::heap_getattr(&mut tuple, self.attribute, attributes, &mut null);
            match (!null).then(|| ToastPointer::of(value)) {
                None => RowState::Null,
                Some(Some(pointer)) => RowState::Toasted(pointer),
                Some(None) => RowState::Unread,
            }
        }
    }

    /// Appends the offsets of a block's rows that the snapshot sees.
    pub fn visible(&self, block: u32, offsets: &mut Vec<u16>) {
        let tid = |offset| {
            let mut tid = pg_sys::ItemPointerData::default();
            item_pointer_set_all(&mut tid, block, offset);
            tid
        };
        let (mut first, mut last) = (tid(0), tid(u16::MAX));
        // SAFETY: relation and snapshot are alive, the access method has TID range scans (a heap does), and
        // the scan, which copies the bounds, ends here.
        unsafe {
            let relation = self.relation.as_ptr();
            let scan =
                pg_sys::table_beginscan_tidrange(relation, self.snapshot.as_ptr(), &mut first, &mut last);
            let forward = pg_sys::ScanDirection::ForwardScanDirection;
            while pg_sys::table_scan_getnextslot_tidrange(scan, forward, self.slot) {
                offsets.push(item_pointer_get_both((*self.slot).tts_tid).1);
            }
            pg_sys::table_endscan(scan);
        }
    }

    /// Calls `with` with the column's value in the row version at a place, if the snapshot sees one there.
    pub fn fetch<T>(
        &mut self,
        block: u32,
        offset: u16,
        with: impl FnOnce(Option<pg_sys::Datum>) -> T,
    ) -> Option<T> {
        let mut tid = pg_sys::ItemPointerData::default();
        item_pointer_set_all(&mut tid, block, offset);
        // SAFETY: the place was found in the relation; relation, snapshot and slot are alive.
        let found = unsafe {
            pg_sys::table_tuple_fetch_row_version(
                self.relation.as_ptr(),
                &mut tid,
                self.snapshot.as_ptr(),
                self.slot,
            )
        };
        found.then(|| with(self.value()))
    }

    /// Calls `visit` with the places of all rows that the snapshot sees and whose value is not null.
    pub fn scan(&mut self, mut visit: impl FnMut(u32, u16)) {
        // SAFETY: relation, snapshot and slot are alive; the scan ends here.
        unsafe {
            let relation = self.relation.as_ptr();
            let scan = pg_sys::table_beginscan(relation, self.snapshot.as_ptr(), 0, std::ptr::null_mut());
            while pg_sys::table_scan_getnextslot(scan, pg_sys::ScanDirection::ForwardScanDirection, self.slot)
            {
                if self.value().is_some() {
                    let (block, offset) = item_pointer_get_both((*self.slot).tts_tid);
                    visit(block, offset);
                }
            }
            pg_sys::table_endscan(scan);
        }
    }

    /// The column's value in the row that the slot holds.
    fn value(&self) -> Option<pg_sys::Datum> {
        let mut null = false;
        // SAFETY: the slot holds a row of the relation, which has this attribute.
        let value = unsafe { pg_sys::slot_getattr(self.slot, self.attribute, &mut null) };
        (!null).then_some(value)
    }
}

impl Drop for Table<'_> {
    fn drop(&mut self) {
        // SAFETY: made by `new`, freed once; this also unpins the page it may hold.
        unwind::close(|| unsafe { pg_sys::ExecDropSingleTupleTableSlot(self.slot) });
    }
}

/// Whether a relation has an access method of its own that does not read by places.
pub fn has_own_access_method(relation: &PgRelation) -> bool {
    // SAFETY: an open relation has its access method's routines if it has one.
    let access_method = unsafe { relation.rd_tableam.as_ref() };
    access_method.is_some_and(|routines| routines.scan_set_tidrange.is_none())
}

/// Whether a relation is another session's temporary table, whose rows are not to be seen.
pub fn is_of_other_session(relation: &PgRelation) -> bool {
    // SAFETY: an open relation has its pg_class row.
    let temporary = unsafe { (*relation.rd_rel).relpersistence } as u8 == pg_sys::RELPERSISTENCE_TEMP;
    temporary && !relation.rd_islocaltemp
}

/// Whether rows that an old snapshot sees may be gone, which Postgres then says when it reads them.
fn may_lose_old_rows() -> bool {
    #[cfg(any(feature = "pg15", feature = "pg16"))]
    // SAFETY: a setting that does not change while the server runs.
    return unsafe { pg_sys::old_snapshot_threshold } >= 0;
    #[cfg(not(any(feature = "pg15", feature = "pg16")))]
    false
}
