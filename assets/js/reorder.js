// Items of a list are reordered by dragging them by their handle; the arrows beside them do the same by keyboard, and without script.
// Fields move with their item, so the form sends them in the order that one sees.
export function bind(forms) {
  for (const form of forms) {
    let dragged = null;
    for (const handle of form.querySelectorAll('[data-handle]')) {
      handle.hidden = false;
      const item = handle.closest('li');
      // Only while the handle is held: else the text in the item's fields could not be selected.
      handle.addEventListener('pointerdown', () => {
        item.draggable = true;
      });
      handle.addEventListener('pointerup', () => {
        item.draggable = false;
      });
    }
    form.addEventListener('dragstart', (event) => {
      dragged = event.target.closest('li[draggable="true"]');
      dragged?.classList.add('is-dragged');
    });
    form.addEventListener('dragover', (event) => {
      const over = event.target.closest('li');
      if (!dragged || !over) return;
      event.preventDefault();
      if (over === dragged) return;
      const { top, height } = over.getBoundingClientRect();
      over[event.clientY < top + height / 2 ? 'before' : 'after'](dragged);
    });
    form.addEventListener('drop', (event) => event.preventDefault());
    form.addEventListener('dragend', () => {
      if (!dragged) return;
      dragged.draggable = false;
      dragged.classList.remove('is-dragged');
      dragged = null;
    });
  }
}
