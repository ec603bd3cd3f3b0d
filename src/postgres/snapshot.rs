//! The snapshot that the caller's query runs under.

use pgrx::pg_sys;

use crate::postgres::unwind;

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

    pub fn as_ptr(&self) -> pg_sys::Snapshot {
        self.snapshot
    }
}

impl Drop for Snapshot {
    fn drop(&mut self) {
        if self.pushed {
            // SAFETY: pushed above, and whatever was pushed later has been popped.
            unwind::close(|| unsafe { pg_sys::PopActiveSnapshot() });
        }
    }
}
