// The evidence against a replica: its signed messages side by side, verified in this browser where it can.
import {byId, el} from './dom.js';
import {load} from './stream.js';
import {clock, count, words} from './text.js';

const meanings = {
  conflicting_votes: 'It signed votes for two different batches at the same view and sequence number. A correct '
    + 'replica signs one of them only (§4.2).',
  conflicting_checkpoints: 'It signed two different states for the same checkpoint. A correct replica has one (§4.3).',
  conflicting_view_changes: 'It signed two different VIEW-CHANGEs for the same view (§4.4).',
  conflicting_new_views: 'It opened the same view in two different ways (§4.4).',
  unlawful_vote: 'It signed a vote that no correct replica signs: a PREPARE as primary, a PRE-PREPARE as backup, or a '
    + 'CHECKPOINT where no period ends.',
  unlawful_view_change: 'It signed a VIEW-CHANGE that is invalid by itself (§4.4).',
  unlawful_new_view: 'It signed a NEW-VIEW that does not follow from its VIEW-CHANGEs (§4.4).',
  hidden_certificate: 'It committed a batch and then hid the certificate of it in its VIEW-CHANGE (§4.4).',
};
const statementBytes = 56;

const bytesOf = (hex) => Uint8Array.from(hex.match(/../g) ?? [], (pair) => parseInt(pair, 16));

// The fields of a statement, read from the bytes that were signed, so nothing else is shown than what was signed.
function fieldsOf(item) {
  const bytes = bytesOf(item.content);
  if (bytes.length !== statementBytes || item.bytes !== statementBytes) return null;
  const view = new DataView(bytes.buffer);
  return [
    ['kind', item.name],
    ['view', String(view.getBigUint64(0, true))],
    ['sequence', String(view.getBigUint64(8, true))],
    ['digest', item.content.slice(32, 96)],
    ['replica', String(view.getUint32(48, true))],
    ['epoch', String(view.getUint32(52, true))],
  ];
}

// 'good', 'bad', or null if this browser cannot tell.
export async function verify(item, prefix) {
  if (!item.content || !item.public_key || !globalThis.crypto?.subtle) return null;
  try {
    const key = await crypto.subtle.importKey('raw', bytesOf(item.public_key), {name: 'Ed25519'}, false, ['verify']);
    const kind = item.kind.toString(16).padStart(2, '0');
    const input = bytesOf(prefix + kind + item.content);
    return (await crypto.subtle.verify({name: 'Ed25519'}, key, bytesOf(item.signature), input)) ? 'good' : 'bad';
  } catch {
    return null;
  }
}

const verdicts = {
  good: ['ok', '✔ Signature verified by this browser (WebCrypto Ed25519)'],
  bad: ['bad', '✘ This browser finds the signature wrong: do not believe this node'],
};
const byNode = ['ok', '✔ Signature verified by this node; this browser has no Ed25519, or the message is too long'];

function itemOf(item, others, prefix, place) {
  const fields = fieldsOf(item);
  const list = el('dl', {class: 'fields'});
  for (const [name, value] of fields ?? [['kind', item.name], ['size', `${count(item.bytes)} bytes`]]) {
    const differs = others.some((other) => other && other.some(([theirs, text]) => theirs === name && text !== value));
    list.append(el('dt', {}, differs ? `≠ ${name}` : name),
      el('dd', {class: differs ? 'differs' : ''}, value));
  }
  const verdict = el('p', {class: 'verdict', role: 'status'}, '… verifying');
  void verify(item, prefix).then((result) => {
    const [kind, text] = verdicts[result] ?? byNode;
    verdict.dataset.state = kind;
    verdict.textContent = text;
  });
  const raw = el('details', {}, el('summary', {}, 'Bytes'),
    el('p', {}, 'Signed: ', el('code', {}, item.content
      ? prefix + item.kind.toString(16).padStart(2, '0') + item.content : 'longer than this page shows')),
    el('p', {}, 'Signature: ', el('code', {}, item.signature)),
    el('p', {}, `Public key of replica ${item.signer} in the genesis of this node: `,
      el('code', {}, item.public_key ?? 'unknown')));
  return el('section', {class: 'item'}, el('h4', {}, `Message ${place + 1}, signed by replica ${item.signer}`), list,
    verdict, raw);
}

function proofOf(proof, prefix) {
  const fields = proof.items.map(fieldsOf);
  const state = proof.ordered_at > 0
    ? `The group ordered this evidence with batch ${count(proof.ordered_at)}, which convicts the replica.`
    : 'The group has not ordered this evidence yet.';
  return el('article', {}, el('h3', {}, words(proof.misbehaviour)),
    el('p', {}, meanings[proof.misbehaviour] ?? ''),
    el('p', {class: 'quiet'}, `Seen by this node at ${clock(proof.seen_ms)}. ${state}`),
    el('div', {class: 'side-by-side'}, ...proof.items.map((item, place) =>
      itemOf(item, fields.filter((_, other) => other !== place), prefix, place))));
}

export function makeEvidence() {
  const dialog = byId('evidence');
  byId('evidence-close').addEventListener('click', () => dialog.close());
  dialog.addEventListener('click', (event) => {
    if (event.target === dialog) dialog.close();
  });
  return async (replica) => {
    const body = byId('evidence-body');
    byId('evidence-title').textContent = `Evidence against replica ${replica}`;
    body.replaceChildren(el('p', {}, 'Loading…'));
    if (!dialog.open) dialog.showModal();
    try {
      const all = await load('/api/v1/evidence');
      const proofs = all.proofs.filter((each) => each.replica === replica).reverse();
      body.replaceChildren(...(proofs.length > 0 ? proofs.map((each) => proofOf(each, all.signing_prefix))
        : [el('p', {}, 'This node has no longer the messages, because it restarted or fetched the state after the '
          + 'conviction. The audit trail of a node that saw them has them: ', el('code', {}, 'hypermesh audit show'))]));
    } catch (error) {
      body.replaceChildren(el('p', {role: 'alert'}, `The evidence cannot be loaded: ${error.message}`));
    }
  };
}
