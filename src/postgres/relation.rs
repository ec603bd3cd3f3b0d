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

/// Whether the caller may use the relation's schema and SELECT all of its columns.
pub fn may_select(relation: &PgRelation) -> bool {
    let (usage, select) =
        (pg_sys::AclMode::from(pg_sys::ACL_USAGE), pg_sys::AclMode::from(pg_sys::ACL_SELECT));
    let ok = pg_sys::AclResult::ACLCHECK_OK;
    let schema = relation.namespace_oid();
    // SAFETY: catalog look-ups of an existing relation and its schema.
    unsafe {
        let caller = pg_sys::GetUserId();
        #[cfg(feature = "pg15")]
        let of_schema = pg_sys::pg_namespace_aclcheck(schema, caller, usage);
        #[cfg(not(feature = "pg15"))]
        let of_schema = pg_sys::object_aclcheck(pg_sys::NamespaceRelationId, schema, caller, usage);
        of_schema == ok && pg_sys::pg_class_aclcheck(relation.oid(), caller, select) == ok
    }
}
