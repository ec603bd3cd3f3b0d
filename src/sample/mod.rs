//! Draws negatives from a source, uniformly, as the caller and under the caller's snapshot.

pub mod parts;

use std::collections::{BinaryHeap, HashMap, HashSet, VecDeque};
use std::time::Instant;

use pgrx::pg_sys::panic::ErrorReport;
use pgrx::{PgLogLevel, PgSqlErrorCode, pg_sys};

use crate::error::Error;
use crate::heap::table::{Seen, Snapshot};
use crate::heap::toast::{Pointer, Toast};
use crate::postgres::spi::{self, Connection, Plan, Rows, ScansFromStart};
use crate::sample::parts::{Parts, Piece};
use crate::source::Source;
use exemplar_svm::{FitError, Offered, TrainingSet};
use row_sampling::{Part, Place, Position, Reservoir, Walk};

/// Most row places asked for in one query.
const LARGEST_BATCH: usize = 20_000;

/// Most blocks looked at, and most rows kept, before they are put in order. Kept rows are few, since memory that is
/// new to the process costs more than their order gains.
const BLOCKS_AT_A_TIME: usize = 4096;
const ROWS_KEPT_AT_ONCE: usize = 256;

/// Looks at blocks and places for each row wanted, after which a table counts as sparse.
const LOOKS_PER_ROW: u64 = 50;

/// Looks that any table is worth.
const LOOKS_AT_LEAST: u64 = 2_000;

/// Rows of a relation without places that are read for each row wanted.
const READ_PER_ROW: u64 = 50;

/// Rows that a query's cursor hands over at a time.
const ROWS_AT_A_TIME: i32 = 500;

/// Rows of a foreign table that show how large offsets are there.
const ROWS_TO_JUDGE_OFFSETS_BY: usize = 16;

/// Which row of which table: `tableoid` and `ctid`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct RowId {
    pub table: pg_sys::Oid,
    pub block: u32,
    pub offset: u16,
}

impl RowId {
    /// Its `ctid`.
    pub fn tid(self) -> pg_sys::ItemPointerData {
        let mut tid = pg_sys::ItemPointerData::default();
        pgrx::itemptr::item_pointer_set_all(&mut tid, self.block, self.offset);
        tid
    }

    /// The name of its table as `regclass` writes it.
    pub fn table_name(self) -> String {
        let function = pg_sys::F_REGCLASSOUT.into();
        // SAFETY: regclassout takes any OID and returns a palloc'd, NUL-terminated string.
        unsafe {
            let name = pg_sys::OidFunctionCall1Coll(function, pg_sys::InvalidOid, self.table.into());
            std::ffi::CStr::from_ptr(name.cast_mut_ptr()).to_string_lossy().into_owned()
        }
    }
}

/// What was drawn, beside the negatives that are in the training set now.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Drawn {
    /// Rows seen with an embedding, whatever became of them.
    pub rows: u64,
    /// Rows skipped since their embedding is null.
    pub nulls: u64,
    /// Rows skipped since their embedding is the zero vector.
    pub zeros: u64,
    /// Rows skipped since they are an exemplar or a counter-exemplar.
    pub examples: u64,
    /// Whether every row was seen.
    pub exhausted: bool,
    /// Whether the source was found to have few rows for its size.
    pub sparse: bool,
    /// For each negative, in order, which row it is; `None` where rows have no place, as in a view.
    pub row_ids: Vec<Option<RowId>>,
}

