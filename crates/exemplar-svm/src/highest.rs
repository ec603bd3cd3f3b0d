//! The highest inner products of some vectors with many, in single precision.

use crate::kernel::{GROUP, vectorised};

/// Columns taken at a time by [`highest_products`], each a lane.
pub const TILE: usize = 16;

/// For each of `GROUP` vectors the numbers of the columns with the highest `sum_i vectors[i][k] columns[i][j] - less[j]`, in single
/// precision, the first of equals first; where there are fewer columns the last numbers are `less.len()`. `columns` holds those of
/// the first [`TILE`] columns, value by value, then those of the next ones; `less` one for each, of which infinite ones make
/// whole tiles. `products` is room for them. At most `TILE` numbers.
pub fn highest_products<const N: usize>(
    columns: &[f32],
    less: &[f32],
    vectors: &[[f32; GROUP]],
    products: &mut [Vec<[f32; TILE]>; GROUP],
) -> [[usize; N]; GROUP] {
    products.iter_mut().for_each(Vec::clear);
    let [a_all, b_all, c_all, d_all] = &mut *products;
    vectorised(
        #[inline(always)]
        || {
            for (tile, less) in columns.chunks_exact(vectors.len() * TILE).zip(less.as_chunks::<TILE>().0) {
                let less = less.map(|less| -less);
                let (mut a, mut b, mut c, mut d) = (less, less, less, less);
                for (values, of) in tile.as_chunks::<TILE>().0.iter().zip(vectors) {
                    a = plus_multiple(a, of[0], values);
                    b = plus_multiple(b, of[1], values);
                    c = plus_multiple(c, of[2], values);
                    d = plus_multiple(d, of[3], values);
                }
                a_all.push(a);
                b_all.push(b);
                c_all.push(c);
                d_all.push(d);
            }
        },
    );
    std::array::from_fn(|k| highest(&products[k]))
}

#[inline(always)]
fn plus_multiple(sums: [f32; TILE], a: f32, x: &[f32; TILE]) -> [f32; TILE] {
    std::array::from_fn(|l| sums[l] + a * x[l])
}

/// The numbers of the highest values, the first of equals first; as many as there are values for those that are missing.
fn highest<const N: usize>(tiles: &[[f32; TILE]]) -> [usize; N] {
    const { assert!(N <= TILE) };
    let mut found = Vec::with_capacity(4 * TILE);
    vectorised(
        #[inline(always)]
        || {
            let mut lanes = [f32::NEG_INFINITY; TILE];
            for tile in tiles {
                lanes = std::array::from_fn(|l| if tile[l] > lanes[l] { tile[l] } else { lanes[l] });
            }
            // At least N values are no less than the N-th of the lanes' highest.
            let mut higher = [0; TILE];
            for other in lanes {
                higher = std::array::from_fn(|l| higher[l] + u32::from(other > lanes[l]));
            }
            let of_first = |(&value, &higher): (&f32, &u32)| if higher < N as u32 { value } else { f32::MAX };
            let least = lanes.iter().zip(&higher).map(of_first).fold(f32::MAX, f32::min).max(f32::MIN);
            for (start, tile) in (0..).step_by(TILE).zip(tiles) {
                // A bit for each lane: nearly all tiles have none, and the others one.
                let bits: [u32; TILE] = std::array::from_fn(|l| if tile[l] >= least { 1 << l } else { 0 });
                let mut high: u32 = bits.iter().sum();
                while high != 0 {
                    let lane = high.trailing_zeros() as usize;
                    found.push((tile[lane], start + lane));
                    high &= high - 1;
                }
            }
        },
    );
    let first = |a: &(f32, usize), b: &(f32, usize)| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1));
    // Equal values can be any number.
    if found.len() > 4 * TILE {
        found.select_nth_unstable_by(N, first);
        found.truncate(N);
    }
    found.sort_unstable_by(first);
    std::array::from_fn(|i| found.get(i).map_or(tiles.len() * TILE, |&(_, number)| number))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As [`highest`] says it.
    fn by_sorting<const N: usize>(tiles: &[[f32; TILE]]) -> [usize; N] {
        let values = tiles.as_flattened();
        let mut numbers: Vec<usize> = (0..values.len()).filter(|&i| values[i] > f32::NEG_INFINITY).collect();
        numbers.sort_by(|&a, &b| values[b].total_cmp(&values[a]));
        std::array::from_fn(|i| numbers.get(i).copied().unwrap_or(values.len()))
    }

    #[test]
    fn the_highest_are_those_that_sorting_finds() {
        let mut state = 1u64;
        let mut value = |of: u64| {
            state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            (state >> 33) % of
        };
        for round in 0..400 {
            let (tiles, of) = (1 + value(9), [3, 50, 1 << 30][round % 3]);
            let mut tiles: Vec<[f32; TILE]> =
                (0..tiles).map(|_| std::array::from_fn(|_| value(of) as f32)).collect();
            let missing = value(TILE as u64) as usize;
            tiles.last_mut().unwrap()[TILE - missing..].fill(f32::NEG_INFINITY);
            assert_eq!(highest::<9>(&tiles), by_sorting::<9>(&tiles));
            assert_eq!(highest::<TILE>(&tiles), by_sorting::<TILE>(&tiles));
        }
    }
}
