"""The manual's notebook gives the outputs that it shows. UPDATE=1 rewrites them."""

import os
import pathlib
import subprocess

import pytest

nbformat = pytest.importorskip("nbformat")
nbclient = pytest.importorskip("nbclient")
pytest.importorskip("ipykernel")
pytest.importorskip("ipywidgets")
psycopg = pytest.importorskip("psycopg")
if "PGHOST" not in os.environ:
    pytest.skip("no server: PGHOST is not set", allow_module_level=True)

ROOT = pathlib.Path(__file__).parents[2]
NOTEBOOK = ROOT / "docs/notebook.ipynb"
NAME = "python_notebook"
# A widget is known by a number that is another one each time.
WIDGET = "application/vnd.jupyter.widget-view+json"


@pytest.fixture
def demo():
    with psycopg.connect(dbname="postgres", autocommit=True) as admin:
        admin.execute(f"DROP DATABASE IF EXISTS {NAME}")
        admin.execute(f"CREATE DATABASE {NAME}")
        for file in ("schema", "load", "searches"):
            psql = ["psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-v", f"data={ROOT}/demo/data", "-f", f"{ROOT}/demo/{file}.sql"]
            subprocess.run(psql, check=True, env=os.environ | {"PGDATABASE": NAME}, stdout=subprocess.DEVNULL)
        yield
        admin.execute(f"DROP DATABASE {NAME} WITH (FORCE)")


def joined(notebook):
    """One print's output may arrive in several pieces."""
    for cell in notebook.cells:
        whole = []
        for output in cell.get("outputs", []):
            if whole and output.output_type == whole[-1].output_type == "stream" and output.name == whole[-1].name:
                whole[-1].text += output.text
            else:
                whole.append(output)
        if cell.cell_type == "code":
            cell.outputs = whole
    return notebook


def outputs(notebook):
    """What the cells show, as text."""
    every = [output for cell in joined(notebook).cells for output in cell.get("outputs", [])]
    return [output.get("text") or output.get("data", {}).get("text/plain") or output.output_type for output in every]


def test_the_notebook_shows_what_it_gives(demo, monkeypatch):
    monkeypatch.setenv("PGDATABASE", NAME)
    monkeypatch.setenv("PYDEVD_DISABLE_FILE_VALIDATION", "1")
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    before = outputs(notebook)
    nbclient.NotebookClient(notebook, timeout=900, kernel_name="python3", store_widget_state=False).execute()
    if os.environ.get("UPDATE"):
        write(notebook)
    else:
        assert outputs(notebook) == before, "UPDATE=1 tests/python.sh rewrites what the notebook shows"
    assert any("about here it ends" in text for text in outputs(notebook))


def write(notebook):
    notebook.metadata = {"kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"}}
    for number, cell in enumerate(joined(notebook).cells):
        cell.id, cell.metadata = f"cell-{number}", {}
        for output in cell.get("outputs", []):
            output.get("data", {}).pop(WIDGET, None)
    nbformat.write(notebook, NOTEBOOK)
