//! What a query orders rows by, so that an index gives the order: its own expression and its own operator.

use std::ffi::CStr;

use pgrx::pg_sys::{self, NodeTag};
use pgrx::{PgList, PgRelation};

use crate::source::{Source, cast_to, namespace_of};

/// Lengths of rows whose longest is this many times the shortest are uneven: ranking by inner product would then be
/// ranking by length.
pub const UNEVEN: f64 = 1.02;

/// What the rows of a source are ranked by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Metric {
    InnerProduct,
    Cosine,
}

impl Metric {
    /// The metric for rows whose longest is `spread` times the shortest.
    pub fn of(spread: Option<f64>) -> Self {
        if spread.is_some_and(|spread| spread > UNEVEN) { Metric::Cosine } else { Metric::InnerProduct }
    }

    pub fn name(self) -> &'static str {
        match self {
            Metric::InnerProduct => "inner product",
            Metric::Cosine => "cosine",
        }
    }

    pub fn operator(self) -> &'static str {
        match self {
            Metric::InnerProduct => "<#>",
            Metric::Cosine => "<=>",
        }
    }

    /// How well an index whose operator has this name gives the order of the metric, the least best.
    fn rank_of(self, operator: &CStr) -> Option<u8> {
        // Rows of even length are in the same order by all; bits of signs know no lengths.
        match (self, operator.to_bytes()) {
            (Metric::InnerProduct, b"<#>") | (Metric::Cosine, b"<=>") => Some(0),
            (Metric::InnerProduct, b"<=>") => Some(1),
            (Metric::InnerProduct, b"<->") => Some(2),
            (_, b"<~>") => Some(3),
            _ => None,
        }
    }
}

/// An order of rows by their distance to a vector.
#[derive(Debug, Clone, PartialEq)]
pub struct Order {
    expression: String,
    operator: String,
    /// What the vector becomes, with `$` in its place.
    operand: String,
    /// Whether it is so coarse that its best rows are to be ranked again.
    pub is_coarse: bool,
}

impl Order {
    /// The order that the best index of `source` has for rows of these dimensions, or the metric's own.
    pub fn of(source: &Source, metric: Metric, dimensions: usize) -> Self {
        let mut best: Option<(u8, Order)> = None;
        for index in indexes(&source.relation) {
            let Some(found) = order_of(source, &index, metric, dimensions) else { continue };
            if best.as_ref().is_none_or(|best| found.0 < best.0) {
                best = Some(found);
            }
        }
        best.map_or_else(|| Order::plain(source, metric), |(_, order)| order)
    }

    fn plain(source: &Source, metric: Metric) -> Self {
        let (expression, operator) = source.plain_order(metric);
        let operand = cast_to("$", source.vector_type(), source.compared_type());
        Order { expression, operator, operand, is_coarse: false }
    }

    /// In SQL, for the vector that `parameter` is.
    pub fn by(&self, parameter: &str) -> String {
        format!("{} {} {}", self.expression, self.operator, self.operand.replace('$', parameter))
    }

    /// Rows to ask for, for each that is wanted.
    pub fn candidates(&self) -> u64 {
        if self.is_coarse { 8 } else { 1 }
    }
}

/// The valid indexes of a relation, open.
fn indexes(relation: &PgRelation) -> Vec<PgRelation> {
    let lock = pg_sys::AccessShareLock as pg_sys::LOCKMODE;
    // SAFETY: an open relation; its indexes are locked and closed when dropped.
    let open = unsafe {
        let indexes = PgList::<pg_sys::Oid>::from_pg(pg_sys::RelationGetIndexList(relation.as_ptr()));
        indexes
            .iter_oid()
            .map(|oid| PgRelation::from_pg_owned(pg_sys::index_open(oid, lock)))
            .collect::<Vec<_>>()
    };
    // SAFETY: an open index has its pg_index row.
    open.into_iter().filter(|index| unsafe { (*index.rd_index).indisvalid }).collect()
}

