//! Read-only queries as the caller, under the caller's snapshot.
//!
//! pgrx's client decides by itself whether a query is read-only, and in a transaction that has written
//! it would take a newer snapshot than the statement it runs in.

use std::ffi::CString;

use pgrx::itemptr::{item_pointer_get_both, item_pointer_set_all};
use pgrx::pg_sys::NodeTag;
use pgrx::{FromDatum, IntoDatum, PgList, pg_sys};

use crate::postgres::passing::Watch;
use crate::postgres::unwind;

/// A connection to SPI, closed when dropped.
pub struct Connection(());

impl Connection {
    pub fn open() -> Self {
        // SAFETY: SPI_connect raises where it fails.
        unsafe { pg_sys::SPI_connect() };
        Connection(())
    }

    /// Plans `query` with parameters of the given types.
    pub fn prepare(&self, query: &str, types: &[pg_sys::Oid]) -> Plan<'_> {
        // Identifiers come from the catalog and cannot hold a NUL byte.
        let query = CString::new(query).unwrap_or_default();
        let mut types = types.to_vec();
        let _watch = Watch::start();
        // SAFETY: both pointers are valid for the call; a null plan is refused on execution.
        let plan = unsafe { pg_sys::SPI_prepare(query.as_ptr(), types.len() as i32, types.as_mut_ptr()) };
        Plan { plan, connection: self }
    }

    /// The same with a plan that does not depend on the parameters' values and may run in parallel workers.
    pub fn prepare_once(&self, query: &str, types: &[pg_sys::Oid]) -> Plan<'_> {
        self.prepare_as(query, types, pg_sys::CURSOR_OPT_GENERIC_PLAN | pg_sys::CURSOR_OPT_PARALLEL_OK)
    }

    /// The same planned anew for each run, with the values in it: an extension that sends queries on may ask for them.
    pub fn prepare_each(&self, query: &str, types: &[pg_sys::Oid]) -> Plan<'_> {
        self.prepare_as(query, types, pg_sys::CURSOR_OPT_CUSTOM_PLAN | pg_sys::CURSOR_OPT_PARALLEL_OK)
    }

    fn prepare_as(&self, query: &str, types: &[pg_sys::Oid], options: u32) -> Plan<'_> {
        let query = CString::new(query).unwrap_or_default();
        let mut types = types.to_vec();
        let _watch = Watch::start();
        // SAFETY: both pointers are valid for the call; a null plan is refused on execution.
        let plan = unsafe {
            let (count, types) = (types.len() as i32, types.as_mut_ptr());
            pg_sys::SPI_prepare_cursor(query.as_ptr(), count, types, options as i32)
        };
        Plan { plan, connection: self }
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        // SAFETY: the connection was opened by `open` and is closed once. Those inside it have ended.
        unwind::close(|| unsafe {
            pg_sys::SPI_finish();
        });
    }
}

/// A planned query.
pub struct Plan<'a> {
    plan: pg_sys::SPIPlanPtr,
    connection: &'a Connection,
}

impl<'a> Plan<'a> {
    /// Whether a query of [`Connection::prepare_once`] gets its order by sorting all rows, and so from no index.
    pub fn sorts_all_rows(&self) -> bool {
        let (no_owner, mut all) = (std::ptr::null_mut(), false);
        // SAFETY: the plan belongs to the open connection and is not saved, so its cached plan has no owner. That is
        // null where there is not exactly one query, and else has valid statements until it is released.
        unsafe {
            let cached = pg_sys::SPI_plan_get_cached_plan(self.plan);
            if let Some(plan) = cached.as_ref() {
                let statements = PgList::<pg_sys::PlannedStmt>::from_pg(plan.stmt_list);
                all = statements.iter_ptr().all(|statement| sorts((*statement).planTree));
                pg_sys::ReleaseCachedPlan(cached, no_owner);
            }
        }
        all
    }

    /// Calls `with` with the plan, if the query is one statement.
    pub fn planned<T>(&self, with: impl FnOnce(&pg_sys::PlannedStmt) -> T) -> Option<T> {
        // SAFETY: as in `sorts_all_rows`.
        unsafe {
            let cached = pg_sys::SPI_plan_get_cached_plan(self.plan);
            let statements = PgList::<pg_sys::PlannedStmt>::from_pg(cached.as_ref()?.stmt_list);
            let statement = statements.get_ptr(0).filter(|_| statements.len() == 1);
            let result = statement.map(|statement| with(&*statement));
            pg_sys::ReleaseCachedPlan(cached, std::ptr::null_mut());
            result
        }
    }

