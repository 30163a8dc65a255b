// Numbers and times as people read them.

const number = new Intl.NumberFormat('en');
export const count = (value) => number.format(value);

export function micros(us) {
  if (us < 1000) return `${Math.round(us)} µs`;
  if (us < 10000) return `${(us / 1000).toFixed(2)} ms`;
  if (us < 1e6) return `${(us / 1000).toFixed(us < 1e5 ? 1 : 0)} ms`;
  return `${(us / 1e6).toFixed(us < 1e7 ? 2 : 1)} s`;
}

export function ago(ms) {
  if (ms < 1000) return `${Math.max(0, Math.round(ms))} ms ago`;
  if (ms < 120000) return `${(ms / 1000).toFixed(ms < 10000 ? 1 : 0)} s ago`;
  return `${Math.round(ms / 60000)} min ago`;
}

export function span(seconds) {
  if (seconds < 120) return `${seconds} s`;
  if (seconds < 7200) return `${Math.floor(seconds / 60)} min`;
  if (seconds < 172800) return `${Math.floor(seconds / 3600)} h`;
  return `${Math.floor(seconds / 86400)} days`;
}

export const clock = (ms) => new Date(ms).toLocaleTimeString('en-GB');

export const words = (name) => name.replaceAll('_', ' ');

// A round step that divides the range into at most `parts` parts.
export function niceStep(range, parts) {
  const rough = Math.max(range, 1e-9) / parts;
  const power = 10 ** Math.floor(Math.log10(rough));
  return power * [1, 2, 5, 10].find((each) => each * power >= rough);
}
