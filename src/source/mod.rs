//! Where negatives come from: a relation and its column of vectors.

pub mod cast;
pub mod order;
pub mod sampling;
pub mod searching;
pub mod verdict;

use std::cell::OnceCell;
use std::ffi::CStr;
use std::rc::Rc;

use pgrx::{PgRelation, pg_sys};

use crate::error::Error;
use crate::heap::page;
use crate::postgres::relation::{self, Relation};
use crate::postgres::spi::Connection;
use crate::source::cast::Cast;
use crate::source::verdict::Verdict;

/// A relation's OID as SQL's `regclass`, not yet opened.
#[derive(Debug)]
pub struct Regclass(pg_sys::Oid);

impl From<pg_sys::Oid> for Regclass {
    fn from(oid: pg_sys::Oid) -> Self {
        Regclass(oid)
    }
}

/// The most dimensions that a value of type `vector` can have; `sparsevec` has far more.
const MOST_DIMENSIONS: usize = 16_000;

/// SQL's `name`.
#[derive(Debug)]
pub struct Name(String);

impl Name {
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<String> for Name {
    fn from(name: String) -> Self {
        Name(name)
    }
}

/// A column of vectors of a relation that rows can be drawn from, open and locked for reading.
pub struct Source {
    pub relation: Relation,
    pub column: String,
    /// Dimensions that the column declares, if it does.
    pub dimensions: Option<usize>,
    /// How the column's values become vectors.
    pub cast: Cast,
    /// Whether rows hold the column's value; where they do not, a query computes it.
    pub stored: bool,
    /// The condition, in SQL, that rows to be drawn satisfy; it has been checked to be one expression.
    pub condition: Option<String>,
    verdict: OnceCell<Rc<Verdict>>,
    vector_type: pg_sys::Oid,
    /// The column's type, and what that is below any domain.
    column_type: pg_sys::Oid,
    base_type: pg_sys::Oid,
}

impl Source {
    /// Opens `relation` and finds `column`, whose type must be one of [`cast::SUPPORTED`].
    ///
    /// # Errors
    /// [`Error::UnknownRelation`], [`Error::UnknownColumn`], [`Error::WrongType`],
    /// [`Error::UnsupportedRelation`].
    pub fn open(relation: Regclass, column: Name, vector_type: pg_sys::Oid) -> Result<Self, Error> {
        let (oid, column) = (relation.0, column.0);
        let relation = Relation::open(oid).ok_or(Error::UnknownRelation { oid: oid.to_u32() })?;
        check_kind(&relation)?;
        match find_column(&relation, &column, vector_type) {
            Found::Column { dimensions, cast, stored, column_type, base_type } => {
                if let Some(found) = dimensions.filter(|&count| count > MOST_DIMENSIONS) {
                    let relation = relation.name().to_string();
                    return Err(Error::TooManyDimensions { column, relation, found });
                }
                let (condition, verdict) = (None, OnceCell::new());
                Ok(Source {
                    relation,
                    column,
                    dimensions,
                    cast,
                    stored,
                    condition,
                    verdict,
                    vector_type,
                    column_type,
                    base_type,
                })
            }
            Found::OtherType { found, vector_columns } => {
                let relation = relation.name().to_string();
                Err(Error::WrongType { column, relation, found, vector_columns })
            }
            Found::Nothing { vector_columns } => {
                let relation = relation.name().to_string();
                Err(Error::UnknownColumn { column, relation, vector_columns })
            }
        }
    }

    /// Whether rows of the relation have TIDs that a query can ask for: those of an extension are its own affair.
    pub fn has_tids(&self) -> bool {
        !self.is_view() && !self.verdict().has_custom()
    }

    pub fn is_view(&self) -> bool {
        // SAFETY: an open relation has its pg_class row.
        unsafe { (*self.relation.rd_rel).relkind as u8 == pg_sys::RELKIND_VIEW }
    }

    /// The error for rows that have no TIDs.
    pub fn no_tids(&self, kind: &'static str) -> Error {
        Error::NoTids { relation: self.relation.name().to_string(), kind }
    }

    /// Loads the library of the type `vector`, and with it its settings.
    pub fn load_vector_library(&self) {
        let (mut output, mut is_varlena) = (pg_sys::InvalidOid, false);
        let mut look_up = pg_sys::FmgrInfo::default();
        // SAFETY: the type exists and has an output function, written in C.
        unsafe {
            pg_sys::getTypeOutputInfo(self.vector_type, &mut output, &mut is_varlena);
            pg_sys::fmgr_info(output, &mut look_up);
        }
    }

