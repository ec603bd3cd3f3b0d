//! Which rows of a table to draw: uniform over rows, at a cost that does not grow with the table.
//!
//! A table is blocks of line pointers. Blocks are walked in a seeded random order, and every line
//! pointer draws a number from (seed, block, offset) alone: it is a candidate of level 0 when that
//! number is below `2^-j`, with `2^-j` about one line pointer per block or a little less. When all
//! blocks are walked and rows are still wanted, level 1 is the line pointers below `2^(1-j)`, and so
//! on until level `j` has all. The first rows found in this order are the sample.
//!
//! Every row has the same chance however blocks are filled and rows are clustered, since its
//! number and its block's place do not depend on other rows; blocks of few rows give few. Rows that
//! the caller's snapshot does not see change nothing: the order of the others is the same
//! without them, also when the table has grown in the meantime.

/// A row's place: block number and line pointer offset, from 0 and from 1.
pub type Place = (u32, u16);

/// Walks a table's line pointers in seeded random order.
#[derive(Debug, Clone)]
pub struct Walk {
    seed: u64,
    blocks: BlockOrder,
    level: u32,
    levels: u32,
    blocks_read: u64,
}

impl Walk {
    /// A walk over `blocks` blocks of about `per_block` used line pointers each. `per_block` is a
    /// matter of cost alone: too large reads more blocks, too small draws more rows of each.
    pub fn new(seed: u64, blocks: u32, per_block: f64) -> Self {
        let levels = per_block.max(1.0).log2().ceil() as u32;
        let seed = mix(seed);
        Walk { seed, blocks: BlockOrder::new(seed, blocks), level: 0, levels, blocks_read: 0 }
    }

    /// The next candidates, at least `wanted` unless the table is exhausted; empty at its end.
    /// `line_pointers` puts the used offsets of a block into its second argument, which is empty.
    pub fn next(&mut self, wanted: usize, mut line_pointers: impl FnMut(u32, &mut Vec<u16>)) -> Vec<Place> {
        let mut candidates = Vec::new();
        let mut offsets = Vec::new();
        while candidates.len() < wanted {
            let Some(block) = self.blocks.next() else {
                if self.level == self.levels {
                    break;
                }
                self.level += 1;
                self.blocks.restart();
                continue;
            };
            offsets.clear();
            line_pointers(block, &mut offsets);
            self.blocks_read += 1;
            let here = offsets.iter().filter(|&&offset| self.level_of(block, offset) == self.level);
            candidates.extend(here.map(|&offset| (block, offset)));
        }
        candidates
    }

    fn level_of(&self, block: u32, offset: u16) -> u32 {
        let number = mix(self.seed ^ mix(u64::from(block) << 16 | u64::from(offset)));
        self.levels - number.leading_zeros().min(self.levels)
    }

    /// How many blocks were looked at, repeats counted.
    pub fn blocks_read(&self) -> u64 {
        self.blocks_read
    }
}

/// Blocks in one region of a table: 32 MB at Postgres' usual block size.
const REGION_BITS: u32 = 12;

/// All numbers below `blocks` in a seeded random order that does not depend on `blocks`: leaving
/// numbers out leaves the order of the others as it is.
///
/// A round takes one block of each region, in a random order of regions; each region's blocks have a
/// random order of their own. So early blocks are spread over the table, and only one number per
/// region has to be drawn to know the first ones.
#[derive(Debug, Clone)]
struct BlockOrder {
    seed: u64,
    blocks: u32,
    round: u32,
    /// The blocks of this round that are still to come, last first.
    coming: Vec<(u64, u32)>,
}

impl BlockOrder {
    fn new(seed: u64, blocks: u32) -> Self {
        BlockOrder { seed, blocks, round: 0, coming: Vec::new() }
    }

    fn restart(&mut self) {
        self.round = 0;
        self.coming.clear();
    }

    fn fill(&mut self) {
        let regions = self.blocks.div_ceil(1 << REGION_BITS);
        for region in 0..regions {
            let key = mix(self.seed ^ mix(u64::from(region) << 32 | u64::from(self.round)));
            let block = region << REGION_BITS | self.shuffled(region);
            if block < self.blocks {
                self.coming.push((key, block));
            }
        }
        self.coming.sort_unstable_by(|a, b| b.cmp(a));
        self.round += 1;
    }

    /// The place of this round in a random permutation of the region: a Feistel network on two halves.
    fn shuffled(&self, region: u32) -> u32 {
        const HALF: u32 = REGION_BITS / 2;
        const MASK: u32 = (1 << HALF) - 1;
        let (mut left, mut right) = (self.round >> HALF, self.round & MASK);
        for i in 0..6 {
            let key = u64::from(region) << 32 | u64::from(i << HALF | right) | 1 << 31;
            (left, right) = (right, left ^ (mix(self.seed ^ mix(key)) as u32 & MASK));
        }
        left << HALF | right
    }
}

