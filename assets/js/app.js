// Loads the behaviours that this page asks for.
// Each is bound by a data attribute, and every page works without any of them.
const behaviours = [
  ['[data-once]', () => import('./submit-once.js')],
  ['[data-problem]', () => import('./problem-focus.js')],
  ['[data-password]', () => import('./show-password.js')],
  ['[data-code]', () => import('./code-field.js')],
  ['[data-copy], [data-copy-from]', () => import('./copy.js')],
  ['[data-menu]', () => import('./menu.js')],
  ['[data-toast]', () => import('./toast.js')],
  ['[data-unsaved]', () => import('./unsaved.js')],
  ['[data-theme-form]', () => import('./theme.js')],
  ['[data-confirm]', () => import('./confirm.js')],
  ['[data-countdown]', () => import('./countdown.js')],
  ['[data-linkify]', () => import('./linkify.js')],
  ['[data-selection]', () => import('./selection.js')],
  ['[data-page-size]', () => import('./page-size.js')],
  ['[data-reorder]', () => import('./reorder.js')],
  ['[data-columns]', () => import('./columns.js')],
  ['[data-preview]', () => import('./live-preview.js')],
  ['[data-suggest]', () => import('./suggest.js')],
  ['[data-chart]', () => import('./chart.js')],
  ['[data-drop-file]', () => import('./drop-file.js')],
  ['[data-fill-from]', () => import('./fill-from.js')],
  ['[data-note-of]', () => import('./field-note.js')],
  ['[data-exclusive]', () => import('./exclusive-choice.js')],
  // Last: by then the form is sent once only.
  ['[data-submit-now]', () => import('./submit-now.js')],
];

document.documentElement.classList.add('scripted');

function bindWithin(root) {
  for (const [selector, load] of behaviours) {
    const elements = [...(root.matches?.(selector) ? [root] : []), ...root.querySelectorAll(selector)];
    if (elements.length > 0) load().then(({ bind }) => bind(elements));
  }
}

bindWithin(document);
// Parts that the console replaces come with behaviours of their own.
document.addEventListener('htmx:afterSwap', (event) => bindWithin(event.detail.elt));
