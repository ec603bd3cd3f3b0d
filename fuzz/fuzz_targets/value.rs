//! A value of any bytes: a varlena's content lies within it, a vector has the elements that it says, a toast pointer is no value of its own.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let content = stored_bytes::varlena(bytes);
    if let Some(content) = &content {
        assert!(content.start <= content.end && content.end <= bytes.len());
    }
    if let Some(dimensions) = stored_bytes::vector_dimensions(bytes) {
        assert_eq!(bytes.len(), stored_bytes::VECTOR_HEADER + 4 * dimensions);
        assert_eq!(content, Some(stored_bytes::VARLENA_HEADER..bytes.len()));
    }
    if let Some(pointer) = stored_bytes::toast_pointer(bytes) {
        assert!(content.is_none() && pointer.size < 1 << 30);
    }
    if let Some(chunk) = stored_bytes::chunk(bytes) {
        assert!(chunk.data.start <= chunk.data.end && chunk.data.end <= bytes.len());
    }
});
