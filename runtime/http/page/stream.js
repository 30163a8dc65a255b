// Requests to this node, and its stream of events. EventSource cannot send the token, so a request reads the stream.

const tokenKey = 'hypermesh-token';
let token = null;
try {
  token = sessionStorage.getItem(tokenKey);
} catch {
  // A browser may forbid storage; the token then lasts as long as the page.
}

export function keepToken(value) {
  token = value;
  try {
    sessionStorage.setItem(tokenKey, value);
  } catch {
    // See above.
  }
}

export class Refusal extends Error {
  constructor(status, text) {
    super(text);
    this.status = status;
  }
}

async function request(path, options) {
  const headers = token ? {Authorization: `Bearer ${token}`} : {};
  const answer = await fetch(path, {headers, cache: 'no-store', credentials: 'omit', redirect: 'error', ...options});
  if (answer.ok) return answer;
  let text = `the node answered ${answer.status}`;
  try {
    const said = await answer.json();
    text = `${said.error}; fix: ${said.fix}`;
  } catch {
    // Not an answer of a node.
  }
  throw new Refusal(answer.status, text);
}

export const load = async (path) => (await request(path, {})).json();

const waitingMax = 1 << 20;

// Calls onEvent(name, data) until the stream ends. Throws if it cannot be opened or breaks.
export async function listen(path, onEvent, signal) {
  const answer = await request(path, {signal});
  const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
  let waiting = '';
  for (;;) {
    const {value, done} = await reader.read();
    if (done) return;
    waiting += value;
    if (waiting.length > waitingMax) throw new Error('the stream has no end of an event');
    let end = waiting.indexOf('\n\n');
    for (; end >= 0; end = waiting.indexOf('\n\n')) {
      const lines = waiting.slice(0, end).split('\n');
      waiting = waiting.slice(end + 2);
      const field = (name) => lines.find((each) => each.startsWith(`${name}: `))?.slice(name.length + 2);
      const name = field('event');
      if (name) onEvent(name, JSON.parse(field('data') ?? 'null'));
    }
  }
}
