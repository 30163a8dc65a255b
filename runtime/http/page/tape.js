// The events of this node, the newest first.
import {byId, el} from './dom.js';
import {clock, words} from './text.js';

const eventsMax = 200;
const signs = {debug: '·', info: 'i', warn: '▲', error: '✖'};

export function makeTape() {
  const tape = byId('tape');
  const filter = byId('tape-filter');
  filter.addEventListener('change', () => tape.classList.toggle('warnings', filter.checked));
  const line = (event) => el('li', {'data-level': event.level},
    el('time', {datetime: new Date(event.time_ms).toISOString()}, clock(event.time_ms)),
    el('span', {class: 'level', title: event.level, role: 'img', 'aria-label': event.level}, signs[event.level] ?? '?'),
    el('span', {class: 'event'}, words(event.name)),
    el('span', {class: 'sentence'}, event.text));
  const add = (event) => {
    tape.prepend(line(event));
    while (tape.children.length > eventsMax) tape.lastElementChild.remove();
  };
  return {
    load(history) {
      tape.replaceChildren();
      history.events.forEach(add);
    },
    add,
  };
}
