// While one writes, the frames show the mail that would be sent; without script their buttons do.
const pause = 400;

export function bind(forms) {
  for (const form of forms) {
    const buttons = [...document.querySelectorAll('[data-preview-part]')].filter((button) => button.form === form);
    const showAll = () => {
      for (const button of buttons) show(form, button);
    };
    let timer;
    form.addEventListener('input', () => {
      clearTimeout(timer);
      timer = setTimeout(showAll, pause);
    });
    // A form that was refused, or that the browser has filled in again, is not what is in force.
    if (form.querySelector('[aria-invalid]') || isChanged(form)) showAll();
  }
}

const isChanged = (form) =>
  [...form.elements].some((field) => 'defaultValue' in field && field.value !== field.defaultValue);

function show(form, button) {
  const old = document.querySelector(`iframe[name="${button.formTarget}"]`);
  const frame = old.cloneNode();
  // The first page of a new frame is no step of the browser's history; the next one of an old frame would be.
  frame.removeAttribute('src');
  old.replaceWith(frame);
  // A form of its own: sending this one means saving.
  const carrier = document.createElement('form');
  Object.assign(carrier, { method: 'post', action: button.formAction, target: button.formTarget, hidden: true });
  for (const [name, value] of new FormData(form)) {
    const field = document.createElement('textarea');
    Object.assign(field, { name, value });
    carrier.append(field);
  }
  document.body.append(carrier);
  carrier.submit();
  carrier.remove();
}
