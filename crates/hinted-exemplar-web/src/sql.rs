//! Statements with their values: to run with parameters, and to copy with literals.

use std::fmt::Write as _;

use tokio_postgres::types::{ToSql, Type};

/// A value of a statement.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    Text(String),
    Texts(Vec<String>),
    Number(f64),
    Numbers(Vec<f64>),
    /// A key, whose type the second field names.
    Key(String, String),
    /// A vector, sent in its text form, and what stands for it in the copy: SQL that gives the same.
    Vector {
        values: Vec<f32>,
        written: Option<String>,
    },
}

#[derive(Debug, Clone, PartialEq)]
enum Piece {
    Sql(String),
    Value(usize),
}

/// A statement in the making.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Sql {
    pieces: Vec<Piece>,
    values: Vec<Value>,
}

impl Sql {
    pub fn new(sql: &str) -> Self {
        let mut this = Sql::default();
        this.push(sql);
        this
    }

    /// Appends SQL as it is.
    pub fn push(&mut self, sql: &str) -> &mut Self {
        match self.pieces.last_mut() {
            Some(Piece::Sql(last)) => last.push_str(sql),
            _ => self.pieces.push(Piece::Sql(sql.into())),
        }
        self
    }

    /// Appends a value.
    pub fn value(&mut self, value: Value) -> &mut Self {
        let index = self.values.iter().position(|other| *other == value).unwrap_or_else(|| {
            self.values.push(value);
            self.values.len() - 1
        });
        self.pieces.push(Piece::Value(index));
        self
    }

    /// Appends another statement's text and values.
    pub fn append(&mut self, other: Sql) -> &mut Self {
        for piece in other.pieces {
            match piece {
                Piece::Sql(sql) => self.push(&sql),
                Piece::Value(index) => self.value(other.values[index].clone()),
            };
        }
        self
    }

    /// The text with parameters `$1`, `$2` and so on.
    pub fn with_parameters(&self) -> String {
        self.written(|index, text| {
            let value = &self.values[index];
            let _ = write!(text, "${}::{}", index + 1, value.parameter_type().1);
            match value {
                Value::Vector { .. } => text.push_str("::vector"),
                Value::Key(_, kind) if kind != "text" => {
                    let _ = write!(text, "::{kind}");
                }
                _ => {}
            }
        })
    }

    /// The text with literals, which psql takes as it is.
    pub fn with_literals(&self) -> String {
        self.written(|index, text| text.push_str(&self.values[index].literal()))
    }

    fn written(&self, write: impl Fn(usize, &mut String)) -> String {
        let mut text = String::new();
        for piece in &self.pieces {
            match piece {
                Piece::Sql(sql) => text.push_str(sql),
                Piece::Value(index) => write(*index, &mut text),
            }
        }
        text
    }

    /// The values in order, as literals.
    pub fn literals(&self) -> Vec<String> {
        self.values.iter().map(Value::literal).collect()
    }

    /// The values as the driver takes them.
    pub fn parameters(&self) -> Vec<(Box<dyn ToSql + Sync + Send>, Type)> {
        self.values.iter().map(|value| (value.parameter(), value.parameter_type().0)).collect()
    }
}

impl Value {
    fn parameter_type(&self) -> (Type, &'static str) {
        match self {
            Value::Text(_) | Value::Key(..) | Value::Vector { .. } => (Type::TEXT, "text"),
            Value::Number(_) => (Type::FLOAT8, "float8"),
            Value::Texts(_) => (Type::TEXT_ARRAY, "text[]"),
            Value::Numbers(_) => (Type::FLOAT8_ARRAY, "float8[]"),
        }
    }

    fn parameter(&self) -> Box<dyn ToSql + Sync + Send> {
        match self {
            Value::Text(text) | Value::Key(text, _) => Box::new(text.clone()),
            Value::Number(number) => Box::new(*number),
            Value::Texts(texts) => Box::new(texts.clone()),
            Value::Numbers(numbers) => Box::new(numbers.clone()),
            Value::Vector { values, .. } => Box::new(vector_text(values)),
        }
    }

    fn literal(&self) -> String {
        match self {
            Value::Text(text) => literal(text),
            Value::Key(text, kind) => match (kind.as_str(), text.parse::<i64>()) {
                ("smallint" | "integer" | "bigint", Ok(number)) if number >= 0 => number.to_string(),
                ("text", _) => literal(text),
                _ => format!("{}::{kind}", literal(text)),
            },
            Value::Number(number) => format!("'{number}'::float8"),
            Value::Texts(texts) => {
                format!("ARRAY[{}]::text[]", texts.iter().map(|t| literal(t)).collect::<Vec<_>>().join(", "))
            }
            Value::Numbers(numbers) => {
                let numbers: Vec<_> = numbers.iter().map(f64::to_string).collect();
                format!("'{{{}}}'", numbers.join(","))
            }
            Value::Vector { written: Some(sql), .. } => sql.clone(),
            Value::Vector { values, .. } => format!("'{}'", vector_text(values)),
        }
    }
}

