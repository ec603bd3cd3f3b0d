//! What is true of every solution: optimality, invariances, agreement with other solvers.

use super::*;
use crate::svm::hint::HintScores;
use serde::Deserialize;

/// SplitMix64 with a rough normal distribution (the sum of four uniforms): seeded, no dependency.
struct Random(u64);

impl Random {
    fn uniform(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ self.0 >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ z >> 31) as f64 / u64::MAX as f64
    }

    fn normal(&mut self) -> f64 {
        (0..4).map(|_| self.uniform() - 0.5).sum::<f64>() * 3f64.sqrt()
    }

    fn vector(&mut self, d: usize) -> Vec<f32> {
        (0..d).map(|_| self.normal() as f32).collect()
    }
}

/// A random problem with a common mean, as embeddings have one.
#[derive(Clone)]
struct Input {
    exemplars: Vec<Vec<f32>>,
    negatives: Vec<Vec<f32>>,
    hints: Vec<Vec<f32>>,
    params: Params,
}

impl Input {
    fn random(seed: u64) -> Self {
        let mut random = Random(seed);
        let d = 3 + (random.uniform() * 30.0) as usize;
        let (p, n) = (1 + (random.uniform() * 4.0) as usize, 5 + (random.uniform() * 60.0) as usize);
        let mean = random.vector(d);
        let mut around = |shift: f32| -> Vec<f32> {
            random.vector(d).iter().zip(&mean).map(|(v, m)| v + shift * m).collect()
        };
        Input {
            exemplars: (0..p).map(|_| around(2.0)).collect(),
            negatives: (0..n).map(|_| around(1.0)).collect(),
            hints: vec![around(1.5)],
            params: Params { tol: 1e-10, ..Params::default() },
        }
    }

    fn problem(&self) -> Problem {
        Problem::new(
            set(&self.exemplars, &self.negatives),
            &named("hints", &self.hints),
            self.params,
            &mut || (),
        )
        .unwrap()
    }

    fn fit(&self) -> Fit {
        let fit = fit(&self.problem(), &mut || ());
        assert!(fit.converged, "violation {} after {} iterations", fit.violation, fit.iterations);
        fit
    }
}

fn named<'a>(what: &str, vectors: &'a [Vec<f32>]) -> Vec<Named<'a>> {
    let name = |(i, values): (usize, &'a Vec<f32>)| Named { name: format!("{what}[{}]", i + 1), values };
    vectors.iter().enumerate().map(name).collect()
}

fn dimensions(count: usize) -> Dimensions {
    Dimensions { count, reference: "the test".into() }
}

fn row() -> String {
    "a row".into()
}

fn set(exemplars: &[Vec<f32>], negatives: &[Vec<f32>]) -> TrainingSet {
    let mut set = TrainingSet::new(dimensions(exemplars[0].len()), &named("exemplars", exemplars)).unwrap();
    for negative in negatives {
        assert_eq!(set.offer_negative(negative, row), Ok(Offered::Kept));
    }
    set
}

/// J by its definition, row by row.
fn objective(problem: &Problem, w: &[f64], b: f64) -> f64 {
    let dot = |a: &[f64], row: &[f32]| a.iter().zip(row).map(|(a, &x)| a * f64::from(x)).sum::<f64>();
    let norm = w.iter().map(|v| v * v).sum::<f64>().sqrt();
    let set = problem.set();
    let rows = set.rows();
    let hinge: f64 = rows
        .outer_iter()
        .zip(set.balanced_weights())
        .enumerate()
        .map(|(i, (row, s))| {
            let y = if i < set.exemplars() { 1.0 } else { -1.0 };
            s / 2.0 * (1.0 - y * (dot(w, row.as_slice().unwrap()) + b)).max(0.0).powi(2)
        })
        .sum();
    let hint = problem.hint().map_or(0.0, |hint| {
        let cosine = hint.q.iter().zip(w).map(|(q, w)| q * w).sum::<f64>() / norm;
        hint.lambda_q * (1.0 - cosine)
    });
    hinge + problem.params.lambda / 2.0 * norm * norm + hint
}

fn cosine(a: &[f32], b: &[f32]) -> f64 {
    let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(&a, &b)| f64::from(a) * f64::from(b)).sum::<f64>();
    dot(a, b) / (dot(a, a) * dot(b, b)).sqrt()
}

fn assert_same_direction(a: &Fit, b: &Fit, tolerance: f64) {
    let cosine = cosine(&a.weights, &b.weights);
    assert!(cosine > 1.0 - tolerance, "cosine {cosine}");
}

