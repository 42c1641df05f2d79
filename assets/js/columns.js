// Columns of a list are reordered by dragging; the arrows beside them do the same by keyboard, and without script.
// Nothing is sent before one saves: what is saved is what one sees.
export function bind(forms) {
  for (const form of forms) {
    const list = form.querySelector('ul');
    const settle = () => {
      const items = [...list.children];
      form.elements.order.value = items.map((item) => item.dataset.key).join(',');
      for (const item of items) {
        const { up, down } = arrowsOf(item);
        up.disabled = item === items[0];
        down.disabled = item === items.at(-1);
      }
    };
    byArrows(list, settle);
    byDragging(list, settle);
  }
}

function arrowsOf(item) {
  const [up, down] = item.querySelectorAll('button[name="move"]');
  return { up, down };
}

function byArrows(list, settle) {
  list.addEventListener('click', (event) => {
    const arrow = event.target.closest('button[name="move"]');
    if (!arrow) return;
    event.preventDefault();
    const item = arrow.closest('li');
    const { up, down } = arrowsOf(item);
    if (arrow === up) item.previousElementSibling?.before(item);
    else item.nextElementSibling?.after(item);
    settle();
    // What was moved has lost the focus; at an end only the way back is left.
    const other = arrow === up ? down : up;
    (arrow.disabled ? other : arrow).focus();
  });
}

function byDragging(list, settle) {
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
    settle();
  });
}
