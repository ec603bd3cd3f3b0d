//! A column's values as vectors: `vector` itself, and types with a cast to it.

use std::cell::{RefCell, UnsafeCell};

use pgrx::{IntoDatum, PgMemoryContexts, pg_sys};

use crate::error::Error;
use crate::postgres::vector::Vector;

/// How values of a type become vectors. Casts are found by OID, whatever the search_path.
pub enum Cast {
    /// The type is `vector`.
    None,
    Function {
        function: UnsafeCell<pg_sys::FmgrInfo>,
        arguments: i32,
        /// What a call leaves behind, freed after each.
        scratch: RefCell<PgMemoryContexts>,
    },
}

impl Cast {
    /// The cast from a base type to `vector_type`; `None` for a type that is not one of vectors.
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
        let scratch = RefCell::new(PgMemoryContexts::new("hinted_exemplar cast"));
        Some(Cast::Function { function: UnsafeCell::new(look_up), arguments, scratch })
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
                let mut scratch = scratch.borrow_mut();
                let none = pg_sys::InvalidOid;
                let function = function.get();
                let (typmod, explicit) = ((-1).into_datum(), true.into_datum());
                let (typmod, explicit) = (typmod.unwrap_or(value), explicit.unwrap_or(value));
                // SAFETY: a cast function takes the value, and may take a type modifier and whether the
                // cast is explicit. Nothing refers to what the call has allocated when it is freed.
                unsafe {
                    let with_vector = |_: &mut PgMemoryContexts| {
                        let vector = match arguments {
                            1 => pg_sys::FunctionCall1Coll(function, none, value),
                            2 => pg_sys::FunctionCall2Coll(function, none, value, typmod),
                            _ => pg_sys::FunctionCall3Coll(function, none, value, typmod, explicit),
                        };
                        Vector::from_datum(vector).map(|vector| with(vector.values()))
                    };
                    let result = scratch.switch_to(with_vector);
                    scratch.reset();
                    result
                }
            }
        }
    }
}

/// The function that casts a base type to `vector_type`. Of arrays only those of real numbers: an array
/// of integers is seldom an embedding.
fn function(base_type: pg_sys::Oid, vector_type: pg_sys::Oid) -> Option<pg_sys::Oid> {
    let mut function = pg_sys::InvalidOid;
    // SAFETY: catalog look-ups of existing types.
    unsafe {
        let explicit = pg_sys::CoercionContext::COERCION_EXPLICIT;
        let path = pg_sys::find_coercion_pathway(vector_type, base_type, explicit, &mut function);
        let is_array = pg_sys::get_element_type(base_type) != pg_sys::InvalidOid;
        let is_real = [pg_sys::FLOAT4ARRAYOID, pg_sys::FLOAT8ARRAYOID].contains(&base_type);
        (path == pg_sys::CoercionPathType::COERCION_PATH_FUNC && (is_real || !is_array)).then_some(function)
    }
}
