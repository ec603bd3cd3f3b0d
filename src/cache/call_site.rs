//! One fit per call site, arguments and snapshot.
//!
//! Postgres evaluates a call in ORDER BY once per row it looks at. Most answers cannot change while the
//! arguments, the user and the snapshot are the same, so a call site keeps the last of them. It may outlive a
//! statement: that of a PL/pgSQL expression lasts as long as the transaction.

use pgrx::{PgMemoryContexts, pg_sys};

/// All that an answer depends on. Two equal keys see the same rows.
#[derive(PartialEq)]
struct Key {
    arguments: Vec<u8>,
    user: pg_sys::Oid,
    snapshot: SnapshotKey,
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
    /// Whether all running transactions are listed.
    pub fn is_complete(&self) -> bool {
        !self.overflowed
    }

    /// Whether both see the same of what other transactions have done.
    pub fn sees_others_as(&self, other: &Self) -> bool {
        (self.bounds, &self.running, self.overflowed) == (other.bounds, &other.running, other.overflowed)
    }
}

struct Kept {
    key: Key,
    weights: Vec<f32>,
}

/// The answer to a call.
pub struct Answer {
    pub weights: Vec<f32>,
    /// Whether arguments, user and snapshot are all that it depends on. Any other is not kept.
    pub keep: bool,
}

/// The answer of `fit` for `arguments`, or the one that this call site gave to an equal call last.
///
/// # Errors
/// Whatever `fit` fails with; nothing is kept then.
///
/// # Safety
/// `fcinfo` is the current call of a function that keeps nothing else in `fn_extra`.
pub unsafe fn fitted_once<E>(
    fcinfo: pg_sys::FunctionCallInfo,
    arguments: Vec<u8>,
    fit: impl FnOnce() -> Result<Answer, E>,
) -> Result<Vec<f32>, E> {
    let Some(snapshot) = active_snapshot() else { return fit().map(|answer| answer.weights) };
    // SAFETY: takes nothing and has a user whenever a query runs.
    let key = Key { arguments, user: unsafe { pg_sys::GetUserId() }, snapshot };
    // SAFETY: a call has its look-up data, and fn_extra is null or was set below, in the memory that
    // lives as long as the look-up data.
    let slot = unsafe {
        let site = &mut *(*fcinfo).flinfo;
        if site.fn_extra.is_null() {
            let kept = PgMemoryContexts::For(site.fn_mcxt).leak_and_drop_on_delete(None::<Kept>);
            site.fn_extra = kept.cast();
        }
        &mut *site.fn_extra.cast::<Option<Kept>>()
    };
    if let Some(kept) = slot.as_ref().filter(|kept| kept.key == key) {
        return Ok(kept.weights.clone());
    }
    *slot = None;
    let Answer { weights, keep } = fit()?;
    if keep {
        *slot = Some(Kept { key, weights: weights.clone() });
    }
    Ok(weights)
}

/// What the active snapshot sees, if there is one.
pub fn active_snapshot() -> Option<SnapshotKey> {
    // SAFETY: the active snapshot, if there is one, stays valid while this copies from it; its arrays
    // hold `xcnt` and `subxcnt` transactions and may be null when they hold none.
    unsafe {
        if !pg_sys::ActiveSnapshotSet() {
            return None;
        }
        let snapshot = &*pg_sys::GetActiveSnapshot();
        let mut running = Vec::new();
        for (first, count) in
            [(snapshot.xip, snapshot.xcnt as usize), (snapshot.subxip, snapshot.subxcnt.max(0) as usize)]
        {
            if count > 0 && !first.is_null() {
                running.extend_from_slice(std::slice::from_raw_parts(first, count));
            }
        }
        Some(SnapshotKey {
            bounds: (snapshot.xmin, snapshot.xmax),
            running,
            command: snapshot.curcid,
            subtransaction: pg_sys::GetCurrentSubTransactionId(),
            overflowed: snapshot.suboverflowed,
        })
    }
}
