// The replicas as a ring: the view and its primary, this node, and the links of this node.
import {byId, el, picture, row, svg, table} from './dom.js';
import {primaryOf, stateOf, whyOf} from './replicas.js';
import {ago} from './text.js';

// A circle takes part, a diamond is in doubt, an octagon does not take part.
function shape(kind, x, y, size) {
  if (kind === 'ok') return svg('circle', {cx: x, cy: y, r: size});
  const corners = kind === 'doubt' ? 4 : 8;
  const turn = kind === 'doubt' ? 0 : Math.PI / 8;
  const reach = kind === 'doubt' ? size * 1.2 : size * 1.05;
  const points = Array.from({length: corners}, (_, at) => {
    const angle = turn + (at * 2 * Math.PI) / corners;
    return `${(x + reach * Math.cos(angle)).toFixed(1)},${(y + reach * Math.sin(angle)).toFixed(1)}`;
  });
  return svg('polygon', {points: points.join(' ')});
}

function linkOf(from, to, replica, size) {
  const dx = to.x - from.x;
  const dy = to.y - from.y;
  const length = Math.hypot(dx, dy);
  const cut = (size * 1.35) / length;
  const line = svg('line', {
    class: replica.linked ? 'link up' : 'link down',
    x1: from.x + dx * cut, y1: from.y + dy * cut, x2: to.x - dx * cut, y2: to.y - dy * cut,
  });
  if (replica.linked) return line;
  const middle = {x: (from.x + to.x) / 2, y: (from.y + to.y) / 2};
  return svg('g', {}, line, svg('circle', {class: 'link-cut-ground', cx: middle.x, cy: middle.y, r: 8}),
    svg('text', {class: 'link-cut', x: middle.x, y: middle.y}, '✕'));
}

function nodeOf(now, replica, at, size, primary, hasLabels, isUpper) {
  const state = stateOf(replica);
  const isSelf = replica.replica === now.replica;
  const group = svg('g', {class: `node ${state.kind}${isSelf ? ' self' : ''}`});
  if (replica.replica === primary) group.append(svg('circle', {class: 'primary', cx: at.x, cy: at.y, r: size * 1.4}));
  group.append(shape(state.kind, at.x, at.y, size));
  group.append(svg('text', {class: 'node-number', x: at.x, y: at.y, 'font-size': size * 0.9}, replica.replica));
  if (state.letter) {
    group.append(svg('circle', {class: 'badge', cx: at.x + size * 0.85, cy: at.y - size * 0.85, r: size * 0.45}));
    group.append(svg('text', {class: 'badge-letter', x: at.x + size * 0.85, y: at.y - size * 0.85,
      'font-size': size * 0.55}, state.letter));
  }
  if (!hasLabels) return group;
  const roles = [replica.replica === primary ? '★ primary' : '', isSelf ? 'this node' : ''].filter(Boolean).join(' · ');
  // Outside of the ring, where no link is.
  const lines = [[roles, 'node-role'], [state.label, 'node-state']].filter(([text]) => text !== '');
  const first = isUpper ? at.y - size * 1.4 - 9 - (lines.length - 1) * 15 : at.y + size * 1.4 + 16;
  lines.forEach(([text, name], place) => {
    group.append(svg('text', {class: name, x: at.x, y: first + place * 15}, text));
  });
  return group;
}

function draw(now, width) {
  const replicas = now.replicas;
  const hasLabels = replicas.length <= 10;
  const height = Math.round(Math.min(Math.max(width * 0.78, 280), 330));
  const size = Math.max(7, Math.min(25, (Math.min(width, height) * 1.5) / replicas.length / 2.2, width / 15));
  const margin = size * 1.5 + (hasLabels ? 32 : 6);
  const reach = {x: Math.min(width / 2 - (hasLabels ? 52 : margin), height * 0.75), y: height / 2 - margin};
  const middle = {x: width / 2, y: height / 2};
  const places = replicas.map((_, at) => {
    const angle = -Math.PI / 2 + (at * 2 * Math.PI) / replicas.length;
    return {x: middle.x + reach.x * Math.cos(angle), y: middle.y + reach.y * Math.sin(angle)};
  });
  // Without a report of the node, nobody knows the view.
  const view = now.node?.view ?? '?';
  const primary = now.node ? primaryOf(view, replicas.length) : '?';
  const picture = svg('svg', {role: 'img', width, height, viewBox: `0 0 ${width} ${height}`,
    'aria-label': `View ${view}, primary is replica ${primary}. ` + replicas.map(
      (each) => `Replica ${each.replica} ${stateOf(each).label}`).join('. ')});
  const self = places[now.replica];
  for (const each of replicas) {
    if (each.replica !== now.replica) picture.append(linkOf(self, places[each.replica], each, size));
  }
  picture.append(svg('rect', {class: 'view-ground', x: middle.x - 46, y: middle.y - 22, width: 92, height: 44, rx: 8}));
  picture.append(svg('text', {class: 'view-number', x: middle.x, y: middle.y - 2}, `view ${view}`));
  picture.append(svg('text', {class: 'view-state', x: middle.x, y: middle.y + 14},
    now.node && !now.node.view_is_active ? 'is being changed' : `primary ${primary}`));
  for (const each of replicas) {
    const at = places[each.replica];
    picture.append(nodeOf(now, each, at, size, primary, hasLabels, at.y < middle.y - 2));
  }
  return picture;
}

export function makeRing() {
  let now = null;
  const drawAgain = picture(byId('ring'), (width) => (now ? draw(now, width) : el('p', {class: 'quiet'}, 'No data yet.')));
  const rows = table('ring-table', () => (now ? now.replicas : []).map((each) => {
    const isSelf = each.replica === now.replica;
    const state = stateOf(each);
    const why = whyOf(each);
    return row(`replica ${each.replica}`, why || state.label, isSelf ? 'this node' : (each.linked ? 'up' : 'down'),
      isSelf ? (now.node?.view ?? '?') : (each.view ?? '?'),
      isSelf ? '' : (each.heard_ms === undefined ? 'never' : ago(each.heard_ms)));
  }));
  return (snapshot) => {
    now = snapshot;
    drawAgain();
    rows();
  };
}
