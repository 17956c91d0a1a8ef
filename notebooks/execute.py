"""Executes notebooks without a browser, each from a clean kernel, and fails on the first error of each.

    .venv/bin/python notebooks/execute.py --dataset shapes --small            all of them, fast
    .venv/bin/python notebooks/execute.py --dataset flickr8k 03-baseline      one of them, on the photographs
    .venv/bin/python notebooks/execute.py --dataset shapes --write            and keep the outputs in the files

--write refuses to work where photographs could get into the files, checks what it writes, and records the seconds of
every cell in results/benchmarks/notebooks.json.
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
from cellerror import cell_message

FOLDER = pathlib.Path(__file__).resolve().parent
REPOSITORY = FOLDER.parent


class Failed(Exception):
    """A notebook that could not be executed; its text tells notebook, cell and reason."""


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
            notebook, seconds = execute(path, options.timeout)
            if options.write:
                record.write_notebook(path, notebook)
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
    arguments.add_argument("names", nargs="*", help="notebooks, as 03-baseline or a path (default: all beside this program)")
    arguments.add_argument("--dataset", choices=["shapes", "flickr8k"], default="shapes")
    arguments.add_argument("--small", action="store_true", help="the fast setting: a part of the data, few epochs")
    arguments.add_argument("--write", action="store_true", help="keep the outputs in the notebook files; shapes only")
    arguments.add_argument("--fresh", action="store_true", help="train anew what notebooks train, and forget it afterwards; part of --write")
    arguments.add_argument("--timeout", type=int, default=1800, metavar="SECONDS", help="for each cell (default 1800)")
    options = arguments.parse_args()
    options.paths = [named(name) for name in options.names] or sorted(FOLDER.glob("*.ipynb"))
    if not options.paths:
        arguments.error(f"there is no notebook in {FOLDER}")
    for path in options.paths:
        if not path.is_file():
            arguments.error(f"there is no notebook {path}")
    return options


def named(name):
    """The file that a name on the command line means."""
    path = pathlib.Path(name)
    if path.suffix == ".ipynb":
        return path.resolve()
    return FOLDER / f"{name}.ipynb"


def kernel_environment(dataset, small):
    """Variables with which a kernel finds the tools beside this Python, and notebooks take these settings."""
    binaries = pathlib.Path(sys.prefix) / "bin"
    return {
        "PATH": f"{binaries}{os.pathsep}{os.environ.get('PATH', '')}",
        "JUPYTER_DATA_DIR": str(pathlib.Path(sys.prefix) / "share" / "jupyter"),
        "CAPTIONLAB_NOTEBOOK": f"-dataset={dataset}" + (" -small" if small else ""),
    }


@contextlib.contextmanager
def fresh_cache():
    """A cache folder without the runs that notebooks trained; it shares the costly rest with the user's, and goes at the end."""
    with tempfile.TemporaryDirectory() as cache:
        for shared in ("weights", "features", "runs"):
            kept = user_cache() / shared
            kept.mkdir(parents=True, exist_ok=True)
            os.symlink(kept, pathlib.Path(cache) / shared)
        yield cache


def user_cache():
    """The folder that captionlab keeps what it can make again in."""
    if cache := os.environ.get("CAPTIONLAB_CACHE"):
        return pathlib.Path(cache).resolve()
    base = os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ("Library/Caches" if sys.platform == "darwin" else ".cache")
    return pathlib.Path(base) / "captionlab"


def environment_problem():
    kernel = pathlib.Path(sys.prefix) / "share" / "jupyter" / "kernels" / "gonb" / "kernel.json"
    if not kernel.is_file():
        return f"the Python at {sys.prefix} has no GoNB kernel: run `make notebook-env`, then use .venv/bin/python"
    return None


def execute(path, timeout):
    """Executes one notebook. Returns it with its outputs, and a list of cell number, first line and seconds."""
    try:
        notebook = nbformat.read(path, as_version=4)
    except Exception as error:
        raise Failed(f"{path.name}: this is no notebook: {error}") from error
    client = NotebookClient(notebook, timeout=timeout, kernel_name="gonb", record_timing=False, resources={"metadata": {"path": str(FOLDER)}})
    seconds, start = [], time.monotonic()
    print(f"{path.name}", flush=True)
    with client.setup_kernel():
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
                raise Failed(f"{path.name}: cell {number} ({title}):\n{cell_message(cell.outputs, str(error.evalue))}") from error
            except CellTimeoutError as error:
                raise Failed(f"{path.name}: cell {number} ({title}):\nit ran longer than {timeout} s (--timeout)") from error
            except DeadKernelError as error:
                raise Failed(f"{path.name}: cell {number} ({title}):\nthe kernel ended; its messages stand above") from error
            took = time.monotonic() - began
            seconds.append({"cell": number, "line": title, "seconds": round(took, 2)})
            print(f"  {took:7.1f} s  cell {number}: {title}", flush=True)
    print(f"  {time.monotonic() - start:7.1f} s  in all", flush=True)
    return notebook, seconds


def first_line(source):
    """The first line of a cell that says something of its own: no %% and no import."""
    for line in source.splitlines():
        line = line.strip()
        if line and not line.startswith(("%%", "%noautoget", "import", "//", ")", '"', "nbkit.Cell(")):
            return line[:100]
    return source.strip().splitlines()[0][:100]


if __name__ == "__main__":
    main()
