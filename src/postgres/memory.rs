//! Memory that users ask for: bounded, and an error where there is none.
//!
//! Rows are kept in Postgres' memory contexts, where pg_backend_memory_contexts shows them. What else grows with the
//! input is asked for by `try_reserve`; and before much of it is needed in small pieces, [`probe`] asks for all at once.

use std::ffi::c_void;

use exemplar_svm::memory::{OutOfMemory, RowMemory};
use pgrx::pg_sys;

use crate::error::Error;
use crate::postgres::{gucs, unwind};

const CACHE_LINE: usize = 64;

/// An array of `rows` rows of `dimensions` values in single precision, in bytes.
pub fn bytes_of_rows(rows: usize, dimensions: usize) -> usize {
    rows.saturating_mul(dimensions).saturating_mul(size_of::<f32>())
}

/// Checks that `bytes` are no more than the setting allows.
///
/// # Errors
/// [`Error::MemoryLimit`], whose hint says `what` to lower.
pub fn check_limit(bytes: usize, what: &'static str) -> Result<(), Error> {
    let limit = gucs::max_memory();
    if bytes > limit { Err(Error::MemoryLimit { bytes, limit, what }) } else { Ok(()) }
}

/// Checks that `bytes` can be had, and some more: asks for them in one piece and gives them back. What is then asked for in
/// small pieces is there, since nothing else runs in this process.
///
/// # Errors
/// [`Error::OutOfMemory`].
pub fn probe(bytes: usize) -> Result<(), Error> {
    const MARGIN: usize = 1 << 20;
    let bytes = bytes.saturating_add(MARGIN);
    // SAFETY: a context that is always there; what it gives is not used and freed at once.
    unsafe {
        let probed =
            allocate(pg_sys::CurrentMemoryContext, bytes).map_err(|_| Error::OutOfMemory { bytes })?;
        pg_sys::pfree(probed);
    }
    Ok(())
}

/// Room for `count` more elements.
///
/// # Errors
/// [`Error::OutOfMemory`].
pub fn with_room<T>(count: usize) -> Result<Vec<T>, Error> {
    let mut vec = Vec::new();
    let bytes = count.saturating_mul(size_of::<T>());
    vec.try_reserve_exact(count).map_err(|_| Error::OutOfMemory { bytes })?;
    Ok(vec)
}

/// # Safety
/// `context` is a valid memory context.
unsafe fn allocate(context: pg_sys::MemoryContext, bytes: usize) -> Result<*mut c_void, OutOfMemory> {
    let flags = (pg_sys::MCXT_ALLOC_HUGE | pg_sys::MCXT_ALLOC_NO_OOM) as i32;
    if bytes > isize::MAX as usize / 2 {
        return Err(OutOfMemory);
    }
    // SAFETY: the caller's; the size is valid for a huge allocation.
    let memory = unsafe { pg_sys::MemoryContextAllocExtended(context, bytes, flags) };
    if memory.is_null() { Err(OutOfMemory) } else { Ok(memory) }
}

/// Values in a memory context, the first at the start of a cache line.
#[derive(Debug)]
pub struct ContextMemory {
    context: pg_sys::MemoryContext,
    /// Whether the context has nothing else, and goes with this.
    owned: bool,
    chunk: *mut c_void,
    values: *mut f32,
    len: usize,
    capacity: usize,
}

impl ContextMemory {
    /// In a context of its own, which lives until this is dropped, and at most as long as the current one.
    pub fn for_sample() -> Self {
        let sizes =
            [pg_sys::ALLOCSET_SMALL_MINSIZE, pg_sys::ALLOCSET_SMALL_INITSIZE, pg_sys::ALLOCSET_SMALL_MAXSIZE];
        let [least, first, most] = sizes.map(|size| size as usize);
        // SAFETY: there is always a current context; the name is static, as Postgres wants it.
        let context = unsafe {
            let (parent, name) = (pg_sys::CurrentMemoryContext, c"hinted_exemplar sample".as_ptr());
            pg_sys::AllocSetContextCreateExtended(parent, name, least, first, most)
        };
        ContextMemory { owned: true, ..Self::none(context) }
    }

