// A message can be dismissed. None leaves by itself: the page below would move away from under somebody's finger.
export function bind([toast]) {
  const dismiss = toast.querySelector('[data-toast-dismiss]');
  dismiss.hidden = false;
  dismiss.addEventListener('click', () => toast.remove());
}
