"""Writes executed notebooks and their times, after checking that nothing gets into a file that must not be there."""

import datetime
import json
import os
import pathlib
import platform
import re
import subprocess
import tempfile

import nbformat

REPOSITORY = pathlib.Path(__file__).resolve().parent.parent
TIMINGS = REPOSITORY / "results" / "benchmarks" / "notebooks.json"
LARGEST = 1 << 20  # bytes of a notebook file

# Metadata of a notebook and of its cells that tells a reader something; the rest differs from one execution to the next.
KEPT_METADATA = ("kernelspec", "language_info")
KEPT_CELL_METADATA = ("tags",)


class Unfit(Exception):
    """A notebook whose outputs must not be kept."""


def write_problem(options):
    """Why outputs may not be kept under these options, or None. Photographs and their captions are not ours to publish."""
    if not options.write:
        return None
    if options.dataset != "shapes":
        return "--write keeps outputs in the files, so it works with --dataset shapes alone: photographs must not get into them"
    if os.environ.get("CAPTIONLAB_DATA"):
        return "--write refuses to run while CAPTIONLAB_DATA is set, so that no photograph gets into the files: run `make notebooks-write`, which unsets it"
    return None


def write_notebook(path, notebook):
    """Replaces the file by the executed notebook, or leaves it as it is where the outputs are unfit to be kept."""
    steady(notebook)
    if found := machine_paths(notebook):
        raise Unfit(f"{path.name}: its outputs hold paths of this machine, so it was not written:\n" + "\n".join(found))
    text = nbformat.writes(notebook) + "\n"
    if len(text.encode()) > LARGEST:
        raise Unfit(f"{path.name}: {len(text.encode()):,} bytes with its outputs, and {LARGEST:,} is the limit: show fewer or smaller pictures")
    replace(path, text)


def steady(notebook):
    """Removes what differs from one execution to the next without telling anything."""
    notebook.metadata = {key: value for key, value in notebook.metadata.items() if key in KEPT_METADATA}
    for cell in notebook.cells:
        cell.metadata = {key: value for key, value in cell.metadata.items() if key in KEPT_CELL_METADATA}
        for output in cell.get("outputs", []):
            if "metadata" in output:
                output["metadata"] = {}


def machine_paths(notebook):
    """Names cell and place of each path of this machine in the outputs."""
    temporary = {tempfile.gettempdir(), "/tmp"}
    roots = {str(REPOSITORY), str(pathlib.Path.home()), *temporary}
    pattern = re.compile("|".join(rf"{re.escape(root)}(?![\w-])[^\s\"'<>\\]*" for root in sorted(roots, key=len, reverse=True) if len(root) > 1))
    found = []
    for number, cell in enumerate((cell for cell in notebook.cells if cell.cell_type == "code"), start=1):
        text = json.dumps(cell.get("outputs", []), ensure_ascii=False)
        text = re.sub(r"base64,[A-Za-z0-9+/=]*", "", text)  # a picture's bytes may spell anything
        found += [f"cell {number}: {match}" for match in pattern.findall(text)]
    return found


def write_timings(timings, small):
    """Records the seconds of cells; notebooks that were not executed now keep their last ones."""
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
        "about": "Seconds of each cell on the drawn dataset, from a clean kernel, compiling included. A load average above the cores' number says that other work ran beside it.",
        "notebooks": dict(sorted(record["notebooks"].items())),
    }
    replace(TIMINGS, json.dumps(record, indent=2, ensure_ascii=False) + "\n")


def host():
    cpu = platform.processor() or "unknown"
    try:
        cpu = re.search(r"model name\s*:\s*(.*)", pathlib.Path("/proc/cpuinfo").read_text()).group(1)
    except (OSError, AttributeError):
        pass  # only Linux has the file, and not every processor a name in it
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
    """Writes a file whole or not at all."""
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
