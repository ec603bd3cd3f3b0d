//! Which way rows are drawn: by their places, or from what a query gives.
//!
//! | source | way |
//! |---|---|
//! | an extension answers for all of it | as many per cent of its rows as are wanted, by TABLESAMPLE |
//! | tables here and of postgres_fdw | by places |
//! | where policies or a condition leave few of their rows | all rows that a query finds |
//! | parts of them that have no places | each by a stream of all its rows, its share of all |
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

/// Values that are read of tables here whose rows have no places, which is all of most of them: what takes seconds.
const MOST_VALUES: u64 = 1 << 27;

/// Per cent of a table's blocks that are counted first, and rows in them that tell how many there are in all.
const COUNTED_PERCENT: f64 = 10.0;
const ENOUGH_COUNTED: f64 = 20_000.0;

/// Into how many times the rows wanted a server may choose blocks, before they are chosen by their places.
const THINNED: f64 = 16.0;

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
        if parts.by_query && !parts.others.is_empty() {
            // A query that asks for places of some tables fails on those that have none.
            return self.read_first(self.most_rows_read());
        }
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
        let others = self.read_others(parts, walked)?;
        self.walk(parts, walked)?;
        if let Some(mut sample) = others {
            // Where tables were taken for larger than they are, the sample still has rows.
            self.offer_sample(&mut sample, self.missing())?;
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

    /// Tables whose rows have no places: one sample of all their rows, of which its share is offered; sizes may be
    /// estimated wrongly, so they are counted as they are read.
    fn read_others(&mut self, parts: &mut Parts, walked: &[Part]) -> Result<Option<Sample>, Error> {
        let (wanted, here) = (self.missing(), parts.estimated_rows(walked));
        let (slots, mut most) = (slots_for(wanted), self.most_rows_read());
        // The larger ones come last, and may read what the others have not.
        parts.others.sort_by(|a, b| a.rows.unwrap_or(0.0).total_cmp(&b.rows.unwrap_or(0.0)));
        let (mut sample, mut elsewhere, mut cut) = (self.no_rows(slots), 0.0, 0);
        for (index, Other { relation, rows, through_source, is_foreign }) in parts.others.iter().enumerate() {
            let part = match through_source {
                true => sampling::Part::TableOfSource(relation),
                false => sampling::Part::Table(relation),
            };
            let share = most / (parts.others.len() - index) as u64;
            let limit = if *is_foreign { rows_read_for(wanted) } else { share.max(rows_read_for(0)) };
            let read = self.read_into(&mut sample, &Stream { part, in_order: None, limit, slots })?;
            most = most.saturating_sub(read);
            cut += usize::from(read == limit);
            elsewhere += if read < limit { read as f64 } else { rows.unwrap_or(0.0).max(read as f64) };
        }
        if parts.others.is_empty() {
            return Ok(None);
        }
        let share = wanted as f64 * elsewhere / (here + elsewhere).max(1.0);
        self.offer_sample(&mut sample, (share.round() as usize).min(wanted))?;
        if cut > 0 {
            self.tell_of_first(&format!("rows of {cut} tables"));
        }
        Ok(Some(sample))
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
            self.tell_of_first(&format!("{limit} rows"));
        }
        Ok(())
    }

    fn tell_of_first(&self, what: &str) {
        let relation = self.source.relation.name();
        ErrorReport::new(
            PgSqlErrorCode::ERRCODE_SUCCESSFUL_COMPLETION,
            format!("negatives are drawn from the first {what} of relation \"{relation}\""),
            "hinted_exemplar",
        )
        .set_hint("Name a materialized view of its rows as source to draw from all of them.")
        .report(PgLogLevel::NOTICE);
    }

    /// Rows that are read of what can only be read from its start, and is expected to be read without waiting.
    fn most_rows_read(&self) -> u64 {
        rows_read_for(self.missing()).max(MOST_VALUES / self.set.dimensions().max(1) as u64)
    }

    /// A table that an extension answers for as a whole, as one that is spread over other servers: a sample by chance,
    /// of as many per cent as a count asks for. Whether the extension heeds it shows in how many rows come.
    fn sample_by_query(&mut self) -> Result<(), Error> {
        if !self.source.has_tablesample() {
            let most = self.most_rows_read();
            return if self.source.is_view() { self.read_source() } else { self.read_first(most) };
        }
        let (wanted, rows) = (self.missing(), self.count_rows());
        let slots = slots_for(wanted);
        let mut expected = 1.3 * slots as f64 + 50.0;
        while 100.0 * expected < NEARLY_ALL * rows {
            // Every server draws from its part by the same numbers, so they draw many rows, and keep few by numbers of their own.
            let one_of = THINNED.min(rows / expected).floor();
            let percent = 100.0 * expected * one_of / rows;
            let limit = (MOST_OF_EXPECTED * expected) as u64;
            let part = sampling::Part::Bernoulli { percent, one_of: one_of as u32, seed: self.seed as i32 };
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
        self.read_first(self.most_rows_read().min(rows as u64 + 1000))
    }

    /// About how many rows there are, by a part of the blocks where that has enough of them, and else by all.
    fn count_rows(&self) -> f64 {
        let count = |percent| {
            let plan = self.connection.prepare(&self.source.query_for_count(percent), &[]);
            // SAFETY: the query has no parameters and gives one number.
            let rows = unsafe { plan.select(&mut []) };
            // SAFETY: a count is an int8.
            let count = rows.get(0, 0).and_then(|count| unsafe { i64::from_datum(count, false) });
            count.unwrap_or(0) as f64
        };
        let some = count(Some(COUNTED_PERCENT));
        if some < ENOUGH_COUNTED { count(None) } else { some * 100.0 / COUNTED_PERCENT }
    }
}

/// Rows to keep of a stream so that enough are left without zero vectors and examples.
fn slots_for(wanted: usize) -> usize {
    wanted + wanted / 10 + 16
}

fn rows_read_for(wanted: usize) -> u64 {
    READ_PER_ROW * wanted.max(READ_FOR_AT_LEAST) as u64
}
