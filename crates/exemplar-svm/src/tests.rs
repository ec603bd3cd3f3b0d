//! What is true of every solution: optimality, invariances, agreement with other solvers.

use super::*;
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

/// A problem. Random ones have a common mean, as embeddings do.
#[derive(Clone, Default, Deserialize)]
struct Input {
    exemplars: Vec<Vec<f32>>,
    weights: Vec<f64>,
    counter_exemplars: Vec<Vec<f32>>,
    counter_weights: Vec<f64>,
    negatives: Vec<Vec<f32>>,
    hints: Vec<Vec<f32>>,
    counter_hints: Vec<Vec<f32>>,
    neutral_hints: Vec<Vec<f32>>,
    #[serde(skip)]
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
            ..Input::default()
        }
    }

    /// With every kind of evidence there is.
    fn full(seed: u64) -> Self {
        let input = Input::random(seed);
        let mut random = Random(seed + 5000);
        let mut vectors =
            |count| (0..count).map(|_| random.vector(input.negatives[0].len())).collect::<Vec<_>>();
        Input {
            counter_exemplars: vectors(2),
            counter_hints: vectors(2),
            neutral_hints: vectors(1),
            ..input.clone()
        }
    }

    /// The same with `change` done to every vector.
    fn map(&self, change: impl Fn(&Vec<f32>) -> Vec<f32>) -> Self {
        let mut changed = self.clone();
        for vectors in [
            &mut changed.exemplars,
            &mut changed.counter_exemplars,
            &mut changed.negatives,
            &mut changed.hints,
            &mut changed.counter_hints,
            &mut changed.neutral_hints,
        ] {
            vectors.iter_mut().for_each(|vector| *vector = change(vector));
        }
        changed
    }

    fn with(&self, change: impl Fn(&mut Params)) -> Self {
        let mut changed = self.clone();
        change(&mut changed.params);
        changed
    }

    fn query(&self) -> Query<'_> {
        let examples = |kind, vectors| inputs_of(kind, vectors).into_iter().map(Example::from).collect();
        let mut exemplars: Vec<Example> = examples(crate::Input::Exemplar, &self.exemplars);
        exemplars.iter_mut().zip(&self.weights).for_each(|(exemplar, &weight)| exemplar.weight = weight);
        let mut counter_exemplars: Vec<Example> =
            examples(crate::Input::CounterExemplar, &self.counter_exemplars);
        counter_exemplars.iter_mut().zip(&self.counter_weights).for_each(|(c, &weight)| c.weight = weight);
        Query {
            exemplars,
            counter_exemplars,
            hints: inputs_of(crate::Input::Hint, &self.hints),
            counter_hints: inputs_of(crate::Input::CounterHint, &self.counter_hints),
            neutral_hints: inputs_of(crate::Input::NeutralHint, &self.neutral_hints),
        }
    }

    fn set(&self) -> TrainingSet {
        let query = self.query();
        let d = query.vectors().next().unwrap().values.len();
        let mut set = TrainingSet::new(dimensions(d), &query).unwrap();
        for (i, negative) in self.negatives.iter().enumerate() {
            assert_eq!(set.offer_negative(negative, i), Ok(Offered::Kept));
        }
        set
    }

    fn try_problem(&self) -> Result<Problem, FitError> {
        Problem::new(self.set(), &self.query(), self.params, &mut || ())
    }

    fn problem(&self) -> Problem {
        self.try_problem().unwrap()
    }

    fn fit(&self) -> Fit {
        let fit = fit(&self.problem(), &mut || ()).unwrap();
        assert!(fit.converged, "violation {} after {} iterations", fit.violation, fit.iterations);
        fit
    }
}

/// Every form and loss, with and without a hint, with little and with all kinds of evidence.
fn inputs() -> impl Iterator<Item = Input> {
    SEEDS.map(|seed| {
        let mut input = if seed % 2 == 0 { Input::random(seed) } else { Input::full(seed) };
        input.params.form = if seed % 3 == 0 { Form::Cosine } else { Form::Adaptive };
        input.params.loss = if seed % 5 == 0 { Loss::Logistic } else { Loss::SquaredHinge };
        if input.params.form == Form::Cosine {
            // The cosine weight is made for a thousand rows.
            (input.params.hint_weight, input.params.counter_hint_weight) = (0.002, 0.002);
        }
        if seed % 7 == 0 {
            input.hints.clear();
        }
        input
    })
}

fn inputs_of(kind: fn(usize) -> crate::Input, vectors: &[Vec<f32>]) -> Vec<InputVector<'_>> {
    vectors.iter().enumerate().map(|(i, values)| InputVector { input: kind(i), values }).collect()
}

fn dimensions(count: usize) -> Dimensions {
    Dimensions { count, reference: crate::Input::Declared }
}

/// J by its definition, row by row.
fn objective(problem: &Problem, w: &[f64], b: f64) -> f64 {
    let dot = |a: &[f64], row: &[f32]| a.iter().zip(row).map(|(a, &x)| a * f64::from(x)).sum::<f64>();
    let set = problem.set();
    let loss = |margin: f64| match problem.params.loss {
        Loss::SquaredHinge => (1.0 - margin).max(0.0).powi(2) / 2.0,
        Loss::Logistic => (1.0 + (-margin).exp()).ln(),
    };
    let rows: f64 = set
        .rows()
        .outer_iter()
        .zip(&problem.weights)
        .enumerate()
        .map(|(i, (row, s))| {
            let y = if i < set.exemplars() { 1.0 } else { -1.0 };
            let counter = (set.exemplars()..set.exemplars() + set.counter_exemplars()).contains(&i);
            let slack = if counter && problem.params.form == Form::Adaptive { 1.0 } else { 0.0 };
            s * loss(y * (dot(w, row.as_slice().unwrap()) + b) + slack)
        })
        .sum();
    let zero = vec![0.0; w.len()];
    let w0 = problem.w0().unwrap_or(&zero);
    let size = problem.lambda / 2.0 * w.iter().zip(w0).map(|(w, w0)| (w - w0).powi(2)).sum::<f64>();
    let hint = problem.cosine.as_ref().map_or(0.0, |term| {
        let norm = w.iter().map(|v| v * v).sum::<f64>().sqrt();
        term.weight * (1.0 - term.direction.iter().zip(w).map(|(q, w)| q * w).sum::<f64>() / norm)
    });
    rows + size + hint
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
    for input in inputs() {
        let (problem, fit) = (input.problem(), input.fit());
        let direct = objective(&problem, &fit.minimum.0, fit.minimum.1);
        assert!((fit.value.total() - direct).abs() < 1e-9 * direct);
    }
}

#[test]
fn no_random_perturbation_lowers_j() {
    for (seed, input) in (0..).zip(inputs()) {
        let (problem, fit) = (input.problem(), input.fit());
        let (w, b) = &fit.minimum;
        let best = objective(&problem, w, *b);
        let mut random = Random(seed + 1000);
        for size in [1e-4, 1e-2, 0.3] {
            for _ in 0..10 {
                let moved: Vec<f64> = w.iter().map(|w| w + size * random.normal()).collect();
                let moved_b = b + size * random.normal();
                assert!(objective(&problem, &moved, moved_b) >= best * (1.0 - 1e-12));
            }
        }
    }
}

