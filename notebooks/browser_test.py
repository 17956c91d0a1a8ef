"""Runs notebooks in JupyterLab in a real browser and checks the page: .venv/bin/python notebooks/browser_test.py

Uses the shapes dataset and copies of the notebooks, and keeps screenshots in the folder .browser, which git ignores.
Needs the environment of `make browser`, and Chromium. Without Chromium it fails, unless CAPTIONLAB_BROWSER=optional.
CAPTIONLAB_SCREENSHOT names a file for a screenshot of 03-baseline, which then runs in the full setting.
"""

import os
import pathlib
import re
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import unittest
import urllib.error
import urllib.request

import nbformat

from execute import FOLDER, REPOSITORY, kernel_environment, user_cache
from mistakes_test import EPOCHS, FIRST_IMAGE, SETTINGS, TRAINING

WORK = REPOSITORY / ".browser"  # in the repository, because notebooks search their parent folders for results
SCREENSHOT = os.environ.get("CAPTIONLAB_SCREENSHOT")
CHROMIUM_FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
RUNNING = 900_000  # time limit of a whole notebook in milliseconds

WRONG_EXPERIMENT = """%%
nbkit.Cell(func(l *nbkit.Lab) error {
	_, err := l.Result("shapes", "basline")
	return err
})"""

# True if a cell waits, runs or has run.
STARTED = """() => {
    const prompts = [...document.querySelectorAll('.jp-CodeCell .jp-InputPrompt')];
    return prompts.some(p => /\\[(\\*|\\d+)\\]/.test(p.textContent));
}"""

# True if a cell has run and none waits or runs.
DONE = """() => {
    const shown = '.jp-NotebookPanel:not(.lm-mod-hidden) .jp-CodeCell .jp-InputPrompt';
    const prompts = [...document.querySelectorAll(shown)].map(p => p.textContent);
    return prompts.some(p => /\\[\\d+\\]/.test(p)) && !prompts.some(p => p.includes('*'));
}"""

# The images of a notebook panel.
IMAGES = """panel => [...panel.querySelectorAll('.jp-OutputArea-output img')].map(
    i => ({width: i.naturalWidth, shown: i.getBoundingClientRect().width}))"""

# True if the page shows an image.
FIRST_SHOWN = """() => [...document.querySelectorAll('.jp-OutputArea-output img')].some(i => i.naturalWidth > 0)"""