/// A string literal, safe under either setting of standard_conforming_strings.
pub fn literal(text: &str) -> String {
    let quoted = text.replace('\'', "''");
    if quoted.contains('\\') { format!("E'{}'", quoted.replace('\\', "\\\\")) } else { format!("'{quoted}'") }
}

/// An identifier, quoted where it must be.
pub fn identifier(name: &str) -> String {
    let plain = name.starts_with(|c: char| c.is_ascii_lowercase() || c == '_')
        && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
        && !RESERVED.contains(&name);
    if plain { name.into() } else { format!("\"{}\"", name.replace('"', "\"\"")) }
}

/// Key words that cannot be a column's bare name.
const RESERVED: &[&str] = &[
    "all",
    "analyse",
    "analyze",
    "and",
    "any",
    "array",
    "as",
    "asc",
    "asymmetric",
    "authorization",
    "binary",
    "both",
    "case",
    "cast",
    "check",
    "collate",
    "collation",
    "column",
    "concurrently",
    "constraint",
    "create",
    "cross",
    "current_catalog",
    "current_date",
    "current_role",
    "current_schema",
    "current_time",
    "current_timestamp",
    "current_user",
    "default",
    "deferrable",
    "desc",
    "distinct",
    "do",
    "else",
    "end",
    "except",
    "false",
    "fetch",
    "for",
    "foreign",
    "freeze",
    "from",
    "full",
    "grant",
    "group",
    "having",
    "ilike",
    "in",
    "initially",
    "inner",
    "intersect",
    "into",
    "is",
    "isnull",
    "join",
    "lateral",
    "leading",
    "left",
    "like",
    "limit",
    "localtime",
    "localtimestamp",
    "natural",
    "not",
    "notnull",
    "null",
    "offset",
    "on",
    "only",
    "or",
    "order",
    "outer",
    "overlaps",
    "placing",
    "primary",
    "references",
    "returning",
    "right",
    "select",
    "session_user",
    "similar",
    "some",
    "symmetric",
    "system_user",
    "table",
    "tablesample",
    "then",
    "to",
    "trailing",
    "true",
    "union",
    "unique",
    "user",
    "using",
    "variadic",
    "verbose",
    "when",
    "where",
    "window",
    "with",
];

/// The text form of a `vector`.
pub fn vector_text(values: &[f32]) -> String {
    let mut text = String::with_capacity(values.len() * 12);
    for (i, value) in values.iter().enumerate() {
        let _ = write!(text, "{}{value}", if i == 0 { '[' } else { ',' });
    }
    text.push(']');
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_become_parameters_or_literals() {
        let mut sql = Sql::new("SELECT ");
        sql.value(Value::Text("it's".into())).push(", ").value(Value::Numbers(vec![1.0, 2.5]));
        sql.push(", ").value(Value::Text("it's".into()));
        assert_eq!(sql.with_parameters(), "SELECT $1::text, $2::float8[], $1::text");
        assert_eq!(sql.with_literals(), "SELECT 'it''s', '{1,2.5}', 'it''s'");
        assert_eq!(sql.parameters().len(), 2);
        let mut all = Sql::new("WITH x AS (");
        all.value(Value::Texts(vec!["a".into()])).push(") ").append(sql);
        assert_eq!(all.with_parameters(), "WITH x AS ($1::text[]) SELECT $2::text, $3::float8[], $2::text");
    }

    #[test]
    fn quotes_cannot_be_left() {
        assert_eq!(literal(r"\'; DROP TABLE x"), r"E'\\''; DROP TABLE x'");
        assert_eq!(identifier("a\"b"), "\"a\"\"b\"");
        assert_eq!(identifier("order"), "\"order\"");
        assert_eq!(identifier("Id"), "\"Id\"");
        assert_eq!(identifier("id_2"), "id_2");
        assert_eq!(vector_text(&[1.0, -0.5]), "[1,-0.5]");
    }

    #[test]
    fn keys_have_the_type_of_their_column() {
        let mut sql = Sql::default();
        sql.value(Value::Key("42".into(), "integer".into())).push(" ");
        sql.value(Value::Key("42".into(), "text".into())).push(" ");
        sql.value(Value::Key("x'".into(), "uuid".into()));
        assert_eq!(sql.with_parameters(), "$1::text::integer $2::text $3::text::uuid");
        assert_eq!(sql.with_literals(), "42 '42' 'x'''::uuid");
    }

    #[test]
    fn a_vector_may_be_written_as_what_gives_it() {
        let mut sql = Sql::default();
        sql.value(Value::Vector { values: vec![1.0], written: Some("(SELECT v)".into()) });
        assert_eq!(sql.with_parameters(), "$1::text::vector");
        assert_eq!(sql.with_literals(), "(SELECT v)");
    }
}
