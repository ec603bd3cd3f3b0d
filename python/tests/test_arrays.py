import numpy as np
import pytest

import hinted_exemplar


@pytest.fixture
def rows():
    generator = np.random.default_rng(7)
    return (generator.normal(size=(300, 24)) + 0.4).astype(np.float32)


def test_the_exemplar_is_on_the_wanted_side(rows):
    fit = hinted_exemplar.fit(rows[0], rows, hints=rows[0] + 0.1)
    assert fit.weights.dtype == np.float32 and abs(np.linalg.norm(fit.weights) - 1) < 1e-6
    assert fit.converged and fit.negatives == 299
    assert np.allclose(fit.margin(rows[:1]), fit.exemplar_margins, atol=1e-5)
    assert fit.margin(rows[0]) > np.quantile(fit.margin(rows[1:]), 0.99)


def test_the_same_input_gives_the_same_bits(rows):
    one = hinted_exemplar.fit(rows[:3], rows[3:], counter_exemplars=rows[5], reasons=[rows[6]])
    two = hinted_exemplar.fit(rows[:3].tolist(), np.asfortranarray(rows[3:]), counter_exemplars=rows[5:6], reasons=[rows[6]])
    assert one.weights.tobytes() == two.weights.tobytes() and one.bias == two.bias


def test_weights_count_as_copies(rows):
    weighted = hinted_exemplar.fit(rows[:2], rows[2:], exemplar_weights=[2, 1])
    copied = hinted_exemplar.fit(rows[[0, 0, 1]], rows[2:])
    assert np.allclose(weighted.weights, copied.weights, atol=1e-4)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"exemplars": None}, "neither an exemplar nor a hint"),
        ({"exemplars": np.ones(5)}, "dimensions"),
        ({"exemplars": np.zeros(24)}, "exemplar 1 must not be the zero vector"),
        ({"exemplars": np.full(24, np.nan)}, "exemplars must be finite"),
        ({"exemplars": [[1, 2], [3]]}, "exemplars must be numbers"),
        ({"exemplars": np.ones((2, 3, 4))}, "exemplars must have shape"),
        ({"lambda_": 0.0}, "lambda"),
        ({"loss": "hinge"}, "loss is"),
        ({"exemplar_weights": [1, 2]}, "2 weights for 1 examples"),
        ({"hints": np.ones((1, 24)), "counter_exemplars": np.ones((2, 24)), "reasons": [None]}, "1 reasons for 2"),
    ],
)
def test_errors_name_the_input(rows, arguments, words):
    with pytest.raises(ValueError, match=words):
        hinted_exemplar.fit(**{"exemplars": rows[0], "negatives": rows[1:], **arguments})


def test_an_unknown_parameter_is_refused(rows):
    with pytest.raises(TypeError, match="lamda"):
        hinted_exemplar.fit(rows[0], rows, lamda=1)


def test_the_sheet_escapes_and_draws_the_line(rows):
    found = [hinted_exemplar.Row("<b>", -0.9, 0.7), hinted_exemplar.Row("b", -0.1, -0.2)]
    html = hinted_exemplar.sheet(found, fit=hinted_exemplar.fit(rows[0], rows))._repr_html_()
    assert "&lt;b&gt;" in html and "<b>" not in html
    assert "about here it ends: 1 row has" in html
    assert html.index("&lt;b&gt;") < html.index("about here it ends") < html.index("margin -0.20")


def test_scikit_learn_finds_nothing_wrong():
    pytest.importorskip("sklearn")
    from sklearn.utils.estimator_checks import check_estimator

    from hinted_exemplar.estimator import ExemplarSVC

    results = check_estimator(ExemplarSVC(), on_fail=None)
    failed = [result for result in results if result["status"] not in ("passed", "skipped")]
    assert sum(result["status"] == "passed" for result in results) > 40
    assert not failed, [(result["check_name"], str(result["exception"])[:200]) for result in failed]


def test_conflicts_are_counted_as_given(rows):
    fit = hinted_exemplar.fit([rows[0], rows[1], -rows[0]], rows[3:], exemplar_weights=[1, 0, 1])
    assert fit.conflicts[0] == "exemplar 1 and exemplar 3 have nothing in common"


def test_the_sheet_is_text_too(rows):
    found = [hinted_exemplar.Row("a", -0.9, 0.7), hinted_exemplar.Row("b", -0.1, -0.2)]
    lines = repr(hinted_exemplar.sheet(found, {"a": "a cat"})).splitlines()
    assert lines == ["  0.70  a cat", "---- about here it ends: 1 row has a margin above 0 ----", " -0.20  b"]