/// Adds `wanted` rows of `source` to `set` as negatives, or all where there are fewer.
///
/// # Errors
/// `DifferentDimensions` for a row of other dimensions, `OutOfMemory`. Postgres' own errors, a missing
/// privilege for one, pass through.
pub fn draw(source: &Source, set: &mut TrainingSet, wanted: usize, seed: i64) -> Result<Drawn, Error> {
    let start = Instant::now();
    let connection = Connection::open();
    source.check_privileges(&connection);
    let snapshot = Snapshot::active();
    let seed = seed as u64;
    let wanted = set.negatives() + wanted;
    let mut drawing = Drawing { source, connection: &connection, set, wanted, seed, drawn: Drawn::default() };
    match Parts::of(source, &snapshot) {
        None => drawing.read_source()?,
        Some(mut parts) => {
            let walked = parts.for_walk(source);
            let empty = walked.iter().all(|part| part.blocks == 0);
            if empty && parts.others.is_empty() {
                drawing.read_without_pages()?;
            } else {
                drawing.draw_from(&mut parts, &walked)?;
            }
        }
    }
    let drawn = drawing.drawn;
    // SAFETY: compares the level with two settings.
    if unsafe { pg_sys::message_level_is_interesting(pg_sys::DEBUG1 as i32) } {
        let ms = start.elapsed().as_secs_f64() * 1e3;
        let (rows, blocks) = (drawn.row_ids.len(), drawn.blocks_hit());
        pgrx::debug1!("drew {rows} rows of {blocks} blocks in {ms:.2} ms");
    }
    Ok(drawn)
}

impl Drawn {
    /// How many blocks the negatives lie in, where they have places.
    pub fn blocks_hit(&self) -> usize {
        let blocks = self.row_ids.iter().flatten().map(|row| (row.table, row.block));
        blocks.collect::<HashSet<_>>().len()
    }
}

/// As [`draw`] from a relation whose rows are on other servers.
#[cfg(feature = "pg_test")]
pub fn draw_without_pages(
    source: &Source,
    set: &mut TrainingSet,
    wanted: usize,
    seed: i64,
) -> Result<Drawn, Error> {
    let connection = Connection::open();
    let (seed, drawn) = (seed as u64, Drawn::default());
    let mut drawing = Drawing { source, connection: &connection, set, wanted, seed, drawn };
    drawing.read_without_pages()?;
    Ok(drawing.drawn)
}

struct Drawing<'a> {
    source: &'a Source,
    connection: &'a Connection,
    set: &'a mut TrainingSet,
    /// Negatives that the set shall have.
    wanted: usize,
    seed: u64,
    drawn: Drawn,
}

/// What a walk over pieces needs to fetch rows.
struct Fetcher<'a, 'b> {
    parts: &'a mut Parts<'b>,
    /// A query for the rows at given places: one on the source, or one for each piece elsewhere.
    by_query: Option<Plan<'a>>,
    elsewhere: HashMap<u32, Plan<'a>>,
    /// Tables of values that are stored out of line, by their OIDs; `None` for one that only Postgres can read.
    toasts: HashMap<pg_sys::Oid, Option<Toast<'b>>>,
    snapshot: &'b Snapshot,
}

impl<'a> Drawing<'a> {
    fn missing(&self) -> usize {
        self.wanted - self.set.negatives().min(self.wanted)
    }

    fn count(&mut self, offered: Offered, row: Option<RowId>) {
        self.drawn.rows += 1;
        match offered {
            Offered::Kept => self.drawn.row_ids.push(row),
            Offered::Zero => self.drawn.zeros += 1,
            Offered::Example => self.drawn.examples += 1,
        }
    }

