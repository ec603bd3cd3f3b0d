//! Which of many rows are the same as a given one, without comparing it with each.
//!
//! Two vectors of unit length are the same row when their inner product is above `1 - 1e-6`: single-precision rounding, or
//! half precision of the same value. They are then less than [`RADIUS`] apart, and so are their inner products with any
//! vector of unit length. Rows are sorted by their product with one such direction, fixed and without a pattern, and only
//! those near a row's own product are looked at: at their products with some more directions, and then at the rows.

use crate::kernel;
use crate::memory::{OutOfMemory, filled, with_room};

/// Vectors of unit length whose inner product is above this are the same row.
pub(crate) const SAME_ROW: f64 = 1.0 - 1e-6;

/// The same of products that are summed in single precision, whose rounding is far less.
const NEARLY_SAME_ROW: f32 = 1.0 - 1e-3;

/// How far apart the same rows may be, and a little more. `|u - v|^2 = |u|^2 + |v|^2 - 2 u.v`, where `u` and `v`, rounded to
/// single precision, are within 6e-8 of unit length: the root of 2e-6 + 2.4e-7 is 1.497e-3.
const RADIUS: f32 = 1.5e-3;

/// Values of a cache line.
const LINE: usize = 16;

const DIRECTIONS: usize = 4;

/// As many rows are compared one by one in less time than products with all directions take.
const FEW: usize = 12;

/// Rows that others may be the same as. They are kept elsewhere, and known here by their indexes.
#[derive(Debug, Clone, Default)]
pub(crate) struct RowIndex {
    len: usize,
    /// Empty for few rows.
    directions: Vec<f32>,
    /// In the order of the first product.
    entries: Vec<Entry>,
}

#[derive(Debug, Clone, Copy)]
struct Entry {
    products: [f32; DIRECTIONS],
    row: u32,
}

impl RowIndex {
    /// An index of `rows`, `len` of them, all of `d` dimensions and none zero. `interrupt` is called for each and may
    /// unwind.
    ///
    /// # Errors
    /// [`OutOfMemory`].
    pub fn new<'a>(
        rows: impl Iterator<Item = &'a [f32]>,
        len: usize,
        d: usize,
        interrupt: &mut dyn FnMut(),
    ) -> Result<Self, OutOfMemory> {
        if len <= FEW {
            return Ok(RowIndex { len, ..RowIndex::default() });
        }
        let mut index = RowIndex { len, directions: directions(d)?, entries: with_room(len)? };
        for (row, values) in (0..u32::try_from(len).map_err(|_| OutOfMemory)?).zip(rows) {
            index.entries.push(Entry { products: index.products(values), row });
            interrupt();
        }
        index
            .entries
            .sort_unstable_by(|a, b| a.products[0].total_cmp(&b.products[0]).then(a.row.cmp(&b.row)));
        Ok(index)
    }

    /// The indexes of all rows that may be the same as `values`, in any order; few others are among them.
    pub fn candidates(&self, values: &[f32]) -> impl Iterator<Item = usize> {
        let few = if self.entries.is_empty() { self.len } else { 0 };
        let (products, near) = match few {
            0 if !self.entries.is_empty() => {
                let products = self.products(values);
                let first = |entry: &Entry| entry.products[0] < products[0] - RADIUS;
                (products, &self.entries[self.entries.partition_point(first)..])
            }
            _ => ([0.0; DIRECTIONS], &[][..]),
        };
        let near = near.iter().take_while(move |entry| entry.products[0] <= products[0] + RADIUS);
        let is_near =
            move |entry: &&Entry| entry.products.iter().zip(products).all(|(a, b)| (a - b).abs() <= RADIUS);
        (0..few).chain(near.filter(is_near).map(|entry| entry.row as usize))
    }

    /// Inner products of `values`, brought to unit length, with all directions.
    fn products(&self, values: &[f32]) -> [f32; DIRECTIONS] {
        let length = norm(values);
        let mut directions = self.directions.chunks_exact(values.len());
        std::array::from_fn(|_| directions.next().map_or(0.0, |p| (kernel::dot(p, values) / length) as f32))
    }
}

