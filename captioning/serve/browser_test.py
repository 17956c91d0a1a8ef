"""Uses the page of captionlab serve in a real Chromium: .venv/bin/python captioning/serve/browser_test.py

Starts bin/captionlab with the model that comes with it, and with one that looks at places, which it trains on a few
photographs. Keeps screenshots in the folder .browser, which git ignores;
CAPTIONLAB_PAGE names a file for the one in README.md. Needs the environment of `make browser`, and Chromium. Without
Chromium it fails, unless CAPTIONLAB_BROWSER=optional.
"""

import base64
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import unittest

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]
PHOTOGRAPHS = REPOSITORY / "captioning" / "pretrained" / "photographs"
WORK = REPOSITORY / ".browser"
CAPTIONLAB = REPOSITORY / "bin" / "captionlab"
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"]

# Drops files, given as [name, base64], on the page.
DROP = """files => {
    const data = new DataTransfer();
    for (const [name, content] of files) {
        const bytes = Uint8Array.from(atob(content), c => c.charCodeAt(0));
        data.items.add(new File([bytes], name, {type: 'image/jpeg'}));
    }
    const target = document.getElementById('drop');
    for (const kind of ['dragover', 'drop'])
        target.dispatchEvent(new DragEvent(kind, {dataTransfer: data, bubbles: true, cancelable: true}));
}"""

# Pastes a file, like DROP.
PASTE = """([name, content]) => {
    const data = new DataTransfer();
    const bytes = Uint8Array.from(atob(content), c => c.charCodeAt(0));
    data.items.add(new File([bytes], name, {type: 'image/jpeg'}));
    document.dispatchEvent(new ClipboardEvent('paste', {clipboardData: data, bubbles: true}));
}"""

SLIDE = """([id, value]) => {
    const slider = document.getElementById(id);
    slider.value = value;
    slider.dispatchEvent(new Event('input', {bubbles: true}));
}"""

SETTLED = """n => document.querySelectorAll('.card:not(.busy)').length === n &&
    [...document.querySelectorAll('.card')].every(c => c.querySelector('.caption').textContent ||
        c.querySelector('.error').textContent)"""


def encoded(path):
    return [path.name, base64.b64encode(path.read_bytes()).decode()]


class Browser(unittest.TestCase):
    """A server of the model in RUN, or of the one that comes with captionlab, and a browser."""

    RUN = []

    @classmethod
    def setUpClass(cls):
        from playwright.sync_api import sync_playwright

        WORK.mkdir(exist_ok=True)
        command = [CAPTIONLAB, "serve", *cls.RUN, "--addr", "127.0.0.1:0"]
        cls.server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        cls.url = cls.server.stdout.readline().split()[0]
        cls.playwright = sync_playwright().start()
        cls.browser = cls.playwright.chromium.launch(executable_path=shutil.which("chromium"), args=FLAGS)

    @classmethod
    def tearDownClass(cls):
        cls.browser.close()
        cls.playwright.stop()
        cls.server.send_signal(signal.SIGTERM)
        if status := cls.server.wait(60):
            raise AssertionError(f"the server ended with status {status}")

    def open(self, **options):
        context = self.browser.new_context(**options)
        context.grant_permissions(["clipboard-read", "clipboard-write"], origin=self.url)
        self.addCleanup(context.close)
        page = context.new_page()
        page.set_default_timeout(60_000)
        self.problems, self.requests = [], []
        page.on("console", lambda m: self.problems.append(m.text) if m.type == "error" else None)
        page.on("pageerror", lambda e: self.problems.append(str(e)))
        page.on("request", lambda r: self.requests.append(r) if r.method == "POST" else None)
        page.goto(self.url)
        page.wait_for_function("() => document.getElementById('model').textContent.includes('words')")
        return page

    def drop(self, page, *paths):
        before = page.locator(".card").count()
        page.evaluate(DROP, [encoded(p) for p in paths])
        page.wait_for_function(SETTLED, arg=before + len(paths))

    def change(self, page, slider, value):
        with page.expect_response(lambda r: r.url.endswith("/api/caption")):
            page.evaluate(SLIDE, [slider, str(value)])
        page.wait_for_function(SETTLED, arg=page.locator(".card").count())