#[test]
fn the_violation_is_the_gradient_by_finite_differences() {
    for input in inputs() {
        let problem = input.with(|params| (params.max_iter, params.tol) = (1, 1e-12)).problem();
        let fit = fit(&problem, &mut || ()).unwrap();
        let (total, h) = (problem.weights.iter().sum::<f64>(), 1e-6);
        let slope = |k: usize| {
            let at = |step: f64| {
                let (mut w, mut b) = fit.minimum.clone();
                *w.get_mut(k).unwrap_or(&mut b) += step;
                objective(&problem, &w, b)
            };
            (at(h) - at(-h)) / (2.0 * h)
        };
        let gradient: f64 = (0..=fit.w.len()).map(|k| slope(k).powi(2)).sum::<f64>().sqrt();
        assert!((fit.violation - gradient / total).abs() < 1e-5 * (1.0 + fit.violation));
    }
}

#[test]
fn the_same_input_gives_the_same_bits() {
    let input = Input::full(8);
    assert_eq!(input.fit().w, input.fit().w);
}

#[test]
fn every_path_of_the_processor_gives_the_same_answer() {
    let mut wide = Input::full(8);
    let mut random = Random(9);
    let vectors = [&mut wide.exemplars, &mut wide.counter_exemplars, &mut wide.negatives, &mut wide.hints];
    let texts = [&mut wide.counter_hints, &mut wide.neutral_hints];
    vectors.into_iter().chain(texts).flatten().for_each(|vector| vector.extend(random.vector(101)));
    for input in inputs().chain([wide]) {
        let on = |path| {
            kernel::FORCED.set(Some(path));
            let fit = input.fit();
            kernel::FORCED.set(None);
            fit
        };
        let scalar = on(pulp::Arch::Scalar);
        #[cfg(target_arch = "aarch64")]
        assert_eq!(kernel::paths().len(), 2);
        for path in kernel::paths() {
            let fit = on(path);
            assert_same_direction(&scalar, &fit, 1e-5);
            // Lanes are fixed and nothing is fused, so there is more than that: the same bits.
            assert_eq!((scalar.w == fit.w, scalar.b == fit.b), (true, true), "{path:?}");
        }
    }
}

#[test]
fn row_order_does_not_matter() {
    for input in inputs() {
        let mut turned = input.clone();
        turned.negatives.reverse();
        turned.exemplars.reverse();
        turned.counter_exemplars.reverse();
        assert_same_direction(&input.fit(), &turned.fit(), 1e-9);
    }
}

#[test]
fn rotating_the_input_rotates_the_answer() {
    for (seed, input) in (0..).zip(inputs()) {
        let axis = Random(seed + 2000).vector(input.negatives[0].len());
        // A Householder reflection: orthogonal, and its own inverse.
        let reflect = |v: &Vec<f32>| -> Vec<f32> {
            let (va, aa) = axis.iter().zip(v).fold((0.0, 0.0), |(va, aa), (a, v)| (va + a * v, aa + a * a));
            v.iter().zip(&axis).map(|(v, a)| v - 2.0 * va / aa * a).collect()
        };
        let back = reflect(&input.map(reflect).fit().weights);
        assert!(cosine(&back, &input.fit().weights) > 1.0 - 1e-6);
    }
}

#[test]
fn weight_k_is_k_copies_and_weight_0_none() {
    for input in inputs() {
        let (first, rest) = input.exemplars.split_first().unwrap();
        let copies = Input { exemplars: [vec![first.clone(); 3], rest.to_vec()].concat(), ..input.clone() };
        let weights = [vec![3.0], vec![1.0; rest.len()]].concat();
        assert_same_direction(&Input { weights, ..input.clone() }.fit(), &copies.fit(), 1e-9);
        let weights = [vec![1.0; input.exemplars.len()], vec![0.0]].concat();
        let exemplars = [&input.exemplars[..], &input.negatives[..1]].concat();
        let more = Input { exemplars, weights, ..input.clone() };
        let query = more.query().without_weightless().unwrap();
        assert_eq!(query.exemplars.len(), input.exemplars.len());
    }
}

#[test]
fn weight_zero_is_none_of_it() {
    for input in inputs() {
        let none = Input { hints: vec![], counter_hints: vec![], ..input.clone() };
        let zero = input.with(|params| (params.hint_weight, params.counter_hint_weight) = (0.0, 0.0));
        assert_same_direction(&zero.fit(), &none.fit(), 1e-9);
        let zero = input.with(|params| params.neutral_fraction = 0.0);
        assert_eq!(
            zero.fit().w,
            Input { neutral_hints: vec![], ..input }.with(|p| p.neutral_fraction = 0.0).fit().w
        );
    }
}

#[test]
fn a_larger_hint_weight_goes_nearer_to_the_hint() {
    for input in SEEDS.map(Input::random) {
        let cosine_at = |form, hint_weight| {
            let at = input.with(|p| (p.form, p.hint_weight, p.tol) = (form, hint_weight, 1e-7));
            cosine(&at.fit().weights, &input.hints[0])
        };
        let published = [0.0, 0.001, 0.05, 1.0].map(|weight| cosine_at(Form::Cosine, weight));
        assert!(published.is_sorted() && published[3] > 0.99, "{published:?}");
    }
}

#[test]
fn a_counter_hint_pushes_away_and_a_counter_exemplar_too() {
    let (mut hinted_away, mut shown_away) = (0, 0);
    for seed in SEEDS {
        let input = Input::random(seed);
        let unwanted = Random(seed + 7).vector(input.hints[0].len());
        let towards = |input: &Input| cosine(&input.fit().weights, &unwanted);
        let before = towards(&input);
        let hinted = Input { counter_hints: vec![unwanted.clone()], ..input.clone() };
        hinted_away += usize::from(towards(&hinted) < before);
        let shown = Input { counter_exemplars: vec![unwanted.clone()], ..input.clone() };
        shown_away += usize::from(towards(&shown) < before + 1e-9);
    }
    // What is pushed away is the part of it that says something else than the hint, which in few dimensions can be little.
    let nearly_all = SEEDS.count() - 2;
    assert!(hinted_away >= nearly_all && shown_away >= nearly_all, "{hinted_away} {shown_away}");
}

#[test]
fn texts_alone_are_their_own_answer() {
    let input = Input { exemplars: vec![], negatives: vec![], ..Input::random(3) };
    assert!(cosine(&input.fit().weights, &input.hints[0]) > 1.0 - 1e-12);
    let full = Input { exemplars: vec![], counter_exemplars: vec![], ..Input::full(3) };
    let without = Input { counter_hints: vec![], ..full.clone() };
    let away =
        |counter: &Vec<f32>| cosine(&full.fit().weights, counter) < cosine(&without.fit().weights, counter);
    assert!(full.counter_hints.iter().all(away));
}

