// Elements of the document. Every text from the node becomes the text of an element, never markup, because names and
// reasons come from peers and clients.

const svgSpace = 'http://www.w3.org/2000/svg';

function fill(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== null && value !== undefined && value !== false) element.setAttribute(name, value);
  }
  element.append(...children.filter((each) => each !== null && each !== undefined).map(
    (each) => (each instanceof Node ? each : String(each))));
  return element;
}

export const el = (tag, attributes = {}, ...children) =>
  fill(document.createElement(tag), attributes, children);
export const svg = (tag, attributes = {}, ...children) =>
  fill(document.createElementNS(svgSpace, tag), attributes, children);
export const byId = (id) => document.getElementById(id);

export function setText(element, text) {
  // An element that is announced or selected does not change without need.
  if (element.textContent !== text) element.textContent = text;
}

export const row = (heading, ...cells) =>
  el('tr', {}, el('th', {scope: 'row'}, heading), ...cells.map((each) => el('td', {}, each)));

// Draws a picture now and whenever its width changes, in pixels of the screen, so that texts keep their size.
export function picture(host, draw) {
  let width = 0;
  const again = () => {
    if (width > 0) host.replaceChildren(draw(width));
  };
  new ResizeObserver((entries) => {
    const now = Math.floor(entries[0].contentRect.width);
    if (now === width) return;
    width = now;
    again();
  }).observe(host);
  return again;
}

// Fills the body of a table inside a closed <details> only when somebody opens it.
export function table(id, rows) {
  const body = byId(id).tBodies[0];
  const box = byId(id).closest('details');
  const again = () => {
    if (!box || box.open) body.replaceChildren(...rows());
  };
  if (box) box.addEventListener('toggle', again);
  return again;
}
