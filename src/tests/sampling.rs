//! Which rows are drawn: uniformly, those that the snapshot sees, each by its name.

use std::collections::BTreeSet;

use pgrx::prelude::*;

use super::run;
use crate::sample::{self, Drawn, RowId};
use crate::source::Source;
use exemplar_svm::{Dimensions, Query, TrainingSet};

pub fn source(relation: &str) -> Source {
    let oid = Spi::get_one::<pg_sys::Oid>(&format!("SELECT '{relation}'::regclass::oid")).unwrap();
    let vector = Spi::get_one::<pg_sys::Oid>("SELECT 'vector'::regtype::oid").unwrap();
    Source::open(oid.unwrap().into(), "v".to_string().into(), vector.unwrap()).unwrap()
}

/// Rows drawn from the column `v` of a table.
pub fn draw_set(relation: &str, dimensions: usize, wanted: usize, seed: i64) -> (TrainingSet, Drawn) {
    draw_set_from(&source(relation), dimensions, wanted, seed)
}

fn draw_set_from(source: &Source, dimensions: usize, wanted: usize, seed: i64) -> (TrainingSet, Drawn) {
    let dimensions = Dimensions { count: dimensions, reference: exemplar_svm::Input::Declared };
    let mut set = TrainingSet::new(dimensions, &Query::default()).unwrap();
    // SAFETY: the snapshot of a statement of its own, as any caller of the SQL function has one.
    let drawn = unsafe {
        pg_sys::PushActiveSnapshot(pg_sys::GetTransactionSnapshot());
        let drawn = sample::draw(source, &mut set, wanted, seed).unwrap();
        pg_sys::PopActiveSnapshot();
        drawn
    };
    (set, drawn)
}

/// Rows are (id, 1, ...): the ids of the rows drawn from a table of such rows, in order.
fn draw(relation: &str, dimensions: usize, wanted: usize, seed: i64) -> (Vec<i64>, Drawn) {
    let (set, drawn) = draw_set(relation, dimensions, wanted, seed);
    (ids_of(&set), drawn)
}

fn ids_of(set: &TrainingSet) -> Vec<i64> {
    set.rows().outer_iter().map(|row| f64::from(row[0] / row[1]).round() as i64).collect()
}

pub fn draw_from(source: &Source, wanted: usize, seed: i64) -> (Vec<i64>, Drawn) {
    let (set, drawn) = draw_set_from(source, 2, wanted, seed);
    (ids_of(&set), drawn)
}

pub fn draw_2d(relation: &str, wanted: usize, seed: i64) -> (Vec<i64>, Drawn) {
    draw(relation, 2, wanted, seed)
}

/// Pearson's statistic of how often each of `ids` was drawn, over its degrees of freedom: about 1.
fn chi_square_ratio(relation: &str, dimensions: usize, ids: &[i64], wanted: usize, seeds: i64) -> f64 {
    let mut counts = vec![0.0; ids.len()];
    for seed in 0..seeds {
        for id in draw(relation, dimensions, wanted, seed).0 {
            counts[ids.binary_search(&id).expect("a row that is not there was drawn")] += 1.0;
        }
    }
    let p = wanted as f64 / ids.len() as f64;
    let variance = seeds as f64 * p * (1.0 - p);
    counts.iter().map(|c| (c - seeds as f64 * p).powi(2) / variance).sum::<f64>() / ids.len() as f64
}

fn assert_uniform_of(relation: &str, dimensions: usize, ids: &[i64]) {
    // At least 1000 rows: the ratio's standard deviation is below 0.05.
    let ratio = chi_square_ratio(relation, dimensions, ids, 100, 250);
    assert!((ratio - 1.0).abs() < 0.2, "{relation}: chi-square ratio {ratio}");
    let drawn = draw(relation, dimensions, 100, 1).1;
    pgrx::warning!(
        "{relation}: chi-square ratio {ratio:.3}, {} distinct blocks of 100 rows",
        drawn.blocks_hit()
    );
}

fn assert_uniform(relation: &str, ids: &[i64]) {
    assert_uniform_of(relation, 2, ids);
}

fn all(rows: i64) -> Vec<i64> {
    (1..=rows).collect()
}

#[pg_schema]
mod tests {
    use super::*;