const SEEDS: std::ops::Range<u64> = 0..60;

#[test]
fn the_reported_value_is_j_and_its_terms_add_up() {
    for input in SEEDS.map(Input::random) {
        let (problem, fit) = (input.problem(), input.fit());
        let direct = objective(&problem, &fit.w, fit.b);
        assert!((fit.value.total() - direct).abs() < 1e-9 * direct);
    }
}

#[test]
fn no_random_perturbation_lowers_j() {
    for seed in SEEDS {
        let input = Input::random(seed);
        let (problem, fit) = (input.problem(), input.fit());
        let best = objective(&problem, &fit.w, fit.b);
        let mut random = Random(seed + 1000);
        for size in [1e-4, 1e-2, 0.3] {
            for _ in 0..10 {
                let moved: Vec<f64> = fit.w.iter().map(|w| w + size * random.normal()).collect();
                let moved_b = fit.b + size * random.normal();
                assert!(objective(&problem, &moved, moved_b) >= best * (1.0 - 1e-12));
            }
        }
    }
}

#[test]
fn the_violation_is_the_gradient_by_finite_differences() {
    let input = Input { params: Params { max_iter: 1, ..Params::default() }, ..Input::random(4) };
    let problem = input.problem();
    let fit = fit(&problem, &mut || ());
    let (total, h) = (problem.weights.iter().sum::<f64>(), 1e-6);
    let slope = |k: usize| {
        let at = |step: f64| {
            let (mut w, mut b) = (fit.w.clone(), fit.b);
            *w.get_mut(k).unwrap_or(&mut b) += step;
            objective(&problem, &w, b)
        };
        (at(h) - at(-h)) / (2.0 * h)
    };
    let gradient: f64 = (0..=fit.w.len()).map(|k| slope(k).powi(2)).sum::<f64>().sqrt();
    assert!((fit.violation - gradient / total).abs() < 1e-6 * (1.0 + fit.violation));
    assert!(!fit.converged && fit.violation > problem.params.tol);
}

#[test]
fn the_same_input_gives_the_same_bits() {
    let input = Input::random(8);
    assert_eq!(input.fit().w, input.fit().w);
}

#[test]
fn row_order_does_not_matter() {
    for input in SEEDS.map(Input::random) {
        let mut turned = input.clone();
        turned.negatives.reverse();
        turned.exemplars.reverse();
        assert_same_direction(&input.fit(), &turned.fit(), 1e-9);
    }
}

#[test]
fn rotating_the_input_rotates_the_answer() {
    for seed in SEEDS {
        let input = Input::random(seed);
        let axis = Random(seed + 2000).vector(input.hints[0].len());
        // A Householder reflection: orthogonal, and its own inverse.
        let reflect = |v: &Vec<f32>| -> Vec<f32> {
            let (va, aa) = axis.iter().zip(v).fold((0.0, 0.0), |(va, aa), (a, v)| (va + a * v, aa + a * a));
            v.iter().zip(&axis).map(|(v, a)| v - 2.0 * va / aa * a).collect()
        };
        let all = |vectors: &[Vec<f32>]| vectors.iter().map(reflect).collect::<Vec<_>>();
        let turned = Input {
            exemplars: all(&input.exemplars),
            negatives: all(&input.negatives),
            hints: all(&input.hints),
            params: input.params,
        };
        let back = reflect(&turned.fit().weights);
        assert!(cosine(&back, &input.fit().weights) > 1.0 - 1e-6);
    }
}

#[test]
fn weight_k_is_k_copies() {
    for input in SEEDS.map(Input::random) {
        let repeated: Vec<Vec<f32>> =
            [&input.exemplars[..1], &input.exemplars[..1], &input.exemplars[..]].concat();
        let weights: Vec<f64> = (0..input.exemplars.len()).map(|i| if i == 0 { 3.0 } else { 1.0 }).collect();
        let d = input.hints[0].len();
        let mut weighted =
            TrainingSet::weighted(dimensions(d), &named("exemplars", &input.exemplars), &weights).unwrap();
        for negative in &input.negatives {
            weighted.offer_negative(negative, row).unwrap();
        }
        let weighted = Problem::new(weighted, &[], input.params, &mut || ()).unwrap();
        let copies = Problem::new(set(&repeated, &input.negatives), &[], input.params, &mut || ()).unwrap();
        assert_same_direction(&fit(&weighted, &mut || ()), &fit(&copies, &mut || ()), 1e-9);
    }
}

