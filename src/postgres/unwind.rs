//! What Rust does while an error of Postgres passes through it.
//!
//! pgrx catches Postgres' long jump and goes on as a panic, so destructors run. One rule holds for all of them: while a
//! panic passes, nothing is asked of Postgres. The end of the transaction, or of the part of it that the caller undoes,
//! closes what is open, in the right order. Until then inner levels may still be open, so that a destructor would close
//! another's. And a second error before the first is handled ends the server.
//!
//! Rust's own memory is freed as ever, and variables are put back: [`InContext`].

use pgrx::pg_sys;

/// Runs `close`, the body of a destructor, unless an error passes.
pub fn close(close: impl FnOnce()) {
    if !std::thread::panicking() {
        close();
    }
}

/// Has Postgres allocate in another memory context until dropped, by an error too.
pub struct InContext {
    previous: pg_sys::MemoryContext,
}

impl InContext {
    /// # Safety
    /// `context` is valid until the result is dropped.
    pub unsafe fn switch_to(context: pg_sys::MemoryContext) -> Self {
        // SAFETY: a variable of a process that has one thread.
        unsafe {
            let previous = pg_sys::CurrentMemoryContext;
            pg_sys::CurrentMemoryContext = context;
            InContext { previous }
        }
    }
}

impl Drop for InContext {
    fn drop(&mut self) {
        // SAFETY: only a variable is written. What was current before lives at least as long as the caller.
        unsafe { pg_sys::CurrentMemoryContext = self.previous }
    }
}

/// Memory for what a call leaves behind.
pub struct Scratch(pg_sys::MemoryContext);

impl Scratch {
    /// In the current memory context, which must outlive it.
    pub fn new() -> Self {
        let sizes = [
            pg_sys::ALLOCSET_DEFAULT_MINSIZE,
            pg_sys::ALLOCSET_DEFAULT_INITSIZE,
            pg_sys::ALLOCSET_DEFAULT_MAXSIZE,
        ];
        let [least, first, most] = sizes.map(|size| size as usize);
        // SAFETY: there is always a current context; the name is static, as Postgres wants it.
        unsafe {
            let (parent, name) = (pg_sys::CurrentMemoryContext, c"hinted_exemplar scratch".as_ptr());
            Scratch(pg_sys::AllocSetContextCreateExtended(parent, name, least, first, most))
        }
    }

    /// Calls `with`, and then frees what it has allocated with Postgres.
    ///
    /// # Safety
    /// The result refers to nothing of that.
    pub unsafe fn with<T>(&mut self, with: impl FnOnce() -> T) -> T {
        // SAFETY: the context is valid until `self` is dropped; the caller's for the rest.
        unsafe {
            let context = InContext::switch_to(self.0);
            let result = with();
            drop(context);
            pg_sys::MemoryContextReset(self.0);
            result
        }
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // SAFETY: made by `new`, deleted once, and not current outside `with`.
        close(|| unsafe { pg_sys::MemoryContextDelete(self.0) });
    }
}
