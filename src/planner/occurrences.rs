//! Where a query calls a function, once its expressions are simplified.
//!
//! The planner simplifies one expression after the other, and shows a support function the call alone. What stands around
//! it is read from the query, but there a call may come out of the body of an SQL function that the planner inlines. So
//! the query's expressions are simplified here too, into copies, and searched for calls with the same arguments.

use std::cell::Cell;
use std::ffi::c_void;
use std::ptr;

use pgrx::pg_sys::{self, Node, NodeTag};
use pgrx::prelude::*;

use crate::planner::nodes::{cast, list};

thread_local! {
    static IS_LOOKING: Cell<bool> = const { Cell::new(false) };
}

/// Whether an expression is only simplified to be looked at. Calls must then stay as they are.
pub fn is_looking() -> bool {
    IS_LOOKING.get()
}

/// From here until it is dropped, [`is_looking`].
struct Looking;

impl Looking {
    fn start() -> Self {
        IS_LOOKING.set(true);
        Looking
    }
}

impl Drop for Looking {
    fn drop(&mut self) {
        IS_LOOKING.set(false);
    }
}

/// A call, and what it stands in.
#[derive(Clone, Copy)]
pub struct Occurrence {
    arguments: *mut pg_sys::List,
    place: Place,
}

#[derive(Clone, Copy, Default)]
struct Place {
    /// In a CASE or COALESCE.
    in_choice: bool,
    /// In an argument of a function in FROM.
    in_from: bool,
    /// In what is grouped by.
    in_group: bool,
}

/// The calls of a function.
#[derive(Default)]
pub struct Occurrences {
    all: Vec<Occurrence>,
    /// Those with the arguments in question.
    same: Vec<Occurrence>,
}

impl Occurrences {
    /// The calls of the same function as `call` in the expressions of a query.
    ///
    /// # Safety
    /// `root` is the planner's state of a valid query, and `call` a valid call in its hands.
    pub unsafe fn in_query(root: &pg_sys::PlannerInfo, call: &pg_sys::FuncExpr) -> Self {
        let mut collector = Collector { root, function: call.funcid, ..Collector::default() };
        let _looking = Looking::start();
        // SAFETY: the caller's.
        unsafe {
            collector.query(root.parse);
            // What was flattened out of UNION ALL is kept beside the query.
            collector.expression(root.append_rel_list.cast(), Place::default());
            Self::with_arguments(collector.found, call.args)
        }
    }

    /// The same in the queries inside its EXISTS, and in those inside of them.
    ///
    /// # Safety
    /// As [`in_query`](Self::in_query); `queries` are valid.
    pub unsafe fn in_exists(
        root: &pg_sys::PlannerInfo,
        call: &pg_sys::FuncExpr,
        queries: &[*mut pg_sys::Query],
    ) -> Self {
        let mut collector =
            Collector { root, function: call.funcid, in_queries: true, ..Collector::default() };
        let _looking = Looking::start();
        // SAFETY: the caller's.
        unsafe {
            for &query in queries {
                // An EXISTS needs no columns, so the planner never simplifies them.
                let mut without_columns = ptr::read(query);
                without_columns.targetList = ptr::null_mut();
                collector.query(&mut without_columns);
            }
            Self::with_arguments(collector.found, call.args)
        }
    }

    /// # Safety
    /// All arguments are valid lists.
    unsafe fn with_arguments(all: Vec<Occurrence>, arguments: *mut pg_sys::List) -> Self {
        // SAFETY: the caller's.
        let is_same =
            |found: &&Occurrence| unsafe { pg_sys::equal(found.arguments.cast(), arguments.cast()) };
        Occurrences { same: all.iter().filter(is_same).copied().collect(), all }
    }

    /// Whether the call in question may be among these.
    pub fn may_have_it(&self) -> bool {
        !self.candidates().is_empty()
    }

    /// The same of calls elsewhere, which `here` may have it as well.
    pub fn may_have_it_beside(&self, here: &Self) -> bool {
        if here.same.is_empty() { self.may_have_it() } else { !self.same.is_empty() }
    }

    /// Whether the call is only needed where a CASE or COALESCE comes to it.
    pub fn is_conditional(&self) -> bool {
        match self.same.as_slice() {
            [] => self.all.iter().any(|found| found.place.in_choice),
            same => same.iter().all(|found| found.place.in_choice),
        }
    }

    pub fn is_argument_in_from(&self) -> bool {
        self.candidates().iter().any(|found| found.place.in_from)
    }

    pub fn is_grouped_by(&self) -> bool {
        self.candidates().iter().any(|found| found.place.in_group)
    }

