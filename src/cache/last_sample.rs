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

use std::cell::RefCell;

use pgrx::pg_sys;

use crate::cache::call_site::{self, SnapshotKey};
use crate::postgres::spi::Connection;
use crate::sample::Drawn;
use crate::source::Source;
use exemplar_svm::TrainingSet;

thread_local! {
    static LAST: RefCell<Option<Kept>> = const { RefCell::new(None) };
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
}

struct Kept {
    key: Key,
    set: TrainingSet,
    drawn: Drawn,
}

impl PartialEq for Key {
    fn eq(&self, other: &Self) -> bool {
        let table = |key: &Self| (key.relation, key.file, key.attribute);
        let drawn = |key: &Self| (key.wanted, key.seed, key.next_transaction);
        table(self) == table(other)
            && drawn(self) == drawn(other)
            && self.snapshot.sees_others_as(&other.snapshot)
    }
}

impl Key {
    /// `None` where more than this decides on the sample.
    pub fn of(source: &Source, wanted: usize, seed: i64) -> Option<Self> {
        // SAFETY: these read the state of the transaction, which there is, and an open relation's pg_class row.
        let (has_written, is_serializable, next, file) = unsafe {
            (
                pg_sys::GetTopTransactionIdIfAny() != pg_sys::InvalidTransactionId,
                pg_sys::XactIsoLevel == pg_sys::XACT_SERIALIZABLE as i32,
                pg_sys::ReadNextFullTransactionId().value,
                (*source.relation.rd_rel).relfilenode,
            )
        };
        if has_written || is_serializable || !source.is_fixed_by_snapshot() {
            return None;
        }
        let snapshot = call_site::active_snapshot().filter(SnapshotKey::is_complete)?;
        let (relation, attribute) = (source.relation.oid(), source.attribute_of(&source.relation)?);
        Some(Key { relation, file, attribute, wanted, seed, snapshot, next_transaction: next })
    }

    /// The sample of this key as negatives for the examples of `set`, if it is at hand and has none of these.
    /// Raises what Postgres raises when the caller may not read the column.
    pub fn take(&self, source: &Source, set: &TrainingSet) -> Option<(TrainingSet, Drawn)> {
        let Kept { set: sample, drawn, .. } = LAST.take().filter(|kept| kept.key == *self)?;
        source.check_privileges(&Connection::open());
        let set = set.with_negatives_of(sample)?;
        pgrx::debug1!("took the {} rows that were drawn before", drawn.row_ids.len());
        Some((set, drawn))
    }

    /// Keeps a sample in the place of the last one, if it is worth its memory.
    pub fn keep(self, set: TrainingSet, drawn: Drawn) {
        // SAFETY: a setting, in kB.
        let room = usize::try_from(unsafe { pg_sys::work_mem }).unwrap_or(0) * 1024;
        // Examples of this query may be negatives of the next. A table that is read to its end is a small one.
        let is_whole = drawn.examples == 0 && !drawn.exhausted && !drawn.sparse;
        if is_whole && set.bytes() <= room {
            LAST.set(Some(Kept { key: self, set, drawn }));
        }
    }
}
