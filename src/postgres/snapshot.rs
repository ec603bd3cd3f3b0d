//! The snapshot that the caller's query runs under, and what it sees.

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

/// What a snapshot sees: other transactions by `bounds` and `running`, the own one by its command and,
/// since a rolled back part of it takes its rows along, by its subtransaction.
#[derive(PartialEq)]
pub struct SnapshotKey {
    bounds: (pg_sys::TransactionId, pg_sys::TransactionId),
    running: Vec<pg_sys::TransactionId>,
    command: pg_sys::CommandId,
    subtransaction: pg_sys::SubTransactionId,
    overflowed: bool,
}

impl SnapshotKey {
    /// What the active snapshot sees, if there is one.
    pub fn active() -> Option<Self> {
        with_active(|snapshot, subtransaction| SnapshotKey {
            bounds: (snapshot.xmin, snapshot.xmax),
            running: running(snapshot).concat(),
            command: snapshot.curcid,
            subtransaction,
            overflowed: snapshot.suboverflowed,
        })
    }

    /// Whether the active snapshot sees the same.
    pub fn is_active(&self) -> bool {
        let is_same = with_active(|snapshot, subtransaction| {
            let [top, sub] = running(snapshot);
            self.bounds == (snapshot.xmin, snapshot.xmax)
                && (self.command, self.overflowed) == (snapshot.curcid, snapshot.suboverflowed)
                && self.subtransaction == subtransaction
                && self.running.len() == top.len() + sub.len()
                && self.running.starts_with(top)
                && self.running.ends_with(sub)
        });
        is_same == Some(true)
    }

    /// Whether all running transactions are listed.
    pub fn is_complete(&self) -> bool {
        !self.overflowed
    }

    /// Whether both see the same of what other transactions have done.
    pub fn sees_others_as(&self, other: &Self) -> bool {
        (self.bounds, &self.running, self.overflowed) == (other.bounds, &other.running, other.overflowed)
    }
}

/// The transactions and the parts of transactions that run for a snapshot.
fn running(snapshot: &pg_sys::SnapshotData) -> [&[pg_sys::TransactionId]; 2] {
    let listed = |first: *mut pg_sys::TransactionId, count: usize| match count {
        0 => &[][..],
        // SAFETY: a valid snapshot's arrays hold as many.
        _ => unsafe { std::slice::from_raw_parts(first, count) },
    };
    [listed(snapshot.xip, snapshot.xcnt as usize), listed(snapshot.subxip, snapshot.subxcnt.max(0) as usize)]
}

/// Shows `look` the active snapshot and the current subtransaction.
fn with_active<T>(look: impl FnOnce(&pg_sys::SnapshotData, pg_sys::SubTransactionId) -> T) -> Option<T> {
    // SAFETY: the active snapshot, if there is one, stays valid while this looks at it.
    unsafe {
        pg_sys::ActiveSnapshotSet()
            .then(|| look(&*pg_sys::GetActiveSnapshot(), pg_sys::GetCurrentSubTransactionId()))
    }
}