#[test]
fn hint_weight_zero_is_no_hint() {
    for input in SEEDS.map(Input::random) {
        let params = Params { hint_weight: 0.0, ..input.params };
        let zero = Input { params, ..input.clone() };
        let none = Input { hints: vec![], ..input };
        assert_eq!(zero.fit().w, none.fit().w);
    }
}

#[test]
fn a_large_hint_weight_gives_the_hint() {
    for input in SEEDS.map(Input::random) {
        let problem =
            Input { params: Params { hint_weight: 1e9, ..input.params }, ..input.clone() }.problem();
        let fit = fit(&problem, &mut || ());
        assert!(cosine(&fit.weights, &input.hints[0]) > 1.0 - 1e-6);
    }
}

#[test]
fn a_hint_alone_is_its_own_answer() {
    let input = Input::random(3);
    let empty = TrainingSet::new(dimensions(input.hints[0].len()), &[]).unwrap();
    let problem = Problem::new(empty, &named("hints", &input.hints), input.params, &mut || ()).unwrap();
    let fit = fit(&problem, &mut || ());
    assert!(cosine(&fit.weights, &input.hints[0]) > 1.0 - 1e-12 && fit.converged);
}

#[test]
fn several_hints_count_as_their_mean_direction() {
    let direction = |hints: &[Vec<f32>]| hint::direction(&dimensions(2), &named("hints", hints));
    let q = direction(&[vec![2.0, 0.0], vec![0.0, 5.0]]).unwrap().unwrap();
    assert!((q[0] - 0.5f64.sqrt()).abs() < 1e-12 && (q[1] - 0.5f64.sqrt()).abs() < 1e-12);
    assert_eq!(direction(&[vec![1.0, 0.0], vec![-3.0, 0.0]]), Err(FitError::HintsCancel));
}

#[test]
fn the_length_of_the_input_does_not_matter() {
    let input = Input::random(6);
    let longer = |vectors: &[Vec<f32>]| -> Vec<Vec<f32>> {
        vectors.iter().map(|v| v.iter().map(|x| x * 64.0).collect()).collect()
    };
    let scaled = Input {
        exemplars: longer(&input.exemplars),
        negatives: longer(&input.negatives),
        hints: longer(&input.hints),
        params: input.params,
    };
    assert_eq!(input.fit().weights, scaled.fit().weights);
}

#[test]
fn two_points_have_a_closed_form() {
    // x = (1, 0), n = (0, 1), s = 1 each: by symmetry w = (t, -t), b = 0 and J = (1 - t)^2 + lambda t^2.
    for lambda in [0.1, 1.0, 5.0] {
        let params = Params { lambda, tol: 1e-12, ..Params::default() };
        let problem =
            Problem::new(set(&[vec![1.0, 0.0]], &[vec![0.0, 1.0]]), &[], params, &mut || ()).unwrap();
        let fit = fit(&problem, &mut || ());
        let t = 1.0 / (1.0 + lambda);
        assert!((fit.w[0] - t).abs() < 1e-9 && (fit.w[1] + t).abs() < 1e-9 && fit.b.abs() < 1e-9);
    }
}

#[test]
fn an_exemplar_is_never_its_own_negative() {
    let mut set = TrainingSet::new(dimensions(2), &named("exemplars", &[vec![3.0, 4.0]])).unwrap();
    assert_eq!(set.offer_negative(&[6.0, 8.0], row), Ok(Offered::Exemplar));
    assert_eq!(set.offer_negative(&[0.0, 0.0], row), Ok(Offered::Zero));
    assert_eq!(set.offer_negative(&[4.0, 3.0], row), Ok(Offered::Kept));
    assert_eq!((set.exemplars(), set.negatives()), (1, 1));
}

#[test]
fn one_exemplar_against_a_thousand_negatives_carries_half_of_the_weight() {
    let negatives: Vec<Vec<f32>> = (0..1000).map(|i| vec![1.0, i as f32]).collect();
    let weights = set(&[vec![-1.0, 0.5]], &negatives).balanced_weights();
    assert_eq!((weights[0], weights[1], weights[1000]), (500.5, 0.5005, 0.5005));
}

