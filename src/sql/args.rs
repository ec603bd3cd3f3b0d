//! SQL arguments: unpacked, united and checked.

use std::io::Write;

use pgrx::{FromDatum, pg_sys};

use crate::error::Error;
use crate::error::names::Names;
use crate::postgres::vector::{Vector, VectorArray};
use crate::postgres::{check_interrupts, memory};
use crate::search::found::Plane;
use crate::source::{Name, Regclass};
use exemplar_svm::{Example, FitError, Input, InputVector, Params, Query};

/// The arguments of `hinted_exemplar` and of all that take the same, in their order; those of a search follow.
pub const HINTED_EXEMPLAR: &[&str] = SEARCH.split_at(SEARCH.len() - 7).0;

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
    "expected_share",
    "loss",
    "objective",
    "seed",
    "tol",
    "max_iter",
    "source_filter",
    "k",
    "filter",
    "key",
    "weights",
    "scale",
    "bias",
    "diversity",
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
    "expected_share",
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
        // SAFETY: `new` says that it is a vector; arguments outlive the call.
        datum.map(|datum| unsafe { Vector::from_datum(datum) }).transpose()
    }

    fn vectors(&self, name: &str) -> Result<Option<VectorArray>, Error> {
        let datum = self.get::<pg_sys::Datum>(name);
        // SAFETY: `new` says that it is a vector[]; arguments outlive the call.
        datum.map(|datum| unsafe { VectorArray::from_datum(datum) }).transpose()
    }

    /// The weights of `count` examples, 1 each where the argument is null.
    fn weights(&self, argument: &'static str, of: &'static str, count: usize) -> Result<Vec<f64>, Error> {
        let mut weights = memory::with_room(count)?;
        match self.get::<pgrx::Array<f64>>(argument) {
            None => weights.resize(count, 1.0),
            Some(given) if given.len() != count => {
                return Err(Error::LengthsDiffer { argument, found: given.len(), of, expected: count });
            }
            Some(given) => {
                for weight in given.iter() {
                    weights.push(weight.ok_or(Error::NullElement { argument })?);
                }
            }
        }
        Ok(weights)
    }

    /// A text argument that is one of a few names.
    fn one_of<T: std::str::FromStr>(&self, argument: &'static str, names: &'static str) -> Result<T, Error> {
        let name: String = self.required(argument)?;
        name.parse().map_err(|_| Error::UnknownName { argument, name, names })
    }

    fn count(&self, argument: &'static str, least: i64) -> Result<usize, Error> {
        check_count(argument, self.required(argument)?, least)
    }

    /// The condition on the rows that are drawn, if there is one.
    pub fn source_filter(&self) -> Option<String> {
        self.get("source_filter")
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
            expected_share: self.get("expected_share"),
            loss: self.one_of("loss", exemplar_svm::Loss::NAMES)?,
            form: self.one_of("objective", exemplar_svm::Form::NAMES)?,
            tol: self.required("tol")?,
            max_iter: check_count("max_iter", self.required::<i32>("max_iter")?.into(), 1)?,
        };
        params.check()?;
        Ok(params)
    }

    /// What a search is asked for beside its fit.
    ///
    /// # Errors
    /// [`Error::NullArgument`], [`Error::OutOfRange`].
    pub fn search(&self) -> Result<Search, Error> {
        let diversity: f64 = self.required("diversity")?;
        if !(0.0..=1.0).contains(&diversity) {
            return Err(Error::OutsideUnitInterval { argument: "diversity", value: diversity });
        }
        Ok(Search { k: self.count("k", 1)?, filter: self.get("filter"), key: self.get("key"), diversity })
    }

    /// The weights to search by where they are not to be fitted, and the plane that they belong to if it is known.
    ///
    /// # Errors
    /// [`Error::WeightsBesideExamples`] where `query` asks for a fit, `ZeroVector`, and what reading a vector fails with.
    pub fn stored_weights(&self, query: &Query) -> Result<Option<StoredWeights>, Error> {
        let Some(weights) = self.vector("weights")? else { return Ok(None) };
        if query.vectors().next().is_some() {
            return Err(Error::WeightsBesideExamples);
        }
        let weights = weights.values().to_vec();
        let length = weights.iter().map(|&value| f64::from(value).powi(2)).sum::<f64>().sqrt();
        if length == 0.0 {
            return Err(FitError::ZeroVector { input: Input::Weights }.into());
        }
        let unit = weights.iter().map(|&value| (f64::from(value) / length) as f32).collect();
        let plane = self.get("scale").zip(self.get("bias")).map(|(scale, bias)| Plane { scale, bias });
        Ok(Some(StoredWeights { weights, unit, plane }))
    }

    /// # Errors
    /// [`Error::NullArgument`], [`Error::OutOfRange`].
    pub fn sampling(&self) -> Result<Sampling, Error> {
        Ok(Sampling {
            sample_size: self.count("sample_size", 1)?,
            seed: self.required("seed")?,
            expand: self.count("expand", 0)?,
            always: false,
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
        let exemplars = united(&vectors.exemplar, "exemplars", &vectors.exemplars, Input::Exemplar)?;
        let counters =
            united(&None, "counter_exemplars", &vectors.counter_exemplars, Input::CounterExemplar)?;
        let mut reasons = memory::with_room(counters.len())?;
        if let Some(array) = &vectors.reasons {
            let (found, expected) = (array.vectors().len(), counters.len());
            if found > 0 && expected == 0 {
                return Err(Error::ReasonsAlone);
            }
            if found != expected {
                let (argument, of) = ("reasons", "counter_exemplars");
                return Err(Error::LengthsDiffer { argument, found, of, expected });
            }
            reasons.extend(array.vectors().iter().enumerate().map(|(i, reason)| {
                reason.as_ref().map(|v| InputVector { input: Input::Reason(i), values: v.values() })
            }));
        }
        reasons.resize(counters.len(), None);
        let weights = self.weights("exemplar_weights", "exemplars", exemplars.len())?;
        let counter_weights =
            self.weights("counter_exemplar_weights", "counter_exemplars", counters.len())?;
        let example = |((vector, weight), reason)| Example { vector, weight, reason };
        let mut wanted = memory::with_room(exemplars.len())?;
        wanted.extend(exemplars.into_iter().zip(weights).map(|pair| example((pair, None))));
        let mut unwanted = memory::with_room(counters.len())?;
        unwanted.extend(counters.into_iter().zip(counter_weights).zip(reasons).map(example));
        let query = Query {
            exemplars: wanted,
            counter_exemplars: unwanted,
            hints: united(&vectors.hint, "hints", &vectors.hints, Input::Hint)?,
            counter_hints: united(&None, "counter_hints", &vectors.counter_hints, Input::CounterHint)?,
            neutral_hints: united(
                &vectors.neutral_hint,
                "neutral_hints",
                &vectors.neutral_hints,
                Input::NeutralHint,
            )?,
        };
        Ok(query.without_weightless()?)
    }

    /// The negatives that the caller brings.
    ///
    /// # Errors
    /// [`Error::NullArgument`], [`Error::NullElement`].
    pub fn negatives<'a>(&self, vectors: &'a VectorArguments) -> Result<Vec<InputVector<'a>>, Error> {
        for (argument, array) in [("exemplars", &vectors.exemplars), ("negatives", &vectors.negatives)] {
            array.as_ref().ok_or(Error::NullArgument { argument })?;
        }
        united(&None, "negatives", &vectors.negatives, Input::Negative)
    }
}

