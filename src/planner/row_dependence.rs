//! Whether an expression has the same value for every row of its query.

use std::ffi::c_void;
use std::ptr;

use pgrx::pg_sys::{self, Node, NodeTag};
use pgrx::prelude::*;

/// Whether the arguments refer to no row of the query that they stand in and to nothing else that only their place
/// in it gives a value. Columns of queries further out are fixed while this one runs.
///
/// # Safety
/// `arguments` is a valid list of expressions.
pub unsafe fn is_same_for_every_row(arguments: *mut pg_sys::List) -> bool {
    let arguments = arguments.cast::<Node>();
    let mut depth: pg_sys::Index = 0;
    // SAFETY: the caller passes a valid list of expressions.
    unsafe {
        !pg_sys::expression_returns_set(arguments)
            && !depends_on_row(arguments, ptr::from_mut(&mut depth).cast())
    }
}

/// Whether `node`, which stands `depth` queries below the one in question, depends on a row of that one.
#[pg_guard]
unsafe extern "C-unwind" fn depends_on_row(node: *mut Node, depth: *mut c_void) -> bool {
    if node.is_null() {
        return false;
    }
    // SAFETY: `node` is valid and has the type that its tag says; `depth` is that of is_same_for_every_row.
    unsafe {
        let level = depth.cast::<pg_sys::Index>();
        let here = *level;
        match (*node).type_ {
            NodeTag::T_Query => {
                *level += 1;
                let depends = pg_sys::query_tree_walker(node.cast(), Some(depends_on_row), depth, 0);
                *level -= 1;
                return depends;
            }
            NodeTag::T_Var => return (*node.cast::<pg_sys::Var>()).varlevelsup == here,
            NodeTag::T_Param => {
                return match (*node.cast::<pg_sys::Param>()).paramkind {
                    pg_sys::ParamKind::PARAM_EXTERN => false,
                    // Stands for a column of `IN (SELECT ...)`, in the query that has this IN.
                    pg_sys::ParamKind::PARAM_SUBLINK => here == 0,
                    _ => true,
                };
            }
            // Its elements' coercion is written with a CaseTestExpr.
            NodeTag::T_ArrayCoerceExpr => {
                return depends_on_row((*node.cast::<pg_sys::ArrayCoerceExpr>()).arg.cast(), depth);
            }
            // The same node stands for the value that is compared with in each WHEN.
            NodeTag::T_CaseExpr if here == 0 && !(*node.cast::<pg_sys::CaseExpr>()).arg.is_null() => {
                return true;
            }
            tag if here == 0 && !is_plain(tag) => return true,
            NodeTag::T_Aggref if (*node.cast::<pg_sys::Aggref>()).agglevelsup == here => return true,
            NodeTag::T_GroupingFunc if (*node.cast::<pg_sys::GroupingFunc>()).agglevelsup == here => {
                return true;
            }
            NodeTag::T_PlaceHolderVar if (*node.cast::<pg_sys::PlaceHolderVar>()).phlevelsup == here => {
                return true;
            }
            _ => (),
        }
        pg_sys::expression_tree_walker(node, Some(depends_on_row), depth)
    }
}

/// Nodes whose value follows from that of the nodes below them alone. Any other, known or to come, stays where it is.
fn is_plain(tag: NodeTag) -> bool {
    matches!(
        tag,
        NodeTag::T_List
            | NodeTag::T_Const
            | NodeTag::T_FuncExpr
            | NodeTag::T_OpExpr
            | NodeTag::T_DistinctExpr
            | NodeTag::T_NullIfExpr
            | NodeTag::T_ScalarArrayOpExpr
            | NodeTag::T_BoolExpr
            | NodeTag::T_SubLink
            | NodeTag::T_SubscriptingRef
            | NodeTag::T_FieldSelect
            | NodeTag::T_RelabelType
            | NodeTag::T_CoerceViaIO
            | NodeTag::T_CollateExpr
            | NodeTag::T_CaseExpr
            | NodeTag::T_CaseWhen
            | NodeTag::T_ArrayExpr
            | NodeTag::T_RowExpr
            | NodeTag::T_CoalesceExpr
            | NodeTag::T_MinMaxExpr
            | NodeTag::T_SQLValueFunction
            | NodeTag::T_NullTest
            | NodeTag::T_BooleanTest
            | NodeTag::T_CoerceToDomain
    )
}
