// The control panel of the demonstration: it shows the harm that each replica suffers, and sends orders to the laboratory
// that serves this page. The key of the demonstration is in the address behind #, which no browser sends to a server.
import {byId, el, setText, svg} from '/page/dom.js';

const keyName = 'hypermesh-lab-key';
const pollMs = 1000;
// Circle: takes part. Triangle: may return by itself. Cross: does not take part. Link: the network.
const shapes = {
  ok: 'M12 3A9 9 0 1 1 11.9 3Z',
  doubt: 'M12 3 22 21H2Z',
  bad: 'M5 2 12 9 19 2 22 5 15 12 22 19 19 22 12 15 5 22 2 19 9 12 2 5Z',
  group: 'M3 9H10V15H3ZM14 9H21V15H14ZM10 11H14V13H10Z',
};

function readKey() {
  const shown = location.hash.match(/^#key=([0-9a-f]+)$/)?.[1];
  try {
    if (shown) sessionStorage.setItem(keyName, shown);
    return shown ?? sessionStorage.getItem(keyName) ?? '';
  } catch {
    return shown ?? '';  // A browser may forbid storage.
  }
}

const key = readKey();
let isBusy = false;
let isOver = false;
// The reply to the last order, the news that were known then, and what happened since.
let reply = '';
let known = null;
const rows = new Map();

const panel = el('section', {id: 'control', class: 'card', 'aria-labelledby': 'h-control'},
  el('div', {class: 'control-head'}, el('h2', {id: 'h-control'}, 'Cause a fault'),
    el('span', {class: 'quiet', id: 'control-load'})),
  el('ul', {id: 'control-rows'}),
  el('p', {id: 'control-outcome', role: 'status', 'aria-live': 'polite', 'data-state': 'none'},
    'Four replicas tolerate one fault. Choose one, and watch what the group does.'),
  el('details', {id: 'control-past'}, el('summary', {}, 'What happened so far'), el('ol', {id: 'control-notes'})));

function tell(state, text) {
  const outcome = byId('control-outcome');
  outcome.dataset.state = state;
  setText(outcome, text);
}

function refuse(text) {
  reply = '';
  tell('refused', text);
}

async function request(path, options = {}) {
  const answer = await fetch(path, {cache: 'no-store', credentials: 'omit', redirect: 'error', ...options,
    headers: {'X-HyperMesh-Lab': key}});
  return {ok: answer.ok, status: answer.status, said: await answer.json()};
}

async function send(order) {
  if (isBusy || isOver) return;
  isBusy = true;
  panel.setAttribute('aria-busy', 'true');
  tell('wait', 'The laboratory does it…');
  try {
    const {ok, said} = await request('/lab/orders', {method: 'POST', body: JSON.stringify(order)});
    reply = ok ? `Done: ${said.done}.` : `Refused: ${said.error}. To do: ${said.fix}.`;
    known = null;
    tell(ok ? 'done' : 'refused', reply);
    isOver = ok && order.action === 'quit';
  } catch {
    tell('refused', 'The laboratory cannot be reached. To do: look at the terminal that started it.');
  }
  isBusy = false;
  panel.removeAttribute('aria-busy');
  await look();
}

function makeRow(name, isGroup) {
  const sign = svg('path', {d: shapes.group});
  const condition = el('span', {class: 'control-condition'});
  const buttons = el('div', {class: 'control-buttons', role: 'group', 'aria-label': name});
  const title = el('strong', {}, name);
  const item = el('li', {class: isGroup ? 'control-group' : null}, el('div', {class: 'control-name'},
    svg('svg', {class: 'control-sign', viewBox: '0 0 24 24', 'aria-hidden': 'true'}, sign), title, condition), buttons);
  byId('control-rows').append(item);
  return {item, sign, title, condition, buttons};
}

// A button keeps its element and so its focus while its meaning changes between a fault and its end. It is never
// disabled, because a disabled button loses the focus and cannot say why.
function showButtons(row, name, buttons, replica) {
  buttons.forEach((button, index) => {
    let element = row.buttons.children[index];
    if (!element) {
      element = el('button', {type: 'button'});
      element.addEventListener('click', () => {
        if (element.getAttribute('aria-disabled') === 'true') refuse(`Not now: ${element.dataset.why}.`);
        else void send({action: element.dataset.action, ...(replica === null ? {} : {replica})});
      });
      row.buttons.append(element);
    }
    element.dataset.action = button.action;
    element.dataset.why = button.why;
    element.title = button.why;
    element.toggleAttribute('data-heals', button.action === 'heal');
    element.setAttribute('aria-disabled', button.possible ? 'false' : 'true');
    element.setAttribute('aria-label', `${button.label}: ${name}`);
    setText(element, button.label);
  });
}

function rowOf(id, name, isGroup) {
  if (!rows.has(id)) rows.set(id, makeRow(name, isGroup));
  return rows.get(id);
}

// After an order, the outcome also tells its effects: a new view, a conviction.
function tellNews(notes) {
  const newest = notes.at(-1) ?? '';
  if (known === null) known = newest;
  if (!reply || newest === known) return;
  const since = notes.slice(notes.lastIndexOf(known) + 1).map((each) => each.replace(/^ *[\d.]+ s +/, ''));
  tell('done', `${reply} Then: ${since.join('; ')}.`);
}

function show(now) {
  for (const each of now.replicas) {
    const name = `replica ${each.number}`;
    const row = rowOf(each.number, name, false);
    row.item.dataset.state = each.kind;
    row.sign.setAttribute('d', shapes[each.kind]);
    setText(row.title, `Replica ${each.number}${each.role === 'primary' ? ', primary' : ''}`);
    setText(row.condition, each.condition);
    showButtons(row, name, each.buttons, each.number);
  }
  const row = rowOf('group', 'the whole group', true);
  row.item.dataset.state = now.group.split ? 'bad' : 'ok';
  setText(row.title, 'Network');
  setText(row.condition, now.group.split ? 'split: no half has a quorum, so nothing is ordered' : 'connected');
  showButtons(row, 'the whole group', now.group.buttons, null);
  setText(byId('control-load'), `${now.load}; ${Math.round(now.rate)} operations/s`);
  tellNews(now.notes);
  const notes = byId('control-notes');
  if (notes.childElementCount !== now.notes.length || notes.lastChild?.textContent !== now.notes.at(-1)) {
    notes.replaceChildren(...now.notes.map((each) => el('li', {}, each)));
  }
}

async function look() {
  if (document.hidden || isBusy || isOver) return;
  try {
    const {ok, said} = await request('/lab/state');
    if (!ok) tell('refused', `${said.error}. To do: ${said.fix}.`);
    else if (said.replicas) show(said);
  } catch {
    tell('refused', 'The demonstration has ended, or its laboratory cannot be reached.');
  }
}

byId('health').after(panel);
void look();
setInterval(look, pollMs);
