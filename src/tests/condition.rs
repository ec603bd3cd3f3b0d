//! Rows that a condition or a policy leaves: only these are drawn, all alike, and few of them without looking for them.

use std::collections::BTreeSet;

use pgrx::prelude::*;

use super::run;
use super::sampling::{draw_from, source};
use crate::sample::Drawn;

fn draw(relation: &str, condition: &str, wanted: usize, seed: i64) -> (Vec<i64>, Drawn) {
    let mut source = source(relation);
    source.condition = Some(condition.to_string());
    draw_from(&source, wanted, seed)
}

/// Pearson's statistic of how often each of `ids` was drawn, over its degrees of freedom: about 1.
fn ratio(relation: &str, condition: &str, ids: &[i64], wanted: usize, seeds: i64) -> f64 {
    let mut counts = vec![0.0; ids.len()];
    for seed in 0..seeds {
        let drawn = draw(relation, condition, wanted, seed).0;
        assert_eq!(drawn.len(), wanted);
        for id in drawn {
            counts[ids.binary_search(&id).expect("a row that does not satisfy the condition was drawn")] +=
                1.0;
        }
    }
    let p = wanted as f64 / ids.len() as f64;
    let variance = seeds as f64 * p * (1.0 - p);
    counts.iter().map(|c| (c - seeds as f64 * p).powi(2) / variance).sum::<f64>() / ids.len() as f64
}

#[pg_schema]
mod tests {
    use super::*;

    #[pg_test]
    fn half_of_the_rows_are_drawn_uniformly() {
        run("CREATE TABLE t AS SELECT i AS id, ARRAY[i, 1]::vector AS v FROM generate_series(1, 4000) i");
        run("ANALYZE t");
        let ids: Vec<i64> = (1..=4000).filter(|id| id % 2 == 0).collect();
        let ratio = ratio("t", "id % 2 = 0 -- the even ones", &ids, 100, 150);
        // 2000 rows: the standard deviation is about 0.03.
        assert!((ratio - 1.0).abs() < 0.2, "chi-square ratio {ratio}");
    }

    #[pg_test]
    fn few_rows_are_found_through_an_index() {
        run(
            "CREATE TABLE t AS SELECT i AS id, i % 500 AS tenant, ARRAY[i, 1]::vector AS v FROM generate_series(1, 50000) i",
        );
        run("CREATE INDEX ON t (tenant)");
        run("ANALYZE t");
        let ids: Vec<i64> = (1..=50000).filter(|id| id % 500 == 7).collect();
        let ratio = ratio("t", "tenant = 7", &ids, 20, 200);
        // 100 rows: the standard deviation is about 0.14.
        assert!((0.5..1.6).contains(&ratio), "chi-square ratio {ratio}");
        let (all, drawn) = draw("t", "tenant = 7", 1000, 1);
        assert_eq!(all.into_iter().collect::<BTreeSet<_>>(), ids.into_iter().collect());
        assert!(drawn.exhausted && !drawn.sparse);
        for (id, row) in
            draw("t", "tenant = 7", 10, 3).0.into_iter().zip(draw("t", "tenant = 7", 10, 3).1.row_ids)
        {
            let row = row.unwrap();
            let sql = format!("SELECT id FROM t WHERE ctid = '({},{})'", row.block, row.offset);
            assert_eq!(Spi::get_one::<i32>(&sql), Ok(Some(id as i32)));
        }
        let scanned =
            "SELECT idx_scan > 0 AND seq_scan <= 3 FROM pg_stat_xact_all_tables WHERE relid = 't'::regclass";
        assert_eq!(Spi::get_one::<bool>(scanned), Ok(Some(true)), "not through the index");
    }

    #[pg_test]
    fn a_condition_that_the_planner_misjudges_is_kept_to() {
        // It takes one column to say nothing of the other: it expects few rows where there are many, and many where few.
        run("CREATE TABLE t AS SELECT i AS id, i % 100 AS a, i % 100 AS b, ARRAY[i, 1]::vector AS v
             FROM generate_series(1, 40000) i");
        run("ANALYZE t");
        for (condition, count) in [("a = 7 AND b = 7", 400), ("a < 50 AND b >= 51 AND id % 100 > 48", 0)] {
            let (ids, drawn) = draw("t", condition, 1000, 1);
            assert_eq!((ids.len(), drawn.exhausted), (count, true), "{condition}");
        }
    }

    #[pg_test]
    fn partitions_and_views_keep_to_a_condition() {
        run("CREATE TABLE t (id int, v vector) PARTITION BY RANGE (id)");
        run("CREATE TABLE low PARTITION OF t FOR VALUES FROM (1) TO (3001)");
        run("CREATE TABLE high PARTITION OF t FOR VALUES FROM (3001) TO (9001)");
        run("INSERT INTO t SELECT i, ARRAY[i, 1]::vector FROM generate_series(1, 9000) i");
        run("ANALYZE t");
        run("CREATE VIEW a_view AS SELECT * FROM t");
        for (condition, wanted) in [("id > 2000 AND id % 3 = 0", 9000), ("id BETWEEN 4000 AND 4010", 9000)] {
            let sql = format!("SELECT array_agg(id::bigint) FROM t WHERE {condition}");
            let expected: BTreeSet<i64> =
                Spi::get_one::<Vec<i64>>(&sql).unwrap().unwrap().into_iter().collect();
            for relation in ["t", "a_view"] {
                let drawn: BTreeSet<i64> = draw(relation, condition, wanted, 1).0.into_iter().collect();
                assert_eq!(drawn, expected, "{relation} {condition}");
                assert!(draw(relation, condition, 5, 2).0.iter().all(|id| expected.contains(id)));
            }
        }
    }

    #[pg_test]
    fn few_rows_of_a_policy_are_found_at_once() {
        run(
            "CREATE TABLE t AS SELECT i AS id, i % 2000 AS tenant, ARRAY[i, 1]::vector AS v FROM generate_series(1, 60000) i",
        );
        run("CREATE INDEX ON t (tenant)");
        run("ANALYZE t");
        run("ALTER TABLE t ENABLE ROW LEVEL SECURITY");
        run("CREATE POLICY own ON t USING (tenant = current_setting('app.tenant')::int)");
        run("CREATE ROLE tenant; GRANT SELECT ON t TO tenant");
        run("SET ROLE tenant");
        for tenant in [7, 8] {
            run(&format!("SET app.tenant = {tenant}"));
            let (ids, drawn) = draw_from(&source("t"), 1000, 1);
            let expected: BTreeSet<i64> = (0..30).map(|i| i * 2000 + tenant).collect();
            assert_eq!(ids.into_iter().collect::<BTreeSet<_>>(), expected);
            assert!(drawn.exhausted && !drawn.sparse && drawn.row_ids.iter().all(Option::is_some));
        }
    }
}
