//! What a fit made of its input: how it understood each example, and what looks wrong.

use std::fmt;

use crate::background::Background;
use crate::kernel;
use crate::objective::scores;
use crate::problem::Problem;
use crate::query::{Example, Input, Query};
use crate::solver::Fit;

/// Two examples whose cosine, seen from the background's mean, is below this pull in opposite directions.
const CONFLICT: f64 = 0.0;

/// Most conflicts that are listed one by one.
pub const LISTED_CONFLICTS: usize = 100;

/// How many exemplars, the first ones, are compared with each other: their pairs are as many as the square.
pub const COMPARED_EXEMPLARS: usize = 200;

/// A fit, explained. Margins are `w.x + b`: 1 and more for what is clearly wanted, -1 and less for what is not.
#[derive(Debug, Clone, Default)]
pub struct Report {
    /// `cos(w, q)`, if there is a hint.
    pub cosine_hint: Option<f64>,
    /// Standard deviations that the exemplars stand out under the hint, if there are both.
    pub hint_z: Option<f64>,
    /// How far the hint is trusted, from 0.05 to 1, if there are both.
    pub hint_trust: Option<f64>,
    /// The share of the rows that is believed to be wanted, for the adaptive form.
    pub wanted_share: Option<f64>,
    /// `cos(w, r)` of each counter-hint.
    pub cosine_counter_hints: Vec<f64>,
    /// `cos(w, x)` of each exemplar.
    pub cosine_exemplars: Vec<f64>,
    pub margins_exemplars: Vec<f64>,
    pub margins_counter_exemplars: Vec<f64>,
    /// The first [`LISTED_CONFLICTS`] of them.
    pub conflicts: Vec<Conflict>,
    /// How many there are.
    pub conflict_count: u64,
    /// Numbers of the negatives whose margin is above the lowest of the exemplars', the highest first:
    /// rows that may well be wanted.
    pub false_negatives: Vec<usize>,
    /// Their margins.
    pub false_negative_margins: Vec<f64>,
}

/// Input that contradicts other input, each counted from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Conflict {
    /// Two exemplars, of the first [`COMPARED_EXEMPLARS`], lie on opposite sides of the background's mean.
    Exemplars(usize, usize),
    /// An exemplar scores below the background's mean under the hint.
    ExemplarHint(usize),
    /// A counter-exemplar scores above the exemplars' mean under the hint.
    CounterExemplarHint(usize),
    /// The fit could not put a counter-exemplar below an exemplar.
    ExemplarCounterExemplar(usize, usize),
}

impl Conflict {
    /// The same by the numbers that the caller gave; a fit counts without what `query` has left out for its weight of 0.
    pub fn as_given(self, query: &Query) -> Self {
        let given = |examples: &[Example], i: usize| match examples[i].vector.input {
            Input::Exemplar(given) | Input::CounterExemplar(given) => given,
            _ => i,
        };
        let exemplar = |i| given(&query.exemplars, i);
        let counter = |j| given(&query.counter_exemplars, j);
        match self {
            Conflict::Exemplars(i, j) => Conflict::Exemplars(exemplar(i), exemplar(j)),
            Conflict::ExemplarHint(i) => Conflict::ExemplarHint(exemplar(i)),
            Conflict::CounterExemplarHint(j) => Conflict::CounterExemplarHint(counter(j)),
            Conflict::ExemplarCounterExemplar(i, j) => {
                Conflict::ExemplarCounterExemplar(exemplar(i), counter(j))
            }
        }
    }

    /// The conflict in words, each input under the name that `name` gives it.
    pub fn in_words(&self, name: impl Fn(Input) -> String) -> String {
        let exemplar = |i| name(Input::Exemplar(i));
        let counter = |i| name(Input::CounterExemplar(i));
        match *self {
            Conflict::Exemplars(i, j) => {
                format!("{} and {} have nothing in common", exemplar(i), exemplar(j))
            }
            Conflict::ExemplarHint(i) => format!("{} is further from the hint than most rows", exemplar(i)),
            Conflict::CounterExemplarHint(j) => {
                format!("{} is nearer to the hint than the exemplars", counter(j))
            }
            Conflict::ExemplarCounterExemplar(i, j) => {
                format!("{} scores below {}", exemplar(i), counter(j))
            }
        }
    }
}

