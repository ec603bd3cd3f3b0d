//! The extension's settings. They are defined when the library is loaded, which needs no preloading: a value that was set
//! before is taken over then.

use std::time::Duration;

use pgrx::guc::{GucContext, GucFlags, GucRegistry, GucSetting};
use pgrx::pg_sys;

static KEEP_SAMPLE: GucSetting<bool> = GucSetting::<bool>::new(true);
static READ_PAGES: GucSetting<bool> = GucSetting::<bool>::new(true);
/// In kB.
static MAX_MEMORY: GucSetting<i32> = GucSetting::<i32>::new(1024 * 1024);

/// In milliseconds.
static SAMPLE_MAX_AGE: GucSetting<i32> = GucSetting::<i32>::new(0);

const LEAST_MEMORY: i32 = 64;

/// Defines the settings and reserves their prefix, so that a misspelt one is refused.
pub fn define() {
    let flags = GucFlags::default;
    GucRegistry::define_bool_guc(
        c"hinted_exemplar.keep_sample",
        c"Keeps a connection's last sample for the next search.",
        c"It is taken again as long as it would be the same rows, and takes memory up to work_mem.",
        &KEEP_SAMPLE,
        GucContext::Userset,
        flags(),
    );
    GucRegistry::define_bool_guc(
        c"hinted_exemplar.read_pages",
        c"Reads heap and TOAST pages directly.",
        c"If off, rows are read through their table's access method alone, which gives the same rows and takes longer.",
        &READ_PAGES,
        GucContext::Userset,
        flags(),
    );
    GucRegistry::define_int_guc(
        c"hinted_exemplar.max_memory",
        c"Sets the most memory that the rows of one fit may take.",
        c"What would take more is refused before any of it is asked for.",
        &MAX_MEMORY,
        LEAST_MEMORY,
        i32::MAX,
        GucContext::Userset,
        GucFlags::UNIT_KB,
    );
    GucRegistry::define_int_guc(
        c"hinted_exemplar.sample_max_age",
        c"Sets how long a kept sample is taken again although others have written.",
        c"0 takes it only as long as it would be the same rows. A sample of a moment ago may have rows that are gone by now.",
        &SAMPLE_MAX_AGE,
        0,
        i32::MAX,
        GucContext::Userset,
        GucFlags::UNIT_MS,
    );
    // SAFETY: the name is NUL-terminated.
    unsafe { pg_sys::MarkGUCPrefixReserved(c"hinted_exemplar".as_ptr()) };
}

/// Whether this connection may keep its last sample.
pub fn keep_sample() -> bool {
    KEEP_SAMPLE.get()
}

/// Whether pages may be read without their access method.
pub fn read_pages() -> bool {
    READ_PAGES.get()
}

/// How long a kept sample is taken again whatever others have written.
pub fn sample_max_age() -> Duration {
    Duration::from_millis(u64::try_from(SAMPLE_MAX_AGE.get()).unwrap_or(0))
}

/// How many bytes the rows of one fit may take.
pub fn max_memory() -> usize {
    usize::try_from(MAX_MEMORY.get()).unwrap_or(0).saturating_mul(1024)
}
