//! The columns that name a row to the caller, where its `tableoid` and `ctid` do not or are not wanted.

use std::cmp::Ordering;
use std::ffi::{CStr, CString};

use pgrx::{PgList, pg_sys};

use crate::error::Error;
use crate::source::Source;

/// One or more columns of a source, which together tell its rows apart.
pub struct Key {
    columns: Vec<Column>,
}

struct Column {
    name: String,
    type_id: pg_sys::Oid,
    collation: pg_sys::Oid,
    /// Whether the type has an order of its own; values of others are put in order as text.
    is_ordered: bool,
}

impl Key {
    /// Reads `names`, column names as SQL writes them with commas between them.
    ///
    /// # Errors
    /// [`Error::NotColumnNames`], [`Error::UnknownKeyColumn`].
    pub fn of(names: &str, source: &Source) -> Result<Self, Error> {
        let not_names = || Error::NotColumnNames { argument: "key", value: names.into() };
        let names = split(names).filter(|names| !names.is_empty()).ok_or_else(not_names)?;
        let columns = names.into_iter().map(|name| Column::find(name, source)).collect::<Result<_, _>>()?;
        Ok(Key { columns })
    }

    /// Expressions for the key as text and for each of its columns.
    pub fn selected(&self) -> Vec<String> {
        std::iter::once(self.text()).chain(self.columns.iter().map(Column::quoted)).collect()
    }

    /// How many columns it has.
    pub fn columns(&self) -> usize {
        self.columns.len()
    }

    /// What a query on the relation of this name puts rows in order by, after their distance.
    pub fn order(&self, relation: &str) -> String {
        let columns: Vec<_> = self.columns.iter().map(|column| column.order(relation)).collect();
        columns.join(", ")
    }

    /// The order of two rows, whose values of the i-th column the functions give: nulls last.
    pub fn compare(
        &self,
        a: impl Fn(usize) -> Option<pg_sys::Datum>,
        b: impl Fn(usize) -> Option<pg_sys::Datum>,
    ) -> Ordering {
        let ordered = self.columns.iter().enumerate().filter(|(_, column)| column.is_ordered);
        ordered.fold(Ordering::Equal, |order, (i, column)| order.then_with(|| column.compare(a(i), b(i))))
    }

    /// A column's value as its own text; several as the text of a JSON object.
    fn text(&self) -> String {
        if let [column] = self.columns.as_slice() {
            return column.text();
        }
        let literal = |column: &Column| pgrx::spi::quote_literal(&column.name);
        let pair = |column: &Column| format!("{}::pg_catalog.text, {}", literal(column), column.quoted());
        let pairs: Vec<_> = self.columns.iter().map(pair).collect();
        format!("CAST(pg_catalog.jsonb_build_object({}) AS pg_catalog.text)", pairs.join(", "))
    }
}

impl Column {
    fn find(name: String, source: &Source) -> Result<Self, Error> {
        let attributes = source.relation.tuple_desc();
        let mut live = attributes.iter().filter(|attribute| !attribute.attisdropped);
        let Some(found) = live.find(|attribute| attribute.name() == name) else {
            return Err(Error::UnknownKeyColumn { column: name, relation: source.relation.name().into() });
        };
        let flags = pg_sys::TYPECACHE_CMP_PROC_FINFO as i32;
        // SAFETY: the type of a live column exists; its entry of the cache stays.
        let is_ordered =
            unsafe { (*pg_sys::lookup_type_cache(found.atttypid, flags)).cmp_proc } != pg_sys::InvalidOid;
        Ok(Column { name, type_id: found.atttypid, collation: found.attcollation, is_ordered })
    }

    fn quoted(&self) -> String {
        pgrx::spi::quote_identifier(&self.name)
    }

    fn text(&self) -> String {
        format!("CAST({} AS pg_catalog.text)", self.quoted())
    }

    /// With the relation's name, since a column that the query returns may have the same name.
    fn order(&self, relation: &str) -> String {
        let column = format!("{}.{}", pgrx::spi::quote_identifier(relation), self.quoted());
        match self.is_ordered {
            true => column,
            false => format!("CAST({column} AS pg_catalog.text) COLLATE pg_catalog.\"C\""),
        }
    }

    fn compare(&self, a: Option<pg_sys::Datum>, b: Option<pg_sys::Datum>) -> Ordering {
        let (a, b) = match (a, b) {
            (Some(a), Some(b)) => (a, b),
            (a, b) => return a.is_none().cmp(&b.is_none()),
        };
        let flags = pg_sys::TYPECACHE_CMP_PROC_FINFO as i32;
        // SAFETY: the cache has had the type's comparison function, which takes two of its values.
        let order = unsafe {
            let entry = pg_sys::lookup_type_cache(self.type_id, flags);
            pg_sys::FunctionCall2Coll(&mut (*entry).cmp_proc_finfo, self.collation, a, b)
        };
        (order.value() as i32).cmp(&0)
    }
}

/// Identifiers with commas between them, folded to lower case where they are not quoted; `None` for anything else.
fn split(names: &str) -> Option<Vec<String>> {
    let text = CString::new(names).ok()?;
    let mut list = std::ptr::null_mut();
    // SAFETY: SplitIdentifierString writes into a palloc'd copy, in which its names end with NUL.
    unsafe {
        let is_list = pg_sys::SplitIdentifierString(pg_sys::pstrdup(text.as_ptr()), b',' as _, &mut list);
        let names = PgList::<std::ffi::c_char>::from_pg(list);
        let name = |name: *mut std::ffi::c_char| CStr::from_ptr(name).to_string_lossy().into_owned();
        is_list.then(|| names.iter_ptr().map(name).collect())
    }
}
