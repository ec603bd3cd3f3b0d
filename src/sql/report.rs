//! A fit explained, as a row and as JSON.

use std::mem::take;

use pgrx::callconv::{BoxRet, FcInfo};
use pgrx::{IntoDatum, PgTupleDesc, pg_sys};
use serde::Serialize;
use serde::ser::SerializeMap;

use crate::error::names::Names;
use crate::fit::Outcome;
use crate::postgres::check_interrupts;
use crate::postgres::vector::NewVector;
use crate::sample::RowId;
use exemplar_svm::{Query, Report};

/// Most likely false negatives that are listed one by one.
const LISTED_FALSE_NEGATIVES: usize = 100;

/// What `hinted_exemplar_fit` returns; its columns have these names.
#[derive(Serialize)]
pub struct FitReport {
    weights: Vec<f32>,
    bias: f64,
    scale: f64,
    objective_value: f64,
    loss_term: f64,
    regularization_term: f64,
    hint_term: f64,
    cosine_hint: Option<f64>,
    hint_z: Option<f64>,
    hint_trust: Option<f64>,
    wanted_share: Option<f64>,
    cosine_counter_hints: Vec<f64>,
    cosine_exemplars: Vec<f64>,
    exemplar_margins: Vec<f64>,
    counter_exemplar_margins: Vec<f64>,
    conflicts: Vec<String>,
    conflict_count: i64,
    false_negatives: i64,
    false_negative_rows: Vec<FalseNegative>,
    /// Whether the caller may know which rows these are.
    #[serde(skip)]
    tells_rows: bool,
    iterations: i32,
    converged: bool,
    sampled: i64,
    skipped: i64,
    length_spread: Option<f64>,
    expanded: i32,
    sampling_ms: f64,
    solving_ms: f64,
}

/// A sampled row that scores as an exemplar does.
#[derive(Serialize)]
struct FalseNegative {
    /// Where it is, if rows of the source have places.
    #[serde(flatten, serialize_with = "place")]
    row: Option<RowId>,
    margin: f64,
}

impl FitReport {
    /// Explains `outcome`, the fit of `query`, whose vectors have these `names`; which rows are false negatives only if
    /// it `tells_rows`.
    pub fn of(query: &Query, names: &Names, outcome: &Outcome, tells_rows: bool) -> Self {
        let Outcome { problem, fit, drawn, expanded, sampling, solving, .. } = outcome;
        let report = Report::of(problem, fit, &mut check_interrupts);
        let given = query.exemplars.len();
        let false_negatives =
            report.false_negatives.iter().zip(report.false_negative_margins).take(LISTED_FALSE_NEGATIVES);
        let row_id = |row: usize| drawn.row_ids.get(row).copied().flatten().filter(|_| tells_rows);
        let false_negative = |(&row, margin)| FalseNegative { row: row_id(row), margin };
        FitReport {
            weights: fit.weights.clone(),
            bias: fit.b,
            scale: fit.scale(),
            objective_value: fit.value.total(),
            loss_term: fit.value.loss,
            regularization_term: fit.value.regularization,
            hint_term: fit.value.hint,
            cosine_hint: report.cosine_hint,
            hint_z: report.hint_z,
            hint_trust: report.hint_trust,
            wanted_share: report.wanted_share,
            cosine_counter_hints: report.cosine_counter_hints,
            cosine_exemplars: report.cosine_exemplars[..given].to_vec(),
            exemplar_margins: report.margins_exemplars[..given].to_vec(),
            counter_exemplar_margins: report.margins_counter_exemplars,
            conflicts: report
                .conflicts
                .iter()
                .map(|conflict| conflict.as_given(query).in_words(|input| names.of(input)))
                .collect(),
            conflict_count: report.conflict_count as i64,
            false_negatives: report.false_negatives.len() as i64,
            false_negative_rows: false_negatives.map(false_negative).collect(),
            tells_rows,
            iterations: fit.iterations as i32,
            converged: fit.converged,
            sampled: problem.set().negatives() as i64,
            skipped: (drawn.nulls + drawn.zeros + drawn.examples + drawn.others) as i64,
            length_spread: drawn.lengths.spread(),
            expanded: *expanded as i32,
            sampling_ms: sampling.as_secs_f64() * 1e3,
            solving_ms: solving.as_secs_f64() * 1e3,
        }
    }
}

