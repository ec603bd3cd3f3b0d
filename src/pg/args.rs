//! SQL arguments: unpacked, united and checked.

use super::error::Error;
use super::source::{Name, Regclass};
use super::vector::{Vector, VectorArray};
use crate::svm::{Named, Params};

/// The default of the argument `exemplar`, which tells an argument that was left out from a null, and
/// no exemplar can have: a direction needs more than nothing.
pub const LEFT_OUT: &[f32] = &[0.0];

/// # Errors
/// [`Error::NullArgument`].
pub fn required<T>(argument: &'static str, value: Option<T>) -> Result<T, Error> {
    value.ok_or(Error::NullArgument { argument })
}

/// The exemplars of `exemplar` and `exemplars` together, in this order.
///
/// # Errors
/// [`Error::NullArgument`] for a null `exemplar`, [`Error::NullElement`].
pub fn exemplars<'a>(
    exemplar: &'a Option<Vector>,
    exemplars: &'a Option<VectorArray>,
) -> Result<Vec<Named<'a>>, Error> {
    let exemplar = exemplar.as_ref().ok_or(Error::NullArgument { argument: "exemplar" })?;
    let exemplar = Some(exemplar).filter(|exemplar| exemplar.values() != LEFT_OUT);
    united("exemplar", exemplar, "exemplars", exemplars)
}

/// The hints of `hint` and `hints` together, in this order. A null `hint` is no hint.
///
/// # Errors
/// [`Error::NullElement`].
pub fn hints<'a>(hint: &'a Option<Vector>, hints: &'a Option<VectorArray>) -> Result<Vec<Named<'a>>, Error> {
    united("hint", hint.as_ref(), "hints", hints)
}

fn united<'a>(
    singular: &'static str,
    one: Option<&'a Vector>,
    plural: &'static str,
    many: &'a Option<VectorArray>,
) -> Result<Vec<Named<'a>>, Error> {
    let one = one.map(|vector| Named { name: singular.into(), values: vector.values() });
    let many = many.as_ref().map_or(Ok(Vec::new()), |many| elements(plural, many))?;
    Ok(one.into_iter().chain(many).collect())
}

/// The elements of an array argument, each with its subscript.
///
/// # Errors
/// [`Error::NullElement`].
pub fn elements<'a>(argument: &'static str, array: &'a VectorArray) -> Result<Vec<Named<'a>>, Error> {
    let named = |(i, vector): (usize, &'a Option<Vector>)| {
        let vector = vector.as_ref().ok_or(Error::NullElement { argument })?;
        Ok(Named { name: format!("{argument}[{}]", i + 1), values: vector.values() })
    };
    array.vectors().iter().enumerate().map(named).collect()
}

/// The parameters of a fit.
///
/// # Errors
/// [`Error::NullArgument`], and what [`Params::check`] fails with.
pub fn params(
    lambda: Option<f64>,
    hint_weight: Option<f64>,
    tol: Option<f64>,
    max_iter: Option<i32>,
) -> Result<Params, Error> {
    let params = Params {
        lambda: required("lambda", lambda)?,
        hint_weight: required("hint_weight", hint_weight)?,
        tol: required("tol", tol)?,
        max_iter: at_least_one("max_iter", max_iter)?,
    };
    params.check()?;
    Ok(params)
}

/// All arguments as bytes: equal for calls that ask for the same.
pub fn bytes(
    source: &Regclass,
    embedding: &Name,
    exemplars: &[Named],
    hints: &[Named],
    sample_size: usize,
    seed: i64,
    params: &Params,
) -> Vec<u8> {
    let mut bytes = format!("{source:?} {embedding:?} {sample_size} {seed} {params:?}").into_bytes();
    for vectors in [exemplars, hints] {
        bytes.extend(vectors.len().to_ne_bytes());
        for vector in vectors {
            bytes.extend(vector.values.len().to_ne_bytes());
            bytes.extend(vector.values.iter().flat_map(|value| value.to_bits().to_ne_bytes()));
        }
    }
    bytes
}

/// An integer argument that counts something.
///
/// # Errors
/// [`Error::NullArgument`], [`Error::OutOfRange`].
pub fn at_least_one(argument: &'static str, value: Option<i32>) -> Result<usize, Error> {
    let value = required(argument, value)?;
    let range = "1 or greater";
    match usize::try_from(value) {
        Ok(count) if count >= 1 => Ok(count),
        _ => Err(Error::OutOfRange { argument, value: value.into(), range }),
    }
}
