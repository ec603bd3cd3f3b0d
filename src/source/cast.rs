//! A column's values as vectors: `vector` itself, and the types with a cast to it that pgvector brings along.

use std::cell::{RefCell, UnsafeCell};

use pgrx::{IntoDatum, pg_sys};

use crate::error::Error;
use crate::postgres::unwind::Scratch;
use crate::postgres::vector::Vector;

/// Types of columns that are read.
pub const SUPPORTED: &str = "vector, halfvec, sparsevec, real[], double precision[] and domains over them";

/// Those of pgvector beside `vector`.
const OTHER_TYPES: [&str; 2] = ["halfvec", "sparsevec"];

/// The language C, whose functions only a superuser makes. pgrx does not bind it.
const C_LANGUAGE: u32 = 13;

/// How values of a type become vectors. A value of each is a varlena.
pub enum Cast {
    /// The type is `vector`.
    None,
    Function {
        function: UnsafeCell<pg_sys::FmgrInfo>,
        arguments: i32,
        /// For what a call leaves behind.
        scratch: RefCell<Scratch>,
    },
}

impl Cast {
    /// The cast from a base type to `vector_type`; `None` for a type that is not one of [`SUPPORTED`].
    pub fn find(base_type: pg_sys::Oid, vector_type: pg_sys::Oid) -> Option<Self> {
        if base_type == vector_type {
            return Some(Cast::None);
        }
        let function = function(base_type, vector_type)?;
        let mut look_up = pg_sys::FmgrInfo::default();
        // SAFETY: the function exists; what the look-up refers to lives as long as the current call.
        let arguments = unsafe {
            pg_sys::fmgr_info(function, &mut look_up);
            pg_sys::get_func_nargs(function)
        };
        let (function, scratch) = (UnsafeCell::new(look_up), RefCell::new(Scratch::new()));
        Some(Cast::Function { function, arguments, scratch })
    }

    pub fn exists(base_type: pg_sys::Oid, vector_type: pg_sys::Oid) -> bool {
        base_type == vector_type || function(base_type, vector_type).is_some()
    }

    /// Calls `with` with the elements of a value.
    ///
    /// # Errors
    /// What [`Vector::from_datum`] fails with; errors of the cast pass through.
    ///
    /// # Safety
    /// `value` is a non-null value of the base type.
    pub unsafe fn with_elements<T>(
        &self,
        value: pg_sys::Datum,
        with: impl FnOnce(&[f32]) -> T,
    ) -> Result<T, Error> {
        match self {
            // SAFETY: the base type is `vector`.
            Cast::None => unsafe { Vector::from_datum(value) }.map(|vector| with(vector.values())),
            Cast::Function { function, arguments, scratch } => {
                let none = pg_sys::InvalidOid;
                let function = function.get();
                let (typmod, explicit) = ((-1).into_datum(), true.into_datum());
                let (typmod, explicit) = (typmod.unwrap_or(value), explicit.unwrap_or(value));
                // SAFETY: a cast function takes the value, and may take a type modifier and whether the
                // cast is explicit. pgvector's never return null. The result is no memory of Postgres.
                unsafe {
                    scratch.borrow_mut().with(|| {
                        let vector = match arguments {
                            1 => pg_sys::FunctionCall1Coll(function, none, value),
                            2 => pg_sys::FunctionCall2Coll(function, none, value, typmod),
                            _ => pg_sys::FunctionCall3Coll(function, none, value, typmod, explicit),
                        };
                        Vector::from_datum(vector).map(|vector| with(vector.values()))
                    })
                }
            }
        }
    }
}

/// The function of pgvector that casts a base type to its `vector_type`. A cast that a user has made never runs: whoever
/// owns a type can make one, and it would run with the privileges of whoever calls us.
fn function(base_type: pg_sys::Oid, vector_type: pg_sys::Oid) -> Option<pg_sys::Oid> {
    // SAFETY: catalog look-ups of existing types and a function.
    unsafe {
        // Most columns are of other types, which takes no look-up in pg_depend.
        let is_array = matches!(base_type, pg_sys::FLOAT4ARRAYOID | pg_sys::FLOAT8ARRAYOID);
        if !is_array && !has_name_of_pgvector(base_type) {
            return None;
        }
        let pgvector = extension_of(pg_sys::TypeRelationId, vector_type)?;
        if !is_array && extension_of(pg_sys::TypeRelationId, base_type) != Some(pgvector) {
            return None;
        }
        let (mut function, explicit) = (pg_sys::InvalidOid, pg_sys::CoercionContext::COERCION_EXPLICIT);
        let path = pg_sys::find_coercion_pathway(vector_type, base_type, explicit, &mut function);
        (path == pg_sys::CoercionPathType::COERCION_PATH_FUNC
            && extension_of(pg_sys::ProcedureRelationId, function) == Some(pgvector)
            && is_in_c(function))
        .then_some(function)
    }
}

/// Whether a type is a varlena called like one of pgvector's.
///
/// # Safety
/// The type exists.
unsafe fn has_name_of_pgvector(base_type: pg_sys::Oid) -> bool {
    // SAFETY: the caller's; the row of an existing type is valid until it is released.
    unsafe {
        let tuple = pg_sys::SearchSysCache1(pg_sys::SysCacheIdentifier::TYPEOID as i32, base_type.into());
        let row = &*pg_sys::heap_tuple_get_struct::<pg_sys::FormData_pg_type>(tuple);
        let is_varlena = row.typtype as u8 == pg_sys::TYPTYPE_BASE && row.typlen == -1;
        let is_known = is_varlena && OTHER_TYPES.contains(&pgrx::name_data_to_str(&row.typname));
        pg_sys::ReleaseSysCache(tuple);
        is_known
    }
}

/// # Safety
/// The function exists.
unsafe fn is_in_c(function: pg_sys::Oid) -> bool {
    // SAFETY: the caller's; the row of an existing function is valid until it is released.
    unsafe {
        let tuple = pg_sys::SearchSysCache1(pg_sys::SysCacheIdentifier::PROCOID as i32, function.into());
        let language = (*pg_sys::heap_tuple_get_struct::<pg_sys::FormData_pg_proc>(tuple)).prolang;
        pg_sys::ReleaseSysCache(tuple);
        language.to_u32() == C_LANGUAGE
    }
}

/// The extension that an object of a catalog belongs to.
///
/// # Safety
/// `catalog` is the OID of a catalog.
unsafe fn extension_of(catalog: pg_sys::Oid, object: pg_sys::Oid) -> Option<pg_sys::Oid> {
    // SAFETY: the caller's; a look-up in pg_depend.
    let extension = unsafe { pg_sys::getExtensionOfObject(catalog, object) };
    (extension != pg_sys::InvalidOid).then_some(extension)
}