impl FitReport {
    /// The value of the column `name`, asked for once; `None` for null.
    fn column(&mut self, name: &str) -> Option<pg_sys::Datum> {
        let rows = self.false_negative_rows.iter().filter_map(|false_negative| false_negative.row);
        let rows = self.tells_rows.then_some(rows);
        match name {
            "weights" => NewVector(take(&mut self.weights)).into_datum(),
            "bias" => self.bias.into_datum(),
            "scale" => self.scale.into_datum(),
            "objective_value" => self.objective_value.into_datum(),
            "loss_term" => self.loss_term.into_datum(),
            "regularization_term" => self.regularization_term.into_datum(),
            "hint_term" => self.hint_term.into_datum(),
            "cosine_hint" => self.cosine_hint.into_datum(),
            "hint_z" => self.hint_z.into_datum(),
            "hint_trust" => self.hint_trust.into_datum(),
            "wanted_share" => self.wanted_share.into_datum(),
            "cosine_counter_hints" => take(&mut self.cosine_counter_hints).into_datum(),
            "cosine_exemplars" => take(&mut self.cosine_exemplars).into_datum(),
            "exemplar_margins" => take(&mut self.exemplar_margins).into_datum(),
            "counter_exemplar_margins" => take(&mut self.counter_exemplar_margins).into_datum(),
            "conflicts" => take(&mut self.conflicts).into_datum(),
            "conflict_count" => self.conflict_count.into_datum(),
            "false_negatives" => self.false_negatives.into_datum(),
            "false_negative_tables" => {
                rows.map(|rows| rows.map(|row| row.table).collect::<Vec<_>>()).into_datum()
            }
            "false_negative_ctids" => {
                rows.map(|rows| rows.map(|row| row.tid()).collect::<Vec<_>>()).into_datum()
            }
            "false_negative_margins" => {
                self.false_negative_rows.iter().map(|s| s.margin).collect::<Vec<_>>().into_datum()
            }
            "iterations" => self.iterations.into_datum(),
            "converged" => self.converged.into_datum(),
            "sampled" => self.sampled.into_datum(),
            "skipped" => self.skipped.into_datum(),
            "length_spread" => self.length_spread.into_datum(),
            "expanded" => self.expanded.into_datum(),
            "sampling_ms" => self.sampling_ms.into_datum(),
            "solving_ms" => self.solving_ms.into_datum(),
            _ => None,
        }
    }
}

/// A table's name and a row's ctid, as SQL writes them.
fn place<S: serde::Serializer>(row: &Option<RowId>, serializer: S) -> Result<S::Ok, S::Error> {
    let mut place = serializer.serialize_map(None)?;
    if let Some(row) = row {
        place.serialize_entry("table", &row.table_name())?;
        place.serialize_entry("ctid", &format!("({},{})", row.block, row.offset))?;
    }
    place.end()
}

/// A report to return as a row, of the columns that SQL declares.
pub struct NewRow(pub FitReport);

pgrx::impl_sql_translatable!(NewRow, "exemplar_fit");

// SAFETY: the datum is a row of the type that SQL declares, since its columns are taken from there.
unsafe impl BoxRet for NewRow {
    unsafe fn box_into<'fcx>(mut self, fcinfo: &mut FcInfo<'fcx>) -> pgrx::datum::Datum<'fcx> {
        let mut description = std::ptr::null_mut();
        // SAFETY: a function that SQL declares to return a row type has a row description, here blessed, in the memory
        // of the call. heap_form_tuple copies `values`, one for each attribute.
        unsafe {
            pg_sys::get_call_result_type(fcinfo.as_mut_ptr(), std::ptr::null_mut(), &mut description);
            let description = PgTupleDesc::from_pg_unchecked(pg_sys::BlessTupleDesc(description));
            let columns = description.iter().map(|attribute| self.0.column(attribute.name()));
            let columns: Vec<_> = columns.collect();
            let mut nulls: Vec<bool> = columns.iter().map(Option::is_none).collect();
            let null = pg_sys::Datum::null();
            let mut values: Vec<_> = columns.into_iter().map(|value| value.unwrap_or(null)).collect();
            let tuple =
                pg_sys::heap_form_tuple(description.as_ptr(), values.as_mut_ptr(), nulls.as_mut_ptr());
            fcinfo.return_raw_datum(pg_sys::HeapTupleHeaderGetDatum((*tuple).t_data))
        }
    }
}
