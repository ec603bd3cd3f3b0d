//! The memory that rows are kept in.

use aligned_vec::{AVec, ConstAlign};

const CACHE_LINE: usize = 64;

/// No memory is to be had, or no more than there may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OutOfMemory;

/// Values one behind the other that grow at their end. Wide loads that cross from one cache line into the next take
/// twice as long, so the first value had better be at the start of one.
pub trait RowMemory: std::any::Any + std::fmt::Debug {
    fn values(&self) -> &[f32];

    fn values_mut(&mut self) -> &mut [f32];

    /// Makes room for `additional` more values, no more than these.
    ///
    /// # Errors
    /// [`OutOfMemory`]; nothing has changed then.
    fn reserve(&mut self, additional: usize) -> Result<(), OutOfMemory>;

    /// Makes them `len` values; new ones are 0. Growing by a little many times costs no more than growing once.
    ///
    /// # Errors
    /// [`OutOfMemory`]; nothing has changed then.
    fn resize(&mut self, len: usize) -> Result<(), OutOfMemory>;

    /// How many values there is room for.
    fn capacity(&self) -> usize;

    /// No values, in memory of the same kind.
    fn empty(&self) -> Box<dyn RowMemory>;
}

/// Memory of Rust's allocator, at the start of a cache line.
#[derive(Debug)]
pub struct Heap(AVec<f32, ConstAlign<CACHE_LINE>>);

impl Default for Heap {
    fn default() -> Self {
        Heap(AVec::with_capacity(CACHE_LINE, 0))
    }
}

impl RowMemory for Heap {
    fn values(&self) -> &[f32] {
        &self.0
    }

    fn values_mut(&mut self) -> &mut [f32] {
        &mut self.0
    }

    fn reserve(&mut self, additional: usize) -> Result<(), OutOfMemory> {
        self.0.try_reserve_exact(additional).map_err(|_| OutOfMemory)
    }

    fn resize(&mut self, len: usize) -> Result<(), OutOfMemory> {
        self.0.try_reserve(len.saturating_sub(self.0.len())).map_err(|_| OutOfMemory)?;
        self.0.resize(len, 0.0);
        Ok(())
    }

    fn capacity(&self) -> usize {
        self.0.capacity()
    }

    fn empty(&self) -> Box<dyn RowMemory> {
        Box::new(Heap::default())
    }
}

/// `count` of `value`.
///
/// # Errors
/// [`OutOfMemory`].
pub(crate) fn filled<T: Clone>(count: usize, value: T) -> Result<Vec<T>, OutOfMemory> {
    let mut filled = with_room(count)?;
    filled.resize(count, value);
    Ok(filled)
}

/// Nothing yet, and room for `count`.
///
/// # Errors
/// [`OutOfMemory`].
pub(crate) fn with_room<T>(count: usize) -> Result<Vec<T>, OutOfMemory> {
    let mut vec = Vec::new();
    vec.try_reserve_exact(count).map_err(|_| OutOfMemory)?;
    Ok(vec)
}