/// The order of an index, and how well it fits the metric.
fn order_of(source: &Source, index: &PgRelation, metric: Metric, dimensions: usize) -> Option<(u8, Order)> {
    // SAFETY: an open index has its pg_index row with at least one key, and the operator family of each; a partitioned
    // one has no access method's routines. Names are palloc'd and NUL-terminated.
    let (attribute, name, schema) = unsafe {
        let row = &*index.rd_index;
        let (family, input) = (*index.rd_opfamily, *index.rd_opcintype);
        let nearest = 1;
        let operator = pg_sys::get_opfamily_member(family, input, input, nearest);
        let name = pg_sys::get_opname(operator);
        if name.is_null() {
            return None;
        }
        (row.indkey.values.as_slice(1)[0], CStr::from_ptr(name), namespace_of_operator(operator)?)
    };
    let rank = metric.rank_of(name)?;
    let operator = format!("OPERATOR({schema}.{})", name.to_string_lossy());
    if attribute != 0 {
        let is_column = source.attribute_of(&source.relation) == Some(attribute.into());
        let order = Order { operator, ..Order::plain(source, metric) };
        return is_column.then_some((2 * rank, order));
    }
    let (expression, operand) = expression_of(source, index, dimensions)?;
    let is_coarse = name == c"<~>";
    Some((2 * rank + 1, Order { expression, operator, operand, is_coarse }))
}

/// The expression of an index on the column as another type, and what becomes of the vector that it is compared with.
fn expression_of(source: &Source, index: &PgRelation, dimensions: usize) -> Option<(String, String)> {
    let attribute = source.attribute_of(&source.relation)?;
    // SAFETY: an open index on an expression has a list of them; nodes have the type that their tag says. The text is
    // palloc'd and NUL-terminated, and names what it refers to so that the same session finds it.
    unsafe {
        let expressions =
            PgList::<pg_sys::Node>::from_pg(pg_sys::RelationGetIndexExpressions(index.as_ptr()));
        let node = expressions.get_ptr(0).filter(|_| expressions.len() == 1)?;
        let (of, typmod) = (pg_sys::exprType(node), pg_sys::exprTypmod(node));
        let is_quantized = match inner(node, attribute)? {
            Inner::Column => false,
            Inner::Quantized => true,
        };
        if usize::try_from(typmod).is_ok_and(|length| length != dimensions) {
            return None;
        }
        let text = CStr::from_ptr(pg_sys::pg_get_indexdef_columns(index.oid(), false))
            .to_string_lossy()
            .into_owned();
        let operand = match is_quantized {
            true => format!("{}.binary_quantize($)", namespace_of(source.vector_type())),
            false => cast_to("$", source.vector_type(), of),
        };
        Some((format!("({text})"), operand))
    }
}

/// What an expression is of.
enum Inner {
    Column,
    /// The signs of the column's elements.
    Quantized,
}

/// What `node` casts.
///
/// # Safety
/// `node` is a valid expression of an index on a relation.
unsafe fn inner(node: *mut pg_sys::Node, attribute: i32) -> Option<Inner> {
    // SAFETY: nodes have the type that their tag says.
    unsafe {
        match (*node).type_ {
            NodeTag::T_Var => {
                let is_column = i32::from((*node.cast::<pg_sys::Var>()).varattno) == attribute;
                is_column.then_some(Inner::Column)
            }
            NodeTag::T_RelabelType => inner((*node.cast::<pg_sys::RelabelType>()).arg.cast(), attribute),
            NodeTag::T_FuncExpr => {
                let call = &*node.cast::<pg_sys::FuncExpr>();
                let argument = PgList::<pg_sys::Node>::from_pg(call.args).get_ptr(0)?;
                let of = inner(argument, attribute)?;
                let is_cast = call.funcformat != pg_sys::CoercionForm::COERCE_EXPLICIT_CALL;
                let name = pg_sys::get_func_name(call.funcid);
                let quantizes = !name.is_null() && CStr::from_ptr(name) == c"binary_quantize";
                match of {
                    of if is_cast => Some(of),
                    Inner::Column if quantizes => Some(Inner::Quantized),
                    _ => None,
                }
            }
            _ => None,
        }
    }
}

/// The schema of an operator, quoted.
fn namespace_of_operator(operator: pg_sys::Oid) -> Option<String> {
    // SAFETY: a catalog look-up of an operator; the name is palloc'd and NUL-terminated.
    unsafe {
        let tuple = pg_sys::SearchSysCache1(pg_sys::SysCacheIdentifier::OPEROID as i32, operator.into());
        let namespace = (*tuple.as_ref().map(|tuple| {
            let tuple: *const pg_sys::HeapTupleData = tuple;
            pg_sys::heap_tuple_get_struct::<pg_sys::FormData_pg_operator>(tuple.cast_mut())
        })?)
        .oprnamespace;
        pg_sys::ReleaseSysCache(tuple);
        let name = CStr::from_ptr(pg_sys::get_namespace_name(namespace));
        Some(pgrx::spi::quote_identifier(name.to_string_lossy()))
    }
}