#[test]
fn texts_are_directions_without_what_is_neutral() {
    let input = Input {
        hints: vec![vec![2.0, 0.0], vec![0.0, 5.0]],
        counter_hints: vec![vec![0.0, 3.0]],
        neutral_hints: vec![vec![0.0, 1.0]],
        ..Input::default()
    };
    let texts = |input: &Input, fraction| text::Texts::of(&input.query(), &dimensions(2), fraction);
    let half = 0.5f64.sqrt();
    let q = texts(&input, 0.0).unwrap().hint.unwrap();
    assert!((q[0] - half).abs() < 1e-12 && (q[1] - half).abs() < 1e-12);
    let q = texts(&input, 0.5).unwrap().hint.unwrap();
    assert!((q[1] / q[0] - 0.5).abs() < 1e-12);
    let only_neutral = FitError::OnlyNeutral { input: crate::Input::CounterHint(0) };
    assert_eq!(texts(&input, 1.0).unwrap_err(), only_neutral);
    let opposite = Input { hints: vec![vec![1.0, 0.0], vec![-3.0, 0.0]], ..Input::default() };
    assert_eq!(texts(&opposite, 0.0).unwrap_err(), FitError::HintsCancel);
}

#[test]
fn the_length_of_the_input_does_not_matter() {
    for input in inputs() {
        let longer = input.map(|v| v.iter().map(|x| x * 64.0).collect());
        assert_eq!(input.fit().weights, longer.fit().weights);
    }
}

#[test]
fn two_points_have_a_closed_form() {
    // x = (1, 0), n = (0, 1), s = 1 each: by symmetry w = (t, -t), b = 0 and J = (1 - t)^2 + lambda t^2.
    for lambda in [0.1, 1.0, 5.0] {
        let params = Params { lambda, form: Form::Cosine, tol: 1e-12, ..Params::default() };
        let (exemplars, negatives) = (vec![vec![1.0, 0.0]], vec![vec![0.0, 1.0]]);
        let fit = Input { exemplars, negatives, params, ..Input::default() }.fit();
        let t = 1.0 / (1.0 + lambda);
        assert!((fit.w[0] - t).abs() < 1e-9 && (fit.w[1] + t).abs() < 1e-9 && fit.minimum.1.abs() < 1e-9);
    }
}

#[test]
fn margins_are_zero_between_the_background_and_the_exemplars() {
    for input in inputs() {
        let (problem, fit) = (input.problem(), input.fit());
        let report = Report::of(&problem, &fit, &mut || ());
        let scores = objective::scores(problem.set().negative_values(), &fit.w, &mut || ());
        let background = scores.iter().sum::<f64>() / scores.len() as f64 + fit.b;
        let mut exemplars = report.margins_exemplars.clone();
        exemplars.sort_by(f64::total_cmp);
        let median = (exemplars[(exemplars.len() - 1) / 2] + exemplars[exemplars.len() / 2]) / 2.0;
        if median > background && input.params.expected_share.is_none() {
            let part = -background / (median - background);
            assert!((0.4 - 1e-7..0.65 + 1e-7).contains(&part), "{part}");
        }
    }
}

#[test]
fn an_example_is_never_a_negative() {
    let input = Input {
        exemplars: vec![vec![3.0, 4.0]],
        counter_exemplars: vec![vec![0.0, 2.0]],
        ..Input::default()
    };
    let mut set = input.set();
    assert_eq!(set.offer_negative(&[6.0, 8.0], 0), Ok(Offered::Example));
    assert_eq!(set.offer_negative(&[0.0, 1.0], 0), Ok(Offered::Example));
    assert_eq!(set.offer_negative(&[0.0, 0.0], 0), Ok(Offered::Zero));
    assert_eq!(set.offer_negative(&[4.0, 3.0], 0), Ok(Offered::Kept));
    assert_eq!((set.exemplars(), set.counter_exemplars(), set.negatives()), (1, 1, 1));
    let best = [0.0, 1.0, 0.8, 0.6, 0.6, 0.8, 1.0, 0.0, -1.0, 0.0];
    let (more, kept) = set.expanded(&best, 2, 0.25, &mut || ()).unwrap();
    assert!(kept.is_empty());
    assert_eq!((more.exemplars(), more.counter_exemplars(), more.negatives()), (3, 1, 0));
    assert_eq!(more.given_exemplars(), 1);
    assert_eq!(more.exemplar_weights(), [1.0, 0.25, 0.25]);
    assert_eq!(more.exemplar_values()[2..], [0.8, 0.6, 1.0, 0.0]);
}

#[test]
fn an_expansion_adopts_no_row_that_was_rejected() {
    let counter_exemplars = vec![vec![0.0, 2.0], vec![2.0, 2.0]];
    let input = Input { exemplars: vec![vec![1.0, 0.0]], counter_exemplars, ..Input::default() };
    // There are no other rows, so the counter-exemplars are the negatives.
    let problem = input.problem();
    let half = 0.5f32.sqrt();
    let (set, kept) = problem.set().expanded(&[half, half, 0.0, 1.0], 2, 0.5, &mut || ()).unwrap();
    assert_eq!((set.exemplars(), set.negatives(), kept.len()), (1, 2, 0));
    assert_eq!(set.rows(), problem.set().rows());
}

#[test]
fn what_is_left_of_the_negatives_keeps_its_numbers() {
    let input = Input { exemplars: vec![vec![1.0, 0.0]], ..Input::default() };
    let mut set = input.set();
    let rows: Vec<[f32; 2]> = (1..=40).map(|i| [1.0, i as f32]).collect();
    rows.iter().enumerate().for_each(|(i, row)| assert_eq!(set.offer_negative(row, i), Ok(Offered::Kept)));
    let adopted = [7, 8, 20];
    let mut best = Vec::new();
    adopted.iter().for_each(|&i| assert_eq!(training::append_unit(&mut best, &rows[i]), Ok(true)));
    let (set, kept) = set.expanded(&best, 3, 0.2, &mut || ()).unwrap();
    assert_eq!(kept, (0..40).filter(|i| !adopted.contains(i)).collect::<Vec<_>>());
    assert_eq!((set.exemplars(), set.negatives()), (4, 37));
    assert_eq!(set.values().len(), 2 * 41);
}

/// Comparing each with each would call for interrupts less often than it would have to, and take minutes.
#[test]
fn many_examples_and_many_rows_are_told_apart_at_once() {
    let (d, n) = (16, 30_000);
    let mut random = Random(3);
    let (exemplars, negatives): (Vec<_>, Vec<_>) =
        (0..n).map(|_| (random.vector(d), random.vector(d))).unzip();
    let counter_exemplars = (0..n).map(|_| random.vector(d)).collect();
    let input = Input { exemplars, counter_exemplars, ..Input::default() };
    let started = std::time::Instant::now();
    let mut calls = 0;
    let heap = Box::<memory::Heap>::default();
    let mut set = TrainingSet::new_in(heap, dimensions(d), &input.query(), &mut || calls += 1).unwrap();
    assert!(calls >= 3 * n);
    for (i, row) in negatives.iter().chain(&input.exemplars).enumerate() {
        let expected = if i < n { Offered::Kept } else { Offered::Example };
        assert_eq!(set.offer_negative(row, i), Ok(expected));
    }
    assert!(started.elapsed().as_secs() < 30, "{:?}", started.elapsed());
}

