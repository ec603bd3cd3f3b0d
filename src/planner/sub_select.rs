//! `(SELECT call)` in the place of a call, and where that means the same.

use std::ptr;

use pgrx::PgList;
use pgrx::pg_sys::{self, Node, NodeTag};

use crate::planner::nodes::{Search, cast, is_call, list, make};
use crate::planner::occurrences::{self, Occurrences};
use crate::planner::row_dependence::is_same_for_every_row;

/// A call that the planner is about to simplify, and the query that it stands in. Without such a query (a CHECK
/// constraint, a default, an index expression) there is nothing that an InitPlan could belong to.
pub struct Site<'a> {
    root: &'a pg_sys::PlannerInfo,
    call: &'a pg_sys::FuncExpr,
}

impl<'a> Site<'a> {
    /// # Safety
    /// `root`, with its query, and `call` are valid nodes in the hands of the planner, and stay so for as long as the result.
    pub unsafe fn new(root: &'a pg_sys::PlannerInfo, call: &'a pg_sys::FuncExpr) -> Self {
        Site { root, call }
    }

    fn query(&self) -> &pg_sys::Query {
        // SAFETY: as `new` says.
        unsafe { &*self.root.parse }
    }

    pub fn may_be_sub_select(&self) -> bool {
        // SAFETY: the call is valid.
        let is_fixed = || unsafe {
            !pg_sys::contain_volatile_functions(ptr::from_ref(self.call).cast_mut().cast())
                && is_same_for_every_row(self.call.args)
        };
        !self.call.funcretset
            && !occurrences::is_looking()
            && self.sub_selects_are_still_planned()
            && !self.runs_once_anyway()
            && is_fixed()
            && self.is_in_its_place()
    }

    /// Sub-selects are planned while the query's expressions are preprocessed. The planner simplifies some clauses
    /// again when it has gone on to relations and paths, and would then be left with an unplanned one.
    fn sub_selects_are_still_planned(&self) -> bool {
        self.root.simple_rel_array.is_null() && self.root.processed_tlist.is_null()
    }

    /// Without a FROM each call runs once. PL/pgSQL moreover evaluates such a top-level query without the executor,
    /// and so without its InitPlans; a deeper one whose only column is the call may be what we have made of it.
    fn runs_once_anyway(&self) -> bool {
        // SAFETY: the query is valid, and so are its lists.
        unsafe {
            let has_from = list::<pg_sys::RangeTblEntry>(self.query().rtable)
                .any(|entry| (*entry).rtekind != pg_sys::RTEKind::RTE_RESULT);
            let mut columns = list::<pg_sys::TargetEntry>(self.query().targetList);
            let only_column = columns.next().filter(|_| columns.next().is_none());
            let is_call = |column: *mut pg_sys::TargetEntry| is_call((*column).expr.cast(), self.call.funcid);
            !has_from && (self.root.query_level == 1 || only_column.is_some_and(is_call))
        }
    }

    /// Whether what stands around the call leaves it the choice.
    fn is_in_its_place(&self) -> bool {
        let (exists, has_call_in_from) = (self.queries_in_exists(), self.has_call_in_from());
        let may_be_trouble = self.may_be_inlined()
            || !exists.is_empty()
            || !self.query().groupClause.is_null()
            || has_call_in_from
            || self.has_call_in_choice();
        if !may_be_trouble {
            return true;
        }
        // SAFETY: root, query and call are valid, and the EXISTS are the query's.
        let (here, below) = unsafe {
            (
                Occurrences::in_query(self.root, self.call),
                Occurrences::in_exists(self.root, self.call, &exists),
            )
        };
        // Planning an EXISTS, the planner simplifies the condition inside in the name of the query outside.
        let is_here = here.may_have_it() && !below.may_have_it_beside(&here);
        // A function in FROM takes its arguments once per scan, and is no longer inlined when one is a sub-select. But
        // one whose rows the planner estimates would have a call that was inlined there answered for that too.
        // Before Postgres 18 the planner finds what is grouped by again by comparing expressions, and two sub-selects
        // are never equal.
        let must_stay = (has_call_in_from && here.is_argument_in_from()) || here.is_grouped_by();
        // CASE and COALESCE promise not to evaluate what they don't need.
        let may_wait = self.may_run_early() && here.is_conditional();
        is_here && !must_stay && !may_wait
    }

    /// An InitPlan waits until it is needed, but Gather runs it before it starts the workers, and so does the second
    /// look at a row that another transaction has changed.
    fn may_run_early(&self) -> bool {
        // SAFETY: a planner's state has the state of the statement.
        let parallel = unsafe { (*self.root.glob).parallelModeOK };
        parallel
            || self.query().commandType != pg_sys::CmdType::CMD_SELECT
            || !self.query().rowMarks.is_null()
    }

    /// Whether a function was inlined into this statement, so that the call may have been in it. The planner notes what
    /// it has to plan again for when it is redefined, and until a plan is there, that is these.
    fn may_be_inlined(&self) -> bool {
        // SAFETY: a planner's state has the state of the statement.
        unsafe { !(*self.root.glob).invalItems.is_null() }
    }

    fn has_call_in_from(&self) -> bool {
        // SAFETY: the query is valid, and so are its lists.
        unsafe {
            list::<pg_sys::RangeTblEntry>(self.query().rtable).any(|entry| {
                (*entry).rtekind == pg_sys::RTEKind::RTE_FUNCTION
                    && self.is_called_in((*entry).functions.cast())
            })
        }
    }

    fn has_call_in_choice(&self) -> bool {
        self.may_run_early()
            && self.query_has(&mut |node| {
                // SAFETY: the walk shows valid nodes.
                unsafe {
                    let is_choice = matches!((*node).type_, NodeTag::T_CaseExpr | NodeTag::T_CoalesceExpr);
                    is_choice && self.is_called_in(node)
                }
            })
    }

    /// The queries inside the EXISTS of this query.
    fn queries_in_exists(&self) -> Vec<*mut pg_sys::Query> {
        let mut queries = Vec::new();
        self.query_has(&mut |node| {
            // SAFETY: the walk shows valid nodes; the sub-select of a parsed statement is a query.
            if let Some(link) = unsafe { cast::<pg_sys::SubLink>(node, NodeTag::T_SubLink) }
                && link.subLinkType == pg_sys::SubLinkType::EXISTS_SUBLINK
            {
                queries.push(link.subselect.cast());
            }
            false
        });
        queries
    }

    /// Whether a node of this query satisfies `is_sought`; those of queries inside don't count.
    fn query_has(&self, is_sought: &mut dyn FnMut(*mut Node) -> bool) -> bool {
        let mut search = Search { is_sought };
        // SAFETY: the query is valid. What was flattened out of UNION ALL is kept beside it.
        unsafe { search.finds_in_query(self.root.parse) || search.finds(self.root.append_rel_list.cast()) }
    }

    /// # Safety
    /// `expression` is valid or null.
    unsafe fn is_called_in(&self, expression: *mut Node) -> bool {
        // SAFETY: the caller's, and the walk shows valid nodes.
        unsafe { Search { is_sought: &mut |node| is_call(node, self.call.funcid) }.finds(expression) }
    }

    /// `(SELECT call)`, to be planned by the query that the call stands in.
    pub fn sub_select(&self) -> *mut Node {
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
}
