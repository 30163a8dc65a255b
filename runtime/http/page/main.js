// The page of one node: it reads the past once, then listens to a snapshot a second and to events.
import {makeBatches} from './batches.js';
import {makeCharts} from './charts.js';
import {byId, setText} from './dom.js';
import {makeEvidence} from './evidence.js';
import {showHealth, showLost} from './health.js';
import {makeLanes} from './lanes.js';
import {makeReputation} from './reputation.js';
import {makeRing} from './ring.js';
import {keepToken, listen, load, Refusal} from './stream.js';
import {makeTape} from './tape.js';
import {clock, count, span} from './text.js';

const staleAfterMs = 5000;
const waitMaxMs = 10000;
const hiddenMaxMs = 60000;

const showEvidence = makeEvidence();
const parts = [makeRing(), makeLanes(), makeBatches()];
const charts = makeCharts();
const reputation = makeReputation(showEvidence);
const tape = makeTape();
let lastAt = null;
let last = null;

function setConnection(state, sign, text) {
  const pill = byId('connection');
  if (pill.dataset.state === state && pill.dataset.text === text) return;
  pill.dataset.state = state;
  pill.dataset.text = text;
  pill.lastChild.textContent = ` ${text}`;
  pill.firstElementChild.textContent = sign;
}

function show(now) {
  last = now;
  lastAt = performance.now();
  document.body.classList.remove('stale');
  setConnection('ok', '●', 'live');
  setText(byId('whose'), `replica ${now.replica}`);
  document.title = `replica ${now.replica} – HyperMesh`;
  setText(byId('whose-view'), `Everything on this page is as replica ${now.replica} sees it. Other replicas may see `
    + 'more or less, and what others say about themselves is their claim.');
  showHealth(now);
  for (const each of parts) each(now);
  charts.add(now.second);
  reputation.update(now);
  const executed = now.node ? `, ${count(now.node.requests_executed_total)} requests executed` : '';
  setText(byId('footer'), `Cluster ${now.cluster.slice(0, 16)}…, ${now.replicas.length} replicas, quorum ${now.quorum}, `
    + `checkpoint every ${count(now.checkpoint_period)} sequences; up for ${span(now.uptime_s)}${executed}.`);
}

function checkAge() {
  if (lastAt === null || performance.now() - lastAt < staleAfterMs) return;
  document.body.classList.add('stale');
  showLost(`The last report of replica ${last.replica} is from ${clock(last.time_ms)}. The node has stopped, hangs, or `
    + 'cannot be reached; what follows is old.');
}

function askToken(problem) {
  const dialog = byId('token');
  setText(byId('token-error'), problem);
  byId('token-value').value = '';
  if (!dialog.open) dialog.showModal();
  return new Promise((done) => {
    byId('token-form').addEventListener('submit', (event) => {
      event.preventDefault();
      keepToken(byId('token-value').value.trim());
      dialog.close();
      done();
    }, {once: true});
    dialog.addEventListener('cancel', (event) => event.preventDefault());
  });
}

const sleep = (ms) => new Promise((done) => {
  setTimeout(done, ms);
});

function onEvent(name, data) {
  if (name === 'snapshot') show(data);
  if (name === 'tape') tape.add(data);
}

// A page that nobody sees for a minute asks the node for nothing.
function whenSeen() {
  if (!document.hidden) return Promise.resolve();
  return new Promise((done) => {
    const look = () => {
      if (document.hidden) return;
      document.removeEventListener('visibilitychange', look);
      done();
    };
    document.addEventListener('visibilitychange', look);
  });
}

function hiddenSignal() {
  const stop = new AbortController();
  let timer = 0;
  const look = () => {
    clearTimeout(timer);
    if (document.hidden) timer = setTimeout(() => stop.abort(), hiddenMaxMs);
  };
  document.addEventListener('visibilitychange', look);
  stop.signal.addEventListener('abort', () => document.removeEventListener('visibilitychange', look));
  return stop;
}

async function follow() {
  const stop = hiddenSignal();
  try {
    const history = await load('/api/v1/history');
    charts.load(history);
    reputation.load(history);
    tape.load(history);
    await listen('/api/v1/live', onEvent, stop.signal);
  } finally {
    stop.abort();
  }
}

async function run() {
  let wait = 1000;
  let hadToken = false;
  for (;;) {
    const begun = performance.now();
    let why = 'the node ended the connection';
    try {
      await whenSeen();
      await follow();
    } catch (error) {
      why = error.message;
      if (error instanceof Refusal && error.status === 401) {
        await askToken(hadToken ? 'The node refuses this token.' : '');
        hadToken = true;
        continue;
      }
    }
    setConnection('bad', '✕', 'no connection, trying again');
    if (lastAt === null) showLost(`This page cannot read the node: ${why}`);
    if (performance.now() - begun > waitMaxMs) wait = 1000;
    await sleep(wait * (0.75 + Math.random() / 2));
    wait = Math.min(wait * 2, waitMaxMs);
  }
}

setInterval(checkAge, 1000);
void run();