/// Whether two vectors of unit length are the same row. Others mostly lie further apart than same rows in the first cache
/// line already, so that the rest need not be read.
pub(crate) fn is_same_row(a: &[f32], b: &[f32]) -> bool {
    let is_apart = |(a, b): (&f32, &f32)| (a - b).abs() > RADIUS;
    if a.iter().zip(b).take(LINE).any(is_apart) {
        return false;
    }
    kernel::dot_roughly(a, b) > NEARLY_SAME_ROW && kernel::dot(a, b) > SAME_ROW
}

/// Whether two vectors of any length, neither zero, have one direction and so are the same row.
fn is_same_direction(a: &[f32], b: &[f32]) -> bool {
    kernel::dot(a, b) > SAME_ROW * norm(a) * norm(b)
}

/// Which rows of `wanted` and which of `unwanted`, vectors of `d` dimensions one behind the other, none zero, are on both
/// sides. `interrupt` is called for each and may unwind.
///
/// # Errors
/// [`OutOfMemory`].
pub fn contradictions(
    wanted: &[f32],
    unwanted: &[f32],
    d: usize,
    interrupt: &mut dyn FnMut(),
) -> Result<(Vec<bool>, Vec<bool>), OutOfMemory> {
    let mut are_in = |rows: &[f32], others: &[f32], which: &[bool]| -> Result<Vec<bool>, OutOfMemory> {
        let mut numbers = with_room(which.len())?;
        numbers.extend((0..which.len()).filter(|&i| which[i]));
        let other = |i: usize| &others[i * d..(i + 1) * d];
        let index = RowIndex::new(numbers.iter().map(|&i| other(i)), numbers.len(), d, interrupt)?;
        let mut found = with_room(rows.len() / d)?;
        for row in rows.chunks_exact(d) {
            found.push(index.candidates(row).any(|i| is_same_direction(other(numbers[i]), row)));
            interrupt();
        }
        Ok(found)
    };
    let both = are_in(wanted, unwanted, &filled(unwanted.len() / d, true)?)?;
    if !both.contains(&true) {
        return Ok((both, filled(unwanted.len() / d, false)?));
    }
    // Copies of a row that is on both sides go with it.
    Ok((are_in(wanted, wanted, &both)?, are_in(unwanted, wanted, &both)?))
}

/// Euclidean length.
pub(crate) fn norm(vector: &[f32]) -> f64 {
    kernel::dot(vector, vector).sqrt()
}

/// Vectors of unit length, all elements as large, whose signs follow no pattern.
fn directions(d: usize) -> Result<Vec<f32>, OutOfMemory> {
    let (count, size) = (DIRECTIONS.checked_mul(d).ok_or(OutOfMemory)?, (1.0 / (d as f64).sqrt()) as f32);
    let mut directions = with_room(count)?;
    directions.extend((0..count as u64).map(|i| if mix(i) & 1 == 0 { size } else { -size }));
    Ok(directions)
}