class Browser(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        from playwright.sync_api import sync_playwright

        cls.server = Server()
        cls.addClassCleanup(cls.server.stop)
        playwright = sync_playwright().start()
        cls.addClassCleanup(playwright.stop)
        profile = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)  # Chromium may still write as it ends
        cls.addClassCleanup(profile.cleanup)
        cls.context = playwright.chromium.launch_persistent_context(
            profile.name, executable_path=chromium(), args=CHROMIUM_FLAGS, viewport={"width": 1360, "height": 1500}
        )
        cls.addClassCleanup(cls.context.close)

    def open(self, name):
        """Opens a copied notebook in a new page."""
        page = self.context.new_page()
        page.set_default_timeout(60_000)
        self.addCleanup(page.close)
        self.addCleanup(self.shot_of_failure, page)
        with page.expect_event("websocket", lambda socket: "/channels" in socket.url):  # the kernel's connection
            workspace = f"{self.server.address}/lab/workspaces/{pathlib.Path(name).stem}"
            page.goto(f"{workspace}/tree/{name}?token={self.server.token}")
        page.wait_for_selector(".jp-NotebookPanel .jp-CodeCell")
        page.wait_for_timeout(3000)  # until the kernel is ready; if cells run earlier, Lab asks which kernel to use
        return page

    def menu(self, page, title, command):
        page.click(f".lm-MenuBar-itemLabel:text-is('{title}')")
        page.click(f".lm-Menu-item[data-command='{command}']")

    def run_all(self, page):
        self.menu(page, "Run", "runmenu:run-all")
        if (select := page.locator(".jp-Dialog button:has-text('Select')")).is_visible():
            select.click()
            page.wait_for_timeout(3000)
            self.menu(page, "Run", "runmenu:run-all")
        page.wait_for_function(STARTED)

    def wait_done(self, page):
        page.wait_for_function(DONE, timeout=RUNNING)

    def shot(self, page, name):
        WORK.mkdir(exist_ok=True)
        page.screenshot(path=str(WORK / f"{name}.png"))

    def shot_of_failure(self, page):
        """Takes a screenshot of a failed test."""
        if any(test is self and error for test, error in self._outcome.result.errors + self._outcome.result.failures):
            self.shot(page, f"failed-{self._testMethodName}")

    def assert_no_error(self, page):
        errors = page.locator(".jp-OutputArea-output[data-mime-type='application/vnd.jupyter.error']")
        messages = page.locator(".captionlab-message").all_inner_texts()
        self.assertEqual(errors.count(), 0, f"a cell failed; the boxes say: {messages}")

    def assert_images(self, page, at_least):
        images = page.locator(".jp-NotebookPanel").evaluate(IMAGES)
        self.assertGreaterEqual(len(images), at_least)
        for image in images:
            self.assertGreater(image["width"], 0, "an image is broken")
            self.assertGreater(image["shown"], 0, "an image is not shown")

    def assert_box(self, page, pattern):
        box = page.locator(".captionlab-message", has_text=re.compile(pattern)).last
        box.scroll_into_view_if_needed()
        self.assertTrue(box.is_visible())
        text = page.locator(".jp-NotebookPanel .jp-OutputArea").all_inner_texts()
        for trace in ("goroutine ", ".go:", "panic:"):
            self.assertNotIn(trace, "\n".join(text))

    def test_data(self):
        began = time.monotonic()
        page = self.open(copied("01-data"))
        self.run_all(page)
        page.wait_for_function(FIRST_SHOWN, timeout=RUNNING)
        took = time.monotonic() - began
        started = f"JupyterLab started in {self.server.took:.0f} s"
        print(f"{started}, first image {took:.0f} s after opening the notebook", flush=True)
        self.wait_done(page)
        self.shot(page, "01-data")
        self.assert_no_error(page)
        self.assert_images(page, 4)

    def test_baseline(self):
        page = self.open(copied("03-baseline"))
        self.run_all(page)
        self.wait_done(page)
        curve = page.locator(".jp-OutputArea-output img[src^='data:image/svg']").first
        curve.evaluate("e => e.closest('.jp-Cell').scrollIntoView()")
        page.wait_for_timeout(500)
        self.shot(page, "03-baseline")
        self.assert_no_error(page)
        self.assert_images(page, 4)
        box = curve.bounding_box()
        self.assertTrue(curve.is_visible())
        self.assertGreater(box["width"], 200)
        self.assertGreater(box["height"], 100)
        if SCREENSHOT:
            page.screenshot(path=SCREENSHOT)

    def test_wrong_experiment(self):
        page = self.open(written("wrong-experiment", SETTINGS.replace("EXPERIMENT", "baseline"), WRONG_EXPERIMENT))
        self.run_all(page)
        self.wait_done(page)
        self.assert_box(page, 'no run of experiment "basline"; it holds .*baseline')
        self.shot(page, "wrong-experiment")

    def test_index_out_of_range(self):
        settings = SETTINGS.replace("EXPERIMENT", "baseline")
        page = self.open(written("index", settings, FIRST_IMAGE.replace("INDEX", "100000")))
        self.run_all(page)
        self.wait_done(page)
        self.assert_box(page, "index out of range")
        self.shot(page, "index")

    def test_interrupt(self):
        training = TRAINING.replace('"interrupted"', f'"browser-{os.getpid()}"')
        training = training.replace(f"= 32, 64, {EPOCHS}, 0", "= 32, 64, 1000, 0")
        self.assertIn("1000", training)  # enough epochs to be interrupted
        self.addCleanup(forget, f"shapes-browser-{os.getpid()}-*")
        page = self.open(written("interrupt", SETTINGS.replace("EXPERIMENT", "baseline"), training))
        self.run_all(page)
        second_epoch = "() => /epoch ([2-9]|\\d\\d+) of at most/.test(document.body.innerText)"
        page.wait_for_function(second_epoch, timeout=RUNNING)
        self.menu(page, "Kernel", "kernelmenu:interrupt")
        self.wait_done(page)
        self.assert_box(page, "Stopped.*run the cell again")
        self.shot(page, "interrupt")


