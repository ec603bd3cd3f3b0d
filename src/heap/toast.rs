//! Values that Postgres has stored out of line, many at a time.
//!
//! Postgres looks such a value up in an index for each, by a number that it got when it was stored, and joins the chunks
//! that it was cut into. Values of rows that are spread over a large table lie on pages that are waited for, those of
//! the index above all. But chunks are mostly stored in the order of their numbers, and carry them: so the page is
//! guessed, and the index asked only for the first values and for those that are not where they were guessed.
//!
//! What is found on a page is the value, however it was guessed: it has the number, all of its chunks are there, and the
//! snapshot sees them. No two values that a snapshot sees have one number, since a number is not given out as long as
//! a row has it that anybody may see. All else is left to Postgres.

use pgrx::pg_sys;

use crate::error::Error;
use crate::heap::page::{PINNED_AT_ONCE, Page};
use crate::heap::toast_chunks::{Chunk, ChunkTable, Looked};
use crate::heap::toast_pointer::ToastPointer;
use crate::postgres::snapshot::Snapshot;
use row_sampling::interpolation::Positions;

/// Where no position is known, one in so many values is looked up to guess the others by.
const KNOWN_ONE_IN: usize = 32;

/// How often a page is guessed before the index is asked.
const GUESSES: usize = 3;

/// Values with scattered parts after which most must have been whole to go on. The last part, where it is small, may be
/// put where there is room, so it depends on their size.
const SCATTERED_ON_TRIAL: usize = 8;

/// Bytes of a plain varlena's header.
const HEADER: usize = pg_sys::VARHDRSZ;

/// Reads values that one table holds.
pub struct Toast<'a> {
    chunks: ChunkTable<'a>,
    positions: Positions,
    /// How many values had all of their parts one behind the other, and how many did not.
    whole: usize,
    scattered: usize,
    /// The value that is put together; for its alignment not bytes.
    value: Vec<u64>,
}

/// A value's place among those that are wanted, and the page to look at for it.
#[derive(Clone, Copy)]
struct Seek {
    of: usize,
    block: u32,
}

/// What is known of a value that is not where it was sought.
#[derive(Clone, Copy)]
enum Missed {
    /// It should rather be on this page.
    Elsewhere(u32),
    Unknown,
    /// It starts there, but its parts are not all one behind the other.
    Scattered,
}

/// What is done with a value, whose number among those that are wanted comes first.
type Found<'a> = &'a mut dyn FnMut(usize, pg_sys::Datum) -> Result<(), Error>;

impl<'a> Toast<'a> {
    /// `None` if only Postgres can read the table.
    pub fn open(table: pg_sys::Oid, snapshot: &'a Snapshot) -> Option<Self> {
        let chunks = ChunkTable::open(table, snapshot)?;
        Some(Toast { chunks, positions: Positions::default(), whole: 0, scattered: 0, value: Vec::new() })
    }

    /// Calls `found` with the number among `pointers` and the value of each, in any order: a varlena that lives as long
    /// as the call.
    ///
    /// # Errors
    /// What `found` fails with.
    pub fn read(&mut self, pointers: &[ToastPointer], found: Found) -> Result<(), Error> {
        if self.scattered >= SCATTERED_ON_TRIAL && self.scattered > self.whole {
            return (0..pointers.len()).try_for_each(|of| found(of, pointers[of].as_datum()));
        }
        let mut wanted: Vec<usize> = (0..pointers.len()).collect();
        wanted.sort_unstable_by_key(|&of| pointers[of].number);
        let guess = |toast: &Self, of: usize| (of, toast.positions.guess(pointers[of].number));
        let mut guesses: Vec<_> = wanted.iter().map(|&of| guess(self, of)).collect();
        let mut left = Vec::new();
        if guesses.iter().any(|(_, block)| block.is_none()) {
            // Some are looked up to guess the others by.
            let (mut some, mut others) = (Vec::new(), Vec::new());
            for (i, &of) in wanted.iter().enumerate() {
                let is_known = i % KNOWN_ONE_IN == 0 || i + 1 == wanted.len();
                if is_known { &mut some } else { &mut others }.push(of);
            }
            left = self.look_up(pointers, &some, found)?;
            guesses = others.into_iter().map(|of| guess(self, of)).collect();
        }
        let (mut seeks, mut unknown) = (Vec::with_capacity(guesses.len()), Vec::new());
        for (of, block) in guesses {
            match block {
                Some(block) => seeks.push(Seek { of, block }),
                None => unknown.push(of),
            }
        }
        for round in 0..GUESSES {
            let (sought, mut next, mut wrong) = (seeks.len(), Vec::new(), 0);
            for (of, missed) in self.seek(pointers, &seeks, round > 0, found)? {
                match missed {
                    Missed::Elsewhere(block) => next.push(Seek { of, block }),
                    Missed::Unknown => unknown.push(of),
                    Missed::Scattered => left.push(of),
                }
                wrong += usize::from(!matches!(missed, Missed::Scattered));
            }
            self.positions.judge(sought - wrong, sought);
            seeks = next;
        }
        unknown.extend(seeks.iter().map(|seek| seek.of));
        left.extend(self.look_up(pointers, &unknown, found)?);
        for of in left {
            found(of, pointers[of].as_datum())?;
        }
        Ok(())
    }

