//! What a fit made of its input: how it understood each example, and what looks wrong.

use crate::background::Background;
use crate::kernel;
use crate::objective::scores;
use crate::problem::Problem;
use crate::solver::Fit;

/// Two examples whose cosine, seen from the background's mean, is below this pull in opposite directions.
const CONFLICT: f64 = 0.0;

/// A fit, explained. Margins are `w.x + b`: 1 and more for what is clearly wanted, -1 and less for what is not.
#[derive(Debug, Clone, Default)]
pub struct Report {
    /// `cos(w, q)`, if there is a hint.
    pub cosine_hint: Option<f64>,
    /// Standard deviations that the exemplars stand out under the hint, if there are both.
    pub hint_z: Option<f64>,
    /// `cos(w, r)` of each counter-hint.
    pub cosine_counter_hints: Vec<f64>,
    /// `cos(w, x)` of each exemplar.
    pub cosine_exemplars: Vec<f64>,
    pub margins_exemplars: Vec<f64>,
    pub margins_counter_exemplars: Vec<f64>,
    /// Number of the exemplar and of what it conflicts with.
    pub conflicts: Vec<Conflict>,
    /// Numbers of the negatives whose margin is above the lowest of the exemplars', the highest first:
    /// rows that may well be wanted.
    pub false_negatives: Vec<usize>,
    /// Their margins.
    pub false_negative_margins: Vec<f64>,
}

/// Input that contradicts other input, each counted from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Conflict {
    /// Two exemplars lie on opposite sides of the background's mean.
    Exemplars(usize, usize),
    /// An exemplar scores below the background's mean under the hint.
    ExemplarHint(usize),
    /// A counter-exemplar scores above the exemplars' mean under the hint.
    CounterExemplarHint(usize),
    /// The fit could not put a counter-exemplar below an exemplar.
    ExemplarCounterExemplar(usize, usize),
}

impl Report {
    /// Reads the rows of `problem` once more; `interrupt` is called meanwhile and may unwind.
    pub fn of(problem: &Problem, fit: &Fit, interrupt: &mut dyn FnMut()) -> Self {
        let set = &problem.set;
        let length = kernel::inner(&fit.w, &fit.w).sqrt().max(f64::MIN_POSITIVE);
        let cosine_to = |q: &[f64]| kernel::inner(&fit.w, q) / length;
        let scores = scores(set.values(), &fit.w, interrupt);
        let (exemplars, rest) = scores.split_at(set.exemplars());
        let (counters, negatives) = rest.split_at(set.counter_exemplars());
        let margins = |scores: &[f64]| scores.iter().map(|s| s + fit.b).collect::<Vec<_>>();
        let (margins_exemplars, margins_counters) = (margins(exemplars), margins(counters));
        let lowest = margins_exemplars.iter().copied().fold(f64::INFINITY, f64::min);
        let above = |&(_, score): &(usize, &f64)| score + fit.b > lowest;
        let mut false_negatives: Vec<usize> =
            negatives.iter().enumerate().filter(above).map(|(row, _)| row).collect();
        false_negatives.sort_by(|&a, &b| negatives[b].total_cmp(&negatives[a]).then(a.cmp(&b)));
        Report {
            cosine_hint: problem.hint().map(cosine_to),
            hint_z: problem.hint_z(),
            cosine_counter_hints: problem.counter_hints().iter().map(|r| cosine_to(r)).collect(),
            cosine_exemplars: exemplars.iter().map(|score| score / length).collect(),
            conflicts: conflicts(problem, &margins_exemplars, &margins_counters, interrupt),
            false_negative_margins: false_negatives.iter().map(|&row| negatives[row] + fit.b).collect(),
            false_negatives,
            margins_exemplars,
            margins_counter_exemplars: margins_counters,
        }
    }
}

fn conflicts(
    problem: &Problem,
    exemplar_margins: &[f64],
    counter_margins: &[f64],
    interrupt: &mut dyn FnMut(),
) -> Vec<Conflict> {
    let set = &problem.set;
    let (background, _) = Background::new(set.negative_values(), set.dimensions(), [], interrupt);
    let centred = |values: &[f32]| -> Vec<Vec<f64>> {
        values.chunks_exact(set.dimensions()).map(|row| background.centred_mean(row, &[1.0])).collect()
    };
    let (exemplars, counters) = (centred(set.exemplar_values()), centred(set.counter_exemplar_values()));
    let mut found = Vec::new();
    for (i, a) in exemplars.iter().enumerate() {
        for (j, b) in exemplars.iter().enumerate().skip(i + 1) {
            if kernel::inner(a, b) < CONFLICT {
                found.push(Conflict::Exemplars(i, j));
            }
        }
    }
    if let Some(q) = problem.hint().filter(|_| !exemplars.is_empty()) {
        let under_hint = |rows: &[Vec<f64>]| rows.iter().map(|z| kernel::inner(z, q)).collect::<Vec<_>>();
        let (wanted, unwanted) = (under_hint(&exemplars), under_hint(&counters));
        let mean = wanted.iter().sum::<f64>() / wanted.len() as f64;
        found.extend((0..wanted.len()).filter(|&i| wanted[i] < 0.0).map(Conflict::ExemplarHint));
        found.extend((0..unwanted.len()).filter(|&i| unwanted[i] > mean).map(Conflict::CounterExemplarHint));
    }
    for (j, counter) in counter_margins.iter().enumerate() {
        let below = (0..exemplar_margins.len()).filter(|&i| exemplar_margins[i] <= *counter);
        found.extend(below.map(|i| Conflict::ExemplarCounterExemplar(i, j)));
    }
    found
}
