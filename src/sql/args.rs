//! SQL arguments: unpacked, united and checked.

use pgrx::{FromDatum, pg_sys};

use crate::error::Error;
use crate::postgres::vector::{Vector, VectorArray};
use crate::source::{Name, Regclass};
use exemplar_svm::{Example, Named, Params, Query};

/// The arguments of `hinted_exemplar` and of all that take the same, in their order; those of a search follow.
pub const HINTED_EXEMPLAR: &[&str] = SEARCH.split_at(SEARCH.len() - 3).0;

/// The arguments of `hinted_exemplar_search`, in their order.
pub const SEARCH: &[&str] = &[
    "source",
    "embedding",
    "exemplar",
    "hint",
    "exemplars",
    "hints",
    "counter_exemplars",
    "counter_hints",
    "reasons",
    "neutral_hint",
    "neutral_hints",
    "exemplar_weights",
    "counter_exemplar_weights",
    "expand",
    "sample_size",
    "lambda",
    "hint_weight",
    "counter_hint_weight",
    "neutral_fraction",
    "loss",
    "objective",
    "seed",
    "tol",
    "max_iter",
    "k",
    "filter",
    "key",
];

/// The arguments of `exemplar_svm`, in their order.
pub const EXEMPLAR_SVM: &[&str] = &[
    "exemplars",
    "negatives",
    "hints",
    "counter_exemplars",
    "counter_hints",
    "reasons",
    "neutral_hints",
    "exemplar_weights",
    "counter_exemplar_weights",
    "lambda",
    "hint_weight",
    "counter_hint_weight",
    "neutral_fraction",
    "loss",
    "objective",
    "tol",
    "max_iter",
];

/// The default of the argument `exemplar`, which tells an argument that was left out from a null, and
/// no exemplar can have: a direction needs more than nothing.
const LEFT_OUT: &[f32] = &[0.0];

/// A call of an SQL function whose arguments are called `names`.
#[derive(Clone, Copy)]
pub struct Call {
    fcinfo: pg_sys::FunctionCallInfo,
    names: &'static [&'static str],
}

