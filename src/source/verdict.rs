//! What the planner says of a source: whose rows a query reads as they are stored.
//!
//! An extension may answer for a relation with other rows than its pages hold: those on other servers, those that it has
//! compressed. It does so by hooks of the planner, so the plan of `SELECT column FROM source` shows it. A relation is
//! read by its pages only if the planner itself does no other.

use std::cell::{Cell, RefCell};
use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet};
use std::rc::Rc;

use pgrx::pg_sys::NodeTag;
use pgrx::{PgList, pg_sys};

use crate::postgres::spi::Connection;
use crate::source::Source;

/// How a plan reads a relation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reading {
    /// Its own rows, from its own storage.
    Stored,
    /// Rows of another server, by a foreign data wrapper.
    Foreign,
    /// In a way that only an extension knows.
    Custom,
}

/// How the plan of a source reads its relations.
#[derive(Debug, Default)]
pub struct Verdict {
    readings: HashMap<pg_sys::Oid, (Reading, f64)>,
    /// Relations that a custom scan of another one reads for its rows, as those that hold them compressed.
    within: HashSet<pg_sys::Oid>,
    /// All relations that the plan depends on, those that only hold others too.
    relations: HashSet<pg_sys::Oid>,
    /// Whether a node hides what it reads.
    is_opaque: bool,
    /// Whether an extension has taken the whole query over.
    is_custom: bool,
    /// Rows that the planner expects.
    pub rows: f64,
}

impl Verdict {
    /// The verdict on what `source` reads; kept for as long as none of its relations changes.
    pub fn of(source: &Source) -> Rc<Self> {
        // A policy may go by a setting, and so may the plan.
        let key = (source.relation.oid(), hooks());
        let can_keep = !source.has_policies();
        let kept = || KEPT.with_borrow(|kept| kept.get(&key).cloned());
        if let Some(verdict) = kept().filter(|_| can_keep) {
            return verdict;
        }
        watch();
        let changes = CHANGES.get();
        let verdict = Rc::new(Self::planned(&source.query_for_plan(false)));
        // Settings of an extension may change its plans at any time, so only what is expensive to plan is kept.
        let is_worth_it = key.1.iter().all(|&hook| hook == 0) || verdict.relations.len() >= MANY_RELATIONS;
        if can_keep && is_worth_it && changes == CHANGES.get() {
            KEPT.with_borrow_mut(|kept| {
                if kept.len() >= MOST_KEPT {
                    kept.clear();
                }
                kept.insert(key, Rc::clone(&verdict));
            });
        }
        verdict
    }

    /// Plans a query and looks at what it reads.
    pub fn planned(query: &str) -> Self {
        let connection = Connection::open();
        let mut verdict = Verdict::default();
        // SAFETY: the statement is valid while it is looked at.
        let seen = connection.prepare(query, &[]).planned(|statement| unsafe {
            verdict.rows = statement.planTree.as_ref().map_or(0.0, |plan| plan.plan_rows);
            verdict.is_custom = statement.planTree.as_ref().is_some_and(|plan| is_whole_query(plan));
            let tables = PgList::<pg_sys::RangeTblEntry>::from_pg(statement.rtable);
            let named = tables.iter_ptr().filter(|&table| (*table).rtekind == pg_sys::RTEKind::RTE_RELATION);
            verdict.relations = named.map(|table| (*table).relid).collect();
            verdict.see(statement.planTree, &tables);
        });
        verdict.is_opaque |= seen.is_none();
        verdict
    }

    /// How a relation is read, and about how many rows it gives; `None` where the plan leaves it out, since it has no
    /// rows or none that are wanted.
    pub fn reading(&self, relation: pg_sys::Oid) -> Option<(Reading, f64)> {
        let found = self.readings.get(&relation).copied();
        let is_within = self.within.contains(&relation);
        found.map(|(reading, rows)| (if is_within { Reading::Custom } else { reading }, rows))
    }

    /// Whether the plan shows how all that it reads is read, and that is some of `relations`.
    pub fn is_clear(&self, relations: impl Iterator<Item = pg_sys::Oid>) -> bool {
        let known = relations.filter(|relation| self.readings.contains_key(relation)).count();
        !self.is_opaque && known == self.readings.len()
    }

    /// Whether an extension answers the query as a whole, and TABLESAMPLE in it too.
    pub fn is_custom(&self) -> bool {
        self.is_custom
    }

    /// Whether an extension answers for some of it.
    pub fn has_custom(&self) -> bool {
        self.is_custom || self.readings.values().any(|&(reading, _)| reading == Reading::Custom)
    }

    /// Whether the plan reads a relation as it is stored, and nothing else.
    pub fn is_only(&self, relation: pg_sys::Oid) -> bool {
        let is_stored = self.reading(relation).is_none_or(|(reading, _)| reading == Reading::Stored);
        is_stored && self.is_clear(std::iter::once(relation))
    }

