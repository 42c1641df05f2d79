// A form that asks nothing new is sent at once, as if its button had been pressed.
export function bind(forms) {
  for (const form of forms) form.requestSubmit(form.querySelector('[type=submit]'));
}
