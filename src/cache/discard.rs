//! Lets go of the kept sample when the connection is told to, not only when the next search comes.

use std::cell::Cell;
use std::ffi::c_char;

use pgrx::pg_sys::{self, NodeTag};

use crate::cache::last_sample;

thread_local! {
    /// Another library's hook.
    static NEXT: Cell<pg_sys::ProcessUtility_hook_type> = const { Cell::new(None) };
}

unsafe extern "C-unwind" {
    /// From tcop/utility.h. pgrx's own binding turns an error into a panic, which this hook has no need of.
    #[link_name = "standard_ProcessUtility"]
    fn standard_process_utility(
        statement: *mut pg_sys::PlannedStmt,
        query: *const c_char,
        read_only_tree: bool,
        context: pg_sys::ProcessUtilityContext::Type,
        parameters: pg_sys::ParamListInfo,
        environment: *mut pg_sys::QueryEnvironment,
        destination: *mut pg_sys::DestReceiver,
        completion: *mut pg_sys::QueryCompletion,
    );
}

/// Has every DISCARD and SET of this connection be seen.
pub fn install() {
    // SAFETY: libraries are loaded by one thread; each hook calls the one that it found.
    unsafe {
        NEXT.set(pg_sys::ProcessUtility_hook);
        pg_sys::ProcessUtility_hook = Some(process_utility);
    }
}

/// Runs a statement that is no query. An error jumps over this function, so it owns nothing meanwhile.
unsafe extern "C-unwind" fn process_utility(
    statement: *mut pg_sys::PlannedStmt,
    query: *const c_char,
    read_only_tree: bool,
    context: pg_sys::ProcessUtilityContext::Type,
    parameters: pg_sys::ParamListInfo,
    environment: *mut pg_sys::QueryEnvironment,
    destination: *mut pg_sys::DestReceiver,
    completion: *mut pg_sys::QueryCompletion,
) {
    // SAFETY: the caller's arguments, handed on as they came. The statement is read before it runs, since a transaction
    // that it ends may take it along.
    unsafe {
        let node = (*statement).utilityStmt;
        let (is_discard, is_set) = match (*node).type_ {
            NodeTag::T_DiscardStmt => {
                let target = (*node.cast::<pg_sys::DiscardStmt>()).target;
                (target == pg_sys::DiscardMode::DISCARD_ALL, false)
            }
            tag => (false, tag == NodeTag::T_VariableSetStmt),
        };
        let next = NEXT.get();
        match next {
            Some(next) => next(
                statement,
                query,
                read_only_tree,
                context,
                parameters,
                environment,
                destination,
                completion,
            ),
            None => standard_process_utility(
                statement,
                query,
                read_only_tree,
                context,
                parameters,
                environment,
                destination,
                completion,
            ),
        }
        if is_discard {
            last_sample::forget();
        } else if is_set {
            last_sample::forget_if_unwanted();
        }
    }
}
