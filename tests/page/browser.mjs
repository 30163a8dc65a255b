// A headless Chromium that the check drives over a pipe, with no package besides Node.js.
import {spawn} from 'node:child_process';
import {existsSync, mkdtempSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';

export const pathOfChromium = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find(existsSync);

export class Browser {
  #calls = new Map();
  #last = 0;
  #waiting = '';
  problems = [];
  requested = new Set();

  constructor() {
    this.profile = mkdtempSync(join(tmpdir(), 'hypermesh-page-'));
    this.process = spawn(pathOfChromium, ['--headless=new', '--remote-debugging-pipe', '--no-sandbox', '--disable-gpu',
      '--no-first-run', '--disable-background-networking', '--disable-extensions', '--hide-scrollbars',
      `--user-data-dir=${this.profile}`, 'about:blank'], {stdio: ['ignore', 'ignore', 'ignore', 'pipe', 'pipe']});
    this.process.stdio[4].setEncoding('utf8').on('data', (text) => this.#read(text));
  }

  #read(text) {
    this.#waiting += text;
    for (let end = this.#waiting.indexOf('\0'); end >= 0; end = this.#waiting.indexOf('\0')) {
      const message = JSON.parse(this.#waiting.slice(0, end));
      this.#waiting = this.#waiting.slice(end + 1);
      if (message.id) {
        const call = this.#calls.get(message.id);
        this.#calls.delete(message.id);
        if (message.error) call.fail(new Error(`${call.method}: ${message.error.message}`));
        else call.done(message.result);
      } else {
        this.#note(message);
      }
    }
  }

  // What a page must never cause: an exception, a refusal of the content-security-policy, a request elsewhere.
  #note({method, params}) {
    if (method === 'Runtime.exceptionThrown') {
      this.problems.push(params.exceptionDetails.exception?.description ?? params.exceptionDetails.text);
    }
    // A refusal of a server is an answer, and a server that was killed is no error of the page.
    const isAnswer = /status of (401|409|503)|net::ERR_/.test(params?.entry?.text ?? '');
    if (method === 'Log.entryAdded' && params.entry.level === 'error' && !isAnswer) {
      this.problems.push(`${params.entry.text} ${params.entry.url ?? ''}`);
    }
    if (method === 'Network.requestWillBeSent') this.requested.add(new URL(params.request.url).origin);
  }

  send(method, params = {}, sessionId = this.session) {
    const id = ++this.#last;
    const text = JSON.stringify({id, method, params, ...(sessionId ? {sessionId} : {})});
    this.process.stdio[3].write(`${text}\0`);
    return new Promise((done, fail) => {
      this.#calls.set(id, {done, fail, method});
    });
  }

  async open(url) {
    const {targetId} = await this.send('Target.createTarget', {url: 'about:blank'}, null);
    const {sessionId} = await this.send('Target.attachToTarget', {targetId, flatten: true}, null);
    this.session = sessionId;
    for (const domain of ['Page', 'Runtime', 'Log', 'Network']) await this.send(`${domain}.enable`);
    const {errorText} = await this.send('Page.navigate', {url});
    if (errorText) throw new Error(`${url}: ${errorText}`);
    if (!await this.until(`document.readyState === 'complete'`)) throw new Error(`${url} does not load`);
  }

  async evaluate(expression) {
    const {result, exceptionDetails} = await this.send('Runtime.evaluate',
      {expression, awaitPromise: true, returnByValue: true, userGesture: true});
    if (exceptionDetails) throw new Error(exceptionDetails.exception?.description ?? exceptionDetails.text);
    return result.value;
  }

  // Waits until the expression is true, up to `patience` ms.
  async until(expression, patience = 60000) {
    const deadline = Date.now() + patience;
    while (Date.now() < deadline) {
      if (await this.evaluate(expression)) return true;
      await new Promise((done) => {
        setTimeout(done, 200);
      });
    }
    return false;
  }

  async size(width, height) {
    await this.send('Emulation.setDeviceMetricsOverride', {width, height, deviceScaleFactor: 1, mobile: width < 500});
  }

  async colours(scheme, motion = 'no-preference') {
    await this.send('Emulation.setEmulatedMedia', {features: [{name: 'prefers-color-scheme', value: scheme},
      {name: 'prefers-reduced-motion', value: motion}]});
  }

  async key(key) {
    const codes = {Tab: 9, Enter: 13, Escape: 27, ArrowLeft: 37, ArrowRight: 39};
    const text = key === 'Enter' ? {text: '\r'} : {};
    const event = {key, code: key, windowsVirtualKeyCode: codes[key], ...text};
    await this.send('Input.dispatchKeyEvent', {type: 'keyDown', ...event});
    await this.send('Input.dispatchKeyEvent', {type: 'keyUp', ...event});
  }

  async screenshot(whole = true) {
    const {data} = await this.send('Page.captureScreenshot', {format: 'png', captureBeyondViewport: whole});
    return Buffer.from(data, 'base64');
  }

  async close() {
    await this.send('Browser.close', {}, null).catch(() => {});
    await new Promise((done) => {
      if (this.process.exitCode !== null) done();
      this.process.once('exit', done);
      setTimeout(() => this.process.kill('SIGKILL'), 5000).unref();
    });
    rmSync(this.profile, {recursive: true, force: true});
  }
}
