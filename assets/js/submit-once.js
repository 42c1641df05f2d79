// A form is sent once: the button shows progress, and a second press does nothing.
const patience = 20_000;

export function bind(forms) {
  for (const form of forms) form.addEventListener('submit', once);
  // A page taken back from the browser's memory must be usable again.
  window.addEventListener('pageshow', () => forms.forEach(release));
}

function once(event) {
  const form = event.currentTarget;
  if (event.defaultPrevented) return;
  if ('busy' in form.dataset) {
    event.preventDefault();
    return;
  }
  form.dataset.busy = '';
  const button = event.submitter ?? form.querySelector('[type=submit]');
  // Not `disabled`: that would take the button's own name and value out of what is sent.
  button?.setAttribute('aria-busy', 'true');
  button?.setAttribute('aria-disabled', 'true');
  // Whoever stopped the loading may try again.
  setTimeout(() => release(form), patience);
}

function release(form) {
  delete form.dataset.busy;
  for (const button of form.querySelectorAll('[aria-busy]')) {
    button.removeAttribute('aria-busy');
    button.removeAttribute('aria-disabled');
  }
}
