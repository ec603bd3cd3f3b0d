//! A fit's report: read, and said in words.

use serde_json::Value as Json;

/// Which share of the table is much.
const MUCH: f64 = 0.2;

/// What a fit says of itself.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Report {
    pub bias: f64,
    /// Length of the fit's own `w`: the margin of a row is `scale * cos(w, x) + bias`.
    pub scale: Option<f64>,
    pub hint_z: Option<f64>,
    pub hint_trust: Option<f64>,
    pub wanted_share: Option<f64>,
    pub cosine_hint: Option<f64>,
    /// The share of the sampled rows, as near as those shown, that the search through an index found. They may be few.
    pub recall: Option<f64>,
    pub exemplar_margins: Vec<f64>,
    pub counter_exemplar_margins: Vec<f64>,
    pub conflicts: Vec<String>,
    pub false_negatives: u64,
    pub sampled: u64,
    pub converged: bool,
    pub iterations: u64,
    pub sampling_ms: f64,
    pub solving_ms: f64,
}

/// How much something should catch the eye.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tone {
    Good,
    Plain,
    Warning,
}

/// A sentence of the report.
#[derive(Debug, Clone, PartialEq)]
pub struct Sentence {
    pub tone: Tone,
    pub text: String,
}

impl Report {
    /// Reads what `to_jsonb` makes of a fit.
    pub fn read(json: &Json) -> Self {
        let number = |name: &str| json[name].as_f64();
        let numbers = |name: &str| -> Vec<f64> {
            json[name].as_array().into_iter().flatten().filter_map(Json::as_f64).collect()
        };
        let count = |name: &str| json[name].as_u64();
        let exemplar_margins = numbers("exemplar_margins");
        let bias = number("bias").unwrap_or_default();
        let scale = number("scale");
        Report {
            bias,
            scale,
            hint_z: number("hint_z"),
            hint_trust: number("hint_trust"),
            wanted_share: number("wanted_share"),
            cosine_hint: number("cosine_hint"),
            recall: number("recall"),
            exemplar_margins,
            counter_exemplar_margins: numbers("counter_exemplar_margins"),
            conflicts: json["conflicts"]
                .as_array()
                .into_iter()
                .flatten()
                .filter_map(|text| text.as_str().map(str::to_owned))
                .collect(),
            false_negatives: count("false_negatives").unwrap_or_default(),
            sampled: count("sampled").unwrap_or_default(),
            converged: json["converged"].as_bool().unwrap_or(true),
            iterations: count("iterations").unwrap_or_default(),
            sampling_ms: number("sampling_ms").unwrap_or_default(),
            solving_ms: number("solving_ms").unwrap_or_default(),
        }
    }

    /// The margin of a row that has this cosine with `w`; none where nothing was told apart.
    pub fn margin(&self, cosine: f64) -> Option<f64> {
        let scale = self.scale.filter(|_| !self.exemplar_margins.is_empty())?;
        Some(scale * cosine + self.bias)
    }

    /// The report in words.
    pub fn sentences(&self, has_text: bool) -> Vec<Sentence> {
        let mut said = Vec::new();
        let mut say = |tone, text: String| said.push(Sentence { tone, text });
        match self.hint_z {
            Some(z) if z >= 2.5 => say(
                Tone::Good,
                format!("The text describes your examples well ({z:.1} deviations above other rows)."),
            ),
            Some(z) if z >= 1.0 => say(
                Tone::Plain,
                format!(
                    "The text describes your examples somewhat ({z:.1} deviations above other rows; 2.5 is good)."
                ),
            ),
            Some(z) => say(
                Tone::Warning,
                format!(
                    "The text does not describe your examples ({} deviations above other rows; 2.5 is good). Change the text or the examples.",
                    format!("{z:.1}").replace('-', "−")
                ),
            ),
            None if has_text => say(
                Tone::Plain,
                "By the text alone. Like a row, and the search learns what sets it apart.".into(),
            ),
            None => {}
        }
        if let Some(trust) = self.hint_trust.filter(|trust| *trust < 0.5) {
            let share = 100.0 * trust;
            say(
                Tone::Plain,
                format!(
                    "The text counts for {share:.0} % of what it could: your examples do not bear it out."
                ),
            );
        }
        let lost = self.exemplar_margins.iter().filter(|margin| **margin < 0.0).count();
        let many = |count: usize, one: &str, more: &str| {
            if count == 1 { one.to_owned() } else { format!("{count} {more}") }
        };
        if lost > 0 {
            say(
                Tone::Warning,
                format!(
                    "{} on the unwanted side: the examples may want different things.",
                    many(lost, "One of your examples falls", "of your examples fall")
                ),
            );
        }
        let kept = self.counter_exemplar_margins.iter().filter(|margin| **margin > 0.0).count();
        if kept > 0 {
            say(
                Tone::Warning,
                format!(
                    "{} wanted: say why, or why else. A reason helps more than the row alone.",
                    many(
                        kept,
                        "One of the rows you rejected still looks",
                        "of the rows you rejected still look"
                    )
                ),
            );
        }
        if !self.exemplar_margins.is_empty() {
            match self.conflicts.len() {
                0 => say(Tone::Good, "No contradictions among what you gave.".into()),
                _ => self.conflicts.iter().for_each(|conflict| say(Tone::Warning, sentence(conflict))),
            }
        }
        // A small share is a rough guess, and the line among the rows says more.
        if let Some(share) = self.wanted_share.filter(|share| *share > MUCH) {
            say(Tone::Plain, format!("Much of the table may be wanted: about {:.0} %.", 100.0 * share));
        }
        match self.recall {
            Some(recall) if recall < 1.0 => say(
                if recall < 0.9 { Tone::Warning } else { Tone::Plain },
                format!(
                    "The index may have missed some of the best rows: of the sampled rows that are as near, it found {:.0} %.",
                    100.0 * recall
                ),
            ),
            _ => {}
        }
        if !self.converged {
            say(
                Tone::Warning,
                format!(
                    "The fit stopped after {} before it had converged. Its order seldom differs.",
                    many(self.iterations as usize, "1 step", "steps")
                ),
            );
        }
        said
    }
}

/// Begins with a capital and ends with a full stop.
pub fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    let first: String = letters.next().map(|c| c.to_uppercase().collect()).unwrap_or_default();
    let stop = if text.ends_with(['.', '!', '?']) { "" } else { "." };
    format!("{first}{}{stop}", letters.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_report_is_read_and_said() {
        let report = Report::read(&json!({
            "bias": -1.0, "scale": 2.375, "hint_z": 0.5, "exemplar_margins": [0.9, -0.1],
            "counter_exemplar_margins": [0.3], "conflicts": ["exemplars[1] and hint disagree"],
            "converged": false, "iterations": 1, "false_negatives": 3
        }));
        assert!((report.margin(0.8).unwrap() - 0.9).abs() < 1e-12);
        assert_eq!(report.false_negatives, 3);
        let said: Vec<_> = report.sentences(true).into_iter().map(|sentence| sentence.text).collect();
        assert_eq!(said.len(), 5, "{said:?}");
        assert!(said[3].starts_with("Exemplars[1] and hint disagree."));
        assert!(said[4].starts_with("The fit stopped after 1 step before"));
    }

    #[test]
    fn a_text_alone_has_no_margins() {
        let report = Report::read(&json!({"bias": 0.0, "scale": 3.0, "exemplar_margins": []}));
        assert_eq!(report.margin(0.5), None);
        assert!(report.sentences(true)[0].text.contains("text alone"));
    }
}
