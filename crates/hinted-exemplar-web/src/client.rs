//! A fit outside of the database, for one in which the extension is not installed: rows are drawn by SQL, and fitted here
//! by what the extension fits with.

use axum::http::StatusCode;
use exemplar_svm::{Dimensions, Example, FitError, Input, InputVector, Params, Problem, Query, TrainingSet};

use crate::report::Report;
use crate::trouble::Trouble;

/// A rejected row and the text of why it is not wanted.
pub type Rejected = (Vec<f32>, Option<Vec<f32>>);

/// All that a fit is given, as the arguments of the SQL function `exemplar_svm`.
#[derive(Debug, Clone, Default)]
pub struct Given {
    /// Wanted rows and how much each counts.
    pub exemplars: Vec<(Vec<f32>, f64)>,
    pub counter_exemplars: Vec<Rejected>,
    pub hints: Vec<Vec<f32>>,
    pub counter_hints: Vec<Vec<f32>>,
    pub neutral_hints: Vec<Vec<f32>>,
    pub negatives: Vec<Vec<f32>>,
}

/// A fit and what it says of itself.
#[derive(Debug, Clone)]
pub struct Fitted {
    pub weights: Vec<f32>,
    pub report: Report,
    /// Negatives that score above the lowest exemplar, the best first, with their margins.
    pub false_negatives: Vec<(usize, f64)>,
}

fn inputs(vectors: &[Vec<f32>], input: fn(usize) -> Input) -> Vec<InputVector<'_>> {
    vectors.iter().enumerate().map(|(i, values)| InputVector { input: input(i), values }).collect()
}

fn query(given: &Given) -> Query<'_> {
    let exemplars = given.exemplars.iter().enumerate().map(|(i, (values, weight))| Example {
        vector: InputVector { input: Input::Exemplar(i), values },
        weight: *weight,
        reason: None,
    });
    let counters = given.counter_exemplars.iter().enumerate().map(|(i, (values, reason))| Example {
        vector: InputVector { input: Input::CounterExemplar(i), values },
        weight: 1.0,
        reason: reason.as_ref().map(|values| InputVector { input: Input::Reason(i), values }),
    });
    Query {
        exemplars: exemplars.collect(),
        counter_exemplars: counters.collect(),
        hints: inputs(&given.hints, Input::Hint),
        counter_hints: inputs(&given.counter_hints, Input::CounterHint),
        neutral_hints: inputs(&given.neutral_hints, Input::NeutralHint),
    }
}

/// Fits, with the defaults of the SQL function and to the same bits.
///
/// # Errors
/// What the core fails with, in its words.
pub fn fit(given: &Given) -> Result<Fitted, Trouble> {
    solve(given).map_err(|error| {
        let message = match &error {
            FitError::Contradiction { exemplar, counter } => {
                format!("{} and {} are the same vector", called(*exemplar), called(*counter))
            }
            error => error.to_string(),
        };
        let trouble = Trouble::new(StatusCode::BAD_REQUEST, message);
        match error {
            FitError::Contradiction { .. } => trouble.with_hint(
                "Keep it on one side: rows with equal vectors, such as copies of one picture, count as one.",
            ),
            FitError::DifferentDimensions { .. } => {
                trouble.with_hint("All vectors must come from the same model.")
            }
            _ => trouble,
        }
    })
}

/// What the SQL function calls an input.
fn called(input: Input) -> String {
    match input {
        Input::Exemplar(i) => format!("exemplars[{}]", i + 1),
        Input::CounterExemplar(i) => format!("counter_exemplars[{}]", i + 1),
        other => other.to_string(),
    }
}

fn solve(given: &Given) -> Result<Fitted, FitError> {
    let query = query(given);
    let first = query.vectors().next().ok_or(FitError::NothingWanted)?;
    let dimensions = Dimensions { count: first.values.len(), reference: first.input };
    for vector in query.vectors() {
        dimensions.check(vector.values.len(), vector.input)?;
    }
    let mut set = TrainingSet::new(dimensions, &query)?;
    set.reserve(given.negatives.len())?;
    // Which of the given negatives each row of the fit is.
    let mut origins = Vec::with_capacity(given.negatives.len());
    for (i, negative) in given.negatives.iter().enumerate() {
        let before = set.negatives();
        set.offer_negative(negative, i)?;
        if set.negatives() > before {
            origins.push(i);
        }
    }
    let problem = Problem::new(set, &query, Params::default(), &mut || ())?;
    let fit = exemplar_svm::fit(&problem, &mut || ())?;
    let told = exemplar_svm::Report::of(&problem, &fit, &mut || ());
    let likely =
        told.false_negatives.iter().map(|&row| origins[row]).zip(told.false_negative_margins.iter().copied());
    let report = Report {
        bias: fit.b,
        scale: Some(fit.scale()),
        hint_z: told.hint_z,
        hint_trust: told.hint_trust,
        wanted_share: told.wanted_share,
        cosine_hint: told.cosine_hint,
        conflicts: told.conflicts.iter().map(|c| c.as_given(&query).in_words(called)).collect(),
        exemplar_margins: told.margins_exemplars,
        counter_exemplar_margins: told.margins_counter_exemplars,
        false_negatives: told.false_negatives.len() as u64,
        sampled: problem.set().negatives() as u64,
        converged: fit.converged,
        iterations: fit.iterations as u64,
        ..Report::default()
    };
    Ok(Fitted { weights: fit.weights, false_negatives: likely.collect(), report })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn given() -> Given {
        Given {
            exemplars: vec![(vec![1.0, 0.1, 0.0], 1.0)],
            negatives: vec![
                vec![0.0, 1.0, 0.2],
                vec![1.0, 0.1, 0.0],
                vec![0.1, 0.9, 0.9],
                vec![0.9, 0.2, 0.1],
                vec![0.0, 0.3, 1.0],
            ],
            ..Given::default()
        }
    }

    #[test]
    fn a_row_is_told_apart_from_others() {
        let fitted = fit(&given()).unwrap();
        assert!(fitted.weights[0] > fitted.weights[1]);
        assert_eq!(fitted.report.sampled, 4, "the exemplar itself is no negative");
        let margin =
            fitted.report.margin(crate::vector::dot(&fitted.weights, &crate::vector::unit(&[1.0, 0.1, 0.0])));
        assert!((margin.unwrap() - fitted.report.exemplar_margins[0]).abs() < 1e-6);
    }

    #[test]
    fn contradictions_are_said_in_words() {
        let both = Given { counter_exemplars: vec![(vec![1.0, 0.1, 0.0], None)], ..given() };
        let trouble = fit(&both).unwrap_err();
        assert!(trouble.message.contains("same vector") && trouble.hint.is_some());
        assert!(fit(&Given::default()).is_err());
    }
}
