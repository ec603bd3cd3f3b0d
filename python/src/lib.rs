//! The Python module `hinted_exemplar._core`: NumPy arrays in, one vector and a report out.

use exemplar_svm::{Arrays, Explained, FitError, Params, fit_arrays};
use numpy::{PyArray1, PyReadonlyArray1, PyReadonlyArray2};
use pyo3::exceptions::{PyMemoryError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::PyDict;

/// Rows of shape (n, d) that Python lends for the call.
type Rows<'py> = Option<PyReadonlyArray2<'py, f32>>;
type Weights<'py> = Option<PyReadonlyArray1<'py, f64>>;

/// Fits and explains; the arrays are C-contiguous float32, which the Python side of the package sees to.
#[pyfunction]
#[pyo3(signature = (*, negatives, exemplars, exemplar_weights, counter_exemplars, counter_exemplar_weights, reasons,
                    hints, counter_hints, neutral_hints, parameters))]
#[expect(clippy::too_many_arguments, reason = "Python names them")]
fn fit<'py>(
    py: Python<'py>,
    negatives: PyReadonlyArray2<'py, f32>,
    exemplars: Rows<'py>,
    exemplar_weights: Weights<'py>,
    counter_exemplars: Rows<'py>,
    counter_exemplar_weights: Weights<'py>,
    reasons: Vec<Option<PyReadonlyArray1<'py, f32>>>,
    hints: Rows<'py>,
    counter_hints: Rows<'py>,
    neutral_hints: Rows<'py>,
    parameters: &Bound<'py, PyDict>,
) -> PyResult<Bound<'py, PyDict>> {
    let params = params_of(parameters)?;
    let rows = |array: &'_ Rows<'py>| array.as_ref().map(|array| array.as_array().to_owned());
    let arrays = [&exemplars, &counter_exemplars, &hints, &counter_hints, &neutral_hints].map(rows);
    let weights = [&exemplar_weights, &counter_exemplar_weights]
        .map(|weights| weights.as_ref().map(|weights| weights.as_array().to_owned()));
    let reasons: Vec<_> =
        reasons.iter().map(|reason| reason.as_ref().map(|reason| reason.as_array().to_owned())).collect();
    let negatives = negatives.as_array();
    let explained = py
        .detach(|| {
            let asked = Arrays {
                exemplars: arrays[0].as_ref().map(|rows| rows.view()),
                exemplar_weights: weights[0].as_ref().map(|weights| weights.view()),
                counter_exemplars: arrays[1].as_ref().map(|rows| rows.view()),
                counter_exemplar_weights: weights[1].as_ref().map(|weights| weights.view()),
                reasons: reasons.iter().map(|reason| reason.as_ref().map(|reason| reason.view())).collect(),
                hints: arrays[2].as_ref().map(|rows| rows.view()),
                counter_hints: arrays[3].as_ref().map(|rows| rows.view()),
                neutral_hints: arrays[4].as_ref().map(|rows| rows.view()),
            };
            fit_arrays(&asked, negatives, params, &mut || ())
        })
        .map_err(to_python)?;
    dictionary(py, &explained)
}

/// A [`FitError`] as Python's own: MemoryError, or ValueError with the core's words.
fn to_python(error: FitError) -> PyErr {
    match error {
        FitError::OutOfMemory { .. } => PyMemoryError::new_err(error.to_string()),
        _ => PyValueError::new_err(error.to_string()),
    }
}

fn params_of(parameters: &Bound<'_, PyDict>) -> PyResult<Params> {
    let mut params = Params::default();
    for (name, value) in parameters {
        let name: String = name.extract()?;
        match name.as_str() {
            "lambda_" => params.lambda = value.extract()?,
            "hint_weight" => params.hint_weight = value.extract()?,
            "counter_hint_weight" => params.counter_hint_weight = value.extract()?,
            "neutral_fraction" => params.neutral_fraction = value.extract()?,
            "expected_share" => params.expected_share = value.extract()?,
            "tol" => params.tol = value.extract()?,
            "max_iter" => params.max_iter = value.extract()?,
            "loss" => params.loss = one_of(&name, &value, exemplar_svm::Loss::NAMES)?,
            "objective" => params.form = one_of(&name, &value, exemplar_svm::Form::NAMES)?,
            _ => return Err(PyValueError::new_err(format!("unknown parameter {name}"))),
        }
    }
    Ok(params)
}

fn one_of<T: std::str::FromStr>(name: &str, value: &Bound<'_, PyAny>, names: &str) -> PyResult<T> {
    let value: String = value.extract()?;
    value.parse().map_err(|_| PyValueError::new_err(format!("{name} is {value:?}, it must be {names}")))
}

fn dictionary<'py>(py: Python<'py>, explained: &Explained) -> PyResult<Bound<'py, PyDict>> {
    let Explained { fit, report, is_negative } = explained;
    let result = PyDict::new(py);
    result.set_item("weights", PyArray1::from_slice(py, &fit.weights))?;
    result.set_item("bias", fit.b)?;
    result.set_item("scale", fit.scale())?;
    result.set_item("objective_value", fit.value.total())?;
    result.set_item("loss_term", fit.value.loss)?;
    result.set_item("regularization_term", fit.value.regularization)?;
    result.set_item("hint_term", fit.value.hint)?;
    result.set_item("cosine_hint", report.cosine_hint)?;
    result.set_item("hint_z", report.hint_z)?;
    result.set_item("hint_trust", report.hint_trust)?;
    result.set_item("wanted_share", report.wanted_share)?;
    result.set_item("cosine_counter_hints", &report.cosine_counter_hints)?;
    result.set_item("cosine_exemplars", &report.cosine_exemplars)?;
    result.set_item("exemplar_margins", &report.margins_exemplars)?;
    result.set_item("counter_exemplar_margins", &report.margins_counter_exemplars)?;
    result.set_item("conflicts", report.conflicts.iter().map(ToString::to_string).collect::<Vec<_>>())?;
    result.set_item("conflict_count", report.conflict_count)?;
    let rows: Vec<usize> = (0..is_negative.len()).filter(|&row| is_negative[row]).collect();
    let false_negatives: Vec<usize> = report.false_negatives.iter().map(|&row| rows[row]).collect();
    result.set_item("false_negative_count", false_negatives.len())?;
    result.set_item("false_negatives", false_negatives)?;
    result.set_item("false_negative_margins", &report.false_negative_margins)?;
    result.set_item("negatives", rows.len())?;
    result.set_item("iterations", fit.iterations)?;
    result.set_item("converged", fit.converged)?;
    Ok(result)
}

#[pymodule]
fn _core(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add("__version__", env!("CARGO_PKG_VERSION"))?;
    module.add_function(wrap_pyfunction!(fit, module)?)
}
