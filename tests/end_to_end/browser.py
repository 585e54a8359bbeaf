"""A headless Chromium that a test asks questions, over the DevTools protocol on a pipe."""

import json
import os
import shutil
import subprocess
import tempfile
import time


def find_chromium():
    return next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)


class Browser:
    """One page. `complaints` has what its console said and what it could not load."""

    def __init__(self, url, width=1280, height=900):
        self.profile = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
        to_browser, self.outgoing = os.pipe()
        self.incoming, from_browser = os.pipe()

        def hand_over_pipes():  # Chromium reads from 3 and writes to 4
            os.dup2(to_browser, 1023)
            os.dup2(from_browser, 4)
            os.dup2(1023, 3)

        self.process = subprocess.Popen(
            [find_chromium(), "--headless", "--no-sandbox", "--disable-gpu", "--remote-debugging-pipe",
             f"--user-data-dir={self.profile.name}", f"--window-size={width},{height}", "about:blank"],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, preexec_fn=hand_over_pipes, close_fds=False)
        os.close(to_browser)
        os.close(from_browser)
        self.buffer, self.number, self.session, self.complaints = b"", 0, None, []
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self.session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(f"{domain}.enable")
        self.call("Emulation.setScrollbarsHidden", hidden=True)  # a phone has none
        self.call("Page.navigate", url=url)
        self.wait_for("document.readyState === 'complete' && 'drawn' in document.documentElement.dataset")

    def call(self, method, **parameters):
        self.number += 1
        message = {"id": self.number, "method": method, "params": parameters}
        if self.session:
            message["sessionId"] = self.session
        os.write(self.outgoing, json.dumps(message).encode() + b"\0")
        while True:
            answer = self.receive()
            if answer.get("id") == self.number:
                if "error" in answer:
                    raise RuntimeError(f"{method}: {answer['error']}")
                return answer["result"]
            if answer.get("method") in ("Runtime.consoleAPICalled", "Runtime.exceptionThrown", "Log.entryAdded",
                                        "Network.loadingFailed"):
                self.complaints.append(answer["params"])

    def receive(self):
        while b"\0" not in self.buffer:
            read = os.read(self.incoming, 1 << 20)
            if not read:
                raise RuntimeError("Chromium ended")
            self.buffer += read
        message, self.buffer = self.buffer.split(b"\0", 1)
        return json.loads(message)

    def ask(self, expression):
        """The value of a JavaScript expression."""
        answer = self.call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in answer:
            raise RuntimeError(answer["exceptionDetails"])
        return answer["result"].get("value")

    def wait_for(self, expression, seconds=60):
        deadline = time.monotonic() + seconds
        while not self.ask(expression):
            if time.monotonic() > deadline:
                raise RuntimeError(f"not in {seconds} s: {expression}")
            time.sleep(0.05)

    def look(self, width, height=900, scheme="light", media="screen"):
        """Shows the page from now on as on another screen, or on paper."""
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)
        self.call("Emulation.setEmulatedMedia", media=media,
                  features=[{"name": "prefers-color-scheme", "value": scheme}])

    def picture(self, selector):
        """A PNG of the element, in base64."""
        box = self.ask(f"(() => {{ const box = document.querySelector('{selector}').getBoundingClientRect();"
                       " return {x: box.x + scrollX, y: box.y + scrollY, width: box.width, height: box.height}; })()")
        return self.call("Page.captureScreenshot", clip={**box, "scale": 1}, captureBeyondViewport=True)["data"]

    def close(self):
        self.process.kill()
        self.process.wait()
        os.close(self.incoming)
        os.close(self.outgoing)
        self.profile.cleanup()
