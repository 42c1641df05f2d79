// After a refused form the focus goes to the field that was marked, else to the sentence that says what happened.
export function bind([problem]) {
  const field = document.getElementById(problem.dataset.problem);
  (field ?? problem).focus();
  problem.querySelector('a')?.addEventListener('click', (event) => {
    event.preventDefault();
    field?.focus();
  });
}
