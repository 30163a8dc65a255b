// Throughput and latency of the last ten minutes.
import {byId, el, picture, row, setText, svg, table} from './dom.js';
import {clock, count, micros, niceStep} from './text.js';

const samplesMax = 600;
const [atTime, atRequests, atBatches, atMedian, atTail, atLongest] = [0, 1, 2, 3, 4, 5];

// The counts of a sample as rates. A busy node closes a sample later than after a second.
function ratesOf(sample, previous) {
  const seconds = previous ? Math.max(0.2, (sample[atTime] - previous[atTime]) / 1000) : 1;
  const rated = [...sample];
  rated[atRequests] = Math.round(sample[atRequests] / seconds);
  rated[atBatches] = Math.round(sample[atBatches] / seconds);
  return rated;
}

// Lines over time. `series` is a list of {at, name}: the place in a sample, and the name that is also the class of the
// line. A gap of more than 3 s is shown as a gap.
function draw(samples, series, format, from, to, width) {
  const height = 180;
  const [left, right, top, bottom] = [58, 12, 10, height - 22];
  const most = Math.max(1, ...samples.flatMap((each) => series.map(({at}) => each[at])));
  const step = niceStep(most * 1.05, 4);
  const ceiling = Math.ceil((most * 1.02) / step) * step;
  const x = (ms) => left + ((ms - from) / (to - from)) * (width - left - right);
  const y = (value) => bottom - (value / ceiling) * (bottom - top);
  const last = samples.at(-1);
  const picture = svg('svg', {role: 'img', width, height, viewBox: `0 0 ${width} ${height}`, 'aria-label':
    `${series.map(({name, at}) => `${name}: ${last ? format(last[at]) : 'unknown'}`).join(', ')}; `
    + `the highest value of the time shown is ${format(most)}`});
  for (let value = 0; value <= ceiling * 1.001; value += step) {
    picture.append(svg('line', {class: 'grid', x1: left, x2: width - right, y1: y(value), y2: y(value)}));
    picture.append(svg('text', {class: 'axis', x: left - 6, y: y(value) + 4, 'text-anchor': 'end'}, format(value)));
  }
  const minutes = niceStep((to - from) / 60000, Math.max(2, Math.floor((width - left - right) / 80)));
  for (let back = 0; back <= (to - from) / 60000; back += minutes) {
    picture.append(svg('text', {class: 'axis', x: x(to - back * 60000), y: height - 5,
      'text-anchor': back === 0 ? 'end' : 'middle'}, back === 0 ? 'now' : `−${+back.toFixed(2)} min`));
  }
  for (const {at, name} of series) {
    let path = '';
    samples.forEach((each, place) => {
      const begins = place === 0 || each[atTime] - samples[place - 1][atTime] > 3000;
      path += `${begins ? 'M' : 'L'}${x(each[atTime]).toFixed(1)} ${y(each[at]).toFixed(1)}`;
    });
    picture.append(svg('path', {class: `line line-${name}`, d: path}));
  }
  return picture;
}

function makeChart(id, series, format, tableRow, say) {
  let samples = [];
  let pointed = null;
  let [from, to] = [0, 1];
  const host = byId(id);
  const drawAgain = picture(host, (width) => (samples.length > 1
    ? draw(samples, series, format, from, to, width)
    : el('p', {class: 'quiet'}, 'Two seconds of data are needed.')));
  const rows = table(`${id}-table`, () => samples.slice(-60).reverse().map(tableRow));
  const tell = () => {
    const shown = pointed ?? samples.at(-1);
    setText(byId(`${id}-now`), shown ? say(shown) + (pointed ? ` at ${clock(pointed[atTime])}` : '') : '');
  };
  host.addEventListener('pointermove', (event) => {
    const box = host.getBoundingClientRect();
    const part = (event.clientX - box.left - 58) / (box.width - 70);
    const when = from + part * (to - from);
    pointed = samples.reduce((best, each) =>
      (best === null || Math.abs(each[atTime] - when) < Math.abs(best[atTime] - when) ? each : best), null);
    tell();
  });
  host.addEventListener('pointerleave', () => {
    pointed = null;
    tell();
  });
  return (all) => {
    samples = all;
    to = samples.at(-1)?.[atTime] ?? 1;
    // At least two minutes, so that a young node does not show a second as wide as the screen.
    from = Math.min(samples[0]?.[atTime] ?? 0, to - 120000);
    drawAgain();
    rows();
    tell();
  };
}

export function makeCharts() {
  let samples = [];
  const throughput = makeChart('throughput', [{at: atRequests, name: 'requests'}, {at: atBatches, name: 'batches'}],
    (value) => count(Math.round(value * 10) / 10),
    (each) => row(clock(each[atTime]), count(each[atRequests]), count(each[atBatches])),
    (each) => `${count(each[atRequests])} requests/s in ${count(each[atBatches])} batches/s`);
  // A second without requests has no latency.
  const latency = makeChart('latency', [{at: atMedian, name: 'median'}, {at: atTail, name: 'tail'}], micros,
    (each) => row(clock(each[atTime]), micros(each[atMedian]), micros(each[atTail]), micros(each[atLongest])),
    (each) => `median ${micros(each[atMedian])}, 99 % within ${micros(each[atTail])}`);
  const again = () => {
    throughput(samples);
    latency(samples.filter((each) => each[atMedian] > 0));
  };
  return {
    load(history) {
      samples = history.samples.map((each, place, all) => ratesOf(each, all[place - 1]));
      again();
    },
    add(sample) {
      if (!sample || (samples.length > 0 && sample[atTime] <= samples.at(-1)[atTime])) return;
      samples.push(ratesOf(sample, samples.at(-1)));
      if (samples.length > samplesMax) samples.shift();
      again();
    },
  };
}
