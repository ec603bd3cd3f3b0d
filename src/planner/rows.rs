//! How many rows a search gives.

use pgrx::FromDatum;
use pgrx::pg_sys::{self, Node, NodeTag};

use crate::planner::nodes::{cast, list};
use crate::sql::args;

/// The value of the argument `k`, if the planner can tell it.
///
/// # Safety
/// `call` is a valid call of the search, and `root` the state of its planner or null.
pub unsafe fn rows_wanted(root: *mut pg_sys::PlannerInfo, call: *mut Node) -> Option<f64> {
    let position = args::SEARCH.iter().position(|&name| name == "k")?;
    // SAFETY: the caller passes a valid call and its planner's state, or none; `k` is a bigint.
    unsafe {
        let call = cast::<pg_sys::FuncExpr>(call, NodeTag::T_FuncExpr)?;
        let k = list::<Node>(call.args).nth(position)?;
        let k = cast::<pg_sys::Const>(pg_sys::estimate_expression_value(root, k), NodeTag::T_Const)?;
        i64::from_datum(k.constvalue, k.constisnull).filter(|&k| k > 0).map(|k| k as f64)
    }
}
