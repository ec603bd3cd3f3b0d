//! Which rows of one or more tables to draw: uniform over rows, at a cost that does not grow with them.
//!
//! A table is blocks of line pointers. Blocks are walked in a seeded random order, and every line
//! pointer draws a fraction from (seed, block, offset) alone: it is a candidate of level 0 when that
//! fraction is below `2^-j`, with `2^-j` about one line pointer per block. When all blocks are walked and
//! rows are still wanted, level 1 is the line pointers below `2^(1-j)`, and so on until level `j` has
//! all. The first rows found in this order are the sample.
//!
//! So a block is visited at the time `2^-j u` at level 0 and `2^(l-1-j) (1 + u)` at level `l`, where `u`
//! is its place in the order of blocks: for every row the time is uniform in [0, 1), whatever `j`, and
//! tables with a `j` each are drawn together by visiting the blocks of all in the order of time.
//!
//! Every row has the same chance however blocks are filled and rows are clustered, since its
//! fraction and its block's place do not depend on other rows; blocks of few rows give few. (A sample
//! of fewer rows than one block has candidates favours the rows of blocks that are less filled.) Rows
//! that the caller's snapshot does not see change nothing: the order of the others is the same
//! without them, also when the table has grown in the meantime.

#![forbid(unsafe_code)]

pub mod bottom_k;
pub mod interpolation;

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::ops::RangeInclusive;

/// One of the tables that rows are drawn from.
#[derive(Debug, Clone, Copy)]
pub struct Part {
    /// Tells its rows' numbers from those of other parts, however many there are.
    pub key: u64,
    pub blocks: u32,
    /// About how many rows a block has. Too large reads more blocks, too small draws more rows of
    /// each; it changes the order of rows, so it must not depend on rows that a caller does not see.
    pub per_block: f64,
}

/// A row's place: the part's index, the block from 0 and the line pointer's offset from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    pub part: u32,
    pub block: u32,
    pub offset: u16,
}

/// Where in a walk a place comes; earlier is less.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    visit: Visit,
    number: u64,
    offset: u16,
}

/// A look at a block, for its line pointers of one level.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Visit {
    /// The time in units of `2^-(64 + MOST_LEVELS)`.
    at: u128,
    part: u32,
    block: u32,
    level: u32,
}

/// Walks line pointers in seeded random order.
#[derive(Debug, Clone)]
pub struct Walk {
    parts: Vec<PartWalk>,
    /// The next visit of each part that has one.
    coming: BinaryHeap<Reverse<Visit>>,
    blocks_read: u64,
}

impl Walk {
    /// A walk over all blocks of `parts`.
    pub fn new(seed: u64, parts: &[Part]) -> Self {
        let mut parts: Vec<_> =
            (0..).zip(parts).map(|(index, part)| PartWalk::new(seed, index, part)).collect();
        let coming = parts.iter_mut().filter_map(|part| part.next().map(Reverse)).collect();
        Walk { parts, coming, blocks_read: 0 }
    }

    /// Visits the next blocks, at most `blocks` and so many that about `wanted` candidates are found, and appends these
    /// to `places`; false at the end. `look` is given a part, blocks of it, and what tells which of their line
    /// pointers are candidates. Blocks come in their own order, which reads memory and discs faster than a random
    /// one.
    pub fn visit<T>(
        &mut self,
        blocks: usize,
        wanted: usize,
        places: &mut Vec<(Place, T)>,
        mut look: impl FnMut(u32, &[u32], &mut Candidates<T>),
    ) -> bool {
        let (mut visits, mut expected) = (Vec::new(), 0.0);
        while visits.len() < blocks
            && expected < wanted as f64
            && let Some(Reverse(visit)) = self.coming.pop()
        {
            let part = &mut self.parts[visit.part as usize];
            self.coming.extend(part.next().map(Reverse));
            expected += part.expected(visit.level);
            visits.push((visit, visits.len()));
        }
        self.blocks_read += visits.len() as u64;
        visits.sort_unstable_by_key(|(visit, _)| (visit.part, visit.block, visit.level));
        let mut found = Vec::new();
        for visits in visits.chunk_by(|(a, _), (b, _)| a.part == b.part) {
            let part = visits[0].0.part;
            let numbers: Vec<u32> = visits.iter().map(|(visit, _)| visit.block).collect();
            let part_walk = &self.parts[part as usize];
            look(part, &numbers, &mut Candidates { part_walk, visits, found: &mut found });
        }
        // Within a block by number: a sample that ends within one must not favour its first rows.
        found.sort_unstable_by_key(|&(order, number, _)| (order, number));
        places.extend(found.into_iter().map(|(_, _, found)| found));
        !self.coming.is_empty()
    }