#[test]
fn a_search_takes_the_negatives_of_one_with_more_or_fewer_examples() {
    let negatives = vec![vec![0.0, 1.0], vec![0.6, -0.8], vec![-1.0, 0.0]];
    let with = |exemplars: &[[f32; 2]], negatives: &[Vec<f32>]| {
        let exemplars = exemplars.iter().map(|exemplar| exemplar.to_vec()).collect();
        Input { exemplars, negatives: negatives.to_vec(), ..Input::default() }.set()
    };
    let (few, many) = ([[1.0, 0.0]], [[0.8, 0.6], [0.6, 0.8], [1.0, 0.0]]);
    for (own, others) in [(&few[..], &many[..]), (&many, &few), (&few, &few)] {
        let mut taken = with(own, &[]);
        assert_eq!(taken.take_negatives_of(with(others, &negatives), &mut || ()), Ok(true));
        assert_eq!(taken.rows(), with(own, &negatives).rows());
        assert_eq!((taken.exemplars(), taken.negatives()), (own.len(), 3));
    }
    let taken = with(&[[0.0, 2.0]], &[]).take_negatives_of(with(&few, &negatives), &mut || ());
    assert_eq!(taken, Ok(false));
}

#[test]
fn what_is_known_of_the_negatives_goes_with_them_and_ends_with_a_change() {
    let first = Input::random(3);
    let d = first.exemplars[0].len();
    let second = Input { exemplars: vec![Random(2).vector(d)], ..first.clone() };
    let problem = first.problem();
    let bits = |problem: &Problem| fit(problem, &mut || ()).unwrap().weights;
    bits(&problem);
    let mut known = problem.into_set();
    assert!(known.bytes() > first.set().bytes());
    let mut set = Input { negatives: Vec::new(), ..second.clone() }.set();
    assert_eq!(set.take_negatives_of(known, &mut || ()), Ok(true));
    assert!(set.bytes() > second.set().bytes());
    let taken = Problem::new(set, &second.query(), second.params, &mut || ()).unwrap();
    assert_eq!(bits(&taken), second.fit().weights);

    known = taken.into_set();
    let more = Random(1).vector(d);
    known.offer_negative(&more, 0).unwrap();
    let mut changed = second;
    changed.negatives.push(more);
    let offered = Problem::new(known, &changed.query(), changed.params, &mut || ()).unwrap();
    assert_eq!(bits(&offered), changed.fit().weights);
}

#[test]
fn without_negatives_exemplars_and_hint_are_the_answer() {
    let exemplars = vec![vec![2.0, 0.0, 0.0], vec![0.0, 3.0, 0.0]];
    let half = 0.5_f32.sqrt();
    let weights = |input: &Input| input.fit().weights;
    let alone = Input { exemplars: exemplars.clone(), ..Input::default() };
    assert!(weights(&alone).iter().zip([half, half, 0.0]).all(|(w, v)| (w - v).abs() < 1e-6));
    let hinted = Input { hints: vec![vec![0.0, 0.0, 5.0]], ..alone.clone() };
    assert!(weights(&hinted).iter().zip([0.5, 0.5, half]).all(|(w, v)| (w - v).abs() < 1e-6));
    let opposite = Input { hints: vec![vec![-1.0, -1.0, 0.0]], ..alone };
    assert_eq!(weights(&opposite), [1.0, 0.0, 0.0]);
}

#[test]
fn the_best_exemplar_and_the_scores_of_negatives() {
    let input = Input {
        exemplars: vec![vec![1.0, 0.0], vec![3.0, 3.0]],
        negatives: vec![vec![0.0, 1.0], vec![-1.0, 0.0], vec![0.0, 2.0]],
        ..Input::default()
    };
    let set = input.set();
    assert_eq!(set.best_exemplar(&[1.0, 0.1]), Some(&[1.0, 0.0][..]));
    let scores: Vec<_> = set.scored_negatives(&[-1.0, 0.5]).map(|(score, _)| score).collect();
    assert_eq!(scores, [0.5, 1.0, 0.5]);
    let none = Input { exemplars: vec![], hints: vec![vec![1.0, 0.0]], ..input };
    assert_eq!(none.set().best_exemplar(&[1.0, 0.0]), None);
}

#[test]
fn one_exemplar_against_a_thousand_negatives_carries_half_of_the_weight() {
    let negatives: Vec<Vec<f32>> = (0..1000).map(|i| vec![1.0, i as f32]).collect();
    let input = Input { exemplars: vec![vec![-1.0, 0.5]], negatives, ..Input::default() };
    let weights = input.problem().weights;
    assert_eq!(weights[0], 500.5);
    assert!((weights[1..].iter().sum::<f64>() - 500.5).abs() < 1e-9);
    let cosine = input.with(|params| params.form = Form::Cosine).problem().weights;
    assert_eq!((cosine[0], cosine[1], cosine[1000]), (500.5, 0.5005, 0.5005));
}

#[test]
fn rows_that_look_wanted_weigh_less_than_the_others() {
    let mut random = Random(3);
    let wanted: Vec<f32> = random.vector(20);
    let mut near = |share: f32| -> Vec<f32> {
        random.vector(20).iter().zip(&wanted).map(|(v, w)| v + share * w).collect()
    };
    let negatives = (0..60).map(|i| near(if i < 20 { 2.0 } else { 0.0 })).collect();
    let input = Input { exemplars: vec![near(2.0)], negatives, ..Input::default() };
    let of = |weights: &[f64]| {
        let mean = |rows: &[f64]| rows.iter().sum::<f64>() / rows.len() as f64;
        mean(&weights[1..21]) / mean(&weights[21..])
    };
    let problem = input.problem();
    assert!(of(&problem.weights) < 0.3, "{}", of(&problem.weights));
    assert!(problem.wanted_share().unwrap() > 0.1);
    let known = input.with(|params| params.expected_share = Some(1.0 / 3.0)).problem();
    assert!(of(&known.weights) < 0.05 && known.wanted_share() == Some(1.0 / 3.0));
    assert!(matches!(
        input.with(|params| params.expected_share = Some(1.0)).try_problem(),
        Err(FitError::InvalidParameter { name: "expected_share", .. })
    ));
}

