//! Open relations.

use std::mem::ManuallyDrop;
use std::ops::Deref;

use pgrx::{PgRelation, pg_sys};

use crate::postgres::unwind;

/// A relation that is open, and locked for reading until the end of the transaction.
pub struct Relation(ManuallyDrop<PgRelation>);

impl Relation {
    /// `None` where there is no such relation, as after it was dropped.
    pub fn open(oid: pg_sys::Oid) -> Option<Self> {
        let lock = pg_sys::AccessShareLock as pg_sys::LOCKMODE;
        // SAFETY: try_relation_open takes any OID and returns null where there is no relation. PgRelation closes it,
        // and leaves the lock.
        unsafe {
            let relation = pg_sys::try_relation_open(oid, lock);
            (!relation.is_null()).then(|| Relation(ManuallyDrop::new(PgRelation::from_pg_owned(relation))))
        }
    }
}

impl Deref for Relation {
    type Target = PgRelation;

    fn deref(&self) -> &PgRelation {
        &self.0
    }
}

impl Drop for Relation {
    fn drop(&mut self) {
        // SAFETY: dropped once, and not used again.
        unwind::close(|| unsafe { ManuallyDrop::drop(&mut self.0) });
    }
}
