//! Where negatives come from: a relation and its column of vectors.

use std::ffi::CStr;

use pgrx::{PgRelation, pg_sys};

use super::error::Error;
use super::spi::Connection;

/// A relation's OID as SQL's `regclass`, not yet opened.
#[derive(Debug)]
pub struct Regclass(pg_sys::Oid);

impl From<pg_sys::Oid> for Regclass {
    fn from(oid: pg_sys::Oid) -> Self {
        Regclass(oid)
    }
}

/// SQL's `name`.
#[derive(Debug)]
pub struct Name(String);

impl From<String> for Name {
    fn from(name: String) -> Self {
        Name(name)
    }
}

/// A column of vectors of a relation that rows can be drawn from, open and locked for reading.
pub struct Source {
    pub relation: PgRelation,
    pub column: String,
    /// Dimensions that the column declares, if it does.
    pub dimensions: Option<usize>,
}

impl Source {
    /// Opens `relation` and finds `column`, whose type must be `vector_type`.
    ///
    /// # Errors
    /// [`Error::UnknownRelation`], [`Error::UnknownColumn`], [`Error::WrongType`],
    /// [`Error::UnsupportedRelation`].
    pub fn open(relation: Regclass, column: Name, vector_type: pg_sys::Oid) -> Result<Self, Error> {
        let (oid, column) = (relation.0, column.0);
        let relation = open(oid).ok_or(Error::UnknownRelation { oid: oid.to_u32() })?;
        check_kind(&relation)?;
        let found = find_column(&relation, &column, vector_type);
        let dimensions = match found {
            Found::Column { typmod } => usize::try_from(typmod).ok(),
            Found::OtherType { found, vector_columns } => {
                let relation = relation.name().to_string();
                return Err(Error::WrongType { column, relation, found, vector_columns });
            }
            Found::Nothing { vector_columns } => {
                let relation = relation.name().to_string();
                return Err(Error::UnknownColumn { column, relation, vector_columns });
            }
        };
        Ok(Source { relation, column, dimensions })
    }

    /// The column, as errors call it.
    pub fn column_named(&self) -> String {
        format!("column \"{}\"", self.column)
    }

    /// The query for the `$2` rows with the largest inner product with `$1`, safe against any name and
    /// search_path; `schema` is the one of `vector` and its operators, quoted.
    pub fn query_by_distance(&self, schema: &str) -> String {
        let relation = pgrx::spi::quote_qualified_identifier(self.relation.namespace(), self.relation.name());
        let column = pgrx::spi::quote_identifier(&self.column);
        format!(
            "SELECT {column}::{schema}.vector FROM {relation} WHERE {column} IS NOT NULL
                 ORDER BY {column} OPERATOR({schema}.<#>) $1 LIMIT $2"
        )
    }

    /// Whether the rows that a user sees are the same as long as the snapshot is. A row-security policy may go by
    /// anything, such as a setting that changes within a transaction.
    pub fn is_fixed_by_snapshot(&self) -> bool {
        let (current_user, no_error) = (pg_sys::InvalidOid, true);
        // SAFETY: catalog look-ups for a relation that is open.
        let policies = unsafe { pg_sys::check_enable_rls(self.relation.oid(), current_user, no_error) };
        policies as u32 != pg_sys::CheckEnableRlsResult::RLS_ENABLED
    }

    /// The query that fetches rows of `ctid = ANY($1)`, safe against any name and search_path.
    pub fn query_by_tid(&self) -> String {
        let relation = pgrx::spi::quote_qualified_identifier(self.relation.namespace(), self.relation.name());
        let column = pgrx::spi::quote_identifier(&self.column);
        format!("SELECT ctid, {column} FROM ONLY {relation} WHERE ctid OPERATOR(pg_catalog.=) ANY ($1)")
    }
}

/// What a relation has under a column's name.
enum Found {
    Column { typmod: i32 },
    OtherType { found: String, vector_columns: Vec<String> },
    Nothing { vector_columns: Vec<String> },
}

fn find_column(relation: &PgRelation, column: &str, vector_type: pg_sys::Oid) -> Found {
    let attributes = relation.tuple_desc();
    let live = || attributes.iter().filter(|attribute| !attribute.attisdropped);
    let is_vector = |attribute: &pg_sys::FormData_pg_attribute| {
        // SAFETY: a catalog look-up of an existing type.
        unsafe { pg_sys::getBaseType(attribute.atttypid) == vector_type }
    };
    let vector_columns =
        || live().filter(|attribute| is_vector(attribute)).map(|a| a.name().to_string()).collect();
    match live().find(|attribute| attribute.name() == column) {
        Some(attribute) if is_vector(attribute) => Found::Column { typmod: attribute.atttypmod },
        Some(attribute) => {
            Found::OtherType { found: type_name(attribute.atttypid), vector_columns: vector_columns() }
        }
        None => Found::Nothing { vector_columns: vector_columns() },
    }
}

fn open(oid: pg_sys::Oid) -> Option<PgRelation> {
    let lock = pg_sys::AccessShareLock as pg_sys::LOCKMODE;
    // SAFETY: try_relation_open takes any OID and returns null where there is no relation. PgRelation
    // closes it; the lock stays until the end of the transaction, as for any query.
    unsafe {
        let relation = pg_sys::try_relation_open(oid, lock);
        (!relation.is_null()).then(|| PgRelation::from_pg_owned(relation))
    }
}

fn check_kind(relation: &PgRelation) -> Result<(), Error> {
    // SAFETY: an open relation has its pg_class row.
    let class = unsafe { &*relation.rd_rel };
    let kind = match class.relkind as u8 {
        _ if class.relhassubclass && has_children(relation.oid()) => "partitioned or inherited table",
        pg_sys::RELKIND_RELATION | pg_sys::RELKIND_MATVIEW => {
            if class.relam == pg_sys::HEAP_TABLE_AM_OID {
                return Ok(());
            }
            "table of a foreign access method"
        }
        pg_sys::RELKIND_PARTITIONED_TABLE => "partitioned table",
        pg_sys::RELKIND_VIEW => "view",
        pg_sys::RELKIND_FOREIGN_TABLE => "foreign table",
        pg_sys::RELKIND_INDEX | pg_sys::RELKIND_PARTITIONED_INDEX => "index",
        pg_sys::RELKIND_SEQUENCE => "sequence",
        pg_sys::RELKIND_COMPOSITE_TYPE => "composite type",
        _ => "relation",
    };
    Err(Error::UnsupportedRelation { relation: relation.name().to_string(), kind })
}

/// `relhassubclass` alone may be a relic of children that are gone.
fn has_children(oid: pg_sys::Oid) -> bool {
    let connection = Connection::open();
    let query = "SELECT FROM pg_catalog.pg_inherits WHERE inhparent OPERATOR(pg_catalog.=) $1 LIMIT 1";
    let plan = connection.prepare(query, &[pg_sys::OIDOID]);
    // SAFETY: the query has one parameter, of type oid.
    unsafe { plan.select(&mut [pg_sys::Datum::from(oid)]) }.len() > 0
}

fn type_name(oid: pg_sys::Oid) -> String {
    // SAFETY: format_type_be returns a palloc'd, NUL-terminated string for any OID.
    unsafe { CStr::from_ptr(pg_sys::format_type_be(oid)) }.to_string_lossy().into_owned()
}
