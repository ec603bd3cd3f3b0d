//! A call that is the same for every row becomes `(SELECT call)`, which Postgres runs once.
//!
//! `ORDER BY embedding <#> f(...)` asks for f once per row that the plan looks at, and keeps it out of parallel
//! workers. As an uncorrelated sub-select it is an InitPlan: run when its value is first needed, kept for the rest
//! of the query, handed to the workers. The sub-select means the same by definition of a stable function; the
//! predicates below tell where Postgres' planner or executor would make something else of it. There the call stays
//! as it is, and [`crate::cache::call_site`] keeps it from being answered twice.

use std::ffi::c_void;
use std::ptr;

use pgrx::pg_sys::{self, Node, NodeTag};
use pgrx::{FromDatum, Internal, PgList, prelude::*};

use crate::sql::args;

/// The planner support function of `hinted_exemplar`, and of any other function that is worth more than a
/// sub-select, not volatile and not behind an operator: `SUPPORT hinted_exemplar_support` in its CREATE FUNCTION.
#[pg_extern(immutable, strict, parallel_safe)]
pub fn hinted_exemplar_support(request: Internal) -> Internal {
    let request = request.unwrap().map_or(ptr::null_mut(), |datum| datum.cast_mut_ptr::<Node>());
    // SAFETY: Postgres passes a node that says what is asked; a request to simplify has a call, and a planner's
    // state or none.
    let simpler = unsafe {
        cast::<pg_sys::SupportRequestSimplify>(request, NodeTag::T_SupportRequestSimplify)
            .and_then(|request| Some(Site { root: request.root.as_ref()?, call: request.fcall.as_ref()? }))
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
            .and_then(|asked| rows_wanted(asked.root, asked.node))
            .map(|rows| (*request.cast::<pg_sys::SupportRequestRows>()).rows = rows)
    };
    Internal::from(Some(pg_sys::Datum::from(answered.map_or(ptr::null_mut(), |()| request))))
}

/// The value of the argument `k`, if the planner can tell it.
unsafe fn rows_wanted(root: *mut pg_sys::PlannerInfo, call: *mut Node) -> Option<f64> {
    let position = args::SEARCH.iter().position(|&name| name == "k")?;
    // SAFETY: the caller passes a valid call and its planner's state, or none; `k` is a bigint.
    unsafe {
        let call = cast::<pg_sys::FuncExpr>(call, NodeTag::T_FuncExpr)?;
        let k = list::<Node>(call.args).nth(position)?;
        let k = cast::<pg_sys::Const>(pg_sys::estimate_expression_value(root, k), NodeTag::T_Const)?;
        i64::from_datum(k.constvalue, k.constisnull).filter(|&k| k > 0).map(|k| k as f64)
    }
}

/// A call that the planner is about to simplify, and the query that it stands in. Without such a query (a CHECK
/// constraint, a default, an index expression) there is nothing that an InitPlan could belong to.
struct Site<'a> {
    root: &'a pg_sys::PlannerInfo,
    call: &'a pg_sys::FuncExpr,
}

