//! Times the whole fit, problem and solution, on rows from files; benches/compare.py writes these and reads what criterion and
//! this leave behind.
//!
//! BENCH_ROWS names a directory of files called `NxD`: float32, (N + 2) x D, which are the exemplar, N negatives and the hint.

use std::hint::black_box;
use std::io::Write;
use std::path::Path;
use std::time::Duration;

use criterion::{BatchSize, BenchmarkId, Criterion, SamplingMode};
use exemplar_svm::{Dimensions, Form, Input, InputVector, Params, Problem, Query, TrainingSet, fit};

fn main() {
    let Some(directory) = std::env::var_os("BENCH_ROWS") else { return eprintln!("BENCH_ROWS is not set") };
    let mut criterion = Criterion::default().configure_from_args();
    let mut found = std::fs::File::create(Path::new(&directory).join("found")).unwrap();
    for entry in std::fs::read_dir(&directory).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        let Some((n, d)) = name.split_once('x') else { continue };
        let (n, d) = (n.parse().unwrap(), d.parse().unwrap());
        time(&mut criterion, &mut found, &name, &read(&path), n, d);
    }
}

fn time(
    criterion: &mut Criterion,
    found: &mut std::fs::File,
    size: &str,
    values: &[f32],
    n: usize,
    d: usize,
) {
    let vector = |input, i: usize| InputVector { input, values: &values[i * d..(i + 1) * d] };
    let plain = Query { exemplars: vec![vector(Input::Exemplar(0), 0).into()], ..Query::default() };
    let hinted = Query { hints: vec![vector(Input::Hint(0), n + 1)], ..plain.clone() };
    let set = || {
        let dimensions = Dimensions { count: d, reference: Input::Declared };
        let mut set = TrainingSet::new(dimensions, &plain).unwrap();
        set.reserve(n).unwrap();
        for (i, row) in values[d..(n + 1) * d].chunks_exact(d).enumerate() {
            set.offer_negative(row, i).unwrap();
        }
        set
    };
    let mut group = criterion.benchmark_group("fit");
    group.sample_size(RUNS).sampling_mode(SamplingMode::Flat);
    group.warm_up_time(Duration::from_millis(100)).measurement_time(Duration::from_millis(300));
    group.bench_function(BenchmarkId::new("memory", size), |b| b.iter(|| sum(black_box(&values[..n * d]))));
    // The cosine form without a hint is what LinearSVC minimises: hinge and |w|^2 / 2.
    let cosine = Params { form: Form::Cosine, ..Params::default() };
    let cases = [
        ("cosine", &plain, cosine),
        ("plain", &plain, Params::default()),
        ("hinted", &hinted, Params::default()),
    ];
    for (case, query, params) in cases {
        let solve = |set| {
            let problem = Problem::new(set, query, params, &mut || ()).unwrap();
            let fit = fit(&problem, &mut || ()).unwrap();
            (problem, fit)
        };
        group.bench_function(BenchmarkId::new(case, size), |b| {
            b.iter_batched(set, solve, BatchSize::PerIteration);
        });
        let (_, fit) = solve(set());
        let (value, passes) = (fit.value.total(), fit.passes);
        assert!(fit.converged);
        writeln!(found, "{case} {size} {value} {passes}").unwrap();
    }
}

const RUNS: usize = 21;

fn read(path: &Path) -> Vec<f32> {
    let bytes = std::fs::read(path).unwrap();
    bytes.chunks_exact(4).map(|bytes| f32::from_le_bytes(bytes.try_into().unwrap())).collect()
}

/// A plain pass over memory, as fast as this CPU adds up numbers.
fn sum(values: &[f32]) -> f32 {
    pulp::Arch::new().dispatch(
        #[inline(always)]
        || {
            let mut lanes = [0.0; 128];
            for chunk in values.as_chunks::<128>().0 {
                for k in 0..128 {
                    lanes[k] += chunk[k];
                }
            }
            lanes.iter().sum()
        },
    )
}
