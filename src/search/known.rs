//! Rows whose distance is known without an index: where walks start, and what they are checked against.

use exemplar_svm::TrainingSet;

/// Two cosines that differ by less may be those of one row, computed in single precision.
const ROUNDING: f64 = 3e-6;

/// The exemplars and the sampled rows of a source, seen from a weight vector.
pub struct Known<'a> {
    /// The exemplar nearest to the weight vector.
    pub exemplar: Option<&'a [f32]>,
    /// Sampled rows with their cosines, the largest first, and whether a walk has started from them.
    sampled: Vec<(f64, &'a [f32], bool)>,
}

impl<'a> Known<'a> {
    /// What `set` has, seen from `w`, a unit vector. The sample is evidence only where its rows are of those searched.
    pub fn of(set: &'a TrainingSet, w: &[f32], is_evidence: bool) -> Self {
        let scored = set.scored_negatives(w).filter(|_| is_evidence);
        let mut sampled: Vec<_> = scored.map(|(cosine, row)| (cosine, row, false)).collect();
        sampled.sort_by(|a, b| b.0.total_cmp(&a.0));
        Known { exemplar: set.best_exemplar(w), sampled }
    }

    /// The sampled row nearest to the weight vector.
    pub fn best_sampled(&self) -> Option<&'a [f32]> {
        self.sampled.first().map(|&(_, row, _)| row)
    }

    /// The nearest sampled row above `floor` that is not among those found, whose cosines are given in descending order,
    /// and that no walk has started from. A walk is taken to start from it now.
    pub fn next_missed(&mut self, floor: f64, found: &[f64]) -> Option<&'a [f32]> {
        let above = self.sampled.iter_mut().take_while(|(cosine, ..)| *cosine > floor + ROUNDING);
        let mut missed = above.filter(|(cosine, _, started)| !started && !contains(found, *cosine));
        missed.next().map(|(_, row, started)| {
            *started = true;
            *row
        })
    }

    /// Whether any sampled row above `floor` is not among those found.
    pub fn misses(&self, floor: f64, found: &[f64]) -> bool {
        let mut above = self.sampled.iter().take_while(|(cosine, ..)| *cosine > floor + ROUNDING);
        above.any(|(cosine, ..)| !contains(found, *cosine))
    }

    /// The share of the sampled rows above `floor` that were found, of those that no walk has started from; `None` where
    /// there is none.
    pub fn recall(&self, floor: f64, found: &[f64]) -> Option<f64> {
        let above = self.sampled.iter().take_while(|(cosine, ..)| *cosine > floor + ROUNDING);
        let above: Vec<_> = above.filter(|(_, _, started)| !started).collect();
        let hits = above.iter().filter(|(cosine, ..)| contains(found, *cosine)).count();
        (!above.is_empty()).then(|| hits as f64 / above.len() as f64)
    }
}

/// Whether `cosines`, in descending order, have this one.
fn contains(cosines: &[f64], cosine: f64) -> bool {
    let first = cosines.partition_point(|&other| other > cosine + ROUNDING);
    cosines.get(first).is_some_and(|&other| other > cosine - ROUNDING)
}
