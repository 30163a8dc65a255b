// How far each replica is: its stable checkpoint and what it executed or decided, in the window of this node.
import {byId, el, picture, row, svg, table} from './dom.js';
import {stateOf} from './replicas.js';
import {count, niceStep} from './text.js';

// The position of each replica; nulls for one that this node has not heard.
function positions(now) {
  return now.replicas.map((each) => (each.replica === now.replica && now.node
    ? {each, stable: now.node.stable_checkpoint, done: now.node.last_executed}
    : {each, stable: each.stable ?? null, done: each.decided ?? null}));
}

function draw(now, width) {
  const all = positions(now);
  // A replica may claim any number, so a claim moves the scale by two windows at most.
  const {low_watermark: lowest, high_watermark: highest} = now.node;
  const window = highest - lowest;
  const low = Math.max(lowest - 2 * window, Math.min(lowest, ...all.map((each) => each.stable ?? lowest)), 0);
  const high = Math.min(highest + 2 * window, Math.max(highest, ...all.map((each) => each.done ?? 0)));
  const left = 66;
  const right = 14;
  const rowHeight = all.length > 16 ? 16 : 34;
  const height = all.length * rowHeight + 30;
  const x = (sequence) => {
    const shown = Math.min(Math.max(sequence, low), high);
    return left + ((shown - low) / Math.max(1, high - low)) * (width - left - right);
  };
  const picture = svg('svg', {role: 'img', width, height, viewBox: `0 0 ${width} ${height}`, 'aria-label':
    `Window from ${now.node.low_watermark} to ${now.node.high_watermark}. ` + all.map((each) =>
      `Replica ${each.each.replica}: ${each.done === null ? 'unknown' : `at ${each.done}`}`).join('. ')});
  const bottom = height - 22;
  const step = niceStep(high - low, Math.max(2, Math.floor((width - left - right) / 90)));
  for (let at = Math.ceil(low / step) * step; at <= high; at += step) {
    picture.append(svg('line', {class: 'grid', x1: x(at), y1: 4, x2: x(at), y2: bottom}));
    picture.append(svg('text', {class: 'axis', x: x(at), y: bottom + 16, 'text-anchor': 'middle'}, count(at)));
  }
  picture.append(svg('rect', {class: 'window', x: x(now.node.low_watermark), y: 2, height: bottom - 2,
    width: Math.max(0, x(now.node.high_watermark) - x(now.node.low_watermark))}));
  all.forEach(({each, stable, done}, at) => {
    const y = 4 + at * rowHeight + rowHeight / 2;
    const isSelf = each.replica === now.replica;
    picture.append(svg('text', {class: isSelf ? 'lane-name self' : 'lane-name', x: 0, y},
      isSelf ? `${each.replica} this` : each.replica));
    picture.append(svg('line', {class: 'lane', x1: left, y1: y, x2: width - right, y2: y}));
    if (done === null) {
      picture.append(svg('text', {class: 'axis', x: left + 8, y: y - 6}, stateOf(each).label));
      return;
    }
    picture.append(svg('line', {class: 'lane-done', x1: x(Math.min(stable, done)), y1: y, x2: x(done), y2: y}));
    const s = x(stable);
    picture.append(svg('path', {class: 'mark-stable', d: `M${s} ${y - 6} ${s + 6} ${y} ${s} ${y + 6} ${s - 6} ${y}Z`}));
    picture.append(svg('circle', {class: 'mark-done', cx: x(done), cy: y, r: 5}));
    if (rowHeight > 20) {
      const before = x(done) > width - 110;
      picture.append(svg('text', {class: 'axis', x: x(done) + (before ? -9 : 9), y: y - 7,
        'text-anchor': before ? 'end' : 'start'}, count(done)));
    }
  });
  return picture;
}

export function makeLanes() {
  let now = null;
  const drawAgain = picture(byId('lanes'), (width) =>
    (now?.node ? draw(now, width) : el('p', {class: 'quiet'}, 'No data yet.')));
  const rows = table('lanes-table', () => {
    if (!now?.node) return [];
    const all = positions(now);
    const first = Math.max(...all.map((each) => each.done ?? 0));
    return all.map(({each, stable, done}) => row(`replica ${each.replica}`, stable === null ? '?' : count(stable),
      done === null ? '?' : count(done), done === null ? '?' : count(first - done)));
  });
  return (snapshot) => {
    now = snapshot;
    drawAgain();
    rows();
  };
}
