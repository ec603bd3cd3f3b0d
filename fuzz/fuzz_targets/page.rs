//! A heap page of any bytes: every row lies within it behind the line pointers, and so does every chunk within its row.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|page: &[u8]| {
    let count = stored_bytes::line_pointers(page);
    for offset in 0..=count.saturating_add(1) {
        let Some(row) = stored_bytes::row(page, offset) else { continue };
        assert!((1..=count).contains(&offset) && row.end <= page.len());
        assert!(row.start >= stored_bytes::PAGE_HEADER + stored_bytes::LINE_POINTER * usize::from(count));
        if let Some(chunk) = stored_bytes::chunk(&page[row.clone()]) {
            assert!(chunk.data.start > stored_bytes::ROW_HEADER && chunk.data.end <= row.len());
        }
    }
});
