// Asks before a form ends something; without script the form is sent at once, and its page says what happened.
export function bind(forms) {
  for (const form of forms) {
    form.addEventListener('submit', (event) => {
      if ('confirmed' in form.dataset) return;
      event.preventDefault();
      ask(form);
    });
  }
}

function ask(form) {
  const { confirm, confirmTitle, confirmButton } = form.dataset;
  const dialog = element('dialog', { className: 'dialog' });
  dialog.setAttribute('aria-labelledby', 'dialog-title');
  const yes = element('button', { className: 'btn btn-danger', type: 'button', textContent: confirmButton });
  const no = element('button', { className: 'btn btn-quiet', type: 'button', textContent: 'Cancel', autofocus: true });
  const row = element('div', { className: 'form-end' });
  row.append(no, yes);
  dialog.append(
    element('h2', { id: 'dialog-title', textContent: confirmTitle }),
    element('p', { textContent: confirm }),
    row,
  );
  no.addEventListener('click', () => dialog.close());
  yes.addEventListener('click', () => {
    form.dataset.confirmed = '';
    yes.setAttribute('aria-busy', 'true');
    form.requestSubmit();
  });
  dialog.addEventListener('close', () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
}

const element = (name, properties) => Object.assign(document.createElement(name), properties);
