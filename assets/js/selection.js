// Rows of a list that are selected: the bar with the acts comes when there are some, and says how many.
export function bind(forms) {
  for (const form of forms) watch(form);
}

function watch(form) {
  const bar = form.querySelector('[data-selection-bar]');
  const count = form.querySelector('[data-selection-count]');
  const page = form.querySelector('[data-select-page]');
  const boxes = [...form.querySelectorAll('input[name="id"]')];
  const update = () => {
    const chosen = boxes.filter(({ checked }) => checked).length;
    bar.classList.toggle('is-open', chosen > 0);
    count.textContent = chosen > 0 ? `${chosen} selected` : '';
    page.checked = chosen > 0 && chosen === boxes.length;
    page.indeterminate = chosen > 0 && chosen < boxes.length;
    const all = bar.querySelector('[name="all"]');
    if (all && chosen === 0) all.checked = false;
  };
  page.addEventListener('change', () => {
    for (const box of boxes) box.checked = page.checked;
    update();
  });
  for (const box of boxes) box.addEventListener('change', update);
  update();
}
