//! Which way rows are drawn: by their places, or from what a query gives.

use pgrx::pg_sys::panic::ErrorReport;
use pgrx::{PgLogLevel, PgSqlErrorCode};

use crate::error::Error;
use crate::sample::Drawing;
use crate::sample::parts::{Parts, Piece};
use crate::sample::stream::Sample;
use row_sampling::Part;

/// Rows of a relation without places that are read for each row wanted.
const READ_PER_ROW: u64 = 50;

impl Drawing<'_> {
    /// Draws from the pieces by place, and from other foreign tables in proportion to their sizes.
    pub(super) fn draw_from(&mut self, parts: &mut Parts, walked: &[Part]) -> Result<(), Error> {
        let before = self.set.negatives();
        let mut others = self.read_others(parts, walked)?;
        self.walk(parts, walked)?;
        for sample in &mut others {
            // Where sizes were taken for larger than they are, the samples still have rows.
            self.offer_sample(sample, self.missing())?;
            self.drawn.exhausted &= sample.is_complete;
        }
        let has_elsewhere = parts.pieces.iter().any(|piece| matches!(piece, Piece::Elsewhere(_)));
        if self.set.negatives() == before && self.missing() > 0 && has_elsewhere {
            // The other server's table is another one than ANALYZE has seen.
            self.read_source()?;
        }
        Ok(())
    }

    /// Foreign tables whose rows have no places: as many rows of each as its share of all, from the first ones
    /// that it gives.
    fn read_others(&mut self, parts: &Parts, walked: &[Part]) -> Result<Vec<Sample>, Error> {
        let wanted = self.missing();
        let mut samples = Vec::new();
        for (relation, rows) in &parts.others {
            let query = self.source.query_for_values(relation, self.most_rows_read());
            let sample = self.sample(&query, wanted)?;
            let seen = sample.reservoir.seen() as f64;
            let rows = if sample.is_complete { seen } else { rows.unwrap_or(0.0).max(seen) };
            samples.push((sample, rows));
        }
        let total = parts.estimated_rows(walked) + samples.iter().map(|(_, rows)| rows).sum::<f64>();
        for (sample, rows) in &mut samples {
            let share = (wanted as f64 * *rows / total).round() as usize;
            self.offer_sample(sample, share.min(self.missing()))?;
        }
        Ok(samples.into_iter().map(|(sample, _)| sample).collect())
    }

    /// A sample of the first rows that the source gives, whatever it is.
    pub(super) fn read_source(&mut self) -> Result<(), Error> {
        let limit = self.most_rows_read();
        let query = self.source.query_for_values(&self.source.relation, limit);
        let wanted = self.missing();
        let mut sample = self.sample(&query, wanted)?;
        self.offer_sample(&mut sample, wanted)?;
        self.drawn.exhausted = sample.is_complete && sample.has_all();
        if !sample.is_complete {
            let relation = self.source.relation.name();
            ErrorReport::new(
                PgSqlErrorCode::ERRCODE_SUCCESSFUL_COMPLETION,
                format!("negatives are drawn from the first {limit} rows of relation \"{relation}\""),
                "hinted_exemplar",
            )
            .set_hint("Name a materialized view of its rows as source to draw from all of them.")
            .report(PgLogLevel::NOTICE);
        }
        Ok(())
    }

    /// A table without any pages here: an empty one, or the shell of one whose rows are on other servers.
    pub(super) fn read_without_pages(&mut self) -> Result<(), Error> {
        let wanted = self.missing();
        let limit = self.most_rows_read();
        // Ever more blocks, until they have enough rows that neighbours count little.
        for percent in [0.01, 0.1, 1.0, 10.0] {
            let query = self.source.query_for_sample(percent, self.seed as i32, limit);
            let nulls = self.drawn.nulls;
            let mut sample = self.sample(&query, wanted)?;
            if sample.reservoir.seen() >= 4 * wanted as u64 {
                return self.offer_sample(&mut sample, wanted);
            }
            self.drawn.nulls = nulls;
        }
        self.read_source()
    }

    pub(super) fn most_rows_read(&self) -> u64 {
        READ_PER_ROW * self.missing().max(20) as u64
    }
}
