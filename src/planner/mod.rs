//! A call that is the same for every row becomes `(SELECT call)`, which Postgres runs once.
//!
//! `ORDER BY embedding <#> f(...)` asks for f once per row that the plan looks at, and keeps it out of parallel
//! workers. As an uncorrelated sub-select it is an InitPlan: run when its value is first needed, kept for the rest
//! of the query, handed to the workers. The sub-select means the same by definition of a stable function; the
//! predicates in [`sub_select`] tell where Postgres' planner or executor would make something else of it. There the call stays
//! as it is, and [`crate::cache::call_site`] keeps it from being answered twice.

mod nodes;
mod occurrences;
mod row_dependence;
mod rows;
mod sub_select;

use std::ptr;

use pgrx::pg_sys::{self, Node, NodeTag};
use pgrx::{Internal, prelude::*};

use crate::planner::nodes::cast;
use crate::planner::sub_select::Site;

/// The planner support function of `hinted_exemplar`, and of any other function that is worth more than a
/// sub-select, not volatile and not behind an operator: `SUPPORT hinted_exemplar_support` in its CREATE FUNCTION.
#[pg_extern(immutable, strict, parallel_safe)]
pub fn hinted_exemplar_support(request: Internal) -> Internal {
    let request = request.unwrap().map_or(ptr::null_mut(), |datum| datum.cast_mut_ptr::<Node>());
    // SAFETY: Postgres passes a node that says what is asked; a request to simplify has a call, and a planner's
    // state or none.
    let simpler = unsafe {
        cast::<pg_sys::SupportRequestSimplify>(request, NodeTag::T_SupportRequestSimplify)
            .and_then(|request| Some(Site::new(request.root.as_ref()?, request.fcall.as_ref()?)))
            .and_then(|site| site.may_be_sub_select().then(|| site.sub_select()))
    };
    // No answer is a null pointer, not an SQL null.
    Internal::from(Some(pg_sys::Datum::from(simpler.unwrap_or(ptr::null_mut()))))
}

/// The planner support function of `hinted_exemplar_search`: as many rows as its `k`, where that is known.
#[pg_extern(immutable, strict, parallel_safe)]
pub fn hinted_exemplar_search_support(request: Internal) -> Internal {
    let request = request.unwrap().map_or(ptr::null_mut(), |datum| datum.cast_mut_ptr::<Node>());
    // SAFETY: Postgres passes a node that says what is asked; a request for rows has a call and room for the answer.
    let answered = unsafe {
        cast::<pg_sys::SupportRequestRows>(request, NodeTag::T_SupportRequestRows)
            .and_then(|asked| rows::rows_wanted(asked.root, asked.node))
            .map(|rows| (*request.cast::<pg_sys::SupportRequestRows>()).rows = rows)
    };
    Internal::from(Some(pg_sys::Datum::from(answered.map_or(ptr::null_mut(), |()| request))))
}
