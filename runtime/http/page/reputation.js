// The history of the agreed reputations, and who is in quarantine.
import {byId, el, picture, svg} from './dom.js';
import {count} from './text.js';

const scoreMax = 1000;
const pointsMax = 1000;

function draw(points, replicas, now, width) {
  const height = 150;
  const [left, right, top, bottom] = [40, 34, 10, height - 22];
  const first = points[0]?.at ?? now;
  const from = Math.min(first, now - 60000);
  const x = (ms) => left + ((ms - from) / Math.max(1, now - from)) * (width - left - right);
  const y = (score) => bottom - (score / scoreMax) * (bottom - top);
  const lasts = replicas.map((each) => `replica ${each.replica} ${each.score ?? 'unknown'}`);
  const picture = svg('svg', {role: 'img', width, height, viewBox: `0 0 ${width} ${height}`,
    'aria-label': `Agreed scores from 0 to ${scoreMax}: ${lasts.join(', ')}`});
  for (const score of [0, 500, 1000]) {
    picture.append(svg('line', {class: 'grid', x1: left, x2: width - right, y1: y(score), y2: y(score)}));
    picture.append(svg('text', {class: 'axis', x: left - 6, y: y(score) + 4, 'text-anchor': 'end'}, score));
  }
  const minutes = (now - from) / 60000;
  picture.append(svg('text', {class: 'axis', x: left, y: height - 5}, `−${minutes.toFixed(minutes < 10 ? 1 : 0)} min`));
  picture.append(svg('text', {class: 'axis', x: width - right, y: height - 5, 'text-anchor': 'end'}, 'now'));
  // Equal scores would hide each other, so each line is a little lower than the one before.
  const shift = (number) => (replicas.length <= 16 ? (number - (replicas.length - 1) / 2) * 2.5 : 0);
  const ends = [];
  const marks = [];
  for (const {replica: number, quarantined_until: until} of replicas) {
    let path = '';
    let previous = null;
    const own = points.filter((each) => each.replica === number);
    for (const each of own) {
      const at = x(each.at).toFixed(1);
      path += previous === null ? `M${at}` : `L${at} ${(y(previous) + shift(number)).toFixed(1)}L${at}`;
      path += ` ${(y(each.score) + shift(number)).toFixed(1)}`;
      previous = each.score;
      if (each.until > 0) {
        marks.push(svg('circle', {class: 'quarantine-ground', cx: at, cy: y(each.score) - 14, r: 9}),
          svg('text', {class: 'quarantine', x: at, y: y(each.score) - 10, 'text-anchor': 'middle'}, 'Q'));
      }
    }
    if (previous === null) continue;
    path += `L${x(now).toFixed(1)} ${(y(previous) + shift(number)).toFixed(1)}`;
    picture.append(svg('path', {class: `line line-r${number % 6}${until > 0 ? ' bad' : ''}`, d: path}));
    ends.push({number, y: y(previous) + shift(number)});
  }
  picture.append(...marks);
  // Replicas with nearly the same score share one label.
  ends.sort((a, b) => a.y - b.y);
  const labels = [];
  for (const each of ends) {
    const last = labels.at(-1);
    if (last && each.y - last.y < 13) last.numbers.push(each.number);
    else labels.push({y: each.y, numbers: [each.number]});
  }
  for (const {y: at, numbers} of labels) {
    const sorted = numbers.sort((a, b) => a - b);
    const text = sorted.length > 3 ? `${sorted[0]}–${sorted.at(-1)}` : sorted.join(',');
    picture.append(svg('text', {class: 'axis', x: width - right + 6, y: at + 4}, text));
  }
  return picture;
}

export function makeReputation(showEvidence) {
  let points = [];
  let snapshot = null;
  const rows = new Map();
  const drawAgain = picture(byId('reputation'), (width) => (snapshot
    ? draw(points, snapshot.replicas, snapshot.time_ms, width) : el('p', {class: 'quiet'}, 'No data yet.')));
  const add = (at, each) => {
    const {replica, score, local_score: local, convictions, quarantined_until: until} = each;
    if (score === undefined) return;
    const last = points.findLast((point) => point.replica === replica);
    if (last && last.score === score && last.until === until && last.convictions === convictions) return;
    points.push({at, replica, score, local, convictions, until});
    if (points.length > pointsMax) points.shift();
  };
  const makeRow = (number) => {
    const cells = {score: el('td'), local: el('td'), convictions: el('td'), evidence: el('td')};
    const button = el('button', {type: 'button', class: 'small', 'aria-label': `Evidence against replica ${number}`},
      'Show');
    button.addEventListener('click', () => showEvidence(number));
    const line = el('tr', {}, el('th', {scope: 'row'}, `replica ${number}`), cells.score, cells.local,
      cells.convictions, cells.evidence);
    byId('reputation-table').tBodies[0].append(line);
    return {...cells, button};
  };
  // The number says the same as the bar, so a reader of the screen hears it once.
  const meter = (value) => [el('meter', {min: 0, max: scoreMax, low: 400, high: 700, optimum: scoreMax, value,
    'aria-hidden': 'true'}), ` ${value}`];
  const fillRow = (each) => {
    if (!rows.has(each.replica)) rows.set(each.replica, makeRow(each.replica));
    const cells = rows.get(each.replica);
    if (each.score === undefined) return;
    cells.score.replaceChildren(...meter(each.score));
    cells.local.replaceChildren(...meter(each.local_score));
    const until = each.quarantined_until > 0 ? `, in quarantine until ${count(each.quarantined_until)}` : '';
    cells.convictions.textContent = `${each.convictions}${until}`;
    const wanted = each.convictions > 0 || until !== '';
    if (wanted && !cells.button.isConnected) cells.evidence.replaceChildren(cells.button);
    if (!wanted) cells.evidence.textContent = 'none';
  };
  return {
    load(history) {
      points = history.standings.map(([at, replica, score, local, convictions, until]) =>
        ({at, replica, score, local, convictions, until}));
    },
    update(now) {
      snapshot = now;
      for (const each of now.replicas) {
        add(now.time_ms, each);
        fillRow(each);
      }
      drawAgain();
    },
  };
}
