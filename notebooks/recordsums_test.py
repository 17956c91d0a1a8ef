"""Tests recordsums.py without Jupyter: python3 notebooks/recordsums_test.py"""

import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

import recordsums

# By sha256sum: of "{}", and of the two sources of notebook() below, each followed by a zero byte.
SUM_OF_BRACES = "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"
SUM_OF_SOURCES = "94bcc825e626b86b05d7bb1af8a48ecd65e3c0af83919958e9055a6ea6b9bcfd"


def notebook():
    return {
        "metadata": {},
        "cells": [
            {"cell_type": "markdown", "source": ["# Title"]},
            {"cell_type": "code", "source": ["%%\n", 'fmt.Println("ä")'], "outputs": []},
            {"cell_type": "code", "source": "x := 1", "outputs": []},
        ],
    }


class RecordSums(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = pathlib.Path(folder.name)
        self.run_json = "results/shapes/baseline/seed-1/run.json"
        (self.root / self.run_json).parent.mkdir(parents=True)
        (self.root / self.run_json).write_text("{}")

    def test_cells_append_paths(self):
        cell = "import os; print('results/a.json', file=open(os.environ['CAPTIONLAB_NOTEBOOK_RECORDS'], 'a'))"
        with recordsums.listing() as listed:
            self.assertEqual(listed.read_text(), "")
            for _ in range(2):
                environment = {**os.environ, recordsums.VARIABLE: str(listed)}
                subprocess.run([sys.executable, "-c", cell], env=environment, check=True)
            self.assertEqual(listed.read_text(), "results/a.json\n" * 2)
        self.assertFalse(listed.exists())

    def test_sums(self):
        (self.root / "a.csv").write_text("{}")
        found = recordsums.sums(f"{self.run_json}\na.csv\n{self.run_json}\n", self.root)
        self.assertEqual(list(found), ["a.csv", self.run_json])
        self.assertEqual(set(found.values()), {SUM_OF_BRACES})
        self.assertEqual(recordsums.sums("", self.root), {})

    def test_bad_listings(self):
        absolute = f"{self.root}/{self.run_json}"
        for path in (absolute, "../run.json", "./a.csv", "results/../a.csv", "results", "nosuch.json"):
            with self.subTest(path), self.assertRaisesRegex(recordsums.BadListing, "CAPTIONLAB_NOTEBOOK_RECORDS"):
                recordsums.sums(path, self.root)

    def test_metadata(self):
        found = recordsums.metadata(notebook(), recordsums.sums(self.run_json, self.root))
        self.assertEqual(found, {"records": {self.run_json: SUM_OF_BRACES}, "sources": SUM_OF_SOURCES})

    def test_sources(self):
        changed = notebook()
        changed["cells"][0]["source"] = "# Another title"  # only code produces outputs
        changed["cells"][1]["source"] = "".join(changed["cells"][1]["source"])
        self.assertEqual(recordsums.sources_sum(changed), SUM_OF_SOURCES)
        changed["cells"][2]["source"] = "x := 2"
        self.assertNotEqual(recordsums.sources_sum(changed), SUM_OF_SOURCES)


if __name__ == "__main__":
    unittest.main()
