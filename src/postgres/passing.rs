//! Errors that leave as they came, and bugs that leave without Rust's words.
//!
//! pgrx carries an error of Postgres through Rust as message, detail, hint and SQLSTATE, if it is one of Postgres' own.
//! What else there was is lost: the SQLSTATE of a user's function, the context, the query that a filter is wrong in. And
//! a panic that is a bug becomes an error with its text as message.
//!
//! Postgres asks callbacks for the context of an error when it is reported. Here one notes what is lost before the
//! error passes, [`Watch`], and another puts it back when pgrx reports it anew. The same one words a bug, of which only the
//! server's log has the place.

use std::cell::RefCell;
use std::ffi::{CStr, CString, c_char, c_int, c_void};
use std::panic::PanicHookInfo;

use pgrx::pg_sys;
use pgrx::pg_sys::panic::{CaughtError, ErrorReport, ErrorReportWithLevel};
use pgrx::prelude::*;

use crate::postgres::unwind::InContext;

thread_local! {
    static LOST: RefCell<Option<Lost>> = const { RefCell::new(None) };
    static BUG: RefCell<Option<CString>> = const { RefCell::new(None) };
}

/// What pgrx does not carry, and the message to know the error by.
struct Lost {
    message: Option<CString>,
    sqlstate: c_int,
    context: Option<CString>,
    detail_log: Option<CString>,
    query: Option<CString>,
    position: c_int,
    /// Names of the schema, table, column, type and constraint that it is about.
    names: [(u8, Option<CString>); 5],
}

impl Lost {
    /// # Safety
    /// `data` is valid.
    unsafe fn of(data: &pg_sys::ErrorData) -> Self {
        // SAFETY: the caller's; strings are null or NUL-terminated.
        let text =
            |text: *const c_char| (!text.is_null()).then(|| unsafe { CStr::from_ptr(text) }.to_owned());
        Lost {
            message: text(data.message),
            sqlstate: data.sqlerrcode,
            context: text(data.context),
            detail_log: text(data.detail_log),
            query: text(data.internalquery),
            position: data.internalpos,
            names: [
                (pg_sys::PG_DIAG_SCHEMA_NAME, text(data.schema_name)),
                (pg_sys::PG_DIAG_TABLE_NAME, text(data.table_name)),
                (pg_sys::PG_DIAG_COLUMN_NAME, text(data.column_name)),
                (pg_sys::PG_DIAG_DATATYPE_NAME, text(data.datatype_name)),
                (pg_sys::PG_DIAG_CONSTRAINT_NAME, text(data.constraint_name)),
            ],
        }
    }

    /// Adds this to the error that is being reported.
    unsafe fn put_back(&self) {
        let as_is = c"%s".as_ptr();
        // SAFETY: called while an error is reported; Postgres copies all strings.
        unsafe {
            errcode(self.sqlstate);
            if let Some(context) = &self.context {
                errcontext_msg(as_is, context.as_ptr());
            }
            if let Some(detail) = &self.detail_log {
                errdetail_log(as_is, detail.as_ptr());
            }
            if let Some(query) = &self.query {
                pg_sys::internalerrquery(query.as_ptr());
                pg_sys::internalerrposition(self.position);
            }
            for (field, name) in &self.names {
                if let Some(name) = name {
                    pg_sys::err_generic_string(c_int::from(*field), name.as_ptr());
                }
            }
        }
    }
}

// From utils/elog.h; pgrx does not bind them. They are not guarded, and none of them raises.
unsafe extern "C-unwind" {
    fn errcode(sqlstate: c_int) -> c_int;
    fn errcontext_msg(format: *const c_char, ...) -> c_int;
    fn errdetail_log(format: *const c_char, ...) -> c_int;
    fn errhint(format: *const c_char, ...) -> c_int;
}

/// Until it is dropped, what errors lose on their way through Rust is noted. For one call of Postgres that runs queries.
///
/// Callbacks further out are asked when pgrx reports the error anew. Where calls are nested they would otherwise be asked
/// on each level, and all that they say be copied as often.
pub struct Watch {
    _callback: Box<pg_sys::ErrorContextCallback>,
    outside: *mut pg_sys::ErrorContextCallback,
}

impl Watch {
    pub fn start() -> Self {
        // SAFETY: the list of callbacks is a variable. This one is taken out of it before it is freed.
        unsafe {
            let outside = pg_sys::error_context_stack;
            let mut callback = Box::new(pg_sys::ErrorContextCallback {
                previous: std::ptr::null_mut(),
                callback: Some(note),
                arg: outside.cast(),
            });
            pg_sys::error_context_stack = &raw mut *callback;
            Watch { _callback: callback, outside }
        }
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        // SAFETY: this was the last in the list when it was started, and what was added since has been taken out.
        unsafe { pg_sys::error_context_stack = self.outside };
        if std::thread::panicking() && LOST.with_borrow(Option::is_some) {
            await_report();
        }
    }
}

