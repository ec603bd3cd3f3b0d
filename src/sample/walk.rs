//! Rows by their places: the order in which they are asked for, and the scan that takes over where few are found.

use std::collections::VecDeque;

use pgrx::pg_sys::panic::ErrorReport;
use pgrx::{PgLogLevel, PgSqlErrorCode};

use crate::error::Error;
use crate::heap::table::RowState;
use crate::postgres::memory;
use crate::sample::Drawing;
use crate::sample::fetch::{Fetched, Fetcher, Queried, fetch_value};
use crate::sample::parts::{Parts, Piece};
use exemplar_svm::Offered;
use row_sampling::{Part, Place, Walk};

/// Most row places asked for in one query.
const LARGEST_BATCH: usize = 20_000;

/// Rows that one query gives, about: few enough to be in memory beside the sample.
const ROWS_OF_A_QUERY: f64 = 4096.0;

/// Most blocks looked at, and most rows kept, before they are put in order. Kept rows are few, since memory that is
/// new to the process costs more than their order gains.
const BLOCKS_AT_A_TIME: usize = 4096;
const ROWS_KEPT_AT_ONCE: usize = 256;

/// Bytes that a row's place and what is known of it take on their way, in the tables that they pass through.
const BYTES_OF_A_PLACE: usize = 512;

/// Looks at blocks and places for each row wanted, after which a table counts as sparse.
const LOOKS_PER_ROW: u64 = 50;

/// Looks that any table is worth.
const LOOKS_AT_LEAST: u64 = 2_000;

