// Shows and hides what was typed into a password field.
export function bind(fields) {
  for (const field of fields) {
    const input = field.querySelector('input');
    const toggle = field.querySelector('[data-password-toggle]');
    const word = field.querySelector('[data-password-word]');
    const show = (shown) => {
      input.type = shown ? 'text' : 'password';
      word.textContent = shown ? 'Hide' : 'Show';
      toggle.setAttribute('aria-pressed', String(shown));
    };
    toggle.hidden = false;
    toggle.addEventListener('click', () => {
      show(input.type === 'password');
      input.focus();
    });
    // Browsers offer to save only what is a password field when it is sent.
    input.form.addEventListener('submit', () => show(false));
  }
}
