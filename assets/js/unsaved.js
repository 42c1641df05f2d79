// Warns before what was typed is lost.
export function bind(forms) {
  const sent = new Set();
  const isChanged = (form) => !sent.has(form) && state(form) !== form.dataset.unsaved;
  for (const form of forms) {
    form.dataset.unsaved = state(form);
    form.addEventListener('submit', () => sent.add(form));
  }
  // Forms beside it that take along what was typed in it lose nothing.
  document.addEventListener('submit', ({ target }) => {
    if ('carries' in target.dataset) for (const form of forms) sent.add(form);
  });
  window.addEventListener('beforeunload', (event) => {
    if (forms.some(isChanged)) event.preventDefault();
  });
}

const state = (form) => new URLSearchParams(new FormData(form)).toString();
