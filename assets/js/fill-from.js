// A field that takes the value of another one until somebody writes into it. Nothing is cut: what is too long is told (A3.4).
export function bind(fields) {
  for (const field of fields) {
    const source = document.getElementById(field.dataset.fillFrom);
    // What another kind of connection asks for is not on every page.
    if (source) follow(field, source);
  }
}

function follow(field, source) {
  let isOwn = field.value !== '' && field.value !== source.value;
  field.addEventListener('input', () => {
    isOwn = field.value !== '';
  });
  source.addEventListener('input', () => {
    if (!isOwn) field.value = source.value;
  });
  // Filled in is left, too: whoever checks fields on leaving them checks this one.
  source.addEventListener('change', () => {
    if (!isOwn) field.dispatchEvent(new Event('change', { bubbles: true }));
  });
}