#[test]
fn what_a_hint_and_the_exemplars_both_point_at_is_no_negative() {
    let (mut random, d) = (Random(9), 64);
    let wanted: Vec<f32> = random.vector(d);
    let mut near = |share: f32| -> Vec<f32> {
        random.vector(d).iter().zip(&wanted).map(|(v, w)| v + share * w).collect()
    };
    // Of 200 rows the first four are wanted.
    let negatives = (0..200).map(|i| near(if i < 4 { 4.0 } else { 0.0 })).collect();
    let right = Input { exemplars: vec![near(2.0)], hints: vec![near(2.0)], negatives, ..Input::default() };
    let share = |input: &Input| input.problem().wanted_share().unwrap();
    assert!(share(&right) > 0.02 && right.problem().hint_trust().unwrap() > 0.5, "{}", share(&right));
    assert_eq!(right.problem().weights[1..5], [0.0; 4]);
    // Four exemplars are evidence of their own, and a hint that hardly counts confirms nothing.
    let many = Input { exemplars: (0..4).map(|_| near(2.0)).collect(), ..right.clone() };
    let faint = right.with(|params| params.hint_weight = 0.2);
    assert!(share(&many) < share(&right), "{} {}", share(&many), share(&right));
    assert!(share(&faint) < 0.01, "{}", share(&faint));
}

#[test]
fn without_negatives_the_counter_exemplars_are_them() {
    let input = Input { counter_exemplars: vec![], ..Input::full(5) };
    let negatives = input.negatives.clone();
    let shown = Input { counter_exemplars: negatives, negatives: vec![], ..input.clone() };
    assert_eq!(input.fit().w, shown.fit().w);
}

#[test]
fn bad_input_is_named() {
    let exemplars = |exemplars: &[Vec<f32>]| Input { exemplars: exemplars.to_vec(), ..Input::default() };
    let refused = |input: &Input| TrainingSet::new(dimensions(2), &input.query()).unwrap_err();
    let error = refused(&exemplars(&[vec![1.0, 0.0], vec![1.0, 0.0, 0.0]]));
    assert_eq!(error.to_string(), "exemplar 2 has 3 dimensions, the declaration has 2");
    for zero in [vec![0.0, 0.0], vec![f32::NAN, 1.0], vec![f32::INFINITY, 1.0]] {
        let error = refused(&exemplars(std::slice::from_ref(&zero)));
        assert_eq!(error, FitError::ZeroVector { input: crate::Input::Exemplar(0) });
        let hint = Input { hints: vec![zero], ..Input::default() };
        let error = text::Texts::of(&hint.query(), &dimensions(2), 0.0).unwrap_err();
        assert_eq!(error, FitError::ZeroVector { input: crate::Input::Hint(0) });
    }
    let alone = exemplars(&[vec![1.0, 0.0]]);
    let both = Input { counter_exemplars: vec![vec![0.0, 1.0], vec![2.0, 0.0]], ..alone.clone() };
    let (exemplar, counter) = (crate::Input::Exemplar(0), crate::Input::CounterExemplar(1));
    assert_eq!(refused(&both), FitError::Contradiction { exemplar, counter });
    let only_counter = Input { counter_exemplars: vec![vec![0.0, 1.0]], ..Input::default() };
    assert_eq!(only_counter.try_problem().unwrap_err(), FitError::NothingWanted);
    let hint = Input { hints: vec![vec![0.0, 0.0]], ..Input::default() };
    assert_eq!(hint.try_problem().unwrap_err(), FitError::ZeroVector { input: crate::Input::Hint(0) });
    for weight in [-1.0, f64::NAN, f64::INFINITY, 1e-163, 1e155] {
        let weighted = Input { weights: vec![weight], ..alone.clone() };
        let error = weighted.query().without_weightless().unwrap_err();
        assert!(
            matches!(error, FitError::InvalidWeight { input: crate::Input::Exemplar(0), .. }),
            "{error:?}"
        );
    }
    let params = Params::default();
    for (params, name) in [
        (Params { lambda: 0.0, ..params }, "lambda"),
        (Params { lambda: f64::NAN, ..params }, "lambda"),
        (Params { lambda: 1e308, ..params }, "lambda"),
        (Params { hint_weight: -1.0, ..params }, "hint_weight"),
        (Params { hint_weight: f64::INFINITY, ..params }, "hint_weight"),
        (Params { counter_hint_weight: -1.0, ..params }, "counter_hint_weight"),
        (Params { neutral_fraction: 1.5, ..params }, "neutral_fraction"),
        (Params { neutral_fraction: f64::NAN, ..params }, "neutral_fraction"),
        (Params { hint_weight: 1e155, ..params }, "hint_weight"),
        (Params { tol: 0.0, ..params }, "tol"),
        (Params { max_iter: 0, ..params }, "max_iter"),
    ] {
        let error = Input { params, ..alone.clone() }.try_problem().unwrap_err();
        assert!(matches!(error, FitError::InvalidParameter { name: n, .. } if n == name), "{error:?}");
    }
}

#[test]
fn a_hint_that_fits_nothing_still_converges() {
    for mut input in SEEDS.map(Input::random) {
        input.hints[0].iter_mut().zip(&input.exemplars[0]).for_each(|(q, x)| *q = -*x);
        for form in [Form::Adaptive, Form::Cosine] {
            let input = input.with(|params| params.form = form);
            let fit = input.fit();
            let n = input.problem().weights.iter().sum::<f64>();
            assert!(form == Form::Adaptive || fit.value.total() <= n / 2.0 + 1e-9, "worse than w = 0");
        }
    }
}

#[test]
fn equal_exemplars_and_background_mean_converge() {
    let negatives =
        vec![vec![1.0, 0.0, 0.1], vec![-1.0, 0.0, 0.1], vec![0.0, 1.0, 0.1], vec![0.0, -1.0, 0.1]];
    for hints in [vec![], vec![vec![0.0, 1.0, 1.0]]] {
        let exemplars = vec![vec![0.0, 0.0, 1.0]];
        Input { exemplars, hints, negatives: negatives.clone(), ..Input::default() }.fit();
    }
}

#[test]
fn one_negative_or_equal_ones_converge() {
    for negatives in [vec![vec![1.0, 0.2]], vec![vec![1.0, 0.2]; 30]] {
        for hints in [vec![], vec![vec![0.0, 1.0]]] {
            let input = Input {
                exemplars: vec![vec![0.3, 1.0]],
                hints,
                negatives: negatives.clone(),
                ..Input::default()
            };
            let fit = input.fit();
            assert!(fit.weights[1] > 0.5 && fit.weights[0] < 0.5, "{:?}", fit.weights);
        }
    }
}

#[test]
fn the_interrupt_check_is_called_in_every_pass() {
    let mut calls = 0;
    let fit = fit(&Input::random(1).problem(), &mut || calls += 1).unwrap();
    assert!(calls >= fit.passes);
}

