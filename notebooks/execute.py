"""Executes notebooks without a browser, each from a clean kernel. Stops each notebook at its first error.

    .venv/bin/python notebooks/execute.py --dataset shapes --small            all notebooks, fast
    .venv/bin/python notebooks/execute.py --dataset flickr8k 03-baseline      one notebook, on Flickr8k
    .venv/bin/python notebooks/execute.py --dataset shapes --write            all notebooks, and keep their outputs

--write refuses to run if Flickr8k's images could get into the files. It checks what it writes, stores the checksums of
the record files that the cells read (see recordsums.py), and records the seconds of every cell in
results/benchmarks/notebooks.json.
"""

import argparse
import contextlib
import os
import pathlib
import sys
import tempfile
import time

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError

import record
import recordsums
from cellerror import cell_message

FOLDER = pathlib.Path(__file__).resolve().parent
REPOSITORY = FOLDER.parent


class Failed(Exception):
    """A notebook that could not be executed. The text names notebook, cell and reason."""


def main():
    options = parse()
    if problem := record.write_problem(options):
        sys.exit(f"execute.py: {problem}")
    if problem := environment_problem():
        sys.exit(f"execute.py: {problem}")
    os.environ.update(kernel_environment(options.dataset, options.small))
    with contextlib.ExitStack() as cleanup:
        if options.fresh or options.write:
            os.environ["CAPTIONLAB_CACHE"] = cleanup.enter_context(fresh_cache())
        run(options)


def run(options):
    failures, timings = [], {}
    for path in options.paths:
        try:
            with recordsums.listing() as listed:
                notebook, seconds = execute(path, options.timeout, listed)
                if options.write:
                    record.write_notebook(path, notebook, listed.read_text())
                    timings[path.stem] = seconds
        except (Failed, record.Unfit) as failure:
            failures.append(str(failure))
            print(f"FAILED {failure}", file=sys.stderr, flush=True)
    if timings:
        record.write_timings(timings, options.small)
    if failures:
        print(f"\n{len(failures)} of {len(options.paths)} notebooks failed on {options.dataset}:", file=sys.stderr)
        for failure in failures:
            print(f"  {failure.splitlines()[0]}", file=sys.stderr)
        sys.exit(1)
    print(f"{len(options.paths)} notebooks executed on {options.dataset} without an error.")


def parse():
    arguments = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    arguments.add_argument("names", nargs="*", help="names such as 03-baseline, or paths (default: all notebooks)")
    arguments.add_argument("--dataset", choices=["shapes", "flickr8k"], default="shapes")
    arguments.add_argument("--small", action="store_true", help="fast setting: part of the data, few epochs")
    arguments.add_argument("--write", action="store_true", help="store the outputs in the notebook files; shapes only")
    arguments.add_argument(
        "--fresh", action="store_true", help="ignore and keep no runs that notebooks trained; implied by --write"
    )
    arguments.add_argument("--timeout", type=int, default=1800, metavar="SECONDS", help="per cell (default 1800)")
    options = arguments.parse_args()
    options.paths = [named(name) for name in options.names] or sorted(FOLDER.glob("*.ipynb"))
    if not options.paths:
        arguments.error(f"there is no notebook in {FOLDER}")
    for path in options.paths:
        if not path.is_file():
            arguments.error(f"there is no notebook {path}")
    return options


def named(name):
    """Returns the file that a command line argument names."""
    path = pathlib.Path(name)
    if path.suffix == ".ipynb":
        return path.resolve()
    return FOLDER / f"{name}.ipynb"


def kernel_environment(dataset, small):
    """Returns variables with which a kernel finds this Python's tools and notebooks use these settings."""
    binaries = pathlib.Path(sys.prefix) / "bin"
    return {
        "PATH": f"{binaries}{os.pathsep}{os.environ.get('PATH', '')}",
        "JUPYTER_DATA_DIR": str(pathlib.Path(sys.prefix) / "share" / "jupyter"),
        "CAPTIONLAB_NOTEBOOK": f"-dataset={dataset}" + (" -small" if small else ""),
    }


@contextlib.contextmanager
def fresh_cache():
    """Provides a temporary cache folder without notebooks' runs. It shares the costly rest with the user's cache."""
    with tempfile.TemporaryDirectory() as cache:
        for shared in ("weights", "features", "runs", "tables"):
            kept = user_cache() / shared
            kept.mkdir(parents=True, exist_ok=True)
            os.symlink(kept, pathlib.Path(cache) / shared)
        yield cache


def user_cache():
    """Returns captionlab's cache folder."""
    if cache := os.environ.get("CAPTIONLAB_CACHE"):
        return pathlib.Path(cache).resolve()
    default = pathlib.Path.home() / ("Library/Caches" if sys.platform == "darwin" else ".cache")
    return pathlib.Path(os.environ.get("XDG_CACHE_HOME") or default) / "captionlab"


def environment_problem():
    """Returns why notebooks cannot run with this Python, or None."""
    kernel = pathlib.Path(sys.prefix) / "share" / "jupyter" / "kernels" / "gonb" / "kernel.json"
    if not kernel.is_file():
        return f"the Python at {sys.prefix} has no GoNB kernel: run `make notebook-env`, then use .venv/bin/python"
    return None


def execute(path, timeout, listed):
    """Executes one notebook, whose cells append the record files that they read to the file listed.

    Returns the notebook with its outputs, and a list of cell number, first line and seconds.
    """
    try:
        notebook = nbformat.read(path, as_version=4)
    except Exception as error:
        raise Failed(f"{path.name}: not a notebook: {error}") from error
    resources = {"metadata": {"path": str(FOLDER)}}
    client = NotebookClient(
        notebook, timeout=timeout, kernel_name="gonb", record_timing=False, resources=resources
    )
    seconds, start = [], time.monotonic()
    print(f"{path.name}", flush=True)
    with client.setup_kernel(env={**os.environ, recordsums.VARIABLE: str(listed)}):
        number = 0
        for index, cell in enumerate(notebook.cells):
            if cell.cell_type != "code" or not cell.source.strip():
                continue
            number += 1
            title = first_line(cell.source)
            began = time.monotonic()
            try:
                client.execute_cell(cell, index, execution_count=number)
            except CellExecutionError as error:
                message = cell_message(cell.outputs, str(error.evalue))
                raise Failed(f"{path.name}: cell {number} ({title}):\n{message}") from error
            except CellTimeoutError as error:
                message = f"it ran longer than {timeout} s (--timeout)"
                raise Failed(f"{path.name}: cell {number} ({title}):\n{message}") from error
            except DeadKernelError as error:
                message = "the kernel died; see its messages above"
                raise Failed(f"{path.name}: cell {number} ({title}):\n{message}") from error
            took = time.monotonic() - began
            seconds.append({"cell": number, "line": title, "seconds": round(took, 2)})
            print(f"  {took:7.1f} s  cell {number}: {title}", flush=True)
    print(f"  {time.monotonic() - start:7.1f} s  in total", flush=True)
    return notebook, seconds


def first_line(source):
    """Returns a cell's first characteristic line: not %%, an import or a comment."""
    for line in source.splitlines():
        line = line.strip()
        if line and not line.startswith(("%%", "%noautoget", "%goflags", "import", "//", ")", '"', "nbkit.Cell(")):
            return line[:100]
    return source.strip().splitlines()[0][:100]


if __name__ == "__main__":
    main()
