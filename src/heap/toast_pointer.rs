//! The pointer that a row holds in the place of a value that is stored out of line.

use pgrx::pg_sys;

/// Bytes of a toast pointer, the two of its varlena header first.
const POINTER: usize = 2 + size_of::<pg_sys::varatt_external>();

/// A value's toast pointer.
#[derive(Clone, Copy)]
pub struct ToastPointer {
    bytes: [u8; POINTER],
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
            let bytes = varlena.cast::<[u8; POINTER]>().read();
            let external = bytes.as_ptr().add(2).cast::<pg_sys::varatt_external>().read_unaligned();
            let size = (external.va_extinfo & pg_sys::VARLENA_EXTSIZE_MASK) as usize;
            let is_plain = external.va_rawsize as usize == size + pg_sys::VARHDRSZ;
            let (number, table) = (external.va_valueid.to_u32(), external.va_toastrelid);
            is_plain.then_some(ToastPointer { bytes, number, size, table })
        }
    }

    /// The value, still stored out of line.
    pub fn as_datum(&self) -> pg_sys::Datum {
        self.bytes.as_ptr().into()
    }
}