#[test]
fn bad_input_is_named() {
    let d2 = |exemplars: &[Vec<f32>]| TrainingSet::new(dimensions(2), &named("exemplars", exemplars));
    let error = d2(&[vec![1.0, 0.0], vec![1.0, 0.0, 0.0]]).unwrap_err();
    assert_eq!(error.to_string(), "different vector dimensions 2 and 3");
    assert_eq!(error.detail().unwrap(), "exemplars[2] has 3 dimensions, the test has 2.");
    let error = d2(&[vec![0.0, 0.0]]).unwrap_err();
    assert_eq!(error.to_string(), "exemplars[1] must not be the zero vector");
    let params = Params::default();
    let empty = || d2(&[]).unwrap();
    let hinted = |hint: Vec<f32>, params| {
        Problem::new(empty(), &named("hints", &[hint]), params, &mut || ()).unwrap_err()
    };
    assert_eq!(Problem::new(empty(), &[], params, &mut || ()).unwrap_err(), FitError::NothingWanted);
    assert_eq!(hinted(vec![0.0, 0.0], params), FitError::ZeroVector { name: "hints[1]".into() });
    let alone = d2(&[vec![1.0, 0.0]]).unwrap();
    assert_eq!(Problem::new(alone, &[], params, &mut || ()).unwrap_err(), FitError::NoNegatives);
    for (params, name) in [
        (Params { lambda: 0.0, ..params }, "lambda"),
        (Params { lambda: f64::NAN, ..params }, "lambda"),
        (Params { hint_weight: -1.0, ..params }, "hint_weight"),
        (Params { hint_weight: f64::INFINITY, ..params }, "hint_weight"),
        (Params { tol: 0.0, ..params }, "tol"),
        (Params { max_iter: 0, ..params }, "max_iter"),
    ] {
        let error = hinted(vec![1.0, 0.0], params);
        assert!(matches!(error, FitError::InvalidParameter { name: n, .. } if n == name), "{error:?}");
    }
}

#[test]
fn a_hint_that_fits_nothing_still_converges() {
    for mut input in SEEDS.map(Input::random) {
        input.hints[0].iter_mut().zip(&input.exemplars[0]).for_each(|(q, x)| *q = -*x);
        let fit = input.fit();
        let n = input.problem().weights.iter().sum::<f64>();
        assert!(fit.value.total() <= n / 2.0 + 1e-9, "worse than w = 0");
    }
}

#[test]
fn equal_exemplars_and_background_mean_converge() {
    let negatives = [vec![1.0, 0.0, 0.1], vec![-1.0, 0.0, 0.1], vec![0.0, 1.0, 0.1], vec![0.0, -1.0, 0.1]];
    let params = Params::default();
    let problem = Problem::new(set(&[vec![0.0, 0.0, 1.0]], &negatives), &[], params, &mut || ()).unwrap();
    assert!(fit(&problem, &mut || ()).converged);
}

#[test]
fn the_interrupt_check_is_called_in_every_pass() {
    let mut calls = 0;
    let fit = fit(&Input::random(1).problem(), &mut || calls += 1);
    assert!(calls >= fit.passes);
}

/// See tests/reference/solutions.py.
#[derive(Deserialize)]
struct Solution {
    source: String,
    exemplars: Vec<Vec<f32>>,
    negatives: Vec<Vec<f32>>,
    hint: Option<Vec<f32>>,
    lambda_: f64,
    lambda_q: Option<f64>,
    objective: f64,
    w: Vec<f32>,
}

#[test]
fn the_solution_agrees_with_the_reference_and_with_scikit_learn() {
    let stored = include_str!("../../tests/reference/solutions.json");
    for solution in serde_json::from_str::<Vec<Solution>>(stored).unwrap() {
        let input = Input {
            exemplars: solution.exemplars,
            negatives: solution.negatives,
            hints: solution.hint.into_iter().collect(),
            params: Params { lambda: solution.lambda_, tol: 1e-10, ..Params::default() },
        };
        let fit = input.fit();
        if let Some(lambda_q) = solution.lambda_q {
            let scores =
                HintScores::of(&input.problem().hint().unwrap().q, input.problem().set(), &mut || ());
            assert!((scores.lambda_q(2.0) - lambda_q).abs() < 1e-5 * lambda_q);
        }
        let difference = (fit.value.total() - solution.objective) / solution.objective;
        assert!(difference.abs() < 1e-6, "{}: J differs by {difference:e}", solution.source);
        let cosine = cosine(&fit.weights, &solution.w);
        assert!(cosine > 1.0 - 1e-6, "{}: cosine {cosine}", solution.source);
    }
}
