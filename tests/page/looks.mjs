// How a page looks at several widths, light and dark: nothing is wider than the screen, and every text can be read.
import {mkdirSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';

// Every text has a contrast of 4.5 : 1 (WCAG AA), as far as a plain background is behind it.
const contrast = `(() => {
  const channel = (value) => (value <= 0.03928 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4);
  const parse = (text) => (text.match(/[\\d.]+/g) ?? []).map(Number);
  const light = ([r, g, b]) => 0.2126 * channel(r / 255) + 0.7152 * channel(g / 255) + 0.0722 * channel(b / 255);
  const ground = (element) => {
    for (let at = element; at; at = at.parentElement) {
      const colour = parse(getComputedStyle(at).backgroundColor);
      if (colour.length === 3 || colour[3] === 1) return colour;
    }
    return [255, 255, 255];
  };
  const poor = [];
  for (const each of document.querySelectorAll('h1,h2,p,th,td,li,button,summary,span,label,text')) {
    if (!each.textContent.trim() || !each.checkVisibility()) continue;
    const style = getComputedStyle(each);
    const ink = parse(each instanceof SVGElement ? style.fill : style.color);
    const [a, b] = [light(ink), light(ground(each))].sort((x, y) => y - x);
    if ((a + 0.05) / (b + 0.05) < 4.5) poor.push(each.textContent.trim().slice(0, 30));
  }
  return poor.slice(0, 5).join(' | ');
})()`;

// Writes screenshots NAME-WIDTH-COLOURS.png to `folder`, if there is one. `more(width, scheme)` may write further ones.
export async function checkLooks(browser, check, folder, name, more = async () => {}) {
  if (folder) mkdirSync(folder, {recursive: true});
  for (const scheme of ['light', 'dark']) {
    await browser.colours(scheme);
    for (const width of [360, 768, 1280, 2560]) {
      await browser.size(width, width < 500 ? 780 : 1000);
      await new Promise((done) => {
        setTimeout(done, 1500);
      });
      const wide = await browser.evaluate('document.documentElement.scrollWidth');
      check(wide <= width, `at ${width} px, ${scheme}, nothing is wider than the screen (${wide} px)`);
      const poor = await browser.evaluate(contrast);
      check(poor === '', `at ${width} px, ${scheme}, every text has contrast ${poor}`);
      if (folder) writeFileSync(join(folder, `${name}-${width}-${scheme}.png`), await browser.screenshot());
      await more(width, scheme);
    }
  }
}
