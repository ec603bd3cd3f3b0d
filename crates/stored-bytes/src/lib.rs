//! What Postgres stores, decoded from bytes.
//!
//! The layouts are those of `storage/bufpage.h`, `storage/itemid.h`, `access/htup_details.h`, `varatt.h` and, for vectors, pgvector's
//! `vector.h`, in the byte order of the machine. Bytes that are not what a function decodes give `None`: a damaged page is the reader's
//! to report, never a reason to read what lies beside it.

#![forbid(unsafe_code)]
#![deny(missing_docs)]

use std::ops::Range;

/// Bytes of a page's header, behind which its line pointers begin.
pub const PAGE_HEADER: usize = 24;

/// Bytes of a line pointer.
pub const LINE_POINTER: usize = 4;

/// Bytes of a row's header without its null bitmap.
pub const ROW_HEADER: usize = 23;

/// Bytes of a toast pointer, the two of its own header first.
pub const TOAST_POINTER: usize = 18;

/// Bytes of a plain varlena's header.
pub const VARLENA_HEADER: usize = 4;

/// Bytes of a `vector` before its first element.
pub const VECTOR_HEADER: usize = 8;

/// The state of a line pointer that has a row.
const LP_NORMAL: u32 = 1;

/// The tag of a toast pointer to a value on disc.
const VARTAG_ONDISK: u8 = 18;

/// Where a page's header has the end of its line pointers.
const LOWER: usize = 12;

/// Where a row's header has the place of its first column.
const HEADER_LENGTH: usize = 22;

/// The bits of a size; the two others are flags or the method of compression.
const SIZE_MASK: u32 = (1 << 30) - 1;

fn array<const N: usize>(bytes: &[u8], at: usize) -> Option<[u8; N]> {
    bytes.get(at..at.checked_add(N)?)?.try_into().ok()
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    array(bytes, at).map(u32::from_ne_bytes)
}

/// How many line pointers a page has; 0 for one that is new or damaged.
pub fn line_pointers(page: &[u8]) -> u16 {
    let lower = array(page, LOWER).map_or(0, u16::from_ne_bytes);
    let bytes = usize::from(lower).min(page.len()).saturating_sub(PAGE_HEADER);
    u16::try_from(bytes / LINE_POINTER).unwrap_or(0)
}

/// Where on its page the row of a line pointer is, the first of which is 1; `None` where it has none or the row would not lie behind the
/// line pointers and within the page.
pub fn row(page: &[u8], offset: u16) -> Option<Range<usize>> {
    let count = line_pointers(page);
    if offset == 0 || offset > count {
        return None;
    }
    let pointer = u32_at(page, PAGE_HEADER + LINE_POINTER * (usize::from(offset) - 1))?;
    // Bit fields of 15, 2 and 15 bits, which compilers put into a word from the end that its bytes begin with.
    let (start, state, length) = if cfg!(target_endian = "little") {
        (pointer & 0x7fff, pointer >> 15 & 3, pointer >> 17)
    } else {
        (pointer >> 17, pointer >> 15 & 3, pointer & 0x7fff)
    };
    let row = start as usize..start as usize + length as usize;
    let lies_within = row.start >= PAGE_HEADER + LINE_POINTER * usize::from(count) && row.end <= page.len();
    (state == LP_NORMAL && lies_within && row.len() >= ROW_HEADER).then_some(row)
}

/// Where behind its header the content of a varlena is that is neither compressed nor elsewhere; the header may be of one byte or four.
pub fn varlena(bytes: &[u8]) -> Option<Range<usize>> {
    let first = *bytes.first()?;
    let content = if has_short_header(first) {
        let length = if cfg!(target_endian = "little") { first >> 1 } else { first & 0x7f };
        // A length of 0 is the mark of a toast pointer.
        1..usize::from(length)
    } else {
        let header = u32_at(bytes, 0)?;
        let (flags, length) = if cfg!(target_endian = "little") {
            (header & 3, header >> 2)
        } else {
            (header >> 30, header & SIZE_MASK)
        };
        if flags != 0 {
            return None;
        }
        VARLENA_HEADER..length as usize
    };
    bytes.get(content.clone()).map(|_| content)
}

fn has_short_header(first: u8) -> bool {
    if cfg!(target_endian = "little") { first & 1 == 1 } else { first & 0x80 != 0 }
}

/// What a row holds in the place of a value that is stored out of line and not compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ToastPointer {
    /// The value's id.
    pub value_id: u32,
    /// Bytes of the value without a header.
    pub size: usize,
    /// The OID of the table with its chunks.
    pub table: u32,
}

/// The toast pointer that a varlena is.
pub fn toast_pointer(bytes: &[u8]) -> Option<ToastPointer> {
    let mark = if cfg!(target_endian = "little") { 0x01 } else { 0x80 };
    if array(bytes, 0)? != [mark, VARTAG_ONDISK] {
        return None;
    }
    let (raw_size, stored) = (u32_at(bytes, 2)?, u32_at(bytes, 6)?);
    let size = (stored & SIZE_MASK) as usize;
    let is_plain = raw_size as usize == size + VARLENA_HEADER;
    is_plain.then_some(ToastPointer { value_id: u32_at(bytes, 10)?, size, table: u32_at(bytes, 14)? })
}

/// A part of a value that is stored out of line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chunk {
    /// The id of the value.
    pub value_id: u32,
    /// Its place among the value's parts, from 0.
    pub sequence: i32,
    /// Where in the row its bytes are.
    pub data: Range<usize>,
}

/// The chunk in a row of a table of chunks: an oid, an int4 and a plain varlena, none of which is ever null.
pub fn chunk(row: &[u8]) -> Option<Chunk> {
    let columns = usize::from(*row.get(HEADER_LENGTH)?);
    if columns < ROW_HEADER {
        return None;
    }
    let value_id = u32_at(row, columns)?;
    let sequence = i32::from_ne_bytes(array(row, columns + 4)?);
    let content = varlena(row.get(columns + 8..)?)?;
    Some(Chunk { value_id, sequence, data: columns + 8 + content.start..columns + 8 + content.end })
}

/// How many elements a `vector` has that is a plain varlena of these bytes, its header of four bytes included; `None` unless size and
/// dimensions agree.
pub fn vector_dimensions(bytes: &[u8]) -> Option<usize> {
    if varlena(bytes)? != (VARLENA_HEADER..bytes.len()) {
        return None;
    }
    let dimensions = usize::try_from(i16::from_ne_bytes(array(bytes, VARLENA_HEADER)?)).ok()?;
    (dimensions > 0 && bytes.len() == VECTOR_HEADER + 4 * dimensions).then_some(dimensions)
}

#[cfg(test)]
mod tests;
