// A remark that came for a field marks the field itself, as the whole page would have drawn it.
export function bind(notes) {
  for (const note of notes) {
    const field = document.getElementById(note.dataset.noteOf);
    if (note.dataset.kind === 'problem') field?.setAttribute('aria-invalid', 'true');
    else field?.removeAttribute('aria-invalid');
  }
}
