#!/usr/bin/env python3
"""browser.py - a real Chromium looks at pages, or does what a person does: "browser.py CHROMIUM PROFILE [ARGUMENT...] < jobs".

A job is a line of JSON, and what comes out for it is one:

	{"name", "url", "cookie": {name: value}, "width", "scheme": "light"|"dark", "language", "picture": FILE}
		what is wrong with the page, by what WCAG 2.2 AA and the house ask for, and a picture when asked for
	{"do": "open"|"js"|"type"|"press"|"enter"|"look"|"picture"|"auth"|"check", ...}
		a person's part, for browser.sh: {"value": ...}

ARGUMENTs are Chromium's; what it says goes to PROFILE.log.  It is driven through its pipe (--remote-debugging-pipe), so that there is
no port to find, and nothing but the standard library is needed."""
import base64, json, os, select, subprocess, sys

WAIT_S = 30

CHECKS = r"""
(() => {
  const wrong = [], doc = document.documentElement, all = [...document.querySelectorAll('body *')];
  const say = (what, e) => wrong.push(what + (e ? ': ' + e.outerHTML.slice(0, 120) : ''));
  const shown = e => { const r = e.getBoundingClientRect(); return r.width > 0 && r.height > 0 && getComputedStyle(e).visibility !== 'hidden' && r.right > 0; };
  if (doc.scrollWidth > doc.clientWidth) {
    say('wider than the window by ' + (doc.scrollWidth - doc.clientWidth));
    all.filter(e => e.getBoundingClientRect().right > doc.clientWidth + 1).slice(0, 3).forEach(e => say('  this is', e));
  }
  if (!['en', 'de', 'fr', 'el', 'es'].includes(doc.lang)) say('no language');
  if (!document.title.trim()) say('no title');
  if (document.scripts.length) say('a script');
  if (performance.getEntriesByType('resource').some(r => new URL(r.name).origin !== location.origin)) say('something from elsewhere');
  if (![...document.styleSheets].some(s => s.cssRules.length > 10)) say('no style sheet');
  // Headings in order, one h1.
  const heads = [...document.querySelectorAll('h1,h2,h3,h4')].map(h => +h.tagName[1]);
  if (heads.filter(h => h === 1).length !== 1) say('not one h1');
  heads.forEach((h, i) => { if (i && h > heads[i - 1] + 1) say('a heading is left out before', document.querySelectorAll('h1,h2,h3,h4')[i]); });
  // Names, labels, heads of tables, landmarks, the link that skips.
  for (const e of document.querySelectorAll('input:not([type=hidden])'))
    if (!e.labels.length && !e.getAttribute('aria-label')) say('no label', e);
  for (const e of document.querySelectorAll('a,button,summary')) if (!e.textContent.trim()) say('no name', e);
  for (const t of document.querySelectorAll('table')) {
    if (![...t.rows[0].cells].every(c => c.tagName === 'TH' && c.scope === 'col')) say('no heads of columns', t);
    if (![...t.rows].slice(1).every(r => r.cells[0].tagName === 'TH' && r.cells[0].scope === 'row')) say('no heads of rows', t);
  }
  if (document.querySelectorAll('main').length !== 1 || document.querySelectorAll('header').length !== 1) say('landmarks');
  if (document.querySelectorAll('nav').length > 1 && new Set([...document.querySelectorAll('nav')].map(n => n.ariaLabel)).size < 2) say('two navs of one name');
  const skip = document.querySelector('body > a');
  if (!skip || !document.querySelector(skip.getAttribute('href'))) say('no link that skips');
  const ids = all.map(e => e.id).filter(i => i); if (new Set(ids).size !== ids.length) say('an id twice');
  for (const svg of document.querySelectorAll('svg'))
    if (svg.getAttribute('aria-hidden') !== 'true' && !svg.getAttribute('aria-labelledby')) say('a drawing without a name', svg);
  // Targets of 24 by 24 px (2.5.8); links within a sentence are exempt.
  for (const e of document.querySelectorAll('a,button,input:not([type=hidden]),summary')) {
    const r = e.getBoundingClientRect();
    if (shown(e) && e !== skip && Math.min(r.width, r.height) < 23.9 && !(e.tagName === 'A' && e.parentElement.tagName === 'P' && e.parentElement.className !== 'pages'))
      say('a small target, ' + r.width.toFixed(0) + 'x' + r.height.toFixed(0), e);
  }
  // Contrast of text with what is behind it, by what is computed (1.4.3).
  const rgb = s => { const m = s.match(/[\d.]+/g).map(Number); return m.length < 4 ? [...m, 1] : m; };
  const lum = c => { const [r, g, b] = c.map(v => { v /= 255; return v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4; }); return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
  const behind = e => { for (; e; e = e.parentElement) { const c = rgb(getComputedStyle(e).backgroundColor); if (c[3] === 1) return c; } return matchMedia('(prefers-color-scheme: dark)').matches ? [18, 18, 18] : [255, 255, 255]; };
  let least = 21;
  for (const e of all) {
    if (![...e.childNodes].some(n => n.nodeType === 3 && n.textContent.trim()) || !shown(e)) continue;
    const style = getComputedStyle(e), svg = e instanceof SVGElement;
    const a = lum(rgb(svg ? style.fill : style.color).slice(0, 3)), b = lum(behind(svg ? e.ownerSVGElement.parentElement : e).slice(0, 3));
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    least = Math.min(least, ratio);
    if (ratio < 4.5) say('contrast ' + ratio.toFixed(2), e);
    if (parseFloat(style.fontSize) < 12 && !svg) say('small text', e);
  }
  // Focus is seen (2.4.7): each thing that takes it gets an outline.
  for (const e of document.querySelectorAll('a,button,input:not([type=hidden]),summary,pre[tabindex]')) {
    if (!shown(e) && e !== skip) continue;
    e.focus({ focusVisible: true });
    const s = getComputedStyle(e);
    if (document.activeElement !== e || s.outlineStyle === 'none' || parseFloat(s.outlineWidth) < 2) say('focus is not seen', e);
  }
  skip && skip.focus({ focusVisible: true });
  if (skip && skip.getBoundingClientRect().left < 0) say('the link that skips stays hidden', skip);
  document.activeElement.blur();
  return JSON.stringify({ wrong, least, lang: doc.lang, h1: (document.querySelector('h1') || {}).textContent, height: doc.scrollHeight,
    dark: matchMedia('(prefers-color-scheme: dark)').matches });
})()
"""


