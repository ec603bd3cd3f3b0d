//! Line pointers of heap pages: which offsets are in use, not what is in them.

use pgrx::{PgRelation, pg_sys};

/// Blocks of the relation's main fork.
pub fn blocks(relation: &PgRelation) -> u32 {
    // SAFETY: the relation is open and has storage.
    unsafe { pg_sys::RelationGetNumberOfBlocksInFork(relation.as_ptr(), pg_sys::ForkNumber::MAIN_FORKNUM) }
}

/// Appends the offsets of a block that hold a row version.
pub fn line_pointers(relation: &PgRelation, block: u32, offsets: &mut Vec<u16>) {
    // SAFETY: the block exists, since the lock on the relation keeps it from being truncated. The page
    // is pinned and share-locked while its line pointers, `1..=max`, are read; both end here.
    unsafe {
        let buffer = pg_sys::ReadBuffer(relation.as_ptr(), block);
        pg_sys::LockBuffer(buffer, pg_sys::BUFFER_LOCK_SHARE as i32);
        let page = pg_sys::BufferGetPage(buffer);
        for offset in 1..=pg_sys::PageGetMaxOffsetNumber(page) {
            let pointer = pg_sys::PageGetItemId(page, offset);
            if (*pointer).lp_flags() == pg_sys::LP_NORMAL {
                offsets.push(offset);
            }
        }
        pg_sys::UnlockReleaseBuffer(buffer);
    }
}
