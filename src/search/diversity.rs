//! Rows that differ from each other: maximal marginal relevance.
//!
//! # Source
//! Carbonell, Goldstein, SIGIR 1998.

use crate::postgres::check_interrupts;

/// Two rows whose cosine is above this are copies of each other.
const COPY: f64 = 0.98;

/// The indexes of `k` rows at most, of `rows` that are of unit length and in order of their `relevance`: the most
/// relevant one, and then one after the other the row with the largest
/// `(1 - diversity) r - diversity max(0, cos)`, where r is its relevance, from 0 for the last to 1 for the first, and
/// cos that with the row chosen before that is most like it. Copies of a chosen row are left out.
///
/// # Complexity
/// O(k n d) time.
pub fn diverse(rows: &[Vec<f32>], relevance: &[f64], diversity: f64, k: usize) -> Vec<usize> {
    let (first, last) = (relevance.first().copied().unwrap_or(0.0), relevance.last().copied().unwrap_or(0.0));
    let range = (first - last).max(f64::MIN_POSITIVE);
    let relevance: Vec<f64> = relevance.iter().map(|r| (r - last) / range).collect();
    let mut likeness = vec![0.0_f64; rows.len()];
    let (mut is_open, mut chosen) = (vec![true; rows.len()], Vec::with_capacity(k.min(rows.len())));
    while chosen.len() < k {
        let value = |&i: &usize| (1.0 - diversity) * relevance[i] - diversity * likeness[i];
        let open = (0..rows.len()).filter(|&i| is_open[i]);
        // The first of equals, which is the most relevant.
        let Some(next) = open.rev().max_by(|a, b| value(a).total_cmp(&value(b))) else { break };
        chosen.push(next);
        is_open[next] = false;
        for i in (0..rows.len()).filter(|&i| is_open[i]).collect::<Vec<_>>() {
            let cosine = cosine(&rows[next], &rows[i]);
            likeness[i] = likeness[i].max(cosine);
            is_open[i] = cosine <= COPY;
        }
        check_interrupts();
    }
    chosen
}

fn cosine(a: &[f32], b: &[f32]) -> f64 {
    let (mut sums, split) = ([0.0_f32; 8], a.len() / 8 * 8);
    for (a, b) in a.chunks_exact(8).zip(b.chunks_exact(8)) {
        sums.iter_mut().zip(a.iter().zip(b)).for_each(|(sum, (a, b))| *sum += a * b);
    }
    let rest: f32 = a[split..].iter().zip(&b[split..]).map(|(a, b)| a * b).sum();
    f64::from(sums.iter().sum::<f32>() + rest)
}
