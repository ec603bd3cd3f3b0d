//! Pages of a heap, several at a time, so that their memory is waited for together.

use pgrx::{PgRelation, pg_sys};

use crate::postgres::unwind;

/// Pages that are held at a time.
pub const PINNED_AT_ONCE: usize = 16;

/// Bytes of a cache line.
const LINE: usize = 64;

/// A page that stays in memory, and whose rows stay where they are, until this is dropped.
pub struct Page {
    buffer: pg_sys::Buffer,
    block: u32,
}

/// A page that nobody changes for as long as this is there.
pub struct Locked<'a>(&'a Page);

/// A row's bytes, its header first.
#[derive(Clone, Copy)]
pub struct Row {
    pub start: *const u8,
    pub length: usize,
}

impl Page {
    /// Reads a block and asks for the memory of its first `ahead` bytes, with which its line pointers begin.
    ///
    /// # Safety
    /// The relation has this block, and a lock keeps it from being truncated.
    pub unsafe fn read(relation: &PgRelation, block: u32, ahead: usize) -> Self {
        // SAFETY: the caller's; ReadBuffer pins the page.
        let page = unsafe { Page { buffer: pg_sys::ReadBuffer(relation.as_ptr(), block), block } };
        prefetch(page.start(), ahead);
        page
    }

    fn start(&self) -> *const u8 {
        // SAFETY: the buffer is valid while it is pinned.
        unsafe { pg_sys::BufferGetPage(self.buffer).cast() }
    }

    /// How many line pointers there are; without the lock there may be some more by now.
    pub fn offsets_roughly(&self) -> u16 {
        // SAFETY: the page is pinned; this is one number of its header.
        unsafe { pg_sys::PageGetMaxOffsetNumber(self.start() as pg_sys::Page) }
    }

    /// Asks for the memory of the first `bytes` of a row. Without the lock its line pointer may change, and what is asked
    /// for is at worst other memory of this page.
    pub fn prefetch_row(&self, offset: u16, bytes: usize) {
        let page = self.start();
        // SAFETY: the page is pinned and has this line pointer, which others may write to.
        let pointer = unsafe { pg_sys::PageGetItemId(page as pg_sys::Page, offset).read_volatile() };
        prefetch(page.wrapping_add(pointer.lp_off() as usize), bytes.min(pointer.lp_len() as usize));
    }

    /// Share-locks the page while `read` looks at it.
    pub fn locked<T>(&self, read: impl FnOnce(Locked) -> T) -> T {
        // SAFETY: the buffer is pinned. An error in between ends the transaction, which unlocks it.
        unsafe {
            pg_sys::LockBuffer(self.buffer, pg_sys::BUFFER_LOCK_SHARE as i32);
            let result = read(Locked(self));
            pg_sys::LockBuffer(self.buffer, pg_sys::BUFFER_LOCK_UNLOCK as i32);
            result
        }
    }
}

impl Drop for Page {
    fn drop(&mut self) {
        // SAFETY: pinned by `read`, unpinned once.
        unwind::close(|| unsafe { pg_sys::ReleaseBuffer(self.buffer) });
    }
}

impl Locked<'_> {
    /// How many line pointers there are.
    pub fn offsets(&self) -> u16 {
        self.0.offsets_roughly()
    }

    /// The row of a line pointer, if there is one.
    pub fn row(&self, offset: u16) -> Option<Row> {
        // SAFETY: a pinned page is a block of bytes. Under the lock others write nothing but hints, none of which is read here.
        let page = unsafe { std::slice::from_raw_parts(self.0.start(), pg_sys::BLCKSZ as usize) };
        let row = stored_bytes::row(page, offset)?;
        Some(Row { start: page[row.start..].as_ptr(), length: row.len() })
    }

    /// All rows and their offsets.
    pub fn rows(&self) -> impl Iterator<Item = (u16, Row)> {
        (1..=self.offsets()).filter_map(|offset| Some((offset, self.row(offset)?)))
    }

    /// A row as Postgres calls it.
    pub fn tuple(&self, row: Row, offset: u16, relation: &PgRelation) -> pg_sys::HeapTupleData {
        let mut tuple = pg_sys::HeapTupleData {
            t_len: row.length as u32,
            t_tableOid: relation.oid(),
            t_data: row.start as pg_sys::HeapTupleHeader,
            ..Default::default()
        };
        pgrx::itemptr::item_pointer_set_all(&mut tuple.t_self, self.0.block, offset);
        tuple
    }

    /// Whether `snapshot` sees a row of this page. Its bytes then stay as they are until the page is dropped, also
    /// without the lock.
    ///
    /// # Safety
    /// The row is of this page and the snapshot is valid.
    pub unsafe fn is_visible(&self, tuple: &mut pg_sys::HeapTupleData, snapshot: pg_sys::Snapshot) -> bool {
        // SAFETY: the caller's; the page is pinned and locked.
        unsafe { pg_sys::HeapTupleSatisfiesVisibility(tuple, snapshot, self.0.buffer) }
    }
}

/// Whether a relation's access method is Postgres' heap, whatever it is called.
pub fn is_heap(relation: &PgRelation) -> bool {
    // SAFETY: returns a constant.
    std::ptr::eq(relation.rd_tableam, unsafe { pg_sys::GetHeapamTableAmRoutine() })
}

/// Blocks of a relation's main fork.
///
/// # Safety
/// The relation has storage.
pub unsafe fn blocks(relation: &PgRelation) -> u32 {
    // SAFETY: the caller's; the relation is open.
    unsafe { pg_sys::RelationGetNumberOfBlocksInFork(relation.as_ptr(), pg_sys::ForkNumber::MAIN_FORKNUM) }
}

/// Asks for memory that is about to be read. A table larger than the processor's caches is mostly waited for.
pub fn prefetch(start: *const u8, bytes: usize) {
    #[cfg(target_arch = "x86_64")]
    for line in (0..(start as usize % LINE + bytes).div_ceil(LINE)).map(|line| line * LINE) {
        use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        // SAFETY: a hint, which does nothing where an address is not valid.
        unsafe { _mm_prefetch::<_MM_HINT_T0>(start.wrapping_add(line).cast()) }
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = (start, bytes);
}