    /// Draws from the pieces by place, and from other foreign tables in proportion to their sizes.
    fn draw_from(&mut self, parts: &mut Parts, walked: &[Part]) -> Result<(), Error> {
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

    fn walk(&mut self, parts: &mut Parts, walked: &[Part]) -> Result<(), Error> {
        let about = walked.iter().map(|part| f64::from(part.blocks) * part.per_block).sum::<f64>();
        self.set.reserve(self.missing().min(about as usize))?;
        let mut walk = Walk::new(self.seed, walked);
        let mut fetcher = Fetcher::new(self.source, self.connection, parts);
        let has_queries = fetcher.by_query.is_some() || !fetcher.elsewhere.is_empty();
        let most_looks = LOOKS_AT_LEAST + LOOKS_PER_ROW * self.missing() as u64;
        let (mut places, mut asked, mut last, start) = (VecDeque::new(), 0, None, self.set.negatives());
        let mut more = true;
        while self.missing() > 0 && (more || !places.is_empty()) {
            let looks = walk.blocks_read() + asked as u64;
            if looks > most_looks {
                return self.draw_from_sparse(&mut fetcher, &walk, asked, last);
            }
            let slack = if has_queries { 1.05 } else { 1.0 };
            let batch = batch_size(self.missing(), slack, self.set.negatives() - start, asked);
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
            let batch: Vec<(Place, Seen)> = places.drain(..batch.min(places.len())).collect();
            asked += batch.len();
            last = batch.last().map(|&(place, _)| place).or(last);
            self.fetch(&mut fetcher, &batch)?;
        }
        self.drawn.exhausted = !more && places.is_empty();
        Ok(())
    }

    /// Offers the rows at `places` in this order, as many as are missing.
    fn fetch(&mut self, fetcher: &mut Fetcher, mut places: &[(Place, Seen)]) -> Result<(), Error> {
        while self.missing() > 0 && !places.is_empty() {
            let (missing, before) = (self.missing(), self.set.negatives());
            let (now, later) = places.split_at(places.len().min(2 * missing).min(ROWS_KEPT_AT_ONCE));
            places = later;
            let queried = fetcher.query(now);
            let dimensions = self.set.dimensions();
            let open = self.set.open(now.len())?;
            let fetched = fetcher
                .fetch(self.source, dimensions, now, |index, vector| self.set.place(&open, index, vector))?;
            let mut kept: Vec<usize> = Vec::new();
            for (index, &(place, _)) in now.iter().enumerate() {
                if kept.len() == missing {
                    break;
                }
                let row = fetcher.row_id(place);
                let mut fetched = fetched[index];
                if let Some(&(rows, row)) = queried.at.get(&row) {
                    let value = queried.rows[rows].get(row, 2);
                    fetched = fetch_value(self.source, dimensions, value, |vector| {
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
                    Fetched::OtherDimensions(found) => {
                        let expected = self.set.expected_dimensions();
                        if before + kept.len() > 0 {
                            return Err(self.source.mixed_dimensions(expected.count, found));
                        }
                        expected.check(found, || self.source.row_named())?;
                    }
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
            let places: Vec<_> = next.iter().map(|&(_, place)| (place, Seen::Unknown)).collect();
            self.fetch(fetcher, &places)?;
            after = next.last().map(|&(position, _)| position).or(after);
            if next.len() < most {
                self.drawn.exhausted = true;
                break;
            }
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
    fn read_source(&mut self) -> Result<(), Error> {
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
    fn read_without_pages(&mut self) -> Result<(), Error> {
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

    fn most_rows_read(&self) -> u64 {
        READ_PER_ROW * self.missing().max(20) as u64
    }

    /// A uniform sample of the rows of a query for values, a few more than `wanted`.
    fn sample(&mut self, query: &str, wanted: usize) -> Result<Sample, Error> {
        let slots = wanted + wanted / 10 + 16;
        let mut sample = Sample::new(self.seed, slots, self.set.dimensions());
        let limit = self.most_rows_read();
        let mut nulls = 0;
        let _from_start = ScansFromStart::new();
        let plan = self.connection.prepare(query, &[]);
        let mut cursor = plan.open();
        loop {
            let rows = cursor.fetch(ROWS_AT_A_TIME);
            for row in 0..rows.len() {
                let Some(value) = rows.get(row, 0) else {
                    nulls += 1;
                    continue;
                };
                let Some(slot) = sample.reservoir.slot() else { continue };
                let source = self.source;
                let expected = self.set.expected_dimensions();
                let keep = |elements: &[f32]| {
                    if elements.len() != expected.count && sample.reservoir.seen() > 1 {
                        return Err(source.mixed_dimensions(expected.count, elements.len()));
                    }
                    expected.check(elements.len(), || source.row_named())?;
                    Ok(sample.keep(slot, elements)?)
                };
                // SAFETY: a value of the column, whose type Source::open has found the cast for.
                unsafe { source.cast.with_elements(value, keep) }??;
            }
            if rows.len() == 0 {
                break;
            }
        }
        self.drawn.nulls += nulls;
        sample.is_complete = sample.reservoir.seen() + nulls < limit;
        Ok(sample)
    }

    /// Offers rows of `sample` until `wanted` of them are negatives.
    fn offer_sample(&mut self, sample: &mut Sample, wanted: usize) -> Result<(), Error> {
        let enough = self.missing() - wanted;
        self.set.reserve(wanted.min(sample.reservoir.used()))?;
        while self.missing() > enough {
            let Some(elements) = sample.next() else { break };
            let offered = offer(self.source, self.set, elements)?;
            self.count(offered, None);
        }
        Ok(())
    }
}

fn offer(source: &Source, set: &mut TrainingSet, elements: &[f32]) -> Result<Offered, Error> {
    let expected = set.expected_dimensions().count;
    if elements.len() != expected && set.negatives() > 0 {
        return Err(source.mixed_dimensions(expected, elements.len()));
    }
    Ok(set.offer_negative(elements, || source.row_named())?)
}

/// How many places to ask for to get `missing` more rows when `kept` of `asked` were kept so far.
fn batch_size(missing: usize, slack: f64, kept: usize, asked: usize) -> usize {
    let yielded = if asked == 0 { 1.0 } else { (kept as f64 / asked as f64).max(0.01) };
    let enough = (missing as f64 / yielded * slack).ceil() as usize;
    enough.min(LARGEST_BATCH)
}

/// Vectors kept from a stream of rows.
struct Sample {
    reservoir: Reservoir,
    dimensions: usize,
    values: Vec<f32>,
    /// The slots in random order, once the stream has ended, and how many were given away.
    order: Vec<usize>,
    given: usize,
    /// Whether the stream was read to its end.
    is_complete: bool,
}

impl Sample {
    fn new(seed: u64, slots: usize, dimensions: usize) -> Self {
        let reservoir = Reservoir::new(seed, slots);
        Sample { reservoir, dimensions, values: Vec::new(), order: Vec::new(), given: 0, is_complete: false }
    }

    fn keep(&mut self, slot: usize, elements: &[f32]) -> Result<(), FitError> {
        let d = self.dimensions;
        if self.values.len() == slot * d {
            return append(&mut self.values, elements);
        }
        self.values[slot * d..][..d].copy_from_slice(elements);
        Ok(())
    }

    /// Whether no row of the stream was let pass or replaced.
    fn has_all(&self) -> bool {
        self.reservoir.used() as u64 == self.reservoir.seen()
    }

    /// The next vector in random order.
    fn next(&mut self) -> Option<&[f32]> {
        if self.given == 0 {
            self.order = self.reservoir.shuffled_slots();
        }
        let slot = *self.order.get(self.given)?;
        self.given += 1;
        Some(&self.values[slot * self.dimensions..][..self.dimensions])
    }
}

/// What was found at a place.
#[derive(Clone, Copy)]
enum Fetched {
    /// The snapshot sees no row there.
    Nothing,
    Null,
    Offered(Offered),
    /// A vector of this many dimensions, not as many as the others.
    OtherDimensions(usize),
}

/// Hands a value of the column to `place`, if it can be one of the negatives.
fn fetch_value(
    source: &Source,
    dimensions: usize,
    value: Option<pg_sys::Datum>,
    place: impl FnOnce(&[f32]) -> Offered,
) -> Result<Fetched, Error> {
    let Some(value) = value else { return Ok(Fetched::Null) };
    let fetched = |vector: &[f32]| match vector.len() {
        found if found == dimensions => Fetched::Offered(place(vector)),
        found => Fetched::OtherDimensions(found),
    };
    // SAFETY: a value of the column, whose type Source::open has found the cast for.
    unsafe { source.cast.with_elements(value, fetched) }
}

/// # Errors
/// `OutOfMemory`.
fn append(elements: &mut Vec<f32>, vector: &[f32]) -> Result<(), FitError> {
    let room = elements.try_reserve(vector.len());
    let dimensions = vector.len().max(1);
    room.map_err(|_| FitError::OutOfMemory { rows: elements.len() / dimensions + 1, dimensions })?;
    elements.extend_from_slice(vector);
    Ok(())
}

/// Rows that were asked for by their places.
struct Queried<'a> {
    rows: Vec<Rows<'a>>,
    at: HashMap<RowId, (usize, usize)>,
}

impl<'a, 'b> Fetcher<'a, 'b> {
    fn new(source: &Source, connection: &'a Connection, parts: &'a mut Parts<'b>) -> Self {
        let prepare = |relation| {
            let tids = [pg_sys::Oid::from(pg_sys::BuiltinOid::TIDARRAYOID)];
            connection.prepare(&source.query_by_tid(relation), &tids)
        };
        let by_query = parts.by_query.then(|| prepare(&source.relation));
        let mut elsewhere = HashMap::new();
        if by_query.is_none() {
            for (index, piece) in (0..).zip(&parts.pieces) {
                if let Piece::Elsewhere(foreign) = piece {
                    elsewhere.insert(index, prepare(&foreign.relation));
                }
            }
        }
        let snapshot = parts.snapshot;
        Fetcher { parts, by_query, elsewhere, toasts: HashMap::new(), snapshot }
    }

    fn row_id(&self, place: Place) -> RowId {
        let Place { part, block, offset } = place;
        RowId { table: self.parts.pieces[part as usize].relation().oid(), block, offset }
    }

    /// Hands the vectors of the rows at those of `places` that no query reads to `put`, with the place's index, and
    /// says what was found at each. They are fetched in the order in which they are stored, which is
    /// faster.
    fn fetch(
        &mut self,
        source: &Source,
        dimensions: usize,
        places: &[(Place, Seen)],
        mut put: impl FnMut(usize, &[f32]) -> Offered,
    ) -> Result<Vec<Fetched>, Error> {
        let mut fetched = vec![Fetched::Nothing; places.len()];
        if self.by_query.is_some() {
            return Ok(fetched);
        }
        let mut stored: Vec<usize> = (0..places.len()).collect();
        stored.sort_unstable_by_key(|&index| places[index].0);
        let mut elsewhere: HashMap<pg_sys::Oid, (Vec<usize>, Vec<Pointer>)> = HashMap::new();
        for index in stored {
            pgrx::check_for_interrupts!();
            let (place, mut seen) = places[index];
            if let Seen::Unknown = seen
                && let Piece::Here(table) = &mut self.parts.pieces[place.part as usize]
            {
                let value = |value: Option<pg_sys::Datum>| {
                    // SAFETY: a value of the column, whose type is a varlena.
                    if let Some(pointer) = value.and_then(|value| unsafe { Pointer::of(value) }) {
                        seen = Seen::Elsewhere(pointer);
                        return Ok(Fetched::Nothing);
                    }
                    fetch_value(source, dimensions, value, |vector| put(index, vector))
                };
                if let Some(found) = table.fetch(place.block, place.offset, value).transpose()? {
                    fetched[index] = found;
                }
            }
            match seen {
                Seen::Nothing | Seen::Unknown => (),
                Seen::Null => fetched[index] = Fetched::Null,
                Seen::Elsewhere(pointer) => {
                    let (indexes, pointers) = elsewhere.entry(pointer.table).or_default();
                    indexes.push(index);
                    pointers.push(pointer);
                }
            }
        }
        for (table, (indexes, pointers)) in elsewhere {
            let mut found = |of: usize, value| {
                let index = indexes[of];
                fetched[index] = fetch_value(source, dimensions, Some(value), |vector| put(index, vector))?;
                Ok(())
            };
            match self.toasts.entry(table).or_insert_with(|| Toast::open(table, self.snapshot)) {
                Some(toast) => toast.read(&pointers, &mut found)?,
                None => (0..pointers.len()).try_for_each(|of| found(of, pointers[of].as_datum()))?,
            }
        }
        Ok(fetched)
    }

    /// The rows at those of `places` that only a query reads.
    fn query(&self, places: &[(Place, Seen)]) -> Queried<'a> {
        let mut queried = Queried { rows: Vec::new(), at: HashMap::new() };
        let places = || places.iter().map(|(place, _)| place);
        let mut ask = |plan: &Plan<'a>, asked: &dyn Fn(&&Place) -> bool| {
            let tids = places().filter(asked).map(|place| (place.block, place.offset));
            // SAFETY: the query has one parameter, of type tid[]; its columns are table, place and value.
            let rows = unsafe { plan.select(&mut [spi::tid_array(tids)]) };
            for index in 0..rows.len() {
                let (Some(table), Some(tid)) = (rows.get(index, 0), rows.get(index, 1)) else { continue };
                // SAFETY: see above.
                let (table, (block, offset)) = unsafe { (spi::oid(table), spi::place(tid)) };
                queried.at.insert(RowId { table, block, offset }, (queried.rows.len(), index));
            }
            queried.rows.push(rows);
        };
        if let Some(plan) = &self.by_query {
            ask(plan, &|_| true);
        }
        for (&part, plan) in &self.elsewhere {
            if places().any(|place| place.part == part) {
                ask(plan, &|place| place.part == part);
            }
        }
        self.judge_offsets(places, &queried);
        queried
    }

    fn judge_offsets<'p, P: Iterator<Item = &'p Place>>(&self, places: impl Fn() -> P, queried: &Queried) {
        for (part, piece) in (0..).zip(&self.parts.pieces) {
            let Piece::Elsewhere(foreign) = piece else { continue };
            let table = foreign.relation.oid();
            let found = |place: &&Place| {
                let Place { block, offset, .. } = **place;
                place.part == part && queried.at.contains_key(&RowId { table, block, offset })
            };
            let offsets = || places().filter(found).map(|place| place.offset);
            if let Some(largest) = offsets().max().filter(|_| offsets().count() >= ROWS_TO_JUDGE_OFFSETS_BY) {
                foreign.saw_offset(largest);
            }
        }
    }

    /// The first `most` places of rows with a value for which `position` gives one, in its order.
    fn scan(
        &mut self,
        source: &Source,
        connection: &Connection,
        most: usize,
        mut position: impl FnMut(Place) -> Option<Position>,
    ) -> Vec<(Position, Place)> {
        let mut first = BinaryHeap::new();
        let mut visit = |place| {
            let Some(position) = position(place) else { return };
            if first.len() < most {
                first.push((position, place));
            } else if let Some(mut last) = first.peek_mut().filter(|last| (position, place) < **last) {
                *last = (position, place);
            }
        };
        if self.by_query.is_some() {
            let plan = connection.prepare(&source.query_for_places(), &[]);
            let mut cursor = plan.open();
            loop {
                let rows = cursor.fetch(ROWS_AT_A_TIME);
                for row in 0..rows.len() {
                    let (Some(table), Some(tid)) = (rows.get(row, 0), rows.get(row, 1)) else { continue };
                    // SAFETY: the query's columns are table and place.
                    let (table, (block, offset)) = unsafe { (spi::oid(table), spi::place(tid)) };
                    if let Some(part) = self.parts.index_of(table) {
                        visit(Place { part, block, offset });
                    }
                }
                if rows.len() == 0 {
                    break;
                }
            }
        } else {
            for (part, piece) in (0..).zip(&mut self.parts.pieces) {
                if let Piece::Here(table) = piece {
                    table.scan(|block, offset| visit(Place { part, block, offset }));
                }
            }
        }
        first.into_sorted_vec()
    }
}
