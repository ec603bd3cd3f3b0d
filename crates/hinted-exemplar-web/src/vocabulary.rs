//! Texts whose vectors are in the database already: no model is needed to search by them, and they name what a row shows.

use std::collections::HashMap;

use crate::database::Transaction;
use crate::sql::{Sql, identifier, literal};
use crate::vector::{dot, from_bytes, mean, minus, unit};

/// More texts than these are not read.
const MOST_TEXTS: usize = 50_000;
/// How many texts near a row are looked at for a reason.
const NEAR: usize = 12;

/// A table of texts and vectors.
#[derive(Debug, Clone, Default)]
pub struct Vocabulary {
    relation: String,
    text_column: String,
    vector_column: String,
    texts: Vec<String>,
    /// As they are stored, one behind the other.
    vectors: Vec<f32>,
    dimensions: usize,
    by_name: HashMap<String, usize>,
    /// The mean of the vectors as they are stored, which says what all texts say.
    mean: Vec<f32>,
}

/// `TABLE(TEXT, EMBEDDING)` taken apart.
fn parse(written: &str) -> Option<(&str, &str, &str)> {
    let (relation, columns) = written.trim().strip_suffix(')')?.rsplit_once('(')?;
    let (text, vector) = columns.split_once(',')?;
    Some((relation.trim(), text.trim(), vector.trim()))
}

/// A column's name, which may be written as it stands in SQL, in quotes.
fn column(written: &str) -> String {
    match written.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) {
        Some(quoted) => identifier(&quoted.replace("\"\"", "\"")),
        None => identifier(written),
    }
}

impl Vocabulary {
    /// Reads the whole table.
    ///
    /// # Errors
    /// Words for the person who started the program.
    pub async fn read(written: &str, transaction: &Transaction) -> Result<Self, String> {
        let (relation, text, vector) = parse(written)
            .ok_or_else(|| format!("--vocabulary is TABLE(TEXT, EMBEDDING), not \"{written}\""))?;
        let (text_column, vector_column) = (column(text), column(vector));
        let sql = format!(
            "SELECT {text_column}::text, vector_send({vector_column}::vector), (SELECT {}::regclass::text) FROM {relation}
             WHERE {text_column} IS NOT NULL AND {vector_column} IS NOT NULL ORDER BY 1 LIMIT {MOST_TEXTS}",
            literal(relation)
        );
        let rows = transaction.rows(&Sql::new(&sql)).await.map_err(|trouble| trouble.message)?;
        let mut this = Vocabulary { text_column, vector_column, ..Vocabulary::default() };
        for row in &rows {
            let text: String = row.get(0);
            let vector = from_bytes(row.get(1)).unwrap_or_default();
            this.relation = row.get(2);
            if this.dimensions != 0 && vector.len() != this.dimensions {
                return Err(format!("{relation} has vectors of different dimensions"));
            }
            this.dimensions = vector.len();
            this.by_name.entry(text.to_lowercase()).or_insert(this.texts.len());
            this.texts.push(text);
            this.vectors.extend(vector);
        }
        if this.dimensions > 0 {
            this.mean = mean(this.vectors.chunks_exact(this.dimensions).map(|vector| (vector, 1.0)));
        }
        Ok(this)
    }

    pub fn len(&self) -> usize {
        self.texts.len()
    }

    pub fn is_empty(&self) -> bool {
        self.texts.is_empty()
    }

    pub fn dimensions(&self) -> usize {
        self.dimensions
    }

    pub fn texts(&self) -> &[String] {
        &self.texts
    }

    /// The vector of a text, whatever its case, and SQL that gives it.
    pub fn find(&self, text: &str) -> Option<(Vec<f32>, String)> {
        let index = *self.by_name.get(&text.to_lowercase())?;
        let Vocabulary { relation, text_column, vector_column, .. } = self;
        let text = literal(&self.texts[index]);
        let sql = format!("(SELECT {vector_column} FROM {relation} WHERE {text_column} = {text} LIMIT 1)");
        Some((self.vector(index).to_vec(), sql))
    }

    /// What all texts have in common, and SQL that gives it; none of too few texts to tell.
    pub fn neutral(&self) -> Option<(&[f32], String)> {
        let sql = format!("(SELECT avg({}) FROM {})", self.vector_column, self.relation);
        (self.len() >= 20).then_some((&self.mean[..], sql))
    }

    /// Texts that contain what was typed: those that begin with it first, then those in which a word does.
    pub fn suggest(&self, typed: &str, most: usize) -> Vec<&str> {
        let typed = typed.trim().to_lowercase();
        let rank = |text: &str| {
            let text = text.to_lowercase();
            match text.find(&typed)? {
                0 => Some(0),
                at if !text[..at].ends_with(char::is_alphanumeric) => Some(1),
                _ => Some(2),
            }
        };
        let mut found: Vec<_> =
            self.texts.iter().filter_map(|text| Some((rank(text)?, text.as_str()))).collect();
        found.sort_by_key(|(rank, _)| *rank);
        found.into_iter().take(most).map(|(_, text)| text).collect()
    }

