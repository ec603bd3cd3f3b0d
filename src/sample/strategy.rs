//! Which way rows are drawn: by their places, or from what a query gives.
//!
//! | source | way |
//! |---|---|
//! | an extension answers for all of it | as many per cent of its rows as are wanted, by TABLESAMPLE |
//! | tables here and of postgres_fdw | by places |
//! | where policies or a condition leave few of their rows | all rows that a query finds |
//! | parts of them that have no places | each by a stream, its share of all rows |
//! | anything else, as a view | a stream of its first rows |

use pgrx::pg_sys::panic::ErrorReport;
use pgrx::{FromDatum, PgLogLevel, PgSqlErrorCode};

use crate::error::Error;
use crate::postgres::snapshot::Snapshot;
use crate::sample::Drawing;
use crate::sample::parts::{Other, Parts};
use crate::sample::stream::{InOrder, Sample, Stream};
use crate::source::sampling;
use crate::source::verdict::Verdict;
use row_sampling::{Part, Walk};

/// Rows of a relation without places that are read for each row wanted, and of how many rows at least.
const READ_PER_ROW: u64 = 50;
const READ_FOR_AT_LEAST: usize = 20;

/// How many rows a query may find in the time that it takes to ask for one place, at most.
const PLACES_PER_ROW: f64 = 4.0;

/// By how much a sample of an expected size may miss it.
const LEAST_OF_EXPECTED: f64 = 0.7;
const MOST_OF_EXPECTED: f64 = 3.0;

/// Per cent of a table from which on all of it is read.
const NEARLY_ALL: f64 = 25.0;

