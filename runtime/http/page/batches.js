// The way of the last batches through the phases of PBFT, with the votes as they arrived at this node.
import {byId, el, picture, row, setText, svg, table} from './dom.js';
import {primaryOf} from './replicas.js';
import {clock, count, micros, niceStep} from './text.js';

const keptMax = 60;
const names = [
  ['requested', 'proposed', 'wait'],
  ['proposed', 'prepared', 'prepare'],
  ['prepared', 'committed', 'commit'],
  ['committed', 'executed', 'order'],
  ['executed', 'replied', 'execute'],
];

const phasesOf = (batch) => names
  .filter(([from, to]) => batch[from] !== undefined && batch[to] !== undefined && batch[to] >= batch[from])
  .map(([from, to, name]) => ({name, from: batch[from], to: batch[to]}));

const endOf = (batch) => Math.max(batch.replied ?? 0, batch.executed ?? 0, batch.committed ?? 0, 1);
const voteOf = (votes, replica) => votes.find(([who]) => who === replica)?.[1];

// The phases have names in the picture only where there is room, so each also has a letter pattern of its own.
function drawPhases(into, batch, x, bottom) {
  for (const each of phasesOf(batch)) {
    const wide = x(each.to) - x(each.from);
    into.append(svg('rect', {class: `phase phase-${each.name}`, x: x(each.from), y: 20, width: Math.max(1, wide),
      height: bottom - 20}));
    if (wide > 7 * each.name.length + 6) {
      into.append(svg('text', {class: 'axis', x: x(each.from) + wide / 2, y: 13, 'text-anchor': 'middle'}, each.name));
    }
  }
}

function draw(batch, replicas, self, width) {
  const left = 74;
  const right = 16;
  const rowHeight = replicas > 16 ? 14 : 28;
  const bottom = 24 + replicas * rowHeight;
  const height = bottom + 24;
  const end = endOf(batch);
  const x = (us) => left + (us / end) * (width - left - right);
  const primary = primaryOf(batch.view, replicas);
  const picture = svg('svg', {role: 'img', width, height, viewBox: `0 0 ${width} ${height}`, 'aria-label':
    `Batch ${batch.sequence}: ` + phasesOf(batch).map((each) => `${each.name} ${micros(each.to - each.from)}`).join(', ')
    + `. PREPARE of ${batch.prepares.map(([who]) => who).join(', ')}. `
    + `COMMIT of ${batch.commits.map(([who]) => who).join(', ')}.`});
  drawPhases(picture, batch, x, bottom);
  const step = niceStep(end, Math.max(2, Math.floor((width - left - right) / 80)));
  for (let at = 0; at <= end; at += step) {
    picture.append(svg('line', {class: 'grid', x1: x(at), y1: 20, x2: x(at), y2: bottom}));
    picture.append(svg('text', {class: 'axis', x: x(at), y: bottom + 16, 'text-anchor': 'middle'}, micros(at)));
  }
  for (let replica = 0; replica < replicas; ++replica) {
    const y = 24 + replica * rowHeight + rowHeight / 2;
    const mark = `${replica === primary ? '★' : ''}${replica}${replica === self ? ' this' : ''}`;
    picture.append(svg('text', {class: replica === self ? 'lane-name self' : 'lane-name', x: 0, y}, mark));
    picture.append(svg('line', {class: 'lane', x1: left, y1: y, x2: width - right, y2: y}));
    const prepare = voteOf(batch.prepares, replica);
    const commit = voteOf(batch.commits, replica);
    const half = rowHeight > 20 ? 6 : 4;
    if (prepare === undefined && commit === undefined) {
      picture.append(svg('path', {class: 'mark-missing', d: `M${left - 16} ${y}H${left - 6}`}));
    }
    if (prepare !== undefined) {
      const at = x(prepare);
      picture.append(svg('path', {class: 'mark-prepare', d: `M${at} ${y - half} ${at + half} ${y + half}H${at - half}Z`}));
    }
    if (commit !== undefined) {
      const at = x(commit);
      picture.append(svg('rect', {class: 'mark-commit', x: at - half + 1, y: y - half + 1, width: 2 * half - 2,
        height: 2 * half - 2}));
    }
  }
  return picture;
}

