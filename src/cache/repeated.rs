//! Says so when one statement fits the same again and again, which only the caller can change.

use std::cell::RefCell;
use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};

use pgrx::pg_sys::panic::ErrorReport;
use pgrx::{PgLogLevel, PgSqlErrorCode, pg_sys};

/// Equal fits of one statement that are worth a word.
const MANY: u32 = 100;

/// Different arguments that are counted. A statement that has more is one with a fit for each row.
const MOST_COUNTED: usize = 64;

#[derive(Default)]
struct Counts {
    /// When the statement started, by which it is known.
    started: pg_sys::TimestampTz,
    of: HashMap<u64, u32>,
    has_warned: bool,
}

thread_local! {
    static COUNTS: RefCell<Counts> = RefCell::default();
}

/// Counts a fit with these `arguments`, of which its call site can `keep` the answer or not, and warns once in a statement.
pub fn note(arguments: &[u8], keep: bool) {
    let mut hasher = DefaultHasher::new();
    arguments.hash(&mut hasher);
    // SAFETY: reads a variable of the session.
    let started = unsafe { pg_sys::GetCurrentStatementStartTimestamp() };
    let is_many = COUNTS.with_borrow_mut(|counts| {
        if counts.started != started {
            *counts = Counts { started, ..Counts::default() };
        }
        if counts.of.len() == MOST_COUNTED && !counts.of.contains_key(&hasher.finish()) {
            return false;
        }
        let count = counts.of.entry(hasher.finish()).or_default();
        *count += 1;
        *count == MANY && !std::mem::replace(&mut counts.has_warned, true)
    });
    if is_many {
        warn(keep);
    }
}

fn warn(keep: bool) {
    let detail = match keep {
        true => {
            "It stands in a function that is run anew for each row, so no answer is kept from one row to the next."
        }
        false => {
            "Rows of this source may change while the statement runs, as those of a view, a foreign table or \
                  under row security, so no answer is kept from one row to the next."
        }
    };
    let hint = match keep {
        true => {
            "Call that function as (SELECT f(...)), or make it a plain SQL function of one SELECT, which is inlined."
        }
        false => "Write (SELECT hinted_exemplar(...)) in its place, which is run once.",
    };
    ErrorReport::new(
        PgSqlErrorCode::ERRCODE_WARNING,
        format!("the same exemplar SVM was fitted {MANY} times in one statement"),
        "hinted_exemplar",
    )
    .set_detail(detail)
    .set_hint(hint)
    .report(PgLogLevel::WARNING);
}