class Browser:
    def __init__(self, program, profile, arguments):
        to_r, self.w = os.pipe()
        self.r, from_w = os.pipe()
        # The pipe's ends are 3 and 4 over there; they may be other numbers here.
        def place():
            a, b = os.dup(to_r), os.dup(from_w)
            os.dup2(a, 3)
            os.dup2(b, 4)
            os.closerange(5, 64)
        with open(profile + ".log", "wb") as log:
            self.p = subprocess.Popen([program, "--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--no-first-run",
                "--disable-background-networking", "--disable-component-update", "--disable-dev-shm-usage", "--disable-sync",
                "--disable-extensions", "--user-data-dir=" + profile, "--remote-debugging-pipe"] + arguments, close_fds=False,
                preexec_fn=place, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        os.close(to_r)
        os.close(from_w)
        self.n, self.left, self.session, self.loaded, self.dialogs, self.user = 0, b"", None, False, [], None
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self.session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        self.call("Page.enable")
        self.call("Network.enable")

    def message(self):
        """The next one; what Chromium itself asks is answered."""
        while b"\0" not in self.left:
            some = os.read(self.r, 1 << 20) if select.select([self.r], [], [], WAIT_S)[0] else b""
            if not some:
                raise SystemExit("Chromium has ended, or does not answer")
            self.left += some
        one, self.left = self.left.split(b"\0", 1)
        got = json.loads(one)
        method, params = got.get("method"), got.get("params", {})
        if method == "Page.loadEventFired":
            self.loaded = True
        elif method == "Page.javascriptDialogOpening":
            self.dialogs.append(params["message"])
            self.send("Page.handleJavaScriptDialog", accept=False)
        elif method == "Fetch.requestPaused":
            self.send("Fetch.continueRequest", requestId=params["requestId"])
        elif method == "Fetch.authRequired":
            self.send("Fetch.continueWithAuth", requestId=params["requestId"], authChallengeResponse={
                "response": "ProvideCredentials", "username": self.user[0], "password": self.user[1]})
        return got

    def send(self, method, **params):
        self.n += 1
        m = {"id": self.n, "method": method, "params": params}
        if self.session:
            m["sessionId"] = self.session
        os.write(self.w, json.dumps(m).encode() + b"\0")
        return self.n

    def call(self, method, **params):
        n = self.send(method, **params)
        while True:
            got = self.message()
            if got.get("id") == n:
                if "error" in got:
                    raise SystemExit(method + ": " + got["error"]["message"])
                return got["result"]

    def load(self, method, **params):
        """Do what another page comes of, and wait for it."""
        self.loaded = False
        self.send(method, **params)
        while not self.loaded:
            self.message()

    def evaluate(self, expression):
        return self.call("Runtime.evaluate", expression=expression, returnByValue=True)["result"].get("value")

    def window(self, width, scheme):
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=900, deviceScaleFactor=1, mobile=False)
        self.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])

    def picture(self, file, **clip):
        shot = self.call("Page.captureScreenshot", format="png", captureBeyondViewport=True, **clip)
        with open(file, "wb") as f:
            f.write(base64.b64decode(shot["data"]))

    def look(self, job):
        self.dialogs = []
        self.window(job["width"], job.get("scheme", "light"))
        self.call("Network.clearBrowserCookies")
        for name, value in job.get("cookie", {}).items():
            self.call("Network.setCookie", name=name, value=value, url=job["url"])
        self.call("Network.setExtraHTTPHeaders", headers={"Accept-Language": job.get("language", "en")})
        self.load("Page.navigate", url=job["url"])
        if job.get("open"):
            self.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")
        found = json.loads(self.evaluate(CHECKS) or '{"wrong": ["no answer"]}')
        found["wrong"] += ["a dialog: " + d for d in self.dialogs]
        if job.get("picture"):
            self.picture(job["picture"], clip={"x": 0, "y": 0, "width": job["width"], "height": min(found.get("height", 900), 4000),
                "scale": 1})
        return {"name": job["name"], **found}

    def do(self, job):
        what = job["do"]
        if what == "auth":
            self.user = job["user"], job["password"]
            self.call("Fetch.enable", handleAuthRequests=True)
        elif what == "open":
            self.load("Page.navigate", url=job["url"])
        elif what == "js":
            return {"value": self.evaluate(job["expression"])}
        elif what == "check":
            return {"value": json.loads(self.evaluate(CHECKS))}
        elif what == "type":
            self.evaluate("(e => { e.focus(); e.select(); })(document.querySelector(%s))" % json.dumps(job["selector"]))
            self.call("Input.insertText", text=job["text"])
        elif what == "press":
            self.load("Runtime.evaluate", expression="document.querySelector(%s).click()" % json.dumps(job["selector"]))
        elif what == "enter":
            key = {"key": "Enter", "code": "Enter", "windowsVirtualKeyCode": 13}
            self.send("Input.dispatchKeyEvent", type="keyDown", text="\r", **key)
            self.load("Input.dispatchKeyEvent", type="keyUp", **key)
        elif what == "look":
            self.window(int(job["width"]), job["scheme"])
        elif what == "picture":
            self.picture(job["file"])
        else:
            raise SystemExit("no such job: " + what)
        return {"value": None}


def main():
    b = Browser(sys.argv[1], sys.argv[2], sys.argv[3:])
    try:
        for line in sys.stdin:
            job = json.loads(line)
            print(json.dumps(b.do(job) if "do" in job else b.look(job), ensure_ascii=False), flush=True)
    finally:
        b.p.terminate()
        b.p.wait()


main()