class Page(Browser):
    def test_drop_and_slide(self):
        page = self.open(viewport={"width": 1100, "height": 900})
        self.drop(page, PHOTOGRAPHS / "camera.jpg", PHOTOGRAPHS / "cat.jpg")
        camera = page.locator(".card", has_text="camera.jpg")
        first = camera.locator(".caption").inner_text()
        self.assertIn("camera", first)
        self.assertEqual(camera.locator(".candidates li").count(), 4)
        self.assertGreater(camera.locator(".word[style*=background]").count(), 3)
        sent = len(self.requests)
        self.change(page, "temperature", 1.5)
        drawn = camera.locator(".caption").inner_text()
        self.assertNotEqual(drawn, first)
        self.change(page, "top-p", 0.3)
        self.assertNotEqual(camera.locator(".caption").inner_text(), drawn)
        with page.expect_response(lambda r: r.url.endswith("/api/caption")):
            page.get_by_role("button", name="Draw again").click()
        self.change(page, "temperature", 0)
        self.assertEqual(camera.locator(".caption").inner_text(), first)
        self.change(page, "beam", 1)
        self.assertEqual(camera.locator(".candidates li").count(), 0)
        for request in self.requests[sent:]:
            self.assertLess(len(request.post_data_buffer), 2000, "an image was sent again")
        self.change(page, "beam", 5)
        camera.get_by_role("button", name="Copy as JSON").click()
        copied = json.loads(page.evaluate("navigator.clipboard.readText()"))
        self.assertEqual(len(copied["candidates"]), 5)
        page.wait_for_timeout(1700)
        page.screenshot(path=os.environ.get("CAPTIONLAB_PAGE", WORK / "page.png"), full_page=True)
        camera.get_by_role("button", name="Remove").click()
        self.assertEqual(page.locator(".card").count(), 1)
        self.assertEqual(self.problems, [])

    def test_broken_file(self):
        page = self.open()
        broken = WORK / "broken.jpg"
        broken.write_bytes((PHOTOGRAPHS / "cat.jpg").read_bytes()[:900])
        text = WORK / "<b>text.jpg"
        text.write_text("no image")
        self.drop(page, broken, text, PHOTOGRAPHS / "cat.jpg")
        self.assertIn("damaged", page.locator(".card", has_text="broken.jpg").locator(".error").inner_text())
        card = page.locator(".card", has_text="<b>text.jpg")
        self.assertIn("not an image in a supported format", card.locator(".error").inner_text())
        self.assertTrue(page.locator(".card", has_text="cat.jpg").locator(".caption").inner_text())
        page.screenshot(path=WORK / "page-broken.png", full_page=True)

    def test_paste_and_server_that_forgot(self):
        page = self.open()
        page.evaluate(PASTE, encoded(PHOTOGRAPHS / "cat.jpg"))
        page.wait_for_function(SETTLED, arg=1)
        page.evaluate("cards[0].key = 'of another server'")
        self.change(page, "beam", 3)
        page.wait_for_function("() => cards[0].key.length === 64")
        self.assertEqual(page.locator(".card .error").inner_text(), "")
        self.assertEqual(page.locator(".candidates li").count(), 2)

    def test_keyboard(self):
        page = self.open()
        page.keyboard.press("Tab")
        self.assertEqual(page.evaluate("document.activeElement.id"), "beam")
        for _ in range(2):
            page.keyboard.press("ArrowRight")
        self.assertEqual(page.locator("#beam-value").inner_text(), "7")
        page.keyboard.press("Tab")
        self.assertEqual(page.evaluate("document.activeElement.id"), "temperature")
        page.keyboard.press("Tab")
        self.assertEqual(page.evaluate("document.activeElement.id"), "files")
        with page.expect_file_chooser() as chooser:
            page.keyboard.press("Space")
        chooser.value.set_files([PHOTOGRAPHS / "cat.jpg"])
        page.wait_for_function(SETTLED, arg=1)

    def test_phone_in_the_dark(self):
        page = self.open(viewport={"width": 360, "height": 780}, color_scheme="dark", device_scale_factor=2)
        self.drop(page, PHOTOGRAPHS / "camera.jpg")
        self.assertLessEqual(page.evaluate("document.documentElement.scrollWidth"), 360)
        background = page.evaluate("getComputedStyle(document.body).backgroundColor")
        self.assertLess(sum(int(c) for c in background[4:-1].split(",")), 150)
        page.screenshot(path=WORK / "page-phone.png", full_page=True)


