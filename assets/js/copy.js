// Copies a text given in `data-copy`, or that of the elements which `data-copy-from` selects, one a line.
const shownFor = 2_000;

export function bind(buttons) {
  if (!navigator.clipboard) return;
  for (const button of buttons) {
    const word = button.querySelector('[data-copy-word]');
    const usual = word.textContent;
    word.setAttribute('aria-live', 'polite');
    button.hidden = false;
    button.addEventListener('click', async () => {
      try {
        await navigator.clipboard.writeText(textOf(button));
        word.textContent = 'Copied';
      } catch {
        word.textContent = 'Not copied';
      }
      setTimeout(() => {
        word.textContent = usual;
      }, shownFor);
    });
  }
}

function textOf(button) {
  const { copy, copyFrom } = button.dataset;
  if (copyFrom === undefined) return copy;
  return [...document.querySelectorAll(copyFrom)].map((element) => element.textContent).join('\n');
}
