//! Some rows, drawn by their values.

/// How many rows are drawn: enough that near ones are among them, and few beside the fit.
const MOST: usize = 4096;

/// How many coordinates rows are drawn by, in runs of a cache line.
const COORDINATES: usize = 32;
const RUN: usize = 16;

/// How often what rows are drawn by goes round for a difference of 1.
const TURNS: f64 = 100.0;

/// Rows of a table, drawn from those given.
pub(crate) struct Drawn<'a> {
    values: &'a [f32],
    d: usize,
    /// The coordinates by which they are drawn, and near ones found.
    pub coordinates: Vec<usize>,
    /// Their numbers, drawn and ordered by a sum of these coordinates that goes round many times: a choice that hangs neither on the
    /// order of the rows, nor on the last bits of their values, nor for one row on the others.
    numbers: Vec<usize>,
}

impl<'a> Drawn<'a> {
    /// `values` are rows of `d` dimensions.
    pub fn of(values: &'a [f32], d: usize) -> Self {
        let runs = spread(d / RUN, COORDINATES / RUN).flat_map(|run| run * RUN..(run + 1) * RUN);
        let coordinates: Vec<usize> = if d < COORDINATES { (0..d).collect() } else { runs.collect() };
        let lot = |row: &[f32]| {
            let sum = (1..)
                .zip(&coordinates)
                .map(|(weight, &k)| f64::from(weight) * f64::from(row[k]))
                .sum::<f64>();
            let turns = TURNS * sum;
            (turns - turns.round()).abs()
        };
        let mut drawn: Vec<(f64, usize)> = values.chunks_exact(d).map(lot).zip(0..).collect();
        drawn.sort_unstable_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
        drawn.truncate(MOST);
        let numbers = drawn.into_iter().map(|(_, row)| row).collect();
        Drawn { values, d, coordinates, numbers }
    }

    pub fn len(&self) -> usize {
        self.numbers.len()
    }

    /// The numbers of the first rows drawn, `most` of them.
    pub fn first(&self, most: usize) -> &[usize] {
        &self.numbers[..self.len().min(most)]
    }

    pub fn at(&self, place: usize) -> &'a [f32] {
        let from = self.numbers[place] * self.d;
        &self.values[from..from + self.d]
    }
}

/// `most` of `n` numbers, evenly apart.
fn spread(n: usize, most: usize) -> impl Iterator<Item = usize> {
    (0..most).map(move |i| i * n / most)
}