    /// Where in this walk `place` comes.
    pub fn position(&self, place: Place) -> Position {
        let walk = &self.parts[place.part as usize];
        let level = walk.level_of(walk.draws(place.block)(place.offset));
        let visit = walk.visit(walk.fraction_of(place.block), place.block, level);
        Position { visit, number: walk.number(place), offset: place.offset }
    }

    /// How many blocks were looked at, repeats counted.
    pub fn blocks_read(&self) -> u64 {
        self.blocks_read
    }
}

/// Which line pointers of the blocks that are looked at are candidates, and what was found at those that are in use.
pub struct Candidates<'a, T> {
    part_walk: &'a PartWalk,
    /// Each with its place in the order of visits.
    visits: &'a [(Visit, usize)],
    found: &'a mut Vec<(usize, u64, (Place, T))>,
}

impl<T> Candidates<'_, T> {
    /// The offsets from 1 to `largest` that are candidates, in the block with this index.
    pub fn of(&self, index: usize, largest: u16) -> impl Iterator<Item = u16> + use<'_, T> {
        let Visit { block, level, .. } = self.visits[index].0;
        let (draws, draw) = (self.part_walk.draws_of_level(level), self.part_walk.draws(block));
        (1..=largest).filter(move |&offset| draws.contains(&draw(offset)))
    }

    /// Takes a candidate whose line pointer is in use, with what is there.
    pub fn take(&mut self, index: usize, offset: u16, seen: T) {
        let (Visit { part, block, .. }, order) = self.visits[index];
        let place = Place { part, block, offset };
        self.found.push((order, self.part_walk.number(place), (place, seen)));
    }
}

/// The blocks of a table in a random order that no walk has: what is found in the first ones stands for all.
pub fn blocks_to_judge_by(part: Part) -> impl Iterator<Item = u32> {
    const SEED: u64 = 0x6a75_6467_6520_6279;
    let mut walk = PartWalk::new(SEED, 0, &Part { per_block: 1.0, ..part });
    std::iter::from_fn(move || walk.next().map(|visit| visit.block))
}

/// Blocks in one region of a table: 32 MB at Postgres' usual block size.
const REGION_BITS: u32 = 12;

/// More line pointers than an offset can tell apart are in no block.
const MOST_LEVELS: u32 = 16;

/// The visits of one part, in the order of time, which does not depend on the number of its blocks:
/// leaving blocks out leaves the order of the others as it is.
///
/// A round takes one block of each region, in a random order of regions; each region's blocks have a
/// random order of their own. So early blocks are spread over the table, and only one number per
/// region has to be drawn to know the first ones.
#[derive(Debug, Clone)]
struct PartWalk {
    seed: u64,
    index: u32,
    blocks: u32,
    per_block: f64,
    levels: u32,
    level: u32,
    round: u32,
    /// Fraction and block of this round's visits, and how many of them have come.
    of_round: Vec<(u64, u32)>,
    come: usize,
}

