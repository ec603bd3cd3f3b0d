//! Read-only queries as the caller, under the caller's snapshot.
//!
//! pgrx's client decides by itself whether a query is read-only, and in a transaction that has written
//! it would take a newer snapshot than the statement it runs in.

use std::ffi::CString;

use pgrx::itemptr::{item_pointer_get_both, item_pointer_set_all};
use pgrx::{FromDatum, IntoDatum, pg_sys};

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
        // SAFETY: both pointers are valid for the call; a null plan is refused on execution.
        let plan = unsafe { pg_sys::SPI_prepare(query.as_ptr(), types.len() as i32, types.as_mut_ptr()) };
        Plan { plan, connection: self }
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        // SAFETY: the connection was opened by `open` and is closed once.
        unsafe { pg_sys::SPI_finish() };
    }
}

/// A planned query.
pub struct Plan<'a> {
    plan: pg_sys::SPIPlanPtr,
    connection: &'a Connection,
}

impl<'a> Plan<'a> {
    /// Runs the query.
    ///
    /// # Safety
    /// `values` are valid values of the types that the query was prepared with.
    pub unsafe fn select(&self, values: &mut [pg_sys::Datum]) -> Rows<'a> {
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
        let read_only = true;
        // SAFETY: the plan belongs to the open connection; SPI_cursor_open raises where it fails, and
        // finds a name by itself.
        let portal = unsafe {
            let (name, values, nulls) = (std::ptr::null(), std::ptr::null_mut(), std::ptr::null());
            pg_sys::SPI_cursor_open(name, self.plan, values, nulls, read_only)
        };
        Cursor { portal, connection: self.connection }
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
        // After an error the end of the transaction closes it.
        if !std::thread::panicking() {
            // SAFETY: opened once, closed once.
            unsafe { pg_sys::SPI_cursor_close(self.portal) }
        }
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
        // After an error the end of the transaction restores it.
        if !std::thread::panicking() {
            // SAFETY: the level was made above, and those inside it have ended.
            unsafe { pg_sys::AtEOXact_GUC(true, self.level) }
        }
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
        unsafe { pg_sys::SPI_freetuptable(self.table) }
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
