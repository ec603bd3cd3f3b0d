//! Which of the best rows make a page: near duplicates folded, or spread.

use crate::vector::dot;

/// Unit vectors with a larger inner product are near duplicates.
const ALIKE: f64 = 0.97;
/// How much being unlike the rows before counts against the rank, from 0 to 1.
const SPREAD: f64 = 0.5;

/// A row of the page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shown {
    /// Its number among the candidates.
    pub row: usize,
    /// Candidates that are near duplicates of it.
    pub alike: Vec<usize>,
}

/// The rows of a page out of the best candidates, and how many candidates it used up.
pub fn page(vectors: &[Vec<f32>], size: usize, fold: bool, diverse: bool) -> (Vec<Shown>, usize) {
    if diverse {
        return (spread(vectors, size), vectors.len());
    }
    let mut page: Vec<Shown> = Vec::new();
    for (row, vector) in vectors.iter().enumerate() {
        let same = page.iter().position(|shown| fold && dot(&vectors[shown.row], vector) > ALIKE);
        match same {
            Some(shown) => page[shown].alike.push(row),
            None if page.len() == size => return (page, row),
            None => page.push(Shown { row, alike: Vec::new() }),
        }
    }
    (page, vectors.len())
}

/// Maximal marginal relevance: each next row is near the top and unlike those before. The order of the candidates stands.
fn spread(vectors: &[Vec<f32>], size: usize) -> Vec<Shown> {
    let mut left: Vec<usize> = (0..vectors.len()).collect();
    let mut likeness = vec![0.0f64; vectors.len()];
    let mut chosen = Vec::new();
    while chosen.len() < size && !left.is_empty() {
        let worth = |row: usize| {
            let rank = 1.0 - row as f64 / vectors.len() as f64;
            (1.0 - SPREAD) * rank - SPREAD * likeness[row]
        };
        let (at, &best) = left
            .iter()
            .enumerate()
            .max_by(|a, b| worth(*a.1).total_cmp(&worth(*b.1)).then(b.1.cmp(a.1)))
            .expect("rows are left");
        left.remove(at);
        for &row in &left {
            likeness[row] = likeness[row].max(dot(&vectors[row], &vectors[best]));
        }
        chosen.push(best);
    }
    chosen.sort_unstable();
    chosen.into_iter().map(|row| Shown { row, alike: Vec::new() }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn vectors(angles: &[f32]) -> Vec<Vec<f32>> {
        angles.iter().map(|angle| vec![angle.cos(), angle.sin()]).collect()
    }

    #[test]
    fn near_duplicates_are_folded() {
        let (page, used) = page(&vectors(&[0.0, 0.01, 1.0, 0.02, 2.0]), 2, true, false);
        assert_eq!(page, [Shown { row: 0, alike: vec![1, 3] }, Shown { row: 2, alike: vec![] }]);
        assert_eq!(used, 4);
        let (unfolded, used) = super::page(&vectors(&[0.0, 0.01, 1.0]), 2, false, false);
        assert_eq!((unfolded.len(), used), (2, 2));
    }

    #[test]
    fn spreading_prefers_what_is_unlike() {
        let (page, used) = page(&vectors(&[0.0, 0.05, 0.1, 1.5]), 2, true, true);
        assert_eq!(page.iter().map(|shown| shown.row).collect::<Vec<_>>(), [0, 3]);
        assert_eq!(used, 4);
    }
}
