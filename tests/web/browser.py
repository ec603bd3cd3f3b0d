"""A browser for tests: chromium by chromedriver's HTTP protocol, with Python's own library alone."""
import base64, json, os, pathlib, shutil, socket, subprocess, tempfile, time, urllib.error, urllib.request

ELEMENT = "element-6066-11e4-a52e-4f735466cecf"
KEYS = {"Enter": "\ue007", "Tab": "\ue004", "Escape": "\ue00c", "Left": "\ue012", "Up": "\ue013", "Right": "\ue014", "Down": "\ue015"}
ALT = "\ue00a"


def there():
    return shutil.which("chromium") and shutil.which("chromedriver")


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_until(condition, what, seconds=10):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if value := condition():
            return value
        time.sleep(0.02)
    raise AssertionError(f"waited {seconds} s for {what}")


class Driver:
    """chromedriver, and the windows it opens."""

    def __enter__(self):
        self.place = tempfile.mkdtemp(prefix="hinted-exemplar-web.")
        self.port = free_port()
        # What chromium leaves behind is removed with the place.
        self.process = subprocess.Popen(["chromedriver", f"--port={self.port}"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                                        env=os.environ | {"TMPDIR": self.place})
        wait_until(self.ready, "chromedriver")
        self.windows = []
        return self

    def __exit__(self, *_):
        for window in self.windows:
            window.close()
        self.process.terminate()
        self.process.wait()
        shutil.rmtree(self.place, ignore_errors=True)

    def ready(self):
        try:
            return self.call("GET", "/status")["ready"]
        except OSError:
            return False

    def call(self, method, path, body=None):
        data = None if method == "GET" else json.dumps(body or {}).encode()
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}", data, {"content-type": "application/json"}, method=method)
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return json.load(answer)["value"]
        except urllib.error.HTTPError as error:
            raise AssertionError(json.load(error)["value"]["message"].split("\n")[0]) from None

    def window(self, width=1280, height=900, scripts=True):
        arguments = ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars", "--force-color-profile=srgb",
                     f"--window-size={width},{height}"]
        preferences = {} if scripts else {"profile.managed_default_content_settings.javascript": 2}
        options = {"binary": shutil.which("chromium"), "args": arguments, "prefs": preferences}
        capabilities = {"alwaysMatch": {"browserName": "chrome", "goog:chromeOptions": options, "goog:loggingPrefs": {"browser": "ALL"}}}
        window = Window(self, self.call("POST", "/session", {"capabilities": capabilities})["sessionId"])
        self.windows.append(window)
        window.size(width, height)
        return window


class Window:
    def __init__(self, driver, session):
        self.driver, self.session = driver, session

    def call(self, method, path, body=None):
        return self.driver.call(method, f"/session/{self.session}{path}", body)

    def close(self):
        if self.session:
            self.call("DELETE", "")
            self.session = None

    def cdp(self, command, **parameters):
        return self.call("POST", "/goog/cdp/execute", {"cmd": command, "params": parameters})

    def size(self, width, height, mobile=False, scale=1):
        self.cdp("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=scale, mobile=mobile)

    def dark(self, on):
        self.cdp("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": "dark" if on else "light"}])

    def open(self, url):
        self.call("POST", "/url", {"url": url})

    @property
    def url(self):
        return self.call("GET", "/url")

    def run(self, script, *arguments):
        return self.call("POST", "/execute/sync", {"script": script, "args": list(arguments)})

    def wait_for(self, script, what):
        return wait_until(lambda: self.run("return " + script), what)

    def settled(self):
        self.wait_for("document.readyState === 'complete' && !document.querySelector('main[aria-busy]')", "the page")

    def find(self, selector):
        return wait_until(lambda: self.find_all(selector), selector)[0]

    def find_all(self, selector):
        return [element[ELEMENT] for element in self.call("POST", "/elements", {"using": "css selector", "value": selector})]

    def text(self, selector):
        return self.run("return document.querySelector(arguments[0])?.textContent ?? null", selector)

    def texts(self, selector):
        return self.run("return [...document.querySelectorAll(arguments[0])].map(e => e.textContent.trim())", selector)

    def keys_shown(self, selector=".tile"):
        return self.run("return [...document.querySelectorAll(arguments[0])].map(e => e.dataset.key)", selector)

    def click(self, selector, alt=False, follow=True):
        """Clicks, and waits for what the click brings."""
        before = self.url
        element = self.find(selector)
        self.run("arguments[0].scrollIntoView({block: 'center'})", {ELEMENT: element})
        if alt:
            self.actions([{"type": "key", "id": "keys", "actions": [{"type": "keyDown", "value": ALT}, {"type": "pause"}, {"type": "pause"}, {"type": "pause"}, {"type": "keyUp", "value": ALT}]},
                          {"type": "pointer", "id": "mouse", "parameters": {"pointerType": "mouse"},
                           "actions": [{"type": "pause"}, {"type": "pointerMove", "origin": {ELEMENT: element}, "x": 0, "y": 0}, {"type": "pointerDown", "button": 0}, {"type": "pointerUp", "button": 0}]}])
        else:
            self.call("POST", f"/element/{element}/click")
        if follow:
            wait_until(lambda: self.url != before, "another page")
            self.settled()

    def actions(self, actions):
        self.call("POST", "/actions", {"actions": actions})

    def press(self, *keys, follow=False):
        before = self.url
        for key in keys:
            value = KEYS.get(key, key)
            self.actions([{"type": "key", "id": "keys", "actions": [{"type": "keyDown", "value": value}, {"type": "keyUp", "value": value}]}])
        if follow:
            wait_until(lambda: self.url != before, "another page")
            self.settled()

    def type(self, selector, text):
        element = self.find(selector)
        self.call("POST", f"/element/{element}/clear")
        self.call("POST", f"/element/{element}/value", {"text": text})

    def back(self):
        before = self.url
        self.call("POST", "/back")
        wait_until(lambda: self.url != before, "the page before")
        time.sleep(0.05)
        self.settled()

    def forward(self):
        self.call("POST", "/forward")
        time.sleep(0.05)
        self.settled()

    def complaints(self):
        return [line["message"] for line in self.call("POST", "/se/log", {"type": "browser"}) if line["level"] == "SEVERE"]

    def picture(self, path, whole=False):
        self.settled()
        self.wait_for("[...document.images].every(i => i.complete || i.getBoundingClientRect().top > innerHeight)", "the pictures")
        shot = self.cdp("Page.captureScreenshot", format="png", captureBeyondViewport=whole)
        path = pathlib.Path(path)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(base64.b64decode(shot["data"]))