impl Call {
    /// # Safety
    /// `fcinfo` is the current call of a function that SQL declares with `names`, each of the type that the
    /// methods below read it as. A test compares them with the catalog.
    pub unsafe fn new(fcinfo: pg_sys::FunctionCallInfo, names: &'static [&'static str]) -> Self {
        Call { fcinfo, names }
    }

    /// The OID of `vector`, from the declared type of `exemplars`.
    pub fn vector_type(&self) -> pg_sys::Oid {
        let (mut types, mut count) = (std::ptr::null_mut(), 0);
        let position = self.position("exemplars").unwrap_or(0);
        // SAFETY: Postgres sets flinfo and the function that is called exists; get_func_signature pallocs
        // its `count` argument types, of which `names` has a part.
        unsafe {
            pg_sys::get_func_signature((*(*self.fcinfo).flinfo).fn_oid, &mut types, &mut count);
            pg_sys::get_element_type(*types.add(position))
        }
    }

    fn position(&self, name: &str) -> Option<usize> {
        self.names.iter().position(|&candidate| candidate == name)
    }

    /// The value of an argument, or `None` for a null and for an argument that the function has not.
    fn get<T: FromDatum>(&self, name: &str) -> Option<T> {
        // SAFETY: `new` says that the call has this argument, and that it is of this type.
        self.position(name).and_then(|i| unsafe { pgrx::fcinfo::pg_getarg(self.fcinfo, i) })
    }

    fn required<T: FromDatum>(&self, argument: &'static str) -> Result<T, Error> {
        self.get(argument).ok_or(Error::NullArgument { argument })
    }

    fn vector(&self, name: &str) -> Result<Option<Vector>, Error> {
        let datum = self.get::<pg_sys::Datum>(name);
        // SAFETY: as above, a vector; arguments outlive the call.
        datum.map(|datum| unsafe { Vector::from_datum(datum) }).transpose()
    }

    fn vectors(&self, name: &str) -> Result<Option<VectorArray>, Error> {
        let datum = self.get::<pg_sys::Datum>(name);
        // SAFETY: as above, a vector[]; arguments outlive the call.
        datum.map(|datum| unsafe { VectorArray::from_datum(datum) }).transpose()
    }

    /// The weights of `count` examples, 1 each where the argument is null.
    fn weights(&self, argument: &'static str, of: &'static str, count: usize) -> Result<Vec<f64>, Error> {
        let Some(weights) = self.get::<Vec<Option<f64>>>(argument) else { return Ok(vec![1.0; count]) };
        if weights.len() != count {
            return Err(Error::LengthsDiffer { argument, found: weights.len(), of, expected: count });
        }
        weights.into_iter().map(|weight| weight.ok_or(Error::NullElement { argument })).collect()
    }

    /// A text argument that is one of a few names.
    fn one_of<T: std::str::FromStr>(&self, argument: &'static str, names: &'static str) -> Result<T, Error> {
        let name: String = self.required(argument)?;
        name.parse().map_err(|_| Error::UnknownName { argument, name, names })
    }

    fn count(&self, argument: &'static str, least: i32) -> Result<usize, Error> {
        let value: i32 = self.required(argument)?;
        let range = if least == 0 { "0 or greater" } else { "1 or greater" };
        let out_of_range = Error::OutOfRange { argument, value: value.into(), range };
        if value < least { Err(out_of_range) } else { Ok(value as usize) }
    }

    /// The relation and the column that negatives come from.
    ///
    /// # Errors
    /// [`Error::NullArgument`].
    pub fn source(&self) -> Result<(Regclass, Name), Error> {
        let (oid, column) =
            (self.required::<pg_sys::Oid>("source")?, self.required::<&std::ffi::CStr>("embedding")?);
        Ok((oid.into(), column.to_string_lossy().into_owned().into()))
    }

    /// # Errors
    /// [`Error::NullArgument`], [`Error::OutOfRange`], [`Error::UnknownName`] and what [`Params::check`]
    /// fails with.
    pub fn params(&self) -> Result<Params, Error> {
        let params = Params {
            lambda: self.required("lambda")?,
            hint_weight: self.required("hint_weight")?,
            counter_hint_weight: self.required("counter_hint_weight")?,
            neutral_fraction: self.required("neutral_fraction")?,
            loss: self.one_of("loss", exemplar_svm::Loss::NAMES)?,
            form: self.one_of("objective", exemplar_svm::Form::NAMES)?,
            tol: self.required("tol")?,
            max_iter: self.count("max_iter", 1)?,
        };
        params.check()?;
        Ok(params)
    }

    /// What a search is asked for beside its fit.
    ///
    /// # Errors
    /// [`Error::NullArgument`], [`Error::OutOfRange`].
    pub fn search(&self) -> Result<Search, Error> {
        Ok(Search { k: self.count("k", 1)?, filter: self.get("filter"), key: self.get("key") })
    }

    /// # Errors
    /// [`Error::NullArgument`], [`Error::OutOfRange`].
    pub fn sampling(&self) -> Result<Sampling, Error> {
        Ok(Sampling {
            sample_size: self.count("sample_size", 1)?,
            seed: self.required("seed")?,
            expand: self.count("expand", 0)?,
        })
    }

    /// # Errors
    /// [`Error::NullArgument`] for a null `exemplar`, and what reading the vectors fails with.
    pub fn vector_arguments(&self) -> Result<VectorArguments, Error> {
        let exemplar = self.vector("exemplar")?;
        if exemplar.is_none() && self.position("exemplar").is_some() {
            return Err(Error::NullArgument { argument: "exemplar" });
        }
        Ok(VectorArguments {
            exemplar: exemplar.filter(|exemplar| exemplar.values() != LEFT_OUT),
            exemplars: self.vectors("exemplars")?,
            counter_exemplars: self.vectors("counter_exemplars")?,
            reasons: self.vectors("reasons")?,
            hint: self.vector("hint")?,
            hints: self.vectors("hints")?,
            counter_hints: self.vectors("counter_hints")?,
            neutral_hint: self.vector("neutral_hint")?,
            neutral_hints: self.vectors("neutral_hints")?,
            negatives: self.vectors("negatives")?,
        })
    }

    /// What is asked for; [`vector_arguments`](Self::vector_arguments) of the same call keep its vectors.
    ///
    /// # Errors
    /// [`Error::NullElement`], [`Error::LengthsDiffer`], [`Error::ReasonsAlone`] and what
    /// [`Query::without_weightless`] fails with.
    pub fn query<'a>(&self, vectors: &'a VectorArguments) -> Result<Query<'a>, Error> {
        let exemplars = united("exemplar", &vectors.exemplar, "exemplars", &vectors.exemplars)?;
        let counters = united("", &None, "counter_exemplars", &vectors.counter_exemplars)?;
        let mut reasons = vec![None; counters.len()];
        if let Some(array) = &vectors.reasons {
            let (found, expected) = (array.vectors().len(), counters.len());
            if found > 0 && expected == 0 {
                return Err(Error::ReasonsAlone);
            }
            if found != expected {
                let (argument, of) = ("reasons", "counter_exemplars");
                return Err(Error::LengthsDiffer { argument, found, of, expected });
            }
            reasons =
                array.vectors().iter().enumerate().map(|(i, r)| named("reasons", i, r.as_ref())).collect();
        }
        let weights = self.weights("exemplar_weights", "exemplars", exemplars.len())?;
        let counter_weights =
            self.weights("counter_exemplar_weights", "counter_exemplars", counters.len())?;
        let example = |((vector, weight), reason)| Example { vector, weight, reason };
        let query = Query {
            exemplars: exemplars.into_iter().zip(weights).map(|pair| example((pair, None))).collect(),
            counter_exemplars: counters.into_iter().zip(counter_weights).zip(reasons).map(example).collect(),
            hints: united("hint", &vectors.hint, "hints", &vectors.hints)?,
            counter_hints: united("", &None, "counter_hints", &vectors.counter_hints)?,
            neutral_hints: united(
                "neutral_hint",
                &vectors.neutral_hint,
                "neutral_hints",
                &vectors.neutral_hints,
            )?,
        };
        Ok(query.without_weightless()?)
    }

    /// The negatives that the caller brings.
    ///
    /// # Errors
    /// [`Error::NullArgument`], [`Error::NullElement`].
    pub fn negatives<'a>(&self, vectors: &'a VectorArguments) -> Result<Vec<Named<'a>>, Error> {
        for (argument, array) in [("exemplars", &vectors.exemplars), ("negatives", &vectors.negatives)] {
            array.as_ref().ok_or(Error::NullArgument { argument })?;
        }
        united("", &None, "negatives", &vectors.negatives)
    }
}

