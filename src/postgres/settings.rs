//! Settings that hold for a few queries, whatever happens in them.

use std::ffi::{CStr, CString};

use pgrx::pg_sys;

use crate::postgres::unwind;

/// Changes of settings that end when this is dropped, and with the transaction when an error comes first.
pub struct Settings {
    level: i32,
}

impl Settings {
    pub fn open() -> Self {
        // SAFETY: no preconditions.
        Settings { level: unsafe { pg_sys::NewGUCNestLevel() } }
    }

    /// The value of a setting, if there is one of this name.
    pub fn get(name: &CStr) -> Option<String> {
        let (missing_ok, privileged_too) = (true, false);
        // SAFETY: the name is NUL-terminated, and so is the answer, which may be null.
        unsafe {
            let value = pg_sys::GetConfigOption(name.as_ptr(), missing_ok, privileged_too);
            (!value.is_null()).then(|| CStr::from_ptr(value).to_string_lossy().into_owned())
        }
    }

    pub fn set(&self, name: &CStr, value: &str) {
        let value = CString::new(value).unwrap_or_default();
        let (change, default_level, reload) = (true, 0, false);
        // SAFETY: both strings are NUL-terminated; what is saved is restored at this level's end.
        unsafe {
            pg_sys::set_config_option(
                name.as_ptr(),
                value.as_ptr(),
                pg_sys::GucContext::PGC_USERSET,
                pg_sys::GucSource::PGC_S_SESSION,
                pg_sys::GucAction::GUC_ACTION_SAVE,
                change,
                default_level,
                reload,
            );
        }
    }
}

impl Drop for Settings {
    fn drop(&mut self) {
        // SAFETY: the level was opened by `open` and is closed once.
        unwind::close(|| unsafe { pg_sys::AtEOXact_GUC(true, self.level) });
    }
}
