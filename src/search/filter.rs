//! A condition in SQL that is put into a query.

use std::ffi::CString;

use pgrx::pg_sys::panic::CaughtError;
use pgrx::pg_sys::{self, NodeTag};
use pgrx::{PgList, PgSqlErrorCode, PgTryBuilder};

use crate::error::Error;
use crate::postgres::spi::Connection;
use crate::source::Source;

/// Checks that `filter`, an argument, is one expression and cannot end the parentheses that it is put in, and that it is
/// a condition on rows of `source`, which Postgres says in its own words.
///
/// # Errors
/// [`Error::NotOneExpression`].
pub fn check(
    argument: &'static str,
    filter: &str,
    source: &Source,
    connection: &Connection,
) -> Result<(), Error> {
    let error = |reason| Error::NotOneExpression { argument, value: filter.into(), reason };
    if !parse(filter).map_err(|reason| error(Some(reason)))? {
        return Err(error(None));
    }
    // SAFETY: the query has no parameters.
    unsafe { connection.prepare(&source.query_to_check(filter), &[]).select(&mut []) };
    Ok(())
}

/// Whether `filter` is an expression and nothing more, or why it is not even SQL.
fn parse(filter: &str) -> Result<bool, String> {
    let Ok(text) = CString::new(filter) else { return Ok(false) };
    let parse = || {
        // SAFETY: the text is NUL-terminated; PL/pgSQL's mode reads what follows SELECT, and gives one statement.
        let list = unsafe { pg_sys::raw_parser(text.as_ptr(), pg_sys::RawParseMode::RAW_PARSE_PLPGSQL_EXPR) };
        // SAFETY: raw_parser returns a valid list of RawStmt.
        Ok(unsafe { is_one_expression(list) })
    };
    PgTryBuilder::new(parse)
        .catch_when(PgSqlErrorCode::ERRCODE_SYNTAX_ERROR, |cause| match cause {
            CaughtError::PostgresError(report) | CaughtError::ErrorReport(report) => {
                Err(report.message().to_string())
            }
            CaughtError::RustPanic { .. } => Ok(false),
        })
        .execute()
}

/// # Safety
/// `statements` is a valid list of RawStmt or null.
unsafe fn is_one_expression(statements: *mut pg_sys::List) -> bool {
    // SAFETY: as the function's; nodes have the type that their tag says.
    unsafe {
        let statements = PgList::<pg_sys::RawStmt>::from_pg(statements);
        let Some(statement) = statements.get_ptr(0).filter(|_| statements.len() == 1) else { return false };
        let select = (*statement).stmt.cast::<pg_sys::SelectStmt>();
        let Some(select) = select.as_ref().filter(|select| select.type_ == NodeTag::T_SelectStmt) else {
            return false;
        };
        let columns = PgList::<pg_sys::ResTarget>::from_pg(select.targetList);
        let clauses = [
            select.distinctClause,
            select.fromClause,
            select.groupClause,
            select.windowClause,
            select.sortClause,
            select.lockingClause,
        ];
        let nodes = [select.whereClause, select.havingClause, select.limitOffset, select.limitCount];
        columns.len() == 1
            && columns.get_ptr(0).is_some_and(|column| (*column).name.is_null())
            && clauses.iter().all(|clause| clause.is_null())
            && nodes.iter().all(|node| node.is_null())
            && select.op == pg_sys::SetOperation::SETOP_NONE
    }
}
