//! What needs a server, and Rust to look at it.

use pgrx::prelude::*;

#[pg_schema]
mod tests {
    use std::collections::BTreeSet;

    use pgrx::pg_sys::panic::CaughtError;
    use pgrx::prelude::*;

    use crate::pg::sample::{self, Drawn};
    use crate::pg::source::Source;
    use crate::svm::{self, Dimensions, Named, Params, Problem, Query, TrainingSet};

    fn run(sql: &str) {
        Spi::run(sql).unwrap();
    }

    fn source(relation: &str) -> Source {
        let oid = Spi::get_one::<pg_sys::Oid>(&format!("SELECT '{relation}'::regclass::oid")).unwrap();
        let vector = Spi::get_one::<pg_sys::Oid>("SELECT 'vector'::regtype::oid").unwrap();
        Source::open(oid.unwrap().into(), "v".to_string().into(), vector.unwrap()).unwrap()
    }

    /// Rows are (id, 1): the ids of the rows drawn from a table of such rows.
    fn draw(relation: &str, wanted: usize, seed: i64) -> (Vec<i64>, Drawn) {
        let mut set =
            TrainingSet::new(Dimensions { count: 2, reference: "test".into() }, &Query::default()).unwrap();
        // SAFETY: the snapshot of a statement of its own, as any caller of the SQL function has one.
        let drawn = unsafe {
            pg_sys::PushActiveSnapshot(pg_sys::GetTransactionSnapshot());
            let drawn = sample::draw(&source(relation), &mut set, wanted, seed).unwrap();
            pg_sys::PopActiveSnapshot();
            drawn
        };
        let ids = set.rows().outer_iter().map(|row| f64::from(row[0] / row[1]).round() as i64).collect();
        (ids, drawn)
    }

    /// Pearson's statistic of how often each of `ids` was drawn, over its degrees of freedom: about 1.
    fn chi_square_ratio(relation: &str, ids: &[i64], wanted: usize, seeds: i64) -> f64 {
        let mut counts = vec![0.0; ids.len()];
        for seed in 0..seeds {
            for id in draw(relation, wanted, seed).0 {
                counts[ids.binary_search(&id).expect("a row that is not there was drawn")] += 1.0;
            }
        }
        let p = wanted as f64 / ids.len() as f64;
        let variance = seeds as f64 * p * (1.0 - p);
        counts.iter().map(|c| (c - seeds as f64 * p).powi(2) / variance).sum::<f64>() / ids.len() as f64
    }

    fn assert_uniform(relation: &str, ids: &[i64]) {
        // 400 seeds and at least 1000 rows: the ratio's standard deviation is below 0.05.
        let ratio = chi_square_ratio(relation, ids, 100, 400);
        assert!((ratio - 1.0).abs() < 0.2, "{relation}: chi-square ratio {ratio}");
    }

    #[pg_test]
    fn fresh_rows_are_drawn_uniformly() {
        run("CREATE TABLE t AS SELECT ARRAY[i, 1]::vector AS v FROM generate_series(1, 2000) i");
        assert_uniform("t", &(1..=2000).collect::<Vec<_>>());
    }

    #[pg_test]
    fn deleted_and_updated_rows_leave_the_others_uniform() {
        run("CREATE TABLE t (id int, v vector) WITH (fillfactor = 60)");
        run("INSERT INTO t SELECT i, ARRAY[i, 1]::vector FROM generate_series(1, 4000) i");
        run("DELETE FROM t WHERE id <= 1500 OR id % 3 = 0");
        run("UPDATE t SET v = v WHERE id > 3000");
        let left: Vec<i64> = (1501..=4000).filter(|id| id % 3 != 0).collect();
        assert_uniform("t", &left);
    }

    #[pg_test]
    fn toasted_and_wide_rows_are_drawn_uniformly() {
        run("CREATE TABLE t (id int, pad text, v vector)");
        run("INSERT INTO t SELECT i, CASE WHEN i <= 1000 THEN repeat('x', 1500) END, ARRAY[i, 1]::vector
             FROM generate_series(1, 2000) i");
        assert_uniform("t", &(1..=2000).collect::<Vec<_>>());
    }

    #[pg_test]
    fn a_sample_has_each_row_once_and_all_when_there_are_fewer() {
        run("CREATE TABLE t AS SELECT ARRAY[i, 1]::vector AS v FROM generate_series(1, 300) i");
        let (ids, drawn) = draw("t", 200, 1);
        assert_eq!((ids.len(), ids.iter().collect::<BTreeSet<_>>().len()), (200, 200));
        assert!(!drawn.exhausted);
        let (ids, drawn) = draw("t", 1000, 1);
        assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), 300);
        assert!(drawn.exhausted && drawn.rows == 300);
    }

    #[pg_test]
    fn nulls_and_zero_vectors_are_counted() {
        run("CREATE TABLE t AS SELECT CASE i % 3 WHEN 0 THEN ARRAY[i, 1] WHEN 1 THEN ARRAY[0, 0] END::vector AS v
             FROM generate_series(1, 300) i");
        let (ids, drawn) = draw("t", 1000, 1);
        assert_eq!((ids.len(), drawn.nulls, drawn.zeros), (100, 100, 100));
    }

    #[pg_test]
    fn rows_that_were_rolled_back_are_not_drawn() {
        run("CREATE TABLE t AS SELECT ARRAY[i, 1]::vector AS v FROM generate_series(1, 50) i");
        run("DO $$ BEGIN
                 INSERT INTO t SELECT ARRAY[i, 1]::vector FROM generate_series(51, 5000) i;
                 RAISE 'undo';
             EXCEPTION WHEN raise_exception THEN NULL; END $$");
        assert_eq!(draw("t", 1000, 1).0.len(), 50);
    }

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
        let named = |name: &str, values| Named { name: name.into(), values };
        let hint = [1.0, 0.0, 0.3];
        let query = Query {
            exemplars: vec![named("exemplar", &exemplar).into()],
            hints: vec![named("hint", &hint)],
            ..Query::default()
        };
        let mut set = TrainingSet::new(Dimensions { count: 3, reference: "test".into() }, &query).unwrap();
        for negative in &negatives {
            set.offer_negative(negative, || "negative".into()).unwrap();
        }
        let fit = svm::fit(&Problem::new(set, &query, Params::default(), &mut || ()).unwrap(), &mut || ());
        let sql = "SELECT exemplar_svm(ARRAY['[1,0.2,0]'::vector],
                       ARRAY['[0,1,0.5]', '[0.3,1,0]', '[0.1,0.9,1]']::vector[],
                       ARRAY['[1,0,0.3]'::vector])::real[]";
        assert_eq!(Spi::get_one::<Vec<f32>>(sql), Ok(Some(fit.weights)));
    }

    #[pg_test]
    fn errors_have_their_sqlstate_and_no_back_trace() {
        run("CREATE TABLE t (v vector(2))");
        for (arguments, expected) in [
            ("exemplar => '[1,0,0]'", PgSqlErrorCode::ERRCODE_DATA_EXCEPTION),
            ("exemplar => NULL", PgSqlErrorCode::ERRCODE_NULL_VALUE_NOT_ALLOWED),
            ("exemplar => '[1,0]', lambda => 0", PgSqlErrorCode::ERRCODE_INVALID_PARAMETER_VALUE),
            ("exemplar => '[1,0]'", PgSqlErrorCode::ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
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
