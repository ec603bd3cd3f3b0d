//! The pointer that a row holds in the place of a value that is stored out of line.

use pgrx::pg_sys;
use stored_bytes::TOAST_POINTER;

/// A value's toast pointer.
#[derive(Clone, Copy)]
pub struct ToastPointer {
    bytes: [u8; TOAST_POINTER],
    pub number: u32,
    /// Bytes of the value without a header.
    pub size: usize,
    pub table: pg_sys::Oid,
}

impl ToastPointer {
    /// That of a value which is stored out of line and not compressed.
    ///
    /// # Safety
    /// `value` is a non-null varlena.
    pub unsafe fn of(value: pg_sys::Datum) -> Option<Self> {
        let varlena = value.cast_mut_ptr::<pg_sys::varlena>();
        // SAFETY: the caller's. A varlena on disc is a header of two bytes and a varatt_external, at any address.
        unsafe {
            let on_disc = pg_sys::vartag_external::VARTAG_ONDISK as u8;
            if !pgrx::varatt_is_1b_e(varlena) || pgrx::vartag_1b_e(varlena) != on_disc {
                return None;
            }
            let bytes = varlena.cast::<[u8; TOAST_POINTER]>().read();
            let stored_bytes::ToastPointer { value_id, size, table } = stored_bytes::toast_pointer(&bytes)?;
            Some(ToastPointer { bytes, number: value_id, size, table: table.into() })
        }
    }

    /// The value, still stored out of line.
    pub fn as_datum(&self) -> pg_sys::Datum {
        self.bytes.as_ptr().into()
    }
}
