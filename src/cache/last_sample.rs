//! The last sample of this connection, for a call that would draw the same rows again.
//!
//! A sample depends on its source, size and seed and on the rows that the snapshot sees where they lie. A key
//! holds for as long as none of that can have changed:
//!
//! * Rows that a snapshot sees are the same for two snapshots of the same bounds and running transactions, unless
//!   the own transaction has written: then nothing is kept or taken.
//! * Rows move, and definitions change, only by transactions that have a number. The key has the next number, which
//!   has not been given out in between, and the table's file and the column's number, since a transaction that was
//!   running then might still replace these behind an older snapshot.
//! * What else rows may depend on, policies, other servers and parts that come and go, is not kept:
//!   [`Source::is_fixed_by_snapshot`]. Privileges are checked by every call.
//! * A serializable transaction must be seen to read what it depends on, so it always reads.
//!
//! With `hinted_exemplar.sample_max_age` a sample is also taken, by the role that drew it, for that long after it was drawn
//! whatever others have written: some of its rows may be other ones by then, or gone. What this connection itself has
//! written is always seen.
//!
//! Its rows are in a memory context, "hinted_exemplar sample". They go with DISCARD ALL, with the setting that turns this
//! off, and with a work_mem that they are too large for.

use std::any::Any;
use std::cell::{Cell, RefCell};
use std::time::Instant;

use pgrx::pg_sys;

use crate::error::Error;
use crate::postgres::memory::ContextMemory;
use crate::postgres::snapshot::SnapshotKey;
use crate::postgres::spi::Connection;
use crate::postgres::{check_interrupts, gucs};
use crate::sample::Drawn;
use crate::source::Source;
use exemplar_svm::TrainingSet;

thread_local! {
    static LAST: RefCell<Option<Kept>> = const { RefCell::new(None) };
    /// How many transactions of this connection have written.
    static OWN_WRITES: Cell<u64> = const { Cell::new(0) };
}

/// Has the own transactions that write be counted.
pub fn install() {
    // SAFETY: the function stays where it is as long as the process lives.
    unsafe { pg_sys::RegisterXactCallback(Some(count_own_writes), std::ptr::null_mut()) };
}

/// Postgres calls this at the end of a transaction, which still has its number then.
unsafe extern "C-unwind" fn count_own_writes(event: pg_sys::XactEvent::Type, _: *mut std::ffi::c_void) {
    let lasts =
        event == pg_sys::XactEvent::XACT_EVENT_COMMIT || event == pg_sys::XactEvent::XACT_EVENT_PREPARE;
    // SAFETY: reads the state of the transaction.
    if lasts && unsafe { pg_sys::GetTopTransactionIdIfAny() } != pg_sys::InvalidTransactionId {
        OWN_WRITES.set(OWN_WRITES.get() + 1);
    }
}

/// All that a sample depends on.
pub struct Key {
    relation: pg_sys::Oid,
    file: pg_sys::Oid,
    attribute: i32,
    wanted: usize,
    seed: i64,
    snapshot: SnapshotKey,
    next_transaction: u64,
    user: pg_sys::Oid,
    own_writes: u64,
    drawn_at: Instant,
}

struct Kept {
    key: Key,
    set: TrainingSet,
    drawn: Drawn,
}

impl Key {
    /// Whether the sample of `kept` is one for this call.
    fn allows(&self, kept: &Self) -> bool {
        let asked = |key: &Self| (key.relation, key.file, key.attribute, key.wanted, key.seed);
        let is_same =
            self.next_transaction == kept.next_transaction && self.snapshot.sees_others_as(&kept.snapshot);
        let is_own = (self.user, self.own_writes) == (kept.user, kept.own_writes);
        let is_young = || is_own && kept.drawn_at.elapsed() < gucs::sample_max_age();
        asked(self) == asked(kept) && (is_same || is_young())
    }

    /// `None` where more than this decides on the sample, or none is to be kept.
    pub fn of(source: &Source, wanted: usize, seed: i64) -> Option<Self> {
        forget_if_unwanted();
        if !gucs::keep_sample() {
            return None;
        }
        // SAFETY: these read the state of the transaction, which there is, and an open relation's pg_class row.
        let (has_written, is_serializable, next, file, user) = unsafe {
            (
                pg_sys::GetTopTransactionIdIfAny() != pg_sys::InvalidTransactionId,
                pg_sys::XactIsoLevel == pg_sys::XACT_SERIALIZABLE as i32,
                pg_sys::ReadNextFullTransactionId().value,
                (*source.relation.rd_rel).relfilenode,
                pg_sys::GetUserId(),
            )
        };
        if has_written || is_serializable || !source.is_fixed_by_snapshot() {
            return None;
        }
        let snapshot = SnapshotKey::active().filter(SnapshotKey::is_complete)?;
        let (relation, attribute) = (source.relation.oid(), source.attribute_of(&source.relation)?);
        let drawn_at = Instant::now();
        Some(Key {
            relation,
            file,
            attribute,
            wanted,
            seed,
            snapshot,
            next_transaction: next,
            user,
            own_writes: OWN_WRITES.get(),
            drawn_at,
        })
    }

    /// Has `set` take the sample of this key as its negatives, if it is at hand and has none of the set's examples. The key
    /// becomes that of the sample, which may be of an older snapshot.
    /// Raises what Postgres raises when the caller may not read the column.
    ///
    /// # Errors
    /// `OutOfMemory`.
    pub fn take(&mut self, source: &Source, set: &mut TrainingSet) -> Result<Option<Drawn>, Error> {
        let kept = LAST.take().filter(|kept| self.allows(&kept.key));
        let Some(Kept { key, set: mut sample, drawn }) = kept else {
            return Ok(None);
        };
        memory_of(&mut sample).map(ContextMemory::end_with_call);
        source.check_privileges(&Connection::open());
        if !set.take_negatives_of(sample, &mut check_interrupts)? {
            return Ok(None);
        }
        *self = key;
        pgrx::debug1!("took the {} rows that were drawn before", drawn.row_ids.len());
        Ok(Some(drawn))
    }

    /// Keeps a sample in the place of the last one, if it is worth its memory.
    pub fn keep(self, mut set: TrainingSet, drawn: Drawn) {
        // Examples of this query may be negatives of the next. A table that is read to its end is a small one.
        let is_whole = drawn.examples == 0 && !drawn.exhausted && !drawn.sparse;
        if is_whole && set.bytes() <= room() {
            memory_of(&mut set).map(ContextMemory::outlive_call);
            LAST.set(Some(Kept { key: self, set, drawn }));
        }
    }
}

fn memory_of(set: &mut TrainingSet) -> Option<&mut ContextMemory> {
    let memory: &mut dyn Any = set.memory_mut();
    memory.downcast_mut()
}

/// How many bytes a kept sample may take.
fn room() -> usize {
    // SAFETY: a setting, in kB.
    usize::try_from(unsafe { pg_sys::work_mem }).unwrap_or(0) * 1024
}

/// Lets go of what is kept.
pub fn forget() {
    LAST.set(None);
}

/// Lets go of what is kept if the settings do not allow it any more.
pub fn forget_if_unwanted() {
    let is_wanted = |kept: &mut Kept| gucs::keep_sample() && kept.set.bytes() <= room();
    LAST.with_borrow_mut(|last| drop(last.take_if(|kept| !is_wanted(kept))));
}
