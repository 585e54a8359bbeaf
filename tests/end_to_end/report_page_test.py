"""The report in a browser: how each section looks, and what a screen reader and a keyboard find.

report_pictures.txt keeps, for every section on a screen, in the dark, on a phone and on paper, its size,
its background, and a grid of 16 x 16 with the ink of each part from 0 to f, which is compared loosely.
After a change that is meant, look at the pictures, which `report_page_test.py --keep FOLDER` leaves in
FOLDER while it writes the file anew.
"""

import base64
import subprocess
import sys
import tempfile
import time
import unittest
from pathlib import Path

from browser import Browser, find_chromium
from ranksweep_case import BIN

KEPT = Path(__file__).with_name("report_pictures.txt")
SCREENS = {
    "light": {"width": 1280},
    "dark": {"width": 1280, "scheme": "dark"},
    "phone": {"width": 360},
    "print": {"width": 1376, "media": "print"},
}
PUBLISHED = """model,min_val_loss_epoch,min_val_loss,val_accuracy
resnet50,20,0.0907,0.96
vgg16,3,0.5,0.7
"""

# The ink of a part is how far its pixels are, on average, from the background, the commonest of all.
# 15 is a third of the way from black to white: text is far less.
GRID = """(async (png) => {
  const image = new Image();
  image.src = 'data:image/png;base64,' + png;
  await image.decode();
  const {width, height} = image;
  const context = Object.assign(document.createElement('canvas'), {width, height}).getContext('2d');
  context.drawImage(image, 0, 0);
  const pixels = context.getImageData(0, 0, width, height).data;
  const counts = new Map();
  for (let i = 0; i < pixels.length; i += 4) {
    const color = pixels[i] << 16 | pixels[i + 1] << 8 | pixels[i + 2];
    counts.set(color, (counts.get(color) || 0) + 1);
  }
  const background = [...counts].reduce((a, b) => (b[1] > a[1] ? b : a))[0];
  const sums = new Float64Array(256), areas = new Float64Array(256);
  for (let y = 0, i = 0; y < height; ++y) {
    for (let x = 0; x < width; ++x, i += 4) {
      const part = Math.floor(y * 16 / height) * 16 + Math.floor(x * 16 / width);
      sums[part] += Math.abs(pixels[i] - (background >> 16)) + Math.abs(pixels[i + 1] - (background >> 8 & 255))
        + Math.abs(pixels[i + 2] - (background & 255));
      ++areas[part];
    }
  }
  const levels = Array.from(sums, (sum, i) => Math.min(15, Math.round(sum / areas[i] / 3 / 85 * 15)).toString(16));
  const rows = Array.from({length: 16}, (_, row) => levels.slice(row * 16, row * 16 + 16).join(''));
  return {size: [width, height], background: background.toString(16).padStart(6, '0'), rows};
})"""

# What would stop somebody who cannot see the page, or not well: a list of complaints.
BARRIERS = """(() => {
  const wrong = [];
  const each = (selector, isFine, complaint) => document.querySelectorAll(selector).forEach((element) => {
    if (!isFine(element)) wrong.push(complaint + ': ' + element.outerHTML.slice(0, 80));
  });
  const named = (id) => document.getElementById(id) !== null;
  each('[id]', (one) => document.querySelectorAll('#' + CSS.escape(one.id)).length === 1, 'an id twice');
  each('[aria-labelledby]', (one) => named(one.getAttribute('aria-labelledby')), 'labelled by nothing');
  each('a[href^="#"]', (one) => named(one.hash.slice(1)), 'a link to nowhere');
  each('input', (one) => one.labels.length > 0, 'an input without a label');
  each('table', (one) => one.caption && one.caption.textContent, 'a table without a caption');
  each('th', (one) => one.scope, 'a heading of neither row nor column');
  each('img', (one) => one.hasAttribute('alt'), 'an image without a text');
  each('canvas, svg:not([aria-hidden])', (one) => one.getAttribute('role') === 'img' && one.ariaLabel,
       'a drawing without a text');
  each('button, summary, a', (one) => one.textContent.trim(), 'something to press without a name');
  each('[tabindex]', (one) => one.tabIndex === 0, 'another order of the keyboard');
  each('.scroll, pre', (one) => one.tabIndex === 0, 'a keyboard cannot scroll');
  let level = 0;
  each('h1, h2, h3, h4', (one) => {
    const before = level;
    level = Number(one.tagName[1]);
    return level <= before + 1;
  }, 'a level of headings is left out');
  const light = (color) => {
    const [r, g, b] = color.match(/[0-9.]+/g).map((x) => x / 255)
      .map((x) => (x <= 0.04045 ? x / 12.92 : ((x + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const behind = (element) => {
    const color = getComputedStyle(element).backgroundColor;
    return color === 'rgba(0, 0, 0, 0)' ? behind(element.parentElement) : color;
  };
  each('header *, main *, footer *', (one) => {
    if (!Array.from(one.childNodes).some((node) => node.nodeType === 3 && node.data.trim())) return true;
    if (one.closest('svg') || !one.checkVisibility()) return true;
    const lights = [light(getComputedStyle(one).color), light(behind(one))].sort();
    return (Math.max(...lights) + 0.05) / (Math.min(...lights) + 0.05) >= 4.5;
  }, 'a contrast below 4.5 (WCAG 2.2, 1.4.3)');
  return Array.from(new Set(wrong));
})()"""