/// SplitMix64's mixing function (Steele, Lea, Flood: Fast splittable pseudorandom number generators, OOPSLA 2014).
fn mix(i: u64) -> u64 {
    let x = i.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let x = (x ^ x >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let x = (x ^ x >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ x >> 31
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Numbers of a bell shape, roughly.
    fn random(seed: &mut u64) -> f64 {
        (0..4)
            .map(|_| {
                *seed += 1;
                (mix(*seed) >> 11) as f64 / (1u64 << 53) as f64 - 0.5
            })
            .sum()
    }

    fn unit(v: &[f64]) -> Vec<f32> {
        let length = v.iter().map(|v| v * v).sum::<f64>().sqrt();
        v.iter().map(|v| (v / length) as f32).collect()
    }

    /// Rows, some of them at angles to others that are near the limit on both sides.
    fn rows(d: usize, count: usize, seed: &mut u64) -> Vec<Vec<f32>> {
        let mut rows: Vec<Vec<f32>> = Vec::new();
        for i in 0..count {
            let fresh: Vec<f64> = (0..d).map(|_| random(seed)).collect();
            if i % 2 == 0 || i < 4 {
                rows.push(unit(&fresh));
                continue;
            }
            let base: Vec<f64> = rows[i / 2].iter().map(|&v| f64::from(v)).collect();
            let along: f64 = base.iter().zip(&fresh).map(|(b, f)| b * f).sum();
            let across: Vec<f64> = base.iter().zip(&fresh).map(|(b, f)| f - along * b).collect();
            let length = across.iter().map(|v| v * v).sum::<f64>().sqrt().max(1e-30);
            let angle = 1.414e-3 * [0.5, 0.99, 0.9999, 1.0001, 1.01, 2.0][i / 2 % 6];
            rows.push(unit(
                &base.iter().zip(&across).map(|(b, a)| b + angle * a / length).collect::<Vec<_>>(),
            ));
        }
        rows
    }

    #[test]
    fn candidates_leave_out_no_row_that_is_the_same() {
        for (d, seed) in [(1, 0), (2, 1), (3, 2), (7, 3), (64, 4), (401, 5)] {
            let mut seed = seed << 32;
            for count in [3, FEW + 1, 300] {
                let (rows, asked) = (rows(d, count, &mut seed), rows(d, 60, &mut seed));
                let index = RowIndex::new(rows.iter().map(Vec::as_slice), count, d, &mut || ()).unwrap();
                for row in rows.iter().chain(&asked) {
                    let mut found: Vec<_> =
                        index.candidates(row).filter(|&i| is_same_row(&rows[i], row)).collect();
                    found.sort_unstable();
                    let expected: Vec<_> = (0..count).filter(|&i| is_same_row(&rows[i], row)).collect();
                    assert_eq!(found, expected, "{d} dimensions, {count} rows");
                }
            }
        }
    }

    #[test]
    fn rows_are_the_same_by_their_product_alone() {
        let mut seed = 7 << 32;
        for d in [1, 3, 16, 40, 401] {
            for exponent in 0..400 {
                let row: Vec<f64> = (0..d).map(|_| random(&mut seed)).collect();
                let length = row.iter().map(|v| v * v).sum::<f64>().sqrt();
                let apart = 10_f64.powf(-1.0 - exponent as f64 / 100.0);
                // All of the difference in one value is the most that one can have.
                let mut other = row.clone();
                other[exponent % d] += apart * length;
                let (row, other) = (unit(&row), unit(&other));
                let expected = kernel::dot(&row, &other) > SAME_ROW;
                assert_eq!(is_same_row(&row, &other), expected, "{d} dimensions, {apart} apart");
            }
        }
    }

    #[test]
    fn few_others_are_candidates() {
        let (d, mut seed) = (256, 9);
        let rows: Vec<_> =
            (0..2000).map(|_| unit(&(0..d).map(|_| random(&mut seed)).collect::<Vec<_>>())).collect();
        let index = RowIndex::new(rows.iter().map(Vec::as_slice), rows.len(), d, &mut || ()).unwrap();
        let candidates: usize = rows.iter().map(|row| index.candidates(row).count()).sum();
        assert!(candidates < 2 * rows.len(), "{candidates}");
    }

    #[test]
    fn rows_on_both_sides_are_found_with_their_copies() {
        let (d, mut seed) = (5, 77);
        let wanted = rows(d, 400, &mut seed);
        let mut unwanted = rows(d, 300, &mut seed);
        // At other lengths, too.
        unwanted.extend(wanted.iter().step_by(17).map(|row| row.iter().map(|v| v * 3.0).collect()));
        let is_in = |rows: &[&Vec<f32>], row: &[f32]| rows.iter().any(|other| is_same_direction(other, row));
        let both: Vec<_> =
            wanted.iter().filter(|row| is_in(&unwanted.iter().collect::<Vec<_>>(), row)).collect();
        let expected = |rows: &[Vec<f32>]| rows.iter().map(|row| is_in(&both, row)).collect::<Vec<_>>();
        let found = contradictions(&wanted.concat(), &unwanted.concat(), d, &mut || ()).unwrap();
        assert!(both.len() >= 24);
        assert_eq!(found, (expected(&wanted), expected(&unwanted)));
        let nothing = contradictions(&wanted.concat(), &[], d, &mut || ()).unwrap();
        assert_eq!(nothing, (vec![false; 400], vec![]));
    }
}
