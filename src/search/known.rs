//! Rows whose distance is known without an index: where walks start, and what they are checked against.

use exemplar_svm::TrainingSet;

/// Two cosines that differ by less may be those of one row, computed in single precision.
const ROUNDING: f64 = 3e-6;

/// The exemplars and the sampled rows of a source, seen from a weight vector.
pub struct Known<'a> {
    /// The exemplar nearest to the weight vector.
    pub exemplar: Option<&'a [f32]>,
    /// Sampled rows that say where to walk, in descending order of their cosine.
    guides: Vec<Sampled<'a>>,
    /// The others, which say nothing until they have told what walks miss: these know nothing of them.
    held_out: Vec<Sampled<'a>>,
}

struct Sampled<'a> {
    cosine: f64,
    row: &'a [f32],
    /// Whether a walk has started from it.
    started: bool,
}

impl<'a> Known<'a> {
    /// What `set` has, seen from `w`, a unit vector. The sample is evidence only where its rows are of those searched.
    /// Every other sampled row is held out.
    pub fn of(set: &'a TrainingSet, w: &[f32], is_evidence: bool) -> Self {
        let (mut guides, mut held_out) = (Vec::new(), Vec::new());
        for (i, (cosine, row)) in set.scored_negatives(w).filter(|_| is_evidence).enumerate() {
            let part = if i % 2 == 0 { &mut guides } else { &mut held_out };
            part.push(Sampled { cosine, row, started: false });
        }
        put_in_order(&mut guides);
        put_in_order(&mut held_out);
        Known { exemplar: set.best_exemplar(w), guides, held_out }
    }

    /// The best of the sampled rows that say where to walk.
    pub fn best_guide(&self) -> Option<&'a [f32]> {
        self.guides.first().map(|sampled| sampled.row)
    }

    /// The best of these that no walk has started from. A walk is taken to start from it now.
    pub fn next_guide(&mut self) -> Option<&'a [f32]> {
        let next = self.guides.iter_mut().find(|sampled| !sampled.started)?;
        next.started = true;
        Some(next.row)
    }

    /// The best sampled row above `floor`, and its cosine, that is not among those found, whose cosines are given in descending order,
    /// and that no walk has started from. A walk is taken to start from it now.
    pub fn next_missed(&mut self, floor: f64, found: &[f64]) -> Option<(&'a [f32], f64)> {
        let above = self.guides.iter_mut().take_while(|sampled| sampled.cosine > floor + ROUNDING);
        let mut missed = above.filter(|sampled| !sampled.started && !contains(found, sampled.cosine));
        missed.next().map(|sampled| {
            sampled.started = true;
            (sampled.row, sampled.cosine)
        })
    }

    /// Whether any sampled row above `floor` that says where to walk is not among those found.
    pub fn misses(&self, floor: f64, found: &[f64]) -> bool {
        let mut above = self.guides.iter().take_while(|sampled| sampled.cosine > floor + ROUNDING);
        above.any(|sampled| !contains(found, sampled.cosine))
    }

    /// The share of the rows held out above `floor` that were found, `None` where there is none. From now on they say
    /// where to walk too.
    pub fn measure(&mut self, floor: f64, found: &[f64]) -> Option<f64> {
        let held_out = std::mem::take(&mut self.held_out);
        let above = held_out.iter().take_while(|sampled| sampled.cosine > floor + ROUNDING).count();
        let hits = held_out[..above].iter().filter(|sampled| contains(found, sampled.cosine)).count();
        self.guides.extend(held_out);
        put_in_order(&mut self.guides);
        (above > 0).then(|| hits as f64 / above as f64)
    }
}

fn put_in_order(sampled: &mut [Sampled]) {
    sampled.sort_by(|a, b| b.cosine.total_cmp(&a.cosine));
}

/// Whether `cosines`, in descending order, have this one.
pub fn contains(cosines: &[f64], cosine: f64) -> bool {
    let first = cosines.partition_point(|&other| other > cosine + ROUNDING);
    cosines.get(first).is_some_and(|&other| other > cosine - ROUNDING)
}