    /// The indexes that a query of [`Connection::prepare_once`] gets its rows from in order of an operator's results.
    pub fn ordering_indexes(&self) -> Vec<pg_sys::Oid> {
        let mut indexes = Vec::new();
        // SAFETY: the statement's plan is valid.
        self.planned(|statement| unsafe { collect_ordering_indexes(statement.planTree, &mut indexes) });
        indexes
    }

    /// Runs the query.
    ///
    /// # Safety
    /// `values` are valid values of the types that the query was prepared with.
    pub unsafe fn select(&self, values: &mut [pg_sys::Datum]) -> Rows<'a> {
        let _watch = Watch::start();
        let (read_only, no_limit) = (true, 0);
        // SAFETY: the plan belongs to the open connection and the values fit it. SPI_execute_plan
        // raises where it fails and leaves its rows in SPI_tuptable, which is read at once.
        let table = unsafe {
            pg_sys::SPI_execute_plan(self.plan, values.as_mut_ptr(), std::ptr::null(), read_only, no_limit);
            pg_sys::SPI_tuptable
        };
        Rows { table, _connection: self.connection }
    }

    /// Starts to run the query, which has no parameters.
    pub fn open(&self) -> Cursor<'a> {
        // SAFETY: there are no values.
        unsafe { self.open_with(&mut []) }
    }

    /// Starts to run the query.
    ///
    /// # Safety
    /// `values` are valid values of the types that the query was prepared with.
    pub unsafe fn open_with(&self, values: &mut [pg_sys::Datum]) -> Cursor<'a> {
        let (read_only, _watch) = (true, Watch::start());
        // SAFETY: the plan belongs to the open connection and the values fit it; SPI_cursor_open copies them and the plan,
        // raises where it fails, and finds a name by itself.
        let portal = unsafe {
            let (name, nulls) = (std::ptr::null(), std::ptr::null());
            pg_sys::SPI_cursor_open(name, self.plan, values.as_mut_ptr(), nulls, read_only)
        };
        Cursor { portal, connection: self.connection }
    }
}

/// Whether the rows of a plan are all read and then sorted, in each of its parts.
///
/// # Safety
/// `plan` is null or a valid plan.
unsafe fn sorts(plan: *const pg_sys::Plan) -> bool {
    let all = |plans: *mut pg_sys::List| {
        // SAFETY: a valid list of plans.
        unsafe { PgList::<pg_sys::Plan>::from_pg(plans).iter_ptr().all(|plan| sorts(plan)) }
    };
    // SAFETY: the caller passes a valid plan, which has the type that its tag says.
    unsafe {
        let Some(node) = plan.as_ref() else { return false };
        match node.type_ {
            NodeTag::T_Sort => true,
            // A plan that shows no rows at all has none to sort.
            NodeTag::T_Result => node.lefttree.is_null() || sorts(node.lefttree),
            NodeTag::T_Limit | NodeTag::T_Gather | NodeTag::T_GatherMerge => sorts(node.lefttree),
            NodeTag::T_Append => all((*plan.cast::<pg_sys::Append>()).appendplans),
            NodeTag::T_MergeAppend => all((*plan.cast::<pg_sys::MergeAppend>()).mergeplans),
            NodeTag::T_SubqueryScan => sorts((*plan.cast::<pg_sys::SubqueryScan>()).subplan),
            _ => false,
        }
    }
}

/// Adds the indexes whose order a plan's rows come in, in each of its parts.
///
/// # Safety
/// `plan` is null or a valid plan.
unsafe fn collect_ordering_indexes(plan: *const pg_sys::Plan, indexes: &mut Vec<pg_sys::Oid>) {
    let mut all = |plans: *mut pg_sys::List| {
        // SAFETY: a valid list of plans.
        unsafe {
            let plans = PgList::<pg_sys::Plan>::from_pg(plans);
            plans.iter_ptr().for_each(|plan| collect_ordering_indexes(plan, indexes));
        }
    };
    // SAFETY: the caller passes a valid plan, which has the type that its tag says.
    unsafe {
        let Some(node) = plan.as_ref() else { return };
        match node.type_ {
            NodeTag::T_IndexScan => {
                let scan = &*plan.cast::<pg_sys::IndexScan>();
                if !scan.indexorderby.is_null() {
                    indexes.push(scan.indexid);
                }
            }
            NodeTag::T_Append => all((*plan.cast::<pg_sys::Append>()).appendplans),
            NodeTag::T_MergeAppend => all((*plan.cast::<pg_sys::MergeAppend>()).mergeplans),
            NodeTag::T_SubqueryScan => {
                collect_ordering_indexes((*plan.cast::<pg_sys::SubqueryScan>()).subplan, indexes);
            }
            _ => collect_ordering_indexes(node.lefttree, indexes),
        }
    }
}