    /// # Safety
    /// `plan` is null or a valid plan of a statement with these tables.
    unsafe fn see(&mut self, plan: *const pg_sys::Plan, tables: &PgList<pg_sys::RangeTblEntry>) {
        // SAFETY: the caller's: a plan has the type that its tag says.
        unsafe {
            let Some(node) = plan.as_ref() else { return };
            let scanned = || scanned_table(plan.cast(), tables);
            match node.type_ {
                NodeTag::T_SeqScan
                | NodeTag::T_SampleScan
                | NodeTag::T_IndexScan
                | NodeTag::T_IndexOnlyScan
                | NodeTag::T_BitmapHeapScan
                | NodeTag::T_TidScan
                | NodeTag::T_TidRangeScan => self.note(scanned(), Reading::Stored, node.plan_rows),
                NodeTag::T_ForeignScan => self.note(scanned(), Reading::Foreign, node.plan_rows),
                NodeTag::T_CustomScan => {
                    self.note(scanned(), Reading::Custom, node.plan_rows);
                    self.see_within(plan.cast(), tables);
                }
                NodeTag::T_Append => self.see_all((*plan.cast::<pg_sys::Append>()).appendplans, tables),
                NodeTag::T_MergeAppend => {
                    self.see_all((*plan.cast::<pg_sys::MergeAppend>()).mergeplans, tables);
                }
                NodeTag::T_SubqueryScan => self.see((*plan.cast::<pg_sys::SubqueryScan>()).subplan, tables),
                NodeTag::T_Result | NodeTag::T_Gather | NodeTag::T_GatherMerge => {
                    self.see(node.lefttree, tables);
                }
                _ => self.is_opaque = true,
            }
        }
    }

    /// # Safety
    /// As [`see`](Self::see).
    unsafe fn see_all(&mut self, plans: *mut pg_sys::List, tables: &PgList<pg_sys::RangeTblEntry>) {
        // SAFETY: the caller's, and `plans` is a list of plans.
        unsafe { PgList::<pg_sys::Plan>::from_pg(plans).iter_ptr().for_each(|plan| self.see(plan, tables)) }
    }

    /// What a custom scan reads by plans of its own is its own affair, whatever those say.
    ///
    /// # Safety
    /// As [`see`](Self::see).
    unsafe fn see_within(&mut self, scan: *const pg_sys::CustomScan, tables: &PgList<pg_sys::RangeTblEntry>) {
        let mut within = Verdict::default();
        // SAFETY: the caller's.
        unsafe {
            within.see_all((*scan).custom_plans, tables);
            within.see((*scan).scan.plan.lefttree, tables);
        }
        self.within.extend(within.within);
        self.within.extend(within.readings.into_keys());
    }

    /// A relation that is read twice is read in a way that only the planner knows.
    fn note(&mut self, relation: Option<pg_sys::Oid>, reading: Reading, rows: f64) {
        let Some(relation) = relation else {
            self.is_opaque = true;
            return;
        };
        match self.readings.entry(relation) {
            Entry::Vacant(entry) => drop(entry.insert((reading, rows))),
            Entry::Occupied(mut entry) => {
                let (seen, more) = entry.get_mut();
                *seen = Reading::Custom;
                *more += rows;
            }
        }
    }
}

/// Whether a custom scan of no single relation is all there is of a plan.
///
/// # Safety
/// `plan` is valid.
unsafe fn is_whole_query(plan: &pg_sys::Plan) -> bool {
    let scan = std::ptr::from_ref(plan).cast::<pg_sys::Scan>();
    // SAFETY: a custom scan is a scan.
    plan.type_ == NodeTag::T_CustomScan && unsafe { (*scan).scanrelid == 0 }
}

/// The table that a scan reads, if it is of one.
///
/// # Safety
/// `scan` is a valid scan of a statement with these tables.
unsafe fn scanned_table(
    scan: *const pg_sys::Scan,
    tables: &PgList<pg_sys::RangeTblEntry>,
) -> Option<pg_sys::Oid> {
    // SAFETY: the caller's; entries of the list are valid.
    unsafe {
        let entry = tables.get_ptr(((*scan).scanrelid as usize).checked_sub(1)?)?;
        ((*entry).rtekind == pg_sys::RTEKind::RTE_RELATION).then_some((*entry).relid)
    }
}

/// Verdicts that are kept, at most, and relations from which on planning takes long.
const MOST_KEPT: usize = 64;
const MANY_RELATIONS: usize = 16;

/// Hooks by which an extension changes how relations are read, as addresses: 0 where there is none.
type Hooks = [usize; 3];

thread_local! {
    static KEPT: RefCell<HashMap<(pg_sys::Oid, Hooks), Rc<Verdict>>> = RefCell::default();
    /// How often a definition of a relation has changed.
    static CHANGES: Cell<u64> = const { Cell::new(0) };
    static IS_WATCHING: Cell<bool> = const { Cell::new(false) };
}

fn hooks() -> Hooks {
    // SAFETY: variables that libraries set when they are loaded, which happens in this thread.
    unsafe {
        [
            pg_sys::planner_hook.map_or(0, |hook| hook as usize),
            pg_sys::set_rel_pathlist_hook.map_or(0, |hook| hook as usize),
            pg_sys::get_relation_info_hook.map_or(0, |hook| hook as usize),
        ]
    }
}

/// Has Postgres say when a definition changes; it never stops.
fn watch() {
    if !IS_WATCHING.replace(true) {
        // SAFETY: the function stays where it is as long as the process lives.
        unsafe { pg_sys::CacheRegisterRelcacheCallback(Some(forget), pg_sys::Datum::null()) };
    }
}

/// Drops the verdicts that may have changed: with hooks, all, since an extension keeps what it goes by in tables of its own.
///
/// # Safety
/// Postgres calls this, with a relation's OID or 0 for all.
unsafe extern "C-unwind" fn forget(_: pg_sys::Datum, relation: pg_sys::Oid) {
    CHANGES.set(CHANGES.get() + 1);
    KEPT.with_borrow_mut(|kept| {
        kept.retain(|(source, hooks), verdict| {
            relation != pg_sys::InvalidOid
                && hooks.iter().all(|&hook| hook == 0)
                && *source != relation
                && !verdict.relations.contains(&relation)
        });
    });
}
