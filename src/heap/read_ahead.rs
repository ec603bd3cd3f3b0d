//! Asks for pages before they are read, so that a disc fetches many at a time.

use pgrx::{PgRelation, pg_sys};

/// Pages in a row that were in memory already, after which only one in so many others is asked for.
const WARM_AFTER: usize = 32;
const ASKED_WHERE_WARM: usize = 8;

/// Pages that are asked for at once at least. The settings' defaults are meant for pages that lie side by side; those of a
/// sample never do, and a disc needs many of them to be busy.
const LEAST_DEPTH: i32 = 64;

/// How far ahead of its reader a relation's pages are asked for.
pub struct ReadAhead {
    depth: usize,
    /// How many pages in a row were in memory already.
    in_memory: usize,
}

impl ReadAhead {
    /// As far as the settings of the relation's tablespace say: `effective_io_concurrency`, where 0 turns it off, or
    /// `maintenance_io_concurrency`, which ANALYZE goes by to read a sample of blocks, and at least [`LEAST_DEPTH`].
    pub fn of(relation: &PgRelation) -> Self {
        // SAFETY: an open relation has its pg_class row; both look a tablespace's options up.
        let (effective, maintenance) = unsafe {
            let space = (*relation.rd_rel).reltablespace;
            (
                pg_sys::get_tablespace_io_concurrency(space),
                pg_sys::get_tablespace_maintenance_io_concurrency(space),
            )
        };
        let depth = if effective > 0 { effective.max(maintenance).max(LEAST_DEPTH) } else { 0 };
        ReadAhead { depth: usize::try_from(depth).unwrap_or(0), in_memory: 0 }
    }

    /// Asks for the pages that come behind the first `read` of those that are about to be read, of which the first
    /// `asked` have been asked for. `block` gives the block of each; there is none behind the last.
    ///
    /// # Safety
    /// The relation has these blocks, and a lock keeps it from being truncated.
    pub unsafe fn ask(
        &mut self,
        relation: &PgRelation,
        block: impl Fn(usize) -> Option<u32>,
        asked: &mut usize,
        read: usize,
    ) {
        while self.depth > 0
            && *asked < read + self.depth
            && let Some(block) = block(*asked)
        {
            let is_warm = self.in_memory >= WARM_AFTER;
            *asked += 1;
            if is_warm && !asked.is_multiple_of(ASKED_WHERE_WARM) {
                continue;
            }
            // SAFETY: the caller's.
            let result =
                unsafe { pg_sys::PrefetchBuffer(relation.as_ptr(), pg_sys::ForkNumber::MAIN_FORKNUM, block) };
            self.in_memory = if result.initiated_io { 0 } else { self.in_memory + 1 };
        }
    }
}