/// How negatives are drawn, and how many of the best rows are taken for a second fit.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sampling {
    pub sample_size: usize,
    pub seed: i64,
    pub expand: usize,
    /// Whether to draw also where a fit needs no negatives.
    pub always: bool,
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
    /// How much each must differ from those before it, between 0 and 1.
    pub diversity: f64,
}

/// A weight vector that an earlier call has fitted.
pub struct StoredWeights {
    pub weights: Vec<f32>,
    /// The same at unit length.
    pub unit: Vec<f32>,
    pub plane: Option<Plane>,
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

impl VectorArguments {
    /// What the caller calls these vectors; negatives are rows of `column` if it is given.
    pub fn names(&self, column: Option<&Name>) -> Names {
        Names::Arguments {
            exemplar: self.exemplar.is_some(),
            hint: self.hint.is_some(),
            neutral_hint: self.neutral_hint.is_some(),
            column: column.map(|column| column.as_str().into()),
        }
    }
}

/// The vectors of a singular argument and its plural together, in this order.
fn united<'a>(
    one: &'a Option<Vector>,
    plural: &'static str,
    many: &'a Option<VectorArray>,
    input: fn(usize) -> Input,
) -> Result<Vec<InputVector<'a>>, Error> {
    let many = many.as_ref().map_or(&[][..], VectorArray::vectors);
    let mut united = memory::with_room(many.len() + 1)?;
    let one = one.iter().map(Some);
    for (i, vector) in one.chain(many.iter().map(Option::as_ref)).enumerate() {
        let vector = vector.ok_or(Error::NullElement { argument: plural })?;
        united.push(InputVector { input: input(i), values: vector.values() });
    }
    Ok(united)
}

fn check_count(argument: &'static str, value: i64, least: i64) -> Result<usize, Error> {
    let range = if least == 0 { "0 or greater" } else { "1 or greater" };
    let out_of_range = Error::OutOfRange { argument, value, range };
    if value < least { Err(out_of_range) } else { usize::try_from(value).map_err(|_| out_of_range) }
}

/// Bytes for all parameters, and for the name and the size of a vector.
const PARAMETERS: usize = 1024;
const NAME: usize = 64;

/// All arguments as bytes: equal for calls that ask for the same.
///
/// # Errors
/// [`Error::OutOfMemory`].
pub fn bytes(
    source: &Regclass,
    (column, filter): (&Name, Option<&str>),
    query: &Query,
    sampling: Sampling,
    params: &Params,
) -> Result<Vec<u8>, Error> {
    let weights = || query.exemplars.iter().chain(&query.counter_exemplars).map(|example| example.weight);
    let vectors = query.vectors().map(|vector| NAME + size_of_val(vector.values));
    let size = PARAMETERS + vectors.sum::<usize>() + weights().count() * size_of::<f64>();
    let mut bytes = memory::with_room(size)?;
    // Writing to a vector cannot fail.
    let counts = (query.exemplars.len(), query.counter_exemplars.len());
    let _ = write!(bytes, "{source:?} {column:?} {filter:?} {sampling:?} {params:?} {counts:?}");
    weights().for_each(|weight| bytes.extend(weight.to_bits().to_ne_bytes()));
    for vector in query.vectors() {
        let _ = write!(bytes, "{:?}", vector.input);
        bytes.extend(vector.values.len().to_ne_bytes());
        bytes.extend(vector.values.iter().flat_map(|value| value.to_bits().to_ne_bytes()));
        check_interrupts();
    }
    Ok(bytes)
}
