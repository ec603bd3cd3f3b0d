//! What a sample shows of its source that its user should know, told once in a session.

use std::cell::RefCell;
use std::collections::HashSet;

use pgrx::pg_sys::panic::ErrorReport;
use pgrx::{PgLogLevel, PgSqlErrorCode, pg_sys};

use crate::sample::Drawn;
use crate::source::Source;
use crate::source::order::Metric;

/// What may be told of a relation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Told {
    OtherDimensions,
    UnevenLengths,
}

thread_local! {
    static TOLD: RefCell<HashSet<(pg_sys::Oid, Told)>> = RefCell::default();
}

/// Tells what `drawn` shows, unless it was told of this relation before.
pub fn report(source: &Source, drawn: &Drawn, dimensions: usize) {
    let (relation, column) = (source.relation.name(), &source.column);
    if drawn.others > 0 && is_news(source, Told::OtherDimensions) {
        let message = format!("rows of relation \"{relation}\" with vectors of other dimensions are skipped");
        let (others, found) = (drawn.others, drawn.other_dimensions);
        let detail =
            format!("{others} sampled rows do not have {dimensions} dimensions, one of them has {found}.");
        notice(message, detail, "Say by source_filter which rows count.");
    }
    let spread = drawn.lengths.spread();
    if Metric::of(spread) == Metric::Cosine && is_news(source, Told::UnevenLengths) {
        let message =
            format!("vectors in column \"{column}\" of relation \"{relation}\" are of uneven length");
        let detail =
            format!("The longest of the sampled rows is {:.3} times the shortest.", spread.unwrap_or(1.0));
        notice(message, detail, "Rank them by <=>, as hinted_exemplar_search does, and not by <#> or <->.");
    }
}

fn is_news(source: &Source, told: Told) -> bool {
    TOLD.with_borrow_mut(|all| all.insert((source.relation.oid(), told)))
}

fn notice(message: String, detail: String, hint: &str) {
    ErrorReport::new(PgSqlErrorCode::ERRCODE_SUCCESSFUL_COMPLETION, message, "hinted_exemplar")
        .set_detail(detail)
        .set_hint(hint)
        .report(PgLogLevel::NOTICE);
}
