// Columns of a list are reordered by dragging; the arrows beside them do the same by keyboard, and without script.
export function bind(forms) {
  for (const form of forms) {
    const list = form.querySelector('ul');
    for (const item of list.children) item.draggable = true;
    let dragged = null;
    list.addEventListener('dragstart', (event) => {
      dragged = event.target.closest('li');
      dragged.classList.add('is-dragged');
      event.dataTransfer.effectAllowed = 'move';
    });
    list.addEventListener('dragover', (event) => {
      const over = event.target.closest('li');
      if (!dragged || !over || over === dragged) return;
      event.preventDefault();
      const { top, height } = over.getBoundingClientRect();
      over[event.clientY < top + height / 2 ? 'before' : 'after'](dragged);
    });
    list.addEventListener('drop', (event) => event.preventDefault());
    list.addEventListener('dragend', () => {
      dragged?.classList.remove('is-dragged');
      dragged = null;
      form.elements.order.value = [...list.children].map((item) => item.dataset.key).join(',');
    });
  }
}
