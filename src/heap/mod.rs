//! Rows and values read from heap and TOAST pages.

pub mod page;
mod read_ahead;
pub mod table;
pub mod toast;
pub mod toast_chunks;
pub mod toast_pointer;
