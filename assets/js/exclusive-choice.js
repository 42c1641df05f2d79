// One check box of a list that stands alone: choosing it clears the others, choosing another one clears it (C19).
export function bind(boxes) {
  for (const box of boxes) watch(box, [...box.form.querySelectorAll(`[name="${CSS.escape(box.name)}"]`)]);
}

function watch(alone, all) {
  for (const box of all)
    box.addEventListener('change', () => {
      if (!box.checked) return;
      for (const other of all) if (other !== box && (box === alone || other === alone)) other.checked = false;
    });
}
