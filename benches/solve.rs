//! Times the fit alone, on rows from a file, and prints one JSON line; benches/compare.py runs it.
//!
//! usage: solve FILE N D        FILE: float32, (N + 2) x D: the exemplar, N negatives, the hint

use std::time::Instant;

use hinted_exemplar::svm::{Dimensions, Named, Params, Problem, Query, TrainingSet, fit};

const RUNS: usize = 21;

fn main() {
    // cargo passes --bench.
    let arguments: Vec<String> = std::env::args().skip(1).filter(|a| a != "--bench").collect();
    let [file, n, d] = arguments.as_slice() else { return eprintln!("usage: solve FILE N D") };
    let (n, d): (usize, usize) = (n.parse().unwrap(), d.parse().unwrap());
    let bytes = std::fs::read(file).unwrap();
    let values: Vec<f32> = bytes.chunks_exact(4).map(|b| f32::from_le_bytes(b.try_into().unwrap())).collect();
    let rows: Vec<&[f32]> = values.chunks_exact(d).collect();
    let named = |name: &str, i: usize| Named { name: name.into(), values: rows[i] };
    let query = Query { exemplars: vec![named("exemplar", 0).into()], ..Query::default() };
    let dimensions = Dimensions { count: d, reference: "the file".into() };
    let mut set = TrainingSet::new(dimensions, &query).unwrap();
    for row in &rows[1..=n] {
        set.offer_negative(row, || "negative".into()).unwrap();
    }
    let hinted = Query { hints: vec![named("hint", n + 1)], ..query.clone() };
    for (label, query) in [("plain", &query), ("hinted", &hinted)] {
        let problem = Problem::new(set.clone(), query, Params::default(), &mut || ()).unwrap();
        let mut times: Vec<f64> = (0..=RUNS)
            .map(|_| {
                let start = Instant::now();
                std::hint::black_box(fit(&problem, &mut || ()));
                start.elapsed().as_secs_f64() * 1e3
            })
            .skip(1)
            .collect();
        times.sort_by(f64::total_cmp);
        let fit = fit(&problem, &mut || ());
        println!(
            "{{\"fit\": \"{label}\", \"ms\": {}, \"objective\": {}, \"iterations\": {}, \"passes\": {}, \"converged\": {}}}",
            times[RUNS / 2],
            fit.value.total(),
            fit.iterations,
            fit.passes,
            fit.converged
        );
    }
}