#[test]
fn the_report_says_what_the_fit_made_of_its_input() {
    let mut input = Input::full(2);
    // A negative like the exemplar that the hint describes better is a likely false negative; a counter-exemplar like it
    // cannot be put below it.
    let near: Vec<f32> =
        input.exemplars[0].iter().zip(&input.hints[0]).map(|(x, q)| x * 2.0 + q * 0.1).collect();
    input.negatives.push(near.clone());
    let (problem, fit) = (input.problem(), input.fit());
    let report = Report::of(&problem, &fit, &mut || ());
    assert_eq!(report.false_negatives[0], input.negatives.len() - 1);
    assert!(report.false_negative_margins.is_sorted_by(|a, b| a >= b));
    let margin = |row: &Vec<f32>| {
        let length = same_row::norm(row);
        row.iter().zip(&fit.w).map(|(&x, w)| f64::from(x) / length * w).sum::<f64>() + fit.b
    };
    assert!((report.margins_exemplars[0] - margin(&input.exemplars[0])).abs() < 1e-5);
    assert!((report.margins_counter_exemplars[1] - margin(&input.counter_exemplars[1])).abs() < 1e-5);
    assert!((report.cosine_exemplars[0] - cosine(&fit.weights, &input.exemplars[0])).abs() < 1e-5);
    let opposite: Vec<f32> = input.exemplars[0].iter().map(|x| -x).collect();
    let torn = Input { exemplars: vec![input.exemplars[0].clone(), opposite], ..Input::random(2) };
    let report = Report::of(&torn.problem(), &torn.fit(), &mut || ());
    assert!(report.conflicts.contains(&report::Conflict::Exemplars(0, 1)), "{:?}", report.conflicts);
}

#[test]
fn a_conflict_is_said_in_words() {
    let said = |conflict: report::Conflict| conflict.to_string();
    assert_eq!(said(report::Conflict::Exemplars(0, 2)), "exemplar 1 and exemplar 3 have nothing in common");
    assert_eq!(said(report::Conflict::ExemplarHint(1)), "exemplar 2 is further from the hint than most rows");
    let nearer = "counter-exemplar 1 is nearer to the hint than the exemplars";
    assert_eq!(said(report::Conflict::CounterExemplarHint(0)), nearer);
    let below = report::Conflict::ExemplarCounterExemplar(1, 0);
    assert_eq!(said(below), "exemplar 2 scores below counter-exemplar 1");
    let named = below.in_words(|input| format!("<{input:?}>"));
    assert_eq!(named, "<Exemplar(1)> scores below <CounterExemplar(0)>");
}

#[test]
fn of_many_conflicts_the_first_are_listed_and_all_are_counted() {
    let mut random = Random(8);
    let mut vectors = |count| (0..count).map(|_| random.vector(12)).collect::<Vec<_>>();
    let (exemplars, counter_exemplars, negatives) = (vectors(60), vectors(70), vectors(50));
    let hints = vectors(1);
    let input = Input { exemplars, counter_exemplars, negatives, hints, ..Input::default() };
    let (problem, fit) = (input.problem(), input.fit());
    let report = Report::of(&problem, &fit, &mut || ());
    let set = problem.set();
    let (_, background) = set.rows().split_at(ndarray::Axis(0), 130);
    let mean = background.mapv(f64::from).mean_axis(ndarray::Axis(0)).unwrap();
    let centred = set.rows().mapv(f64::from) - &mean;
    let q = ndarray::Array1::from(problem.hint().unwrap().to_vec());
    let under_hint = centred.dot(&q);
    let wanted = under_hint.iter().take(60).sum::<f64>() / 60.0;
    let mut expected = Vec::new();
    let pairs = (0..60).flat_map(|i| (i + 1..60).map(move |j| (i, j)));
    let opposite = pairs.filter(|&(i, j)| centred.row(i).dot(&centred.row(j)) < 0.0);
    expected.extend(opposite.map(|(i, j)| report::Conflict::Exemplars(i, j)));
    expected.extend((0..60).filter(|&i| under_hint[i] < 0.0).map(report::Conflict::ExemplarHint));
    let above = (0..70).filter(|&j| under_hint[60 + j] > wanted);
    expected.extend(above.map(report::Conflict::CounterExemplarHint));
    let (exemplars, counters) = (&report.margins_exemplars, &report.margins_counter_exemplars);
    let pairs = (0..70).flat_map(|j| (0..60).map(move |i| (i, j)));
    let below = pairs.filter(|&(i, j)| exemplars[i] <= counters[j]);
    expected.extend(below.map(|(i, j)| report::Conflict::ExemplarCounterExemplar(i, j)));
    assert!(expected.len() > 1000);
    assert_eq!(report.conflict_count, expected.len() as u64);
    assert_eq!(report.conflicts, expected[..100]);
}

#[test]
fn parameters_at_their_bounds_have_an_answer_or_an_error() {
    let bounds = [1e-12, 1.0, 1e12];
    for seed in [1, 2] {
        for (lambda, hint_weight, counter_hint_weight) in bounds.iter().flat_map(|&lambda| {
            let weights = [0.0, 1e-12, 1e12];
            weights.into_iter().flat_map(move |h| weights.into_iter().map(move |c| (lambda, h, c)))
        }) {
            for (form, loss, weight) in [Form::Adaptive, Form::Cosine].into_iter().flat_map(|form| {
                let losses = [Loss::SquaredHinge, Loss::Logistic];
                losses.into_iter().flat_map(move |loss| [1e-9, 1e9].map(|weight| (form, loss, weight)))
            }) {
                let mut input = Input::full(seed);
                input.weights =
                    (0..input.exemplars.len()).map(|i| if i == 0 { weight } else { 1.0 }).collect();
                input.counter_weights = vec![weight, 1.0 / weight];
                let params =
                    Params { lambda, hint_weight, counter_hint_weight, form, loss, ..Params::default() };
                let fit = fit(&Input { params, ..input }.problem(), &mut || ());
                if let Ok(fit) = fit {
                    assert!(fit.weights.iter().all(|v| v.is_finite()) && fit.w.iter().all(|v| v.is_finite()));
                }
            }
        }
    }
}

#[test]
fn both_losses_have_their_derivatives() {
    for loss in [Loss::SquaredHinge, Loss::Logistic] {
        for m in [-40.0, -2.0, -0.3, 0.0, 0.4, 0.9, 1.7, 40.0] {
            let (h, (_, first, second)) = (1e-5, loss.at(m));
            let (above, below) = (loss.at(m + h), loss.at(m - h));
            assert!(((above.0 - below.0) / (2.0 * h) - first).abs() < 1e-6);
            assert!(((above.1 - below.1) / (2.0 * h) - second).abs() < 1e-5);
        }
        assert!(loss.at(-1e6).0.is_finite() && loss.at(1e6).0 == 0.0);
    }
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
    let stored = include_str!("../../../tests/reference/solutions.json");
    for solution in serde_json::from_str::<Vec<Solution>>(stored).unwrap() {
        let params = Params {
            form: Form::Cosine,
            lambda: solution.lambda_,
            hint_weight: solution.lambda_q.map_or(0.0, |lambda_q| lambda_q / 1000.0),
            tol: 1e-10,
            ..Params::default()
        };
        let (exemplars, negatives) = (solution.exemplars, solution.negatives);
        let hints = solution.hint.into_iter().collect();
        let fit = Input { exemplars, negatives, hints, params, ..Input::default() }.fit();
        let difference = (fit.value.total() - solution.objective) / solution.objective;
        assert!(difference.abs() < 1e-6, "{}: J differs by {difference:e}", solution.source);
        let cosine = cosine(&fit.weights, &solution.w);
        assert!(cosine > 1.0 - 1e-6, "{}: cosine {cosine}", solution.source);
    }
}

