// A field that completes itself: asks the address in `data-suggest` while one types and fills the field's own datalist.
export function bind(fields) {
  for (const field of fields) watch(field);
}

function watch(field) {
  let timer;
  let asked = '';
  field.addEventListener('input', () => {
    clearTimeout(timer);
    timer = setTimeout(async () => {
      const words = field.value.trim();
      // A choice from the list is an input, too.
      if (words === '' || words === asked || isChosen(field)) return;
      asked = words;
      const answer = await fetch(`${field.dataset.suggest}?q=${encodeURIComponent(words)}`).catch(() => null);
      if (!answer?.ok || asked !== field.value.trim()) return;
      const found = await answer.json();
      field.list.replaceChildren(...found.map(({ value, label }) => new Option(`${label} (${value})`, value)));
    }, 200);
  });
}

const isChosen = ({ value, list }) => [...list.options].some((option) => option.value === value);