impl PartWalk {
    fn new(seed: u64, index: u32, part: &Part) -> Self {
        let levels = (part.per_block.max(1.0).log2().round() as u32).min(MOST_LEVELS);
        let seed = mix(mix(seed) ^ part.key);
        PartWalk {
            seed,
            index,
            blocks: part.blocks,
            per_block: part.per_block.max(1.0),
            levels,
            level: 0,
            round: 0,
            of_round: Vec::new(),
            come: 0,
        }
    }

    /// Tells a block's draws from those of others.
    fn key_of(&self, block: u32) -> u64 {
        mix(self.seed ^ mix(u64::from(block) << 16))
    }

    /// What a block's line pointers draw, by offset, which decides on their levels: four of one number.
    fn draws(&self, block: u32) -> impl Fn(u16) -> u16 {
        let of_block = self.key_of(block);
        move |offset| (mix(of_block ^ u64::from(offset >> 2)) >> (16 * (offset & 3))) as u16
    }

    /// What is drawn by line pointers of a level.
    fn draws_of_level(&self, level: u32) -> RangeInclusive<u16> {
        let below = |level: u32| (1 << (MOST_LEVELS - self.levels + level)) - 1;
        let least: u32 = if level == 0 { 0 } else { below(level - 1) + 1 };
        least as u16..=below(level) as u16
    }

    fn level_of(&self, draw: u16) -> u32 {
        self.levels - draw.leading_zeros().min(self.levels)
    }

    /// About how many candidates a visit finds.
    fn expected(&self, level: u32) -> f64 {
        self.per_block * self.draws_of_level(level).len() as f64 / 65536.0
    }

    /// What a row's line pointer draws to be ordered by within its block.
    fn number(&self, Place { block, offset, .. }: Place) -> u64 {
        mix(!self.key_of(block) ^ u64::from(offset))
    }

    /// `fraction` is the block's place in the order of blocks, in units of `2^-64`.
    fn visit(&self, fraction: u64, block: u32, level: u32) -> Visit {
        let within = match level {
            0 => u128::from(fraction),
            _ => (1 << 64 | u128::from(fraction)) << (level - 1),
        };
        Visit { at: within << (MOST_LEVELS - self.levels), part: self.index, block, level }
    }

    fn next(&mut self) -> Option<Visit> {
        while self.come == self.of_round.len() {
            if self.round == 1 << REGION_BITS {
                if self.level == self.levels {
                    return None;
                }
                self.level += 1;
                self.round = 0;
            }
            self.fill();
            self.come = 0;
        }
        let (fraction, block) = self.of_round[self.come];
        self.come += 1;
        Some(self.visit(fraction, block, self.level))
    }

    fn fill(&mut self) {
        if self.blocks <= 1 << REGION_BITS {
            // All rounds at once, since most would be empty; they are the same at every level.
            self.round = 1 << REGION_BITS;
            if self.of_round.is_empty() {
                let visits = (0..self.blocks).map(|block| (self.fraction_of(block), block));
                self.of_round = visits.collect();
                self.of_round.sort_unstable();
            }
            return;
        }
        self.of_round.clear();
        let regions = self.blocks.div_ceil(1 << REGION_BITS);
        for region in 0..regions {
            let block = region << REGION_BITS | self.shuffled(region, self.round);
            if block < self.blocks {
                self.of_round.push((self.fraction(region, self.round), block));
            }
        }
        self.of_round.sort_unstable();
        self.round += 1;
    }

    fn fraction(&self, region: u32, round: u32) -> u64 {
        let key = mix(self.seed ^ mix(u64::from(region) << 32 | u64::from(round)));
        u64::from(round) << (64 - REGION_BITS) | key >> REGION_BITS
    }

    fn fraction_of(&self, block: u32) -> u64 {
        let region = block >> REGION_BITS;
        self.fraction(region, self.unshuffled(region, block & ((1 << REGION_BITS) - 1)))
    }