def write_report(folder):
    database, page, published = folder / "results.db", folder / "report.html", folder / "published.csv"
    subprocess.run([BIN.parent / "tests/write_synthetic_sweep", database, "40", "30"], check=True)
    published.write_text(PUBLISHED)
    subprocess.run([BIN / "ranksweep", "report", database, "-o", page, "--published", published], check=True,
                   capture_output=True)
    return page


def take_pictures(browser, keep=None):
    """The width of a text, which tells the fonts, and the pictures by screen and section."""
    fonts = browser.ask("(() => { const text = document.createElement('span'); text.textContent = 'Quick 0123456789';"
                        " document.querySelector('h1').append(text); const {width} = text.getBoundingClientRect();"
                        " text.remove(); return width; })()")
    pictures = {}
    for screen in SCREENS:
        look(browser, screen)
        sections = browser.ask("Array.from(document.querySelectorAll('section'), (section) => section.id)")
        for section in ["header", *sections]:
            png, pictures[f"{screen} {section}"] = take_picture(browser, section)
            if keep:
                (keep / f"{screen}-{section}.png").write_bytes(base64.b64decode(png))
    return fonts, pictures


def look(browser, screen):
    browser.look(**SCREENS[screen])
    time.sleep(0.5)  # charts take their new size after the page has its own


def take_picture(browser, section):
    png = browser.picture("header" if section == "header" else f"#{section}")
    return png, browser.ask(f"{GRID}('{png}')")


def write_kept(fonts, pictures):
    lines = [f"fonts {fonts:.1f}"]
    for name, picture in pictures.items():
        lines += [f"{name} {picture['size'][0]} {picture['size'][1]} {picture['background']}", *picture["rows"]]
    KEPT.write_text("\n".join(lines) + "\n")


def read_kept():
    fonts, *lines = KEPT.read_text().splitlines()
    pictures = {}
    for begin in range(0, len(lines), 17):
        screen, section, width, height, background = lines[begin].split()
        pictures[f"{screen} {section}"] = {"size": [int(width), int(height)], "background": background,
                                           "rows": lines[begin + 1:begin + 17]}
    return float(fonts.split()[1]), pictures


def difference(found, kept):
    """What is wrong with a picture, or nothing."""
    if found["background"] != kept["background"]:
        return f"its background is {found['background']}, not {kept['background']}"
    if any(abs(a - b) > 4 + 0.04 * b for a, b in zip(found["size"], kept["size"])):
        return f"it measures {found['size']}, not {kept['size']}"
    apart = [abs(int(a, 16) - int(b, 16)) for row, kept_row in zip(found["rows"], kept["rows"])
             for a, b in zip(row, kept_row)]
    if sum(apart) / 256 > 0.5 or sum(one > 3 for one in apart) > 8:
        rows = "\n".join(f"{row}   {kept_row}" for row, kept_row in zip(found["rows"], kept["rows"]))
        return f"its ink is elsewhere than in the kept one, on the right:\n{rows}"
    return ""


class ReportPageTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        if not find_chromium():
            raise unittest.SkipTest("no Chromium here: apt-get install chromium")
        folder = tempfile.TemporaryDirectory(prefix="ranksweep-test-")
        cls.addClassCleanup(folder.cleanup)
        cls.browser = Browser(write_report(Path(folder.name)).as_uri())
        cls.addClassCleanup(cls.browser.close)

    def tearDown(self):
        self.assertEqual(self.browser.complaints, [])

    def test_every_section_looks_as_it_did(self):
        if not KEPT.exists():
            self.skipTest(f"no pictures are kept: {Path(__file__).name} --keep FOLDER")
        fonts, pictures = take_pictures(self.browser)
        kept_fonts, kept = read_kept()
        if abs(fonts - kept_fonts) > 0.02 * kept_fonts:
            self.skipTest(f"other fonts here than those of the kept pictures: {fonts} px, not {kept_fonts}")
        self.assertEqual(list(pictures), list(kept))
        for name, picture in pictures.items():
            with self.subTest(name):
                self.assertEqual(self.lasting_difference(name, picture, kept[name]), "")

    def lasting_difference(self, name, picture, kept):
        """What is still wrong with it when a busy machine has had time to draw."""
        screen, section = name.split()
        for _ in range(10):
            if not difference(picture, kept):
                break
            look(self.browser, screen)
            picture = take_picture(self.browser, section)[1]
        return difference(picture, kept)

    def test_nobody_is_kept_out(self):
        for screen in ("light", "dark", "phone"):
            self.browser.look(**SCREENS[screen])
            self.assertEqual(self.browser.ask(BARRIERS), [])
            self.assertFalse(self.browser.ask("document.documentElement.scrollWidth > innerWidth"))

    def test_with_a_keyboard_the_ranking_is_sorted(self):
        self.browser.ask("document.querySelectorAll('#ranking-table th button')[1].focus()")
        for order in ("ascending", "descending"):
            for kind in ("rawKeyDown", "char", "keyUp"):
                self.browser.call("Input.dispatchKeyEvent", type=kind, key="Enter", windowsVirtualKeyCode=13, text="\r")
            self.assertEqual(self.browser.ask("document.activeElement.closest('th').getAttribute('aria-sort')"), order)


def keep_pictures(pictures):
    pictures.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="ranksweep-test-") as folder:
        browser = Browser(write_report(Path(folder)).as_uri())
        write_kept(*take_pictures(browser, pictures))
        browser.close()


if __name__ == "__main__":
    if sys.argv[1:2] == ["--keep"]:
        keep_pictures(Path(sys.argv[2]))
    else:
        unittest.main()