class Server:
    """A JupyterLab server on a free port, with a token and without the user's settings."""

    def __init__(self):
        self.home = tempfile.TemporaryDirectory()
        self.token = secrets.token_hex(16)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        self.address = f"http://127.0.0.1:{port}"
        notebooks().mkdir(parents=True, exist_ok=True)
        settings = pathlib.Path(self.home.name) / "settings" / "@jupyterlab" / "notebook-extension"
        settings.mkdir(parents=True)
        # Lab then keeps all cells in the page.
        (settings / "tracker.jupyterlab-settings").write_text('{"windowingMode": "none"}')
        environment = {
            **os.environ,
            **kernel_environment("shapes", small=not SCREENSHOT),
            "JUPYTER_TOKEN": self.token,
            "JUPYTER_CONFIG_DIR": f"{self.home.name}/config",
            "JUPYTER_RUNTIME_DIR": f"{self.home.name}/runtime",
            "JUPYTERLAB_SETTINGS_DIR": f"{self.home.name}/settings",
            "JUPYTERLAB_WORKSPACES_DIR": f"{self.home.name}/workspaces",
        }
        environment.pop("CAPTIONLAB_DATA", None)
        self.log = open(WORK / "jupyterlab.log", "w")
        self.began = time.monotonic()
        command = [f"{sys.prefix}/bin/jupyter", "lab", "--no-browser", "--ServerApp.ip=127.0.0.1"]
        command += [f"--ServerApp.port={port}", "--ServerApp.port_retries=0"]
        command += [f"--ServerApp.root_dir={notebooks()}", "--LabApp.extension_manager=readonly"]
        if os.getuid() == 0:
            command.append("--allow-root")
        self.process = subprocess.Popen(
            command, env=environment, stdout=self.log, stderr=subprocess.STDOUT, start_new_session=True
        )
        while not self.answers():
            if self.process.poll() is not None or time.monotonic() - self.began > 120:
                self.stop()
                raise RuntimeError(f"JupyterLab did not start; see {WORK / 'jupyterlab.log'}")
            time.sleep(0.3)
        self.took = time.monotonic() - self.began

    def answers(self):
        try:
            headers = {"Authorization": f"token {self.token}"}
            request = urllib.request.Request(f"{self.address}/api/status", headers=headers)
            return urllib.request.urlopen(request, timeout=5).status == 200
        except (urllib.error.URLError, OSError):
            return False

    def stop(self):
        self.process.terminate()  # also ends its kernels
        try:
            self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.process.kill()
        self.log.close()
        self.home.cleanup()


def notebooks():
    return WORK / "notebooks"


def copied(name):
    """Copies a notebook without outputs, so that running it leaves the original unchanged and every output is new."""
    notebook = nbformat.read(FOLDER / f"{name}.ipynb", as_version=4)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    nbformat.write(notebook, notebooks() / f"{name}.ipynb")
    return f"{name}.ipynb"


def written(name, *sources):
    """Writes a notebook of these code cells."""
    kernel = {"name": "gonb", "display_name": "Go (gonb)", "language": "go"}
    cells = [nbformat.v4.new_code_cell(source) for source in sources]
    notebook = nbformat.v4.new_notebook(cells=cells, metadata={"kernelspec": kernel})
    nbformat.write(notebook, notebooks() / f"{name}.ipynb")
    return f"{name}.ipynb"


def forget(pattern):
    """Removes runs that a test trained."""
    for run in (user_cache() / "notebooks").glob(pattern):
        shutil.rmtree(run)


def chromium():
    """Returns the browser's path, or None."""
    names = [os.environ.get("CHROMIUM", ""), "chromium", "chromium-browser", "google-chrome"]
    return next((found for name in names if name and (found := shutil.which(name))), None)


if __name__ == "__main__":
    if not chromium():
        optional = os.environ.get("CAPTIONLAB_BROWSER") == "optional"
        print(
            "browser_test.py: SKIPPED: found no Chromium. Install it (Debian: apt-get install chromium), or set "
            + "CHROMIUM to its path."
            + ("" if optional else " CAPTIONLAB_BROWSER=optional lets this pass without it."),
            file=sys.stderr,
        )
        sys.exit(0 if optional else 1)
    unittest.main(verbosity=2)
