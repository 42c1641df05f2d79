// A file starts its form by itself, chosen or dropped. One that is too large is told at once, and not sent at all.
export function bind(forms) {
  for (const form of forms) watch(form);
}

function watch(form) {
  const zone = form.querySelector('[data-drop-zone]');
  const state = form.querySelector('[data-drop-state]');
  const input = form.querySelector('[type=file]');
  const limit = Number(form.dataset.dropFile);

  // The input covers the zone, so the browser itself takes what is dropped; here it only shows that it would.
  for (const name of ['dragenter', 'dragover']) zone.addEventListener(name, () => zone.classList.add('is-over'));
  for (const name of ['dragleave', 'drop']) zone.addEventListener(name, () => zone.classList.remove('is-over'));

  input.addEventListener('change', () => {
    const [file] = input.files;
    if (!file) return;
    if (file.size > limit) {
      state.textContent = state.dataset.tooLarge;
      state.classList.add('is-refused');
      input.value = '';
      return;
    }
    state.classList.remove('is-refused');
    state.textContent = `Uploading ${file.name} …`;
    form.requestSubmit(form.querySelector('[type=submit]'));
  });
  // Whoever comes back by the browser's memory may choose the same file again.
  window.addEventListener('pageshow', () => {
    input.value = '';
    state.textContent = '';
  });
}
