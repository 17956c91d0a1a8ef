"""Writes executed notebooks and their times, after checking that the files may be published."""

import datetime
import json
import os
import pathlib
import platform
import re
import subprocess
import tempfile

import nbformat

import recordsums

REPOSITORY = pathlib.Path(__file__).resolve().parent.parent
TIMINGS = REPOSITORY / "results" / "benchmarks" / "notebooks.json"
LARGEST = 1 << 20  # bytes of a notebook file

# Metadata of notebooks and cells to keep. The rest differs from one execution to the next.
KEPT_METADATA = ("kernelspec", "language_info")
KEPT_CELL_METADATA = ("tags",)


class Unfit(Exception):
    """A notebook whose outputs must not be kept."""


def write_problem(options):
    """Returns why outputs may not be kept under these options, or None. A dataset's images are not ours to publish."""
    if not options.write:
        return None
    if options.dataset != "shapes":
        return "--write stores outputs in the files and so needs --dataset shapes: other images must not be published"
    if os.environ.get("CAPTIONLAB_DATA"):
        return (
            "--write refuses to run while CAPTIONLAB_DATA is set, so that no dataset's images get into the files: "
            "run `make notebooks-write`, which unsets it"
        )
    return None


def write_notebook(path, notebook, paths):
    """Replaces the file by the executed notebook, or leaves it unchanged if the outputs are unfit to be kept.

    paths lists the record files that the cells read, one per line; see recordsums.py.
    """
    strip(notebook)
    try:
        notebook.metadata[recordsums.METADATA] = recordsums.metadata(notebook, recordsums.sums(paths))
    except recordsums.BadListing as error:
        raise Unfit(f"{path.name}: not written: {error}") from error
    if found := machine_paths(notebook):
        listed = "\n".join(found)
        raise Unfit(f"{path.name}: not written, because its outputs contain paths of this machine:\n{listed}")
    text = nbformat.writes(notebook) + "\n"
    if (size := len(text.encode())) > LARGEST:
        raise Unfit(
            f"{path.name}: not written: {size:,} bytes with its outputs, the limit is {LARGEST:,}: "
            "show fewer or smaller images"
        )
    replace(path, text)


def strip(notebook):
    """Removes metadata that differs from one execution to the next."""
    notebook.metadata = {key: value for key, value in notebook.metadata.items() if key in KEPT_METADATA}
    for cell in notebook.cells:
        cell.metadata = {key: value for key, value in cell.metadata.items() if key in KEPT_CELL_METADATA}
        for output in cell.get("outputs", []):
            if "metadata" in output:
                output["metadata"] = {}


def machine_paths(notebook):
    """Lists cell and path of each path of this machine in the outputs."""
    temporary = {tempfile.gettempdir(), "/tmp"}
    roots = {str(REPOSITORY), str(pathlib.Path.home()), *temporary}
    longest_first = sorted((root for root in roots if len(root) > 1), key=len, reverse=True)
    pattern = re.compile("|".join(rf"{re.escape(root)}(?![\w-])[^\s\"'<>\\]*" for root in longest_first))
    found = []
    for number, cell in enumerate((cell for cell in notebook.cells if cell.cell_type == "code"), start=1):
        text = json.dumps(cell.get("outputs", []), ensure_ascii=False)
        text = re.sub(r"base64,[A-Za-z0-9+/=]*", "", text)  # an image's bytes may spell anything
        found += [f"cell {number}: {match}" for match in pattern.findall(text)]
    return found


def write_timings(timings, small):
    """Records the seconds of cells. Notebooks that were not executed keep their previous times."""
    record = {"notebooks": {}}
    if TIMINGS.is_file():
        record = json.loads(TIMINGS.read_text())
    commit = output("git", "-C", str(REPOSITORY), "rev-parse", "HEAD")
    for name, cells in timings.items():
        record["notebooks"][name] = {
            "date": datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "commit": commit,
            "host": host(),
            "load_average_after": " ".join(f"{load:.2f}" for load in os.getloadavg()),
            "versions": versions(),
            "setting": "small" if small else "full",
            "seconds": round(sum(cell["seconds"] for cell in cells), 1),
            "cells": cells,
        }
    record = {
        "benchmark": "notebooks",
        "command": "make notebooks-write",
        "about": "Seconds per cell on the shapes dataset, from a clean kernel, including compilation. A load average "
        "above the number of cores means that other programs were running.",
        "notebooks": dict(sorted(record["notebooks"].items())),
    }
    replace(TIMINGS, json.dumps(record, indent=2, ensure_ascii=False) + "\n")


def host():
    cpu = platform.processor() or "unknown"
    try:
        cpu = re.search(r"model name\s*:\s*(.*)", pathlib.Path("/proc/cpuinfo").read_text()).group(1)
    except (OSError, AttributeError):
        pass  # only Linux has the file, and it may lack the processor's name
    return {"system": f"{platform.system().lower()}/{platform.machine()}", "cores": os.cpu_count(), "cpu": cpu}


def versions():
    from importlib.metadata import version

    found = {name: version(name) for name in ("jupyterlab", "nbclient")}
    found["go"] = output("go", "env", "GOVERSION")
    modules = ("github.com/janpfeifer/gonb", "github.com/gomlx/gomlx")
    for line in output("go", "-C", str(REPOSITORY), "list", "-m", *modules).splitlines():
        module, _, its = line.partition(" ")
        found[module] = its
    return found


def output(*command):
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def replace(path, text):
    """Writes a file completely or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile("w", dir=path.parent, prefix=f".{path.name}.", delete=False) as file:
        try:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
            os.chmod(file.name, 0o644)
            os.replace(file.name, path)
        except BaseException:
            os.unlink(file.name)
            raise