    /// Texts with words in common with what was typed, for a text that is not there.
    pub fn similar(&self, typed: &str, most: usize) -> Vec<&str> {
        let grams = |text: &str| -> Vec<String> {
            let padded: Vec<char> = format!("  {} ", text.to_lowercase()).chars().collect();
            padded.windows(3).map(|window| window.iter().collect()).collect()
        };
        let wanted = grams(typed);
        let score = |text: &str| {
            let own = grams(text);
            let shared = wanted.iter().filter(|gram| own.contains(gram)).count();
            shared as f64 / (wanted.len() + own.len() - shared) as f64
        };
        let mut found: Vec<_> = self.texts.iter().map(|text| (score(text), text.as_str())).collect();
        found.retain(|(score, _)| *score > 0.15);
        found.sort_by(|a, b| b.0.total_cmp(&a.0));
        found.into_iter().take(most).map(|(_, text)| text).collect()
    }

    /// Guesses why a row is not wanted: texts near it and nearer to it than to what is wanted, in the order of their likeness to it
    /// less half of that to what is wanted. One that is not half as near as the nearest says nothing about the row.
    /// `middle` is the mean of the table's rows: pictures and texts lie apart as a whole, and only directions from their
    /// means compare. `wanted` is empty where nothing tells.
    pub fn reasons(&self, row: &[f32], wanted: &[f32], middle: &[f32], most: usize) -> Vec<&str> {
        if row.len() != self.dimensions || middle.len() != self.dimensions {
            return Vec::new();
        }
        let row = unit(&minus(&unit(row), middle));
        let wanted = if wanted.len() == row.len() { unit(&minus(&unit(wanted), middle)) } else { Vec::new() };
        let scored = |index: usize| {
            let text = unit(&minus(&unit(self.vector(index)), &self.mean));
            (dot(&text, &row), dot(&text, &wanted), index)
        };
        let mut near: Vec<_> = (0..self.len()).map(scored).collect();
        near.sort_by(|a, b| b.0.total_cmp(&a.0));
        near.truncate(NEAR);
        let nearest = near.first().map_or(0.0, |(to_row, ..)| *to_row);
        near.retain(|(to_row, to_wanted, _)| to_row > to_wanted && *to_row > 0.0 && *to_row >= nearest / 2.0);
        let fits = |(to_row, to_wanted, _): &(f64, f64, usize)| to_row - to_wanted / 2.0;
        near.sort_by(|a, b| fits(b).total_cmp(&fits(a)));
        near.into_iter().take(most).map(|(_, _, index)| self.texts[index].as_str()).collect()
    }

    fn vector(&self, index: usize) -> &[f32] {
        &self.vectors[index * self.dimensions..(index + 1) * self.dimensions]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn vocabulary() -> Vocabulary {
        let texts = ["puzzle game", "board game", "gamepad driver", "Mail server", "mail filters"];
        let vectors = [[1.0, 0.0, 0.0], [0.9, 0.1, 0.0], [0.5, 0.0, 0.9], [0.0, 1.0, 0.0], [0.0, 0.9, 0.3]];
        let units: Vec<Vec<f32>> = vectors.iter().map(|vector| unit(vector)).collect();
        Vocabulary {
            relation: "tags".into(),
            text_column: "words".into(),
            vector_column: "hint".into(),
            texts: texts.map(str::to_owned).to_vec(),
            mean: mean(units.iter().map(|vector| (&vector[..], 1.0))),
            vectors: units.concat(),
            dimensions: 3,
            by_name: texts.iter().enumerate().map(|(i, text)| (text.to_lowercase(), i)).collect(),
        }
    }

    #[test]
    fn the_option_is_taken_apart() {
        assert_eq!(parse("public.tags(words, hint)"), Some(("public.tags", "words", "hint")));
        assert_eq!(
            [column("words"), column("te\"xt"), column("\"te\"\"xt\"")],
            ["words", "\"te\"\"xt\"", "\"te\"\"xt\""]
        );
        assert_eq!(parse("tags"), None);
        assert_eq!(parse("tags(words)"), None);
    }

    #[test]
    fn texts_are_found_whatever_their_case() {
        let (vector, sql) = vocabulary().find("MAIL server").unwrap();
        assert_eq!(vector, [0.0, 1.0, 0.0]);
        assert_eq!(sql, "(SELECT hint FROM tags WHERE words = 'Mail server' LIMIT 1)");
        assert!(vocabulary().find("mail").is_none());
        assert!(vocabulary().neutral().is_none(), "five texts do not say what all texts say");
    }

    #[test]
    fn what_begins_with_the_typed_comes_first() {
        assert_eq!(vocabulary().suggest("game", 9), ["gamepad driver", "puzzle game", "board game"]);
        assert_eq!(vocabulary().suggest("mail", 1), ["Mail server"]);
        assert_eq!(vocabulary().similar("puzle games", 1), ["puzzle game"]);
        assert!(vocabulary().similar("xyz", 3).is_empty());
    }

    #[test]
    fn a_reason_is_near_the_row_and_not_near_what_is_wanted() {
        let middle = [0.4, 0.4, 0.2];
        let vocabulary = vocabulary();
        let reasons = vocabulary.reasons(&[0.5, 0.0, 1.0], &[1.0, 0.1, 0.0], &middle, 2);
        assert_eq!(reasons[0], "gamepad driver");
        assert!(!reasons.contains(&"puzzle game"));
        assert!(
            !vocabulary.reasons(&[0.5, 0.0, 1.0], &[0.0, -1.0, 0.5], &middle, 9).contains(&"Mail server")
        );
        assert!(vocabulary.reasons(&[1.0], &[], &middle, 2).is_empty());
        assert!(!vocabulary.reasons(&[0.0, 1.0, 0.0], &[], &middle, 2).is_empty());
    }
}