/// See tests/reference/adaptive.py.
#[derive(Deserialize)]
struct Adaptive {
    #[serde(flatten)]
    input: Input,
    loss: String,
    expected_share: Option<f64>,
    objective: f64,
    w: Vec<f32>,
}

#[test]
fn the_adaptive_form_agrees_with_an_independent_implementation() {
    let stored = include_str!("../../../tests/reference/adaptive.json");
    for (i, case) in serde_json::from_str::<Vec<Adaptive>>(stored).unwrap().into_iter().enumerate() {
        let loss = case.loss.parse().unwrap();
        let params = Params { tol: 1e-10, loss, expected_share: case.expected_share, ..Params::default() };
        let input = Input { params, ..case.input };
        let fit = input.fit();
        let difference = (fit.value.total() - case.objective) / case.objective;
        assert!(difference.abs() < 1e-6, "case {i}: J differs by {difference:e}");
        let cosine = cosine(&fit.weights, &case.w);
        assert!(cosine > 1.0 - 1e-6, "case {i}: cosine {cosine}");
    }
}

#[test]
fn trust_goes_by_the_exemplars_the_spread_the_agreement_and_what_is_generic() {
    let sigmoid = |x: f64| 1.0 / (1.0 + (-x).exp());
    for (z, r, a, t, reliable) in [
        (0.0, 1.0, 0.0, -5.0, -1.1),
        (3.0, 1.0, 0.5, 1.0, 0.9),
        (-1.0, 0.3, 0.0, 0.9, -1.55 + 1.45 * 0.3f64.ln()),
        (2.0, 1.0, -1.0, 3.0, -3.5),
    ] {
        let trust = view::trust(z, r, a, t);
        assert!((trust - (0.05 + 0.95 * sigmoid(reliable))).abs() < 1e-12, "{z} {r} {a} {t}: {trust}");
    }
    assert!((view::trust(1.0, 0.0, 0.0, 0.0) - 0.05).abs() < 1e-12);
    assert_eq!(view::trust(1.0, 1.0, 0.0, 1e9), 0.05);
}

#[test]
fn a_text_along_what_all_rows_share_is_generic() {
    let rows = [1.0f32, 0.0, 0.6, 0.8, 1.0, 0.0, 0.6, -0.8];
    let mut interrupt = || ();
    let (mut background, _) = background::Background::new(&rows, 2, [], &mut interrupt);
    // The mean is (0.8, 0), along which the rows score 0.8 and 0.48, 0.64 on average.
    for (text, t) in [([1.0, 0.0], 1.0), ([0.8, 0.6], 0.0), ([0.0, 1.0], -4.0)] {
        let generic = view::generic(&text, &mut background);
        assert!((generic - t).abs() < 1e-6, "{text:?}: {generic}");
    }
    let (mut background, _) = background::Background::new(&rows[..2], 2, [], &mut interrupt);
    assert!(view::generic(&[1.0, 0.0], &mut background).abs() < 1e-6);
}

#[test]
fn agreement_counts_the_rows_that_are_best_by_both() {
    let (up, down): (Vec<f64>, Vec<f64>) = (0..200).map(|i| (f64::from(i), f64::from(-i))).unzip();
    assert!((view::agreement(&up, &up) - (20.5f64 / 2.5).ln()).abs() < 1e-12);
    assert!((view::agreement(&up, &down) - (0.5f64 / 2.5).ln()).abs() < 1e-12);
    // A fiftieth, a twentieth and a tenth of many rows; all of few agree as they must.
    let many: Vec<f64> = (0..2000).map(f64::from).collect();
    let alike = (40.5f64 / 1.3).ln() + (100.5f64 / 5.5).ln() + (200.5f64 / 20.5).ln();
    assert!((view::agreement(&many, &many) - alike / 3.0).abs() < 1e-12);
    let best_fortieth_last: Vec<f64> =
        (0..2000).map(|i| if i < 1950 { f64::from(i) } else { -f64::from(i) }).collect();
    let alike = (0.5f64 / 1.3).ln() + (50.5f64 / 5.5).ln() + (150.5f64 / 20.5).ln();
    assert!((view::agreement(&many, &best_fortieth_last) - alike / 3.0).abs() < 1e-12);
    assert_eq!(view::agreement(&up[..10], &down[..10]), 0.0);
    assert!((view::agreement(&[1.0; 100], &[1.0; 100]) - (20.5f64 / 4.5).ln()).abs() < 1e-12);
}

#[test]
fn near_rows_score_alike_once_smoothed() {
    let (mut random, d) = (Random(5), 16);
    // Pairs of unit rows that differ along the first coordinate above all.
    let mut values: Vec<f32> = Vec::new();
    for _ in 0..30 {
        let row = random.vector(d);
        for side in [-0.01, 0.01] {
            let moved: Vec<f32> = (0..d).map(|k| if k == 0 { row[k] + side } else { row[k] }).collect();
            let length = kernel::dot(&moved, &moved).sqrt() as f32;
            values.extend(moved.iter().map(|v| v / length));
        }
    }
    let near = near_rows::NearRows::of(&values, d, &mut || ()).unwrap();
    let smooth = near.smoothed(&vec![1.0; d]);
    // C is nearly d along the first coordinate and nothing else: (I + C / 10)^-1 w is w there divided by 1 + d / 10.
    assert!(smooth[0] < 0.6, "{smooth:?}");
    assert!(smooth[1..].iter().all(|&v| v > 0.85), "{smooth:?}");
}

#[test]
fn smoothing_does_not_depend_on_the_order_of_rows() {
    let (mut random, d) = (Random(4), 48);
    let rows: Vec<Vec<f32>> = (0..700).map(|_| random.vector(d)).collect();
    let smooth = |rows: &[Vec<f32>]| {
        let near = near_rows::NearRows::of(&rows.concat(), d, &mut || ()).unwrap();
        near.smoothed(&vec![1.0; d])
    };
    let forwards = smooth(&rows);
    assert_eq!(forwards, smooth(&rows.into_iter().rev().collect::<Vec<_>>()));
}

#[test]
fn few_rows_and_copies_are_not_smoothed() {
    let row = Random(6).vector(8);
    assert!(near_rows::NearRows::of(&row, 8, &mut || ()).is_none());
    assert!(near_rows::NearRows::of(&row.repeat(50), 8, &mut || ()).is_none());
}

#[test]
fn copies_of_rows_do_not_hide_the_nearest_other_row() {
    let (mut random, d) = (Random(8), 24);
    let mut values: Vec<f32> = (0..60).flat_map(|_| random.vector(d)).collect();
    for row in values.chunks_exact_mut(d) {
        let length = kernel::dot(row, row).sqrt() as f32;
        row.iter_mut().for_each(|v| *v /= length);
    }
    let twice = [&values[..], &values[..]].concat();
    let w: Vec<f64> = random.vector(d).into_iter().map(f64::from).collect();
    let smooth = |values: &[f32]| near_rows::NearRows::of(values, d, &mut || ()).unwrap().smoothed(&w);
    for (once, twice) in smooth(&values).iter().zip(smooth(&twice)) {
        assert!((once - twice).abs() < 1e-6, "{once} {twice}");
    }
}