    /// The column's number in a relation that is the source or inherits from it, if it is of the same type there.
    pub fn attribute_of(&self, relation: &PgRelation) -> Option<i32> {
        let attributes = relation.tuple_desc();
        let mut live = attributes.iter().filter(|attribute| !attribute.attisdropped);
        let column = live.find(|attribute| attribute.name() == self.column);
        column.filter(|column| column.atttypid == self.column_type).map(|column| column.attnum.into())
    }

    /// Whether the rows that a user sees are the same as long as the snapshot is. A row-security policy, a view or a
    /// condition may go by anything, such as a setting that changes within a transaction; other servers, and extensions
    /// that read a table in their own way, have snapshots of their own.
    pub fn is_fixed_by_snapshot(&self) -> bool {
        // SAFETY: an open relation has its pg_class row.
        let class = unsafe { &*self.relation.rd_rel };
        let is_table = matches!(class.relkind as u8, pg_sys::RELKIND_RELATION | pg_sys::RELKIND_MATVIEW);
        is_table
            && !class.relhassubclass
            && self.condition.is_none()
            && !self.has_policies()
            && self.verdict().is_only(self.relation.oid())
    }

    /// Whether TABLESAMPLE can be asked of it.
    pub fn has_tablesample(&self) -> bool {
        // SAFETY: an open relation has its pg_class row.
        let kind = unsafe { (*self.relation.rd_rel).relkind } as u8;
        // Other access methods may have no such scans, and say so only by an error.
        let is_table = matches!(kind, pg_sys::RELKIND_RELATION | pg_sys::RELKIND_MATVIEW);
        kind == pg_sys::RELKIND_PARTITIONED_TABLE || is_table && page::is_heap(&self.relation)
    }

    /// Whether row-level security applies to the caller.
    pub fn has_policies(&self) -> bool {
        let (current_user, no_error) = (pg_sys::InvalidOid, true);
        // SAFETY: a catalog look-up of an existing relation.
        let applies = unsafe { pg_sys::check_enable_rls(self.relation.oid(), current_user, no_error) };
        applies as u32 == pg_sys::CheckEnableRlsResult::RLS_ENABLED
    }

    /// What the planner says of it.
    pub fn verdict(&self) -> &Verdict {
        self.verdict.get_or_init(|| Verdict::of(self))
    }

    /// Whether the caller may select `tableoid` and `ctid`.
    pub fn may_select_tids(&self) -> bool {
        let columns = [pg_sys::TableOidAttributeNumber, pg_sys::SelfItemPointerAttributeNumber];
        let (oid, select) = (self.relation.oid(), pg_sys::AclMode::from(pg_sys::ACL_SELECT));
        let may = |result| result == pg_sys::AclResult::ACLCHECK_OK;
        // SAFETY: catalog look-ups of an existing relation and columns that each has.
        unsafe {
            let caller = pg_sys::GetUserId();
            may(pg_sys::pg_class_aclcheck(oid, caller, select))
                || columns
                    .iter()
                    .all(|&column| may(pg_sys::pg_attribute_aclcheck(oid, column as i16, caller, select)))
        }
    }

    /// Raises what Postgres raises when the caller may not read the column, or nobody can now.
    pub fn check_privileges(&self, connection: &Connection) {
        if self.may_plainly_select() {
            return;
        }
        let query = format!("SELECT {} FROM {} WHERE false", self.quoted_vector(), quoted(&self.relation));
        // SAFETY: the query has no parameters.
        unsafe { connection.prepare(&query, &[]).select(&mut []) };
    }

    /// Whether the catalog alone shows that the caller may read all of a table, which a query would take longer to say. An
    /// extension may have a say in it, or take note of it.
    fn may_plainly_select(&self) -> bool {
        // SAFETY: an open relation has its pg_class row; the hook is a variable that libraries set in this thread.
        let (class, hook) = unsafe { (&*self.relation.rd_rel, pg_sys::ExecutorCheckPerms_hook) };
        let is_table = matches!(
            class.relkind as u8,
            pg_sys::RELKIND_RELATION | pg_sys::RELKIND_MATVIEW | pg_sys::RELKIND_PARTITIONED_TABLE
        );
        hook.is_none() && is_table && !class.relrowsecurity && relation::may_select(&self.relation)
    }

    /// The query that asks for nothing and says what is wrong with a `condition`.
    pub fn query_to_check(&self, condition: &str) -> String {
        format!("SELECT FROM {} WHERE ({condition}\n) LIMIT 0", quoted(&self.relation))
    }

    /// The type `vector`.
    pub fn vector_type(&self) -> pg_sys::Oid {
        self.vector_type
    }

    fn quoted_vector(&self) -> String {
        self.column_as(self.vector_type)
    }

