//! What can go wrong, in words for the person at the page.

use axum::http::StatusCode;
use tokio_postgres::error::SqlState;

/// Why a page cannot be what was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trouble {
    pub status: StatusCode,
    pub message: String,
    pub detail: Option<String>,
    pub hint: Option<String>,
    /// The SQLSTATE, if the database said it.
    pub code: Option<String>,
}

impl Trouble {
    pub fn new(status: StatusCode, message: impl Into<String>) -> Self {
        Trouble { status, message: message.into(), detail: None, hint: None, code: None }
    }

    pub fn bad_request(message: impl Into<String>) -> Self {
        Trouble::new(StatusCode::BAD_REQUEST, message)
    }

    #[must_use]
    pub fn with_hint(self, hint: impl Into<String>) -> Self {
        Trouble { hint: Some(hint.into()), ..self }
    }

    /// The database cannot be reached. What the driver says may name hosts and users, so it goes to the log alone.
    pub fn down() -> Self {
        Trouble::new(StatusCode::SERVICE_UNAVAILABLE, "The database cannot be reached.")
            .with_hint("Nothing is lost: the search is in the address. Reload when the database is up again.")
    }

    pub fn busy() -> Self {
        Trouble::new(StatusCode::SERVICE_UNAVAILABLE, "All connections are in use.")
            .with_hint("Reload in a moment, or start with more --connections.")
    }
}

impl From<tokio_postgres::Error> for Trouble {
    fn from(error: tokio_postgres::Error) -> Self {
        let Some(said) = error.as_db_error() else {
            log(&error);
            return if error.is_closed() || is_io(&error) {
                Trouble::down()
            } else {
                Trouble::new(
                    StatusCode::INTERNAL_SERVER_ERROR,
                    format!("The database driver failed: {error}"),
                )
            };
        };
        let code = said.code();
        if code.code().starts_with("57P") || code.code().starts_with("08") {
            return Trouble::down();
        }
        let canceled = *code == SqlState::QUERY_CANCELED;
        let (status, hint) = if canceled {
            (
                StatusCode::GATEWAY_TIMEOUT,
                Some("An index on the vectors makes searches fast; --timeout gives more time."),
            )
        } else if *code == SqlState::INSUFFICIENT_PRIVILEGE {
            (
                StatusCode::FORBIDDEN,
                Some("The page reads as the role it is connected as: grant SELECT to it."),
            )
        } else if code.code().starts_with("23") {
            (StatusCode::CONFLICT, None)
        } else if matches!(&code.code()[..2], "0A" | "22" | "25" | "42") {
            (StatusCode::BAD_REQUEST, None)
        } else {
            (StatusCode::INTERNAL_SERVER_ERROR, None)
        };
        Trouble {
            status,
            message: if canceled { "The search took too long and was ended." } else { said.message() }.into(),
            detail: if canceled { Some(said.message()) } else { said.detail() }.map(Into::into),
            hint: said.hint().or(hint).map(Into::into),
            code: Some(code.code().into()),
        }
    }
}

/// An error with what it comes from, for the person who started the program.
fn log(error: &dyn std::error::Error) {
    let mut said = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        // Some repeat what they come from.
        if !said.ends_with(&cause.to_string()) {
            said.push_str(&format!(": {cause}"));
        }
        source = cause.source();
    }
    eprintln!("database: {said}");
}

fn is_io(error: &tokio_postgres::Error) -> bool {
    std::error::Error::source(error).is_some_and(|source| source.is::<std::io::Error>())
}

impl From<deadpool_postgres::PoolError> for Trouble {
    fn from(error: deadpool_postgres::PoolError) -> Self {
        match error {
            deadpool_postgres::PoolError::Timeout(deadpool_postgres::TimeoutType::Wait) => Trouble::busy(),
            error => {
                log(&error);
                Trouble::down()
            }
        }
    }
}
