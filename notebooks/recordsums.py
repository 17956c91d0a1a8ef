"""Remembers which record files a notebook's outputs show, so that a test can find outputs that are out of date.

A cell that reads a record file of the repository (run.json, metrics.json, curve.csv, ...) appends its path to the file
that the environment variable CAPTIONLAB_NOTEBOOK_RECORDS names: one line per path, relative to the repository root,
with slashes. If the variable is not set, cells append nothing. `execute.py --write` stores in the notebook's metadata:

    "captionlab": {
      "records": {"results/flickr8k/baseline/seed-1/run.json": "SHA-256 of the file, 64 hex digits", ...},
      "sources": "SHA-256 of the code cells' sources, 64 hex digits"
    }

The keys of records are sorted; without records the map is empty. The sources are those of all code cells in order, each
in UTF-8 and followed by a zero byte. The outputs are out of date if a record file is gone or has another checksum, or
if the sources have another checksum.

This module does not need Jupyter: a notebook is any mapping in nbformat's version 4.
"""

import contextlib
import hashlib
import pathlib
import tempfile

REPOSITORY = pathlib.Path(__file__).resolve().parent.parent
VARIABLE = "CAPTIONLAB_NOTEBOOK_RECORDS"
METADATA = "captionlab"


class BadListing(Exception):
    """A listed path that is not a file of the repository."""


@contextlib.contextmanager
def listing():
    """Provides an empty temporary file for the paths that the cells of one notebook append."""
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "records"
        path.touch()
        yield path


def sums(paths, root=REPOSITORY):
    """Maps each path, one per line, to the SHA-256 of the file below root. Repeated paths count once."""
    found = {}
    for path in sorted({line for line in paths.splitlines() if line}):
        parts = pathlib.PurePosixPath(path)
        if parts.is_absolute() or ".." in parts.parts or str(parts) != path:
            raise BadListing(f"{VARIABLE} lists {path}: paths must be relative to the repository root")
        try:
            found[path] = hashlib.sha256((root / path).read_bytes()).hexdigest()
        except OSError as error:
            raise BadListing(f"{VARIABLE} lists {path}, which cannot be read: {error}") from error
    return found


def sources_sum(notebook):
    """Returns the SHA-256 of the code cells' sources."""
    digest = hashlib.sha256()
    for cell in notebook["cells"]:
        if cell["cell_type"] == "code":
            source = cell["source"]
            digest.update((source if isinstance(source, str) else "".join(source)).encode() + b"\0")
    return digest.hexdigest()


def metadata(notebook, records):
    """Returns the value to store as the notebook's metadata METADATA; records is a result of sums."""
    return {"records": records, "sources": sources_sum(notebook)}
