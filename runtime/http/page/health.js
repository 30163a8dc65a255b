// The one sentence about this node and its group, on top of the page.
import {byId, el, setText} from './dom.js';
import {words} from './text.js';

// A check mark in a circle, a triangle, a clock, an octagon.
const shapes = {
  ok: 'M12 1a11 11 0 1 0 0 22a11 11 0 1 0 0-22ZM6.5 12.2l3.6 3.7l7.4-8l1.6 1.5l-9 9.7l-5.2-5.4Z',
  doubt: 'M12 1.5L23.5 22H.5ZM10.9 8.5h2.2v7h-2.2ZM10.9 17h2.2v2.2h-2.2Z',
  wait: 'M12 1a11 11 0 1 0 0 22a11 11 0 1 0 0-22ZM12 3.5a8.5 8.5 0 1 1 0 17a8.5 8.5 0 1 1 0-17ZM11 6h2v6.4l4.2 2.5l-1 1.7'
    + 'L11 13.5Z',
  bad: 'M7.5 1h9L23 7.5v9L16.5 23h-9L1 16.5v-9ZM7.4 8.8L10.6 12L7.4 15.2l1.4 1.4L12 13.4l3.2 3.2l1.4-1.4L13.4 12l3.2-3.2'
    + 'l-1.4-1.4L12 10.6L8.8 7.4Z',
};

function judge(now) {
  const {live, ready, degraded} = now.health;
  if (now.failure !== null) return ['bad', 'This replica has failed'];
  if (!live) return ['bad', 'This replica is not live: restart it'];
  if (!ready) return ['bad', 'This replica is not ready: send it no clients'];
  if (degraded) return ['doubt', 'Works, and needs attention'];
  return ['ok', 'Works'];
}

export function showHealth(now) {
  const [state, word] = judge(now);
  byId('health').dataset.state = state;
  byId('health-shape').setAttribute('d', shapes[state]);
  setText(byId('health-word'), word);
  const sentence = now.health.sentence;
  setText(byId('health-sentence'), sentence.charAt(0).toUpperCase() + sentence.slice(1));
  const notes = [...(now.failure ? [now.failure] : []), ...now.health.attention.map(words)];
  setNotes(byId('health-notes'), notes);
}

function setNotes(list, notes) {
  if ([...list.children].map((each) => each.textContent).join('\n') === notes.join('\n')) return;
  list.replaceChildren(...notes.map((each) => el('li', {}, each)));
}

export function showLost(text) {
  byId('health').dataset.state = 'wait';
  byId('health-shape').setAttribute('d', shapes.wait);
  byId('health-notes').replaceChildren();
  setText(byId('health-word'), 'No present data');
  setText(byId('health-sentence'), text);
}
