//! Values that are stored out of line: those that a query reads, wherever they lie.

use pgrx::prelude::*;

use super::run;
use super::sampling::draw_set;
use crate::sample::RowId;

/// The rows of `t`, (id, v) of these dimensions, no two in the same direction.
fn insert(dimensions: usize, ids: &str) {
    run(&format!(
        "INSERT INTO t (id, v) SELECT i, (SELECT array_agg((i * 37 + k * (k % 50) * 11 + i * k) % 97 - 48)::real[]
                                          FROM generate_series(1, {dimensions}) k) FROM {ids} i"
    ));
}

/// Draws rows of `t` and compares each with what a query finds at its place; how often the index of the table of
/// values was asked.
fn check(dimensions: usize, wanted: usize) -> i64 {
    let looked_up = "SELECT coalesce(sum(idx_scan), 0)::bigint FROM pg_stat_xact_all_tables
                     WHERE relid = (SELECT reltoastrelid FROM pg_class WHERE oid = 't'::regclass)";
    let before = Spi::get_one::<i64>(looked_up).unwrap().unwrap();
    let (set, drawn) = draw_set("t", dimensions, wanted, 0);
    let after = Spi::get_one::<i64>(looked_up).unwrap().unwrap();
    assert_eq!((set.negatives(), drawn.row_ids.len()), (wanted, wanted));
    for (row, id) in set.rows().outer_iter().zip(&drawn.row_ids) {
        let RowId { block, offset, .. } = id.unwrap();
        let query =
            format!("SELECT l2_normalize(v::vector)::real[] FROM t WHERE ctid = '({block},{offset})'");
        let stored = Spi::get_one::<Vec<f32>>(&query).unwrap().unwrap();
        let differs = row.iter().zip(&stored).any(|(a, b)| (a - b).abs() > 1e-6);
        assert!(stored.len() == row.len() && !differs, "({block},{offset}) is not what was read");
    }
    after - before
}

#[pg_schema]
mod tests {
    use super::*;

    #[pg_test]
    fn values_stored_in_order_are_found_without_the_index() {
        run("CREATE TABLE t (id int, v vector)");
        insert(600, "generate_series(1, 2000)");
        let looked_up = check(600, 500);
        assert!((1..=40).contains(&looked_up), "{looked_up} look-ups for 500 values");
    }

    #[pg_test]
    fn values_in_any_order_are_found() {
        run("CREATE TABLE t (id int, v vector)");
        insert(600, "generate_series(1, 1000)");
        run("CREATE INDEX by_chance ON t (md5(id::text))");
        run("CLUSTER t USING by_chance");
        check(600, 900);
    }

    #[pg_test]
    fn values_of_updated_rows_are_found() {
        run("CREATE TABLE t (id int, v vector)");
        insert(600, "generate_series(1, 600)");
        run("DELETE FROM t WHERE id % 5 = 0");
        run("UPDATE t SET v = v + v WHERE id % 3 = 0");
        run("UPDATE t SET id = id + 1000 WHERE id % 2 = 0");
        insert(600, "generate_series(5000, 5300)");
        check(600, 700);
    }

    #[pg_test]
    fn values_among_others_are_found() {
        // Another column's values lie between, of many sizes, and the rows come in any order.
        run("CREATE TABLE t (id int, a text, v vector, b text)");
        run("ALTER TABLE t ALTER a SET STORAGE external, ALTER b SET STORAGE external");
        insert(600, "generate_series(1, 400)");
        run("UPDATE t SET a = repeat('a', id * 20), b = repeat('b', id * id % 5000)");
        run("UPDATE t SET v = v + v, a = a || 'x' WHERE id % 7 < 3");
        check(600, 390);
    }

    #[pg_test]
    fn values_on_several_pages_are_found() {
        for (dimensions, rows) in [(498, 300), (768, 200), (1024, 200), (1536, 200), (3072, 100), (16000, 12)]
        {
            run("DROP TABLE IF EXISTS t");
            run("CREATE TABLE t (id int, v vector)");
            insert(dimensions, &format!("generate_series(1, {rows})"));
            let looked_up = check(dimensions, rows as usize - 2);
            assert!(looked_up <= 40, "{looked_up} look-ups of {dimensions} dimensions");
        }
    }

    #[pg_test]
    fn values_in_scattered_parts_are_left_to_postgres() {
        // Four chunks fill a page, and the rest of 20 bytes goes where there is room.
        run("CREATE TABLE t (id int, v vector)");
        insert(2000, "generate_series(1, 200)");
        check(2000, 190);
    }

    #[pg_test]
    fn values_of_other_types_are_found() {
        for column in ["halfvec(1500)", "real[]"] {
            run("DROP TABLE IF EXISTS t");
            run(&format!("CREATE TABLE t (id int, v {column})"));
            run("ALTER TABLE t ALTER v SET STORAGE external");
            insert(1500, "generate_series(1, 100)");
            check(1500, 90);
        }
    }

    #[pg_test]
    fn compressed_values_are_left_to_postgres() {
        run("CREATE TABLE t (id int, v vector)");
        run("ALTER TABLE t ALTER v SET STORAGE extended");
        run("INSERT INTO t SELECT i, (array_fill(i, ARRAY[6000]) || array_fill(1, ARRAY[6000]))::vector
             FROM generate_series(1, 20) i WHERE i <> 1");
        check(12000, 15);
    }

    #[pg_test]
    fn values_of_temporary_tables_are_found() {
        run("CREATE TEMPORARY TABLE t (id int, v vector)");
        insert(600, "generate_series(1, 200)");
        check(600, 150);
    }

    #[pg_test]
    fn values_that_were_rolled_back_are_not_found() {
        run("CREATE TABLE t (id int, v vector)");
        insert(600, "generate_series(1, 100)");
        run("DO $$ BEGIN
                UPDATE t SET v = v + v;
                RAISE EXCEPTION 'no';
             EXCEPTION WHEN raise_exception THEN NULL;
             END $$");
        insert(600, "generate_series(101, 200)");
        check(600, 190);
    }
}