impl Drawing<'_> {
    /// Draws what is wanted.
    pub(super) fn draw(&mut self, snapshot: &Snapshot) -> Result<(), Error> {
        if self.source.verdict().is_custom() {
            return self.sample_by_query();
        }
        let Some(mut parts) = Parts::of(self.source, snapshot) else { return self.read_source() };
        let walked = parts.for_walk(self.source);
        let rows = parts.estimated_rows(&walked);
        // Of tables elsewhere only a query gives all rows.
        let wants_most = parts.has_elsewhere() && 2.0 * self.missing() as f64 >= rows;
        if wants_most && parts.others.is_empty() {
            return self.read_source();
        }
        if parts.by_query && parts.others.is_empty() && self.read_few(&parts, &walked, rows)? {
            return Ok(());
        }
        self.draw_from(&mut parts, &walked)
    }

    /// Draws from the pieces by place, and from other tables in proportion to their sizes.
    fn draw_from(&mut self, parts: &mut Parts, walked: &[Part]) -> Result<(), Error> {
        let before = self.set.negatives();
        let mut others = self.read_others(parts, walked)?;
        self.walk(parts, walked)?;
        for sample in &mut others {
            // Where sizes were taken for larger than they are, the samples still have rows.
            self.offer_sample(sample, self.missing())?;
            self.drawn.exhausted &= sample.is_complete && sample.has_all();
        }
        // What another server has beside the places that were asked for is not known.
        self.drawn.exhausted &= !parts.has_elsewhere();
        if self.set.negatives() == before && self.missing() > 0 && parts.has_elsewhere() {
            // The other server's table is another one than ANALYZE has seen.
            self.read_source()?;
        }
        Ok(())
    }

    /// Tables whose rows have no places: as many rows of each as its share of all, from the first ones that it gives.
    fn read_others(&mut self, parts: &Parts, walked: &[Part]) -> Result<Vec<Sample>, Error> {
        let wanted = self.missing();
        let about = parts.estimated_rows(walked) + parts.others.iter().filter_map(|o| o.rows).sum::<f64>();
        let mut samples = Vec::new();
        for Other { relation, rows, through_source } in &parts.others {
            // Four times the share, since sizes are estimates.
            let share = rows.map_or(wanted, |rows| (4.0 * wanted as f64 * rows / about).ceil() as usize + 16);
            let part = match through_source {
                true => sampling::Part::TableOfSource(relation),
                false => sampling::Part::Table(relation),
            };
            let slots = slots_for(share.min(wanted));
            let stream = Stream { part, in_order: None, limit: rows_read_for(share.min(wanted)), slots };
            let sample = self.sample(&stream)?;
            let seen = sample.seen() as f64;
            let rows = if sample.is_complete { seen } else { rows.unwrap_or(0.0).max(seen) };
            samples.push((sample, rows));
        }
        let total = parts.estimated_rows(walked) + samples.iter().map(|(_, rows)| rows).sum::<f64>();
        for (sample, rows) in &mut samples {
            let share = (wanted as f64 * *rows / total.max(1.0)).round() as usize;
            self.offer_sample(sample, share.min(self.missing()))?;
        }
        Ok(samples.into_iter().map(|(sample, _)| sample).collect())
    }

    /// All rows that a query finds, if the planner expects so few that this is faster than to ask for places; whether it
    /// was so.
    fn read_few(&mut self, parts: &Parts, walked: &[Part], rows: f64) -> Result<bool, Error> {
        let wanted = self.missing();
        let few = match self.source.condition {
            Some(_) => Verdict::planned(&self.source.query_for_plan(true)).rows,
            None => self.source.verdict().rows,
        };
        let places = wanted as f64 * rows / few.max(1.0);
        if few > wanted as f64 && PLACES_PER_ROW * few > places {
            return Ok(false);
        }
        let limit = (4 * wanted as u64 + 1000).max((2.0 * few) as u64).min(rows_read_for(wanted));
        let part = sampling::Part::Source;
        // The rows that a walk would give, in its order, where all of them have places here.
        let (walk, index_of) = (Walk::new(self.seed, walked), |table| parts.index_of(table));
        let in_order = (!parts.has_elsewhere()).then_some(InOrder { walk: &walk, index_of: &index_of });
        let mut sample = self.sample(&Stream { part, in_order, limit, slots: slots_for(wanted) })?;
        if !sample.is_complete {
            // There are more than the planner thought.
            return Ok(false);
        }
        self.offer_sample(&mut sample, wanted)?;
        self.drawn.exhausted = sample.has_all();
        Ok(true)
    }

    /// A sample of the first rows that the source gives, whatever it is.
    fn read_source(&mut self) -> Result<(), Error> {
        let wanted = self.missing();
        self.read_first(rows_read_for(wanted))
    }

    fn read_first(&mut self, limit: u64) -> Result<(), Error> {
        let (part, wanted) = (sampling::Part::Source, self.missing());
        let mut sample = self.sample(&Stream { part, in_order: None, limit, slots: slots_for(wanted) })?;
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

    /// A table that an extension answers for as a whole, as one that is spread over other servers: a sample by chance,
    /// of as many per cent as a count asks for. Whether the extension heeds it shows in how many rows come.
    fn sample_by_query(&mut self) -> Result<(), Error> {
        if !self.source.has_tablesample() {
            return self.read_source();
        }
        let (wanted, rows) = (self.missing(), self.count_rows());
        let slots = slots_for(wanted);
        // Every server may draw from its part by the same numbers, so sizes vary more than those of one table.
        let mut expected = 1.3 * slots as f64 + 50.0;
        while 100.0 * expected < NEARLY_ALL * rows {
            let (percent, seed) = (100.0 * expected / rows, self.seed as i32);
            let limit = (MOST_OF_EXPECTED * expected) as u64;
            let part = sampling::Part::Bernoulli { percent, seed };
            let mut sample = self.sample(&Stream { part, in_order: None, limit, slots })?;
            if !sample.is_complete {
                break;
            }
            let is_heeded = sample.read() as f64 >= LEAST_OF_EXPECTED * expected;
            if is_heeded && sample.seen() >= slots as u64 {
                return self.offer_sample(&mut sample, wanted);
            }
            expected *= 4.0;
        }
        // A few more, since the count was that of another moment.
        self.read_first(rows_read_for(wanted).min(rows as u64 + 1000))
    }

    fn count_rows(&self) -> f64 {
        // SAFETY: the query has no parameters and gives one number.
        unsafe {
            let rows = self.connection.prepare(&self.source.query_for_count(), &[]).select(&mut []);
            let count = rows.get(0, 0).and_then(|count| i64::from_datum(count, false));
            count.unwrap_or(0) as f64
        }
    }
}

/// Rows to keep of a stream so that enough are left without zero vectors and examples.
fn slots_for(wanted: usize) -> usize {
    wanted + wanted / 10 + 16
}

fn rows_read_for(wanted: usize) -> u64 {
    READ_PER_ROW * wanted.max(READ_FOR_AT_LEAST) as u64
}