    /// Seeks values where the index says that they are, and returns those that are not there.
    fn look_up(
        &mut self,
        pointers: &[ToastPointer],
        wanted: &[usize],
        found: Found,
    ) -> Result<Vec<usize>, Error> {
        let (mut seeks, mut missed) = (Vec::with_capacity(wanted.len()), Vec::new());
        for &of in wanted {
            match self.chunks.block_of(pointers[of].number) {
                Some(block) => seeks.push(Seek { of, block }),
                None => missed.push(of),
            }
        }
        missed.extend(self.seek(pointers, &seeks, true, found)?.into_iter().map(|(of, _)| of));
        Ok(missed)
    }

    /// Looks at a page for each value, and returns those that are not there. Positions that `is_news` are remembered.
    fn seek(
        &mut self,
        pointers: &[ToastPointer],
        seeks: &[Seek],
        is_news: bool,
        found: Found,
    ) -> Result<Vec<(usize, Missed)>, Error> {
        let (mut missed, all, mut asked, mut read) = (Vec::new(), seeks, 0, 0);
        for seeks in all.chunks(PINNED_AT_ONCE) {
            pgrx::check_for_interrupts!();
            read += seeks.len();
            self.chunks.read_ahead(|i| all.get(i).map(|seek| seek.block), &mut asked, read);
            let pages: Vec<_> = seeks.iter().map(|seek| self.chunks.page(seek.block)).collect();
            pages.iter().flatten().for_each(ChunkTable::prefetch);
            let look = |(seek, page): (&Seek, &Option<Page>)| match page {
                Some(page) => self.chunks.look(page, pointers[seek.of].number),
                None => Looked::default(),
            };
            let mut looked: Vec<Looked> = seeks.iter().zip(&pages).map(look).collect();
            for (&Seek { of, block }, looked) in seeks.iter().zip(&mut looked) {
                let ToastPointer { number, size, .. } = pointers[of];
                let _more = self.chunks.look_further(block, number, size, &mut looked.chunks);
                if self.join(&mut looked.chunks, size) {
                    self.whole += 1;
                    if is_news {
                        self.positions.saw(number, block, looked.fraction);
                    }
                    found(of, pg_sys::Datum::from(self.value.as_ptr()))?;
                    continue;
                }
                let next = match (looked.chunks.first(), looked.numbers) {
                    (Some(Chunk { sequence: 0, .. }), _) => {
                        self.scattered += 1;
                        missed.push((of, Missed::Scattered));
                        continue;
                    }
                    (Some(chunk), _) => block.checked_sub((chunk.sequence as u32).div_ceil(looked.rows)),
                    (None, Some((least, most))) => self.positions.next_guess(number, block, least, most),
                    (None, None) => None,
                };
                missed.push((of, next.map_or(Missed::Unknown, Missed::Elsewhere)));
            }
        }
        Ok(missed)
    }

    /// Puts a value of `size` bytes together from its chunks, if these are all of them.
    fn join(&mut self, chunks: &mut [Chunk], size: usize) -> bool {
        chunks.sort_unstable_by_key(|chunk| chunk.sequence);
        let in_sequence = chunks.iter().zip(0..).all(|(chunk, sequence)| chunk.sequence == sequence);
        if !in_sequence || chunks.iter().map(|chunk| chunk.size).sum::<usize>() != size {
            return false;
        }
        self.value.resize((HEADER + size).div_ceil(size_of::<u64>()), 0);
        let start = self.value.as_mut_ptr().cast::<u8>();
        let mut end = HEADER;
        for chunk in chunks {
            // SAFETY: there is room for the header and all chunks, which lie on pinned pages.
            unsafe { std::ptr::copy_nonoverlapping(chunk.start, start.add(end), chunk.size) };
            end += chunk.size;
        }
        // SAFETY: the first bytes are the header.
        unsafe { pgrx::set_varsize_4b(start.cast(), end as i32) };
        true
    }
}