function summary(batch, replicas) {
  const parts = phasesOf(batch).map((each) => `${each.name} ${micros(each.to - each.from)}`);
  return `Batch ${count(batch.sequence)} of view ${batch.view}, primary ${primaryOf(batch.view, replicas)}, `
    + `${count(batch.requests)} request${batch.requests === 1 ? '' : 's'}, at ${clock(batch.begin_ms)}: `
    + `${micros(endOf(batch))} in all (${parts.join(', ')}).`;
}

export function makeBatches() {
  const kept = new Map();
  let replicas = 4;
  let self = 0;
  let chosen = null;
  let follows = true;
  const list = byId('batch-list');
  const follow = byId('follow');
  const shown = () => kept.get(chosen);
  const drawAgain = picture(byId('batch-picture'), (width) => (shown()
    ? draw(shown(), replicas, self, width)
    : el('p', {class: 'quiet'}, 'No batch has been executed since this node started.')));
  const rows = table('batch-table', () => {
    if (!shown()) return [];
    const moment = (votes, replica) => {
      const at = voteOf(votes, replica);
      return at === undefined ? 'not needed, or not sent' : micros(at);
    };
    return Array.from({length: replicas}, (_, at) => row(`replica ${at}`, moment(shown().prepares, at),
      moment(shown().commits, at)));
  });
  const buttons = new Map();
  const show = () => {
    for (const [sequence, button] of buttons) {
      button.setAttribute('aria-selected', sequence === chosen ? 'true' : 'false');
    }
    if (buttons.has(chosen)) list.setAttribute('aria-activedescendant', buttons.get(chosen).id);
    follow.setAttribute('aria-pressed', follows ? 'true' : 'false');
    setText(byId('batch-summary'), shown() ? summary(shown(), replicas) : '');
    drawAgain();
    rows();
  };
  const choose = (sequence) => {
    chosen = sequence;
    follows = false;
    show();
  };
  follow.addEventListener('click', () => {
    follows = !follows;
    if (follows) chosen = Math.max(...kept.keys());
    show();
  });
  list.addEventListener('keydown', (event) => {
    const all = [...kept.keys()].sort((a, b) => b - a);
    const at = all.indexOf(chosen);
    const to = {ArrowLeft: at - 1, ArrowRight: at + 1, Home: 0, End: all.length - 1}[event.key];
    if (to === undefined || all.length === 0) return;
    event.preventDefault();
    choose(all[Math.min(Math.max(to, 0), all.length - 1)]);
    buttons.get(chosen).scrollIntoView({block: 'nearest', inline: 'nearest'});
  });
  const list_again = () => {
    for (const [sequence, button] of buttons) {
      if (kept.has(sequence)) continue;
      button.remove();
      buttons.delete(sequence);
    }
    for (const sequence of [...kept.keys()].sort((a, b) => a - b)) {
      if (buttons.has(sequence)) continue;
      const button = el('div', {role: 'option', id: `batch-${sequence}`, class: 'chip'}, count(sequence));
      button.addEventListener('click', () => choose(sequence));
      buttons.set(sequence, button);
      list.prepend(button);
    }
  };
  return (snapshot) => {
    replicas = snapshot.replicas.length;
    self = snapshot.replica;
    // While somebody looks at a batch, the list stands still.
    if (!follows) return;
    for (const each of snapshot.batches) kept.set(each.sequence, each);
    const all = [...kept.keys()].sort((a, b) => a - b);
    while (all.length > keptMax) kept.delete(all.shift());
    chosen = all.at(-1) ?? null;
    list_again();
    show();
  };
}