/// Safety of all methods: `root` and `call` are valid nodes in the hands of the planner.
impl Site<'_> {
    unsafe fn may_be_sub_select(&self) -> bool {
        // SAFETY: as the type's.
        unsafe {
            !self.call.funcretset
                && self.sub_selects_are_still_planned()
                && !self.runs_once_anyway()
                && !self.is_simplified_for_another_query()
                && !self.is_argument_in_from()
                && !self.is_grouped_by()
                && !(self.may_run_early() && self.is_conditional())
                && !pg_sys::contain_volatile_functions(ptr::from_ref(self.call).cast_mut().cast())
                && is_same_for_every_row(self.call.args)
        }
    }

    /// Sub-selects are planned while the query's expressions are preprocessed. The planner simplifies some clauses
    /// again when it has gone on to relations and paths, and would then be left with an unplanned one.
    unsafe fn sub_selects_are_still_planned(&self) -> bool {
        self.root.simple_rel_array.is_null() && self.root.processed_tlist.is_null()
    }

    /// Without a FROM each call runs once. PL/pgSQL moreover evaluates such a top-level query without the executor,
    /// and so without its InitPlans; a deeper one whose only column is the call may be what we have made of it.
    unsafe fn runs_once_anyway(&self) -> bool {
        // SAFETY: as the type's.
        unsafe {
            let query = self.query();
            let has_from = list::<pg_sys::RangeTblEntry>(query.rtable)
                .any(|entry| (*entry).rtekind != pg_sys::RTEKind::RTE_RESULT);
            let mut columns = list::<pg_sys::TargetEntry>(query.targetList);
            let only_column = columns.next().filter(|_| columns.next().is_none());
            let is_call = |column: *mut pg_sys::TargetEntry| self.is_same_function((*column).expr.cast());
            !has_from && (self.root.query_level == 1 || only_column.is_some_and(is_call))
        }
    }

    /// Planning an EXISTS, the planner simplifies the condition inside in the name of the query outside.
    unsafe fn is_simplified_for_another_query(&self) -> bool {
        let mut is_exists_with_call = |node| {
            // SAFETY: the walk shows valid nodes.
            unsafe {
                cast::<pg_sys::SubLink>(node, NodeTag::T_SubLink).is_some_and(|link| {
                    link.subLinkType == pg_sys::SubLinkType::EXISTS_SUBLINK
                        && (self.may_be_inlined() || self.is_called_below(link.subselect.cast()))
                })
            }
        };
        // SAFETY: as the type's.
        unsafe { self.query_has(&mut is_exists_with_call) }
    }

    /// A function in FROM takes its arguments once per scan, and is no longer inlined when one is a sub-select.
    unsafe fn is_argument_in_from(&self) -> bool {
        // SAFETY: as the type's.
        unsafe {
            list::<pg_sys::RangeTblEntry>(self.query().rtable).any(|entry| {
                (*entry).rtekind == pg_sys::RTEKind::RTE_FUNCTION
                    && self.is_called_in((*entry).functions.cast())
            })
        }
    }

    /// Before Postgres 18 the planner finds what is grouped by again by comparing expressions, and two sub-selects
    /// are never equal.
    unsafe fn is_grouped_by(&self) -> bool {
        // SAFETY: as the type's.
        unsafe {
            let query = self.query();
            let is_grouped_by = |column: *mut pg_sys::TargetEntry| {
                list::<pg_sys::SortGroupClause>(query.groupClause)
                    .any(|group| (*group).tleSortGroupRef == (*column).ressortgroupref)
            };
            !query.groupClause.is_null()
                && (self.may_be_inlined()
                    || list::<pg_sys::TargetEntry>(query.targetList)
                        .any(|column| is_grouped_by(column) && self.is_called_in((*column).expr.cast()))
                    || self.is_called_in(grouping_expressions(query)))
        }
    }

    /// An InitPlan waits until it is needed, but Gather runs it before it starts the workers, and so does the second
    /// look at a row that another transaction has changed.
    unsafe fn may_run_early(&self) -> bool {
        // SAFETY: as the type's.
        unsafe {
            let query = self.query();
            (*self.root.glob).parallelModeOK
                || query.commandType != pg_sys::CmdType::CMD_SELECT
                || !query.rowMarks.is_null()
        }
    }

    /// CASE and COALESCE promise not to evaluate what they don't need. In the body of an inlined SQL function they
    /// are out of sight.
    unsafe fn is_conditional(&self) -> bool {
        let mut holds_call = |node: *mut Node| {
            // SAFETY: the walk shows valid nodes.
            unsafe {
                let is_choice = matches!((*node).type_, NodeTag::T_CaseExpr | NodeTag::T_CoalesceExpr);
                is_choice && self.is_called_in(node)
            }
        };
        // SAFETY: as the type's.
        unsafe { self.may_be_inlined() || self.query_has(&mut holds_call) }
    }

    /// Whether a function was inlined into this statement. The planner notes what it has to plan again for when it is
    /// redefined, and until a plan is there, that is these.
    unsafe fn may_be_inlined(&self) -> bool {
        // SAFETY: as the type's.
        unsafe { !(*self.root.glob).invalItems.is_null() }
    }

    /// `(SELECT call)`, to be planned by the query that the call stands in.
    unsafe fn sub_select(&self) -> *mut Node {
        // SAFETY: nodes are made by the planner's rules: zeroed, tagged, in its memory. The call is copied, since
        // Postgres keeps it on its stack. In the copy, all that belongs to a query is one query further out.
        unsafe {
            let call = pg_sys::copyObjectImpl(ptr::from_ref(self.call).cast()).cast::<Node>();
            pg_sys::IncrementVarSublevelsUp(call, 1, 0);

            let mut columns = PgList::new();
            columns.push(pg_sys::makeTargetEntry(call.cast(), 1, c"exemplar".as_ptr().cast_mut(), false));

            let query = make::<pg_sys::Query>(NodeTag::T_Query);
            (*query).commandType = pg_sys::CmdType::CMD_SELECT;
            (*query).canSetTag = true;
            (*query).targetList = columns.into_pg();
            (*query).jointree = pg_sys::makeFromExpr(ptr::null_mut(), ptr::null_mut());
            (*query).hasSubLinks = pg_sys::checkExprHasSubLink(call);
            (*query).stmt_location = -1;

            let link = make::<pg_sys::SubLink>(NodeTag::T_SubLink);
            (*link).subLinkType = pg_sys::SubLinkType::EXPR_SUBLINK;
            (*link).subselect = query.cast();
            (*link).location = -1;

            (*self.root.parse).hasSubLinks = true;
            link.cast()
        }
    }

    unsafe fn query(&self) -> &pg_sys::Query {
        // SAFETY: as the type's; a planner's state has a query.
        unsafe { &*self.root.parse }
    }

    unsafe fn is_same_function(&self, node: *mut Node) -> bool {
        // SAFETY: the caller passes a valid node or null.
        let call = unsafe { cast::<pg_sys::FuncExpr>(node, NodeTag::T_FuncExpr) };
        call.is_some_and(|call| call.funcid == self.call.funcid)
    }

    unsafe fn is_called_in(&self, expression: *mut Node) -> bool {
        // SAFETY: the caller passes a valid node or null, and the walk shows valid nodes.
        unsafe {
            Search { is_sought: &mut |node| self.is_same_function(node), in_queries: false }.finds(expression)
        }
    }

    /// The same, in queries inside of it too.
    unsafe fn is_called_below(&self, query: *mut Node) -> bool {
        // SAFETY: as for is_called_in.
        unsafe {
            Search { is_sought: &mut |node| self.is_same_function(node), in_queries: true }.finds(query)
        }
    }

    /// Whether a node of this query satisfies `is_sought`; those of queries inside don't count.
    unsafe fn query_has(&self, is_sought: &mut dyn FnMut(*mut Node) -> bool) -> bool {
        let mut search = Search { is_sought, in_queries: false };
        // SAFETY: as the type's. What was flattened out of UNION ALL is kept beside the query.
        unsafe { search.finds_in_query(self.root.parse) || search.finds(self.root.append_rel_list.cast()) }
    }
}

