//! Rows that an extension shows in the place of those that are stored: what is drawn is what a query sees.

use std::collections::BTreeSet;

use pgrx::prelude::*;

use super::sampling::{draw_2d, source};
use super::{engine, run};
use crate::cache::last_sample::Key;

/// What a query sees of a table whose rows are (id, 1).
fn seen(relation: &str) -> BTreeSet<i64> {
    let sql = format!("SELECT array_agg((v::real[])[1]::bigint) FROM {relation}");
    Spi::get_one::<Vec<i64>>(&sql).unwrap().unwrap_or_default().into_iter().collect()
}

/// All rows that are drawn where all are wanted, and whether some are where some are.
fn assert_seen_is_drawn(relation: &str) {
    let seen = seen(relation);
    let all = draw_2d(relation, 100_000, 1).0;
    assert_eq!(all.len(), seen.len(), "{relation}");
    assert_eq!(all.into_iter().collect::<BTreeSet<_>>(), seen, "{relation}");
    let (some, drawn) = draw_2d(relation, 50, 1);
    assert!(some.len() == 50 && some.iter().all(|id| seen.contains(id)), "{relation}");
    assert!(!drawn.exhausted);
    assert_eq!(some, draw_2d(relation, 50, 1).0, "{relation}: the same seed draws the same");
}

fn can_be_kept(relation: &str) -> bool {
    Key::of(&source(relation), 100, 0).is_some()
}

/// Runs `test` with the extension in place.
fn with_engine(test: impl FnOnce()) {
    engine::install();
    test();
    engine::remove();
}

#[pg_schema]
mod tests {
    use super::*;

    #[pg_test]
    fn a_custom_scan_is_believed_and_not_the_pages() {
        run("CREATE TABLE engine AS SELECT ARRAY[i, 1]::vector AS v FROM generate_series(1, 2000) i");
        assert_seen_is_drawn("engine");
        with_engine(|| {
            assert_eq!(seen("engine").len(), 1000);
            assert_seen_is_drawn("engine");
        });
        assert_eq!(seen("engine").len(), 2000);
        assert_seen_is_drawn("engine");
    }

    #[pg_test]
    fn each_part_is_read_as_the_planner_reads_it() {
        run("CREATE TABLE t (id int, v vector) PARTITION BY RANGE (id)");
        run("CREATE TABLE heap PARTITION OF t FOR VALUES FROM (1) TO (3001)");
        run("CREATE TABLE engine PARTITION OF t FOR VALUES FROM (3001) TO (5001)");
        run("CREATE TABLE none PARTITION OF t FOR VALUES FROM (5001) TO (9001)");
        run("INSERT INTO t SELECT i, ARRAY[i, 1]::vector FROM generate_series(1, 5000) i");
        run("ANALYZE t");
        with_engine(|| {
            assert_eq!(seen("t").len(), 4000);
            assert_seen_is_drawn("t");
            // A quarter of the rows that are seen, give or take what 400 seeds leave to chance.
            let of_engine = |seed| draw_2d("t", 50, seed).0.iter().filter(|&&id| id > 3000).count();
            let total: usize = (0..40).map(of_engine).sum();
            // The planner takes the scan to give all of its rows: two fifths of 2000.
            assert!((400..=900).contains(&total), "{total} of 2000");
        });
        assert_seen_is_drawn("t");
    }

    #[pg_test]
    fn a_shell_is_sampled_where_its_rows_are() {
        run("CREATE TABLE shell AS SELECT ARRAY[i, 1]::vector AS v FROM generate_series(1, 300) i");
        run("CREATE TABLE elsewhere AS SELECT ARRAY[i, 1]::vector AS v FROM generate_series(1001, 21000) i");
        with_engine(|| {
            assert_seen_is_drawn("shell");
            let ids = draw_2d("shell", 300, 1).0;
            // By chance, from all months of a table that was loaded by month.
            let months: BTreeSet<i64> = ids.iter().map(|id| (id - 1001) * 12 / 20_000).collect();
            assert_eq!((ids.len(), months.len()), (300, 12));
            assert!(!can_be_kept("shell"));
        });
        assert_seen_is_drawn("shell");
    }

    #[pg_test]
    fn samples_are_kept_only_of_what_is_read_by_pages() {
        run("CREATE TABLE engine AS SELECT ARRAY[i, 1]::vector AS v FROM generate_series(1, 2000) i");
        run("CREATE TABLE t AS SELECT * FROM engine");
        // Nothing is kept in a transaction that has written, so the question is put to the planner alone.
        let fixed = |relation| source(relation).is_fixed_by_snapshot();
        assert!(fixed("t") && fixed("engine"));
        with_engine(|| assert!(fixed("t") && !fixed("engine")));
        assert!(fixed("t") && fixed("engine"));
    }

    #[pg_test]
    fn settings_of_the_planner_change_nothing() {
        run("CREATE TABLE t AS SELECT ARRAY[i, 1]::vector AS v FROM generate_series(1, 2000) i");
        run("CREATE INDEX ON t (v)");
        for setting in ["enable_seqscan", "enable_indexonlyscan", "enable_bitmapscan"] {
            run(&format!("SET LOCAL {setting} = off"));
            assert!(source("t").is_fixed_by_snapshot(), "{setting}");
        }
        assert_seen_is_drawn("t");
    }

    #[pg_test]
    fn a_verdict_ends_with_what_it_was_on() {
        run("CREATE TABLE t (id int, v vector) PARTITION BY RANGE (id)");
        run("CREATE TABLE middle PARTITION OF t FOR VALUES FROM (0) TO (9000) PARTITION BY RANGE (id)");
        for (i, from) in (0..20).map(|i| (i, i * 100)) {
            run(&format!(
                "CREATE TABLE t{i} PARTITION OF middle FOR VALUES FROM ({from}) TO ({})",
                from + 100
            ));
        }
        run("INSERT INTO t SELECT i, ARRAY[i, 1]::vector FROM generate_series(1, 1999) i");
        assert_seen_is_drawn("t");
        run("CREATE TABLE more PARTITION OF middle FOR VALUES FROM (5000) TO (6000)");
        run("INSERT INTO t SELECT i, ARRAY[i, 1]::vector FROM generate_series(5000, 5999) i");
        assert_seen_is_drawn("t");
        run("ALTER TABLE middle DETACH PARTITION t3");
        assert_seen_is_drawn("t");
    }
}
