"""Tests what a reader sees after common mistakes, in a real GoNB kernel: .venv/bin/python notebooks/mistakes_test.py

Needs `make notebook-env`. Uses the shapes dataset and a temporary cache folder that shares weights and features with
the user's.
"""

import asyncio
import os
import re
import tempfile
import time
import unittest

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError

from cellerror import boxes, cell_message, markup, plain, streamed
from execute import FOLDER, fresh_cache, kernel_environment

SETTINGS = """%noautoget
import (
	"fmt"

	"captionlab/captioning/nbkit"
	"captionlab/datasets"
)

%% -dataset=shapes -experiment=EXPERIMENT
nbkit.Settings()"""

FIRST_IMAGE = """%%
nbkit.Cell(func(l *nbkit.Lab) error {
	fmt.Println(l.Dataset.Examples(datasets.Test)[INDEX].ID)
	return nil
})"""

FEATURES = """%%
nbkit.Cell(func(l *nbkit.Lab) error {
	_, err := l.Features()
	return err
})"""

# A model that is small enough for a test, on few images, with enough epochs to be interrupted.
EPOCHS = 20
TRAINING = f"""%%
nbkit.Cell(func(l *nbkit.Lab) error {{
	s := l.Experiment.Settings
	s.Embedding, s.Hidden, s.Epochs, s.Patience = 32, 64, {EPOCHS}, 0
	t, err := l.Train(nbkit.Plan{{Name: "interrupted", Settings: s, Train: 400, Val: 40, Test: 40}})
	if err != nil {{
		return err
	}}
	fmt.Println("epochs trained:", len(t.Curve))
	return nil
}})"""


class Session:
    """A kernel like a reader's, to which a test sends cells."""

    def __init__(self, environment):
        self.environment = {**os.environ, **environment}
        self.notebook = nbformat.v4.new_notebook()
        self.client = NotebookClient(self.notebook, timeout=900, kernel_name="gonb")

    async def start(self):
        # Jupyter searches these folders for kernels.
        os.environ.update({key: self.environment[key] for key in ("PATH", "JUPYTER_DATA_DIR")})
        self.client.create_kernel_manager()
        await self.client.async_start_new_kernel(env=self.environment, cwd=str(FOLDER))
        await self.client.async_start_new_kernel_client()

    async def end(self):
        await self.client.km.shutdown_kernel()  # not killed, so that it ends the gopls that it started
        self.client.kc.stop_channels()

    async def cell(self, source, watch=None):
        """Runs a cell. Returns its outputs and whether Jupyter saw it fail.

        Calls watch, if given, with the outputs four times per second until it returns True.
        """
        self.notebook.cells.append(nbformat.v4.new_code_cell(source))
        index = len(self.notebook.cells) - 1
        cell = self.notebook.cells[index]
        run = asyncio.ensure_future(self.client.async_execute_cell(cell, index))
        while watch and not run.done() and not await watch(cell.outputs):
            await asyncio.sleep(0.25)
        try:
            await run
        except CellExecutionError:
            return cell.outputs, True
        return cell.outputs, False

    async def interrupt(self):
        """Interrupts the kernel, as Jupyter's stop button does."""
        await self.client.km.interrupt_kernel()


