// Choosing how many rows a page has goes on at once, like the filters.
export function bind(selects) {
  for (const select of selects) select.addEventListener('change', () => select.form?.requestSubmit());
}
