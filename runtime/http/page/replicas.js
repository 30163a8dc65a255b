// What the page says about a replica: a state of a few kinds, each with a shape and a letter beside its colour.

// "ok" takes part, "doubt" may return by itself, "bad" does not take part.
const kinds = {
  voting: 'ok',
  behind: 'doubt', changing_view: 'doubt', not_voting: 'doubt', fetching_state: 'doubt', on_probation: 'doubt',
  disputed: 'doubt', unreported: 'doubt', other_view: 'doubt', draining: 'doubt', isolated: 'doubt',
  not_executing: 'doubt',
};
const letters = {voting: '', quarantined: 'Q', on_probation: 'P', unlinked: '✕', silent: '✕', fetching_state: 'F',
  behind: 'L'};

export function stateOf(replica) {
  const kind = kinds[replica.condition] ?? 'bad';
  const letter = letters[replica.condition] ?? (kind === 'ok' ? '' : '!');
  const label = replica.condition === 'voting' ? 'takes part' : replica.condition.replaceAll('_', ' ');
  return {kind, letter, label};
}

export const primaryOf = (view, replicas) => view % replicas;

// "replica 2 silent for 3 s" without the name that stands beside it anyway.
export const whyOf = (replica) => replica.why.replace(/^replica \d+ /, '');