class Mistakes(unittest.IsolatedAsyncioTestCase):
    async def session(self, **environment):
        session = Session({**kernel_environment("shapes", small=True), "CAPTIONLAB_NOTEBOOK": "", **environment})
        await session.start()
        self.addAsyncCleanup(session.end)
        return session

    def assert_box(self, outputs, *words):
        """Fails unless the last box contains these words and no output looks like a stack trace."""
        shown = boxes(outputs)
        self.assertTrue(shown, f"no box among the outputs: {outputs}")
        for word in words:
            self.assertIn(word, shown[-1])
        streams = streamed(outputs, "stderr") + streamed(outputs, "stdout")
        everything = "\n".join(map(plain, markup(outputs))) + streams
        for trace in ("goroutine ", ".go:", "panic:"):
            self.assertNotIn(trace, everything)

    async def fails(self, session, source, *words):
        outputs, failed = await session.cell(source)
        self.assertTrue(failed, f"Jupyter saw no error: {outputs}")
        self.assert_box(outputs, *words)

    async def test_readable(self):
        session = await self.session()
        first = SETTINGS.replace("EXPERIMENT", "baseline")
        declarations, main = first.split("\n%%")

        with self.subTest("a cell before the settings cell"):
            await session.cell(declarations)
            message = "run the settings cell at the top of the notebook first"
            await self.fails(session, FIRST_IMAGE.replace("INDEX", "0"), message)
        with self.subTest("an undeclared experiment"):
            await self.fails(session, "%%" + main.replace("baseline", "basline"), "basline", "baseline")
        with self.subTest("the settings cell corrected"):
            outputs, failed = await session.cell(first)
            self.assertFalse(failed, cell_message(outputs, ""))
            self.assertIn("baseline", "".join(map(plain, markup(outputs))))
        with self.subTest("an index out of range"):
            await self.fails(session, FIRST_IMAGE.replace("INDEX", "100000"), "index out of range [100000]")
        with self.subTest("a compile error"):
            outputs, failed = await session.cell(FIRST_IMAGE.replace("INDEX", "zero"))
            self.assertTrue(failed)
            message = cell_message(outputs, "")
            self.assertRegex(message, r"Cell\[\d+\]: Line 3\b")  # where in the cell
            self.assertIn("undefined: zero", message)
        with self.subTest("the cell corrected"):
            outputs, failed = await session.cell(FIRST_IMAGE.replace("INDEX", "0"))
            self.assertFalse(failed, cell_message(outputs, ""))

    async def test_no_plugin(self):
        with tempfile.TemporaryDirectory() as empty:
            session = await self.session(PJRT_PLUGIN_LIBRARY_PATH=empty, GOMLX_BACKEND="")
            await session.cell(SETTINGS.replace("EXPERIMENT", "baseline"))
            await self.fails(session, FEATURES, f"no XLA plugin in {empty}", "captionlab setup")

    async def test_interrupt_and_resume(self):
        with fresh_cache() as cache:
            session = await self.session(CAPTIONLAB_CACHE=cache)
            await session.cell(SETTINGS.replace("EXPERIMENT", "baseline"))
            outputs, failed = await session.cell(FEATURES)
            self.assertFalse(failed, cell_message(outputs, ""))

            async def in_third_epoch(outputs):
                if last_epoch(outputs) < 3:
                    return False
                await session.interrupt()
                return True

            began = time.monotonic()
            outputs, failed = await session.cell(TRAINING, in_third_epoch)
            self.assertTrue(failed, "the interrupted cell ended without an error")
            self.assert_box(outputs, "Stopped", "run the cell again to ")
            stopped_at = last_epoch(outputs)
            self.assertLess(stopped_at, EPOCHS)
            curves = [shown for shown in markup(outputs) if "data:image/svg+xml" in shown]
            self.assertTrue(curves, "the curve has disappeared")

            epochs = []

            async def note(outputs):
                epochs.append(last_epoch(outputs))

            outputs, failed = await session.cell(TRAINING, note)
            self.assertFalse(failed, cell_message(outputs, ""))
            self.assertIn(f"epochs trained: {EPOCHS}", streamed(outputs, "stdout"))
            first = min(epoch for epoch in epochs if epoch)
            self.assertGreaterEqual(first, stopped_at - 1, "the second run started over")
            print(f"interrupted in epoch {stopped_at}, resumed up to {EPOCHS}, {time.monotonic() - began:.0f} s")


def last_epoch(outputs):
    """Returns the epoch in the status below a training cell, or 0."""
    found = re.findall(r"epoch (\d+) of at most", "\n".join(map(plain, markup(outputs))))
    return int(found[-1]) if found else 0


if __name__ == "__main__":
    unittest.main(verbosity=2)
