// Looks at the page of a replica of a running cluster, in which one replica is down and one is convicted.
// Usage: node check.mjs URL DOWN CONVICTED [FOLDER FOR SCREENSHOTS]
import {writeFileSync} from 'node:fs';
import {join} from 'node:path';

import {Browser} from './browser.mjs';
import {checkLooks} from './looks.mjs';

const [url, down, convicted, folder] = process.argv.slice(2);
const browser = new Browser();
let failures = 0;

function check(passes, claim) {
  console.log(`${passes ? 'ok      ' : 'FAILED  '}${claim}`);
  if (!passes) ++failures;
}

const text = (selector) => `(document.querySelector(${JSON.stringify(selector)})?.textContent ?? '')`;

async function checkContent() {
  check(await browser.until(`${text('#connection')}.includes('live')`), 'the page becomes live');
  check((await browser.evaluate(text('#health-sentence'))).length > 20, 'the health is one sentence');
  check((await browser.evaluate(text('#whose-view'))).includes('as replica'), 'the page says whose view it shows');
  check(await browser.until(`document.querySelector('#ring svg')?.getAttribute('aria-label')`
    + `.match(/Replica ${down} (silent|unlinked|quarantined)/)`), 'the ring says in words which replica is down');
  check(await browser.evaluate(`document.querySelectorAll('#ring .link-cut').length >= 1`),
    'a link that is down has a sign beside its colour');
  check(await browser.until(`document.querySelectorAll('#batch-list [role=option]').length > 3`), 'batches are listed');
  check(await browser.evaluate(`document.querySelectorAll('#batch-picture .mark-commit').length >= 3`),
    'a quorum of COMMITs is in the picture of a batch');
  check(await browser.until(`document.querySelectorAll('#throughput .line').length === 2`), 'the throughput is drawn');
  check(await browser.until(`document.querySelectorAll('#latency .line').length === 2`), 'the latency is drawn');
  check((await browser.evaluate(text('#tape'))).length > 10, 'the tape has events');
}

async function checkEvidence() {
  const button = `document.querySelector('[aria-label="Evidence against replica ${convicted}"]')`;
  check(await browser.until(`!!${button}`), 'the convicted replica has evidence to look at');
  await browser.evaluate(`${button}.click()`);
  check(await browser.until(`document.querySelectorAll('#evidence .item').length >= 2`), 'two messages stand side by side');
  check(await browser.until(`[...document.querySelectorAll('#evidence .verdict')].slice(0, 2)`
    + `.every((each) => each.textContent.includes('verified by this browser'))`),
  'the browser itself verifies both signatures');
  check(await browser.evaluate(`document.querySelectorAll('#evidence .differs').length >= 2`),
    'the fields that contradict each other are marked');
  // The same verification must be able to fail.
  check(await browser.evaluate(`(async () => {
    const {verify} = await import('/page/evidence.js');
    const all = await (await fetch('/api/v1/evidence')).json();
    const item = all.proofs[0].items[0];
    const last = item.content.slice(-2) === '00' ? '01' : '00';
    return (await verify({...item, content: item.content.slice(0, -2) + last}, all.signing_prefix)) === 'bad'
      && (await verify(item, all.signing_prefix)) === 'good';
  })()`), 'the browser finds a changed message wrong');
}

async function checkKeyboard() {
  await browser.evaluate('document.activeElement.blur()');
  const reached = [];
  for (let count = 0; count < 40; ++count) {
    await browser.key('Tab');
    reached.push(await browser.evaluate('document.activeElement.id || document.activeElement.tagName'));
  }
  for (const wanted of ['theme', 'follow', 'batch-list', 'SUMMARY', 'tape-filter', 'tape']) {
    check(reached.includes(wanted), `the keyboard reaches ${wanted}`);
  }
  await browser.evaluate(`document.getElementById('batch-list').focus()`);
  const chosen = `document.querySelector('[aria-selected="true"]')?.textContent`;
  const before = await browser.evaluate(chosen);
  await browser.key('ArrowRight');
  await browser.key('ArrowRight');
  check(before !== await browser.evaluate(chosen), 'the arrow keys choose another batch');
  check(await browser.evaluate(`${text('#batch-summary')}.includes(${chosen})`), 'the summary follows the choice');
  check(await browser.evaluate(`getComputedStyle(document.activeElement).outlineStyle !== 'none'`), 'the focus is visible');
  await browser.evaluate(`document.getElementById('follow').click()`);
}

async function shootEvidence(width, scheme) {
  if (!folder || width !== 1280) return;
  await browser.evaluate(`document.querySelector('[aria-label="Evidence against replica ${convicted}"]')?.click()`);
  await browser.until(`document.querySelectorAll('#evidence .verdict[data-state]').length >= 2`, 5000);
  writeFileSync(join(folder, `evidence-${width}-${scheme}.png`), await browser.screenshot(false));
  await browser.evaluate(`document.getElementById('evidence').close()`);
}

try {
  await browser.open(url);
  await browser.size(1280, 1000);
  await checkContent();
  await checkEvidence();
  await browser.key('Escape');
  check(await browser.until(`!document.getElementById('evidence').open`), 'Escape closes the evidence');
  await checkKeyboard();
  await checkLooks(browser, check, folder, 'page', shootEvidence);
  const elsewhere = [...browser.requested].filter((each) => each !== new URL(url).origin && !each.startsWith('null'));
  check(elsewhere.length === 0, `the page asks only its node ${elsewhere.join(' ')}`);
  check(browser.problems.length === 0, `the page causes no error ${browser.problems.slice(0, 3).join(' | ')}`);
} finally {
  await browser.close();
}
console.log(failures === 0 ? 'all passed' : `${failures} failed`);
process.exitCode = failures === 0 ? 0 : 1;
