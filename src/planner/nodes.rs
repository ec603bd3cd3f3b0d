//! Nodes of Postgres' expressions and queries: looked at, walked over and made.

use std::ffi::c_void;

use pgrx::pg_sys::{self, Node, NodeTag};
use pgrx::{PgList, prelude::*};

/// `node` as the type that `tag` stands for, if it is one.
///
/// # Safety
/// `node` is valid or null, and `T` is the type of the tag.
pub unsafe fn cast<'a, T>(node: *mut Node, tag: NodeTag) -> Option<&'a T> {
    // SAFETY: the caller's.
    unsafe { node.as_ref().filter(|node| node.type_ == tag).and_then(|_| node.cast::<T>().as_ref()) }
}

/// A zeroed node in Postgres' memory.
///
/// # Safety
/// `T` is the type of the tag.
pub unsafe fn make<T>(tag: NodeTag) -> *mut T {
    // SAFETY: all nodes start with their tag and may be zero elsewhere.
    unsafe {
        let node = pg_sys::palloc0(size_of::<T>()).cast::<Node>();
        (*node).type_ = tag;
        node.cast()
    }
}

/// The elements of a list of pointers, or of none.
///
/// # Safety
/// `list` is null or a valid list of pointers to `T`.
pub unsafe fn list<T>(list: *mut pg_sys::List) -> impl Iterator<Item = *mut T> {
    // SAFETY: the caller's.
    let list = unsafe { PgList::<T>::from_pg(list) };
    (0..list.len()).filter_map(move |index| list.get_ptr(index))
}

/// Whether `node` is a call of a function.
///
/// # Safety
/// `node` is valid or null.
pub unsafe fn is_call(node: *mut Node, function: pg_sys::Oid) -> bool {
    // SAFETY: the caller's.
    unsafe { cast::<pg_sys::FuncExpr>(node, NodeTag::T_FuncExpr).is_some_and(|call| call.funcid == function) }
}

/// A walk that stops at a node that satisfies `is_sought`, and goes into no query that it meets.
pub struct Search<'a> {
    pub is_sought: &'a mut dyn FnMut(*mut Node) -> bool,
}

impl Search<'_> {
    /// # Safety
    /// `expression` is valid or null.
    pub unsafe fn finds(&mut self, expression: *mut Node) -> bool {
        // SAFETY: the caller's; the walker gets the context that it expects.
        unsafe { search_walker(expression, std::ptr::from_mut(self).cast()) }
    }

    /// # Safety
    /// `query` is valid.
    pub unsafe fn finds_in_query(&mut self, query: *mut pg_sys::Query) -> bool {
        let (context, flags) = (std::ptr::from_mut(self).cast(), pg_sys::QTW_IGNORE_RC_SUBQUERIES as i32);
        // SAFETY: the caller's; the walker gets the context that it expects.
        unsafe { pg_sys::query_tree_walker(query, Some(search_walker), context, flags) }
    }
}

#[pg_guard]
unsafe extern "C-unwind" fn search_walker(node: *mut Node, search: *mut c_void) -> bool {
    // SAFETY: `node` is valid or null, and `search` is the Search whose walk this is.
    unsafe {
        if node.is_null() || (*node).type_ == NodeTag::T_Query {
            return false;
        }
        ((*search.cast::<Search>()).is_sought)(node)
            || pg_sys::expression_tree_walker(node, Some(search_walker), search)
    }
}
