//! Every SQLSTATE, and the words of every error that is the caller's to mend.

mod fit;
pub mod names;

use pgrx::pg_sys::panic::ErrorReport;
use pgrx::{PgLogLevel, PgSqlErrorCode};

use crate::error::names::Names;
use crate::source::cast::SUPPORTED;
use exemplar_svm::FitError;

/// Why a call cannot be answered.
#[derive(Debug, Clone, PartialEq)]
pub enum Error {
    /// The fit's own reasons.
    Fit { error: FitError, names: Names },
    /// Memory of this size is not to be had.
    OutOfMemory { bytes: usize },
    /// `what` would take more memory than the setting allows.
    MemoryLimit { bytes: usize, limit: usize, what: &'static str },
    /// The bytes of a `vector` contradict themselves.
    CorruptVector,
    /// An array of vectors has more than one dimension.
    ArrayNotFlat,
    /// An array of vectors has a null element.
    NullElement { argument: &'static str },
    /// An argument that must have a value is null.
    NullArgument { argument: &'static str },
    /// An integer argument is outside its range.
    OutOfRange { argument: &'static str, value: i64, range: &'static str },
    /// A text argument is none of the names that it may be.
    UnknownName { argument: &'static str, name: String, names: &'static str },
    /// Two arguments that go together have different numbers of elements.
    LengthsDiffer { argument: &'static str, found: usize, of: &'static str, expected: usize },
    /// A column's vectors have more dimensions than a `vector` can have.
    TooManyDimensions { column: String, relation: String, found: usize },
    /// A number is not between 0 and 1.
    OutsideUnitInterval { argument: &'static str, value: f64 },
    /// Only what is not wanted was given.
    OnlyUnwanted,
    /// Weights to search by were given beside examples or texts to fit them from.
    WeightsBesideExamples,
    /// There are reasons, and no counter-exemplars that they could be about.
    ReasonsAlone,
    /// An aggregate's support function was called outside an aggregate.
    NotInAggregate,
    /// `source` names no relation; it was dropped since its name was looked up.
    UnknownRelation { oid: u32 },
    /// `embedding` names no column of `source`.
    UnknownColumn { column: String, relation: String, vector_columns: Vec<String> },
    /// `embedding` names a column of another type.
    WrongType { column: String, relation: String, found: String, vector_columns: Vec<String> },
    /// Rows of this kind of relation cannot be drawn.
    UnsupportedRelation { relation: String, kind: &'static str },
    /// Rows of this kind of relation have no TIDs to return.
    NoTids { relation: String, kind: &'static str },
    /// An argument is not a list of column names.
    NotColumnNames { argument: &'static str, value: String },
    /// `key` names no column of `source`.
    UnknownKeyColumn { column: String, relation: String },
    /// A condition is something else than one expression; the parser's words if it has any.
    NotOneExpression { argument: &'static str, value: String, reason: Option<String> },
}

impl From<FitError> for Error {
    fn from(error: FitError) -> Self {
        Error::Fit { error, names: Names::default() }
    }
}

impl From<Error> for ErrorReport {
    fn from(error: Error) -> Self {
        let mut report = ErrorReport::new(error.sqlstate(), error.message(), "hinted_exemplar");
        if let Some(detail) = error.detail() {
            report = report.set_detail(detail);
        }
        if let Some(hint) = error.hint() {
            report = report.set_hint(hint);
        }
        report
    }
}

impl Error {
    /// The same error, which calls the vectors of a fit by these `names`.
    pub fn called(mut self, called: Names) -> Self {
        if let Error::Fit { names, .. } = &mut self {
            *names = called;
        }
        self
    }

    /// Raises this as a Postgres error, for the few places that cannot return one.
    pub fn raise(self) -> ! {
        ErrorReport::from(self).report(PgLogLevel::ERROR);
        unreachable!("an error report of level ERROR does not return")
    }

    fn sqlstate(&self) -> PgSqlErrorCode {
        match self {
            Error::Fit { error, .. } => fit::sqlstate(error),
            Error::OutOfMemory { .. } => PgSqlErrorCode::ERRCODE_OUT_OF_MEMORY,
            Error::MemoryLimit { .. } | Error::TooManyDimensions { .. } => {
                PgSqlErrorCode::ERRCODE_PROGRAM_LIMIT_EXCEEDED
            }
            Error::ArrayNotFlat => PgSqlErrorCode::ERRCODE_DATA_EXCEPTION,
            Error::NotOneExpression { .. } => PgSqlErrorCode::ERRCODE_SYNTAX_ERROR,
            Error::OutOfRange { .. }
            | Error::UnknownName { .. }
            | Error::LengthsDiffer { .. }
            | Error::WeightsBesideExamples
            | Error::OnlyUnwanted
            | Error::OutsideUnitInterval { .. }
            | Error::ReasonsAlone => PgSqlErrorCode::ERRCODE_INVALID_PARAMETER_VALUE,
            Error::CorruptVector => PgSqlErrorCode::ERRCODE_DATA_CORRUPTED,
            Error::NullElement { .. } | Error::NullArgument { .. } => {
                PgSqlErrorCode::ERRCODE_NULL_VALUE_NOT_ALLOWED
            }
            Error::NotInAggregate => PgSqlErrorCode::ERRCODE_INVALID_FUNCTION_DEFINITION,
            Error::UnknownRelation { .. } => PgSqlErrorCode::ERRCODE_UNDEFINED_TABLE,
            Error::UnknownColumn { .. } | Error::UnknownKeyColumn { .. } => {
                PgSqlErrorCode::ERRCODE_UNDEFINED_COLUMN
            }
            Error::NotColumnNames { .. } => PgSqlErrorCode::ERRCODE_INVALID_NAME,
            Error::WrongType { .. } => PgSqlErrorCode::ERRCODE_DATATYPE_MISMATCH,
            Error::UnsupportedRelation { .. } | Error::NoTids { .. } => {
                PgSqlErrorCode::ERRCODE_FEATURE_NOT_SUPPORTED
            }
        }
    }

    fn message(&self) -> String {
        match self {
            Error::Fit { error, names } => fit::message(error, names),
            Error::OutOfMemory { .. } => "out of memory".into(),
            Error::MemoryLimit { .. } => "rows of a fit would take too much memory".into(),
            Error::CorruptVector => "vector has a size that contradicts its dimensions".into(),
            Error::ArrayNotFlat => "array must be 1-D".into(),
            Error::NullElement { .. } => "array must not contain nulls".into(),
            Error::NullArgument { argument } => format!("{argument} must not be null"),
            Error::OutOfRange { argument, range, .. } => format!("{argument} must be {range}"),
            Error::UnknownName { argument, name, .. } => format!("unrecognized {argument} \"{name}\""),
            Error::LengthsDiffer { argument, of, .. } => {
                format!("{argument} must have as many elements as there are {of}")
            }
            Error::TooManyDimensions { column, relation, .. } => {
                format!("column \"{column}\" of relation \"{relation}\" has too many dimensions")
            }
            Error::OutsideUnitInterval { argument, .. } => format!("{argument} must be between 0 and 1"),
            Error::OnlyUnwanted => "counter-examples and counter-hints need an exemplar or a hint".into(),
            Error::WeightsBesideExamples => "weights cannot be combined with examples or hints".into(),
            Error::ReasonsAlone => "reasons need counter_exemplars".into(),
            Error::NotInAggregate => "aggregate function called in non-aggregate context".into(),
            Error::UnknownRelation { oid } => format!("relation with OID {oid} does not exist"),
            Error::UnknownColumn { column, relation, .. } => {
                format!("column \"{column}\" of relation \"{relation}\" does not exist")
            }
            Error::WrongType { column, relation, found, .. } => {
                format!(
                    "column \"{column}\" of relation \"{relation}\" is of type {found}, which has no vectors"
                )
            }
            Error::UnsupportedRelation { relation, kind } => {
                format!("cannot sample rows of {kind} \"{relation}\"")
            }
            Error::NoTids { relation, kind } => {
                format!("rows of {kind} \"{relation}\" have no ctid that could be returned")
            }
            Error::NotColumnNames { argument, .. } => format!("{argument} must be a list of column names"),
            Error::UnknownKeyColumn { column, relation } => {
                format!("column \"{column}\" of relation \"{relation}\" does not exist")
            }
            Error::NotOneExpression { argument, .. } => format!("{argument} must be one expression"),
        }
    }

    fn detail(&self) -> Option<String> {
        match self {
            Error::Fit { error, names } => fit::detail(error, names),
            Error::OutOfMemory { bytes } => Some(format!("Failed on request of size {bytes}.")),
            Error::MemoryLimit { bytes, limit, .. } => {
                let (needed, limit) = (bytes.div_ceil(1024), limit / 1024);
                Some(format!("They need {needed} kB, hinted_exemplar.max_memory is {limit} kB."))
            }
            Error::NullElement { argument } => Some(format!("Argument {argument} has a null element.")),
            Error::OutOfRange { argument, value, .. } => Some(format!("{argument} is {value}.")),
            Error::WrongType { .. } => Some(format!("Supported are {SUPPORTED}.")),
            Error::LengthsDiffer { argument, found, of, expected } => {
                Some(format!("{argument} has {found} elements, and there are {expected} {of}."))
            }
            Error::NotOneExpression { argument, value, reason: None } => {
                Some(format!("{argument} is \"{value}\"."))
            }
            Error::NotOneExpression { argument, value, reason: Some(reason) } => {
                Some(format!("{argument} is \"{value}\": {reason}."))
            }
            Error::TooManyDimensions { found, .. } => {
                Some(format!("It has {found}; a weight vector is of type vector, which has at most 16000."))
            }
            Error::OutsideUnitInterval { argument, value } => Some(format!("{argument} is {value}.")),
            Error::OnlyUnwanted => Some(
                "They say what to move away from; without a start most of a table is equally far.".into(),
            ),
            Error::NotColumnNames { argument, value } => Some(format!("{argument} is \"{value}\".")),
            _ => None,
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Error::Fit { error, .. } => fit::hint(error).map(Into::into),
            Error::MemoryLimit { what, .. } => {
                Some(format!("Lower {what}, or raise hinted_exemplar.max_memory."))
            }
            Error::UnknownName { names, .. } => Some(format!("It is {names}.")),
            Error::LengthsDiffer { argument: "reasons", .. } => {
                Some("Use NULL elements for counter-exemplars without a reason.".into())
            }
            Error::LengthsDiffer { argument: "exemplar_weights", .. } => {
                Some("Its elements are for exemplar, if given, and then for exemplars.".into())
            }
            Error::ReasonsAlone => Some(
                "A reason says why one counter-exemplar is not wanted. \
                 To turn down a text by itself, give counter_hints."
                    .into(),
            ),
            Error::NullElement { .. } => Some("ARRAY(SELECT ...) may need a WHERE ... IS NOT NULL.".into()),
            Error::NullArgument { argument: "exemplar" } => Some(
                "The row it was selected from may not exist, or has no embedding. \
                 Leave the argument out to search by hint alone."
                    .into(),
            ),
            Error::NullArgument { argument: "source" | "embedding" | "exemplars" | "negatives" } => None,
            Error::NullArgument { .. } => Some("Leave the argument out to use its default.".into()),
            Error::UnknownColumn { vector_columns, .. } | Error::WrongType { vector_columns, .. } => {
                Some(match vector_columns.as_slice() {
                    [] => "The relation has no column of vectors.".into(),
                    columns => format!("Columns of vectors: {}.", columns.join(", ")),
                })
            }
            Error::UnsupportedRelation { .. } => {
                Some("Name a table, a view or a foreign table as source.".into())
            }
            Error::NoTids { .. } => {
                Some("Pass the columns that tell its rows apart as key, such as key => 'id'.".into())
            }
            Error::OnlyUnwanted => {
                Some("To rank away from them, start from the table's mean: exemplar => (SELECT avg(embedding) ...).".into())
            }
            Error::TooManyDimensions { .. } => {
                Some("Keep the terms that tell most in a column of type sparsevec(16000).".into())
            }
            Error::WeightsBesideExamples => {
                Some("Leave weights out to fit them, or give what was fitted before alone.".into())
            }
            Error::NotColumnNames { .. } => {
                Some("Write several with commas, and names with upper-case letters in double quotes.".into())
            }
            Error::UnknownKeyColumn { .. } => {
                Some("Names with upper-case letters, spaces or commas stand in double quotes.".into())
            }
            Error::NotOneExpression { .. } => {
                Some("It is what could stand after WHERE, such as price < 20 AND NOT sold.".into())
            }
            _ => None,
        }
    }
}
