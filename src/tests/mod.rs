//! What needs a server, and Rust to look at it.

mod condition;
mod engine;
mod sampling;
mod toast;
mod verdict;

use pgrx::prelude::*;

fn run(sql: &str) {
    Spi::run(sql).unwrap();
}

#[pg_schema]
mod tests {
    use pgrx::pg_sys::panic::CaughtError;
    use pgrx::prelude::*;

    use super::run;
    use crate::postgres::passing;
    use crate::postgres::spi::Connection;
    use exemplar_svm::{self, Dimensions, Input, InputVector, Params, Problem, Query, TrainingSet};

    #[pg_test]
    fn vectors_survive_every_way_of_storage() {
        for (storage, dimensions) in
            [("PLAIN", 1), ("PLAIN", 2), ("EXTERNAL", 16000), ("EXTENDED", 16000), ("MAIN", 2000)]
        {
            run("DROP TABLE IF EXISTS t");
            run("CREATE TABLE t (v vector)");
            run(&format!("ALTER TABLE t ALTER v SET STORAGE {storage}"));
            run(&format!(
                "INSERT INTO t SELECT array_agg((k % 7 = i)::int ORDER BY k)::vector
                 FROM generate_series(1, 6) i, generate_series(1, {dimensions}) k GROUP BY i"
            ));
            run("INSERT INTO t SELECT array_fill(1, ARRAY[vector_dims(v)])::vector FROM t LIMIT 1");
            let same = Spi::get_one::<bool>(
                "SELECT hinted_exemplar('t', 'v', hint => v) <=> v < 1e-6
                 FROM t WHERE vector_norm(v) > 0 ORDER BY vector_norm(v) DESC LIMIT 1",
            );
            assert_eq!(same, Ok(Some(true)), "{storage} {dimensions}");
        }
    }

    #[pg_test]
    fn the_sql_function_gives_the_cores_answer() {
        let exemplar = [1.0, 0.2, 0.0];
        let negatives = [[0.0, 1.0, 0.5], [0.3, 1.0, 0.0], [0.1, 0.9, 1.0]];
        let hint = [1.0, 0.0, 0.3];
        let query = Query {
            exemplars: vec![InputVector { input: Input::Exemplar(0), values: &exemplar }.into()],
            hints: vec![InputVector { input: Input::Hint(0), values: &hint }],
            ..Query::default()
        };
        let mut set = TrainingSet::new(Dimensions { count: 3, reference: Input::Declared }, &query).unwrap();
        for (i, negative) in negatives.iter().enumerate() {
            set.offer_negative(negative, i).unwrap();
        }
        let fit =
            exemplar_svm::fit(&Problem::new(set, &query, Params::default(), &mut || ()).unwrap(), &mut || ())
                .unwrap();
        let sql = "SELECT exemplar_svm(ARRAY['[1,0.2,0]'::vector],
                       ARRAY['[0,1,0.5]', '[0.3,1,0]', '[0.1,0.9,1]']::vector[],
                       ARRAY['[1,0,0.3]'::vector])::real[]";
        assert_eq!(Spi::get_one::<Vec<f32>>(sql), Ok(Some(fit.weights)));
    }

    #[pg_extern]
    fn has_a_bug(index: i32) -> i32 {
        [0][index as usize]
    }

    #[pg_test]
    fn a_bug_is_an_internal_error_whose_place_only_the_log_has() {
        let call = || {
            let connection = Connection::open();
            // SAFETY: the query has no parameters.
            unsafe { connection.prepare("SELECT tests.has_a_bug(1)", &[]).select(&mut []) };
            None
        };
        let report = PgTryBuilder::new(call).catch_others(|cause| match cause {
            CaughtError::PostgresError(error) => Some(error),
            cause => panic!("{cause:?}"),
        });
        let report = report.execute().unwrap();
        assert_eq!(report.sql_error_code(), PgSqlErrorCode::ERRCODE_INTERNAL_ERROR);
        assert_eq!((report.message(), report.detail()), ("internal error", None));
        assert!(report.hint().unwrap().contains("report it"));
        let log = passing::last_bug().unwrap();
        assert!(log.contains("src/tests/mod.rs:") && log.contains("index out of bounds"), "{log}");
    }

    #[pg_test]
    fn errors_have_their_sqlstate_and_no_back_trace() {
        run("CREATE TABLE t (v vector(2))");
        for (arguments, expected) in [
            ("exemplar => '[1,0,0]'", PgSqlErrorCode::ERRCODE_DATA_EXCEPTION),
            ("exemplar => NULL", PgSqlErrorCode::ERRCODE_NULL_VALUE_NOT_ALLOWED),
            ("exemplar => '[1,0]', lambda => 0", PgSqlErrorCode::ERRCODE_INVALID_PARAMETER_VALUE),
        ] {
            let sql = format!("SELECT hinted_exemplar('t', 'v', {arguments})");
            let code = PgTryBuilder::new(|| Spi::run(&sql).map(|()| None).unwrap())
                .catch_others(|cause| match cause {
                    CaughtError::PostgresError(error) | CaughtError::ErrorReport(error) => {
                        let detail = error.detail().unwrap_or_default();
                        assert!(!detail.contains("stack backtrace") && !detail.contains(".rs:"));
                        Some(error.sql_error_code())
                    }
                    CaughtError::RustPanic { .. } => panic!("a panic for {arguments}"),
                })
                .execute();
            assert_eq!(code, Some(expected), "{arguments}");
        }
    }
}