    fn column_as(&self, target: pg_sys::Oid) -> String {
        cast_to(&self.quoted_column(), self.column_type, target)
    }

    fn quoted_column(&self) -> String {
        pgrx::spi::quote_identifier(&self.column)
    }
}

/// A relation's name, safe against any name and search_path.
fn quoted(relation: &PgRelation) -> String {
    pgrx::spi::quote_qualified_identifier(relation.namespace(), relation.name())
}

/// An expression of one type as one of another.
fn cast_to(expression: &str, from: pg_sys::Oid, to: pg_sys::Oid) -> String {
    if from == to {
        return expression.into();
    }
    // SAFETY: format_type_be_qualified returns a palloc'd, NUL-terminated string, quoted for SQL.
    let name = unsafe { CStr::from_ptr(pg_sys::format_type_be_qualified(to)) };
    format!("CAST({expression} AS {})", name.to_string_lossy())
}

/// The schema that a type is in, quoted.
fn namespace_of(base_type: pg_sys::Oid) -> String {
    // SAFETY: catalog look-ups of an existing type and its schema; the name is palloc'd and NUL-terminated.
    unsafe {
        let tuple = pg_sys::SearchSysCache1(pg_sys::SysCacheIdentifier::TYPEOID as i32, base_type.into());
        let namespace = (*pg_sys::heap_tuple_get_struct::<pg_sys::FormData_pg_type>(tuple)).typnamespace;
        pg_sys::ReleaseSysCache(tuple);
        let name = CStr::from_ptr(pg_sys::get_namespace_name(namespace));
        pgrx::spi::quote_identifier(name.to_string_lossy())
    }
}

/// What a relation has under a column's name.
enum Found {
    Column {
        dimensions: Option<usize>,
        cast: Cast,
        stored: bool,
        column_type: pg_sys::Oid,
        base_type: pg_sys::Oid,
    },
    OtherType {
        found: String,
        vector_columns: Vec<String>,
    },
    Nothing {
        vector_columns: Vec<String>,
    },
}

fn find_column(relation: &PgRelation, column: &str, vector_type: pg_sys::Oid) -> Found {
    let attributes = relation.tuple_desc();
    let live = || attributes.iter().filter(|attribute| !attribute.attisdropped);
    let base_type = |attribute: &pg_sys::FormData_pg_attribute| {
        let mut typmod = attribute.atttypmod;
        // SAFETY: a catalog look-up of an existing type; a domain may say what the column does not.
        (unsafe { pg_sys::getBaseTypeAndTypmod(attribute.atttypid, &mut typmod) }, typmod)
    };
    let vector_columns = || {
        let is_vector =
            |attribute: &&pg_sys::FormData_pg_attribute| Cast::exists(base_type(attribute).0, vector_type);
        live().filter(is_vector).map(|attribute| attribute.name().to_string()).collect()
    };
    let Some(attribute) = live().find(|attribute| attribute.name() == column) else {
        return Found::Nothing { vector_columns: vector_columns() };
    };
    let (found, typmod) = base_type(attribute);
    match Cast::find(found, vector_type) {
        Some(cast) => Found::Column {
            dimensions: usize::try_from(typmod).ok(),
            cast,
            stored: attribute.attgenerated as u8 != VIRTUAL,
            column_type: attribute.atttypid,
            base_type: found,
        },
        None => Found::OtherType { found: type_name(attribute.atttypid), vector_columns: vector_columns() },
    }
}

/// ATTRIBUTE_GENERATED_VIRTUAL, which Postgres has from version 18 on.
const VIRTUAL: u8 = b'v';

fn check_kind(relation: &PgRelation) -> Result<(), Error> {
    // SAFETY: an open relation has its pg_class row.
    let kind = match unsafe { (*relation.rd_rel).relkind } as u8 {
        pg_sys::RELKIND_RELATION
        | pg_sys::RELKIND_MATVIEW
        | pg_sys::RELKIND_PARTITIONED_TABLE
        | pg_sys::RELKIND_VIEW
        | pg_sys::RELKIND_FOREIGN_TABLE => return Ok(()),
        pg_sys::RELKIND_INDEX | pg_sys::RELKIND_PARTITIONED_INDEX => "index",
        pg_sys::RELKIND_SEQUENCE => "sequence",
        pg_sys::RELKIND_COMPOSITE_TYPE => "composite type",
        _ => "relation",
    };
    Err(Error::UnsupportedRelation { relation: relation.name().to_string(), kind })
}

fn type_name(oid: pg_sys::Oid) -> String {
    // SAFETY: format_type_be returns a palloc'd, NUL-terminated string for any OID.
    unsafe { CStr::from_ptr(pg_sys::format_type_be(oid)) }.to_string_lossy().into_owned()
}
