// Clicks each button of the control page of a running demonstration, and looks at the effect of each.
// Usage: node check_demo.mjs URL [FOLDER FOR SCREENSHOTS]
import {Browser} from './browser.mjs';
import {checkLooks} from './looks.mjs';

const [url, folder] = process.argv.slice(2);
const browser = new Browser();
let failures = 0;

function check(passes, claim) {
  console.log(`${passes ? 'ok      ' : 'FAILED  '}${claim}`);
  if (!passes) ++failures;
}

const text = (selector) => `(document.querySelector(${JSON.stringify(selector)})?.textContent ?? '')`;
const button = (label) => `document.querySelector(${JSON.stringify(`#control button[aria-label="${label}"]`)})`;
const condition = (replica) => `(document.querySelectorAll('#control-rows > li')[${replica}]`
  + `?.querySelector('.control-condition')?.textContent ?? '')`;
const isPossible = (label) => `${button(label)}?.getAttribute('aria-disabled') === 'false'`;
const outcome = text('#control-outcome');

// Clicks when the button is possible, and waits until the outcome is told.
async function click(label) {
  check(await browser.until(isPossible(label), 90000), `"${label}" becomes possible`);
  await browser.evaluate(`${button(label)}.click()`);
  const told = await browser.until(`${outcome}.startsWith('Done: ')`);
  check(told, `"${label}": ${await browser.evaluate(outcome)}`);
}

async function isWhole() {
  // A replica that replaced a liar takes part, and is in quarantine for a while.
  const all = [0, 1, 2, 3].map((each) => `${condition(each)}.startsWith('takes part')`).join(' && ');
  check(await browser.until(all, 90000), 'all replicas take part again');
}

async function checkPanel() {
  check(await browser.until(`${text('#connection')}.includes('live')`), 'the page is live');
  check(await browser.until(`document.querySelectorAll('#control-rows > li').length === 5`),
    'the panel has a row for each replica and one for the network');
  check(await browser.evaluate(`document.querySelectorAll('#control button').length === 22`), 'each row has its buttons');
  check(await browser.until(`${text('#control-load')}.includes('made-up trace')`), 'the panel names the load');
  check(await browser.evaluate(`document.getElementById('control-outcome').getAttribute('aria-live') === 'polite'`),
    'a screen reader is told the outcome of an action');
}

async function checkKeyboard() {
  await browser.evaluate('document.activeElement.blur()');
  const label = `(document.activeElement.getAttribute('aria-label') ?? '')`;
  let reached = false;
  for (let count = 0; count < 60 && !reached; ++count) {
    await browser.key('Tab');
    reached = await browser.evaluate(`${label} === 'Pause: replica 1'`);
  }
  check(reached, 'the keyboard reaches a button');
  check(await browser.until(isPossible('Pause: replica 1'), 90000), 'the button is possible');
  await browser.key('Enter');
  check(await browser.until(`${outcome}.includes('replica 1 is paused')`), 'the Enter key pauses replica 1');
  check(await browser.until(`${label} === 'Resume: replica 1'`), 'the button has become its opposite and keeps the focus');
  await browser.key('Enter');
  check(await browser.until(`${outcome}.includes('replica 1 continues')`), 'the Enter key resumes replica 1');
  await isWhole();
}

async function checkFaults() {
  const shown = await browser.evaluate(text('#whose'));
  await click('Kill: replica 0');
  check(await browser.until(`${condition(0)} === 'killed'`), 'the panel says in a word that replica 0 is killed');
  await browser.evaluate(`${button('Kill: replica 1')}.click()`);
  check(await browser.until(`${outcome}.startsWith('Not now: replica 0 is faulty already')`), 'a second fault is refused');
  check(await browser.until(`${text('#connection')}.includes('live') && ${text('#whose')} !== ${JSON.stringify(shown)}`),
    'the page goes on with the view of another replica');
  await click('Restart: replica 0');
  await isWhole();
  await click('Cut off: replica 2');
  check(await browser.until(`${condition(2)} === 'cut off'`), 'the panel says that replica 2 is cut off');
  check(await browser.until(`document.querySelector('#ring svg')?.getAttribute('aria-label')`
    + `.match(/Replica 2 (silent|unlinked|behind|isolated)/)`), 'the group sees that replica 2 is cut off');
  await click('Reconnect: replica 2');
  await isWhole();
  await click('Split in two halves: the whole group');
  check(await browser.until(`${condition(4)}.includes('no half has a quorum')`), 'the panel says what a split means');
  await click('Reconnect: the whole group');
  await isWhole();
  await click('Lose disk: replica 1');
  check(await browser.until(`${condition(1)} === 'on probation'`), 'a replica without its disk is on probation');
  check(await browser.until(isPossible('Heal: replica 1'), 90000), 'the replica is readmitted');
  await click('Heal: replica 1');
  await isWhole();
}

async function checkLiar() {
  await click('Make Byzantine: replica 3');
  check(await browser.until(`${condition(3)}.includes('convicted')`), 'the liar is convicted');
  check(await browser.until(`!!document.querySelector('[aria-label="Evidence against replica 3"]')`),
    'the page has the evidence against the liar');
}

try {
  await browser.open(url);
  await browser.size(1280, 1000);
  await checkPanel();
  await checkKeyboard();
  await checkFaults();
  await checkLiar();
  await checkLooks(browser, check, folder, 'demo');
  await click('Replace by an honest one: replica 3');
  await isWhole();
  await click('Quit: the whole group');
  check(await browser.until(`${outcome}.includes('the states of all replicas are equal')`),
    `at the end: ${await browser.evaluate(outcome)}`);
  const elsewhere = [...browser.requested].filter((each) => each !== new URL(url).origin && !each.startsWith('null'));
  check(elsewhere.length === 0, `the page asks only its server ${elsewhere.join(' ')}`);
  check(browser.problems.length === 0, `the page causes no error ${browser.problems.slice(0, 3).join(' | ')}`);
} finally {
  await browser.close();
}
console.log(failures === 0 ? 'all passed' : `${failures} failed`);
process.exitCode = failures === 0 ? 0 : 1;