/// A walk that stops at a node that satisfies `is_sought`.
struct Search<'a> {
    is_sought: &'a mut dyn FnMut(*mut Node) -> bool,
    /// Whether it goes into the queries that it meets.
    in_queries: bool,
}

/// Safety of all methods: what is searched is null or valid.
impl Search<'_> {
    unsafe fn finds(&mut self, expression: *mut Node) -> bool {
        // SAFETY: as the type's; the walker gets the context that it expects.
        unsafe { search_walker(expression, ptr::from_mut(self).cast()) }
    }

    unsafe fn finds_in_query(&mut self, query: *mut pg_sys::Query) -> bool {
        let flags = if self.in_queries { 0 } else { pg_sys::QTW_IGNORE_RC_SUBQUERIES as i32 };
        // SAFETY: as the type's; the walker gets the context that it expects.
        unsafe { pg_sys::query_tree_walker(query, Some(search_walker), ptr::from_mut(self).cast(), flags) }
    }
}

#[pg_guard]
unsafe extern "C-unwind" fn search_walker(node: *mut Node, search: *mut c_void) -> bool {
    if node.is_null() {
        return false;
    }
    // SAFETY: `node` is valid, and `search` is the Search whose walk this is.
    unsafe {
        let this = &mut *search.cast::<Search>();
        if (*node).type_ == NodeTag::T_Query {
            return this.in_queries && this.finds_in_query(node.cast());
        }
        (this.is_sought)(node) || pg_sys::expression_tree_walker(node, Some(search_walker), search)
    }
}

#[cfg(feature = "pg18")]
unsafe fn grouping_expressions(query: &pg_sys::Query) -> *mut Node {
    // SAFETY: the caller passes a valid query.
    unsafe {
        list::<pg_sys::RangeTblEntry>(query.rtable)
            .find(|entry| (**entry).rtekind == pg_sys::RTEKind::RTE_GROUP)
            .map_or(ptr::null_mut(), |entry| (*entry).groupexprs.cast())
    }
}

/// Before Postgres 18 they stand only among the columns.
#[cfg(not(feature = "pg18"))]
unsafe fn grouping_expressions(_query: &pg_sys::Query) -> *mut Node {
    ptr::null_mut()
}

/// Whether the arguments refer to no row of the query that they stand in and to nothing else that only their place
/// in it gives a value. Columns of queries further out are fixed while this one runs.
unsafe fn is_same_for_every_row(arguments: *mut pg_sys::List) -> bool {
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

/// `node` as the type that `tag` stands for, if it is one.
unsafe fn cast<'a, T>(node: *mut Node, tag: NodeTag) -> Option<&'a T> {
    // SAFETY: the caller passes a valid node or null, and the type of the tag.
    unsafe { node.as_ref().filter(|node| node.type_ == tag).and_then(|_| node.cast::<T>().as_ref()) }
}

/// A zeroed node in Postgres' memory.
unsafe fn make<T>(tag: NodeTag) -> *mut T {
    // SAFETY: all nodes start with their tag and may be zero elsewhere.
    unsafe {
        let node = pg_sys::palloc0(size_of::<T>()).cast::<Node>();
        (*node).type_ = tag;
        node.cast()
    }
}

/// The elements of a list of pointers, or of none.
unsafe fn list<T>(list: *mut pg_sys::List) -> impl Iterator<Item = *mut T> {
    // SAFETY: the caller passes a valid list of pointers or null.
    let list = unsafe { PgList::<T>::from_pg(list) };
    (0..list.len()).filter_map(move |index| list.get_ptr(index))
}
