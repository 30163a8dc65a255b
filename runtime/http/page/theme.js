// The colours of the page. A plain script in the head, so that the first picture has the right ones.
'use strict';
(() => {
  const names = ['system', 'light', 'dark'];
  const signs = {system: '◐', light: '☀', dark: '☾'};
  const kept = () => {
    try {
      return localStorage.getItem('hypermesh-theme');
    } catch {
      return null;  // A browser may forbid storage.
    }
  };
  let name = names.includes(kept()) ? kept() : 'system';
  const systemIsDark = matchMedia('(prefers-color-scheme: dark)');
  const apply = () => {
    document.documentElement.dataset.theme = name === 'system' ? (systemIsDark.matches ? 'dark' : 'light') : name;
    const button = document.getElementById('theme');
    if (!button) return;
    button.textContent = `${signs[name]} ${name}`;
    button.setAttribute('aria-label', `Colours: ${name === 'system' ? 'as the system' : name}. Change`);
  };
  apply();
  systemIsDark.addEventListener('change', apply);
  addEventListener('DOMContentLoaded', () => {
    apply();
    document.getElementById('theme').addEventListener('click', () => {
      name = names[(names.indexOf(name) + 1) % names.length];
      try {
        localStorage.setItem('hypermesh-theme', name);
      } catch {
        // The choice then lasts as long as the page.
      }
      apply();
    });
  });
})();
