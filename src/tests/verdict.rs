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
            // A quarter of the rows that are seen, give or take what is left to chance; the planner takes it to be more.
            let of_engine = |seed| draw_2d("t", 50, seed).0.iter().filter(|&&id| id > 3000).count();
            let total: usize = (0..40).map(of_engine).sum();
            assert!((400..=600).contains(&total), "{total} of 2000");
        });
        assert_seen_is_drawn("t");
    }

    /// A sample of a few rows is one of all rows of a table that can only be read from its start.
    #[pg_test]
    fn a_custom_scan_is_read_to_its_end() {
        run("CREATE TABLE t (id int, v vector) PARTITION BY RANGE (id)");
        run("CREATE TABLE heap PARTITION OF t FOR VALUES FROM (0) TO (1000)");
        run("CREATE TABLE engine PARTITION OF t FOR VALUES FROM (1000) TO (41000)");
        run("INSERT INTO t SELECT i, ARRAY[i, 1]::vector FROM generate_series(500, 40999) i");
        with_engine(|| {
            for relation in ["t", "engine"] {
                let ids: Vec<i64> = (0..20).flat_map(|seed| draw_2d(relation, 20, seed).0).collect();
                let late = ids.iter().filter(|&&id| id >= 31_000).count();
                assert!((60..=140).contains(&late), "{relation}: {late} of 400 of the last quarter");
            }
        });
    }

    #[pg_test]
    fn rows_of_an_extension_are_named_by_a_key() {
        run(
            "CREATE TABLE engine AS SELECT i AS id, ARRAY[i, 1]::vector AS v FROM generate_series(1, 2000) i",
        );
        assert!(source("engine").has_tids());
        with_engine(|| {
            assert!(!source("engine").has_tids());
            let search = "SELECT array_agg(key::int) FROM hinted_exemplar_search('engine', 'v', key => 'id', k => 3, \
                          weights => '[1,0]', sample_size => 100)";
            // By inner product the largest, of every second row; rows of uneven length go by cosine.
            let found = Spi::get_one::<Vec<i32>>(search).unwrap().unwrap();
            assert_eq!(found, [2000, 1998, 1996]);
        });
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
    fn rows_of_a_view_may_be_in_no_table() {
        run("CREATE VIEW one AS SELECT '[7,1]'::vector AS v");
        run("CREATE VIEW three AS VALUES ('[1,1]'::vector), ('[2,1]'), ('[3,1]')");
        run("ALTER VIEW three RENAME COLUMN column1 TO v");
        run("CREATE TABLE t (v vector)");
        run("CREATE VIEW none AS SELECT v FROM t WHERE false");
        let ids = |relation| draw_2d(relation, 100, 0).0.into_iter().collect::<BTreeSet<_>>();
        assert_eq!(ids("one"), [7].into());
        assert_eq!(ids("three"), [1, 2, 3].into());
        assert_eq!(ids("none"), BTreeSet::new());
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
