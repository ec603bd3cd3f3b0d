//! A uniform sample of a stream of rows in any order: those whose key, a hash of seed and row, is least.
//!
//! Bottom-k sampling (Cohen, Kaplan, PODC 2007). The order in which rows arrive changes nothing. A row's key is its place
//! in a walk where it has one, and else a hash of its value; rows of the same value are told apart by counting them: which
//! is the first does not matter, since they are the same.

use std::collections::{BinaryHeap, HashMap};
use std::hash::{BuildHasherDefault, Hasher};

use crate::mix;

/// What a row is ordered by where only its value is known: a hash of it, its value, and how many of that came before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct ValueKey(u64, u64, u32);

/// Gives rows their [`ValueKey`]s.
#[derive(Debug, Clone)]
pub struct ValueKeys {
    seed: u64,
    /// How often each value was seen.
    counts: HashMap<u64, u32, BuildHasherDefault<Identity>>,
}

impl ValueKeys {
    pub fn new(seed: u64) -> Self {
        ValueKeys { seed: mix(seed), counts: HashMap::default() }
    }

    /// The key of the next row.
    pub fn next(&mut self, value: &[f32]) -> ValueKey {
        let value = hash(value);
        let count = self.counts.entry(value).or_default();
        let key = ValueKey(mix(self.seed ^ mix(value ^ mix(u64::from(*count)))), value, *count);
        *count += 1;
        key
    }
}

/// Says which row of a stream to keep in which slot: those of the least keys.
#[derive(Debug, Clone)]
pub struct BottomK<K> {
    slots: usize,
    seen: u64,
    /// The rows that are kept, the largest first, and their slots.
    kept: BinaryHeap<(K, usize)>,
}

impl<K: Ord> BottomK<K> {
    pub fn new(slots: usize) -> Self {
        BottomK { slots, seen: 0, kept: BinaryHeap::new() }
    }

    /// The slot to keep the next row in, in place of what is there; `None` to let it pass.
    pub fn slot(&mut self, key: K) -> Option<usize> {
        self.seen += 1;
        if self.kept.len() < self.slots {
            let slot = self.kept.len();
            self.kept.push((key, slot));
            return Some(slot);
        }
        let mut largest = self.kept.peek_mut().filter(|largest| key < largest.0)?;
        let slot = largest.1;
        *largest = (key, slot);
        Some(slot)
    }

    /// How many rows have passed.
    pub fn seen(&self) -> u64 {
        self.seen
    }

    /// How many slots are in use; they are the first ones.
    pub fn used(&self) -> usize {
        self.kept.len()
    }

    /// The slots in use, in the order of the sample: the first ones hold a uniform sample too.
    pub fn slots_in_order(&self) -> Vec<usize> {
        let mut kept: Vec<_> = self.kept.iter().collect();
        kept.sort_unstable();
        kept.into_iter().map(|(_, slot)| *slot).collect()
    }
}

/// A hash of a value's bits: four lanes of folded products, so that one does not wait for the other.
fn hash(value: &[f32]) -> u64 {
    const SCATTER: u64 = 0x9e37_79b9_7f4a_7c15;
    let word = |pair: &[f32]| pair.iter().fold(0, |word, x| word << 32 | u64::from(x.to_bits()));
    let mut lanes = [1u64, 2, 3, 4].map(mix);
    for chunk in value.chunks(16) {
        for (lane, four) in lanes.iter_mut().zip(chunk.chunks(4)) {
            let (low, high) = four.split_at(four.len().min(2));
            let product = u128::from(*lane ^ word(low)) * u128::from(SCATTER ^ word(high));
            *lane = lane.rotate_left(23) ^ product as u64 ^ (product >> 64) as u64;
        }
    }
    lanes.into_iter().fold(value.len() as u64, |hash, lane| mix(hash ^ lane))
}

/// Takes a number that is a hash already.
#[derive(Debug, Clone, Default)]
struct Identity(u64);

impl Hasher for Identity {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        self.0 = bytes.iter().fold(self.0, |hash, &byte| mix(hash ^ u64::from(byte)));
    }

    fn write_u64(&mut self, number: u64) {
        self.0 = number;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The rows that are kept, in the order of the sample.
    fn sample(seed: u64, slots: usize, rows: &[[f32; 2]]) -> Vec<[f32; 2]> {
        let (mut bottom, mut kept) = (BottomK::new(slots), vec![[0.0; 2]; slots]);
        let mut keys = ValueKeys::new(seed);
        for row in rows {
            if let Some(slot) = bottom.slot(keys.next(row)) {
                kept[slot] = *row;
            }
        }
        assert_eq!((bottom.seen(), bottom.used()), (rows.len() as u64, slots.min(rows.len())));
        bottom.slots_in_order().into_iter().map(|slot| kept[slot]).collect()
    }

    fn rows(count: usize) -> Vec<[f32; 2]> {
        (0..count).map(|i| [i as f32, 1.0]).collect()
    }

    #[test]
    fn a_sample_and_its_first_rows_are_uniform() {
        for (count, slots, taken) in [(50, 10, 10), (50, 10, 3), (7, 10, 7), (7, 10, 2)] {
            let mut counts = vec![0.0; count];
            let seeds = 4000;
            for seed in 0..seeds {
                for row in sample(seed, slots, &rows(count)).into_iter().take(taken) {
                    counts[row[0] as usize] += 1.0;
                }
            }
            let p = taken as f64 / count as f64;
            let (mean, variance) = (seeds as f64 * p, seeds as f64 * p * (1.0 - p));
            if taken == count {
                assert!(counts.iter().all(|&count| count == mean));
            } else {
                let ratio = counts.iter().map(|c| (c - mean).powi(2) / variance).sum::<f64>() / count as f64;
                assert!((0.3..2.2).contains(&ratio), "{ratio} for {taken} of {count}");
            }
        }
    }

    #[test]
    fn the_order_of_arrival_changes_nothing() {
        let (forth, mut back) = (rows(1000), rows(1000));
        back.reverse();
        assert_eq!(sample(3, 50, &forth), sample(3, 50, &back));
        assert_ne!(sample(3, 50, &forth), sample(4, 50, &forth));
    }

    #[test]
    fn rows_of_the_same_value_count_one_by_one() {
        // Half of 2000 rows are equal: so is half of a sample, with a deviation of 7 of 200.
        let mut all = rows(1000);
        all.extend([[5000.0, 1.0]; 1000]);
        let equal = sample(1, 200, &all).iter().filter(|row| row[0] == 5000.0).count();
        assert!((65..135).contains(&equal), "{equal} of 200");
        let whole = sample(1, 5000, &all);
        assert_eq!(whole.iter().filter(|row| row[0] == 5000.0).count(), 1000);
    }

    #[test]
    fn every_element_of_a_value_counts() {
        let value: Vec<f32> = (0..37).map(|i| i as f32).collect();
        for i in 0..37 {
            let mut other = value.clone();
            other[i] += 1.0;
            assert_ne!(hash(&value), hash(&other), "{i}");
        }
        assert_ne!(hash(&[0.0; 4]), hash(&[0.0; 5]));
    }
}
