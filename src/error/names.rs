//! What SQL calls the vectors that a fit is given.

use exemplar_svm::Input;

/// How the caller has given the vectors.
#[derive(Debug, Clone, PartialEq)]
pub enum Names {
    /// As arguments of a function. The singular ones, where they are given, come before the elements of their plural;
    /// negatives are rows of `column`, or an argument.
    Arguments { exemplar: bool, hint: bool, neutral_hint: bool, column: Option<String> },
    /// As rows of an aggregate.
    Aggregate,
}

impl Default for Names {
    fn default() -> Self {
        Names::Arguments { exemplar: false, hint: false, neutral_hint: false, column: None }
    }
}

impl Names {
    /// The name of a vector.
    pub fn of(&self, input: Input) -> String {
        match self {
            Names::Arguments { exemplar, hint, neutral_hint, column } => match input {
                Input::Exemplar(i) => argument(("exemplar", *exemplar), "exemplars", i),
                Input::CounterExemplar(i) => element("counter_exemplars", i),
                Input::Reason(i) => element("reasons", i),
                Input::Hint(i) => argument(("hint", *hint), "hints", i),
                Input::CounterHint(i) => element("counter_hints", i),
                Input::NeutralHint(i) => argument(("neutral_hint", *neutral_hint), "neutral_hints", i),
                Input::Negative(i) => match column {
                    Some(column) => format!("a row of column \"{column}\""),
                    None => element("negatives", i),
                },
                Input::Weights => "weights".into(),
                Input::Declared => format!("column \"{}\"", column.as_deref().unwrap_or_default()),
            },
            Names::Aggregate => match input {
                Input::Declared => "the first row".into(),
                Input::Hint(_) => "hint".into(),
                _ => "embedding".into(),
            },
        }
    }

    /// The name of the argument with the weight of an example, and of that weight in it.
    pub fn of_weight(&self, input: Input) -> (&'static str, String) {
        match input {
            Input::CounterExemplar(i) => ("counter_exemplar_weights", element("counter_exemplar_weights", i)),
            Input::Exemplar(i) => ("exemplar_weights", element("exemplar_weights", i)),
            _ => ("weight", "weight".into()),
        }
    }
}

fn argument((singular, is_given): (&str, bool), plural: &str, i: usize) -> String {
    match (is_given, i) {
        (true, 0) => singular.into(),
        (true, i) => element(plural, i - 1),
        (false, i) => element(plural, i),
    }
}

fn element(array: &str, i: usize) -> String {
    format!("{array}[{}]", i + 1)
}
