// A message can be dismissed; good news leaves by itself unless someone is at it.
const shownFor = 8_000;

export function bind([toast]) {
  const dismiss = toast.querySelector('[data-toast-dismiss]');
  dismiss.hidden = false;
  dismiss.addEventListener('click', () => toast.remove());
  if (!toast.classList.contains('notice-success')) return;
  const leave = () => {
    if (toast.matches(':hover, :focus-within')) setTimeout(leave, shownFor);
    else toast.remove();
  };
  setTimeout(leave, shownFor);
}