    #[pg_test]
    fn fresh_rows_are_drawn_uniformly() {
        run("CREATE TABLE t AS SELECT ARRAY[i, 1]::vector AS v FROM generate_series(1, 2000) i");
        assert_uniform("t", &all(2000));
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
    fn heap_only_tuples_are_drawn_uniformly() {
        // Updated again and again in place, half of them; each row keeps one visible version.
        run("CREATE TABLE t (id int, n int, v vector) WITH (fillfactor = 40)");
        run("INSERT INTO t SELECT i, 0, ARRAY[i, 1]::vector FROM generate_series(1, 2000) i");
        run("CREATE INDEX ON t (id)");
        for _ in 0..3 {
            run("UPDATE t SET n = n + 1 WHERE id % 2 = 0");
        }
        assert_uniform("t", &all(2000));
    }

    #[pg_test]
    fn clustered_classes_are_drawn_uniformly() {
        run("CREATE TABLE t (class int, pad text, v vector)");
        run("INSERT INTO t SELECT i / 500, repeat('x', (i / 500) * 200), ARRAY[i, 1]::vector
             FROM generate_series(1, 2000) i ORDER BY i");
        assert_uniform("t", &all(2000));
    }

    #[pg_test]
    fn toasted_and_wide_rows_are_drawn_uniformly() {
        run("CREATE TABLE t (id int, pad text, v vector)");
        run("INSERT INTO t SELECT i, CASE WHEN i <= 1000 THEN repeat('x', 1500) END, ARRAY[i, 1]::vector
             FROM generate_series(1, 2000) i");
        assert_uniform("t", &all(2000));
    }

    #[pg_test]
    fn toasted_vectors_are_drawn_uniformly() {
        run("CREATE TABLE t (v vector(600))");
        run("INSERT INTO t SELECT ((ARRAY[i, 1]::real[]) || array_fill(0::real, ARRAY[598]))::vector
             FROM generate_series(1, 1000) i");
        assert_uniform_of("t", 600, &all(1000));
    }

    #[pg_test]
    fn partitions_of_very_unequal_size_are_drawn_uniformly() {
        run("CREATE TABLE t (id int, pad text, v vector) PARTITION BY RANGE (id)");
        run("CREATE TABLE one PARTITION OF t FOR VALUES FROM (1) TO (2)");
        run("CREATE TABLE few PARTITION OF t FOR VALUES FROM (2) TO (12)");
        run("CREATE TABLE wide PARTITION OF t FOR VALUES FROM (12) TO (500)");
        run("CREATE TABLE most PARTITION OF t FOR VALUES FROM (500) TO (2501)");
        run("INSERT INTO t SELECT i, CASE WHEN i < 500 THEN repeat('x', 1900) END, ARRAY[i, 1]::vector
             FROM generate_series(1, 2500) i");
        assert_uniform("t", &all(2500));
    }

    #[pg_test]
    fn rows_that_only_a_query_reads_are_drawn_uniformly() {
        run("CREATE TABLE t AS SELECT ARRAY[i, 1]::vector AS v FROM generate_series(1, 1000) i");
        run("CREATE VIEW a_view AS SELECT * FROM t");
        assert_uniform("a_view", &all(1000));
        run("ALTER TABLE t ENABLE ROW LEVEL SECURITY");
        run("CREATE POLICY some_rows ON t USING (v <#> '[1, 0]' > -500)");
        run("CREATE ROLE reader; GRANT SELECT ON t TO reader");
        run("SET ROLE reader");
        let ids: Vec<i64> = (1..500).collect();
        let ratio = chi_square_ratio("t", 2, &ids, 50, 200);
        assert!((ratio - 1.0).abs() < 0.3, "chi-square ratio {ratio}");
    }

    #[pg_test]
    fn few_visible_rows_among_many_are_drawn_uniformly_by_a_scan() {
        run("CREATE TABLE t (id int, v vector)");
        run("INSERT INTO t SELECT i, ARRAY[i, 1]::vector FROM generate_series(1, 100000) i");
        run("DELETE FROM t WHERE id > 60");
        let ratio = chi_square_ratio("t", 2, &all(60), 10, 60);
        // 60 rows: the standard deviation is about sqrt(2/60) = 0.18.
        assert!((0.4..1.8).contains(&ratio), "chi-square ratio {ratio}");
    }

    #[pg_test]
    fn one_row_and_ten_rows_are_all_drawn() {
        for rows in [1, 10] {
            run("DROP TABLE IF EXISTS t");
            run(&format!(
                "CREATE TABLE t AS SELECT ARRAY[i, 1]::vector AS v FROM generate_series(1, {rows}) i"
            ));
            let mut ids = draw_2d("t", 100, 3).0;
            ids.sort_unstable();
            assert_eq!(ids, all(rows));
        }
        // Of ten rows each as often as the others; the standard deviation of the ratio is 0.45.
        let ratio = chi_square_ratio("t", 2, &all(10), 3, 1000);
        assert!(ratio < 2.5, "chi-square ratio {ratio}");
    }

    #[pg_test]
    fn a_sample_has_each_row_once_and_all_when_there_are_fewer() {
        run("CREATE TABLE t AS SELECT ARRAY[i, 1]::vector AS v FROM generate_series(1, 300) i");
        let (ids, drawn) = draw_2d("t", 200, 1);
        assert_eq!((ids.len(), ids.iter().collect::<BTreeSet<_>>().len()), (200, 200));
        assert!(!drawn.exhausted);
        let (ids, drawn) = draw_2d("t", 1000, 1);
        assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), 300);
        assert!(drawn.exhausted && drawn.rows == 300);
    }

    #[pg_test]
    fn every_negative_is_known_by_its_table_and_place() {
        run("CREATE TABLE t (id int, v vector) PARTITION BY HASH (id)");
        run("CREATE TABLE t0 PARTITION OF t FOR VALUES WITH (MODULUS 2, REMAINDER 0)");
        run("CREATE TABLE t1 PARTITION OF t FOR VALUES WITH (MODULUS 2, REMAINDER 1)");
        run("INSERT INTO t SELECT i, CASE WHEN i % 9 > 0 THEN ARRAY[i % 7 * i, i % 7]::vector END
             FROM generate_series(1, 500) i");
        let (ids, drawn) = draw_2d("t", 150, 7);
        assert_eq!((ids.len(), drawn.row_ids.len()), (150, 150));
        assert!(drawn.nulls > 0 && drawn.zeros > 0);
        for (id, row) in ids.into_iter().zip(drawn.row_ids) {
            let RowId { table, block, offset } = row.unwrap();
            let sql = format!(
                "SELECT id FROM t WHERE tableoid = {} AND ctid = '({block},{offset})'",
                table.to_u32()
            );
            assert_eq!(Spi::get_one::<i32>(&sql), Ok(Some(id as i32)));
        }
        run("CREATE VIEW a_view AS SELECT * FROM t");
        assert!(draw_2d("a_view", 150, 7).1.row_ids.iter().all(Option::is_none));
    }

    #[pg_test]
    fn nulls_and_zero_vectors_are_counted() {
        run("CREATE TABLE t AS SELECT CASE i % 3 WHEN 0 THEN ARRAY[i, 1] WHEN 1 THEN ARRAY[0, 0] END::vector AS v
             FROM generate_series(1, 300) i");
        let (ids, drawn) = draw_2d("t", 1000, 1);
        assert_eq!((ids.len(), drawn.nulls, drawn.zeros), (100, 100, 100));
        run("CREATE VIEW a_view AS SELECT * FROM t");
        let (ids, drawn) = draw_2d("a_view", 1000, 1);
        assert_eq!((ids.len(), drawn.nulls, drawn.zeros), (100, 100, 100));
    }

    #[pg_test]
    fn rows_that_were_rolled_back_are_not_drawn() {
        run("CREATE TABLE t AS SELECT ARRAY[i, 1]::vector AS v FROM generate_series(1, 50) i");
        run("DO $$ BEGIN
                 INSERT INTO t SELECT ARRAY[i, 1]::vector FROM generate_series(51, 5000) i;
                 RAISE 'undo';
             EXCEPTION WHEN raise_exception THEN NULL; END $$");
        assert_eq!(draw_2d("t", 1000, 1).0.len(), 50);
    }

    #[pg_test]
    fn rows_that_are_not_seen_change_nothing_even_where_they_are_most() {
        run("CREATE TABLE t AS SELECT ARRAY[i, 1]::vector AS v FROM generate_series(1, 600) i");
        let before = (draw_2d("t", 50, 5).0, draw_2d("t", 590, 5).0);
        run("DO $$ BEGIN
                 INSERT INTO t SELECT ARRAY[i, 1]::vector FROM generate_series(601, 200000) i;
                 RAISE 'undo';
             EXCEPTION WHEN raise_exception THEN NULL; END $$");
        assert_eq!((draw_2d("t", 50, 5).0, draw_2d("t", 590, 5).0), before);
    }
}