impl fmt::Display for Conflict {
    /// For people, who count from 1.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.in_words(|input| input.to_string()))
    }
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
        false_negatives.sort_unstable_by(|&a, &b| negatives[b].total_cmp(&negatives[a]).then(a.cmp(&b)));
        let conflicts = Conflicts::of(problem, &margins_exemplars, &margins_counters, interrupt);
        Report {
            cosine_hint: problem.hint().map(cosine_to),
            hint_z: problem.hint_z(),
            hint_trust: problem.hint_trust(),
            wanted_share: problem.wanted_share(),
            cosine_counter_hints: problem.counter_hints().iter().map(|r| cosine_to(r)).collect(),
            cosine_exemplars: exemplars.iter().map(|score| score / length).collect(),
            conflicts: conflicts.first,
            conflict_count: conflicts.count,
            false_negative_margins: false_negatives.iter().map(|&row| negatives[row] + fit.b).collect(),
            false_negatives,
            margins_exemplars,
            margins_counter_exemplars: margins_counters,
        }
    }
}

/// Conflicts as they are found: all are counted, the first are listed.
#[derive(Default)]
struct Conflicts {
    first: Vec<Conflict>,
    count: u64,
}

impl Conflicts {
    fn push(&mut self, conflict: Conflict) {
        if self.first.len() < LISTED_CONFLICTS {
            self.first.push(conflict);
        }
        self.count += 1;
    }

    fn of(
        problem: &Problem,
        exemplar_margins: &[f64],
        counter_margins: &[f64],
        interrupt: &mut dyn FnMut(),
    ) -> Self {
        let (set, mut found) = (&problem.set, Conflicts::default());
        // Nobody has asked for what an expansion added.
        let given = set.given_exemplars();
        let exemplars = &set.exemplar_values()[..given * set.dimensions()];
        let (background, _) = Background::new(set.negative_values(), set.dimensions(), [], interrupt);
        found.of_pairs(exemplars, &background);
        if let Some(q) = problem.hint().filter(|_| given > 0) {
            found.with_hint(exemplars, set.counter_exemplar_values(), q, &background);
        }
        found.of_margins(&exemplar_margins[..given], counter_margins);
        found
    }

    fn of_pairs(&mut self, exemplars: &[f32], background: &Background) {
        let d = background.dimensions();
        let rows = exemplars.chunks_exact(d).take(COMPARED_EXEMPLARS);
        let centred: Vec<Vec<f64>> = rows.map(|row| background.centred_mean(row, &[1.0])).collect();
        for (i, a) in centred.iter().enumerate() {
            for (j, b) in centred.iter().enumerate().skip(i + 1) {
                if kernel::inner(a, b) < CONFLICT {
                    self.push(Conflict::Exemplars(i, j));
                }
            }
        }
    }

    fn with_hint(&mut self, exemplars: &[f32], counters: &[f32], q: &[f64], background: &Background) {
        let d = background.dimensions();
        let under_hint = |row: &[f32]| kernel::inner(&background.centred_mean(row, &[1.0]), q);
        let wanted: Vec<f64> = exemplars.chunks_exact(d).map(under_hint).collect();
        let mean = wanted.iter().sum::<f64>() / wanted.len() as f64;
        (0..wanted.len()).filter(|&i| wanted[i] < 0.0).for_each(|i| self.push(Conflict::ExemplarHint(i)));
        for (j, row) in counters.chunks_exact(d).enumerate() {
            if under_hint(row) > mean {
                self.push(Conflict::CounterExemplarHint(j));
            }
        }
    }

    fn of_margins(&mut self, exemplars: &[f64], counters: &[f64]) {
        let mut sorted = exemplars.to_vec();
        sorted.sort_unstable_by(f64::total_cmp);
        for (j, counter) in counters.iter().enumerate() {
            let count = sorted.partition_point(|margin| margin <= counter) as u64;
            let room = LISTED_CONFLICTS - self.first.len();
            if count > 0 && room > 0 {
                let below = (0..exemplars.len()).filter(|&i| exemplars[i] <= *counter).take(room);
                self.first.extend(below.map(|i| Conflict::ExemplarCounterExemplar(i, j)));
            }
            self.count += count;
        }
    }
}