    /// Which calls may be the one in question: those with its arguments, or where there is none, since these have
    /// become sub-selects or values by now, any.
    fn candidates(&self) -> &[Occurrence] {
        if self.same.is_empty() { &self.all } else { &self.same }
    }
}

struct Collector {
    root: *const pg_sys::PlannerInfo,
    function: pg_sys::Oid,
    /// Whether it goes into the queries that it meets.
    in_queries: bool,
    place: Place,
    found: Vec<Occurrence>,
}

impl Default for Collector {
    fn default() -> Self {
        let (root, function, place) = (ptr::null(), pg_sys::InvalidOid, Place::default());
        Collector { root, function, in_queries: false, place, found: Vec::new() }
    }
}

/// Safety of all methods: the collector's `root` and what is searched are valid.
impl Collector {
    unsafe fn query(&mut self, query: *mut pg_sys::Query) {
        // SAFETY: as the type's; the walker gets the context that it expects.
        unsafe {
            for column in list::<pg_sys::TargetEntry>((*query).targetList) {
                let place = Place { in_group: is_grouped_by(&*query, &*column), ..Place::default() };
                self.expression((*column).expr.cast(), place);
            }
            for entry in list::<pg_sys::RangeTblEntry>((*query).rtable) {
                if (*entry).rtekind == pg_sys::RTEKind::RTE_FUNCTION {
                    let place = Place { in_from: true, ..Place::default() };
                    self.expression((*entry).functions.cast(), place);
                }
                #[cfg(feature = "pg18")]
                if (*entry).rtekind == pg_sys::RTEKind::RTE_GROUP {
                    let place = Place { in_group: true, ..Place::default() };
                    self.expression((*entry).groupexprs.cast(), place);
                }
            }
            let flags = if self.in_queries { 0 } else { pg_sys::QTW_IGNORE_RC_SUBQUERIES };
            let flags = (flags | pg_sys::QTW_IGNORE_JOINALIASES) as i32;
            pg_sys::query_tree_walker(query, Some(part_walker), ptr::from_mut(self).cast(), flags);
        }
    }

    unsafe fn expression(&mut self, expression: *mut Node, place: Place) {
        // SAFETY: as the type's. Simplifying copies.
        unsafe {
            if expression.is_null() {
                return;
            }
            let simple = pg_sys::eval_const_expressions(self.root.cast_mut(), expression);
            let before = std::mem::replace(&mut self.place, place);
            collect_walker(simple, ptr::from_mut(self).cast());
            self.place = before;
        }
    }

    unsafe fn visit(&mut self, node: *mut Node) -> bool {
        // SAFETY: as the type's; nodes have the type that their tag says.
        unsafe {
            if let Some(call) = cast::<pg_sys::FuncExpr>(node, NodeTag::T_FuncExpr)
                && call.funcid == self.function
            {
                self.found.push(Occurrence { arguments: call.args, place: self.place });
            }
            let before = self.place;
            self.place.in_choice |= matches!((*node).type_, NodeTag::T_CaseExpr | NodeTag::T_CoalesceExpr);
            pg_sys::expression_tree_walker(node, Some(collect_walker), ptr::from_mut(self).cast());
            self.place = before;
            false
        }
    }
}

/// Whether a column of a query is grouped by.
///
/// # Safety
/// The query is valid.
unsafe fn is_grouped_by(query: &pg_sys::Query, column: &pg_sys::TargetEntry) -> bool {
    // SAFETY: the caller's.
    unsafe {
        list::<pg_sys::SortGroupClause>(query.groupClause)
            .any(|group| (*group).tleSortGroupRef == column.ressortgroupref)
    }
}

/// Collects from one part of a query.
#[pg_guard]
unsafe extern "C-unwind" fn part_walker(node: *mut Node, collector: *mut c_void) -> bool {
    // SAFETY: `node` is valid or null, and `collector` the one whose walk this is.
    unsafe {
        let collector = &mut *collector.cast::<Collector>();
        if !node.is_null() && (*node).type_ == NodeTag::T_Query {
            collector.query(node.cast());
        } else {
            collector.expression(node, Place::default());
        }
        false
    }
}

/// Collects from an expression that is simplified.
#[pg_guard]
unsafe extern "C-unwind" fn collect_walker(node: *mut Node, collector: *mut c_void) -> bool {
    // SAFETY: as for part_walker.
    unsafe {
        let collector = &mut *collector.cast::<Collector>();
        if node.is_null() {
            false
        } else if (*node).type_ == NodeTag::T_Query {
            if collector.in_queries {
                collector.query(node.cast());
            }
            false
        } else {
            collector.visit(node)
        }
    }
}