impl Iterator for BlockOrder {
    type Item = u32;

    fn next(&mut self) -> Option<u32> {
        while self.coming.is_empty() && self.round < 1 << REGION_BITS {
            self.fill();
        }
        self.coming.pop().map(|(_, block)| block)
    }
}

/// The finaliser of SplitMix64 (Steele, Lea, Flood, OOPSLA 2014): a bijection that scatters its input.
fn mix(value: u64) -> u64 {
    let z = value.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let z = (z ^ z >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ z >> 31
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    /// The first `n` rows of a table whose block `b` has `rows[b]` line pointers.
    fn sample(seed: u64, rows: &[u16], per_block: f64, n: usize) -> Vec<Place> {
        let mut walk = Walk::new(seed, rows.len() as u32, per_block);
        let mut places = walk.next(n, |block, offsets| {
            offsets.extend(1..=rows[block as usize]);
        });
        places.truncate(n);
        places
    }

    fn all(rows: &[u16]) -> HashSet<Place> {
        let blocks = rows.iter().enumerate();
        blocks.flat_map(|(b, &m)| (1..=m).map(move |o| (b as u32, o))).collect()
    }

    /// Pearson's statistic of how often each row was drawn, over its degrees of freedom: about 1.
    fn chi_square_ratio(rows: &[u16], per_block: f64, n: usize, seeds: u64) -> f64 {
        let mut drawn: std::collections::HashMap<Place, f64> =
            all(rows).into_iter().map(|place| (place, 0.0)).collect();
        for seed in 0..seeds {
            for place in sample(seed, rows, per_block, n) {
                *drawn.get_mut(&place).unwrap() += 1.0;
            }
        }
        let total = drawn.len() as f64;
        let (p, seeds) = (n as f64 / total, seeds as f64);
        let variance = seeds * p * (1.0 - p);
        drawn.values().map(|count| (count - seeds * p).powi(2) / variance).sum::<f64>() / total
    }

    #[test]
    fn a_walk_visits_every_row_once() {
        for rows in [vec![3, 0, 7, 1], vec![1], vec![0, 0, 5], vec![136; 20]] {
            let places = sample(1, &rows, 20.0, usize::MAX);
            assert_eq!(places.len(), all(&rows).len());
            assert_eq!(places.into_iter().collect::<HashSet<_>>(), all(&rows));
        }
    }

    #[test]
    fn an_empty_table_has_no_rows() {
        assert!(sample(1, &[], 1.0, 10).is_empty());
        assert!(sample(1, &[0, 0], 1.0, 10).is_empty());
    }

    #[test]
    fn rows_are_drawn_uniformly_however_blocks_are_filled() {
        let even = vec![8; 300];
        let uneven: Vec<u16> = (0..300).map(|b| if b % 10 == 0 { 40 } else { b % 4 }).collect();
        let half_empty: Vec<u16> = (0..300).map(|b| if b < 150 { 0 } else { 10 }).collect();
        for (rows, per_block) in [(&even, 8.0), (&uneven, 5.0), (&uneven, 40.0), (&half_empty, 10.0)] {
            for n in [30, 120, 700] {
                // 1500 to 2400 rows: the ratio's standard deviation is about sqrt(2/1500) = 0.037.
                let ratio = chi_square_ratio(rows, per_block, n, 1000);
                assert!((ratio - 1.0).abs() < 0.15, "ratio {ratio} for n = {n}");
            }
        }
    }

    #[test]
    fn a_sample_of_a_large_table_reads_few_blocks_and_hits_many() {
        let mut walk = Walk::new(3, 1_000_000, 136.0);
        let places = walk.next(1000, |_, offsets| {
            offsets.extend(1..=136);
        });
        let blocks: HashSet<u32> = places.iter().map(|place| place.0).collect();
        assert!(walk.blocks_read() < 2100, "{} blocks read", walk.blocks_read());
        assert!(blocks.len() > 700, "{} blocks hit", blocks.len());
    }

    #[test]
    fn unseen_rows_and_growth_do_not_change_the_sample() {
        let before = vec![9; 77];
        let mut after = before.clone();
        after.extend([30; 4000]);
        let old = sample(5, &before, 9.0, 50);
        let seen = sample(5, &after, 9.0, 40_000).into_iter().filter(|place| place.0 < 77);
        assert_eq!(old, seen.take(50).collect::<Vec<_>>());
    }

    #[test]
    fn another_seed_draws_another_sample() {
        let rows = vec![10; 500];
        assert_eq!(sample(1, &rows, 10.0, 50), sample(1, &rows, 10.0, 50));
        assert_ne!(sample(1, &rows, 10.0, 50), sample(2, &rows, 10.0, 50));
    }
}