# Reads the canvas over the first image: is it shown, where does it lie in the image, and how dark are its places?
SHADE = """() => {
    const {image, canvas} = cards[0];
    const [i, c] = [image.getBoundingClientRect(), canvas.getBoundingClientRect()];
    const data = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data;
    return {hidden: canvas.hidden, places: canvas.width * canvas.height, width: c.width, height: c.height,
        inside: c.left >= i.left - 1 && c.right <= i.right + 1 && c.top >= i.top - 1 && c.bottom <= i.bottom + 1,
        alphas: Array.from(data).filter((_, k) => k % 4 === 3)};
}"""


class Attention(Browser):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(cls.folder.cleanup)
        folder = pathlib.Path(cls.folder.name)
        rows = ["image,caption"]
        for i in range(12):
            for photograph in sorted(PHOTOGRAPHS.glob("*.jpg")):
                name = f"{i}-{photograph.name}"
                shutil.copy(photograph, folder / name)
                rows.append(f"{name},the {photograph.stem} stands in the middle")
        (folder / "captions.csv").write_text("\n".join(rows) + "\n")
        settings = ["epochs=40", "learning_rate=0.01", "hidden=16", "embedding=8", "min_count=1", "cell=attention",
                    "attention=8"]
        subprocess.run(
            [CAPTIONLAB, "train", "--dataset", folder, "--split-by", "0.4,0.3,0.3", "--encoder", "efficientnet-lite0",
             "--out", folder / "run", *(part for s in settings for part in ("--set", s))],
            check=True, capture_output=True, env=os.environ | {"CAPTIONLAB_CACHE": str(cached(folder))})
        cls.RUN = [folder / "run"]
        super().setUpClass()

    def test_point_at_words(self):
        page = self.open(viewport={"width": 1100, "height": 900})
        self.drop(page, PHOTOGRAPHS / "camera.jpg")
        self.assertTrue(page.locator("#looks").is_visible())
        words = page.locator(".word")
        self.assertGreater(words.count(), 2)
        self.assertTrue(page.evaluate(SHADE)["hidden"])
        words.nth(0).hover()
        first = page.evaluate(SHADE)
        self.assertFalse(first["hidden"])
        self.assertEqual(first["places"], 49)
        self.assertEqual(min(first["alphas"]), 0, "no place is bright")
        self.assertAlmostEqual(first["width"], first["height"], delta=0.5)
        self.assertGreater(first["width"], 50)
        self.assertTrue(first["inside"], first)
        page.screenshot(path=WORK / "page-attention.png", full_page=True)
        words.nth(1).focus()
        second = page.evaluate(SHADE)
        self.assertFalse(second["hidden"])
        words.nth(1).blur()
        page.mouse.move(0, 0)
        self.assertTrue(page.evaluate(SHADE)["hidden"])
        self.assertEqual(self.problems, [])


def cached(folder):
    """A cache folder for one test, with the weights of the user's."""
    user = os.environ.get("CAPTIONLAB_CACHE") or pathlib.Path.home() / ".cache" / "captionlab"
    own = folder / "cache"
    own.mkdir()
    (own / "weights").symlink_to(pathlib.Path(user) / "weights")
    return own


if __name__ == "__main__":
    if not shutil.which("chromium") and os.environ.get("CAPTIONLAB_BROWSER") == "optional":
        sys.exit("browser_test.py: skipped, because Chromium is not installed")
    if not shutil.which("chromium"):
        sys.exit("browser_test.py: Chromium is not installed (Debian: apt-get install chromium)")
    unittest.main()
