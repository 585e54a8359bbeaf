"""`ranksweep serve`: the report of a database that somebody writes to, in a real browser too."""

import http.client
import re
import shutil
import sqlite3
import time
import unittest
from pathlib import Path

from browser import Browser, find_chromium
from ranksweep_case import RanksweepCase

SWEEP = """
name: serve
data: {path: FACES, image_size: 48}
grid: {learning_rate: [1e-3, 1e-4], training: [full]}
training: {architecture: simple_cnn, epochs: 3, batch_size: 16}
"""


def ranking_of(page):
    return re.search(r'<section id="ranking".*?</section>', page, re.S)[0]


class ServeTest(RanksweepCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.trained = cls.train(SWEEP)

    def serve(self, database, *options):
        process = self.start("serve", database, "--port", "0", *options)
        line = process.stdout.readline()
        match = re.match(r"http://127\.0\.0\.1:(\d+)/ ", line)
        self.assertTrue(match, line)
        return int(match[1])

    @staticmethod
    def get(port, path="/", **headers):
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        connection.request("GET", path, headers={name.replace("_", "-"): value for name, value in headers.items()})
        answer = connection.getresponse()
        body = answer.read().decode()
        connection.close()
        return answer.status, answer.headers, body

    def wait_for(self, port, text):
        for _ in range(2000):
            body = self.get(port)[2]
            if text in body:
                return body
            time.sleep(0.02)
        self.fail(f"the page never said {text[:200]!r}")

    def test_the_page_is_the_report_and_is_sent_once(self):
        before = self.trained.read_bytes()
        port = self.serve(self.trained)
        status, headers, body = self.get(port)
        self.assertEqual(status, 200)
        self.ranksweep("report", self.trained, "-o", "report.html")
        report = (self.folder / "report.html").read_text()
        self.assertEqual(ranking_of(body), ranking_of(report))
        self.assertNotIn("connect-src", report.split("</head>")[0])
        status, _, body = self.get(port, If_None_Match=headers["ETag"])
        self.assertEqual((status, body), (304, ""))
        self.assertEqual(self.trained.read_bytes(), before)

    def test_only_this_machine_by_its_own_name_gets_an_answer(self):
        port = self.serve(self.trained)
        self.assertEqual(self.get(port, Host="evil.example")[0], 403)
        self.assertEqual(self.get(port, Host=f"localhost:{port}")[0], 200)
        self.assertEqual(self.get(port, "/results.db")[0], 404)
        listening = [line.split()[1] for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
        self.assertIn(f"0100007F:{port:04X}", listening)
        self.assertNotIn(f"00000000:{port:04X}", listening)

    def test_mistakes_are_told_at_the_start(self):
        self.assertIn("there is no such file", self.ranksweep("serve", "none.db", expect=2))
        port = self.serve(self.trained)
        self.assertIn("cannot be listened on", self.ranksweep("serve", self.trained, "--port", port, expect=3))

    def test_a_running_sweep_is_followed_to_its_end(self):
        sweep = self.write_sweep(SWEEP)
        run = self.start("run", sweep, "--db", self.database)
        self.wait_for_rows("SELECT 1 FROM sweep")
        port = self.serve(self.database)
        run.wait(120)
        self.assertEqual(run.returncode, 0)
        self.ranksweep("report", self.database, "-o", "report.html")
        self.wait_for(port, ranking_of((self.folder / "report.html").read_text()))
        self.assert_sound()
        self.assertEqual(self.ranking(), self.ranking(self.trained))

    def test_dragging_over_a_chart_zooms_into_its_epochs(self):
        if not find_chromium():
            self.skipTest("no Chromium here: apt-get install chromium")
        browser = Browser(f"http://127.0.0.1:{self.serve(self.trained)}/")
        self.addCleanup(browser.close)
        left, top, width, height = browser.ask(
            "(() => { const chart = document.getElementById('loss-chart'); chart.scrollIntoView({behavior: 'instant'});"
            " const box = chart.getBoundingClientRect(); return [box.left, box.top, box.width, box.height]; })()")

        def mouse(kind, fraction):
            browser.call("Input.dispatchMouseEvent", type=kind, x=left + fraction * width, y=top + height / 2,
                         button="left", buttons=1, clickCount=1)

        self.assertEqual(browser.ask("Chart.getChart('loss-chart').scales.x.max"), 3)
        for kind, fraction in (("mousePressed", 0.2), ("mouseMoved", 0.4), ("mouseReleased", 0.45)):
            mouse(kind, fraction)
        self.assertEqual(browser.ask("['epoch-from', 'epoch-to'].map(id => document.getElementById(id).value)"),
                         ["1", "2"])
        for chart in ("loss-chart", "accuracy-chart"):
            self.assertEqual(browser.ask(f"Chart.getChart('{chart}').scales.x.max"), 2)
        browser.ask("document.getElementById('loss-chart').dispatchEvent(new MouseEvent('dblclick'))")
        self.assertEqual(browser.ask("Chart.getChart('loss-chart').scales.x.max"), 3)
        self.assertEqual(browser.complaints, [])

    def test_a_browser_shows_what_a_writer_adds(self):
        if not find_chromium():
            self.skipTest("no Chromium here: apt-get install chromium")
        shutil.copy(self.trained, self.database)
        browser = Browser(f"http://127.0.0.1:{self.serve(self.database)}/")
        self.addCleanup(browser.close)
        browser.wait_for("document.getElementById('live').textContent === 'Live'")
        browser.ask("document.querySelectorAll('#curve-picks input')[0].click()")
        browser.ask("document.getElementById('log-loss').click()")
        browser.ask("document.querySelector('details').open = true")
        press = "Array.from(document.querySelectorAll('#ranking-table th button')).find(b => b.textContent === 'val loss')"
        browser.ask(f"{press}.click()")
        browser.ask(f"{press}.click()")
        chosen = browser.ask("document.querySelector('#curve-picks input:checked').dataset.trial")
        charts = browser.ask("document.documentElement.dataset.drawn")
        connection = sqlite3.connect(self.database, timeout=60)
        for loss in (0.25, 0.125):
            connection.execute("UPDATE epoch SET val_loss = ?, val_classes_predicted = 2 WHERE epoch = 2", [loss])
            connection.commit()
            browser.wait_for(f"document.querySelector('.figures dd').textContent === '{loss:.4f}'")
        connection.close()
        self.assertEqual(browser.ask("document.querySelector('#curve-picks input:checked').dataset.trial"), chosen)
        self.assertEqual(browser.ask("document.querySelectorAll('#curve-picks input:checked').length"), 1)
        self.assertTrue(browser.ask("document.getElementById('log-loss').checked"))
        self.assertTrue(browser.ask("document.querySelector('details').open"))
        self.assertEqual(browser.ask(f"{press}.closest('th').getAttribute('aria-sort')"), "descending")
        self.assertEqual(browser.ask("document.documentElement.dataset.drawn"), charts)
        self.assertEqual(browser.complaints, [])


if __name__ == "__main__":
    unittest.main()