static mut ON_REPORT: pg_sys::ErrorContextCallback = pg_sys::ErrorContextCallback {
    previous: std::ptr::null_mut(),
    callback: Some(complete),
    arg: std::ptr::null_mut(),
};

/// Has [`complete`] called when pgrx reports the error that passes. Whoever catches that puts the list back as it was.
fn await_report() {
    // SAFETY: the list of callbacks is a variable, and all in it are valid.
    unsafe {
        let this = &raw mut ON_REPORT;
        let mut at = pg_sys::error_context_stack;
        while !at.is_null() && at != this {
            at = (*at).previous;
        }
        if at.is_null() {
            (*this).previous = pg_sys::error_context_stack;
            pg_sys::error_context_stack = this;
        }
    }
}

/// Notes what pgrx does not carry of the error that is being reported. What is no error does not pass through Rust: then the
/// callbacks `outside` are asked.
#[pg_guard]
unsafe extern "C-unwind" fn note(outside: *mut c_void) {
    // SAFETY: called while something is reported, and with the callback that came before in the list.
    unsafe {
        let lost = with_reported(|data| is_error(data).then(|| Lost::of(data)));
        if lost.is_some() {
            LOST.set(lost);
            return;
        }
        let mut at = outside.cast::<pg_sys::ErrorContextCallback>();
        while let Some(callback) = at.as_ref() {
            if let Some(add) = callback.callback {
                pg_sys::ffi::pg_guard_ffi_boundary(|| add(callback.arg));
            }
            at = callback.previous;
        }
    }
}

/// Completes the error that is being reported.
#[pg_guard]
unsafe extern "C-unwind" fn complete(_arg: *mut c_void) {
    // SAFETY: called while something is reported; messages are NUL-terminated.
    unsafe {
        let lost = LOST.take();
        let is_same = |data: &pg_sys::ErrorData| {
            let message = (!data.message.is_null()).then(|| CStr::from_ptr(data.message));
            is_error(data) && lost.as_ref().is_none_or(|lost| lost.message.as_deref() == message)
        };
        if !with_reported(is_same) {
            return;
        }
        if let Some(bug) = BUG.take() {
            pg_sys::errmsg_internal(c"internal error".as_ptr());
            errhint(
                c"This is a bug in hinted_exemplar. Please report it with what the server's log says of it."
                    .as_ptr(),
            );
            errdetail_log(c"%s".as_ptr(), bug.as_ptr());
        } else if let Some(lost) = lost {
            lost.put_back();
        }
    }
}

fn is_error(data: &pg_sys::ErrorData) -> bool {
    data.elevel == PgLogLevel::ERROR as c_int
}

/// Looks at what is being reported.
///
/// # Safety
/// Something is.
unsafe fn with_reported<T>(look: impl FnOnce(&pg_sys::ErrorData) -> T) -> T {
    // SAFETY: the caller's. The copy may not lie in the context that is current then.
    unsafe {
        let _context = InContext::switch_to(pg_sys::TopMemoryContext);
        let data = pg_sys::CopyErrorData();
        let result = look(&*data);
        pg_sys::FreeErrorData(data);
        result
    }
}

/// To be called at each panic: keeps the place of one that is a bug. Errors need nothing, above all no back trace, which
/// pgrx would put into their DETAIL when the server runs with RUST_BACKTRACE.
pub fn on_panic(info: &PanicHookInfo) {
    let payload = info.payload();
    if payload.is::<CaughtError>() || payload.is::<ErrorReportWithLevel>() || payload.is::<ErrorReport>() {
        return;
    }
    let text = payload.downcast_ref::<&str>().copied();
    let text = text.or(payload.downcast_ref::<String>().map(String::as_str)).unwrap_or("something");
    let place = info.location().map_or("an unknown place".into(), ToString::to_string);
    LOST.set(None);
    BUG.set(CString::new(format!("Rust panicked at {place}: {text}")).ok());
    await_report();
}

/// What is kept of the last bug, for tests.
#[cfg(feature = "pg_test")]
pub fn last_bug() -> Option<String> {
    let lost = LOST.with_borrow(|lost| lost.as_ref().and_then(|lost| lost.detail_log.clone()));
    lost.map(|text| text.to_string_lossy().into_owned())
}
