use super::*;

/// A page of 256 bytes with line pointers to these rows, each a state and where it is.
fn page(rows: &[(u32, usize, usize)]) -> Vec<u8> {
    let mut page = vec![0; 256];
    let lower = (PAGE_HEADER + LINE_POINTER * rows.len()) as u16;
    page[LOWER..LOWER + 2].copy_from_slice(&lower.to_ne_bytes());
    for (i, &(state, start, length)) in rows.iter().enumerate() {
        let pointer = if cfg!(target_endian = "little") {
            start as u32 | state << 15 | (length as u32) << 17
        } else {
            (start as u32) << 17 | state << 15 | length as u32
        };
        let at = PAGE_HEADER + LINE_POINTER * i;
        page[at..at + 4].copy_from_slice(&pointer.to_ne_bytes());
    }
    page
}

/// A varlena with a header of four bytes.
fn plain(content: &[u8]) -> Vec<u8> {
    let length = (VARLENA_HEADER + content.len()) as u32;
    let header = if cfg!(target_endian = "little") { length << 2 } else { length };
    [&header.to_ne_bytes(), content].concat()
}

/// One with a header of one byte.
fn short(content: &[u8]) -> Vec<u8> {
    let length = (1 + content.len()) as u8;
    let header = if cfg!(target_endian = "little") { length << 1 | 1 } else { length | 0x80 };
    [&[header], content].concat()
}

#[test]
fn rows_are_where_their_line_pointers_say() {
    let page = page(&[(1, 200, 56), (0, 0, 0), (2, 1, 0), (3, 0, 0), (1, 100, 23)]);
    assert_eq!(line_pointers(&page), 5);
    let rows: Vec<_> = (0..=6).map(|offset| row(&page, offset)).collect();
    assert_eq!(rows, [None, Some(200..256), None, None, None, Some(100..123), None]);
}

#[test]
fn a_damaged_page_has_no_rows_outside_it() {
    assert_eq!(row(&page(&[(1, 200, 57)]), 1), None, "beyond the page");
    assert_eq!(row(&page(&[(1, 20, 40)]), 1), None, "over the line pointers");
    assert_eq!(row(&page(&[(1, 200, 22)]), 1), None, "shorter than a row's header");
    assert_eq!(line_pointers(&[0; 256]), 0, "a new page");
    assert_eq!(line_pointers(&[]), 0);
    let mut all = vec![0xff; 256];
    assert_eq!(
        usize::from(line_pointers(&all)),
        (256 - PAGE_HEADER) / LINE_POINTER,
        "no more than there is room for"
    );
    all.truncate(30);
    assert_eq!(line_pointers(&all), 1);
}

#[test]
fn varlenas_have_headers_of_one_byte_or_four() {
    assert_eq!(varlena(&plain(b"abc")), Some(4..7));
    assert_eq!(varlena(&short(b"abc")), Some(1..4));
    assert_eq!(varlena(&short(b"")), Some(1..1));
    assert_eq!(varlena(&plain(b"abc")[..6]), None, "cut off");
    assert_eq!(varlena(&[]), None);
    let mut compressed = plain(b"abc");
    compressed[if cfg!(target_endian = "little") { 0 } else { 3 }] |=
        if cfg!(target_endian = "little") { 2 } else { 0x40 };
    assert_ne!(varlena(&compressed), Some(4..7));
}

fn toasted(raw_size: u32, stored: u32) -> Vec<u8> {
    let mark = if cfg!(target_endian = "little") { 1 } else { 0x80 };
    let mut bytes = vec![mark, VARTAG_ONDISK];
    [raw_size, stored, 77, 88].iter().for_each(|number| bytes.extend(number.to_ne_bytes()));
    bytes
}

#[test]
fn toast_pointers_are_those_of_plain_values() {
    assert_eq!(
        toast_pointer(&toasted(1004, 1000)),
        Some(ToastPointer { value_id: 77, size: 1000, table: 88 })
    );
    assert_eq!(toast_pointer(&toasted(1004, 600)), None, "compressed");
    assert_eq!(toast_pointer(&toasted(1004, 1 << 30 | 600)), None, "compressed by another method");
    assert_eq!(toast_pointer(&toasted(1004, 1000)[..17]), None, "cut off");
    assert_eq!(toast_pointer(&plain(b"0123456789abcdefg")), None);
    assert_eq!(varlena(&toasted(1004, 1000)), None, "no value of its own");
}

#[test]
fn chunks_are_an_id_a_sequence_and_their_bytes() {
    for value in [plain(b"0123"), short(b"0123")] {
        let head = [&[0; HEADER_LENGTH][..], &[24, 0], &5u32.to_ne_bytes(), &7i32.to_ne_bytes()].concat();
        let row = [head, value].concat();
        let found = chunk(&row).unwrap();
        assert_eq!((found.value_id, found.sequence, &row[found.data]), (5, 7, &b"0123"[..]));
        assert_eq!(chunk(&row[..row.len() - 1]), None, "cut off");
    }
    assert_eq!(chunk(&[0; 40]), None, "columns within the header");
    assert_eq!(chunk(&[0xff; 40]), None, "columns beyond the row");
}

#[test]
fn vectors_are_as_long_as_they_say() {
    let of = |dimensions: i16, elements: usize| {
        plain(&[&dimensions.to_ne_bytes()[..], &[0; 2], &vec![0; 4 * elements]].concat())
    };
    assert_eq!(vector_dimensions(&of(3, 3)), Some(3));
    assert_eq!(vector_dimensions(&of(16_000, 16_000)), Some(16_000));
    assert_eq!(vector_dimensions(&of(3, 2)), None);
    assert_eq!(vector_dimensions(&of(-1, 3)), None);
    assert_eq!(vector_dimensions(&of(0, 0)), None);
    assert_eq!(vector_dimensions(&[0; 8]), None);
}
