//! pgvector's `vector`, its arrays, and their byte layout.
//!
//! ```text
//! int32 varlena header | int16 dimensions | int16 unused = 0 | float4 per dimension
//! ```

use std::ffi::c_char;
use std::ptr::NonNull;

use pgrx::callconv::{BoxRet, FcInfo};
use pgrx::{IntoDatum, pg_sys};

use crate::error::Error;
use crate::postgres::unwind;
use crate::postgres::{check_interrupts, memory};

/// Bytes before the first element.
const HEADER: usize = stored_bytes::VECTOR_HEADER;

/// A `vector` value of Postgres, detoasted, read-only.
pub struct Vector {
    varlena: NonNull<pg_sys::varlena>,
    /// Whether detoasting made a copy, which is freed with this value.
    copied: bool,
}

impl Vector {
    /// # Errors
    /// [`Error::CorruptVector`] when size and dimensions contradict each other.
    ///
    /// # Safety
    /// `datum` is a non-null value of type `vector` that outlives the result.
    pub unsafe fn from_datum(datum: pg_sys::Datum) -> Result<Self, Error> {
        let original = datum.cast_mut_ptr::<pg_sys::varlena>();
        // SAFETY: the caller passes a varlena; pg_detoast_datum returns it or a palloc'd copy.
        let varlena = unsafe { NonNull::new(pg_sys::pg_detoast_datum(original)) };
        let varlena = varlena.ok_or(Error::CorruptVector)?;
        let vector = Vector { varlena, copied: varlena.as_ptr() != original };
        // SAFETY: a detoasted varlena has a four-byte header with its size.
        let bytes = unsafe {
            let size = pgrx::varsize_any(varlena.as_ptr());
            std::slice::from_raw_parts(varlena.as_ptr().cast::<u8>(), size)
        };
        stored_bytes::vector_dimensions(bytes).map(|_| vector).ok_or(Error::CorruptVector)
    }

    fn dimensions(&self) -> usize {
        // SAFETY: the two bytes behind the varlena header are the dimensions; from_datum checks the
        // size before anything else is read, and every allocation of a varlena is aligned to four.
        let dimensions = unsafe { self.varlena.as_ptr().cast::<i16>().add(2).read() };
        usize::try_from(dimensions).unwrap_or(0)
    }

    /// The elements, one per dimension.
    pub fn values(&self) -> &[f32] {
        // SAFETY: from_datum has checked that the varlena holds this many floats behind its header,
        // and they live as long as `self`.
        unsafe {
            let first = self.varlena.as_ptr().cast::<u8>().add(HEADER).cast::<f32>();
            std::slice::from_raw_parts(first, self.dimensions())
        }
    }
}

impl Drop for Vector {
    fn drop(&mut self) {
        if self.copied {
            // SAFETY: the copy was palloc'd by pg_detoast_datum and nothing else refers to it.
            unwind::close(|| unsafe { pg_sys::pfree(self.varlena.as_ptr().cast()) });
        }
    }
}

/// A one-dimensional array of `vector`.
pub struct VectorArray(Vec<Option<Vector>>);

impl VectorArray {
    /// The elements in order.
    pub fn vectors(&self) -> &[Option<Vector>] {
        &self.0
    }

    /// # Errors
    /// [`Error::ArrayNotFlat`], and what [`Vector::from_datum`] fails with.
    ///
    /// # Safety
    /// `datum` is a non-null value of type `vector[]` that outlives the result.
    pub unsafe fn from_datum(datum: pg_sys::Datum) -> Result<Self, Error> {
        // SAFETY: the caller passes an array; detoasted it starts with an ArrayType.
        let array = unsafe { pg_sys::pg_detoast_datum(datum.cast_mut_ptr()).cast::<pg_sys::ArrayType>() };
        // SAFETY: a detoasted array starts with an ArrayType.
        let (dimensions, element) = unsafe { ((*array).ndim, (*array).elemtype) };
        if dimensions > 1 {
            return Err(Error::ArrayNotFlat);
        }
        let (mut values, mut nulls) = (std::ptr::null_mut(), std::ptr::null_mut());
        let mut count = 0;
        // SAFETY: `vector` is a varlena of alignment int, as its CREATE TYPE says; deconstruct_array
        // pallocs `count` values and null flags.
        let (values, nulls) = unsafe {
            let (length, by_value, align) = (-1, false, pg_sys::TYPALIGN_INT as c_char);
            pg_sys::deconstruct_array(
                array,
                element,
                length,
                by_value,
                align,
                &mut values,
                &mut nulls,
                &mut count,
            );
            let count = usize::try_from(count).unwrap_or(0);
            match count {
                0 => (&[][..], &[][..]),
                _ => (std::slice::from_raw_parts(values, count), std::slice::from_raw_parts(nulls, count)),
            }
        };
        let mut vectors = memory::with_room(values.len())?;
        for (&value, &null) in values.iter().zip(nulls) {
            // SAFETY: an element of a `vector[]` that is not null, alive as long as the array.
            vectors.push((!null).then(|| unsafe { Vector::from_datum(value) }).transpose()?);
            check_interrupts();
        }
        Ok(VectorArray(vectors))
    }
}

/// A `vector` to return.
pub struct NewVector(pub Vec<f32>);

pgrx::impl_sql_translatable!(NewVector, "vector");

impl NewVector {
    fn into_varlena(self) -> pg_sys::Datum {
        let size = HEADER + 4 * self.0.len();
        // SAFETY: palloc returns `size` bytes, aligned to eight, or raises; header, dimensions and
        // elements fill them exactly.
        unsafe {
            let varlena = pg_sys::palloc0(size).cast::<pg_sys::varlena>();
            pgrx::set_varsize_4b(varlena, size as i32);
            varlena.cast::<i16>().add(2).write(self.0.len() as i16);
            let first = varlena.cast::<u8>().add(HEADER).cast::<f32>();
            std::ptr::copy_nonoverlapping(self.0.as_ptr(), first, self.0.len());
            pg_sys::Datum::from(varlena)
        }
    }
}

impl IntoDatum for NewVector {
    fn into_datum(self) -> Option<pg_sys::Datum> {
        Some(self.into_varlena())
    }

    /// The OID of `vector` differs from database to database; no caller here asks for it.
    fn type_oid() -> pg_sys::Oid {
        pg_sys::InvalidOid
    }
}

// SAFETY: the datum is a palloc'd varlena with the layout of `vector`, as SQL declares the result.
unsafe impl BoxRet for NewVector {
    unsafe fn box_into<'fcx>(self, fcinfo: &mut FcInfo<'fcx>) -> pgrx::datum::Datum<'fcx> {
        // SAFETY: into_varlena makes a `vector`, which is what SQL declares.
        unsafe { fcinfo.return_raw_datum(self.into_varlena()) }
    }
}
