//! An extension that answers for tables with other rows than are stored, by hooks of the planner: what distributed tables,
//! compressed chunks and columnar tables do. Tables are its own by their names.
//!
//! * `engine...` is read by a custom scan, which shows every second row.
//! * `shell...` is answered for as a whole: a query on it sees the rows of the table `elsewhere`.

use std::ffi::CStr;

use pgrx::pg_sys::{self, NodeTag};
use pgrx::{PgList, is_a};

/// Installs the hooks in this session.
pub fn install() {
    // SAFETY: hooks are set in the thread that calls them, and the functions stay where they are.
    unsafe {
        pg_sys::set_rel_pathlist_hook = Some(add_path);
        pg_sys::planner_hook = Some(plan_query);
    }
}

/// Removes them.
pub fn remove() {
    // SAFETY: hooks are set in the thread that calls them; nothing else has set them since.
    unsafe {
        pg_sys::set_rel_pathlist_hook = None;
        pg_sys::planner_hook = None;
    }
}

unsafe fn is_named(relation: pg_sys::Oid, prefix: &str) -> bool {
    // SAFETY: a catalog look-up; null or a palloc'd, NUL-terminated name.
    unsafe {
        let name = pg_sys::get_rel_name(relation);
        !name.is_null() && CStr::from_ptr(name).to_bytes().starts_with(prefix.as_bytes())
    }
}

/// Constants, though they hold pointers.
struct Methods<T>(T);
// SAFETY: nobody writes to them.
unsafe impl<T> Sync for Methods<T> {}

static PATH: Methods<pg_sys::CustomPathMethods> = Methods(pg_sys::CustomPathMethods {
    CustomName: c"engine".as_ptr(),
    PlanCustomPath: Some(make_plan),
    ReparameterizeCustomPathByChild: None,
});

static SCAN: Methods<pg_sys::CustomScanMethods> = Methods(pg_sys::CustomScanMethods {
    CustomName: c"engine".as_ptr(),
    CreateCustomScanState: Some(make_state),
});

/// A scan's state, and how many rows have come from the plan below.
#[repr(C)]
struct State {
    scan: pg_sys::CustomScanState,
    rows: u64,
}

unsafe extern "C-unwind" fn add_path(
    _root: *mut pg_sys::PlannerInfo,
    rel: *mut pg_sys::RelOptInfo,
    _index: pg_sys::Index,
    table: *mut pg_sys::RangeTblEntry,
) {
    // SAFETY: the planner passes a relation and its entry; what is made lives in its memory.
    unsafe {
        if (*table).rtekind != pg_sys::RTEKind::RTE_RELATION
            || (*table).inh
            || !is_named((*table).relid, "engine")
        {
            return;
        }
        let paths = PgList::<pg_sys::Path>::from_pg((*rel).pathlist);
        let Some(below) = paths.get_ptr(0) else { return };
        let path = pg_sys::palloc0(size_of::<pg_sys::CustomPath>()).cast::<pg_sys::CustomPath>();
        (*path).path = *below;
        (*path).path.type_ = NodeTag::T_CustomPath;
        (*path).path.pathtype = NodeTag::T_CustomScan;
        (*path).custom_paths = list_of(below.cast());
        (*path).methods = &PATH.0;
        (*rel).pathlist = list_of(path.cast());
        (*rel).partial_pathlist = std::ptr::null_mut();
    }
}

unsafe extern "C-unwind" fn make_plan(
    _root: *mut pg_sys::PlannerInfo,
    rel: *mut pg_sys::RelOptInfo,
    _path: *mut pg_sys::CustomPath,
    targets: *mut pg_sys::List,
    _clauses: *mut pg_sys::List,
    plans: *mut pg_sys::List,
) -> *mut pg_sys::Plan {
    // SAFETY: the planner passes what it has planned; the plan below checks the clauses.
    unsafe {
        let scan = make_scan(plans);
        (*scan).scan.plan.targetlist = targets;
        (*scan).scan.scanrelid = (*rel).relid;
        scan.cast()
    }
}

unsafe extern "C-unwind" fn plan_query(
    query: *mut pg_sys::Query,
    text: *const std::ffi::c_char,
    options: i32,
    parameters: pg_sys::ParamListInfo,
) -> *mut pg_sys::PlannedStmt {
    // SAFETY: the planner's own arguments; the query is its to change.
    unsafe {
        let mut is_mine = false;
        for table in PgList::<pg_sys::RangeTblEntry>::from_pg((*query).rtable).iter_ptr() {
            if (*table).rtekind == pg_sys::RTEKind::RTE_RELATION && is_named((*table).relid, "shell") {
                let namespace = pg_sys::get_rel_namespace((*table).relid);
                let elsewhere = pg_sys::get_relname_relid(c"elsewhere".as_ptr(), namespace);
                pg_sys::LockRelationOid(elsewhere, pg_sys::AccessShareLock as i32);
                // From 16 on privileges stand apart, and must name the same relation.
                #[cfg(not(feature = "pg15"))]
                for info in PgList::<pg_sys::RTEPermissionInfo>::from_pg((*query).rteperminfos).iter_ptr() {
                    if (*info).relid == (*table).relid {
                        (*info).relid = elsewhere;
                    }
                }
                (*table).relid = elsewhere;
                is_mine = true;
            }
        }
        let statement = pg_sys::standard_planner(query, text, options, parameters);
        if is_mine && (*statement).commandType == pg_sys::CmdType::CMD_SELECT {
            (*statement).planTree = wrapped((*statement).planTree).cast();
        }
        statement
    }
}