/// A query whose rows are read a few at a time, closed when dropped.
pub struct Cursor<'a> {
    portal: pg_sys::Portal,
    connection: &'a Connection,
}

impl<'a> Cursor<'a> {
    /// The next rows, at most `count`; none at the end.
    pub fn fetch(&mut self, count: i32) -> Rows<'a> {
        let _watch = Watch::start();
        // SAFETY: the portal is open until `self` is dropped; the rows are left in SPI_tuptable.
        let table = unsafe {
            pg_sys::SPI_cursor_fetch(self.portal, true, count.into());
            pg_sys::SPI_tuptable
        };
        Rows { table, _connection: self.connection }
    }
}

impl Drop for Cursor<'_> {
    fn drop(&mut self) {
        // SAFETY: opened once, closed once.
        unwind::close(|| unsafe { pg_sys::SPI_cursor_close(self.portal) });
    }
}

/// Has every scan start at a table's first block, until dropped: large tables are otherwise scanned from where another
/// scan is, and a sample of their first rows would not be repeatable.
pub struct ScansFromStart {
    level: i32,
}

impl ScansFromStart {
    pub fn new() -> Self {
        // SAFETY: both names are NUL-terminated; the setting is one that any user may change, and the new
        // nesting level gives the old value back, here or at the end of the transaction.
        unsafe {
            let level = pg_sys::NewGUCNestLevel();
            pg_sys::set_config_option(
                c"synchronize_seqscans".as_ptr(),
                c"off".as_ptr(),
                pg_sys::GucContext::PGC_USERSET,
                pg_sys::GucSource::PGC_S_SESSION,
                pg_sys::GucAction::GUC_ACTION_SAVE,
                true,
                0,
                false,
            );
            ScansFromStart { level }
        }
    }
}

impl Drop for ScansFromStart {
    fn drop(&mut self) {
        // SAFETY: the level was made above, and those inside it have ended.
        unwind::close(|| unsafe { pg_sys::AtEOXact_GUC(true, self.level) });
    }
}

/// The rows of a query, freed when dropped.
pub struct Rows<'a> {
    table: *mut pg_sys::SPITupleTable,
    _connection: &'a Connection,
}

impl Rows<'_> {
    pub fn len(&self) -> usize {
        // SAFETY: null, or a table that is alive as long as the connection and `self`.
        unsafe { self.table.as_ref() }.map_or(0, |table| table.numvals as usize)
    }

    /// The value of a column of a row, both counted from 0; `None` for null or no such row.
    pub fn get(&self, row: usize, column: usize) -> Option<pg_sys::Datum> {
        if row >= self.len() {
            return None;
        }
        let mut null = false;
        // SAFETY: the table has this row, and SPI_getbinval answers null for a column it does not have.
        let value = unsafe {
            let table = &*self.table;
            let tuple = *table.vals.add(row);
            pg_sys::SPI_getbinval(tuple, table.tupdesc, column as i32 + 1, &mut null)
        };
        (!null).then_some(value)
    }
}

impl Drop for Rows<'_> {
    fn drop(&mut self) {
        // SAFETY: the table is freed once, while its connection is open; null is let be.
        unwind::close(|| unsafe { pg_sys::SPI_freetuptable(self.table) });
    }
}

/// Blocks and offsets as a value of type `tid[]`.
pub fn tid_array(places: impl Iterator<Item = (u32, u16)>) -> pg_sys::Datum {
    let tid = |(block, offset)| {
        let mut tid = pg_sys::ItemPointerData::default();
        item_pointer_set_all(&mut tid, block, offset);
        tid
    };
    let tids: Vec<_> = places.map(tid).collect();
    tids.into_datum().unwrap_or(pg_sys::Datum::null())
}

/// Block and offset of a value of type `tid`.
///
/// # Safety
/// `datum` is a valid `tid`, not null.
pub unsafe fn place(datum: pg_sys::Datum) -> (u32, u16) {
    // SAFETY: a tid is passed by reference to an ItemPointerData.
    item_pointer_get_both(unsafe { *datum.cast_mut_ptr::<pg_sys::ItemPointerData>() })
}

/// The value of type `oid`.
///
/// # Safety
/// `datum` is a valid `oid`, not null.
pub unsafe fn oid(datum: pg_sys::Datum) -> pg_sys::Oid {
    // SAFETY: an oid is passed by value.
    unsafe { pg_sys::Oid::from_datum(datum, false) }.unwrap_or(pg_sys::InvalidOid)
}