/// How negatives are drawn, and how many of the best rows are taken for a second fit.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sampling {
    pub sample_size: usize,
    pub seed: i64,
    pub expand: usize,
}

/// Which rows a search returns, and how.
#[derive(Debug, Clone, PartialEq)]
pub struct Search {
    /// How many rows.
    pub k: usize,
    /// The condition on them.
    pub filter: Option<String>,
    /// The columns that name them.
    pub key: Option<String>,
}

/// The vectors of a call, detoasted.
pub struct VectorArguments {
    exemplar: Option<Vector>,
    exemplars: Option<VectorArray>,
    counter_exemplars: Option<VectorArray>,
    reasons: Option<VectorArray>,
    hint: Option<Vector>,
    hints: Option<VectorArray>,
    counter_hints: Option<VectorArray>,
    neutral_hint: Option<Vector>,
    neutral_hints: Option<VectorArray>,
    negatives: Option<VectorArray>,
}

/// The vectors of a singular argument and its plural together, in this order, as errors call them.
fn united<'a>(
    singular: &'static str,
    one: &'a Option<Vector>,
    plural: &'static str,
    many: &'a Option<VectorArray>,
) -> Result<Vec<Named<'a>>, Error> {
    let one = one.iter().map(|vector| Ok(Named { name: singular.into(), values: vector.values() }));
    let many = many.iter().flat_map(|array| array.vectors().iter().enumerate());
    let element = |(i, vector): (usize, &'a Option<Vector>)| {
        named(plural, i, vector.as_ref()).ok_or(Error::NullElement { argument: plural })
    };
    one.chain(many.map(element)).collect()
}

fn named<'a>(argument: &str, i: usize, vector: Option<&'a Vector>) -> Option<Named<'a>> {
    vector.map(|vector| Named { name: format!("{argument}[{}]", i + 1), values: vector.values() })
}

/// All arguments as bytes: equal for calls that ask for the same.
pub fn bytes(
    source: &Regclass,
    column: &Name,
    query: &Query,
    sampling: Sampling,
    params: &Params,
) -> Vec<u8> {
    let weights = |examples: &[Example]| examples.iter().map(|e| e.weight.to_bits()).collect::<Vec<_>>();
    let weights = (weights(&query.exemplars), weights(&query.counter_exemplars));
    let mut bytes = format!("{source:?} {column:?} {sampling:?} {params:?} {weights:?}").into_bytes();
    for vector in query.vectors() {
        // The name says which argument it is, and for a reason also which counter-exemplar's.
        bytes.extend(vector.name.as_bytes());
        bytes.extend(vector.values.len().to_ne_bytes());
        bytes.extend(vector.values.iter().flat_map(|value| value.to_bits().to_ne_bytes()));
    }
    bytes
}