/// A custom scan of no relation that gives what a plan gives.
unsafe fn wrapped(plan: *mut pg_sys::Plan) -> *mut pg_sys::CustomScan {
    // SAFETY: a valid plan, whose targets are target entries.
    unsafe {
        let scan = make_scan(list_of(plan.cast()));
        (*scan).scan.plan.plan_rows = 100_000.0;
        (*scan).custom_scan_tlist = (*plan).targetlist;
        let mut targets = PgList::<pg_sys::TargetEntry>::new();
        for target in PgList::<pg_sys::TargetEntry>::from_pg((*plan).targetlist).iter_ptr() {
            let copy = pg_sys::copyObjectImpl(target.cast()).cast::<pg_sys::TargetEntry>();
            let (value, number) = ((*target).expr.cast(), (*target).resno);
            (*copy).expr = pg_sys::makeVar(
                pg_sys::INDEX_VAR,
                number,
                pg_sys::exprType(value),
                pg_sys::exprTypmod(value),
                pg_sys::exprCollation(value),
                0,
            )
            .cast();
            targets.push(copy);
        }
        (*scan).scan.plan.targetlist = targets.into_pg();
        scan
    }
}

unsafe fn make_scan(plans: *mut pg_sys::List) -> *mut pg_sys::CustomScan {
    // SAFETY: a node of this type, all else zero.
    unsafe {
        let scan = pg_sys::palloc0(size_of::<pg_sys::CustomScan>()).cast::<pg_sys::CustomScan>();
        (*scan).scan.plan.type_ = NodeTag::T_CustomScan;
        (*scan).custom_plans = plans;
        (*scan).methods = &SCAN.0;
        scan
    }
}

unsafe extern "C-unwind" fn make_state(scan: *mut pg_sys::CustomScan) -> *mut pg_sys::Node {
    static METHODS: Methods<pg_sys::CustomExecMethods> = Methods(pg_sys::CustomExecMethods {
        CustomName: c"engine".as_ptr(),
        BeginCustomScan: Some(begin),
        ExecCustomScan: Some(next),
        EndCustomScan: Some(end),
        ReScanCustomScan: Some(again),
        MarkPosCustomScan: None,
        RestrPosCustomScan: None,
        EstimateDSMCustomScan: None,
        InitializeDSMCustomScan: None,
        ReInitializeDSMCustomScan: None,
        InitializeWorkerCustomScan: None,
        ShutdownCustomScan: None,
        ExplainCustomScan: None,
    });
    // SAFETY: a node of this type with more behind it, all else zero.
    unsafe {
        debug_assert!(is_a(scan.cast(), NodeTag::T_CustomScan));
        let state = pg_sys::palloc0(size_of::<State>()).cast::<State>();
        (*state).scan.ss.ps.type_ = NodeTag::T_CustomScanState;
        (*state).scan.methods = &METHODS.0;
        state.cast()
    }
}

unsafe extern "C-unwind" fn begin(
    node: *mut pg_sys::CustomScanState,
    estate: *mut pg_sys::EState,
    flags: i32,
) {
    // SAFETY: the executor passes a state that `make_state` made, of a plan that `make_scan` made.
    unsafe {
        let scan = (*node).ss.ps.plan.cast::<pg_sys::CustomScan>();
        let plan = PgList::<pg_sys::Plan>::from_pg((*scan).custom_plans).get_ptr(0).unwrap();
        (*node).custom_ps = list_of(pg_sys::ExecInitNode(plan, estate, flags).cast());
    }
}

unsafe fn below(node: *mut pg_sys::CustomScanState) -> *mut pg_sys::PlanState {
    // SAFETY: `begin` has put it there.
    unsafe { PgList::<pg_sys::PlanState>::from_pg((*node).custom_ps).get_ptr(0).unwrap() }
}

unsafe extern "C-unwind" fn next(node: *mut pg_sys::CustomScanState) -> *mut pg_sys::TupleTableSlot {
    // SAFETY: as for `begin`; slots have their operations.
    unsafe {
        let (state, below) = (node.cast::<State>(), below(node));
        let shows_all = (*(*node).ss.ps.plan.cast::<pg_sys::Scan>()).scanrelid == 0;
        loop {
            let slot = (*below).ExecProcNode.unwrap()(below);
            if slot.is_null() || u32::from((*slot).tts_flags) & pg_sys::TTS_FLAG_EMPTY != 0 {
                return std::ptr::null_mut();
            }
            (*state).rows += 1;
            if shows_all || (*state).rows % 2 == 0 {
                let result = (*node).ss.ps.ps_ResultTupleSlot;
                (*(*result).tts_ops).copyslot.unwrap()(result, slot);
                return result;
            }
        }
    }
}

unsafe extern "C-unwind" fn end(node: *mut pg_sys::CustomScanState) {
    // SAFETY: as for `begin`.
    unsafe { pg_sys::ExecEndNode(below(node)) }
}

unsafe extern "C-unwind" fn again(node: *mut pg_sys::CustomScanState) {
    // SAFETY: as for `begin`.
    unsafe {
        (*node.cast::<State>()).rows = 0;
        pg_sys::ExecReScan(below(node));
    }
}

unsafe fn list_of(node: *mut std::ffi::c_void) -> *mut pg_sys::List {
    let mut list = PgList::<std::ffi::c_void>::new();
    list.push(node);
    list.into_pg()
}
