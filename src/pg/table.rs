//! A table's rows by their places, through its access method: what a TID scan does, without a query.

use pgrx::itemptr::{item_pointer_get_both, item_pointer_set_all};
use pgrx::{PgRelation, pg_sys};

/// Pages that are held at a time, so that their memory is waited for together.
const PINNED_AT_ONCE: usize = 16;

/// Bytes of a cache line, and how many of them are asked for ahead of a page's line pointers and of a row.
const LINE: usize = 64;
const LINES_OF_POINTERS: usize = 2;
const LINES_OF_ROW: usize = 10;

/// The snapshot that the caller's query runs under.
pub struct Snapshot {
    snapshot: pg_sys::Snapshot,
    pushed: bool,
}

impl Snapshot {
    /// The active one; a new one where there is none, until this is dropped.
    pub fn active() -> Self {
        // SAFETY: PushActiveSnapshot keeps a copy, after which there is an active snapshot.
        unsafe {
            let pushed = !pg_sys::ActiveSnapshotSet();
            if pushed {
                pg_sys::PushActiveSnapshot(pg_sys::GetTransactionSnapshot());
            }
            Snapshot { snapshot: pg_sys::GetActiveSnapshot(), pushed }
        }
    }
}

impl Drop for Snapshot {
    fn drop(&mut self) {
        // An error ends the transaction, which pops what was pushed.
        if self.pushed && !std::thread::panicking() {
            // SAFETY: pushed above, and whatever was pushed later has been popped.
            unsafe { pg_sys::PopActiveSnapshot() }
        }
    }
}

/// A table or materialized view whose pages are here. It is not this that checks privileges.
pub struct Table<'a> {
    relation: PgRelation,
    attribute: i32,
    is_heap: bool,
    slot: *mut pg_sys::TupleTableSlot,
    snapshot: &'a Snapshot,
}

impl<'a> Table<'a> {
    /// `relation`, to read its column of number `attribute`; gives `relation` back if only a query can read it,
    /// or can say why not.
    pub fn new(relation: PgRelation, attribute: i32, snapshot: &'a Snapshot) -> Result<Self, PgRelation> {
        // SAFETY: an open relation has its pg_class row, and its access method's routines if it has one.
        let (class, access_method) = unsafe { (&*relation.rd_rel, relation.rd_tableam.as_ref()) };
        let Some(access_method) = access_method else { return Err(relation) };
        // SAFETY: returns a constant. A heap may have been given another name.
        let is_heap = std::ptr::eq(access_method, unsafe { pg_sys::GetHeapamTableAmRoutine() });
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
        Ok(Table { relation, attribute, is_heap, slot, snapshot })
    }

    pub fn relation(&self) -> &PgRelation {
        &self.relation
    }

    /// Blocks of the main fork.
    pub fn blocks(&self) -> u32 {
        // SAFETY: the relation is open and has storage.
        unsafe {
            pg_sys::RelationGetNumberOfBlocksInFork(self.relation.as_ptr(), pg_sys::ForkNumber::MAIN_FORKNUM)
        }
    }

    /// Calls `found` for each of `blocks` with its index and the offsets of line pointers that may be those of
    /// rows that the snapshot sees. `found` leaves the offsets of rows that will be fetched.
    pub fn line_pointers(&self, blocks: &[u32], found: &mut dyn FnMut(usize, &mut Vec<u16>)) {
        let mut offsets = Vec::new();
        for (first, group) in (0..).step_by(PINNED_AT_ONCE).zip(blocks.chunks(PINNED_AT_ONCE)) {
            pgrx::check_for_interrupts!();
            if self.is_heap {
                self.heap_line_pointers(group, &mut offsets, &mut |index, offsets| {
                    found(first + index, offsets)
                });
                continue;
            }
            for (index, &block) in (first..).zip(group) {
                offsets.clear();
                self.visible(block, &mut offsets);
                found(index, &mut offsets);
            }
        }
    }

    fn heap_line_pointers(
        &self,
        blocks: &[u32],
        offsets: &mut Vec<u16>,
        found: &mut dyn FnMut(usize, &mut Vec<u16>),
    ) {
        let mut buffers = [0; PINNED_AT_ONCE];
        for (buffer, &block) in buffers.iter_mut().zip(blocks) {
            // SAFETY: the block exists, since the lock on the relation keeps it from being truncated.
            unsafe {
                *buffer = pg_sys::ReadBuffer(self.relation.as_ptr(), block);
                prefetch(pg_sys::BufferGetPage(*buffer).cast(), LINES_OF_POINTERS);
            }
        }
        for (index, &buffer) in buffers[..blocks.len()].iter().enumerate() {
            offsets.clear();
            // SAFETY: the page is pinned above, and share-locked while its line pointers, `1..=max`, are read;
            // `found` leaves some of them, and a normal one lies within its page. Lock and pin end here.
            unsafe {
                pg_sys::LockBuffer(buffer, pg_sys::BUFFER_LOCK_SHARE as i32);
                let page = pg_sys::BufferGetPage(buffer);
                let pointer = |offset| *pg_sys::PageGetItemId(page, offset);
                let used = |&offset: &u16| pointer(offset).lp_flags() == pg_sys::LP_NORMAL;
                offsets.extend((1..=pg_sys::PageGetMaxOffsetNumber(page)).filter(used));
                found(index, offsets);
                for &offset in offsets.iter() {
                    let row = page.cast::<u8>().add(pointer(offset).lp_off() as usize);
                    prefetch(row, (pointer(offset).lp_len() as usize).div_ceil(LINE).min(LINES_OF_ROW));
                }
                pg_sys::UnlockReleaseBuffer(buffer);
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
                pg_sys::table_beginscan_tidrange(relation, self.snapshot.snapshot, &mut first, &mut last);
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
                self.snapshot.snapshot,
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
            let scan = pg_sys::table_beginscan(relation, self.snapshot.snapshot, 0, std::ptr::null_mut());
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
        unsafe { pg_sys::ExecDropSingleTupleTableSlot(self.slot) }
    }
}

/// Whether a relation is another session's temporary table, whose rows are not to be seen.
pub fn is_of_other_session(relation: &PgRelation) -> bool {
    // SAFETY: an open relation has its pg_class row.
    let temporary = unsafe { (*relation.rd_rel).relpersistence } as u8 == pg_sys::RELPERSISTENCE_TEMP;
    temporary && !relation.rd_islocaltemp
}

/// Asks for memory that is about to be read. A table larger than the processor's caches is mostly waited for.
fn prefetch(address: *const u8, lines: usize) {
    #[cfg(target_arch = "x86_64")]
    for line in 0..lines {
        use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        // SAFETY: a hint, which does nothing where an address is not valid.
        unsafe { _mm_prefetch::<_MM_HINT_T0>(address.wrapping_add(line * LINE).cast()) }
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = (address, lines);
}