    /// Has the context of its own live until this is dropped, whatever becomes of the current one.
    pub fn outlive_call(&mut self) {
        // SAFETY: both contexts are alive.
        unsafe { pg_sys::MemoryContextSetParent(self.context, pg_sys::TopMemoryContext) }
    }

    /// Has the context of its own live at most as long as the current one again.
    pub fn end_with_call(&mut self) {
        // SAFETY: both contexts are alive.
        unsafe { pg_sys::MemoryContextSetParent(self.context, pg_sys::CurrentMemoryContext) }
    }

    /// In a context that other things are in, too.
    ///
    /// # Safety
    /// `context` is valid for as long as this is used.
    pub unsafe fn within(context: pg_sys::MemoryContext) -> Self {
        Self::none(context)
    }

    fn none(context: pg_sys::MemoryContext) -> Self {
        let values = std::ptr::NonNull::dangling().as_ptr();
        ContextMemory { context, owned: false, chunk: std::ptr::null_mut(), values, len: 0, capacity: 0 }
    }

    /// Appends `values`.
    ///
    /// # Errors
    /// [`OutOfMemory`].
    pub fn append(&mut self, values: &[f32]) -> Result<(), OutOfMemory> {
        let start = self.len;
        self.resize(start + values.len())?;
        self.values_mut()[start..].copy_from_slice(values);
        Ok(())
    }

    fn grow(&mut self, capacity: usize) -> Result<(), OutOfMemory> {
        let bytes = capacity.checked_mul(size_of::<f32>()).and_then(|bytes| bytes.checked_add(CACHE_LINE));
        // SAFETY: the context is alive; the new chunk holds `capacity` values behind the first cache line's start, and
        // the old one, of `len` values, is freed once.
        unsafe {
            let chunk = allocate(self.context, bytes.ok_or(OutOfMemory)?)?;
            let values = chunk.byte_add(chunk.align_offset(CACHE_LINE)).cast::<f32>();
            std::ptr::copy_nonoverlapping(self.values, values, self.len);
            if !self.chunk.is_null() {
                pg_sys::pfree(self.chunk);
            }
            (self.chunk, self.values, self.capacity) = (chunk, values, capacity);
        }
        Ok(())
    }
}

impl RowMemory for ContextMemory {
    fn values(&self) -> &[f32] {
        // SAFETY: `len` values were written there, or none.
        unsafe { std::slice::from_raw_parts(self.values, self.len) }
    }

    fn values_mut(&mut self) -> &mut [f32] {
        // SAFETY: as in `values`, and nothing else refers to them.
        unsafe { std::slice::from_raw_parts_mut(self.values, self.len) }
    }

    fn reserve(&mut self, additional: usize) -> Result<(), OutOfMemory> {
        let wanted = self.len.checked_add(additional).ok_or(OutOfMemory)?;
        if wanted > self.capacity { self.grow(wanted) } else { Ok(()) }
    }

    fn resize(&mut self, len: usize) -> Result<(), OutOfMemory> {
        if len > self.capacity {
            self.grow(len.max(self.capacity.saturating_mul(2)))?;
        }
        if len > self.len {
            // SAFETY: there is room for `len` values; zero bytes are the value 0.
            unsafe { self.values.add(self.len).write_bytes(0, len - self.len) };
        }
        self.len = len;
        Ok(())
    }

    fn capacity(&self) -> usize {
        self.capacity
    }

    fn empty(&self) -> Box<dyn RowMemory> {
        Box::new(Self::for_sample())
    }
}

impl Drop for ContextMemory {
    fn drop(&mut self) {
        if self.owned {
            // SAFETY: made in `for_sample`, deleted once; nothing else is in it.
            unwind::close(|| unsafe { pg_sys::MemoryContextDelete(self.context) });
        }
    }
}
