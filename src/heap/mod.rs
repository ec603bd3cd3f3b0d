//! Rows and values read from heap and TOAST pages: what a TID scan does, without a query for it.
//!
//! Nothing here chooses rows. [`table::Table::look`] is told which line pointers are wanted and says what is at each;
//! [`toast::Toast`] reads the values that rows point to. `hinted_exemplar.read_pages = off` turns both off: then all is read
//! through the table's access method, which gives the same rows.
//!
//! # What this relies on in Postgres 15 to 18, and which test holds it
//!
//! | it relies on | where Postgres says so | held by |
//! |---|---|---|
//! | A relation whose pages are read is one that the planner scans as it is stored | plan of the query, [`crate::source::verdict`] | `tests::verdict` |
//! | `rd_tableam` is `GetHeapamTableAmRoutine()` for heaps and only for them | heapam_handler.c | `relations.sql` |
//! | Blocks below `RelationGetNumberOfBlocks` stay as long as any lock on the relation is held | lazy_truncate_heap takes AccessExclusiveLock | `tests/snapshot.sh` |
//! | A line pointer's bytes are read under a share lock; a tuple that the snapshot sees stays where it is while the page is pinned | bufpage.c, README of storage/buffer | `tests/snapshot.sh`, `tests/uniform.sh` |
//! | `HeapTupleSatisfiesVisibility` under that lock decides on a version by itself, so each version of a HOT chain stands for itself, as in a TID scan | heapam_visibility.c | `heap_only_tuples_are_drawn_uniformly` |
//! | A SERIALIZABLE transaction, and `old_snapshot_threshold` (15, 16), must have rows fetched one by one, for predicate locks and for "snapshot too old" | `Table::must_fetch` | `tests/snapshot.sh` |
//! | Unlogged tables have no pages on a standby; other sessions' temporary tables have them in that session's memory | `Table::new` | `tests/standby.sh`, `relations.sql` |
//! | A value out of line is a pointer of two header bytes and `varatt_external`: size, value id, TOAST table; not compressed if the sizes agree | postgres.h, varatt.h | `tests::toast` |
//! | A TOAST row is (oid, int4, bytea), none null, the bytea neither compressed nor out of line | toast_internals.c | `tests::toast` |
//! | Chunks of one value id that one snapshot sees are of one value: an id is not given out while any row has it | GetNewOidWithIndex, toast_save_datum | `values_of_updated_rows_are_found`, `values_that_were_rolled_back_are_not_found` |
//! | A value is whole if its chunks are numbered from 0 without a gap and their sizes sum up to the pointer's; else Postgres reads it | toast_fetch_datum | `values_in_scattered_parts_are_left_to_postgres` |
//! | TOAST rows are never updated in place, so visibility under the query's snapshot is enough; detoasting itself takes a TOAST snapshot that sees at least as much | toast_fetch_datum | `values_of_updated_rows_are_found` |
//! | `PrefetchBuffer` asks for a page that exists and changes nothing | bufmgr.c | `tests::toast` on cold tables, `benches/cold.sh` |
//!
//! What differs by version: `index_beginscan` has one more argument from 18 on; `old_snapshot_threshold` ended with 16.

pub mod page;
mod read_ahead;
pub mod table;
pub mod toast;
pub mod toast_chunks;
pub mod toast_pointer;