    /// The place of a round in a random permutation of the region: a Feistel network on two halves.
    fn shuffled(&self, region: u32, round: u32) -> u32 {
        let (mut left, mut right) = (round >> HALF, round & HALF_MASK);
        for i in 0..FEISTEL_ROUNDS {
            (left, right) = (right, left ^ self.scattered(region, i, right));
        }
        left << HALF | right
    }

    /// The round that has this place: the inverse of [`PartWalk::shuffled`].
    fn unshuffled(&self, region: u32, place: u32) -> u32 {
        let (mut left, mut right) = (place >> HALF, place & HALF_MASK);
        for i in (0..FEISTEL_ROUNDS).rev() {
            (left, right) = (right ^ self.scattered(region, i, left), left);
        }
        left << HALF | right
    }

    fn scattered(&self, region: u32, i: u32, half: u32) -> u32 {
        let key = u64::from(region) << 32 | u64::from(i << HALF | half) | 1 << 31;
        mix(self.seed ^ mix(key)) as u32 & HALF_MASK
    }
}

const FEISTEL_ROUNDS: u32 = 6;
const HALF: u32 = REGION_BITS / 2;
const HALF_MASK: u32 = (1 << HALF) - 1;

/// A key for [`Part`] that is the same wherever a table has the same name.
pub fn key_of(name: &str) -> u64 {
    name.bytes().fold(1, |key, byte| mix(key ^ u64::from(byte)))
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
    use std::collections::{HashMap, HashSet};

    /// Tables whose block `b` has `rows[b]` line pointers, each with what is told of its rows per block.
    type Tables<'a> = &'a [(&'a [u16], f64)];

    fn walk(seed: u64, tables: Tables) -> Walk {
        let part = |(i, &(rows, per_block)): (usize, &(&[u16], f64))| Part {
            key: i as u64,
            blocks: rows.len() as u32,
            per_block,
        };
        Walk::new(seed, &tables.iter().enumerate().map(part).collect::<Vec<_>>())
    }

    /// The first `n` rows.
    fn sample(seed: u64, tables: Tables, n: usize) -> Vec<Place> {
        let (mut walk, mut places) = (walk(seed, tables), Vec::new());
        while places.len() < n && visit(&mut walk, 7, tables, &mut places) {}
        places.truncate(n);
        places.into_iter().map(|(place, ())| place).collect()
    }

    fn visit(walk: &mut Walk, blocks: usize, tables: Tables, places: &mut Vec<(Place, ())>) -> bool {
        walk.visit(blocks, usize::MAX, places, |part, blocks, candidates| {
            for (index, &block) in blocks.iter().enumerate() {
                let of_block: Vec<u16> =
                    candidates.of(index, tables[part as usize].0[block as usize]).collect();
                of_block.into_iter().for_each(|offset| candidates.take(index, offset, ()));
            }
        })
    }

    fn all(tables: Tables) -> HashSet<Place> {
        let blocks = (0..)
            .zip(tables)
            .flat_map(|(part, table)| (0..).zip(table.0).map(move |(block, &rows)| (part, block, rows)));
        blocks
            .flat_map(|(part, block, rows)| (1..=rows).map(move |offset| Place { part, block, offset }))
            .collect()
    }

    /// Pearson's statistic of how often each row was drawn, over its degrees of freedom: about 1.
    fn chi_square_ratio(tables: Tables, n: usize, seeds: u64) -> f64 {
        let mut drawn: HashMap<Place, f64> = all(tables).into_iter().map(|place| (place, 0.0)).collect();
        for seed in 0..seeds {
            for place in sample(seed, tables, n) {
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
        let wide = vec![1; 5000];
        for tables in [
            &[(&[3, 0, 7, 1][..], 20.0)][..],
            &[(&[1], 20.0)],
            &[(&[0, 0, 5], 1.0)],
            &[(&[136; 20], 136.0), (&[2; 7], 2.0), (&wide, 1.0)],
        ] {
            let places = sample(1, tables, usize::MAX);
            assert_eq!(places.len(), all(tables).len());
            assert_eq!(places.into_iter().collect::<HashSet<_>>(), all(tables));
        }
    }

    #[test]
    fn an_empty_table_has_no_rows() {
        assert!(sample(1, &[], 10).is_empty());
        assert!(sample(1, &[(&[], 1.0)], 10).is_empty());
        assert!(sample(1, &[(&[0, 0], 1.0), (&[], 9.0)], 10).is_empty());
    }

    #[test]
    fn rows_are_drawn_uniformly_however_blocks_are_filled() {
        let even = vec![8; 300];
        let uneven: Vec<u16> = (0..300).map(|b| if b % 10 == 0 { 40 } else { b % 4 }).collect();
        let half_empty: Vec<u16> = (0..300).map(|b| if b < 150 { 0 } else { 10 }).collect();
        for tables in [
            &[(&even[..], 8.0)][..],
            &[(&uneven, 5.0)],
            &[(&uneven, 40.0)],
            &[(&half_empty, 10.0)],
            &[(&even[..20], 8.0), (&[136; 8], 136.0), (&[1; 700], 1.0), (&[], 1.0), (&[5], 5.0)],
        ] {
            for n in [30, 120, 700] {
                // 1500 to 2400 rows: the ratio's standard deviation is about sqrt(2/1500) = 0.037.
                let ratio = chi_square_ratio(tables, n, 1000);
                assert!((ratio - 1.0).abs() < 0.15, "ratio {ratio} for n = {n}");
            }
        }
    }

    #[test]
    fn a_single_row_is_drawn_uniformly_from_blocks_that_are_filled_alike() {
        for per_block in [1.0, 10.0, 40.0] {
            let ratio = chi_square_ratio(&[(&[40; 20], per_block)], 1, 40_000);
            assert!((ratio - 1.0).abs() < 0.2, "ratio {ratio}");
        }
    }

    #[test]
    fn a_sample_of_a_large_table_reads_few_blocks_and_hits_many() {
        let rows = [Part { key: 0, blocks: 1_000_000, per_block: 136.0 }];
        let (mut walk, mut places) = (Walk::new(3, &rows), Vec::new());
        while places.len() < 1000 {
            walk.visit(100, 1000, &mut places, |_, blocks, candidates| {
                for index in 0..blocks.len() {
                    let of_block: Vec<u16> = candidates.of(index, 136).collect();
                    of_block.into_iter().for_each(|offset| candidates.take(index, offset, ()));
                }
            });
        }
        let blocks: HashSet<u32> = places.iter().map(|(place, ())| place.block).collect();
        assert!(walk.blocks_read() < 1200, "{} blocks read", walk.blocks_read());
        assert!(blocks.len() > 550, "{} blocks hit", blocks.len());
    }

    #[test]
    fn unseen_rows_and_growth_do_not_change_the_sample() {
        let before = vec![9; 77];
        let mut after = before.clone();
        after.extend([30; 9000]);
        let old = sample(5, &[(&before, 9.0)], 50);
        let seen = sample(5, &[(&after, 9.0), (&[7; 30], 1.0)], 100_000).into_iter();
        let seen = seen.filter(|place| place.part == 0 && place.block < 77);
        assert_eq!(old, seen.take(50).collect::<Vec<_>>());
    }

    #[test]
    fn positions_are_in_the_order_of_the_walk() {
        let tables: Tables = &[(&[9; 77], 9.0), (&[1; 5000], 1.0), (&[50; 3], 60.0)];
        let walked = sample(5, tables, usize::MAX);
        let walk = walk(5, tables);
        let mut sorted = walked.clone();
        sorted.sort_by_key(|&place| walk.position(place));
        assert_eq!(walked, sorted);
    }

    #[test]
    fn another_seed_draws_another_sample() {
        let tables: Tables = &[(&[10; 500], 10.0)];
        assert_eq!(sample(1, tables, 50), sample(1, tables, 50));
        assert_ne!(sample(1, tables, 50), sample(2, tables, 50));
    }
}