/// Unit rows: of each class as many as asked for, round centres of their own.
fn classes(sizes: &[usize], d: usize) -> Vec<Vec<f32>> {
    let mut random = Random(21);
    let mut rows = Vec::new();
    for &size in sizes {
        let centre = random.vector(d);
        for _ in 0..size {
            let row: Vec<f32> = centre.iter().zip(random.vector(d)).map(|(c, noise)| c + noise).collect();
            let length = kernel::dot(&row, &row).sqrt() as f32;
            rows.push(row.iter().map(|v| v / length).collect());
        }
    }
    rows
}

#[test]
fn it_is_crowded_in_a_large_class_and_not_in_a_small_one() {
    let d = 32;
    let around = |rows: &[Vec<f32>], exemplars: &[&Vec<f32>], weights: &[f64]| {
        let values = rows.concat();
        let near = near_rows::NearRows::of(&values, d, &mut || ()).unwrap();
        let exemplars: Vec<f32> = exemplars.iter().flat_map(|row| row.iter().copied()).collect();
        near.crowding.around(&exemplars, weights, &values, d)
    };
    for scale in [1, 8] {
        // One class of two fifths, and many of a fiftieth.
        let rows = classes(&[vec![20 * scale], vec![scale; 30]].concat(), d);
        let (large, small) = (&rows[0], &rows[rows.len() - 1]);
        let (in_large, in_small) = (around(&rows, &[large], &[1.0]), around(&rows, &[small], &[1.0]));
        assert!(in_large > 0.2 && in_large < 0.5, "{in_large}");
        assert!(in_small < 0.05, "{in_small}");
        let both = around(&rows, &[large, small], &[3.0, 1.0]);
        assert!((both - (3.0 * in_large + in_small) / 4.0).abs() < 1e-12);
        let turned: Vec<Vec<f32>> = rows.iter().rev().cloned().collect();
        assert_eq!(in_large, around(&turned, &[large], &[1.0]));
    }
}

#[test]
fn scores_are_split_where_the_parts_differ_most() {
    let split = share::Split::of(&[5.0, 0.0, 1.0, 6.0, 0.5]).unwrap();
    assert_eq!((split.cut, split.low, split.high), (5.0, 0.5, 5.5));
    assert!((split.upper - 0.4).abs() < 1e-12 && (split.place(3.0) - 0.5).abs() < 1e-12);
    assert_eq!(split.means(&[5.0, 0.0, 1.0, 6.0, 0.5], &[1.0, 2.0, 4.0, 3.0, 6.0]), (4.0, 2.0));
    assert_eq!(share::Split::of(&[2.0; 7]), None);
    assert_eq!(share::Split::of(&[2.0]), None);
    let weights = share::weights(&split, &[0.5, 1.75, 2.375, 3.0, 6.0], 0.75);
    assert_eq!(weights, [1.0, 1.0, 0.625, 0.25, 0.25]);
    assert_eq!(share::highest(&[1.0, 3.0, 3.0, 2.0], 0.5), [1, 2]);
    assert_eq!(share::highest(&[1.0, 3.0], 0.99), [1]);
}

#[test]
fn belief_rises_with_the_crowding_and_falls_where_few_stand_out() {
    let at = |crowding, place, trust, kurtosis| {
        share::belief(crowding, Some(share::UnderHint { place, trust, kurtosis }), None)
    };
    assert!(
        (share::belief(0.98, None, None) - 1.0 / (1.0 + (2.8 - 7.1 + 1.38 * 3f64.ln()).exp())).abs() < 1e-12
    );
    assert_eq!(share::belief(0.2, None, None), at(0.2, 1.0, 0.7, 3.0));
    assert!(share::belief(0.3, None, None) > share::belief(0.1, None, None));
    assert!(at(0.2, 3.0, 1.0, 3.0) < at(0.2, 3.0, 0.1, 3.0));
    assert!(at(0.2, 1.0, 1.0, 9.0) < at(0.2, 1.0, 1.0, 2.0));
    assert!(share::confirmed(0.2) == 0.0 && share::confirmed(0.5) == 1.0 && share::confirmed(2.0) == 1.0);
    assert!((share::confirmed(0.35) - 0.5).abs() < 1e-12);
    assert_eq!(share::confirmed_share(0.0, 0.5), 0.02);
    assert!((share::confirmed_share(0.4, 4.0) - 0.145).abs() < 1e-12);
    assert!(share::discount(0.0) == 0.8 && share::discount(0.25) == 0.9 && share::discount(0.7) == 1.0);
}

#[test]
fn several_exemplars_tell_by_their_rank_without_a_hint() {
    let at = |count, rank| share::belief(0.1, None, Some(share::Together { count, rank }));
    assert_eq!(at(3, 0.08), share::belief(0.1, None, None));
    assert!(at(2, 0.3) > at(2, 0.08) && at(9, 0.3) > at(2, 0.3) && at(2, 0.03) < at(2, 0.08));
    assert_eq!(at(5, 0.01), at(9, 0.02));
    let hint = Some(share::UnderHint { place: 1.0, trust: 1.0, kurtosis: 3.0 });
    assert_eq!(
        share::belief(0.1, hint, Some(share::Together { count: 4, rank: 0.3 })),
        share::belief(0.1, hint, None)
    );
}

#[test]
fn exemplars_of_a_large_class_rank_below_those_of_a_small_one() {
    let d = 32;
    let rows = classes(&[vec![120], vec![6; 30]].concat(), d);
    let rank = |exemplars: &[Vec<f32>], weights: &[f64]| {
        let values = rows.concat();
        let near = near_rows::NearRows::of(&values, d, &mut || ()).unwrap();
        near.crowding.rank(&crowding::distinct(&exemplars.concat(), weights, d), &values, d)
    };
    let (large, small) = (rank(&rows[..4], &[1.0; 4]), rank(&rows[rows.len() - 4..], &[1.0; 4]));
    assert!(large > 0.1 && large < 0.4 && small < 0.05, "{large} {small}");
    assert!((rank(&rows[..2], &[2.0; 2]) - rank(&rows[..2], &[1.0; 2])).abs() < 1e-12);
    let copies = [&rows[..2], &rows[..1]].concat();
    assert!((rank(&copies, &[1.0; 3]) - rank(&rows[..2], &[2.0, 1.0])).abs() < 1e-12);
    assert_eq!(rank(&rows[..3], &[1.0, 1.0, 0.0]), rank(&rows[..2], &[1.0; 2]));
}

#[test]
fn kurtosis_tells_two_halves_from_a_tail() {
    assert_eq!(share::kurtosis(&[1.0, -1.0, 1.0, -1.0]), 1.0);
    assert_eq!(share::kurtosis(&[2.0; 5]), 3.0);
    assert!((share::kurtosis(&[0.0, 0.0, 0.0, 0.0, 1.0]) - 3.25).abs() < 1e-12);
}