impl Drawing<'_> {
    pub(super) fn walk(&mut self, parts: &mut Parts, walked: &[Part]) -> Result<(), Error> {
        let about = walked.iter().map(|part| f64::from(part.blocks) * part.per_block).sum::<f64>();
        let rows = self.missing().min(about as usize);
        self.set.reserve(rows)?;
        memory::probe(rows.saturating_mul(BYTES_OF_A_PLACE))?;
        let expected_yield = parts.expected_yield(walked);
        let mut walk = Walk::new(self.seed, walked);
        let mut fetcher = Fetcher::new(self.source, self.connection, parts);
        let most_looks = LOOKS_AT_LEAST + LOOKS_PER_ROW * self.missing() as u64;
        let (mut places, mut asked, mut last, start) = (VecDeque::new(), 0, None, self.set.negatives());
        let mut more = true;
        while self.missing() > 0 && (more || !places.is_empty()) {
            let looks = walk.blocks_read() + asked as u64;
            if looks > most_looks {
                return self.draw_from_sparse(&mut fetcher, &walk, asked, last);
            }
            // A second query costs more than some rows that are not needed.
            let slack = if fetcher.has_queries() { 1.25 } else { 1.0 };
            let yielded = match asked {
                0 => expected_yield,
                _ => ((self.set.negatives() - start) as f64 / asked as f64).max(0.01),
            };
            let batch = batch_size(self.missing(), slack / yielded);
            let batch = batch.min((most_looks - looks) as usize + 1);
            let mut found = Vec::new();
            while more && places.len() + found.len() < batch && walk.blocks_read() <= most_looks {
                let missing = batch - places.len() - found.len();
                let pieces = &fetcher.parts.pieces;
                more = walk.visit(BLOCKS_AT_A_TIME, missing, &mut found, |part, blocks, candidates| {
                    pieces[part as usize].look(blocks, candidates);
                });
            }
            places.extend(found);
            let batch: Vec<(Place, RowState)> = places.drain(..batch.min(places.len())).collect();
            asked += batch.len();
            last = batch.last().map(|&(place, _)| place).or(last);
            self.fetch(&mut fetcher, &batch, (ROWS_OF_A_QUERY / yielded) as usize)?;
        }
        self.drawn.exhausted = !more && places.is_empty();
        Ok(())
    }

    /// Offers the rows at `places` in this order, as many as are missing, `at_once` places in one query.
    fn fetch(
        &mut self,
        fetcher: &mut Fetcher,
        places: &[(Place, RowState)],
        at_once: usize,
    ) -> Result<(), Error> {
        for places in places.chunks(at_once) {
            if self.missing() > 0 {
                let queried = fetcher.query(places);
                self.take(fetcher, places, &queried)?;
            }
        }
        Ok(())
    }

    /// As [`fetch`](Self::fetch), with the rows that were asked for by queries.
    fn take(
        &mut self,
        fetcher: &mut Fetcher,
        mut places: &[(Place, RowState)],
        queried: &Queried,
    ) -> Result<(), Error> {
        while self.missing() > 0 && !places.is_empty() {
            let missing = self.missing();
            let (now, later) = places.split_at(places.len().min(2 * missing).min(ROWS_KEPT_AT_ONCE));
            places = later;
            let dimensions = self.set.dimensions();
            let open = self.set.open(now.len())?;
            let fetched = fetcher.fetch(self.source, dimensions, now, |index, vector| {
                self.drawn.lengths.observe(vector);
                self.set.place(&open, index, vector)
            })?;
            let mut kept: Vec<usize> = Vec::new();
            for (index, &(place, _)) in now.iter().enumerate() {
                if kept.len() == missing {
                    break;
                }
                let row = fetcher.row_id(place);
                let mut fetched = fetched[index];
                if let Some(value) = queried.value(row) {
                    fetched = fetch_value(self.source, dimensions, value, |vector| {
                        self.drawn.lengths.observe(vector);
                        self.set.place(&open, index, vector)
                    })?;
                }
                match fetched {
                    Fetched::Nothing => (),
                    Fetched::Null => self.drawn.nulls += 1,
                    Fetched::Offered(offered) => {
                        if offered == Offered::Kept {
                            kept.push(index);
                        }
                        self.count(offered, Some(row));
                    }
                    Fetched::OtherDimensions(found) => self.count_other(found),
                }
            }
            self.set.close(open, kept.into_iter());
        }
        Ok(())
    }

    /// The rest of the walk behind `last`, over the places of rows that a scan of all tables finds.
    fn draw_from_sparse(
        &mut self,
        fetcher: &mut Fetcher,
        walk: &Walk,
        asked: usize,
        last: Option<Place>,
    ) -> Result<(), Error> {
        self.drawn.sparse = true;
        let relation = self.source.relation.name();
        let is_here = fetcher.parts.pieces.iter().all(|piece| matches!(piece, Piece::Here(_)));
        let what = if is_here { "so all of it is scanned" } else { "so fewer are drawn" };
        let hint =
            if is_here { "A materialized view of its rows is sampled faster." } else { "Run ANALYZE on it." };
        ErrorReport::new(
            PgSqlErrorCode::ERRCODE_SUCCESSFUL_COMPLETION,
            format!("relation \"{relation}\" has few rows for its size, {what}"),
            "hinted_exemplar",
        )
        .set_detail(format!(
            "{} of {asked} places in {} blocks had rows that are wanted.",
            self.drawn.row_ids.len(),
            walk.blocks_read()
        ))
        .set_hint(hint)
        .report(PgLogLevel::NOTICE);
        if !is_here {
            return Ok(());
        }
        let mut after = last.map(|place| walk.position(place));
        while self.missing() > 0 {
            let most = self.missing() + self.missing() / 8 + 100;
            let next = fetcher.scan(self.source, self.connection, most, |place| {
                let position = walk.position(place);
                after.is_none_or(|after| position > after).then_some(position)
            });
            let places: Vec<_> = next.iter().map(|&(_, place)| (place, RowState::Unread)).collect();
            self.fetch(fetcher, &places, ROWS_OF_A_QUERY as usize)?;
            after = next.last().map(|&(position, _)| position).or(after);
            if next.len() < most {
                self.drawn.exhausted = true;
                break;
            }
        }
        Ok(())
    }
}

/// How many places to ask for to get `missing` more rows.
fn batch_size(missing: usize, places_per_row: f64) -> usize {
    let enough = (missing as f64 * places_per_row).ceil() as usize;
    enough.min(LARGEST_BATCH)
}
